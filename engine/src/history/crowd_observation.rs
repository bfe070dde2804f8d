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
    /// Whole address.
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
    /// How a user of a tenant is named in observations.
    #[must_use]
    pub fn user_hash(hash: &KeyedHash, tenant: &str, user: &str) -> u64 {
        hash.short(USER, &[tenant.as_bytes(), user.as_bytes()]).max(1)
    }

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
        let short = |domain: u8, value: &[u8]| hash.short(domain, &[tenant.as_bytes(), value]).max(1);
        let prefix = |bits: u128, length: u8| {
            let parts: [&[u8]; 3] = [tenant.as_bytes(), &bits.to_le_bytes(), &[length]];
            hash.short(ADDRESS, &parts).max(1)
        };
        let mut seen = Self {
            tenant: short(TENANT, b""),
            user: user.map_or(0, |user| Self::user_hash(hash, tenant, user)),
            asn: network.asn.unwrap_or(0),
            country: network.country.map_or(0, u16::from_be_bytes),
            ..Self::default()
        };
        match network.ip {
            IpAddr::V4(ip) => {
                let bits = u128::from(ip.to_bits());
                seen.address = prefix(bits, 32);
                seen.prefix = prefix(bits >> 8, 24);
            }
            IpAddr::V6(ip) => {
                let bits = ip.to_bits();
                seen.flags = IS_V6;
                seen.address = prefix(bits, 128);
                seen.prefix = prefix(bits >> 64, 64);
                seen.net56 = prefix(bits >> 72, 56);
                seen.net48 = prefix(bits >> 80, 48);
            }
        }
        if device.carries_identity() {
            seen.device = short(DEVICE, &source_identity(device).to_le_bytes());
        }
        let software = &device.software;
        if !software.is_unknown() {
            let major = software.major.unwrap_or(0).to_le_bytes();
            let parts: [&[u8]; 4] = [
                tenant.as_bytes(),
                software.family.as_bytes(),
                software.os.as_bytes(),
                &major,
            ];
            seen.software = hash.short(SOFTWARE, &parts).max(1);
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
