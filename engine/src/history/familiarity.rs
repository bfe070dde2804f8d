//! How usual the address of a login is for its user, against an attacker of whom some know where the victim lives.
//!
//! ```text
//! share_h = min(1, (c0 + 1/2) / (c_h + 1))        c0 everyone's count of the value, c_h of its parent; share_0 = 1
//! px      = (c0 + 1/2) / (N + M)                  N everyone's logins of this address family, M distinct values
//! pu      = sum_h L_h * u_h / (n_h + K) * share_h + K / (n_0 + K) * px
//! pA      = max(px, tau_h * share_h for each level h the user knows)
//! points  = clamp(10 * log10(pA / pu), -12, +18)
//! ```
//!
//! Two readings of it are ours, both so that knowing more never costs more:
//! - the ratio is taken for the known levels from the coarsest up to each finer one, and the least counts. Otherwise
//!   one old login in a network would score higher than none (pA already holds tau, pu almost nothing).
//! - n_0 of the last term is that of both address families together. Otherwise a stranger with an IPv6 address would
//!   be free at a user who only ever came with IPv4.

use std::net::IpAddr;

use crate::enrich::network::NetworkFacts;

use super::crowd::CrowdCounts;
use super::network_key::{CellLevel, HalfLife, NetworkKey, PerHalfLife, cell_values, tells_a_place};
use super::time::seconds;
use super::user_history::{UserHistory, pair_bit};

/// Weight of the login that might come from anywhere.
const K: f64 = 1.0;
/// Bounds of the points.
const POINTS: (f64, f64) = (-12.0, 18.0);

/// The finest level at which a user knows an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KnownAt {
    /// At none.
    None,
    /// The country.
    Country,
    /// The autonomous system.
    Asn,
    /// A prefix: /24, /56 or /48.
    Prefix,
    /// The address, or the /64.
    Address,
}

impl KnownAt {
    /// The word of the field `address.known_at`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Country => "country",
            Self::Asn => "asn",
            Self::Prefix => "prefix",
            Self::Address => "address",
        }
    }
}

/// How familiar an address is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Familiarity {
    /// Ten times the logarithm of the likelihood ratio, -12 to 18; not rounded.
    pub points: f64,
    /// The finest level at which the user knows it.
    pub known_at: KnownAt,
    /// Decayed logins of the user from this autonomous system.
    pub user_logins_from_network: f64,
    /// Decayed logins of the user from any autonomous system.
    pub user_logins: f64,
    /// Part of everyone's logins that came from this autonomous system, 0 to 1.
    pub share_of_everyone: f64,
    /// Decayed logins of the user at the finest level, both address families.
    pub n: f64,
}

/// One level for [`points`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LevelCount {
    /// L: how much of the user's habit lies at this level.
    pub weight: f64,
    /// tau: part of the attackers who know the victim's value at this level.
    pub tau: f64,
    /// u: the user's decayed logins at this value.
    pub user: f64,
    /// n: the user's decayed logins at this level.
    pub total: f64,
    /// c: everyone's logins at this value.
    pub everyone: u64,
}

/// The points of a value whose levels come from fine to coarse; `total` is n_0, `px` the chance of a stranger.
/// Finite for any input; 0 if the user has no logins at any level.
#[must_use]
pub fn points(levels: &[LevelCount], total: f64, px: f64) -> f64 {
    if levels.iter().all(|level| level.total <= 0.0) {
        return 0.0;
    }
    let finest = levels.first().map_or(0, |level| level.everyone);
    let mut user = K / (total.max(0.0) + K) * px;
    let mut attacker = px;
    let mut least = attacker / user;
    for (index, level) in levels.iter().enumerate().rev() {
        if level.user > 0.0 {
            let share = if index == 0 {
                1.0
            } else {
                share_of(finest, level.everyone)
            };
            user += level.weight * level.user / (level.total.max(level.user) + K) * share;
            attacker = attacker.max(level.tau * share);
            least = least.min(attacker / user);
        }
    }
    let points = 10.0 * libm::log10(least);
    if points.is_nan() {
        0.0
    } else {
        points.clamp(POINTS.0, POINTS.1)
    }
}

/// Chance of a stranger to show a value: `px` of the formula, at most 1.
#[must_use]
pub fn chance_of_stranger(value: u64, total: u64, distinct: u64) -> f64 {
    let all = (total as f64 + distinct as f64).max(1.0);
    ((value as f64 + 0.5) / all).min(1.0)
}

fn share_of(finest: u64, parent: u64) -> f64 {
    ((finest as f64 + 0.5) / (parent as f64 + 1.0)).min(1.0)
}

/// Familiarity of a login's address at `now` (microseconds), against everyone's counts before this login.
/// `None` if the address tells nothing, such as a private one.
#[must_use]
pub fn familiarity(
    history: &UserHistory,
    everyone: &CrowdCounts,
    network: &NetworkFacts,
    now: i64,
) -> Option<Familiarity> {
    if !tells_a_place(network) {
        return None;
    }
    let sums = Sums::of(history, network, now);
    let everyone = everyone.bounded();
    let mut levels = [LevelCount {
        weight: 0.0,
        tau: 0.0,
        user: 0.0,
        total: 0.0,
        everyone: 0,
    }; 5];
    let mut known_at = KnownAt::None;
    let mut used = 0;
    for (slot, level) in levels.iter_mut().zip(levels_of(network)) {
        let (user, total) = sums.at(level);
        let (weight, tau) = level.weight_and_tau();
        *slot = LevelCount {
            weight,
            tau,
            user,
            total,
            everyone: level.everyone(&everyone),
        };
        if user > 0.0 {
            known_at = known_at.max(level.known_at());
        }
        used += 1;
    }
    let px = chance_of_stranger(
        everyone.address,
        everyone.total_of_family,
        everyone.distinct_of_family,
    );
    let share = everyone.asn as f64 / (everyone.total as f64).max(1.0);
    let (from_network, user_logins) = sums.at(Level::Asn);
    Some(Familiarity {
        points: points(levels.get(..used).unwrap_or(&levels), sums.finest_total, px),
        known_at,
        user_logins_from_network: from_network,
        user_logins,
        share_of_everyone: share.min(1.0),
        n: sums.finest_total,
    })
}

