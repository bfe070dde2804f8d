//! How well a user is known, computed when it is read.

use super::time::{DAY, Seconds, seconds};
use super::user_history::UserHistory;

/// When a history is long enough, and an account young enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaturityPolicy {
    /// Granted logins below which a user is still being learned.
    pub logins_min: u64,
    /// Time since the first granted login below which a user is still being learned.
    pub age_min: Seconds,
    /// Age up to which an account without logins is new.
    pub new_max: Seconds,
}

impl Default for MaturityPolicy {
    fn default() -> Self {
        Self {
            logins_min: 5,
            age_min: 14 * DAY,
            new_max: DAY,
        }
    }
}

/// How far a sender's clock may be ahead of ours.
const CLOCKS_DIFFER: Seconds = 5 * 60;
/// Window of the usual level.
const USUAL_WINDOW: Seconds = 90 * DAY;

/// How well a user is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum Maturity {
    /// Only a stub of an old history is left.
    Lapsed,
    /// No granted login yet, and the account is young (24 hours, if nobody says otherwise).
    New,
    /// No granted login yet, and the account is older, or nobody said how old.
    Unseen,
    /// Few granted logins (fewer than 5), or the first was not long ago (less than 14 days).
    Learning,
    /// Anything else.
    Mature,
}

impl Maturity {
    /// The word of the field `user.maturity`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Lapsed => "lapsed",
            Self::New => "new",
            Self::Unseen => "unseen",
            Self::Learning => "learning",
            Self::Mature => "mature",
        }
    }
}

/// Maturity at `now`; `created_at` is what the event itself says. Both in microseconds.
#[must_use]
pub fn maturity(
    history: Option<&UserHistory>,
    created_at: Option<i64>,
    now: i64,
    policy: &MaturityPolicy,
) -> Maturity {
    let now = seconds(now);
    if history.is_some_and(|history| history.lapsed) {
        return Maturity::Lapsed;
    }
    let granted = history.map(|history| history.granted).unwrap_or_default();
    let Some(span) = granted.span else {
        let remembered = history.and_then(|history| history.profile.created_at);
        // What lies ahead of our clock by more than clocks differ is no date of a young account.
        let fresh = |created: Seconds| {
            let age = now.saturating_sub(created);
            (-CLOCKS_DIFFER..=policy.new_max).contains(&age)
        };
        let new = created_at.map(seconds).is_some_and(fresh) || remembered.is_some_and(fresh);
        return if new { Maturity::New } else { Maturity::Unseen };
    };
    if granted.count < policy.logins_min || now.saturating_sub(span.first) < policy.age_min {
        Maturity::Learning
    } else {
        Maturity::Mature
    }
}

/// The level of most granted logins in the 90 days before `now` (microseconds), as far as the last 20 are kept; the
/// lower one if two are equally usual, `None` without any.
#[must_use]
pub fn usual_level(history: &UserHistory, now: i64) -> Option<u8> {
    let from = seconds(now).saturating_sub(USUAL_WINDOW);
    let logins_at = |level: u8| {
        history
            .recent
            .iter()
            .filter(|login| login.level == level && login.time >= from)
            .count()
    };
    (1u8..=3)
        .rev()
        .map(|level| (logins_at(level), level))
        .filter(|(logins, _)| *logins > 0)
        .max_by_key(|(logins, _)| *logins)
        .map(|(_, level)| level)
}
