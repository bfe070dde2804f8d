//! Counters across users, per tenant (clause S7): how usual an address is for everybody, and how many tries, failures
//! and users a key saw lately. Integers only, bounded, and the same after folding the same observations.
//!
//! Read before the observation of the same event. Memory is fixed but for the users of the last hour: with the default
//! limits 32 MiB of sketch, 18 MiB of windows and at most about 70 MiB of users. A sketch with more than a few keys a
//! line counts rare addresses too high by one or two; that scales both sides of familiarity alike.

use std::collections::HashMap;

use foldhash::fast::FixedState;

use super::codec::CodecError;
use super::crowd_image::{Chunks, Entries, Section};
pub use super::crowd_observation::{CrowdObservation, CrowdOutcome};
use super::crowd_sketch::Sketch;
use super::crowd_users::UserTable;
pub use super::crowd_users::UsersSeen;
use super::crowd_window::{Counter, WindowTable};
pub use super::crowd_window::{Window, WindowCounts};
use super::time::seconds;

/// How much the counters may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CrowdLimits {
    /// Lines of 64 bytes for counts of addresses and prefixes.
    pub sketch_lines: usize,
    /// Keys with windows, 72 bytes each.
    pub window_keys: usize,
    /// Keys with distinct users.
    pub user_keys_max: usize,
    /// Users of all keys together, 24 bytes each.
    pub users_max: usize,
    /// Distinct users of one key that are counted exactly.
    pub users_per_key_max: usize,
    /// Autonomous systems and countries of all tenants that are counted.
    pub networks_max: usize,
    /// Tenants that are counted.
    pub tenants_max: usize,
}

impl Default for CrowdLimits {
    fn default() -> Self {
        Self {
            sketch_lines: 1 << 19,
            window_keys: 1 << 18,
            user_keys_max: 1 << 17,
            users_max: 1 << 20,
            users_per_key_max: 256,
            networks_max: 1 << 18,
            tenants_max: 4_096,
        }
    }
}

/// Granted logins of everybody at the values of one address, before this login.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CrowdCounts {
    /// Of the address, or the /64.
    pub address: u64,
    /// Of the /24, or the /56.
    pub prefix: u64,
    /// Of the /48; 0 for IPv4.
    pub wide: u64,
    /// Of the autonomous system.
    pub asn: u64,
    /// Of the country.
    pub country: u64,
    /// Of the tenant, in this address family.
    pub total_of_family: u64,
    /// Distinct addresses or /64 of this family.
    pub distinct_of_family: u64,
    /// Of the tenant.
    pub total: u64,
}

impl CrowdCounts {
    /// The same with estimates of the sketch held below what is known exactly.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        self.wide = self.wide.min(self.total_of_family);
        self.prefix = self.prefix.min(self.total_of_family);
        self.address = self.address.min(self.prefix);
        self
    }
}

/// What the crowd did lately at the keys of one event.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct CrowdView {
    /// Of the address in 1 h.
    pub address: WindowCounts,
    /// Of the /24 or /64 in 1 h.
    pub prefix: WindowCounts,
    /// Of the autonomous system in 1 h; `None` if it is unknown.
    pub asn: Option<WindowCounts>,
    /// Of the device in 1 h; `None` if it showed neither id nor key.
    pub device: Option<WindowCounts>,
    /// Of the software in 1 h; `None` if it is unknown.
    pub software: Option<WindowCounts>,
    /// Users at the address in 1 h.
    pub address_users: UsersSeen,
    /// Users at the prefix in 1 h.
    pub prefix_users: UsersSeen,
    /// Users at the device in 1 h.
    pub device_users: Option<UsersSeen>,
}

/// The keys that have windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum CrowdKey {
    /// Whole address.
    Address = 1,
    /// /24 or /64.
    Prefix = 2,
    /// Autonomous system.
    Asn = 3,
    /// Device by id or key.
    Device = 4,
    /// Software.
    Software = 5,
}

impl CrowdKey {
    /// The hash of an observation's value; `None` if that is unknown.
    #[inline]
    fn of(self, seen: &CrowdObservation) -> Option<u64> {
        let value = match self {
            Self::Address => seen.address,
            Self::Prefix => seen.prefix,
            Self::Asn if seen.asn != 0 => mix(seen.tenant, u64::from(seen.asn)),
            Self::Asn => 0,
            Self::Device => seen.device,
            Self::Software => seen.software,
        };
        (value != 0).then(|| mix(value, self as u64).max(1))
    }
}

/// All keys of one event.
struct Keys {
    address: Option<u64>,
    prefix: Option<u64>,
    asn: Option<u64>,
    device: Option<u64>,
    software: Option<u64>,
}

