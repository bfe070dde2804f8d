//! What an alert says, in English words. Every sentence has at most 20 words.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};

use super::clean::{clean, clean_account};
use crate::alerts::alert::{MailFacts, Proof, SecondFactor};
use crate::alerts::contact::shortened;
use crate::alerts::place::{NoTown, Place};
use crate::event::{AuthMethod, FactorType};
use crate::risk::decision::DeviceState;

/// Longest values shown, in characters.
const NAME_CHARS_MAX: usize = 60;
const ACCOUNT_CHARS_MAX: usize = 80;
const HELP_CHARS_MAX: usize = 500;

/// The values of a mail by the names that templates use. Each is clean text, not yet escaped.
pub(super) fn values(facts: &MailFacts, event_time: i64) -> Vec<(&'static str, String)> {
    let application = clean(&facts.application, NAME_CHARS_MAX);
    let zone = facts
        .time_zone
        .as_deref()
        .and_then(|name| Some((name, TimeZone::get(name).ok()?)));
    let (when, when_utc) = moments(event_time, zone.as_ref().map(|(name, zone)| (*name, zone)));
    let zone = zone.map_or(TimeZone::UTC, |(_, zone)| zone);
    vec![
        ("way", way(&facts.help_text, &application)),
        ("application", application),
        (
            "account",
            clean_account(&shortened(&facts.account), ACCOUNT_CHARS_MAX),
        ),
        ("when", when),
        ("when_utc", when_utc),
        ("device", device(facts)),
        ("device_note", device_note(facts.device_state).to_owned()),
        ("place", place(&facts.place)),
        ("place_note", place_note(&facts.place).to_owned()),
        ("proven", proven(facts)),
        ("second_step", second_step(facts.second_factor).to_owned()),
        ("mistyped", mistyped(facts.wrong_passwords)),
        ("wrong", wrong(facts.wrong_passwords)),
        ("last", last(facts, &zone)),
        (
            "phishing",
            if facts.phishing_possible {
                PHISHING.to_owned()
            } else {
                String::new()
            },
        ),
        ("held_back", held_back(facts.held_back_before)),
    ]
}

const PHISHING: &str = "Did you type your password on a page you reached from a message just before? \
Then choose “It was not me”, even if you expected this mail.";

fn way(help_text: &str, application: &str) -> String {
    let help = clean(help_text, HELP_CHARS_MAX);
    if help.is_empty() {
        format!("Open {application} yourself, as you always do, and not from a message.")
    } else {
        help
    }
}

/// In the owner's zone, and in UTC if that is another one.
fn moments(micros: i64, zone: Option<(&str, &TimeZone)>) -> (String, String) {
    match zone {
        Some((name, zone)) => (
            format!("{} ({})", shown(micros, zone), clean(name, NAME_CHARS_MAX)),
            shown(micros, &TimeZone::UTC),
        ),
        None => (format!("{} (UTC)", shown(micros, &TimeZone::UTC)), String::new()),
    }
}

/// `Thursday 28 May 2026, 22:26`.
fn shown(micros: i64, zone: &TimeZone) -> String {
    let moment = Timestamp::from_microsecond(micros).unwrap_or(Timestamp::UNIX_EPOCH);
    let local = ZonedDateTime::new(moment, zone.clone());
    local.strftime("%A %-d %B %Y, %H:%M").to_string()
}

fn device(facts: &MailFacts) -> String {
    let name = clean(&facts.device_name(), NAME_CHARS_MAX);
    if name.is_empty() {
        "a device that did not say what it is".to_owned()
    } else {
        name
    }
}

const fn device_note(state: DeviceState) -> &'static str {
    match state {
        DeviceState::Conflict => "It carries the mark of a device of yours, but it is not the same one.",
        DeviceState::Resembles => "It looks like a device of yours, but it does not carry its mark.",
        DeviceState::New | DeviceState::Known => "",
    }
}

fn place(place: &Place) -> String {
    match place {
        Place::Town { town, country } => {
            let town = clean(town, NAME_CHARS_MAX);
            match clean(country, NAME_CHARS_MAX) {
                country if country.is_empty() => format!("near {town}"),
                country => format!("near {town}, {country}"),
            }
        }
        Place::Country { country, .. } => clean(country, NAME_CHARS_MAX),
        Place::Unknown => "not known".to_owned(),
    }
}

const fn place_note(place: &Place) -> &'static str {
    let Place::Country { why, .. } = place else {
        return "";
    };
    match why {
        NoTown::Mobile => "No town, as it came through a mobile network that covers the whole country.",
        NoTown::Relay => "No town, as it came through a relay that hides it.",
        NoTown::Vpn => "No town, as it came through a VPN. The country may be wrong too.",
        NoTown::Hosting => "No town, as the address belongs to a data centre. The country may be wrong too.",
        NoTown::Satellite => "No town, as it came by satellite, from a plane or from a ship.",
        NoTown::Tor => "No town, as it came through the Tor network. The country may be wrong too.",
        NoTown::Imprecise => "No town, as the address is not known closely enough.",
    }
}

