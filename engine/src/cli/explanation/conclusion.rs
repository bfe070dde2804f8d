//! From the sum to the answer: the sum by blocks, where it lies among the bounds, what was asked for and proven, and
//! which factors could have helped.

use doorward_rules::Points;

use super::blocks::Blocks;
use super::page::{Cell, Page, Style};
use super::text::{columns, named};
use super::words::{answer, block, fixed, level};
use crate::risk::decision::{Action, FactorChoice, Level, LineStatus, Scored, StepUp};
use crate::risk::json::band;
use crate::risk::rule_facts::may_deny;
use crate::risk::score::ScorePolicy;

/// Columns of the labels.
const LABEL: usize = 12;
/// Longest axis, so that one column is one point.
const AXIS_COLUMNS_MAX: usize = 101;

pub(super) fn draw(page: &mut Page, scored: &Scored, ledger: &Blocks<'_>, policy: &ScorePolicy) {
    page.heading("SUM", "");
    page.paragraph(2, Style::Plain, &sum(scored, ledger));
    page.gap();
    scale(page, scored.score(), policy);
    page.gap();
    let bounds = format!(
        "level 2 from {}, level 3 from {}, deny from {} with an attack line about device, guessing, crowd or session",
        policy.level2_from, policy.level3_from, policy.deny_from
    );
    page.labelled("bounds", LABEL, &bounds);
    page.labelled("asked for", LABEL, level(scored.required));
    page.labelled("proven", LABEL, level(scored.achieved));
    page.labelled(
        "answer",
        LABEL,
        &format!("{}: {}", answer(scored.action), why(scored, ledger, policy)),
    );
    if let Some(step_up) = &scored.step_up {
        advice(page, step_up);
    }
}

fn sum(scored: &Scored, ledger: &Blocks<'_>) -> String {
    let mut told = format!("base {}", fixed(scored.base));
    for part in &ledger.blocks {
        told.push_str(&format!(
            " + {} {}",
            block(part.evidence).0.to_lowercase(),
            fixed(part.subtotal())
        ));
    }
    if !ledger.strangers.is_empty() {
        told.push_str(&format!(" + other {}", fixed(ledger.of_strangers())));
    }
    told.push_str(&format!(" = {}", fixed(scored.sum)));
    told
}

/// An axis from 0 to 100 with the bounds below it and the score above.
fn scale(page: &mut Page, score: Points, policy: &ScorePolicy) {
    let length = page.width().saturating_sub(4).min(AXIS_COLUMNS_MAX);
    let at = |points: Points| {
        let hundredths = points.hundredths().clamp(0, 10_000).unsigned_abs() as usize;
        hundredths * length.saturating_sub(1) / 10_000
    };
    let bounds = [
        (policy.level2_from, "level 2"),
        (policy.level3_from, "level 3"),
        (policy.deny_from, "deny"),
    ];
    let mut axis: Vec<char> = std::iter::repeat_n('─', length).collect();
    let ticks = bounds.iter().map(|(points, _)| (at(*points), '┬'));
    for (place, tick) in ticks.chain([(0, '├'), (length.saturating_sub(1), '┤')]) {
        if let Some(cell) = axis.get_mut(place) {
            *cell = tick;
        }
    }
    let mut below = String::from("0");
    for (points, name) in bounds {
        let label = format!("{points} {name}");
        let start = at(points);
        if start > columns(&below) && start + columns(&label) <= length {
            below.extend(std::iter::repeat_n(' ', start - columns(&below)));
            below.push_str(&label);
        }
    }
    let marker = marker(score, at(score), length, band(score, policy));
    let axis: String = axis.into_iter().collect();
    for (line, style) in [
        (marker, Style::Strong),
        (axis, Style::Plain),
        (below, Style::Faint),
    ] {
        page.row(2, &[Cell::new(length).verbatim(style, &line)]);
    }
}

fn marker(score: Points, place: usize, length: usize, band: &str) -> String {
    let label = format!("score {} of 100: {band}", fixed(score));
    if place + 2 + columns(&label) <= length {
        format!("{}▼ {label}", " ".repeat(place))
    } else {
        format!(
            "{}{label} ▼",
            " ".repeat(place.saturating_sub(columns(&label) + 1))
        )
    }
}

/// Why this answer follows, in the order in which the decision looks at things.
fn why(scored: &Scored, ledger: &Blocks<'_>, policy: &ScorePolicy) -> String {
    let (asked, proven) = (scored.required.number(), scored.achieved.number());
    match scored.action {
        Action::Allow if proven >= asked => "what was proven is enough".to_owned(),
        Action::Allow => format!(
            "level {asked} was asked for and {proven} proven, but no factor of the user leads further and attack lines \
             are too weak to hold the login, so the application's setting `unreachable` or a rule let it pass"
        ),
        Action::StepUp => step_up_why(scored),
        Action::Hold => {
            "the owner has to approve from somewhere that the risk does not touch: a rule asks for it, or \
             no factor of the user leads further while attack lines speak or the application is sensitive"
                .to_owned()
        }
        Action::Deny => deny_why(scored, ledger, policy),
    }
}

fn step_up_why(scored: &Scored) -> String {
    let asked = scored.required.number();
    match &scored.step_up {
        Some(step_up) if step_up.enrolled_max.is_none() => format!(
            "prove level {}; the application did not tell which factors the user has, so it has to find one",
            step_up.level
        ),
        Some(step_up) if step_up.level < asked => {
            format!(
                "prove level {}; the user's factors do not lead to level {asked}",
                step_up.level
            )
        }
        Some(step_up) => format!("prove level {}", step_up.level),
        None => format!("prove level {asked}"),
    }
}

fn deny_why(scored: &Scored, ledger: &Blocks<'_>, policy: &ScorePolicy) -> String {
    let attacks: Vec<String> = ledger
        .lines()
        .filter(|line| line.rule.evidence == doorward_rules::Evidence::Attack && may_deny(line.rule.group))
        .filter(|line| matches!(line.status, LineStatus::Fired | LineStatus::Covered))
        .map(|line| format!("`{}`", line.rule.id))
        .collect();
    let by_score = scored.sum >= policy.deny_from && scored.achieved < Level::Three && !attacks.is_empty();
    match by_score {
        true => format!(
            "the score is {} or more, {} speaks of an attack, and nothing bound to the page was proven",
            policy.deny_from,
            super::text::and(&attacks)
        ),
        false => "a rule says so, or the application's setting `unreachable`".to_owned(),
    }
}

fn advice(page: &mut Page, step_up: &StepUp) {
    let listed = |choices: &[FactorChoice]| -> Vec<String> {
        choices
            .iter()
            .map(|choice| format!("{}: {}", named(&choice.id), choice.why))
            .collect()
    };
    for (label, choices) in [
        ("may be used", listed(&step_up.factors)),
        ("may not", listed(&step_up.rejected)),
    ] {
        for (at, choice) in choices.iter().enumerate() {
            page.labelled(if at == 0 { label } else { "" }, LABEL, choice);
        }
    }
    if step_up.factors.is_empty() && step_up.enrolled_max.is_some() {
        page.labelled("may be used", LABEL, "none of the user's factors");
    }
    if let Some(usual) = step_up.usual {
        page.labelled(
            "usually",
            LABEL,
            &format!("most of the user's logins in 90 days proved level {usual}"),
        );
    }
    if let Some(most) = step_up.enrolled_max {
        page.labelled(
            "at most",
            LABEL,
            &format!("the user's factors lead to level {most} when sound and mature"),
        );
    }
}
