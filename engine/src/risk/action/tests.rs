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
}

#[test]
fn case_6_holds_an_attack_whose_floor_is_not_met_and_precious_applications() {
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