/// A level of the address feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Cell(CellLevel),
    Asn,
}

impl Level {
    /// L and tau.
    const fn weight_and_tau(self) -> (f64, f64) {
        match self {
            Self::Cell(CellLevel::V4Address | CellLevel::V6Net64) => (0.40, 0.0),
            Self::Cell(CellLevel::V4Net24) => (0.15, 0.0),
            Self::Cell(CellLevel::V6Net56) => (0.05, 0.0),
            Self::Cell(CellLevel::V6Net48) => (0.10, 0.0),
            Self::Asn => (0.33, 0.15),
            Self::Cell(CellLevel::Country) => (0.10, 0.30),
        }
    }

    const fn known_at(self) -> KnownAt {
        match self {
            Self::Cell(CellLevel::V4Address | CellLevel::V6Net64) => KnownAt::Address,
            Self::Cell(CellLevel::V4Net24 | CellLevel::V6Net56 | CellLevel::V6Net48) => KnownAt::Prefix,
            Self::Asn => KnownAt::Asn,
            Self::Cell(CellLevel::Country) => KnownAt::Country,
        }
    }

    const fn everyone(self, counts: &CrowdCounts) -> u64 {
        match self {
            Self::Cell(CellLevel::V4Address | CellLevel::V6Net64) => counts.address,
            Self::Cell(CellLevel::V4Net24 | CellLevel::V6Net56) => counts.prefix,
            Self::Cell(CellLevel::V6Net48) => counts.wide,
            Self::Asn => counts.asn,
            Self::Cell(CellLevel::Country) => counts.country,
        }
    }
}

/// The levels that this address has a value for, from fine to coarse.
fn levels_of(network: &NetworkFacts) -> impl Iterator<Item = Level> {
    let cell = |level: CellLevel| Some(Level::Cell(level));
    let [fine, middle, wide] = match network.ip {
        IpAddr::V4(_) => [cell(CellLevel::V4Address), cell(CellLevel::V4Net24), None],
        IpAddr::V6(_) => [
            cell(CellLevel::V6Net64),
            cell(CellLevel::V6Net56),
            cell(CellLevel::V6Net48),
        ],
    };
    let asn = network.asn.map(|_| Level::Asn);
    let country = network.country.map(|_| Level::Cell(CellLevel::Country));
    [fine, middle, wide, asn, country].into_iter().flatten()
}

/// The user's decayed logins over the pairs that count, at the values of one address.
struct Sums {
    user: [f64; 6],
    total: [f64; 6],
    asn: (f64, f64),
    finest_total: f64,
}

impl Sums {
    fn of(history: &UserHistory, network: &NetworkFacts, now: i64) -> Self {
        let now = seconds(now);
        let counted = history.counted_pairs(now);
        let fadings = PerHalfLife::fadings(now);
        let mut wanted = [None; 6];
        for (level, value) in cell_values(network) {
            if let Some(slot) = wanted.get_mut(level as usize) {
                *slot = Some(value);
            }
        }
        let mut sums = Self {
            user: [0.0; 6],
            total: [0.0; 6],
            asn: (0.0, 0.0),
            finest_total: 0.0,
        };
        for cell in &history.cells {
            if counted & pair_bit(usize::from(cell.pair)) == 0 {
                continue;
            }
            let level = cell.level as usize;
            let amount = cell.logins.raw();
            if let Some(total) = sums.total.get_mut(level) {
                *total += amount;
            }
            if wanted.get(level) == Some(&Some(cell.value))
                && let Some(user) = sums.user.get_mut(level)
            {
                *user += amount;
            }
        }
        let here = network.asn.map(NetworkKey::Asn);
        for (index, pair) in history.pairs.iter().enumerate() {
            if counted & pair_bit(index) == 0 {
                continue;
            }
            sums.asn.1 += pair.logins.raw();
            if Some(pair.network) == here {
                sums.asn.0 += pair.logins.raw();
            }
            for (total, weight) in sums.total.iter_mut().zip(&pair.rest) {
                *total += weight.raw();
            }
        }
        sums.faded(&fadings)
    }

    fn faded(mut self, fadings: &PerHalfLife) -> Self {
        for ((level, user), total) in CellLevel::ALL
            .into_iter()
            .zip(&mut self.user)
            .zip(&mut self.total)
        {
            let fading = fadings.at(level.half_life());
            *user *= fading;
            *total *= fading;
        }
        let fading = fadings.at(HalfLife::Days90);
        self.asn = (self.asn.0 * fading, self.asn.1 * fading);
        let total_at = |level: CellLevel| self.total.get(level as usize).copied().unwrap_or(0.0);
        self.finest_total = total_at(CellLevel::V4Address) + total_at(CellLevel::V6Net64);
        self
    }

    fn at(&self, level: Level) -> (f64, f64) {
        match level {
            Level::Asn => self.asn,
            Level::Cell(level) => (
                self.user.get(level as usize).copied().unwrap_or(0.0),
                self.total.get(level as usize).copied().unwrap_or(0.0),
            ),
        }
    }
}
