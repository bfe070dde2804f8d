//! Plain words for what a decision holds: times, levels, actions, alerts, inputs.

use doorward_rules::{Evidence, Group, Points};
use jiff::Timestamp;

use crate::alerts::silence::HeldBack;
use crate::risk::decision::{Action, DeviceState, Level, Maturity};

/// A moment as a person writes it, in UTC: `Tuesday 3 March 2026 at 20:14`.
pub(super) fn long_time(micros: i64) -> String {
    formatted(micros, "%A %-d %B %Y at %H:%M")
}

/// A moment for a table, in UTC: `2026-03-03 20:14`.
pub(super) fn short_time(micros: i64) -> String {
    formatted(micros, "%Y-%m-%d %H:%M")
}

/// A moment to the second, in UTC.
pub(super) fn exact_time(micros: i64) -> String {
    formatted(micros, "%Y-%m-%d %H:%M:%S UTC")
}

fn formatted(micros: i64, form: &str) -> String {
    Timestamp::from_microsecond(micros).map_or_else(
        |_| "an unknown time".to_owned(),
        |time| time.strftime(form).to_string(),
    )
}

/// A span for a person: `40 seconds`, `2.5 hours`, `3 days`.
pub(super) fn span(micros: i64) -> String {
    let seconds = micros.unsigned_abs() as f64 / 1e6;
    let (size, unit) = match seconds {
        seconds if seconds < 120.0 => (seconds, "seconds"),
        seconds if seconds < 7_200.0 => (seconds / 60.0, "minutes"),
        seconds if seconds < 172_800.0 => (seconds / 3_600.0, "hours"),
        seconds => (seconds / 86_400.0, "days"),
    };
    format!("{} {unit}", number(size))
}

/// A number with as many decimals as a person wants to see.
pub(super) fn number(value: f64) -> String {
    doorward_rules::template::show(&doorward_rules::Slot::Float(value))
}

/// Points with sign and two decimals: `+18.00`.
pub(super) fn signed(points: Points) -> String {
    let sign = if points.is_negative() { "" } else { "+" };
    format!("{sign}{}", fixed(points))
}

/// Points with two decimals: `-8.00`.
pub(super) fn fixed(points: Points) -> String {
    let size = points.hundredths().unsigned_abs();
    let sign = if points.is_negative() { "-" } else { "" };
    format!("{sign}{}.{:02}", size / 100, size % 100)
}

pub(super) const fn answer(action: Action) -> &'static str {
    match action {
        Action::Allow => "allow",
        Action::StepUp => "step up",
        Action::Hold => "hold",
        Action::Deny => "deny",
    }
}

/// One character for a strip.
pub(super) const fn symbol(action: Action) -> &'static str {
    match action {
        Action::Allow => "·",
        Action::StepUp => "?",
        Action::Hold => "!",
        Action::Deny => "x",
    }
}

pub(super) const fn level(level: Level) -> &'static str {
    match level {
        Level::One => "level 1 (any one factor)",
        Level::Two => "level 2 (two independent factors)",
        Level::Three => "level 3 (bound to the real page: passkey, security key, smart card)",
    }
}

/// The device, to go on from "the device".
pub(super) const fn device_was(state: DeviceState) -> &'static str {
    match state {
        DeviceState::Known => "was known",
        DeviceState::Resembles => "was unknown but looked exactly like a known one",
        DeviceState::New => "was new",
        DeviceState::Conflict => "contradicted what is known of its id",
    }
}

/// Without numbers: those in force are settings, and may be others now than on the day of the decision.
pub(super) const fn maturity(maturity: Maturity) -> &'static str {
    match maturity {
        Maturity::Lapsed => "lapsed: the history was too old to keep, only a stub is left",
        Maturity::New => "new: an account that was just made, without a granted login",
        Maturity::Unseen => "unseen: no granted login yet, though the account may be old",
        Maturity::Learning => {
            "learning: too few granted logins, or too few days since the first, to tell what is usual"
        }
        Maturity::Mature => "mature: enough granted logins to tell what is usual",
    }
}

/// Title of a block of the ledger.
pub(super) const fn block(evidence: Evidence) -> (&'static str, &'static str) {
    match evidence {
        Evidence::Newness => ("NEWNESS", "what this user never did before"),
        Evidence::Attack => ("ATTACK", "what attackers do and owners seldom do"),
        Evidence::Trust => ("TRUST", "what only the owner has"),
        Evidence::Posture => ("POSTURE", "how well the login is protected"),
    }
}

