//! The ledger in four blocks, put together from the stored lines and from what the rules in force say of the stored
//! values: stored is only what counted or could have counted, so the lines that did not apply are found again here.

use doorward_rules::{Evidence, Field, Points, Rule, RuleSet, Slots};

use super::text::named;
use super::words::signed;
use crate::event::{UserKind, Vocabulary as _};
use crate::risk::decision::{Decision, LedgerLine, LineRule, LineStatus, Scored};
use crate::risk::rule_facts::{RuleFacts, Verdict};
use crate::risk::score::{NewnessPolicy, ScorePolicy, settle};

/// The blocks, in the order in which they are shown.
const ORDER: [Evidence; 4] = [
    Evidence::Newness,
    Evidence::Attack,
    Evidence::Trust,
    Evidence::Posture,
];

/// One line of a block.
pub(super) struct Line<'a> {
    pub(super) rule: &'a Rule,
    pub(super) status: LineStatus,
    pub(super) points: Points,
    /// For `not_applicable`: the condition is true, but the rule means nothing for this user.
    pub(super) set_aside: bool,
}

/// Lines of one kind of evidence.
pub(super) struct Block<'a> {
    pub(super) evidence: Evidence,
    /// Those that count first, the strongest first.
    pub(super) lines: Vec<Line<'a>>,
    /// What the cap took off or gave back.
    pub(super) cap: Option<Points>,
}

impl Block<'_> {
    /// Lines that count, without the cap.
    pub(super) fn before_cap(&self) -> Points {
        let counted = self.lines.iter().filter(|line| line.status == LineStatus::Fired);
        counted.map(|line| line.points).sum()
    }

    pub(super) fn subtotal(&self) -> Points {
        self.before_cap().saturating_add(self.cap.unwrap_or_default())
    }

    /// The line of the same group that counts in place of a covered one.
    pub(super) fn is_covering(line: &Line<'_>, covered: &Line<'_>) -> bool {
        line.status == LineStatus::Fired
            && line.rule.group == covered.rule.group
            && line.points != Points::ZERO
    }
}

/// The whole ledger.
pub(super) struct Blocks<'a> {
    pub(super) blocks: Vec<Block<'a>>,
    /// Stored lines whose rule is not in force any more.
    pub(super) strangers: Vec<&'a LedgerLine>,
    /// Where the rules in force now would say something else, as sentences.
    pub(super) differences: Vec<String>,
}

impl<'a> Blocks<'a> {
    pub(super) fn of(
        decision: &Decision,
        scored: &'a Scored,
        slots: &Slots,
        rules: &'a RuleSet,
        policy: &ScorePolicy,
    ) -> Self {
        let mut found = Self {
            blocks: ORDER.map(|evidence| empty(evidence, scored)).into(),
            strangers: Vec::new(),
            differences: Vec::new(),
        };
        let again = again(decision, scored, slots, rules, policy);
        for line in &scored.ledger {
            let LineRule::Rule(id) = &line.rule else { continue };
            match again.iter().find(|(rule, _, _)| rule.id.as_str() == &**id) {
                Some((rule, verdict, _)) => {
                    found.differences.extend(difference(id, Some(line), *verdict));
                    found.add(Line {
                        rule,
                        status: line.status,
                        points: line.points,
                        set_aside: false,
                    });
                }
                None => match rules.rule(id) {
                    Some(rule) => found.add(Line {
                        rule,
                        status: line.status,
                        points: line.points,
                        set_aside: false,
                    }),
                    None => found.strangers.push(line),
                },
            }
        }
        for (rule, verdict, set_aside) in again {
            if stored(scored, &rule.id).is_none() {
                found.differences.extend(difference(&rule.id, None, verdict));
                let status = LineStatus::NotApplicable;
                found.add(Line {
                    rule,
                    status,
                    points: verdict.points,
                    set_aside,
                });
            }
        }
        for block in &mut found.blocks {
            block
                .lines
                .sort_by_key(|line| (rank(line.status), -line.points.hundredths().abs()));
        }
        found
    }

