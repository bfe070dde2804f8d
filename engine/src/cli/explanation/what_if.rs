//! What would have changed the answer, from the stored decision alone.
//!
//! A decision does not hold the factors that the user has enrolled, so what a person could still have proven is not
//! known here. What is known exactly is the sum without a line (groups and caps included), the level that would have
//! been asked for, and whether the login would have been denied or held; nothing else is said.

use doorward_rules::{Field, RuleSet, Slots};

use super::text::and;
use super::words::{answer, fixed};
use crate::event::{Sensitivity, Vocabulary as _};
use crate::risk::action::{AppPolicy, Choice, Floors, Reach, Situation};
use crate::risk::counterfactual::Counterfactual;
use crate::risk::decision::{Action, Level, LineRule, LineStatus, Scored};
use crate::risk::rule_facts::{RuleFacts, Verdict};
use crate::risk::score::{NewnessPolicy, ScorePolicy, Totals, settle};

/// Lines that are told one by one; the others are only named.
const TOLD_MAX: usize = 3;

/// A stored ledger, laid out so that it can be added up again with one thing changed.
pub(super) struct Replay<'a> {
    scored: &'a Scored,
    policy: &'a ScorePolicy,
    app: AppPolicy,
    rules: Vec<RuleFacts>,
    verdicts: Vec<Verdict>,
}

impl<'a> Replay<'a> {
    /// `None` if the rules or bounds in force now would not give the sum and the level that were stored: then nothing
    /// sound can be said.
    pub(super) fn of(
        scored: &'a Scored,
        slots: &Slots,
        rules: &RuleSet,
        policy: &'a ScorePolicy,
    ) -> Option<Self> {
        let sensitivity = slots
            .get(Field::AppSensitivity)
            .as_str()
            .and_then(Sensitivity::from_name);
        let mut replay = Self {
            scored,
            policy,
            app: AppPolicy {
                sensitivity: sensitivity.unwrap_or_default(),
                ..AppPolicy::default()
            },
            rules: Vec::new(),
            verdicts: Vec::new(),
        };
        for line in &scored.ledger {
            let LineRule::Rule(id) = &line.rule else { continue };
            replay.rules.push(RuleFacts::from(rules.rule(id)?));
            let status = if line.status == LineStatus::Covered {
                LineStatus::Fired
            } else {
                line.status
            };
            replay.verdicts.push(Verdict {
                status,
                points: line.points,
            });
        }
        let (totals, choice) = replay.answer(None, scored.achieved);
        (totals.sum == scored.sum && choice.required == scored.required).then_some(replay)
    }

    /// The answer with one line left out or another level proven. A factor that could prove more is taken to exist:
    /// `StepUp` means "more proof was needed".
    fn answer(&self, left_out: Option<usize>, achieved: Level) -> (Totals, Choice) {
        let mut verdicts = self.verdicts.clone();
        if let Some(verdict) = left_out.and_then(|at| verdicts.get_mut(at)) {
            verdict.status = LineStatus::NotApplicable;
        }
        let totals = settle(
            &self.rules,
            &mut verdicts,
            NewnessPolicy::All,
            self.scored.base,
            self.policy,
        );
        let floors = Floors::of(&self.rules, &verdicts);
        let situation = Situation {
            totals: &totals,
            floors: &floors,
            achieved,
            app: &self.app,
            policy: self.policy,
        };
        (totals, situation.choose(|| Reach::NotTold))
    }

    /// Sentences for a person, at least one.
    pub(super) fn sentences(&self) -> Vec<String> {
        let (_, actual) = self.answer(None, self.scored.achieved);
        let mut changes = self.changes(&actual);
        changes.sort_by_key(|(weight, _, _)| *weight);
        let mut told: Vec<String> = changes
            .iter()
            .take(TOLD_MAX)
            .map(|(_, _, sentence)| sentence.clone())
            .collect();
        let others: Vec<String> = changes
            .iter()
            .skip(TOLD_MAX)
            .map(|(_, rule, _)| format!("`{rule}`"))
            .collect();
        if !others.is_empty() {
            told.push(format!("The answer also hangs on {}.", and(&others)));
        }
        if told.is_empty() {
            told.push(self.nothing_changes(&actual));
        }
        told.extend(self.with_level(&actual));
        told
    }

