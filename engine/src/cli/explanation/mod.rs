//! One decision as a page for a person: what happened, the ledger line by line, how the answer follows from it, what
//! would have changed it, who is told, and the user's last logins.
//!
//! Pure: a decision with its stored values and the rules in force go in, text comes out. Everything is read from what
//! was stored with the decision; where the rules that it is shown with would say something else, the page says so. Not here:
//! finding the decision, printing, and whether the terminal wants colour.

mod blocks;
mod conclusion;
mod facts;
mod page;
mod record;
mod sentence;
mod strip;
mod table;
mod text;
mod what_if;
mod words;

use doorward_rules::{RuleSet, Slots};

use self::blocks::Blocks;
use self::page::{Page, Style};
use self::table::Table;
use self::what_if::Replay;
use crate::alerts::alert::Alert;
use crate::event::LoginEvent;
use crate::risk::counterfactual::Counterfactual;
use crate::risk::decision::{Decision, Scored};
use crate::risk::score::ScorePolicy;

/// Whose rules and bounds the page shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Those in force, which the decision was made with.
    InForce,
    /// Those of its day, from the archive: others are in force now.
    OfItsDay,
    /// Those in force, as the archive does not have those of its day any more.
    NotOfItsDay,
}

/// What a page is made from.
#[derive(Debug, Clone, Copy)]
pub struct ExplainInput<'a> {
    /// The decision, with its slots.
    pub decision: &'a Decision,
    /// The rules: their sentences, and the lines that did not apply.
    pub rules: &'a RuleSet,
    /// Bounds and caps.
    pub policy: &'a ScorePolicy,
    /// Whose rules and bounds these are.
    pub versions: Shown,
    /// What the decision engine says would have changed the answer; `None`: it is worked out from the decision alone.
    pub counterfactual: Option<&'a Counterfactual>,
    /// The event as it came in; `None` if the journal does not have it any more.
    pub event: Option<&'a LoginEvent>,
    /// Alerts about it that were raised later, when a timer fired.
    pub later: &'a [Alert],
    /// The user's last decisions up to and including this one, oldest first; at most the last 20 scored ones are shown.
    pub strip: &'a [Decision],
    /// Whether to use the colours of a terminal.
    pub colour: bool,
}

/// The page, with lines of at most `width` columns (at least 40, at most 160 are used) and a newline at its end. Texts
/// of senders are cut, and characters that move, hide or reverse text are made visible.
#[must_use]
pub fn render(input: &ExplainInput<'_>, width: usize) -> String {
    let mut page = Page::new(width, input.colour);
    let decision = input.decision;
    let stored = match decision.slots.as_slice() {
        [] => Ok(Slots::new()),
        bytes => Slots::decode(bytes),
    };
    let problem = stored.as_ref().err().map(ToString::to_string);
    let seen = stored.unwrap_or_default();
    let slots = facts::cleaned(&seen);
    page.paragraph(
        0,
        Style::Strong,
        &sentence::what_happened(decision, &slots, input.event),
    );
    if let Some(standing) = sentence::standing(decision) {
        page.paragraph(0, Style::Plain, &standing);
    }
    match &decision.scored {
        Some(scored) => explain_score(&mut page, input, scored, (&seen, &slots)),
        None => page.paragraph(0, Style::Plain, sentence::why_not_scored(decision, input.event)),
    }
    if let Some(problem) = problem {
        page.gap();
        page.paragraph(
            0,
            Style::Doubt,
            &format!("The values that the rules saw cannot be read: {problem}."),
        );
    }
    record::alerts(&mut page, decision, input.later);
    strip::draw(&mut page, input.strip, decision);
    record::record(&mut page, decision, input.versions);
    page.into_text()
}

/// Rules are asked again over the values that they saw; only their cleaned copies are shown.
fn explain_score(
    page: &mut Page,
    input: &ExplainInput<'_>,
    scored: &Scored,
    (seen, shown): (&Slots, &Slots),
) {
    let ledger = Blocks::of(input.decision, scored, seen, input.rules, input.policy);
    Table {
        page: &mut *page,
        slots: shown,
        policy: input.policy,
    }
    .draw(scored, &ledger);
    if !ledger.differences.is_empty() {
        page.gap();
        page.paragraph(
            2,
            Style::Doubt,
            "Other rules or settings are in force now than when this was decided:",
        );
        for difference in &ledger.differences {
            page.paragraph(4, Style::Plain, difference);
        }
    }
    conclusion::draw(page, scored, &ledger, input.policy);
    page.heading("WHAT WOULD HAVE CHANGED IT", "");
    for told in what_would_have_changed(input, scored, seen) {
        page.paragraph(2, Style::Plain, &told);
    }
}

fn what_would_have_changed(input: &ExplainInput<'_>, scored: &Scored, slots: &Slots) -> Vec<String> {
    if let Some(found) = input.counterfactual {
        return what_if::exact(found);
    }
    match Replay::of(scored, slots, input.rules, input.policy) {
        Some(replay) => replay.sentences(),
        None => vec!["This cannot be worked out: other rules or bounds were in force then.".to_owned()],
    }
}
