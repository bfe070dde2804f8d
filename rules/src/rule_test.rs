//! Runs the tests that stand in rule files.

use std::fmt;

use crate::points::Points;
use crate::rule::{Expect, Outcome, Rule, RuleTest};
use crate::rule_set::RuleSet;

/// How one test of one rule went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestOutcome {
    /// The rule's id.
    pub rule: String,
    /// The test's name.
    pub name: String,
    /// The path of the rule's file.
    pub path: String,
    /// The line of the test, from 1.
    pub line: usize,
    /// What the test expects.
    pub expected: Expect,
    /// The points it expects, if it says so.
    pub expected_points: Option<Points>,
    /// What the rule says.
    pub found: Outcome,
}

impl TestOutcome {
    /// Whether the rule says what the test expects.
    #[must_use]
    pub fn passed(&self) -> bool {
        match (self.expected, self.found) {
            (Expect::Fires, Outcome::Fired(points)) => self.expected_points.is_none_or(|p| p == points),
            (Expect::Silent, Outcome::NotApplicable) | (Expect::NoData, Outcome::NoData) => true,
            _ => false,
        }
    }
}

impl fmt::Display for TestOutcome {
    /// `ok new-device: a phone never seen`, or what went wrong and where.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.passed() {
            return write!(f, "ok {}: {}", self.rule, self.name);
        }
        write!(
            f,
            "FAILED {}: {}\n  {}:{}\n  ",
            self.rule, self.name, self.path, self.line
        )?;
        match (self.expected, self.expected_points) {
            (Expect::Fires, Some(points)) => write!(f, "expected: fires with {points} points")?,
            (expected, _) => write!(f, "expected: {expected}")?,
        }
        match self.found {
            Outcome::Fired(points) => write!(f, ", found: fires with {points} points"),
            Outcome::NotApplicable => write!(f, ", found: silent"),
            Outcome::NoData => write!(f, ", found: no_data"),
            Outcome::Error => write!(f, ", found: error (a division by zero or an overflow)"),
        }
    }
}

/// Runs every test of every rule, whatever its status, in the order of rules and files.
#[must_use]
pub fn run_tests(rules: &RuleSet) -> Vec<TestOutcome> {
    let tests = rules
        .rules()
        .iter()
        .flat_map(|rule| rule.tests.iter().map(move |test| (rule, test)));
    tests.map(|(rule, test)| run(rule, test)).collect()
}

fn run(rule: &Rule, test: &RuleTest) -> TestOutcome {
    TestOutcome {
        rule: rule.id.clone(),
        name: test.name.clone(),
        path: rule.path.clone(),
        line: test.line,
        expected: test.expect,
        expected_points: test.points,
        found: rule.evaluate(&test.slots),
    }
}