/// The fact that rules of a group look at, to go on from "both look at".
pub(super) const fn looked_at(group: Group) -> &'static str {
    match group {
        Group::Device => "the device",
        Group::Network => "how usual the network is",
        Group::NetworkKind => "the kind of network",
        Group::Travel => "the way from the last place",
        Group::Time => "the hour",
        Group::Credentials => "the password",
        Group::Guessing => "tries before the success",
        Group::Crowd => "tries of many accounts",
        Group::Session => "the session",
        Group::Factors => "the factors",
        Group::Account => "the account",
        Group::Agent => "the software that signs in",
    }
}

/// An alert by its kind; kinds of rule packs are shown as they are called.
pub(super) fn alert(kind: &str) -> Option<&'static str> {
    match kind {
        "unknown_device_in" => Some("somebody got in on a device that is not known"),
        "wrong_password_unknown_device" => Some("wrong passwords on a device that is not known"),
        "digest" => Some("what was held back of a day, in one mail"),
        "second_factor_not_passed" => Some("the password was right, the second factor was not passed"),
        "sign_in_needed_more_proof" => Some("the password was right, but the sign-in needed more proof"),
        _ => None,
    }
}

/// Why an alert was held back.
pub(super) fn held_back(why: &str) -> Option<&'static str> {
    let reason = HeldBack::ALL.into_iter().find(|reason| reason.as_str() == why)?;
    Some(match reason {
        HeldBack::Budget => "the mailbox had enough mails already",
        HeldBack::NoAddress => "no verified address is known",
        HeldBack::FirstLogin => "the first login of an account that was just made",
        HeldBack::NewStore => "Doorward does not run for long yet and never saw this user before",
        HeldBack::Campaign => "the source takes part in a campaign, of which the analyst is told once",
        HeldBack::Age => "it happened too long ago to be news",
        HeldBack::Late => "the event came more than a day late",
        HeldBack::SharedAccount => "several people or machines use the account",
        HeldBack::Actor => "an administrator, help desk or system acted, not the owner",
        HeldBack::Drift => "the application's input changed for everybody",
        HeldBack::Backfill => "read in from old logs",
        HeldBack::Monitor => "mode `monitor` records and mails nobody",
        HeldBack::SameKind => "the owner was told of this device and kind not long before",
    })
}

/// What a missing input means.
pub(super) fn missing_input(input: &str) -> Option<&'static str> {
    match input {
        "auth.methods" => {
            Some("the application did not tell how the person signed in, so level 1 is assumed")
        }
        "client.user_agent" => Some("no user agent was sent, so the software is unknown"),
        "network.asn" => Some("no database knows the provider of the address"),
        "network.country" => Some("no database knows the country of the address"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_have_a_sign_and_two_decimals() {
        let shown = [1_800, 1_613, -5, 0].map(|hundredths| signed(Points::from_hundredths(hundredths)));
        assert_eq!(shown, ["+18.00", "+16.13", "-0.05", "+0.00"]);
    }

    #[test]
    fn times_are_those_of_utc() {
        assert_eq!(long_time(1_772_568_840_000_000), "Tuesday 3 March 2026 at 20:14");
        assert_eq!(short_time(1_772_568_840_000_000), "2026-03-03 20:14");
        assert_eq!(long_time(i64::MAX), "an unknown time");
    }

    #[test]
    fn spans_are_told_in_the_unit_that_fits() {
        let shown = [40_000_000, 9_000_000_000, 259_200_000_000].map(span);
        assert_eq!(shown, ["40 seconds", "2.5 hours", "3 days"]);
    }

    /// They are settings, which may be others than the usual.
    #[test]
    fn words_on_silence_and_history_name_no_numbers() {
        let of_silence = HeldBack::ALL.iter().filter_map(|why| held_back(why.as_str()));
        let of_history = [
            Maturity::Lapsed,
            Maturity::New,
            Maturity::Unseen,
            Maturity::Learning,
            Maturity::Mature,
        ];
        for words in of_silence.chain(of_history.map(maturity)) {
            assert!(!words.contains(|letter: char| letter.is_ascii_digit()), "{words}");
        }
    }

    #[test]
    fn every_silence_has_words() {
        assert!(
            HeldBack::ALL
                .iter()
                .all(|reason| held_back(reason.as_str()).is_some())
        );
    }
}
