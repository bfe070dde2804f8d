//! A user's life for tests: devices, networks, granted logins.

use std::net::{IpAddr, Ipv4Addr};

use doorward::enrich::device::{DeviceDescriptor, SoftwareFacts};
use doorward::enrich::network::{NetworkFacts, NetworkKind, Place};
use doorward::history::{DeviceMatch, GrantedLogin, Late, UserHistory, VouchEvidence, identify, learn};

pub const SECOND: i64 = 1_000_000;
pub const HOUR: i64 = 3_600 * SECOND;
pub const DAY: i64 = 24 * HOUR;
/// 2026-03-02T09:00:00Z, a Monday.
pub const START: i64 = 1_772_442_000 * SECOND;

pub fn software(family: &str, os: &str, major: u32) -> SoftwareFacts {
    SoftwareFacts {
        family: family.into(),
        major: Some(major),
        os: os.into(),
        device_type: doorward::event::DeviceType::Desktop,
    }
}

/// A browser with the application's cookie and six attributes.
pub fn laptop(id: u128) -> DeviceDescriptor {
    DeviceDescriptor {
        id: Some(id),
        software: software("Firefox", "Windows", 130),
        agent: 77,
        attribute_count: 6,
        attributes: 0xa77 + id,
        ..DeviceDescriptor::default()
    }
}

/// A browser of which a log knows nothing but the agent.
pub fn bare(family: &str, os: &str) -> DeviceDescriptor {
    DeviceDescriptor {
        software: software(family, os, 130),
        agent: 78,
        ..DeviceDescriptor::default()
    }
}

/// A residential network: each number has its own system, city and addresses.
pub fn network(number: u8, host: u8) -> NetworkFacts {
    NetworkFacts {
        ip: IpAddr::V4(Ipv4Addr::new(203, 0, number, host)),
        class: doorward::enrich::network::NetworkClass::Public,
        kind: None,
        asn: Some(64_500 + u32::from(number)),
        organisation: Some("Example".into()),
        country: Some(*b"DK"),
        place: Some(Place {
            latitude: 55.0 + f64::from(number),
            longitude: 12.5,
            radius_km: 20.0,
            city: Some("Roskilde".into()),
        }),
        geo_epoch: 1,
    }
}

pub fn vpn(number: u8) -> NetworkFacts {
    NetworkFacts {
        kind: Some(NetworkKind::Vpn),
        ..network(number, 1)
    }
}

/// What a login may have besides device, network and time.
#[derive(Clone, Copy)]
pub struct How {
    pub evidence: VouchEvidence,
    pub asked: bool,
    pub ordinary_network: bool,
    pub against_advice: bool,
    pub backfill: bool,
    pub late_by: i64,
    pub level: u8,
}

pub const PLAIN: How = How {
    evidence: VouchEvidence::None,
    asked: false,
    ordinary_network: true,
    against_advice: false,
    backfill: false,
    late_by: 0,
    level: 1,
};

#[derive(Default)]
pub struct Life {
    pub history: UserHistory,
    seq: u64,
}

impl Life {
    /// A granted login; returns what the device was taken for.
    pub fn login_how(
        &mut self,
        time: i64,
        device: &DeviceDescriptor,
        network: &NetworkFacts,
        how: How,
    ) -> DeviceMatch {
        self.seq += 1;
        let now = time + how.late_by;
        let matched = identify(Some(&self.history), device, time, now);
        let login = GrantedLogin {
            seq: self.seq,
            time,
            now,
            late: Late::of(time, now),
            device,
            matched: &matched,
            network,
            level: how.level,
            asked: how.asked,
            evidence: how.evidence,
            ordinary_network: how.ordinary_network,
            against_advice: how.against_advice,
            backfill: how.backfill,
        };
        learn(&mut self.history, &login);
        matched
    }

    pub fn login(&mut self, time: i64, device: &DeviceDescriptor, network: &NetworkFacts) -> DeviceMatch {
        self.login_how(time, device, network, PLAIN)
    }

    /// One plain login a day.
    pub fn daily(&mut self, days: std::ops::Range<i64>, device: &DeviceDescriptor, network: &NetworkFacts) {
        for day in days {
            self.login(START + day * DAY, device, network);
        }
    }
}
