//! What a granted login teaches. Failures never come here, nor does anything that merely asked.
//!
//! Sets, counts and "last seen" do not depend on the order of logins while no list is full. Credit follows the
//! journal's order: the first login that earned it gives its `seq`, and it is never recomputed.

use crate::enrich::device::DeviceDescriptor;
use crate::enrich::network::NetworkFacts;

use super::account::credit_account_device;
use super::device_identity::{DeviceMatch, DeviceState, IdentityBasis, identify};
use super::eviction;
use super::limits::{RECENT_MAX, TEXT_BYTES_MAX, clip};
use super::network_key::{HalfLife, NetworkKey, PerHalfLife, cell_values, may_be_last_place, tells_a_place};
use super::software_name::SoftwareName;
use super::time::{Seconds, Span, seconds};
use super::trust::{Credit, CreditSize, Trust};
use super::user_history::{
    Cell, Device, Generation, KnownPlace, LastPlace, Pair, RecentLogin, Seen, UserHistory, place_cell,
};
use super::weight::Weight;

/// How long after its event a login was admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Late {
    /// At most 24 hours. However late, it never moves "last place" or "last seen" back: those go by event time.
    InTime,
    /// More: no credit, no settling day, no last place.
    VeryLate,
}

impl Late {
    /// From event time and `now`, both in microseconds.
    #[must_use]
    pub const fn of(event_time: i64, now: i64) -> Self {
        const DAY_MICROS: i64 = 24 * 3_600_000_000;
        if now.saturating_sub(event_time) > DAY_MICROS {
            Self::VeryLate
        } else {
            Self::InTime
        }
    }
}

/// Which row of the table of credits a login may claim by what it proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VouchEvidence {
    /// Nothing beyond the usual.
    None,
    /// A step-up passed with a factor bound to origin.
    StepUpOriginBound,
    /// A step-up passed with a factor that lives on another device which is vouched.
    StepUpOtherVouchedDevice,
    /// A step-up passed with a factor that can be phished.
    StepUpPhishable,
}

/// A login that was granted, at the end of its attempt.
#[derive(Debug, Clone)]
pub struct GrantedLogin<'a> {
    /// Journal record of the end of the attempt.
    pub seq: u64,
    /// `event.time` of the login, microseconds.
    pub time: i64,
    /// `now` of the record, microseconds.
    pub now: i64,
    /// How late it was.
    pub late: Late,
    /// The device as the login showed it.
    pub device: &'a DeviceDescriptor,
    /// What the decision took the device for; credit follows this, not what is known by now.
    pub matched: &'a DeviceMatch,
    /// The network it came from.
    pub network: &'a NetworkFacts,
    /// Achieved level, 1 to 3.
    pub level: u8,
    /// Whether more was asked than the login first brought.
    pub asked: bool,
    /// What it proved.
    pub evidence: VouchEvidence,
    /// Neither hosting nor VPN nor Tor, and nothing else odd about the network.
    pub ordinary_network: bool,
    /// It got in although the action was step_up, hold or deny.
    pub against_advice: bool,
    /// It was read in from old logs.
    pub backfill: bool,
}

/// Learns a granted login. The row stays within its limits.
pub fn learn(history: &mut UserHistory, login: &GrantedLogin<'_>) {
    let time = seconds(login.time);
    eviction::forget_old(history, seconds(login.now).max(time));
    let found = identify(Some(history), login.device, login.time, login.now);
    let trust_before = found.trust;
    let device = place_device(history, login, &found);
    let pair = place_pair(history, login, device);
    let settles = login.late != Late::VeryLate && found.basis != IdentityBasis::None;
    see(history, device, pair, time, settles);
    count(history, login.network, pair, time);
    remember_place(history, login, pair, time);
    give_credit(history, login, device, pair, trust_before);
    remember_login(history, login, device, time);
    history.lapsed = false;
    credit_account_device(history);
    eviction::fit(history);
}

fn place_device(history: &mut UserHistory, login: &GrantedLogin<'_>, found: &DeviceMatch) -> u8 {
    let anonymous = !login.device.carries_identity();
    let existing = match found.state {
        DeviceState::New | DeviceState::Resembles if anonymous => anonymous_device(history, login.device),
        _ => found.device,
    };
    let id_taken = login
        .device
        .id
        .is_some_and(|id| history.devices.iter().any(|known| known.id == Some(id)));
    if let Some(index) = existing
        && let Some(device) = history.devices.get_mut(usize::from(index))
    {
        if !id_taken && login.device.id.is_some() {
            device.id = login.device.id;
        }
        update_device(device, login.device, seconds(login.time));
        return index;
    }
    eviction::room_for_device(history, seconds(login.now));
    let number = number_for(history, login.device, found);
    let mut device = Device {
        id: login.device.id,
        family: SoftwareName::new(&login.device.software.family),
        os: SoftwareName::new(&login.device.software.os),
        number,
        copy: found.state == DeviceState::Conflict,
        ..Device::default()
    };
    update_device(&mut device, login.device, seconds(login.time));
    history.devices.push(device);
    last_index(history.devices.len())
}

