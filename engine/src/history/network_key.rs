//! The network part of a pair, and the levels at which an address is counted.

use std::net::IpAddr;

use crate::enrich::network::{NetworkFacts, NetworkKind};

use super::time::Seconds;
use super::weight::{amount_at, fading_at};

/// A network as trust knows it: its ASN, or a prefix where the ASN is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NetworkKey {
    /// Number of the autonomous system.
    Asn(u32),
    /// The first 24 bits of an IPv4 address.
    V4(u32),
    /// The first 48 bits of an IPv6 address.
    V6(u64),
}

impl NetworkKey {
    /// No network at all: AS number 0 is reserved, so no login ever comes from it (RFC 7607).
    pub const NOWHERE: Self = Self::Asn(0);

    /// The network of a login.
    #[must_use]
    pub fn of(network: &NetworkFacts) -> Self {
        match (network.asn, network.ip) {
            (Some(asn), _) => Self::Asn(asn),
            (None, IpAddr::V4(ip)) => Self::V4(ip.to_bits() >> 8),
            (None, IpAddr::V6(ip)) => Self::V6((ip.to_bits() >> 80) as u64),
        }
    }
}

/// A level of the address feature that is counted value by value. The ASN is counted with its pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum CellLevel {
    /// A whole IPv4 address.
    V4Address = 0,
    /// The first 24 bits of an IPv4 address.
    V4Net24 = 1,
    /// The first 64 bits of an IPv6 address.
    V6Net64 = 2,
    /// The first 56 bits.
    V6Net56 = 3,
    /// The first 48 bits.
    V6Net48 = 4,
    /// A country, its two letters.
    Country = 5,
}

impl CellLevel {
    /// All of them, in the order of their codes.
    pub const ALL: [Self; 6] = [
        Self::V4Address,
        Self::V4Net24,
        Self::V6Net64,
        Self::V6Net56,
        Self::V6Net48,
        Self::Country,
    ];

    /// From the code in a row.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.get(usize::from(code)).copied()
    }

    /// Half-life of a count at this level.
    #[must_use]
    pub const fn half_life(self) -> HalfLife {
        match self {
            Self::V4Address | Self::V6Net64 => HalfLife::Days30,
            Self::V4Net24 | Self::V6Net56 | Self::V6Net48 => HalfLife::Days60,
            Self::Country => HalfLife::Days365,
        }
    }

    /// Bytes of a value of this level in a row.
    #[must_use]
    pub const fn value_bytes(self) -> usize {
        match self {
            Self::V4Address => 4,
            Self::V4Net24 => 3,
            Self::V6Net64 => 8,
            Self::V6Net56 => 7,
            Self::V6Net48 => 6,
            Self::Country => 2,
        }
    }

    /// Levels that share one limit: the finest, those between, the countries.
    #[must_use]
    pub const fn shelf(self) -> u8 {
        match self.half_life() {
            HalfLife::Days30 => 0,
            HalfLife::Days60 => 1,
            HalfLife::Days90 | HalfLife::Days365 => 2,
        }
    }
}

/// The half-lives of the address feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HalfLife {
    /// Address and /64.
    Days30,
    /// /24, /56, /48.
    Days60,
    /// ASN.
    Days90,
    /// Country.
    Days365,
}

/// One number for each half-life.
#[derive(Debug, Clone, Copy)]
pub struct PerHalfLife {
    days30: f64,
    days60: f64,
    days90: f64,
    days365: f64,
}

impl PerHalfLife {
    /// What one login at `time` adds.
    #[must_use]
    pub fn amounts(time: Seconds) -> Self {
        Self::each(|days| amount_at(time, days))
    }

    /// What a reader at `now` multiplies with.
    #[must_use]
    pub fn fadings(now: Seconds) -> Self {
        Self::each(|days| fading_at(now, days))
    }

    fn each(value: impl Fn(f64) -> f64) -> Self {
        Self {
            days30: value(30.0),
            days60: value(60.0),
            days90: value(90.0),
            days365: value(365.0),
        }
    }

    /// The number of one half-life.
    #[must_use]
    pub const fn at(&self, half_life: HalfLife) -> f64 {
        match half_life {
            HalfLife::Days30 => self.days30,
            HalfLife::Days60 => self.days60,
            HalfLife::Days90 => self.days90,
            HalfLife::Days365 => self.days365,
        }
    }
}

/// Whether an address says anything about where its user is. Documentation ranges do: tests and stories live there.
#[must_use]
pub fn tells_a_place(network: &NetworkFacts) -> bool {
    network.class.has_place()
}

/// Whether a login of such a network may become the last place.
#[must_use]
pub fn may_be_last_place(network: &NetworkFacts) -> bool {
    tells_a_place(network)
        && !matches!(
            network.kind,
            Some(NetworkKind::Vpn | NetworkKind::Relay | NetworkKind::Tor)
        )
}

/// The values of one login at the counted levels, from fine to coarse; empty if the address tells nothing.
pub fn cell_values(network: &NetworkFacts) -> impl Iterator<Item = (CellLevel, u64)> {
    let values = if tells_a_place(network) {
        all_values(network)
    } else {
        [None; 4]
    };
    values.into_iter().flatten()
}

fn all_values(network: &NetworkFacts) -> [Option<(CellLevel, u64)>; 4] {
    let country = network
        .country
        .map(|letters| (CellLevel::Country, u64::from(u16::from_be_bytes(letters))));
    match network.ip {
        IpAddr::V4(ip) => {
            let bits = u64::from(ip.to_bits());
            [
                Some((CellLevel::V4Address, bits)),
                Some((CellLevel::V4Net24, bits >> 8)),
                None,
                country,
            ]
        }
        IpAddr::V6(ip) => {
            let bits = (ip.to_bits() >> 64) as u64;
            [
                Some((CellLevel::V6Net64, bits)),
                Some((CellLevel::V6Net56, bits >> 8)),
                Some((CellLevel::V6Net48, bits >> 16)),
                country,
            ]
        }
    }
}

/// First address of the /24 or /48 of an address.
#[must_use]
pub fn prefix_of(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) => IpAddr::V4((ip.to_bits() & !0xff).into()),
        IpAddr::V6(ip) => IpAddr::V6((ip.to_bits() >> 80 << 80).into()),
    }
}
