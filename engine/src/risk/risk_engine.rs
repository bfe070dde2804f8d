//! The whole decision in one call: values of a login in, score, levels, action, ledger and advice out. Pure and
//! synchronous: no clock, no store, no random number; every mode calls this.

use std::sync::Arc;

use doorward_rules::{Outcome, RuleSet, Slots};

use super::action::{AppPolicy, Choice, Floors, Situation};
use super::counterfactual::{Counterfactual, counterfactual};
use super::decision::{Action, Level, LineStatus, Maturity, Scored};
use super::ledger;
use super::rule_facts::{RuleFacts, Verdict};
use super::score::{NewnessPolicy, ScorePolicy, Totals, settle};
use super::step_up::{FactorFacts, FactorPolicy, Factors, RuleTaints};
use crate::event::UserKind;

/// What one login brings to its decision, beside the values that rules read.
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
    /// Ids of rules that an exception switches off for this login.
    pub excepted: &'a [Box<str>],
}

/// A decision with what alerts need beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The part that is stored and streamed.
    pub scored: Scored,
    /// The sum and its parts.
    pub totals: Totals,
    /// What rules asked for.
    pub floors: Floors,
}

/// Rules and bounds in force. Made once for each version of them.
#[derive(Debug, Clone)]
pub struct RiskEngine {
    rules: Arc<RuleSet>,
    facts: Vec<RuleFacts>,
    /// What becomes of each rule that is not about a login.
    silent: Vec<Verdict>,
    score: ScorePolicy,
    factors: FactorPolicy,
}

/// Space that is used again from login to login; afterwards it holds what became of each rule.
#[derive(Debug, Default)]
pub struct Scratch {
    verdicts: Vec<Verdict>,
}

impl RiskEngine {
    /// Takes the rules that count; experimental and shadow ones never reach a decision.
    #[must_use]
    pub fn new(rules: Arc<RuleSet>, score: ScorePolicy, factors: FactorPolicy) -> Self {
        let facts: Vec<RuleFacts> = rules
            .rules()
            .iter()
            .filter(|rule| rule.counts())
            .map(RuleFacts::from)
            .collect();
        let silent = |rule| Verdict::of(rule, Outcome::NotApplicable);
        Self {
            silent: facts.iter().map(silent).collect(),
            rules,
            facts,
            score,
            factors,
        }
    }

    /// The rules in force.
    #[must_use]
    pub fn rules(&self) -> &RuleSet {
        &self.rules
    }

    /// Bounds of the score.
    #[must_use]
    pub fn score_policy(&self) -> &ScorePolicy {
        &self.score
    }

    /// Settings of factors and levels.
    #[must_use]
    pub fn factor_policy(&self) -> FactorPolicy {
        self.factors
    }

    /// Decides one login. Allocates nothing but the result.
    #[must_use]
    pub fn decide(&self, slots: &Slots, input: &RiskInput<'_>, scratch: &mut Scratch) -> Judgement {
        self.evaluate(slots, input, scratch);
        judge(
            &self.facts,
            &mut scratch.verdicts,
            input,
            &self.score,
            self.factors,
        )
    }

    /// What would have changed the answer to the login that `scratch` was last used for.
    #[must_use]
    pub fn counterfactual(&self, input: &RiskInput<'_>, scratch: &Scratch) -> Counterfactual {
        counterfactual(&self.facts, &scratch.verdicts, input, &self.score, self.factors)
    }

    /// Rules whose condition was true for the login that `scratch` was last used for, in the order of their ids.
    pub fn held<'a>(&'a self, scratch: &'a Scratch) -> impl Iterator<Item = &'a RuleFacts> {
        let lines = self.facts.iter().zip(&scratch.verdicts);
        lines.filter(|(_, verdict)| verdict.holds()).map(|(rule, _)| rule)
    }

    fn evaluate(&self, slots: &Slots, input: &RiskInput<'_>, scratch: &mut Scratch) {
        let is_excepted = |rule: &RuleFacts| input.excepted.iter().any(|id| **id == *rule.id);
        // Most rules are not about this login, so those that are stand out from a row of nothing.
        scratch.verdicts.clone_from(&self.silent);
        let lines = scratch.verdicts.iter_mut().zip(&self.facts);
        for ((verdict, rule), outcome) in lines.zip(self.rules.outcomes(slots)) {
            if outcome == Outcome::NotApplicable {
                continue;
            }
            *verdict = Verdict::of(rule, outcome);
            if verdict.status == LineStatus::Fired && is_excepted(rule) {
                verdict.status = LineStatus::Excepted;
            }
        }
    }
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
    let (totals, floors) = weigh(rules, verdicts, input, score);
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
        base: totals.base,
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
    let (totals, floors) = weigh(rules, verdicts, input, score);
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

fn weigh(
    rules: &[RuleFacts],
    verdicts: &mut [Verdict],
    input: &RiskInput<'_>,
    score: &ScorePolicy,
) -> (Totals, Floors) {
    let newness = NewnessPolicy::of(input.user_kind, input.maturity);
    let base = input.app.base.unwrap_or(score.base);
    let totals = settle(rules, verdicts, newness, base, score);
    (totals, Floors::of(rules, verdicts))
}
