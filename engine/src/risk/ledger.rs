//! The ledger: every line that explains the sum, with the caps as the last ones. `base` + points of fired lines = sum.

use std::sync::Arc;

use doorward_rules::Points;

use super::decision::{LedgerLine, LineRule, LineStatus};
use super::rule_facts::{RuleFacts, Verdict};
use super::score::Totals;

/// All lines but `not_applicable` ones, in the order of the rules; a cap that bites comes last.
#[must_use]
pub fn lines(rules: &[RuleFacts], verdicts: &[Verdict], totals: &Totals) -> Vec<LedgerLine> {
    let shown = |verdict: &Verdict| verdict.status != LineStatus::NotApplicable;
    let caps = [
        (LineRule::CapNewness, totals.newness_cut),
        (LineRule::CapTrust, totals.trust_given_back),
    ];
    let mut ledger = Vec::with_capacity(verdicts.iter().filter(|v| shown(v)).count() + caps.len());
    for (rule, verdict) in rules.iter().zip(verdicts).filter(|(_, verdict)| shown(verdict)) {
        ledger.push(LedgerLine {
            rule: LineRule::Rule(Arc::clone(&rule.id)),
            status: verdict.status,
            points: verdict.points,
        });
    }
    for (rule, points) in caps {
        if points != Points::ZERO {
            ledger.push(LedgerLine {
                rule,
                status: LineStatus::Fired,
                points,
            });
        }
    }
    ledger
}
