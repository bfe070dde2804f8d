//! What else the decision holds: who is told, what was missing, and how to find it again.

use super::Shown;
use super::page::{Page, Style};
use super::text::named;
use super::words::{alert, exact_time, held_back, maturity, missing_input, span};
use crate::alerts::alert::Alert;
use crate::risk::decision::{AlertLine, Decision, DeviceState, Mode};

/// Columns of the labels.
const LABEL: usize = 12;
/// Hex digits of a hash that tell two apart.
const SHORT_HASH: usize = 12;
/// An event that came later than this is worth a word, in microseconds.
const LATE: i64 = 5_000_000;

/// Who is told, at once and later.
pub(super) fn alerts(page: &mut Page, decision: &Decision, later: &[Alert]) {
    page.heading("WHO IS TOLD", "");
    if decision.alerts.is_empty() && later.is_empty() {
        page.paragraph(2, Style::Plain, nobody(decision));
    }
    for line in &decision.alerts {
        page.paragraph(2, Style::Plain, &told(line));
    }
    for alert in later {
        let when = format!("This came of it later, at {}.", exact_time(alert.created));
        page.paragraph(2, Style::Plain, &format!("{} {when}", told(&alert.line())));
    }
}

/// A failure on a device that is not known may be one of several that a later mail counts, which names only the first.
fn nobody(decision: &Decision) -> &'static str {
    let is_failure = decision.outcome.as_deref() == Some("failure") && decision.scored.is_none();
    let is_unknown = decision
        .device
        .as_ref()
        .is_some_and(|device| matches!(device.state, DeviceState::New | DeviceState::Conflict));
    if is_failure && is_unknown && decision.user_id.is_some() && decision.mode != Mode::Off {
        "Nobody was told because of this event alone. Wrong passwords on a device that is not known may be told later, \
         several in one mail."
    } else {
        "Nobody was told because of this event."
    }
}

fn told(line: &AlertLine) -> String {
    let kind = named(&line.kind);
    let what = alert(&line.kind).map_or_else(|| format!("`{kind}`"), |words| format!("{words} (`{kind}`)"));
    let to = match &*line.to {
        "owner" => "The owner".to_owned(),
        "analyst" => "An analyst".to_owned(),
        "application" => "The application".to_owned(),
        other => format!("`{}`", named(other)),
    };
    match line.held_back.as_deref() {
        None => format!("{to} is told: {what}."),
        Some(why) => {
            let code = named(why);
            let words =
                held_back(why).map_or_else(|| format!("`{code}`"), |words| format!("{words} (`{code}`)"));
            format!("{to} is not told: {what}. Held back: {words}.")
        }
    }
}

/// What was missing, how much was known, and the decision's own data.
pub(super) fn record(page: &mut Page, decision: &Decision, shown: Shown) {
    page.heading("RECORD", "");
    if let Some(known) = decision.maturity {
        page.labelled("history", LABEL, maturity(known));
    }
    if let Some(device) = &decision.device {
        page.labelled(
            "device",
            LABEL,
            &format!("{}, {}", device.state.as_str(), named(&device.name)),
        );
    }
    for (at, input) in decision.degraded.iter().enumerate() {
        let input = named(input);
        let words = missing_input(&input).map_or(String::new(), |words| format!(": {words}"));
        page.labelled(
            if at == 0 { "missing" } else { "" },
            LABEL,
            &format!("{input}{words}"),
        );
    }
    page.labelled(
        "event",
        LABEL,
        &format!("{} of {}", named(&decision.event_id), named(&decision.source)),
    );
    if &*decision.tenant != "default" {
        page.labelled("tenant", LABEL, &named(&decision.tenant));
    }
    page.labelled("happened", LABEL, &exact_time(decision.time));
    page.labelled(
        "decided",
        LABEL,
        &format!("{}{}", exact_time(decision.now), lateness(decision)),
    );
    let revision = match decision.revision {
        0 => String::new(),
        number => format!(", revision {number}"),
    };
    page.labelled(
        "decision",
        LABEL,
        &format!("{}, seq {}{revision}", decision.id, decision.seq),
    );
    let versions: String = decision.versions.to_string().chars().take(SHORT_HASH).collect();
    let versions = format!("{versions} (rules, lists, places, settings, program)");
    page.labelled("versions", LABEL, &versions);
    match shown {
        Shown::InForce => {}
        Shown::OfItsDay => page.labelled(
            "",
            LABEL,
            "others are in force now; rules and bounds are shown as they were, from the archive",
        ),
        Shown::NotOfItsDay => page.labelled(
            "",
            LABEL,
            "the archive does not have them any more; rules and bounds are shown as they are now",
        ),
    }
    page.labelled("mode", LABEL, decision.mode.as_str());
}

fn lateness(decision: &Decision) -> String {
    match decision.now.saturating_sub(decision.time) {
        late if late > LATE => format!(", {} after it happened", span(late)),
        early if early < -LATE => format!(", {} before the sender's clock says it happened", span(early)),
        _ => String::new(),
    }
}
