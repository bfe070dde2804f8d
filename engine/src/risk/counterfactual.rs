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
    let named = |(index, action): (usize, Action)| Some((rules.get(index)?.id.as_ref().into(), action));
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

#[cfg(test)]
mod tests {
    use super::super::action::AppPolicy;
    use super::super::decision::Maturity;
    use super::super::rule_facts::Effect;
    use super::super::step_up::FactorFacts;
    use super::*;
    use crate::attempt::proven::Proven;
    use crate::event::{Timestamp, UserKind};
    use doorward_rules::{Evidence, Group, Points};

    fn ask(lines: &[(&str, Evidence, Group, i32)]) -> Counterfactual {
        let points = |hundredths: &i32| Points::from_hundredths(*hundredths);
        let rules: Vec<_> = lines
            .iter()
            .map(|(id, evidence, group, _)| RuleFacts {
                id: (*id).into(),
                evidence: *evidence,
                group: *group,
                effect: Effect::Points,
                declared: Points::ZERO,
            })
            .collect();
        let mut verdicts: Vec<_> = lines
            .iter()
            .map(|(_, _, _, sum)| Verdict {
                status: LineStatus::Fired,
                points: points(sum),
            })
            .collect();
        let proven = Proven::default();
        let input = RiskInput {
            user_kind: UserKind::Person,
            maturity: Maturity::Mature,
            app: &AppPolicy::default(),
            factors: FactorFacts {
                enrolled: None,
                proven: &proven,
                time: Timestamp::from_seconds(1_780_000_000),
                suspect_device: None,
                session: None,
                taints: &[],
            },
            usual: None,
            excepted: &[],
        };
        let (score, factors) = (ScorePolicy::default(), FactorPolicy::default());
        let _ = super::super::risk_engine::judge(&rules, &mut verdicts, &input, &score, factors);
        counterfactual(&rules, &verdicts, &input, &score, factors)
    }

    #[test]
    fn the_line_that_counts_least_and_still_decides_is_named() {
        let found = ask(&[
            ("impossible-travel", Evidence::Attack, Group::Travel, 1_500),
            ("new-device", Evidence::Newness, Group::Device, 1_800),
            ("odd-hour", Evidence::Newness, Group::Time, 100),
        ]);
        // 10 + 15 + 18 + 1 = 44; without travel 29 still asks, without the device 26 still asks.
        assert_eq!(found.without, None);
        assert_eq!(found.with_level, Some((Level::Two, Action::Allow)));
        let found = ask(&[
            ("new-device", Evidence::Newness, Group::Device, 1_800),
            ("odd-hour", Evidence::Newness, Group::Time, 100),
        ]);
        assert_eq!(found.without, Some(("new-device".into(), Action::Allow)));
    }

    #[test]
    fn a_covered_line_counts_when_the_one_before_it_is_left_out() {
        let found = ask(&[
            ("new-device", Evidence::Newness, Group::Device, 1_800),
            ("resembling-device", Evidence::Newness, Group::Device, 1_700),
        ]);
        assert_eq!(found.without, None);
    }

    #[test]
    fn an_allowed_login_names_nothing() {
        assert_eq!(ask(&[]), Counterfactual::default());
    }

    #[test]
    fn without_trust_it_would_have_been_asked() {
        let found = ask(&[
            ("known-device", Evidence::Trust, Group::Device, -800),
            ("unfamiliar-address", Evidence::Newness, Group::Network, 1_613),
        ]);
        assert_eq!(found.without, Some(("known-device".into(), Action::StepUp)));
    }
}
