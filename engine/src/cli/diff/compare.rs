//! Holds two files against each other. Pure; what comes out depends on the files alone, not on the order of a table.

use std::collections::BTreeMap;

use serde::Serialize;

use super::read::{Entry, Kept, Malformed, Names, Side, Verdict};

/// Everything that is printed.
#[derive(Debug, Serialize)]
pub(super) struct Comparison {
    pub(super) a: File,
    pub(super) b: File,
    pub(super) in_both: u64,
    pub(super) only_in_a: u64,
    pub(super) only_in_b: u64,
    pub(super) scored_in_both: u64,
    /// Scored in one of the two, though the event is in both.
    pub(super) scored_only_in_a: u64,
    pub(super) scored_only_in_b: u64,
    /// Of those in both: action, score, a line or anything else differs.
    pub(super) different: u64,
    /// Of those: neither action, score nor a line differs.
    pub(super) different_elsewhere: u64,
    pub(super) actions: Vec<ActionPair>,
    pub(super) challenges_per_1000: Challenges,
    pub(super) rules: Vec<RuleChange>,
    pub(super) users: Vec<UserChange>,
    pub(super) examples: Vec<Example>,
}

/// One of the files.
#[derive(Debug, Serialize)]
pub(super) struct File {
    pub(super) file: String,
    pub(super) decisions: u64,
    pub(super) malformed: u64,
    pub(super) malformed_lines: Vec<Malformed>,
}

#[derive(Debug, Serialize)]
pub(super) struct ActionPair {
    pub(super) a: String,
    pub(super) b: String,
    pub(super) decisions: u64,
}

/// `step_up` and `hold` of 1,000 decisions scored in both files.
#[derive(Debug, Default, Serialize)]
pub(super) struct Challenges {
    pub(super) a: f64,
    pub(super) b: f64,
}

