//! Everything remembered of one user, as one row. Bounded (see [`super::limits`]); failures are not part of it.
//!
//! A row holds only whole numbers, rounded weights and text, so that one kept in memory and one read back from
//! bytes are equal and behave alike.

use std::fmt;
use std::sync::Arc;

use crate::enrich::network::{NetworkKind, Place};

use super::limits::DEVICE_UNSEEN_MAX;
use super::network_key::{CellLevel, NetworkKey};
use super::profile::Profile;
use super::software_name::SoftwareName;
use super::time::{DAY, Seconds, SettlingDays, Span, micros, seconds};
use super::trust::{Credits, Trust, trust_of};
use super::weight::Weight;

/// A device as a granted login showed it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Device {
    /// Keyed hash of the application's id.
    pub id: Option<u128>,
    /// Keyed hash of the thumbprint of a proven key.
    pub key: Option<u128>,
    /// Browser or app family.
    pub family: SoftwareName,
    /// Operating system.
    pub os: SoftwareName,
    /// Newest major version.
    pub major: Option<u32>,
    /// How many attributes came with the latest login that sent any.
    pub attribute_count: u16,
    /// Keyed hash over those attributes; 0 without any.
    pub attributes: u128,
    /// The newest generation by event time.
    pub generation: Option<Generation>,
    /// Tells devices of the same family and system apart for people: 1 for the first. A device that resembled another
    /// shares its number.
    pub number: u8,
    /// Whether it showed the id of another device with software or a generation that contradicts it.
    pub copy: bool,
    /// Every granted login.
    pub seen: Seen,
    /// What its logins earned.
    pub credits: Credits,
}

/// A counter that came with an id, and when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Generation {
    /// The counter.
    pub number: u64,
    /// Event time of the login that showed it.
    pub time: Seconds,
}

/// When something was seen in granted logins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seen {
    /// First and last event time; empty only before anything was learned.
    pub span: Option<Span>,
    /// The logins that count towards settling; very late ones do not.
    pub days: Option<SettlingDays>,
}

impl Seen {
    /// Notes one granted login; `settles` unless it came too late for that.
    pub fn include(&mut self, time: Seconds, settles: bool) {
        match &mut self.span {
            Some(span) => span.include(time),
            None => self.span = Some(Span::at(time)),
        }
        if settles {
            match &mut self.days {
                Some(days) => days.include(time),
                None => self.days = Some(SettlingDays::at(time)),
            }
        }
    }

    /// Latest event time, the beginning of time if never.
    #[must_use]
    pub fn last(&self) -> Seconds {
        self.span.map_or(Seconds::MIN, |span| span.last)
    }
}

impl Device {
    /// Trust at `now`. A copy and a device known by its agent alone are never vouched.
    #[must_use]
    pub fn trust(&self, now: Seconds) -> Trust {
        let trust = trust_of(self.seen.days.as_ref(), &self.credits, now);
        if self.copy || !self.carries_identity() {
            trust.min(Trust::Settled)
        } else {
            trust
        }
    }

    /// Whether it can be recognised by more than its software.
    #[must_use]
    pub const fn carries_identity(&self) -> bool {
        self.id.is_some() || self.key.is_some()
    }

    /// Whether its logins showed anything at all: an id, a key or software.
    #[must_use]
    pub fn tells_something(&self) -> bool {
        self.carries_identity() || !self.family.as_str().is_empty() || !self.os.as_str().is_empty()
    }

    /// Whether it was seen within the time that devices are remembered.
    #[must_use]
    pub fn remembered(&self, at: Seconds) -> bool {
        at.saturating_sub(self.seen.last()) <= DEVICE_UNSEEN_MAX
    }

    /// What people call it.
    #[must_use]
    pub fn name(&self) -> DeviceName {
        DeviceName {
            family: self.family.clone(),
            os: self.os.clone(),
            number: self.number,
        }
    }
}

