//! The user's last logins, oldest first: one symbol each as a strip, then a line each.

use doorward_rules::{Field, Slots};

use super::page::{Cell, Page, Style};
use super::text::{cut, named};
use super::words::{answer, fixed, short_time, symbol};
use crate::risk::decision::{Action, Decision, Scored};

/// Logins that are shown.
const SHOWN_MAX: usize = 20;
/// From this width on, the name of the device is shown too.
const WIDE_FROM: usize = 90;
const TIME_COLUMNS: usize = 16;
const STATE_COLUMNS: usize = 9;
const ANSWER_COLUMNS: usize = 7;
const SCORE_COLUMNS: usize = 6;

pub(super) fn draw(page: &mut Page, strip: &[Decision], current: &Decision) {
    let scored: Vec<(&Decision, &Scored)> = strip
        .iter()
        .filter_map(|decision| Some((decision, decision.scored.as_ref()?)))
        .collect();
    let shown = scored
        .get(scored.len().saturating_sub(SHOWN_MAX)..)
        .unwrap_or_default();
    if shown.is_empty() {
        return;
    }
    let is_shown = shown.iter().any(|(decision, _)| decision.id == current.id);
    page.heading(
        "LAST LOGINS",
        if is_shown {
            "of this user, oldest first, this one marked with >"
        } else {
            "of this user before it, oldest first"
        },
    );
    let symbols: Vec<&str> = shown.iter().map(|(_, scored)| symbol(scored.action)).collect();
    page.paragraph(2, Style::Strong, &symbols.join(" "));
    let legend: Vec<String> = Action::ALL
        .iter()
        .map(|action| format!("{} {}", symbol(*action), answer(*action)))
        .collect();
    page.paragraph(2, Style::Faint, &legend.join("   "));
    page.gap();
    header(page);
    for (decision, scored) in shown {
        line(page, decision, scored, decision.id == current.id);
    }
}

/// Columns for where, and for the name of the device if there is room.
fn flexible(page: &Page) -> (usize, Option<usize>) {
    let fixed = 1 + 2 + TIME_COLUMNS + 2 + STATE_COLUMNS + 2 + SCORE_COLUMNS + 2 + ANSWER_COLUMNS + 2;
    let free = page.width().saturating_sub(fixed);
    match page.width() >= WIDE_FROM {
        true => (free / 2, Some((free - free / 2).saturating_sub(2))),
        false => (free, None),
    }
}

fn row(page: &mut Page, style: Style, mark: &str, texts: [&str; 6]) {
    let (place, name) = flexible(page);
    let [time, score, said, state, device, place_text] = texts;
    let cell = |width: usize, text: &str| Cell::new(width).with(style, &cut(text, width));
    let mut cells = vec![
        cell(1, mark),
        cell(TIME_COLUMNS, time),
        cell(SCORE_COLUMNS, score).right(),
        cell(ANSWER_COLUMNS, said),
        cell(STATE_COLUMNS, state),
    ];
    cells.extend(name.map(|width| cell(width, device)));
    cells.push(cell(place, place_text));
    page.row(0, &cells);
}

fn header(page: &mut Page) {
    row(
        page,
        Style::Faint,
        "",
        ["when (UTC)", "score", "answer", "device", "", "from"],
    );
}

fn line(page: &mut Page, decision: &Decision, scored: &Scored, is_current: bool) {
    let slots = Slots::decode(&decision.slots).unwrap_or_default();
    let (state, name) = match &decision.device {
        Some(device) => (device.state.as_str(), named(&device.name)),
        None => ("", String::new()),
    };
    let style = match scored.action {
        Action::Allow => Style::Plain,
        Action::StepUp => Style::Doubt,
        Action::Hold | Action::Deny => Style::Bad,
    };
    let time = short_time(decision.time);
    let texts = [
        &*time,
        &fixed(scored.score()),
        answer(scored.action),
        state,
        &name,
        &place(&slots),
    ];
    row(page, style, if is_current { ">" } else { "" }, texts);
}

/// `DK Nordvig Fiber`, as far as known.
fn place(slots: &Slots) -> String {
    let text = |field| slots.get(field).as_str().map(named);
    let number = slots
        .get(Field::NetworkAsn)
        .as_int()
        .map(|number| format!("AS{number}"));
    let parts = [
        text(Field::NetworkCountry),
        text(Field::NetworkOrganisation).or(number),
    ];
    let known: Vec<String> = parts.into_iter().flatten().collect();
    match known.is_empty() {
        true => text(Field::ClientIp).unwrap_or_else(|| "unknown".to_owned()),
        false => known.join(" "),
    }
}
