//! From score to action: required against achieved level, in the six cases of the scoring page, in their order.

use doorward_rules::Points;

use super::decision::{Action, Level};
use super::rule_facts::{Effect, Evidence, Floor, Group, RuleFacts, Verdict};
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
                Effect::Points | Effect::Alert | Effect::Taint(_) => {}
            }
        }
        floors
    }

    fn raise(&mut self, rule: &RuleFacts, level: Level) {
        self.level = self.level.max(level);
        if rule.evidence == Evidence::Attack {
            self.attack_level = self.attack_level.max(level);
        }
        self.phishing |= level == Level::Three && rule.group == Some(Group::Session);
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
mod tests {
    use super::*;
    use Action::{Allow, Deny, Hold, StepUp};
    use Level::{One, Three, Two};

    /// A login; every test changes what it is about.
    struct Case {
        sum: i32,
        attack: i32,
        may_deny: bool,
        floors: Floors,
        achieved: Level,
        app: AppPolicy,
        reach: Reach,
    }

    impl Case {
        fn at(sum: i32) -> Self {
            Self {
                sum,
                attack: 0,
                may_deny: false,
                floors: Floors::NONE,
                achieved: One,
                app: AppPolicy::default(),
                reach: Reach::Nothing,
            }
        }

        fn choose(&self) -> (Action, u8, u8) {
            let points = Points::from_hundredths;
            let policy = ScorePolicy::default();
            let totals = Totals {
                base: policy.base,
                newness_cut: Points::ZERO,
                trust_given_back: Points::ZERO,
                sum: points(self.sum),
                attack: points(self.attack),
                attack_fired: self.attack > 0,
                attack_may_deny: self.may_deny,
            };
            let situation = Situation {
                totals: &totals,
                floors: &self.floors,
                achieved: self.achieved,
                app: &self.app,
                policy: &policy,
            };
            let choice = situation.choose(|| self.reach);
            (choice.action, choice.required.number(), choice.prove.number())
        }
    }

    #[test]
    fn the_bounds_belong_to_the_upper_level() {
        let required = |sum| Case::at(sum).choose().1;
        assert_eq!([2_499, 2_500, 4_999, 5_000].map(required), [1, 2, 2, 3]);
        assert_eq!([-9_999, 0, 7_499, 7_500, 99_999].map(required), [1, 1, 3, 3, 3]);
        let high = |sum| {
            let app = AppPolicy {
                sensitivity: Sensitivity::High,
                ..AppPolicy::default()
            };
            Case { app, ..Case::at(sum) }.choose().1
        };
        assert_eq!([2_499, 2_500, 5_000].map(high), [2, 3, 3]);
        let low = AppPolicy {
            sensitivity: Sensitivity::Low,
            ..AppPolicy::default()
        };
        assert_eq!(
            Case {
                app: low,
                ..Case::at(2_500)
            }
            .choose()
            .1,
            2
        );
        let floors = Floors {
            level: Three,
            ..Floors::NONE
        };
        assert_eq!(
            Case {
                floors,
                ..Case::at(0)
            }
            .choose()
            .1,
            3
        );
    }

    #[test]
    fn case_1_denies_an_attack_from_75_below_level_3() {
        let attacked = |sum, achieved| Case {
            may_deny: true,
            achieved,
            attack: 3_500,
            ..Case::at(sum)
        };
        assert_eq!(attacked(7_500, One).choose().0, Deny);
        assert_eq!(attacked(7_500, Two).choose().0, Deny);
        assert_eq!(attacked(7_500, Three).choose().0, Allow);
        assert_eq!(attacked(7_499, One).choose().0, Hold);
        let travel = Case {
            attack: 1_500,
            reach: Reach::Up(Three),
            ..Case::at(9_000)
        };
        assert_eq!(travel.choose(), (StepUp, 3, 3), "an attack of another group asks");
        let newness = Case {
            reach: Reach::Up(Three),
            ..Case::at(9_000)
        };
        assert_eq!(newness.choose().0, StepUp, "newness alone never denies");
        let rule = Case {
            floors: Floors {
                deny: true,
                ..Floors::NONE
            },
            achieved: Three,
            ..Case::at(0)
        };
        assert_eq!(rule.choose().0, Deny);
    }

    #[test]
    fn case_2_allows_what_was_proven() {
        assert_eq!(Case::at(2_499).choose().0, Allow);
        assert_eq!(
            Case {
                achieved: Two,
                ..Case::at(4_999)
            }
            .choose()
            .0,
            Allow
        );
        assert_eq!(
            Case {
                achieved: Three,
                ..Case::at(7_499)
            }
            .choose()
            .0,
            Allow
        );
        let held = Floors {
            hold: true,
            ..Floors::NONE
        };
        assert_eq!(
            Case {
                floors: held,
                achieved: Three,
                ..Case::at(0)
            }
            .choose()
            .0,
            Hold
        );
    }

    #[test]
    fn case_3_asks_without_advice_when_nothing_was_told() {
        let case = Case {
            reach: Reach::NotTold,
            ..Case::at(5_000)
        };
        assert_eq!(case.choose(), (StepUp, 3, 3));
    }

    #[test]
    fn case_4_asks_for_the_level_that_factors_reach() {
        assert_eq!(
            Case {
                reach: Reach::Up(Two),
                ..Case::at(2_500)
            }
            .choose(),
            (StepUp, 2, 2)
        );
        assert_eq!(
            Case {
                reach: Reach::Up(Three),
                ..Case::at(2_500)
            }
            .choose(),
            (StepUp, 2, 2)
        );
    }

    #[test]
    fn case_5_takes_less_only_where_points_ask() {
        let by_points = Case {
            reach: Reach::Up(Two),
            ..Case::at(5_000)
        };
        assert_eq!(by_points.choose(), (StepUp, 3, 2));
        let floor = |level| Floors {
            level,
            ..Floors::NONE
        };
        let lower_floor = Case {
            floors: floor(Two),
            reach: Reach::Up(Two),
            ..Case::at(5_000)
        };
        assert_eq!(lower_floor.choose(), (StepUp, 3, 2));
        let by_rule = Case {
            floors: floor(Three),
            reach: Reach::Up(Two),
            ..Case::at(2_500)
        };
        assert_eq!(by_rule.choose(), (Allow, 3, 3));
        let by_both = Case {
            floors: floor(Three),
            reach: Reach::Up(Two),
            ..Case::at(5_000)
        };
        assert_eq!(by_both.choose().0, Allow);
    }

    #[test]
    fn case_6_holds_an_attack_and_leaves_the_rest_to_the_application() {
        assert_eq!(Case::at(2_500).choose().0, Allow);
        for unreachable in [Allow, Hold, Deny] {
            let app = AppPolicy {
                unreachable,
                ..AppPolicy::default()
            };
            assert_eq!(
                Case {
                    app,
                    ..Case::at(2_500)
                }
                .choose()
                .0,
                unreachable
            );
        }
        assert_eq!(
            Case {
                attack: 999,
                ..Case::at(2_500)
            }
            .choose()
            .0,
            Allow
        );
        assert_eq!(
            Case {
                attack: 1_000,
                ..Case::at(2_500)
            }
            .choose()
            .0,
            Hold
        );
        let floors = Floors {
            level: Three,
            attack_level: Three,
            ..Floors::NONE
        };
        assert_eq!(
            Case {
                floors,
                reach: Reach::Up(Two),
                ..Case::at(0)
            }
            .choose()
            .0,
            Hold
        );
        let met = Floors {
            level: Three,
            attack_level: Two,
            ..Floors::NONE
        };
        assert_eq!(
            Case {
                floors: met,
                achieved: Two,
                ..Case::at(0)
            }
            .choose()
            .0,
            Allow
        );
        let high = AppPolicy {
            sensitivity: Sensitivity::High,
            ..AppPolicy::default()
        };
        assert_eq!(
            Case {
                app: high,
                ..Case::at(2_500)
            }
            .choose()
            .0,
            Hold
        );
        assert_eq!(
            Case {
                app: high,
                ..Case::at(2_499)
            }
            .choose()
            .0,
            Allow
        );
    }

    #[test]
    fn at_most_comes_last_and_loses_against_hold_and_deny_of_a_rule() {
        let at_most = |action| Floors {
            at_most: Some(action),
            ..Floors::NONE
        };
        let denied = |floors| Case {
            may_deny: true,
            floors,
            ..Case::at(7_500)
        };
        assert_eq!(denied(at_most(Hold)).choose().0, Hold);
        assert_eq!(denied(at_most(Allow)).choose().0, Allow);
        let lowered = Case {
            reach: Reach::Up(Two),
            ..denied(at_most(StepUp))
        };
        assert_eq!(
            lowered.choose(),
            (StepUp, 3, 2),
            "what can be reached is asked for"
        );
        assert_eq!(
            denied(Floors {
                hold: true,
                ..at_most(Allow)
            })
            .choose()
            .0,
            Hold
        );
        assert_eq!(
            denied(Floors {
                deny: true,
                ..at_most(Allow)
            })
            .choose()
            .0,
            Deny
        );
        assert_eq!(
            Case {
                floors: at_most(Hold),
                ..Case::at(0)
            }
            .choose()
            .0,
            Allow,
            "it never raises"
        );
    }
}
