//! What one event adds to the counters across users, as a journal record carries it (clause S7): about 60 bytes, all
//! names as keyed hashes, so that the counters can be folded again without the event.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::enrich::device::DeviceDescriptor;
use crate::enrich::network::NetworkFacts;
use crate::keyed_hash::KeyedHash;

use super::device_identity::source_identity;
use super::network_key::tells_a_place;

const TENANT: u8 = 0x40;
const USER: u8 = 0x41;
const ADDRESS: u8 = 0x42;
const DEVICE: u8 = 0x43;
const SOFTWARE: u8 = 0x44;

/// Keeps the /48 of IPv6 apart from the /24 of IPv4.
const NO_V4: u64 = 1 << 63;

/// What an event says about an attempt to get in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CrowdOutcome {
    /// A try at a password or further factor. False for the second of two events about one try.
    pub attempt: bool,
    /// It failed.
    pub failure: bool,
    /// Somebody got in.
    pub success: bool,
    /// A granted login, learned by its user's history: counts for how usual an address is for everybody.
    pub granted: bool,
}

/// One event in the eyes of the crowd. A hash of 0 means that the value is unknown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CrowdObservation {
    /// Tenant.
    #[serde(with = "postcard::fixint::le")]
    pub tenant: u64,
    /// User of the tenant, or a name that is no user.
    #[serde(with = "postcard::fixint::le")]
    pub user: u64,
    /// Whole address, or the /64 of an IPv6 address: a customer has all the rest of it.
    #[serde(with = "postcard::fixint::le")]
    pub address: u64,
    /// /24, or /64.
    #[serde(with = "postcard::fixint::le")]
    pub prefix: u64,
    /// /56 of an IPv6 address.
    pub net56: u64,
    /// /48 of an IPv6 address.
    pub net48: u64,
    /// Device, if it showed an id or key.
    pub device: u64,
    /// Software family, major version and system.
    #[serde(with = "postcard::fixint::le")]
    pub software: u64,
    /// Number of the autonomous system, 0 if unknown.
    pub asn: u32,
    /// Country's two letters as a number, 0 if unknown.
    pub country: u16,
    /// Outcome and address family, one bit each.
    flags: u8,
}

const ATTEMPT: u8 = 1;
const FAILURE: u8 = 2;
const SUCCESS: u8 = 4;
const GRANTED: u8 = 8;
const IS_V6: u8 = 16;
const TELLS_PLACE: u8 = 32;

impl CrowdObservation {
    /// From the facts of an event. `user` is the user's id, or the hash of a name that nobody has.
    #[must_use]
    pub fn new(
        hash: &KeyedHash,
        tenant: &str,
        user: Option<&str>,
        device: &DeviceDescriptor,
        network: &NetworkFacts,
        outcome: CrowdOutcome,
    ) -> Self {
        let tenant = hash.counter(TENANT, &[], &[tenant]).max(1);
        // Every step is keyed: an address must not follow from its hash and that of its network, as both are kept.
        let part_of = |whole: u64, part: u64| hash.counter(ADDRESS, &[whole, part], &[]).max(1);
        let mut seen = Self {
            tenant,
            user: user.map_or(0, |user| hash.counter(USER, &[tenant], &[user]).max(1)),
            asn: network.asn.unwrap_or(0),
            country: network.country.map_or(0, u16::from_be_bytes),
            ..Self::default()
        };
        match network.ip {
            IpAddr::V4(ip) => {
                let bits = u64::from(ip.to_bits());
                seen.prefix = part_of(tenant, bits >> 8);
                seen.address = part_of(seen.prefix, bits & 0xff);
            }
            IpAddr::V6(ip) => {
                let bits = (ip.to_bits() >> 64) as u64;
                seen.flags = IS_V6;
                seen.net48 = part_of(tenant, bits >> 16 | NO_V4);
                seen.net56 = part_of(seen.net48, bits >> 8 & 0xff);
                seen.prefix = part_of(seen.net56, bits & 0xff);
                seen.address = part_of(seen.prefix, 0);
            }
        }
        if device.carries_identity() {
            let identity = source_identity(device);
            let halves = [tenant, identity as u64, (identity >> 64) as u64];
            seen.device = hash.counter(DEVICE, &halves, &[]).max(1);
        }
        let software = &device.software;
        if !software.is_unknown() {
            let major = software.major.unwrap_or(0).into();
            let numbers = [tenant, major, software.family.len() as u64];
            let texts: [&str; 2] = [&software.family, &software.os];
            seen.software = hash.counter(SOFTWARE, &numbers, &texts).max(1);
        }
        if tells_a_place(network) {
            seen.flags |= TELLS_PLACE;
        }
        seen.with(outcome)
    }

    /// The same event with another outcome.
    #[must_use]
    pub const fn with(mut self, outcome: CrowdOutcome) -> Self {
        self.flags &= IS_V6 | TELLS_PLACE;
        self.flags |= if outcome.attempt { ATTEMPT } else { 0 };
        self.flags |= if outcome.failure { FAILURE } else { 0 };
        self.flags |= if outcome.success { SUCCESS } else { 0 };
        self.flags |= if outcome.granted { GRANTED } else { 0 };
        self
    }

    /// What it says about the attempt.
    #[must_use]
    pub const fn outcome(&self) -> CrowdOutcome {
        CrowdOutcome {
            attempt: self.flags & ATTEMPT != 0,
            failure: self.flags & FAILURE != 0,
            success: self.flags & SUCCESS != 0,
            granted: self.flags & GRANTED != 0,
        }
    }

    /// Whether the address is IPv6.
    #[must_use]
    pub const fn is_v6(&self) -> bool {
        self.flags & IS_V6 != 0
    }

    /// Whether the address says where its user is; a private one does not.
    #[must_use]
    pub const fn tells_a_place(&self) -> bool {
        self.flags & TELLS_PLACE != 0
    }

    /// The finest value that is counted for familiarity: address, or /64.
    #[must_use]
    pub const fn finest(&self) -> u64 {
        if self.is_v6() { self.prefix } else { self.address }
    }

    /// The next coarser one: /24, or /56.
    #[must_use]
    pub const fn next(&self) -> u64 {
        if self.is_v6() { self.net56 } else { self.prefix }
    }
}