/// All logins without id or key on one family and system share one device; it keeps counts and a name, no trust of
/// its own while the user's logins carry ids.
fn anonymous_device(history: &UserHistory, shown: &DeviceDescriptor) -> Option<u8> {
    let same = |device: &Device| {
        !device.carries_identity()
            && device.family.is(&shown.software.family)
            && device.os.is(&shown.software.os)
    };
    history
        .devices
        .iter()
        .position(same)
        .and_then(|index| u8::try_from(index).ok())
}

/// A device that resembles another is shown under the same name; any other gets the next free number.
fn number_for(history: &UserHistory, shown: &DeviceDescriptor, found: &DeviceMatch) -> u8 {
    let resembled = match found.state {
        DeviceState::Resembles => found.resembled.and_then(|index| history.device(index)),
        _ => None,
    };
    if let Some(resembled) = resembled {
        return resembled.number;
    }
    let same =
        |device: &&Device| device.family.is(&shown.software.family) && device.os.is(&shown.software.os);
    let last = history
        .devices
        .iter()
        .filter(same)
        .map(|device| device.number)
        .max();
    last.unwrap_or(0).saturating_add(1)
}

fn update_device(device: &mut Device, shown: &DeviceDescriptor, time: Seconds) {
    let newest = time >= device.seen.last();
    if !device.copy {
        device.key = device.key.or(shown.key);
    }
    device.major = device.major.max(shown.software.major);
    if shown.attribute_count > 0 && (newest || device.attribute_count == 0) {
        device.attribute_count = shown.attribute_count;
        device.attributes = shown.attributes;
    }
    if let Some(number) = shown.generation {
        let shown = Generation { number, time };
        let later = device
            .generation
            .is_none_or(|known| (known.time, known.number) < (time, number));
        if later && !(device.copy && device.generation.is_some()) {
            device.generation = Some(shown);
        }
    }
}

fn place_pair(history: &mut UserHistory, login: &GrantedLogin<'_>, device: u8) -> u8 {
    let network = NetworkKey::of(login.network);
    if let Some(index) = history.pair_index(device, network) {
        return index;
    }
    eviction::room_for_pair(history, seconds(login.now));
    history.pairs.push(Pair {
        device,
        network,
        logins: Weight::ZERO,
        rest: [Weight::ZERO; 6],
        seen: Seen::default(),
        credits: super::trust::Credits::default(),
    });
    last_index(history.pairs.len())
}

fn see(history: &mut UserHistory, device: u8, pair: u8, time: Seconds, settles: bool) {
    if let Some(device) = history.devices.get_mut(usize::from(device)) {
        device.seen.include(time, settles);
    }
    if let Some(pair) = history.pairs.get_mut(usize::from(pair)) {
        pair.seen.include(time, settles);
    }
    let granted = &mut history.granted;
    granted.count = granted.count.saturating_add(1);
    match &mut granted.span {
        Some(span) => span.include(time),
        None => granted.span = Some(Span::at(time)),
    }
}

fn count(history: &mut UserHistory, network: &NetworkFacts, pair: u8, time: Seconds) {
    if !tells_a_place(network) {
        return;
    }
    let amounts = PerHalfLife::amounts(time);
    if network.asn.is_some()
        && let Some(pair) = history.pairs.get_mut(usize::from(pair))
    {
        pair.logins.add(amounts.at(HalfLife::Days90));
    }
    for (level, value) in cell_values(network) {
        let amount = amounts.at(level.half_life());
        let known = history
            .cells
            .iter_mut()
            .find(|cell| cell.pair == pair && cell.value == value && cell.level == level);
        if let Some(cell) = known {
            cell.logins.add(amount);
            continue;
        }
        eviction::room_for_cell(history, level);
        let mut logins = Weight::ZERO;
        logins.add(amount);
        history.cells.push(Cell {
            pair,
            level,
            value,
            logins,
        });
    }
}

