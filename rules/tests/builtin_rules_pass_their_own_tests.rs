//! The rules that come with Doorward are right, and say what the scoring table says.

use doorward_rules::{Field, Outcome, Points, RuleSet, Slots, TestOutcome, run_tests};

#[test]
fn every_test_in_every_rule_file_passes() {
    let outcomes = run_tests(&builtin());
    let failed: Vec<String> = outcomes
        .iter()
        .filter(|outcome| !outcome.passed())
        .map(TestOutcome::to_string)
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
    assert!(outcomes.len() >= 3 * builtin().rules().len());
}

#[test]
fn every_step_of_every_rule_fires_in_some_test() {
    use doorward_rules::Worth;
    for rule in builtin().rules() {
        let Worth::Steps(steps) = &rule.worth else {
            continue;
        };
        for step in steps {
            let shown = rule
                .tests
                .iter()
                .any(|test| rule.evaluate(&test.slots) == Outcome::Fired(step.points));
            assert!(shown, "{}: no test for {} points", rule.id, step.points);
        }
    }
}

#[test]
fn a_login_of_which_nothing_is_known_makes_no_rule_fire() {
    let rules = builtin();
    let mut verdicts = Vec::new();
    rules.evaluate(&Slots::new(), &mut verdicts);
    assert_eq!(verdicts.len(), rules.rules().len());
    for verdict in verdicts {
        let quiet = matches!(verdict.outcome, Outcome::NoData | Outcome::NotApplicable);
        assert!(quiet, "{:?}", rules.get(verdict.rule).map(|rule| &rule.id));
    }
}

#[test]
fn stolen_phone_abroad_adds_up() {
    let mut slots = Slots::new();
    slots.set_text(Field::UserKind, "person");
    slots.set_text(Field::DeviceState, "new");
    slots.set_text(Field::DeviceTrust, "none");
    slots.set_text(Field::NetworkKind, "vpn");
    slots.set_text(Field::PairTrust, "none");
    slots.set_float(Field::AddressFamiliarity, 16.127_838_567);
    let rules = builtin();
    let mut verdicts = Vec::new();
    rules.evaluate(&slots, &mut verdicts);
    let total: Points = verdicts
        .iter()
        .filter_map(|verdict| match verdict.outcome {
            Outcome::Fired(points) => Some(points),
            _ => None,
        })
        .sum();
    assert_eq!(total.to_string(), "41.13");
}

fn builtin() -> RuleSet {
    RuleSet::builtin().unwrap_or_else(|faults| {
        let shown: Vec<String> = faults.iter().map(ToString::to_string).collect();
        panic!("{}", shown.join("\n\n"))
    })
}
