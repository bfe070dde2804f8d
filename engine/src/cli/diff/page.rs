//! A comparison as aligned text.

use std::fmt::Write as _;

use super::compare::{Comparison, Example, File, Outcome};
use crate::telemetry::escape::escape;

/// Writing to a string cannot fail.
macro_rules! line {
    ($out:expr, $($part:tt)*) => {{ let _ = writeln!($out, $($part)*); }};
}

/// The page.
pub(super) fn page(found: &Comparison) -> String {
    let mut out = String::new();
    counts(&mut out, found);
    actions(&mut out, found);
    rules(&mut out, found);
    users(&mut out, found);
    if !found.examples.is_empty() {
        line!(
            out,
            "\nexamples, other actions first, then the widest difference of scores"
        );
        for example in &found.examples {
            one_example(&mut out, example);
        }
    }
    for file in [&found.a, &found.b] {
        malformed(&mut out, file);
    }
    if found.is_equal() {
        line!(out, "\nnothing differs");
    }
    out
}

fn counts(out: &mut String, found: &Comparison) {
    line!(
        out,
        "A  {:>10} decisions  {}",
        found.a.decisions,
        escape(&found.a.file)
    );
    line!(
        out,
        "B  {:>10} decisions  {}\n",
        found.b.decisions,
        escape(&found.b.file)
    );
    for (name, count) in [
        ("in both", found.in_both),
        ("only in A", found.only_in_a),
        ("only in B", found.only_in_b),
        ("scored in both", found.scored_in_both),
        ("scored only in A", found.scored_only_in_a),
        ("scored only in B", found.scored_only_in_b),
        ("different", found.different),
        ("  not in action, score or lines", found.different_elsewhere),
    ] {
        line!(out, "{name:<34}{count:>10}");
    }
    let asked = &found.challenges_per_1000;
    line!(
        out,
        "{:<34}{:>10.1} in A",
        "challenges per 1,000 scored in both",
        asked.a
    );
    line!(out, "{:<34}{:>10.1} in B", "", asked.b);
}

fn actions(out: &mut String, found: &Comparison) {
    if found.actions.is_empty() {
        return;
    }
    line!(out, "\n{:<10}    {:<10}{:>10}", "A", "B", "decisions");
    for pair in &found.actions {
        let (a, b) = (escape(&pair.a), escape(&pair.b));
        let mark = if a == b { "" } else { "  changed" };
        line!(out, "{a:<10} -> {b:<10}{:>10}{mark}", pair.decisions);
    }
}

fn rules(out: &mut String, found: &Comparison) {
    if found.rules.is_empty() {
        return;
    }
    let width = widest(found.rules.iter().map(|rule| rule.rule.as_str()));
    line!(
        out,
        "\n{:<width$}{:>12}{:>12}{:>14}",
        "rule",
        "only in A",
        "only in B",
        "other points"
    );
    for rule in &found.rules {
        line!(
            out,
            "{:<width$}{:>12}{:>12}{:>14}",
            escape(&rule.rule),
            rule.only_in_a,
            rule.only_in_b,
            rule.other
        );
    }
}

fn users(out: &mut String, found: &Comparison) {
    if found.users.is_empty() {
        return;
    }
    let width = widest(found.users.iter().map(|user| user.user.as_str()));
    line!(out, "\n{:<width$}{:>12}  tenant", "user", "different");
    for user in &found.users {
        line!(
            out,
            "{:<width$}{:>12}  {}",
            escape(&user.user),
            user.different,
            escape(&user.tenant)
        );
    }
}

fn one_example(out: &mut String, example: &Example) {
    let user = example.user.as_deref().unwrap_or("no user");
    line!(
        out,
        "\n{} from {}, {}",
        escape(&example.event_id),
        escape(&example.source),
        escape(user)
    );
    line!(
        out,
        "  {} -> {}",
        outcome(example.a.as_ref()),
        outcome(example.b.as_ref())
    );
    if example.lines.is_empty() {
        line!(out, "    something beside the ledger differs");
    }
    let width = widest(example.lines.iter().map(|line| line.rule.as_str()));
    for change in &example.lines {
        line!(
            out,
            "    {:<width$}  {} -> {}",
            escape(&change.rule),
            escape(change.a.as_deref().unwrap_or("absent")),
            escape(change.b.as_deref().unwrap_or("absent"))
        );
    }
}

fn outcome(outcome: Option<&Outcome>) -> String {
    match outcome {
        Some(outcome) => escape(&format!("{} {}", outcome.action, outcome.score)).into_owned(),
        None => "not scored".to_owned(),
    }
}

fn malformed(out: &mut String, file: &File) {
    let name = escape(&file.file);
    if file.malformed > 0 {
        line!(out, "");
    }
    for found in &file.malformed_lines {
        line!(
            out,
            "malformed: {name}, line {}: {}",
            found.line,
            escape(&found.why)
        );
    }
    let more = file.malformed - file.malformed_lines.len() as u64;
    if more > 0 {
        line!(out, "malformed: {name}: {more} more lines");
    }
}

fn widest<'a>(texts: impl Iterator<Item = &'a str>) -> usize {
    texts
        .map(|text| escape(text).chars().count())
        .max()
        .unwrap_or(0)
        .max(4)
}