/// `the right password and a one-time code`.
fn proven(facts: &MailFacts) -> String {
    let mut words: Vec<&str> = Vec::new();
    for word in facts.proofs().map(proof) {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    match words.split_last() {
        None => "the right password, as far as we were told".to_owned(),
        Some((only, [])) => (*only).to_owned(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}

const fn proof(proof: Proof) -> &'static str {
    match proof {
        Proof::Factor(of) => factor(of),
        Proof::Method(of) => method(of),
    }
}

/// Only methods that [`Proof::of_method`] makes no factor of are met; the others are said as vaguely as they were told.
const fn method(method: AuthMethod) -> &'static str {
    match method {
        AuthMethod::Pin => "the right PIN",
        AuthMethod::Hwk => "a key in hardware",
        AuthMethod::Swk | AuthMethod::Pop => "a key on the device",
        AuthMethod::Fpt => "a fingerprint",
        AuthMethod::Face => "a face",
        AuthMethod::Iris | AuthMethod::Retina => "an eye scan",
        AuthMethod::Vbm => "a voice",
        AuthMethod::Mfa => "a second step",
        AuthMethod::Wia => "a sign-in at the computer",
        _ => "another proof",
    }
}

const fn factor(factor: FactorType) -> &'static str {
    match factor {
        FactorType::Password => "the right password",
        FactorType::Passkey => "a passkey",
        FactorType::SecurityKey => "a security key",
        FactorType::Totp | FactorType::Hotp => "a one-time code",
        FactorType::Sms => "a code by text message",
        FactorType::Voice => "a code by phone call",
        FactorType::EmailCode => "a code by mail",
        FactorType::MagicLink => "a link by mail",
        FactorType::Push => "an approval on another device",
        FactorType::PushNumber => "an approval with a number",
        FactorType::Qr => "a scanned QR code",
        FactorType::Smartcard => "a smart card",
        FactorType::Cert => "a certificate",
        FactorType::RecoveryCode => "a recovery code",
        FactorType::ActivationCode => "an activation code",
        FactorType::AppPassword => "an app password",
        FactorType::Kba => "answers to questions",
        FactorType::Federated => "a sign-in at another provider",
    }
}

const fn second_step(second_factor: SecondFactor) -> &'static str {
    match second_factor {
        SecondFactor::NotAsked => "Nobody went on after the password.",
        SecondFactor::Failed => "The second step was wrong.",
        SecondFactor::Denied => "The second step was denied.",
        SecondFactor::Abandoned => "Nobody finished the second step.",
        SecondFactor::Passed => "",
    }
}

fn mistyped(wrong_passwords: u32) -> String {
    match wrong_passwords {
        0 => String::new(),
        1 => "the password was mistyped once".to_owned(),
        times => format!("the password was mistyped {times} times"),
    }
}

/// `three times` would need the words of every number: figures from two on.
fn wrong(times: u32) -> String {
    match times {
        0 => String::new(),
        1 => "once".to_owned(),
        times => format!("{times} times"),
    }
}

fn last(facts: &MailFacts, zone: &TimeZone) -> String {
    let Some(last) = &facts.last_sign_in else {
        return "none before is known".to_owned();
    };
    let when = shown(last.time, zone);
    match clean(&last.device, NAME_CHARS_MAX) {
        device if device.is_empty() => when,
        device => format!("{when}, on {device}"),
    }
}

/// Without a reason: they may have been too many, too late, or without an address to go to.
fn held_back(count: u32) -> String {
    match count {
        0 => String::new(),
        1 => "One more message to you was held back since the last one.".to_owned(),
        count => format!("{count} more messages to you were held back since the last one."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_factor_has_words_without_names_of_the_program() {
        for kind in FactorType::ALL {
            assert!(!factor(*kind).contains('_'), "{kind}");
        }
    }

    #[test]
    fn every_method_that_proves_something_has_words() {
        for told in AuthMethod::ALL {
            if let Some(Proof::Method(of)) = Proof::of_method(*told) {
                assert_ne!(method(of), "another proof", "{told}");
            }
        }
    }

    #[test]
    fn messages_held_back_are_counted_without_a_reason() {
        assert_eq!(held_back(0), "");
        for said in [held_back(1), held_back(2)] {
            assert!(!said.contains("flood"), "{said}");
        }
    }

    #[test]
    fn a_moment_is_told_in_the_owners_zone_and_in_utc() {
        let zone = TimeZone::get("Europe/Copenhagen").unwrap();
        let (when, utc) = moments(1_780_000_000_000_000, Some(("Europe/Copenhagen", &zone)));
        assert_eq!(when, "Thursday 28 May 2026, 22:26 (Europe/Copenhagen)");
        assert_eq!(utc, "Thursday 28 May 2026, 20:26");
        let (when, utc) = moments(1_780_000_000_000_000, None);
        assert_eq!(
            (when.as_str(), utc.as_str()),
            ("Thursday 28 May 2026, 20:26 (UTC)", "")
        );
        assert_eq!(moments(i64::MIN, None).0, "Thursday 1 January 1970, 00:00 (UTC)");
    }
}
