//! One sentence of what happened, for somebody who reads nothing else.

use doorward_rules::{Field, Slots};

use super::text::named;
use super::words::{answer, device_was, long_time};
use crate::event::{EventType, LoginEvent, OWN_SOURCE, Stage};
use crate::risk::decision::{Action, Decision, Mode};

/// What happened and what Doorward said to it.
pub(super) fn what_happened(decision: &Decision, slots: &Slots, event: Option<&LoginEvent>) -> String {
    let mut told = format!("On {} UTC{} ", long_time(decision.time), local_hour(slots));
    told.push_str(&who_did_what(decision, slots, event));
    told.push_str(&from_where(slots));
    if let Some(device) = &decision.device {
        let name = named(&device.name);
        let name = if name == "(empty)" {
            "unknown software".to_owned()
        } else {
            name
        };
        told.push_str(&format!(" with {name}; the device {}", device_was(device.state)));
    }
    match &decision.scored {
        Some(scored) => told.push_str(&format!(", and the answer was: {}.", answer(scored.action))),
        None => told.push('.'),
    }
    told
}

/// What became of the advice, where that is not plain.
pub(super) fn standing(decision: &Decision) -> Option<String> {
    let action = decision.scored.as_ref().map(|scored| scored.action);
    let ignored = decision.outcome.as_deref() == Some("success")
        && action.is_some_and(|action| action != Action::Allow);
    let mut told = Vec::new();
    if ignored {
        told.push("The application had let them in already, against this advice.");
    }
    if decision.mode == Mode::Monitor {
        told.push("Decisions are only recorded here (mode `monitor`): the application does not act on them.");
    }
    if decision.mode == Mode::Off {
        told.push("Nothing is scored here (mode `off`): events are only recorded and learned.");
    }
    if !decision.final_verdict {
        told.push("This was a fallback, made when the time was up before everything was known.");
    }
    if decision.revision > 0 {
        told.push("This verdict replaces an earlier one about the same event.");
    }
    (!told.is_empty()).then(|| told.join(" "))
}

/// Why there is no ledger.
pub(super) fn why_not_scored(decision: &Decision, event: Option<&LoginEvent>) -> &'static str {
    if decision.mode == Mode::Off {
        return "It was recorded and learned, but not scored: the mode was `off`. What was recorded is below.";
    }
    if is_own(decision) {
        return "It is not scored: Doorward notes here that the attempt has ended. What was scored are its stages. \
                What was recorded is below.";
    }
    if event.is_some_and(|event| !event.is_interactive()) {
        return "It was recorded, but not scored: no person took part. What was recorded is below.";
    }
    if event.is_some_and(only_named) {
        return "It was recorded, but not scored: it only named the account. What was recorded is below.";
    }
    match (&*decision.event_type, decision.outcome.as_deref()) {
        ("login", Some("failure")) => {
            "It was recorded and counted, but not scored: scored are only sign-ins of somebody who knew the right \
             password or more. What was recorded is below."
        }
        ("login", _) => {
            "It was recorded, but not scored: it only named the account, or no person took part (a refresh or a \
             silent sign-on). What was recorded is below."
        }
        _ => "It was recorded, but not scored: it is no sign-in. What was recorded is below.",
    }
}

/// Whether Doorward made the event itself, at the end of an attempt that nobody finished.
fn is_own(decision: &Decision) -> bool {
    *decision.source == *OWN_SOURCE
}

fn only_named(event: &LoginEvent) -> bool {
    event.event_type == EventType::Login && event.stage == Stage::Identifier
}

fn who_did_what(decision: &Decision, slots: &Slots, event: Option<&LoginEvent>) -> String {
    let user = decision
        .user_id
        .as_deref()
        .map_or("an unknown account".to_owned(), |user| {
            format!("`{}`", named(user))
        });
    let app = slots
        .get(Field::AppId)
        .as_str()
        .or_else(|| event?.app.id.as_deref())
        .map_or_else(|| named(&decision.source), named);
    let is_login = &*decision.event_type == "login";
    if is_own(decision) {
        return ended_alone(is_login, &user);
    }
    if is_login && event.is_some_and(|event| !event.is_interactive()) {
        return without_a_person(decision.outcome.as_deref(), &app, &user);
    }
    if event.is_some_and(only_named) {
        return format!("somebody named the account {user} at the sign-in of {app}");
    }
    if !is_login {
        return format!(
            "an event `{}` of {user} came from {}",
            named(&decision.event_type),
            named(&decision.source)
        );
    }
    let second = slots.get(Field::LoginStage).as_str() == Some("second_factor");
    match decision.outcome.as_deref() {
        Some("success") if decision.scored.is_none() && decision.mode != Mode::Off && event.is_none() => {
            format!("{app} told of a success for {user}")
        }
        Some("success") => format!("somebody signed in to {app} as {user}"),
        Some("pending") => format!(
            "somebody gave the right password of {user} to {app}, which asked before letting them in,"
        ),
        Some("partial") => {
            format!("somebody gave the right password of {user} to {app}, with another factor to follow,")
        }
        Some("failure") if second || decision.scored.is_some() => {
            format!("somebody who had the right password of {user} failed at the second factor of {app}")
        }
        Some("failure") => format!("somebody failed to sign in to {app} as {user}"),
        Some("abandoned") => format!("somebody gave the right password of {user} to {app} and then gave up"),
        Some("refused") => format!("somebody gave the right password of {user} to {app} and was turned away"),
        _ => format!("somebody was at the sign-in of {app} as {user}"),
    }
}

/// Nobody said how an attempt ended. Without a further word, whoever was allowed in is in, and whoever was asked gave up.
fn ended_alone(given_up: bool, user: &str) -> String {
    if given_up {
        format!(
            "a sign-in as {user} that had begun with the right password counted as given up: nobody finished it"
        )
    } else {
        format!("a sign-in as {user} that had been allowed counted as granted: nobody said anything else")
    }
}

fn without_a_person(outcome: Option<&str>, app: &str, user: &str) -> String {
    let what = "without a person (a refresh or a silent sign-on)";
    match outcome {
        Some("success") => format!("a session of {user} at {app} went on {what}"),
        Some("failure") => format!("a session of {user} at {app} could not go on {what}"),
        _ => format!("software was at the sign-in of {app} as {user} {what}"),
    }
}

fn from_where(slots: &Slots) -> String {
    let text = |field| slots.get(field).as_str().map(named);
    let place = match (text(Field::NetworkCity), text(Field::NetworkCountry)) {
        (Some(city), Some(country)) => Some(format!("{city} ({country})")),
        (Some(only), None) | (None, Some(only)) => Some(only),
        (None, None) => None,
    };
    let network = match (
        text(Field::NetworkOrganisation),
        slots.get(Field::NetworkAsn).as_int(),
    ) {
        (Some(name), _) => Some(name),
        (None, Some(number)) => Some(format!("AS{number}")),
        (None, None) => None,
    };
    match (place, network) {
        (Some(place), Some(network)) => format!(" from {place} over {network}"),
        (Some(only), None) | (None, Some(only)) => format!(" from {only}"),
        (None, None) => {
            text(Field::ClientIp).map_or(String::new(), |address| format!(" from address {address}"))
        }
    }
}

fn local_hour(slots: &Slots) -> String {
    let Some(hour) = slots
        .get(Field::LoginHour)
        .as_number()
        .filter(|hour| (0.0..24.0).contains(hour))
    else {
        return String::new();
    };
    let minutes = (hour * 60.0) as u32;
    format!(
        " ({:02}:{:02} in the user's time zone)",
        minutes / 60,
        minutes % 60
    )
}
