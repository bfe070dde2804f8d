//! Why an owner is not told. Every silence has a reason, which is stored with the alert.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::event::{ActorKind, UserKind};
use crate::risk::decision::{Maturity, Mode};

/// Why an alert was held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum HeldBack {
    /// The mailbox got enough.
    Budget,
    /// No address that was verified.
    NoAddress,
    /// First login of an account that was just made.
    FirstLogin,
    /// The store is young and has not seen this user yet.
    NewStore,
    /// The source takes part in a campaign; the analyst is told once.
    Campaign,
    /// Older than `mail.age_max`.
    Age,
    /// The event came more than a day late.
    Late,
    /// Several people or machines use the account.
    SharedAccount,
    /// An administrator, help desk or system acted.
    Actor,
    /// The application's input changed for everybody.
    Drift,
    /// Read in from old logs.
    Backfill,
    /// Decisions are only recorded.
    Monitor,
    /// The owner was told of this device and kind within 24 hours.
    SameKind,
}

impl HeldBack {
    /// All, in the order of the enum.
    pub const ALL: [Self; 13] = [
        Self::Budget,
        Self::NoAddress,
        Self::FirstLogin,
        Self::NewStore,
        Self::Campaign,
        Self::Age,
        Self::Late,
        Self::SharedAccount,
        Self::Actor,
        Self::Drift,
        Self::Backfill,
        Self::Monitor,
        Self::SameKind,
    ];

    /// Name in decisions, files and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Budget => "budget",
            Self::NoAddress => "no_address",
            Self::FirstLogin => "first_login",
            Self::NewStore => "new_store",
            Self::Campaign => "campaign",
            Self::Age => "age",
            Self::Late => "late",
            Self::SharedAccount => "shared_account",
            Self::Actor => "actor",
            Self::Drift => "drift",
            Self::Backfill => "backfill",
            Self::Monitor => "monitor",
            Self::SameKind => "same_kind",
        }
    }

    /// Whether the next mail counts it among those held back: the owner would have had it under other circumstances.
    #[must_use]
    pub const fn is_owed(self) -> bool {
        matches!(
            self,
            Self::Budget | Self::NoAddress | Self::Campaign | Self::Age | Self::Late | Self::SameKind
        )
    }
}

impl fmt::Display for HeldBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Settings of silence, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SilencePolicy {
    /// `mail.age_max`: an event that came later than this is not mailed.
    pub age_max: i64,
    /// How long a store counts as new.
    pub new_store: i64,
}

const HOUR: i64 = 3_600 * 1_000_000;
/// An event this late teaches nothing and mails nothing (clause S3).
const LATE: i64 = 24 * HOUR;

impl Default for SilencePolicy {
    fn default() -> Self {
        Self {
            age_max: 6 * HOUR,
            new_store: 14 * 24 * HOUR,
        }
    }
}

/// What speaks for silence, apart from what the owner was already sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SilenceFacts {
    /// Whose account it is.
    pub user_kind: UserKind,
    /// Who acted.
    pub actor: ActorKind,
    /// How well the user was known before this login.
    pub maturity: Maturity,
    /// Whether an attack line was true.
    pub attack_fired: bool,
    /// `now` of the record less the event's time, microseconds; for an attempt, of its last event.
    pub late_by: i64,
    /// `clock` less the store's first `now`, microseconds.
    pub store_age: i64,
    /// Whether a verified address is known.
    pub has_address: bool,
    /// Whether the source takes part in a campaign.
    pub campaign: bool,
    /// Whether the application's input drifts.
    pub drift: bool,
    /// Whether the event was read in from old logs.
    pub backfill: bool,
    /// Enforced or recorded.
    pub mode: Mode,
}

