//! What the decision has to know of a rule, apart from its condition: what kind of evidence it is, which fact it looks
//! at, and what it does besides counting points.

use std::sync::Arc;

use doorward_rules::{Evidence, Group, Outcome, Points, Rule, Worth};

use super::decision::{Action, Level, LineStatus};
use crate::event::{FactorType, Vocabulary as _};

/// Whether attack lines of this group may deny (scoring, case 1).
#[must_use]
pub const fn may_deny(group: Group) -> bool {
    matches!(
        group,
        Group::Crowd | Group::Guessing | Group::Session | Group::Device
    )
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
    /// Factors of this type may be in the wrong hands.
    Taint(FactorType),
}

/// One rule, as far as the sum is concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleFacts {
    /// Id, equal to the name of its file; lines of ledgers share it.
    pub id: Arc<str>,
    /// Kind of evidence.
    pub evidence: Evidence,
    /// Fact it looks at: of one group only the strongest line counts.
    pub group: Group,
    /// What it does.
    pub effect: Effect,
    /// What it counts if that is always the same, else nothing; shown where it could not say.
    pub declared: Points,
}

impl From<&Rule> for RuleFacts {
    fn from(rule: &Rule) -> Self {
        Self {
            id: rule.id.as_str().into(),
            evidence: rule.evidence,
            group: rule.group,
            effect: Effect::of(rule.effect),
            declared: match rule.worth {
                Worth::Fixed(points) => points,
                Worth::Nothing | Worth::Signal(_) | Worth::Steps(_) => Points::ZERO,
            },
        }
    }
}

impl Effect {
    /// The rule crate's word for it in types of a decision. A type of factor that events do not know taints nothing.
    fn of(effect: doorward_rules::Effect) -> Self {
        use doorward_rules::{Action as Word, Effect as Said, Floor as Least};
        match effect {
            Said::Points => Self::Points,
            Said::AtLeast(Least::Level(level)) => {
                Self::AtLeast(Floor::Level(if level >= 3 { Level::Three } else { Level::Two }))
            }
            Said::AtLeast(Least::Hold) => Self::AtLeast(Floor::Hold),
            Said::AtLeast(Least::Deny) => Self::AtLeast(Floor::Deny),
            Said::AtMost(Word::Allow) => Self::AtMost(Action::Allow),
            Said::AtMost(Word::StepUp) => Self::AtMost(Action::StepUp),
            Said::AtMost(Word::Hold) => Self::AtMost(Action::Hold),
            Said::AtMost(Word::Deny) => Self::AtMost(Action::Deny),
            Said::Taint(factor) => FactorType::from_name(factor.as_str()).map_or(Self::Points, Self::Taint),
        }
    }
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

    /// What a rule said of a login, before groups are looked at.
    #[must_use]
    pub fn of(rule: &RuleFacts, outcome: Outcome) -> Self {
        let (status, points) = match outcome {
            Outcome::Fired(points) => (LineStatus::Fired, points),
            Outcome::NotApplicable => (LineStatus::NotApplicable, rule.declared),
            Outcome::NoData => (LineStatus::NoData, rule.declared),
            Outcome::Error => (LineStatus::Error, rule.declared),
        };
        Self { status, points }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_of_factor_in_rules_is_one_of_events() {
        let of_rules = doorward_rules::FactorType::WORDS;
        let of_events: Vec<_> = FactorType::ALL.iter().map(|factor| factor.as_str()).collect();
        assert_eq!(of_rules, of_events);
    }
}