fn remember_place(history: &mut UserHistory, login: &GrantedLogin<'_>, pair: u8, time: Seconds) {
    let Some(place) = &login.network.place else {
        return;
    };
    if login.late == Late::VeryLate || !may_be_last_place(login.network) {
        return;
    }
    let cell = place_cell(place);
    let known = history
        .places
        .iter_mut()
        .find(|known| known.pair == pair && known.cell == cell);
    if let Some(known) = known {
        known.last = known.last.max(time);
    } else {
        eviction::room_for_place(history);
        history.places.push(KnownPlace {
            pair,
            cell,
            last: time,
        });
    }
    if history.last_place.as_ref().is_none_or(|last| time >= last.time) {
        history.last_place = Some(last_place(login.network, place, time));
    }
}

fn last_place(network: &NetworkFacts, place: &crate::enrich::network::Place, time: Seconds) -> LastPlace {
    let tenth_thousandths = |degrees: f64| libm::round(degrees * 1e4) as i32;
    LastPlace {
        time,
        latitude: tenth_thousandths(place.latitude),
        longitude: tenth_thousandths(place.longitude),
        radius_km: libm::round(place.radius_km) as u16,
        city: place
            .city
            .as_deref()
            .map(|city| clip(city, TEXT_BYTES_MAX).into()),
        geo_epoch: network.geo_epoch,
        country: network.country,
        asn: network.asn,
        kind: network.kind,
        prefix: super::network_key::prefix_of(network.ip),
    }
}

/// The table of scoring: who earns what. A copy, a device without identity, advice that was not followed and a login
/// more than a day late earn nothing.
fn give_credit(
    history: &mut UserHistory,
    login: &GrantedLogin<'_>,
    device: u8,
    pair: u8,
    trust_before: Trust,
) {
    let (event, now) = (seconds(login.time), seconds(login.now));
    let vouchable = login.matched.state != DeviceState::Conflict
        && login.device.carries_identity()
        && !login.against_advice
        && login.late != Late::VeryLate;
    let (Some(device), Some(pair)) = (
        history.devices.get_mut(usize::from(device)),
        history.pairs.get_mut(usize::from(pair)),
    ) else {
        return;
    };
    if !vouchable || device.copy {
        return;
    }
    device.credits.used_at(event);
    pair.credits.used_at(event);
    let by_days = Credit::on_three_days(login.seq, event);
    match login.evidence {
        VouchEvidence::StepUpOriginBound | VouchEvidence::StepUpOtherVouchedDevice => {
            let later = Credit::after_three_days(login.seq, now);
            device
                .credits
                .give(CreditSize::Full, Credit::at_once(login.seq), now);
            pair.credits.give(CreditSize::Full, later, now);
        }
        VouchEvidence::StepUpPhishable if phishable_counts(login) => {
            device.credits.give(CreditSize::Half, by_days, now);
            pair.credits.give(CreditSize::Half, by_days, now);
        }
        VouchEvidence::StepUpPhishable | VouchEvidence::None => {}
    }
    // Nobody was there to be asked: what old logs show on three distinct days was the owner's own life, as far as anybody
    // knows. Only such a login gives it, so that a day in the logs and two of today are not enough; and the device gets it
    // with the pair, so that three networks on three days are not enough either.
    if login.backfill && pair.seen.days.is_some_and(|days| days.distinct() >= 3) {
        let credit = Credit::at_once(login.seq);
        pair.credits.give(CreditSize::Full, credit, now);
        device.credits.give(CreditSize::Full, credit, now);
    }
    if !login.asked && login.matched.state == DeviceState::Known {
        match trust_before {
            Trust::Vouched => pair.credits.give(CreditSize::Full, by_days, now),
            Trust::VouchedHalf => pair.credits.give(CreditSize::Half, by_days, now),
            Trust::None | Trust::Observed | Trust::Settled => {}
        }
    }
}

fn phishable_counts(login: &GrantedLogin<'_>) -> bool {
    login.ordinary_network && login.matched.state != DeviceState::Resembles
}

fn remember_login(history: &mut UserHistory, login: &GrantedLogin<'_>, device: u8, time: Seconds) {
    let recent = &mut history.recent;
    let place = recent.partition_point(|known| known.time <= time);
    let this = RecentLogin {
        time,
        level: login.level.clamp(1, 3),
        carried_identity: login.device.carries_identity(),
        device: Some(device),
        asn: login.network.asn,
        country: login.network.country,
    };
    recent.insert(place, this);
    if recent.len() > RECENT_MAX {
        recent.remove(0);
    }
}

fn last_index(length: usize) -> u8 {
    u8::try_from(length.saturating_sub(1)).unwrap_or(u8::MAX)
}
