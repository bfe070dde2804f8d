//! What the decision has to know of a rule, apart from its condition: what kind of evidence it is, which fact it looks
//! at, and what it does besides counting points.

use crate::event::FactorType;

use super::decision::{Action, Level, LineStatus};
use doorward_rules::Points;

/// Kind of evidence: decides which cap holds, and what may deny.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Evidence {
    /// Something that the user never did before. Capped; alone it never denies.
    Newness,
    /// Something that attackers do.
    Attack,
    /// Something that speaks for the owner. Capped; the only kind with negative points.
    Trust,
    /// How well the account or the login is protected.
    Posture,
}

/// The fact that a rule looks at: of one group only the strongest line counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Group {
    /// Which device it is.
    Device,
    /// How usual the address is.
    Network,
    /// What kind of network it is.
    NetworkKind,
    /// How the places follow each other.
    Travel,
    /// The hour.
    Time,
    /// What is known of the password.
    Credentials,
    /// Wrong tries before.
    Guessing,
    /// What the address or software did to others.
    Crowd,
    /// Who holds the session.
    Session,
    /// Which factors were used.
    Factors,
    /// The account as such.
    Account,
    /// Software that acts for a person.
    Agent,
}

impl Group {
    /// How many there are.
    pub const COUNT: usize = 12;

    /// Attack lines of these may deny (scoring, case 1).
    #[must_use]
    pub const fn may_deny(self) -> bool {
        matches!(self, Self::Crowd | Self::Guessing | Self::Session | Self::Device)
    }
}

/// Below which answer a rule does not let a login fall.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Floor {
    /// This level has to be proven.
    Level(Level),
    /// The owner has to approve.
    Hold,
    /// Nobody gets in.
    Deny,
}

/// What a rule does besides counting points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Nothing.
    Points,
    /// `at_least`: raises the answer.
    AtLeast(Floor),
    /// `at_most`: lowers the answer, last of all.
    AtMost(Action),
    /// Tells somebody.
    Alert,
    /// Factors of this type may be in the wrong hands.
    Taint(FactorType),
}

/// One rule, as far as the sum is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleFacts {
    /// Id, equal to the name of its file.
    pub id: Box<str>,
    /// Kind of evidence.
    pub evidence: Evidence,
    /// Fact it looks at; `None`: one of its own.
    pub group: Option<Group>,
    /// What it does.
    pub effect: Effect,
}

/// What became of a rule for one login.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verdict {
    /// `Fired`, `NotApplicable`, `NoData`, `Excepted` or `Error` as the rules say; `Covered` is found here.
    pub status: LineStatus,
    /// What it counts if it fires.
    pub points: Points,
}

impl Verdict {
    /// Whether the condition is true and not switched off: its effect holds, even if its points do not count.
    #[must_use]
    pub const fn holds(self) -> bool {
        matches!(self.status, LineStatus::Fired | LineStatus::Covered)
    }
}