/// The first reason for silence, or `None`. Reasons in the login itself come before those in the installation, so that
/// `monitor` names exactly what would have been mailed.
#[must_use]
pub fn silence(facts: &SilenceFacts, policy: &SilencePolicy) -> Option<HeldBack> {
    let new_store = facts.maturity == Maturity::Unseen && facts.store_age < policy.new_store;
    [
        (facts.backfill, HeldBack::Backfill),
        (facts.actor != ActorKind::User, HeldBack::Actor),
        (
            matches!(facts.user_kind, UserKind::Shared | UserKind::Service),
            HeldBack::SharedAccount,
        ),
        (facts.maturity == Maturity::New, HeldBack::FirstLogin),
        (new_store && !facts.attack_fired, HeldBack::NewStore),
        (facts.late_by > LATE, HeldBack::Late),
        (facts.late_by > policy.age_max, HeldBack::Age),
        (facts.campaign, HeldBack::Campaign),
        (facts.drift, HeldBack::Drift),
        (!facts.has_address, HeldBack::NoAddress),
        (facts.mode == Mode::Monitor, HeldBack::Monitor),
    ]
    .into_iter()
    .find_map(|(holds, why)| holds.then_some(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told() -> SilenceFacts {
        SilenceFacts {
            user_kind: UserKind::Person,
            actor: ActorKind::User,
            maturity: Maturity::Mature,
            attack_fired: false,
            late_by: 0,
            store_age: 0,
            has_address: true,
            campaign: false,
            drift: false,
            backfill: false,
            mode: Mode::Enforce,
        }
    }

    fn why(facts: SilenceFacts) -> Option<HeldBack> {
        silence(&facts, &SilencePolicy::default())
    }

    #[test]
    fn an_ordinary_login_is_told() {
        for maturity in [Maturity::Learning, Maturity::Mature, Maturity::Lapsed] {
            assert_eq!(why(SilenceFacts { maturity, ..told() }), None);
        }
        assert_eq!(
            why(SilenceFacts {
                user_kind: UserKind::Agent,
                ..told()
            }),
            None
        );
    }

    #[test]
    fn each_reason_alone() {
        type Change = fn(&mut SilenceFacts);
        let table: [(Change, HeldBack); 12] = [
            (|facts| facts.backfill = true, HeldBack::Backfill),
            (|facts| facts.actor = ActorKind::Helpdesk, HeldBack::Actor),
            (
                |facts| facts.user_kind = UserKind::Shared,
                HeldBack::SharedAccount,
            ),
            (
                |facts| facts.user_kind = UserKind::Service,
                HeldBack::SharedAccount,
            ),
            (|facts| facts.maturity = Maturity::New, HeldBack::FirstLogin),
            (|facts| facts.maturity = Maturity::Unseen, HeldBack::NewStore),
            (|facts| facts.late_by = 24 * HOUR + 1, HeldBack::Late),
            (|facts| facts.late_by = 6 * HOUR + 1, HeldBack::Age),
            (|facts| facts.campaign = true, HeldBack::Campaign),
            (|facts| facts.drift = true, HeldBack::Drift),
            (|facts| facts.has_address = false, HeldBack::NoAddress),
            (|facts| facts.mode = Mode::Monitor, HeldBack::Monitor),
        ];
        for (change, expected) in table {
            let mut facts = told();
            change(&mut facts);
            assert_eq!(why(facts), Some(expected));
        }
    }

    #[test]
    fn a_new_store_ends_after_14_days_or_with_an_attack() {
        let unseen = SilenceFacts {
            maturity: Maturity::Unseen,
            ..told()
        };
        let days = |days: i64| days * 24 * HOUR;
        assert_eq!(
            why(SilenceFacts {
                store_age: days(14) - 1,
                ..unseen
            }),
            Some(HeldBack::NewStore)
        );
        assert_eq!(
            why(SilenceFacts {
                store_age: days(14),
                ..unseen
            }),
            None
        );
        assert_eq!(
            why(SilenceFacts {
                attack_fired: true,
                ..unseen
            }),
            None
        );
        let first = SilenceFacts {
            maturity: Maturity::New,
            attack_fired: true,
            ..told()
        };
        assert_eq!(why(first), Some(HeldBack::FirstLogin));
    }

    #[test]
    fn bounds_of_age_belong_to_the_told() {
        assert_eq!(
            why(SilenceFacts {
                late_by: 6 * HOUR,
                ..told()
            }),
            None
        );
        assert_eq!(
            why(SilenceFacts {
                late_by: 24 * HOUR,
                ..told()
            }),
            Some(HeldBack::Age)
        );
    }

    #[test]
    fn monitor_names_only_what_would_have_been_mailed() {
        let facts = SilenceFacts {
            mode: Mode::Monitor,
            maturity: Maturity::New,
            ..told()
        };
        assert_eq!(why(facts), Some(HeldBack::FirstLogin));
    }

    #[test]
    fn names_are_unique() {
        let names: std::collections::BTreeSet<_> = HeldBack::ALL.iter().map(|why| why.as_str()).collect();
        assert_eq!(names.len(), HeldBack::ALL.len());
    }
}