    /// All lines of all blocks.
    pub(super) fn lines(&self) -> impl Iterator<Item = &Line<'a>> {
        self.blocks.iter().flat_map(|block| &block.lines)
    }

    /// Points of lines that count but belong to no block.
    pub(super) fn of_strangers(&self) -> Points {
        let counted = self
            .strangers
            .iter()
            .filter(|line| line.status == LineStatus::Fired);
        counted.map(|line| line.points).sum()
    }

    fn add(&mut self, line: Line<'a>) {
        let evidence = line.rule.evidence;
        if let Some(block) = self.blocks.iter_mut().find(|block| block.evidence == evidence) {
            block.lines.push(line);
        }
    }
}

fn empty<'a>(evidence: Evidence, scored: &Scored) -> Block<'a> {
    let cap = match evidence {
        Evidence::Newness => Some(LineRule::CapNewness),
        Evidence::Trust => Some(LineRule::CapTrust),
        Evidence::Attack | Evidence::Posture => None,
    };
    let line = cap.and_then(|cap| scored.ledger.iter().find(|line| line.rule == cap));
    Block {
        evidence,
        lines: Vec::new(),
        cap: line.map(|line| line.points),
    }
}

/// What the rules in force say of the stored values: rule, settled verdict, and whether it was set aside for this user.
fn again<'a>(
    decision: &Decision,
    scored: &Scored,
    slots: &Slots,
    rules: &'a RuleSet,
    policy: &ScorePolicy,
) -> Vec<(&'a Rule, Verdict, bool)> {
    let counting: Vec<&Rule> = rules.rules().iter().filter(|rule| rule.counts()).collect();
    let facts: Vec<RuleFacts> = counting.iter().map(|rule| RuleFacts::from(*rule)).collect();
    let mut verdicts: Vec<Verdict> = counting
        .iter()
        .zip(&facts)
        .map(|(rule, facts)| Verdict::of(facts, rule.evaluate(slots)))
        .collect();
    for (facts, verdict) in facts.iter().zip(&mut verdicts) {
        let excepted = stored(scored, &facts.id).is_some_and(|line| line.status == LineStatus::Excepted);
        if excepted && verdict.status == LineStatus::Fired {
            verdict.status = LineStatus::Excepted;
        }
    }
    let alone = verdicts.clone();
    let kind = slots
        .get(Field::UserKind)
        .as_str()
        .and_then(UserKind::from_name)
        .unwrap_or_default();
    let newness = decision
        .maturity
        .map_or(NewnessPolicy::All, |maturity| NewnessPolicy::of(kind, maturity));
    settle(&facts, &mut verdicts, newness, scored.base, policy);
    let aside = alone.iter().zip(&verdicts).map(|(alone, settled)| {
        settled.status == LineStatus::NotApplicable && alone.status == LineStatus::Fired
    });
    let aside: Vec<bool> = aside.collect();
    counting
        .into_iter()
        .zip(verdicts)
        .zip(aside)
        .map(|((rule, verdict), aside)| (rule, verdict, aside))
        .collect()
}

fn stored<'a>(scored: &'a Scored, id: &str) -> Option<&'a LedgerLine> {
    scored
        .ledger
        .iter()
        .find(|line| matches!(&line.rule, LineRule::Rule(rule) if &**rule == id))
}

fn difference(id: &str, stored: Option<&LedgerLine>, now: Verdict) -> Option<String> {
    let then = stored.map_or((LineStatus::NotApplicable, now.points), |line| {
        (line.status, line.points)
    });
    let same = then.0 == now.status && then.1 == now.points;
    (!same).then(|| {
        format!(
            "`{}` said {} then and would say {} now.",
            named(id),
            said(then.0, then.1),
            said(now.status, now.points)
        )
    })
}

fn said(status: LineStatus, points: Points) -> String {
    match status {
        LineStatus::Fired => signed(points),
        LineStatus::Covered => format!("covered ({})", signed(points)),
        other => other.as_str().replace('_', " "),
    }
}

/// What counts first, what could not say in the middle, what did not apply last.
const fn rank(status: LineStatus) -> u8 {
    match status {
        LineStatus::Fired => 0,
        LineStatus::Covered => 1,
        LineStatus::Excepted => 2,
        LineStatus::Error => 3,
        LineStatus::NoData => 4,
        LineStatus::NotApplicable => 5,
    }
}