/// What people call a device: `Firefox on Windows`, or `Firefox on Windows (2)`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeviceName {
    /// Browser or app family.
    pub family: SoftwareName,
    /// Operating system.
    pub os: SoftwareName,
    /// 0 for a device not seen before.
    pub number: u8,
}

impl DeviceName {
    /// As text, made in one piece.
    #[must_use]
    pub fn text(&self) -> Box<str> {
        let text = match (self.family.as_str(), self.os.as_str()) {
            ("", "") => "a device".to_owned(),
            (family, "") => family.to_owned(),
            ("", os) => ["a device with ", os].concat(),
            (family, os) => [family, " on ", os].concat(),
        };
        match self.number {
            0 | 1 => text.into(),
            number => format!("{text} ({number})").into(),
        }
    }
}

impl fmt::Display for DeviceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

/// A device in a network: the unit that trust and counts belong to.
#[derive(Debug, Clone, PartialEq)]
pub struct Pair {
    /// Index of the device.
    pub device: u8,
    /// The network.
    pub network: NetworkKey,
    /// Granted logins here, decayed with 90 days.
    pub logins: Weight,
    /// Weights of forgotten cells, one a [`CellLevel`]: they still count in totals.
    pub rest: [Weight; 6],
    /// When.
    pub seen: Seen,
    /// What its logins earned.
    pub credits: Credits,
}

/// Decayed granted logins of one pair at one value of one level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cell {
    /// Index of the pair.
    pub pair: u8,
    /// Level.
    pub level: CellLevel,
    /// Address, prefix or country, right-aligned.
    pub value: u64,
    /// Decayed count.
    pub logins: Weight,
}

/// A degree of latitude and longitude in which a pair was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KnownPlace {
    /// Index of the pair.
    pub pair: u8,
    /// See [`place_cell`].
    pub cell: u16,
    /// Last event time.
    pub last: Seconds,
}

/// One granted login, for the strip, the usual level and the question whether logins carry ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecentLogin {
    /// Event time.
    pub time: Seconds,
    /// Achieved level, 1 to 3.
    pub level: u8,
    /// Whether it carried a device id or key.
    pub carried_identity: bool,
    /// Index of the device, `None` once that is forgotten.
    pub device: Option<u8>,
    /// Number of the autonomous system.
    pub asn: Option<u32>,
    /// Country.
    pub country: Option<[u8; 2]>,
}

/// Where the latest granted login was that told a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastPlace {
    /// Event time.
    pub time: Seconds,
    /// Ten-thousandths of a degree north.
    pub latitude: i32,
    /// Ten-thousandths of a degree east.
    pub longitude: i32,
    /// Radius in km.
    pub radius_km: u16,
    /// City, clipped.
    pub city: Option<Arc<str>>,
    /// Epoch of the geo files that said so.
    pub geo_epoch: u64,
    /// Country.
    pub country: Option<[u8; 2]>,
    /// Number of the autonomous system.
    pub asn: Option<u32>,
    /// Kind of network, for what travel compares.
    pub kind: Option<NetworkKind>,
    /// First address of the /24 or /48, to look the place up again at a new epoch.
    pub prefix: std::net::IpAddr,
}

impl LastPlace {
    /// The place in the shape that enrichment gives it.
    #[must_use]
    pub fn place(&self) -> Place {
        Place {
            latitude: f64::from(self.latitude) / 1e4,
            longitude: f64::from(self.longitude) / 1e4,
            radius_km: f64::from(self.radius_km),
            city: self.city.clone(),
        }
    }
}

/// How many granted logins there were, and when; independent of their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Granted {
    /// All of them.
    pub count: u64,
    /// First and last event time.
    pub span: Option<Span>,
}

/// The row of one user.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct UserHistory {
    /// What applications told.
    pub profile: Profile,
    /// Only a stub is left of an old history.
    pub lapsed: bool,
    /// Granted logins in numbers.
    pub granted: Granted,
    /// Where the last one was.
    pub last_place: Option<LastPlace>,
    /// The latest 20 by event time, earliest first.
    pub recent: Vec<RecentLogin>,
    /// Devices; others refer to them by index.
    pub devices: Vec<Device>,
    /// Pairs; cells and places refer to them by index.
    pub pairs: Vec<Pair>,
    /// Counts.
    pub cells: Vec<Cell>,
    /// Places.
    pub places: Vec<KnownPlace>,
}