impl Keys {
    fn of(seen: &CrowdObservation) -> Self {
        Self {
            address: CrowdKey::Address.of(seen),
            prefix: CrowdKey::Prefix.of(seen),
            asn: CrowdKey::Asn.of(seen),
            device: CrowdKey::Device.of(seen),
            software: CrowdKey::Software.of(seen),
        }
    }

    fn all(&self) -> impl Iterator<Item = u64> {
        let all = [self.address, self.prefix, self.asn, self.device, self.software];
        all.into_iter().flatten()
    }

    fn with_users(&self) -> impl Iterator<Item = u64> {
        [self.address, self.prefix, self.device].into_iter().flatten()
    }
}

const FAMILY_KEYS: u64 = 16;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct TenantTotals {
    logins: [u64; 2],
    distinct: [u64; 2],
}

/// The counters of all tenants of a store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crowd {
    limits: CrowdLimits,
    sketch: Sketch,
    networks: HashMap<(u64, u64), u64, FixedState>,
    tenants: HashMap<u64, TenantTotals, FixedState>,
    windows: WindowTable,
    users: UserTable,
}

/// Countries share the map of the autonomous systems, whose numbers have 32 bits.
const COUNTRY_BASE: u64 = 1 << 32;

impl Crowd {
    /// Empty counters.
    #[must_use]
    pub fn new(limits: CrowdLimits) -> Self {
        Self {
            limits,
            sketch: Sketch::new(limits.sketch_lines),
            networks: HashMap::default(),
            tenants: HashMap::default(),
            windows: WindowTable::new(limits.window_keys),
            users: UserTable::new(limits.user_keys_max, limits.users_max, limits.users_per_key_max),
        }
    }

    /// How usual the values of an event are for everybody.
    #[must_use]
    pub fn counts(&self, seen: &CrowdObservation) -> CrowdCounts {
        let totals = self.tenants.get(&seen.tenant).copied().unwrap_or_default();
        let [v4, v6] = totals.logins;
        let [distinct_v4, distinct_v6] = totals.distinct;
        let (total_of_family, distinct_of_family) = if seen.is_v6() {
            (v6, distinct_v6)
        } else {
            (v4, distinct_v4)
        };
        let network = |number: u64| self.networks.get(&(seen.tenant, number)).copied().unwrap_or(0);
        CrowdCounts {
            address: self.sketch.count(mix(seen.finest(), FAMILY_KEYS)),
            prefix: self.sketch.count(mix(seen.next(), FAMILY_KEYS)),
            wide: if seen.is_v6() {
                self.sketch.count(mix(seen.net48, FAMILY_KEYS))
            } else {
                0
            },
            asn: network(u64::from(seen.asn)),
            country: network(country_number(seen)),
            total_of_family,
            distinct_of_family,
            total: v4.saturating_add(v6),
        }
    }

    /// What happened in the hour before `now` (microseconds) at the keys of an event.
    #[must_use]
    pub fn view(&self, seen: &CrowdObservation, now: i64) -> CrowdView {
        let at = seconds(now);
        let keys = Keys::of(seen);
        let window = |key: Option<u64>| Some(self.windows.read(key?, Window::Hour, at));
        let users = |key: Option<u64>| Some(self.users.read(key?, at));
        CrowdView {
            address: window(keys.address).unwrap_or_default(),
            prefix: window(keys.prefix).unwrap_or_default(),
            asn: window(keys.asn),
            device: window(keys.device),
            software: window(keys.software),
            address_users: users(keys.address).unwrap_or_default(),
            prefix_users: users(keys.prefix).unwrap_or_default(),
            device_users: users(keys.device),
        }
    }

    /// Counts of one key in a window that ends at `now` (microseconds); `None` if the key is unknown.
    #[must_use]
    pub fn window(
        &self,
        key: CrowdKey,
        seen: &CrowdObservation,
        window: Window,
        now: i64,
    ) -> Option<WindowCounts> {
        Some(self.windows.read(key.of(seen)?, window, seconds(now)))
    }

    /// Counts an event that was admitted at `now` (microseconds).
    pub fn observe(&mut self, seen: &CrowdObservation, now: i64) {
        let outcome = seen.outcome();
        if outcome.granted && seen.tells_a_place() {
            self.count_granted(seen);
        }
        if !outcome.attempt && !outcome.failure && !outcome.success {
            return;
        }
        let at = seconds(now);
        let counters = [
            (outcome.attempt, Counter::Attempts),
            (outcome.failure, Counter::Failures),
            (outcome.success, Counter::Successes),
        ];
        let keys = Keys::of(seen);
        for key in keys.all() {
            let set = counters
                .iter()
                .filter(|(set, _)| *set)
                .map(|(_, counter)| *counter);
            self.windows.add(key, set, at);
        }
        if seen.user != 0 {
            for key in keys.with_users() {
                self.users
                    .add(key, seen.user, outcome.failure, outcome.success, at);
            }
        }
    }

