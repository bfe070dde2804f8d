//! The whole decision in one call: lines of the rules in, score, levels, action, ledger and advice out. Pure and
//! synchronous: no clock, no store, no random number; every mode calls this.

use super::action::{AppPolicy, Choice, Floors, Situation};
use super::decision::{Action, Level, Maturity, Scored};
use super::ledger;
use super::rule_facts::{RuleFacts, Verdict};
use super::score::{NewnessPolicy, ScorePolicy, Totals, settle};
use super::step_up::{FactorFacts, FactorPolicy, Factors, RuleTaints};
use crate::event::UserKind;

/// What one login brings to its decision, beside the lines of the rules.
#[derive(Debug, Clone, Copy)]
pub struct RiskInput<'a> {
    /// Whose account it is.
    pub user_kind: UserKind,
    /// How well the user is known.
    pub maturity: Maturity,
    /// The application.
    pub app: &'a AppPolicy,
    /// Factors: proven, enrolled and touched.
    pub factors: FactorFacts<'a>,
    /// Level of most of the user's logins in 90 days.
    pub usual: Option<Level>,
}

/// A decision with what alerts and explanations need beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The part that is stored and streamed.
    pub scored: Scored,
    /// The sum and its parts.
    pub totals: Totals,
    /// What rules asked for.
    pub floors: Floors,
}

/// Settles the lines and decides. `verdicts` are the lines as the rules evaluated them, one a rule, in the order of
/// `rules`; afterwards they say which were covered.
#[must_use]
pub fn judge(
    rules: &[RuleFacts],
    verdicts: &mut [Verdict],
    input: &RiskInput<'_>,
    score: &ScorePolicy,
    factors: FactorPolicy,
) -> Judgement {
    let newness = NewnessPolicy::of(input.user_kind, input.maturity);
    let base = input.app.base.unwrap_or(score.base);
    let totals = settle(rules, verdicts, newness, base, score);
    let floors = Floors::of(rules, verdicts);
    let choice_of_factors = Factors::new(
        input.factors,
        RuleTaints {
            rules,
            verdicts,
            floors: &floors,
        },
        factors,
    );
    let achieved = input.factors.proven.level(factors.hwk_origin_bound);
    let choice = Situation {
        totals: &totals,
        floors: &floors,
        achieved,
        app: input.app,
        policy: score,
    }
    .choose(|| choice_of_factors.reach());
    let asks = matches!(choice.action, Action::StepUp | Action::Hold);
    let scored = Scored {
        action: choice.action,
        required: choice.required,
        achieved,
        base,
        sum: totals.sum,
        ledger: ledger::lines(rules, verdicts, &totals),
        step_up: asks.then(|| choice_of_factors.advice(choice.prove, input.usual)),
    };
    Judgement {
        scored,
        totals,
        floors,
    }
}

/// The action alone, for explanations that try the same login with one thing changed.
#[must_use]
pub fn action_of(
    rules: &[RuleFacts],
    verdicts: &mut [Verdict],
    input: &RiskInput<'_>,
    achieved: Level,
    score: &ScorePolicy,
    factors: FactorPolicy,
) -> Choice {
    let newness = NewnessPolicy::of(input.user_kind, input.maturity);
    let base = input.app.base.unwrap_or(score.base);
    let totals = settle(rules, verdicts, newness, base, score);
    let floors = Floors::of(rules, verdicts);
    let choice_of_factors = Factors::new(
        input.factors,
        RuleTaints {
            rules,
            verdicts,
            floors: &floors,
        },
        factors,
    );
    Situation {
        totals: &totals,
        floors: &floors,
        achieved,
        app: input.app,
        policy: score,
    }
    .choose(|| choice_of_factors.reach())
}