impl UserHistory {
    /// The device of an index.
    #[must_use]
    pub fn device(&self, index: u8) -> Option<&Device> {
        self.devices.get(usize::from(index))
    }

    /// Index of the pair of a device and a network.
    #[must_use]
    pub fn pair_index(&self, device: u8, network: NetworkKey) -> Option<u8> {
        let found = self
            .pairs
            .iter()
            .position(|pair| pair.device == device && pair.network == network)?;
        u8::try_from(found).ok()
    }

    /// Trust of a pair at `now` (microseconds); [`Trust::None`] if it was never seen.
    #[must_use]
    pub fn pair_trust(&self, device: u8, network: NetworkKey, now: i64) -> Trust {
        self.pair_index(device, network)
            .and_then(|index| self.pairs.get(usize::from(index)))
            .map_or(Trust::None, |pair| self.trust_of_pair(pair, seconds(now)))
    }

    /// Trust of one of the pairs; never more than its device may have.
    #[must_use]
    pub fn trust_of_pair(&self, pair: &Pair, now: Seconds) -> Trust {
        let trust = trust_of(pair.seen.days.as_ref(), &pair.credits, now);
        let vouchable = self
            .device(pair.device)
            .is_some_and(|device| !device.copy && device.carries_identity());
        if vouchable {
            trust
        } else {
            trust.min(Trust::Settled)
        }
    }

    /// The pairs whose logins count, one bit an index: those settled or vouched at `now`, or all while none is.
    #[must_use]
    pub fn counted_pairs(&self, now: Seconds) -> u64 {
        let settled = self
            .pairs
            .iter()
            .enumerate()
            .filter(|(_, pair)| self.trust_of_pair(pair, now).is_settled())
            .fold(0, |bits, (index, _)| bits | pair_bit(index));
        if settled == 0 { u64::MAX } else { settled }
    }

    /// Event time of the latest granted login, microseconds.
    #[must_use]
    pub fn last_granted(&self) -> Option<i64> {
        self.granted.span.map(|span| micros(span.last))
    }

    /// Days from the latest granted login to `now` (microseconds), not below 0.
    #[must_use]
    pub fn days_since_last_granted(&self, now: i64) -> Option<f64> {
        let last = self.granted.span?.last;
        let days = seconds(now).saturating_sub(last) as f64 / DAY as f64;
        Some(days.max(0.0))
    }

    /// Whether one of the last 20 granted logins carried a device id or key.
    #[must_use]
    pub fn recently_carried_identity(&self) -> bool {
        self.recent.iter().any(|login| login.carried_identity)
    }

    /// Whether both places were seen on pairs that count: then a jump between them is nothing new.
    #[must_use]
    pub fn knows_places(&self, from: &Place, to: &Place, now: i64) -> bool {
        let counted = self.counted_pairs(seconds(now));
        let knows = |cell: u16| {
            self.places
                .iter()
                .any(|place| place.cell == cell && counted & pair_bit(usize::from(place.pair)) != 0)
        };
        knows(place_cell(from)) && knows(place_cell(to))
    }
}

/// The bit of a pair in [`UserHistory::counted_pairs`].
#[must_use]
pub fn pair_bit(index: usize) -> u64 {
    u32::try_from(index)
        .ok()
        .and_then(|index| 1u64.checked_shl(index))
        .unwrap_or(0)
}

/// Number of the square degree that holds a place: 0 to 64,799.
#[must_use]
pub fn place_cell(place: &Place) -> u16 {
    let north = (libm::floor(place.latitude) + 90.0).clamp(0.0, 179.0) as u16;
    let east = (libm::floor(place.longitude) + 180.0).clamp(0.0, 359.0) as u16;
    north * 360 + east
}