    /// Keys whose users are remembered now; never above the limit.
    #[must_use]
    pub fn user_keys(&self) -> usize {
        self.users.keys()
    }

    pub(super) const fn limits(&self) -> CrowdLimits {
        self.limits
    }

    /// All that [`Crowd::read`] restores.
    pub(super) fn write(&self, chunks: &mut Chunks) {
        chunks.section(Section::Tenants);
        let mut tenants: Vec<(&u64, &TenantTotals)> = self.tenants.iter().collect();
        tenants.sort_unstable_by_key(|(tenant, _)| **tenant);
        for (tenant, totals) in tenants {
            let out = chunks.entry(*tenant);
            let numbers = totals.logins.iter().chain(&totals.distinct);
            numbers.for_each(|number| out.number(*number));
        }
        chunks.section(Section::Networks);
        let mut networks: Vec<(&(u64, u64), &u64)> = self.networks.iter().collect();
        networks.sort_unstable_by_key(|(network, _)| **network);
        for ((tenant, number), count) in networks {
            let out = chunks.entry(*tenant);
            out.number(*number);
            out.number(*count);
        }
        self.sketch.write(chunks);
        self.windows.write(chunks);
        self.users.write(chunks);
    }

    /// Adds what a chunk holds to counters that were empty before the first.
    pub(super) fn read(&mut self, section: Section, entries: &mut Entries<'_>) -> Result<(), CodecError> {
        match section {
            Section::Tenants => self.read_tenants(entries),
            Section::Networks => self.read_networks(entries),
            Section::Sketch => self.sketch.read(entries),
            Section::Windows => self.windows.decode(entries),
            Section::Rotation => self.users.decode_rotation(entries),
            Section::Young => self.users.decode_young(entries),
            Section::Old => self.users.decode_old(entries),
            Section::Limits | Section::End => Err(CodecError::Damaged("section of an image")),
        }
    }

    fn read_tenants(&mut self, entries: &mut Entries<'_>) -> Result<(), CodecError> {
        while let Some((tenant, reader)) = entries.next()? {
            let mut totals = TenantTotals::default();
            for number in totals.logins.iter_mut().chain(&mut totals.distinct) {
                *number = reader.number()?;
            }
            let again = self.tenants.insert(tenant, totals).is_some();
            if again || self.tenants.len() > self.limits.tenants_max {
                return Err(CodecError::Damaged("tenants of an image"));
            }
        }
        Ok(())
    }

    fn read_networks(&mut self, entries: &mut Entries<'_>) -> Result<(), CodecError> {
        while let Some((tenant, reader)) = entries.next()? {
            let network = (tenant, reader.number()?);
            let again = self.networks.insert(network, reader.number()?).is_some();
            if again || self.networks.len() > self.limits.networks_max {
                return Err(CodecError::Damaged("networks of an image"));
            }
        }
        Ok(())
    }

    fn count_granted(&mut self, seen: &CrowdObservation) {
        let first = self.sketch.add(mix(seen.finest(), FAMILY_KEYS)) == 0;
        self.sketch.add(mix(seen.next(), FAMILY_KEYS));
        if seen.is_v6() {
            self.sketch.add(mix(seen.net48, FAMILY_KEYS));
        }
        if seen.asn != 0 {
            self.count_network(seen.tenant, u64::from(seen.asn));
        }
        if seen.country != 0 {
            self.count_network(seen.tenant, country_number(seen));
        }
        if self.tenants.len() >= self.limits.tenants_max && !self.tenants.contains_key(&seen.tenant) {
            return;
        }
        let totals = self.tenants.entry(seen.tenant).or_default();
        let family = usize::from(seen.is_v6());
        if let Some(logins) = totals.logins.get_mut(family) {
            *logins = logins.saturating_add(1);
        }
        if let Some(distinct) = totals.distinct.get_mut(family) {
            *distinct = distinct.saturating_add(u64::from(first));
        }
    }

    /// At the limit, networks not seen before stay uncounted.
    fn count_network(&mut self, tenant: u64, number: u64) {
        if let Some(count) = self.networks.get_mut(&(tenant, number)) {
            *count = count.saturating_add(1);
        } else if self.networks.len() < self.limits.networks_max {
            self.networks.insert((tenant, number), 1);
        }
    }
}

fn country_number(seen: &CrowdObservation) -> u64 {
    COUNTRY_BASE | u64::from(seen.country)
}

/// Spreads an already keyed hash and keeps kinds apart (the finaliser of SplitMix64, Steele, Lea, Flood, 2014).
pub(super) const fn mix(value: u64, kind: u64) -> u64 {
    let mut mixed = value ^ kind.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}
