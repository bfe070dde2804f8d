//! From score to action: required against achieved level, in the six cases of the scoring page, in their order.

use doorward_rules::{Evidence, Group, Points};

use super::decision::{Action, Level};
use super::rule_facts::{Effect, Floor, RuleFacts, Verdict};
use super::score::{ScorePolicy, Totals};
use crate::event::Sensitivity;

/// What an application asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppPolicy {
    /// Prior of its logins; `None`: that of the policy.
    pub base: Option<Points>,
    /// How much it protects.
    pub sensitivity: Sensitivity,
    /// Answer when no factor of the user helps and nothing speaks of an attack: allow, hold or deny.
    pub unreachable: Action,
}

impl Default for AppPolicy {
    fn default() -> Self {
        Self {
            base: None,
            sensitivity: Sensitivity::Normal,
            unreachable: Action::Allow,
        }
    }
}

/// What the rules ask for beside points. Effects hold for fired and covered lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Floors {
    /// Highest `at_least` level of any rule; one if none.
    pub level: Level,
    /// Highest `at_least` level of an attack rule; one if none.
    pub attack_level: Level,
    /// A rule says `at_least:hold`.
    pub hold: bool,
    /// A rule says `at_least:deny`.
    pub deny: bool,
    /// The mildest `at_most`.
    pub at_most: Option<Action>,
    /// A rule of group session asks for a proof bound to origin: a page may stand in between.
    pub phishing: bool,
}

impl Floors {
    /// No rule asks for anything.
    pub const NONE: Self = Self {
        level: Level::One,
        attack_level: Level::One,
        hold: false,
        deny: false,
        at_most: None,
        phishing: false,
    };

    /// What the settled lines ask for.
    #[must_use]
    pub fn of(rules: &[RuleFacts], verdicts: &[Verdict]) -> Self {
        let mut floors = Self::NONE;
        for (rule, _) in rules.iter().zip(verdicts).filter(|(_, verdict)| verdict.holds()) {
            match rule.effect {
                Effect::AtLeast(Floor::Level(level)) => floors.raise(rule, level),
                Effect::AtLeast(Floor::Hold) => floors.hold = true,
                Effect::AtLeast(Floor::Deny) => floors.deny = true,
                Effect::AtMost(action) => {
                    floors.at_most = Some(floors.at_most.map_or(action, |mildest| mildest.min(action)));
                }
                Effect::Points | Effect::Taint(_) => {}
            }
        }
        floors
    }

    fn raise(&mut self, rule: &RuleFacts, level: Level) {
        self.level = self.level.max(level);
        if rule.evidence == Evidence::Attack {
            self.attack_level = self.attack_level.max(level);
        }
        self.phishing |= level == Level::Three && rule.group == Group::Session;
    }
}

/// What the user's factors could still prove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The application told nothing of the enrolled factors.
    NotTold,
    /// No untouched, mature, verified factor leads above what is proven.
    Nothing,
    /// The highest level they lead to, above what is proven.
    Up(Level),
}

/// Everything that the six cases look at.
#[derive(Debug, Clone, Copy)]
pub struct Situation<'a> {
    /// The sum and its parts.
    pub totals: &'a Totals,
    /// What rules ask for.
    pub floors: &'a Floors,
    /// What this attempt has proven.
    pub achieved: Level,
    /// The application.
    pub app: &'a AppPolicy,
    /// Bounds.
    pub policy: &'a ScorePolicy,
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Choice {
    /// What to do.
    pub action: Action,
    /// Level asked for.
    pub required: Level,
    /// Level to prove now, for `step_up` and `hold`: that asked for, or a lower one that can be reached.
    pub prove: Level,
}

impl Situation<'_> {
    /// Level that score, application and rules ask for.
    #[must_use]
    pub fn required(&self) -> Level {
        let sum = self.totals.sum;
        let by_points = if sum >= self.policy.level3_from {
            Level::Three
        } else if sum >= self.policy.level2_from {
            Level::Two
        } else {
            Level::One
        };
        let by_app = match self.app.sensitivity {
            Sensitivity::High => by_points.next(),
            Sensitivity::Low | Sensitivity::Normal => by_points,
        };
        by_app.max(self.floors.level)
    }

    /// The action. `reach` is asked only where it matters.
    #[must_use]
    pub fn choose(&self, reach: impl Fn() -> Reach) -> Choice {
        let required = self.required();
        let (action, prove) = self.six_cases(required, &reach);
        let action = self.lower(action);
        let prove = match (action, reach_if(action, &reach)) {
            (Action::StepUp, Some(Reach::Up(level))) => prove.min(level),
            _ => prove,
        };
        Choice {
            action,
            required,
            prove,
        }
    }

    fn six_cases(&self, required: Level, reach: &impl Fn() -> Reach) -> (Action, Level) {
        if self.is_denied() {
            return (Action::Deny, required);
        }
        if self.floors.hold {
            return (Action::Hold, required);
        }
        if self.achieved >= required {
            return (Action::Allow, required);
        }
        match reach() {
            Reach::NotTold => (Action::StepUp, required),
            Reach::Up(level) if level >= required => (Action::StepUp, required),
            // The level asked for comes from points alone, so a lower proof is better than none.
            Reach::Up(level) if self.floors.level < required => (Action::StepUp, level),
            Reach::Up(_) | Reach::Nothing => (self.out_of_reach(), required),
        }
    }

    /// Case 1: newness alone never denies.
    fn is_denied(&self) -> bool {
        let by_score = self.totals.sum >= self.policy.deny_from
            && self.totals.attack_may_deny
            && self.achieved < Level::Three;
        by_score || self.floors.deny
    }

    /// Case 6, but for a rule that says hold.
    fn out_of_reach(&self) -> Action {
        let attacked = self.floors.attack_level > self.achieved || self.totals.attack >= HOLD_ATTACK_FROM;
        let precious =
            self.app.sensitivity == Sensitivity::High && self.totals.sum >= self.policy.level2_from;
        if attacked || precious {
            Action::Hold
        } else {
            self.app.unreachable
        }
    }

    /// `at_most` lowers, but never below what a rule's `at_least:hold` or `at_least:deny` says.
    fn lower(&self, action: Action) -> Action {
        if self.floors.deny {
            return action;
        }
        let lowered = self.floors.at_most.map_or(action, |at_most| action.min(at_most));
        if self.floors.hold {
            lowered.max(Action::Hold)
        } else {
            lowered
        }
    }
}

/// From so many points of attack lines on, a login that cannot prove more is held.
const HOLD_ATTACK_FROM: Points = Points::from_hundredths(1_000);

fn reach_if(action: Action, reach: &impl Fn() -> Reach) -> Option<Reach> {
    (action == Action::StepUp).then(reach)
}

#[cfg(test)]
mod tests;