    /// Weight, rule and sentence of every line without which the answer would have been another.
    fn changes(&self, actual: &Choice) -> Vec<(i32, &str, String)> {
        let lines = self.rules.iter().zip(&self.verdicts).enumerate();
        let counted = lines.filter(|(_, (_, verdict))| verdict.holds());
        counted
            .filter_map(|(at, (rule, verdict))| {
                let (totals, other) = self.answer(Some(at), self.scored.achieved);
                let then = self.then(actual, &other)?;
                let score = totals.sum.hundredths().clamp(0, 10_000);
                let score = fixed(doorward_rules::Points::from_hundredths(score));
                let sentence = format!(
                    "Without `{}` the score would have been {score}, and {then}.",
                    rule.id
                );
                Some((verdict.points.hundredths().abs(), &*rule.id, sentence))
            })
            .collect()
    }

    /// What would have followed, if that is another answer and known to be.
    fn then(&self, actual: &Choice, other: &Choice) -> Option<String> {
        let level = other.required.number();
        let unchanged = other.action == actual.action && other.required == actual.required;
        // Another level for a login that lacked proof: only a step-up that was given tells that a factor leads there.
        let same_kind = other.action == actual.action;
        match other.action {
            _ if unchanged => None,
            Action::Allow if self.scored.action == Action::Allow => None,
            Action::Allow if other.required <= self.scored.achieved => {
                Some(format!("level {level} would have been enough: allow"))
            }
            Action::StepUp if same_kind && self.scored.action != Action::StepUp => None,
            Action::StepUp => Some(format!("level {level} would have been asked for")),
            _ if same_kind => None,
            Action::Allow | Action::Hold | Action::Deny => {
                Some(format!("the answer would have been: {}", answer(other.action)))
            }
        }
    }

    fn nothing_changes(&self, actual: &Choice) -> String {
        let of_one = "No single line changes the answer";
        match (actual.action, self.scored.action) {
            (Action::Allow, _) => {
                format!(
                    "{of_one}: without any one of them level {} is still enough.",
                    self.scored.achieved.number()
                )
            }
            (Action::StepUp, Action::StepUp) => {
                format!(
                    "{of_one}: without any one of them more than level {} is asked for.",
                    self.scored.achieved.number()
                )
            }
            (Action::StepUp, _) => "Without any one line the login would still have lacked proof.".to_owned(),
            _ => format!("{of_one}."),
        }
    }

    /// The lowest level that would have led to another answer.
    fn with_level(&self, actual: &Choice) -> Option<String> {
        let levels = [Level::Two, Level::Three]
            .into_iter()
            .filter(|level| *level > self.scored.achieved);
        levels
            .map(|level| (level, self.answer(None, level).1.action))
            .find(|(_, action)| *action != actual.action && *action != self.scored.action)
            .map(|(level, action)| had_been_proven(level, action))
    }
}

/// The same from the decision engine itself, which knew the factors.
pub(super) fn exact(found: &Counterfactual) -> Vec<String> {
    let mut told = Vec::new();
    match &found.without {
        Some((rule, action)) => {
            told.push(format!(
                "Without `{rule}` the answer would have been: {}.",
                answer(*action)
            ));
        }
        None => told.push("No single line changes the answer.".to_owned()),
    }
    told.extend(
        found
            .with_level
            .map(|(level, action)| had_been_proven(level, action)),
    );
    told
}

fn had_been_proven(level: Level, action: Action) -> String {
    format!(
        "Had level {} been proven, the answer would have been: {}.",
        level.number(),
        answer(action)
    )
}