#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize)]
pub(super) struct RuleChange {
    pub(super) rule: String,
    pub(super) only_in_a: u64,
    pub(super) only_in_b: u64,
    /// In both, with other points or another status.
    pub(super) other: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct UserChange {
    pub(super) tenant: String,
    pub(super) user: String,
    pub(super) different: u64,
}

#[derive(Debug, Serialize)]
pub(super) struct Example {
    pub(super) tenant: String,
    pub(super) source: String,
    pub(super) event_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user: Option<String>,
    pub(super) a: Option<Outcome>,
    pub(super) b: Option<Outcome>,
    pub(super) lines: Vec<LineChange>,
}

#[derive(Debug, Serialize)]
pub(super) struct Outcome {
    pub(super) action: String,
    /// Exact decimal.
    pub(super) score: String,
}

/// A line of the ledger that differs; points and status in words.
#[derive(Debug, Serialize)]
pub(super) struct LineChange {
    pub(super) rule: String,
    pub(super) a: Option<String>,
    pub(super) b: Option<String>,
}

impl Comparison {
    /// Whether nothing differs and every line could be read.
    pub(super) fn is_equal(&self) -> bool {
        self.only_in_a + self.only_in_b + self.different + self.a.malformed + self.b.malformed == 0
    }
}

/// Compares; names at most `most` users and examples.
pub(super) fn compare(a: &Side, b: &Side, names: &Names, most: usize) -> Comparison {
    let mut pairs: Vec<(&Kept, &Kept)> = a
        .kept
        .iter()
        .filter_map(|(key, before)| Some((before, b.kept.get(key)?)))
        .collect();
    pairs.sort_unstable_by_key(|(before, _)| before.line);
    let in_both = pairs.len() as u64;
    let differing: Vec<_> = pairs.iter().copied().filter(|(a, b)| differs(a, b)).collect();
    let scored: Vec<_> = pairs
        .iter()
        .filter_map(|(a, b)| Some((a.verdict.as_ref()?, b.verdict.as_ref()?)))
        .collect();
    let only = |one: fn(&Kept) -> bool, other: fn(&Kept) -> bool| {
        pairs.iter().filter(|(a, b)| one(a) && other(b)).count() as u64
    };
    Comparison {
        in_both,
        only_in_a: a.kept.len() as u64 - in_both,
        only_in_b: b.kept.len() as u64 - in_both,
        scored_in_both: scored.len() as u64,
        scored_only_in_a: only(|a| a.verdict.is_some(), |b| b.verdict.is_none()),
        scored_only_in_b: only(|a| a.verdict.is_none(), |b| b.verdict.is_some()),
        different: differing.len() as u64,
        different_elsewhere: differing.iter().filter(|(a, b)| a.verdict == b.verdict).count() as u64,
        actions: actions(&scored, names),
        challenges_per_1000: challenges(&scored, names),
        rules: rules(&scored, names),
        users: users(&differing, names, most),
        examples: examples(differing, names, most),
        a: file(a),
        b: file(b),
    }
}

fn file(side: &Side) -> File {
    File {
        file: side.file.clone(),
        decisions: side.kept.len() as u64,
        malformed: side.malformed_count,
        malformed_lines: side.malformed.clone(),
    }
}

fn differs(a: &Kept, b: &Kept) -> bool {
    a.verdict != b.verdict || a.rest != b.rest || a.user != b.user
}

fn actions(scored: &[(&Verdict, &Verdict)], names: &Names) -> Vec<ActionPair> {
    let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for (a, b) in scored {
        *counts
            .entry((names.text(a.action), names.text(b.action)))
            .or_default() += 1;
    }
    let pairs = counts.into_iter().map(|((a, b), decisions)| ActionPair {
        a: a.to_owned(),
        b: b.to_owned(),
        decisions,
    });
    pairs.collect()
}

fn challenges(scored: &[(&Verdict, &Verdict)], names: &Names) -> Challenges {
    let asks = |verdict: &Verdict| matches!(names.text(verdict.action), "step_up" | "hold");
    let per_1000 = |asked: usize| match scored.len() {
        0 => 0.0,
        // Tenths, so that the same figure stands in text and JSON.
        all => ((asked * 10_000 + all / 2) / all) as f64 / 10.0,
    };
    Challenges {
        a: per_1000(scored.iter().filter(|(a, _)| asks(a)).count()),
        b: per_1000(scored.iter().filter(|(_, b)| asks(b)).count()),
    }
}

/// Lines of two ledgers that differ, by rule: in A, in B.
fn line_changes(a: &Verdict, b: &Verdict) -> Vec<(Option<Entry>, Option<Entry>)> {
    let mut changes = Vec::new();
    for line in &a.ledger {
        let other = b.ledger.iter().find(|other| other.rule == line.rule);
        if other != Some(line) {
            changes.push((Some(*line), other.copied()));
        }
    }
    for line in &b.ledger {
        if a.ledger.iter().all(|other| other.rule != line.rule) {
            changes.push((None, Some(*line)));
        }
    }
    changes
}

fn rules(scored: &[(&Verdict, &Verdict)], names: &Names) -> Vec<RuleChange> {
    let mut by_rule: BTreeMap<&str, RuleChange> = BTreeMap::new();
    for change in scored.iter().flat_map(|(a, b)| line_changes(a, b)) {
        let Some(line) = change.0.or(change.1) else {
            continue;
        };
        let counts = by_rule.entry(names.text(line.rule)).or_default();
        match change {
            (Some(_), None) => counts.only_in_a += 1,
            (None, _) => counts.only_in_b += 1,
            (Some(_), Some(_)) => counts.other += 1,
        }
    }
    let named = by_rule.into_iter().map(|(rule, counts)| RuleChange {
        rule: rule.to_owned(),
        ..counts
    });
    named.collect()
}

fn users(differing: &[(&Kept, &Kept)], names: &Names, most: usize) -> Vec<UserChange> {
    let mut counts: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for (a, _) in differing {
        if let Some(user) = a.user {
            *counts
                .entry((names.text(a.tenant), names.text(user)))
                .or_default() += 1;
        }
    }
    let mut users: Vec<_> = counts
        .into_iter()
        .map(|((tenant, user), different)| UserChange {
            tenant: tenant.to_owned(),
            user: user.to_owned(),
            different,
        })
        .collect();
    // Stable: equal ones stay in the order of their names.
    users.sort_by_key(|user| std::cmp::Reverse(user.different));
    users.truncate(most);
    users
}

/// Other actions first, then the widest difference of scores, then the order of the file.
fn examples(mut differing: Vec<(&Kept, &Kept)>, names: &Names, most: usize) -> Vec<Example> {
    differing.sort_by_key(|(a, b)| {
        let action = |kept: &Kept| kept.verdict.as_ref().map(|verdict| verdict.action);
        let score = |kept: &Kept| {
            kept.verdict
                .as_ref()
                .map_or(0, |verdict| verdict.score.hundredths())
        };
        (action(a) == action(b), -(score(a) - score(b)).abs())
    });
    differing
        .into_iter()
        .take(most)
        .map(|(a, b)| example(a, b, names))
        .collect()
}

fn example(a: &Kept, b: &Kept, names: &Names) -> Example {
    let outcome = |kept: &Kept| {
        kept.verdict.as_ref().map(|verdict| Outcome {
            action: names.text(verdict.action).to_owned(),
            score: verdict.score.to_string(),
        })
    };
    let words = |line: Entry| format!("{} {}", line.points, names.text(line.status));
    let lines = match (&a.verdict, &b.verdict) {
        (Some(a), Some(b)) => line_changes(a, b),
        _ => Vec::new(),
    };
    let lines = lines.into_iter().filter_map(|(a, b)| {
        Some(LineChange {
            rule: names.text(a.or(b)?.rule).to_owned(),
            a: a.map(words),
            b: b.map(words),
        })
    });
    Example {
        tenant: names.text(a.tenant).to_owned(),
        source: names.text(a.source).to_owned(),
        event_id: a.event_id.to_string(),
        user: a.user.map(|user| names.text(user).to_owned()),
        a: outcome(a),
        b: outcome(b),
        lines: lines.collect(),
    }
}
