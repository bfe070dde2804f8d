//! What would have changed the answer: without which line, or with which level proven. For people who ask why.

use super::decision::{Action, Level, LineStatus};
use super::risk_engine::{RiskInput, action_of};
use super::rule_facts::{RuleFacts, Verdict};
use super::score::ScorePolicy;
use super::step_up::FactorPolicy;

/// The smallest changes that would have led to another action.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Counterfactual {
    /// Without this rule the action would have been this one. Of several rules the one that counts least.
    pub without: Option<(Box<str>, Action)>,
    /// Had this level been proven, the action would have been this one. The lowest such level.
    pub with_level: Option<(Level, Action)>,
}

/// Runs the sum again without each line that held, and again with higher levels. `verdicts` are settled ones.
#[must_use]
pub fn counterfactual(
    rules: &[RuleFacts],
    verdicts: &[Verdict],
    input: &RiskInput<'_>,
    score: &ScorePolicy,
    factors: FactorPolicy,
) -> Counterfactual {
    let mut scratch: Vec<Verdict> = Vec::with_capacity(verdicts.len());
    let achieved = input.factors.proven.level(factors.hwk_origin_bound);
    let mut answer = |left_out: Option<usize>, level: Level| {
        scratch.clear();
        scratch.extend(verdicts.iter().copied().map(uncovered));
        if let Some(verdict) = left_out.and_then(|index| scratch.get_mut(index)) {
            verdict.status = LineStatus::NotApplicable;
        }
        action_of(rules, &mut scratch, input, level, score, factors).action
    };
    let actual = answer(None, achieved);
    let mut without: Option<(usize, Action)> = None;
    let weight = |index: usize| {
        verdicts
            .get(index)
            .map_or(0, |verdict| verdict.points.hundredths().abs())
    };
    for index in (0..verdicts.len()).filter(|index| verdicts.get(*index).is_some_and(|v| v.holds())) {
        let other = answer(Some(index), achieved);
        if other != actual && without.is_none_or(|(least, _)| weight(index) < weight(least)) {
            without = Some((index, other));
        }
    }
    let levels = [Level::Two, Level::Three]
        .into_iter()
        .filter(|level| *level > achieved);
    let with_level = levels
        .map(|level| (level, answer(None, level)))
        .find(|(_, other)| *other != actual);
    let named = |(index, action): (usize, Action)| Some((rules.get(index)?.id.clone(), action));
    Counterfactual {
        without: without.and_then(named),
        with_level,
    }
}

/// A covered line counts again if the one that covers it is left out.
fn uncovered(verdict: Verdict) -> Verdict {
    match verdict.status {
        LineStatus::Covered => Verdict {
            status: LineStatus::Fired,
            ..verdict
        },
        _ => verdict,
    }
}
