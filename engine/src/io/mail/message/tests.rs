use super::*;
use crate::alerts::alert::{AlertTo, LastSignIn, SecondFactor};
use crate::alerts::place::{NoTown, Place};
use crate::alerts::silence::HeldBack;
use crate::event::FactorType;
use crate::risk::decision::{DeviceState, Id};
use mailparse::{MailHeaderMap, ParsedMail};
use proptest::prelude::*;

fn sender() -> MailSender {
    MailSender {
        name: "Example Shop".to_owned(),
        address: "no-reply@shop.example".to_owned(),
    }
}

fn facts() -> MailFacts {
    MailFacts {
        kind: OwnerKind::UnknownDeviceIn,
        address: "jane@example.org".into(),
        account: "jane@example.org".into(),
        application: "Example Shop".into(),
        help_text: "".into(),
        locale: Some("en".into()),
        time_zone: Some("Europe/Copenhagen".into()),
        device_family: "Firefox".into(),
        device_os: "Windows".into(),
        device_state: DeviceState::New,
        place: Place::Town {
            town: "Aarhus".into(),
            country: "Denmark".into(),
        },
        proven: vec![FactorType::Password.code()],
        second_factor: SecondFactor::NotAsked,
        wrong_passwords: 1,
        last_sign_in: Some(LastSignIn {
            time: 1_779_000_000_000_000,
            device: "Safari on iOS".into(),
        }),
        phishing_possible: false,
        held_back_before: 2,
    }
}

fn alert(mail: MailFacts) -> Alert {
    Alert {
        id: Id([0xab; 16]),
        kind: mail.kind.as_str().into(),
        to: AlertTo::Owner,
        tenant: "default".into(),
        user_id: Some("jane".into()),
        seq: 7,
        created: 1_780_000_060_000_000,
        event_time: 1_780_000_000_000_000,
        decision: Id([1; 16]),
        held_back: None,
        mail: Some(mail),
    }
}

/// Headers, text and HTML, as another program reads them.
struct Read {
    subject: String,
    text: String,
    html: String,
}

fn read(mail: MailFacts) -> Read {
    let bytes = message(&alert(mail), &sender()).unwrap();
    let parsed = mailparse::parse_mail(&bytes).unwrap();
    let body = |part: &ParsedMail<'_>| part.get_body().unwrap().replace("\r\n", "\n");
    Read {
        subject: parsed.headers.get_first_value("Subject").unwrap(),
        text: body(&parsed.subparts[0]),
        html: body(&parsed.subparts[1]),
    }
}

#[test]
fn headers_are_those_of_a_machine_that_writes_to_one_person() {
    let bytes = message(&alert(facts()), &sender()).unwrap();
    let parsed = mailparse::parse_mail(&bytes).unwrap();
    let values = |name: &str| parsed.headers.get_all_values(name);
    assert_eq!(values("From"), ["\"Example Shop\" <no-reply@shop.example>"]);
    assert_eq!(values("To"), ["jane@example.org"]);
    assert_eq!(values("Date"), ["Thu, 28 May 2026 20:27:40 +0000"]);
    assert_eq!(
        values("Message-ID"),
        [format!("<{}@shop.example>", "ab".repeat(16))]
    );
    assert_eq!(values("Auto-Submitted"), ["auto-generated"]);
    assert_eq!(values("Content-Language"), ["en"]);
    assert_eq!(values("MIME-Version"), ["1.0"]);
    for absent in ["Cc", "Bcc", "List-Unsubscribe", "Reply-To"] {
        assert!(values(absent).is_empty(), "{absent}");
    }
    assert_eq!(parsed.ctype.mimetype, "multipart/alternative");
    let types: Vec<_> = parsed
        .subparts
        .iter()
        .map(|part| part.ctype.mimetype.as_str())
        .collect();
    assert_eq!(types, ["text/plain", "text/html"], "text first");
    for part in &parsed.subparts {
        assert_eq!(part.ctype.charset, "utf-8");
        assert_eq!(
            part.headers.get_first_value("Content-Transfer-Encoding").unwrap(),
            "base64"
        );
    }
}

#[test]
fn bytes_are_lines_that_every_server_takes() {
    let bytes = message(&alert(facts()), &sender()).unwrap();
    assert!(bytes.is_ascii());
    let text = String::from_utf8(bytes).unwrap();
    assert!(
        !text.replace("\r\n", "").contains(['\r', '\n']),
        "only whole line ends"
    );
    assert!(
        text.split("\r\n")
            .all(|line| line.len() <= 998 && !line.starts_with('.'))
    );
}

#[test]
fn equal_alerts_make_equal_bytes() {
    let of = |alert: &Alert| message(alert, &sender()).unwrap();
    assert_eq!(of(&alert(facts())), of(&alert(facts())));
    let stored = Alert::decode(&alert(facts()).encode()).unwrap();
    assert_eq!(of(&stored), of(&alert(facts())));
}

#[test]
fn both_parts_say_everything() {
    let Read { subject, text, html } = read(facts());
    assert_eq!(
        subject,
        "Example Shop: new sign-in to ja...@example.org on a device not known"
    );
    for part in [&text, &html] {
        for said in [
            "Example Shop",
            "ja...@example.org",
            "They got in",
            "Thursday 28 May 2026, 22:26 (Europe/Copenhagen)",
            "Thursday 28 May 2026, 20:26",
            "Firefox on Windows",
            "near Aarhus, Denmark",
            "the right password",
            "the password was mistyped once",
            "Sunday 17 May 2026, 08:40, on Safari on iOS",
            "It was me",
            "It was not me",
            "Open Example Shop yourself",
            "Why you get this",
            "2 more messages to you were held back",
            "no links",
        ] {
            assert!(part.contains(said), "`{said}` is missing in:\n{part}");
        }
        assert!(!part.contains("Did you type"), "no page in between is suspected");
    }
}

#[test]
fn each_kind_says_whether_somebody_got_in() {
    for (kind, says) in [
        (OwnerKind::UnknownDeviceIn, "They got in"),
        (OwnerKind::SecondFactorNotPassed, "they did not get in"),
        (OwnerKind::SignInNeededMoreProof, "they did not get in"),
    ] {
        let got = read(MailFacts { kind, ..facts() });
        assert!(got.text.contains(says) && got.html.contains(says), "{kind}");
        assert!(got.subject.contains("Example Shop") && got.subject.contains("ja...@example.org"));
    }
    let denied = MailFacts {
        kind: OwnerKind::SecondFactorNotPassed,
        second_factor: SecondFactor::Denied,
        ..facts()
    };
    assert!(read(denied).text.contains("The second step was denied."));
}

#[test]
fn a_page_in_between_is_named_where_it_is_possible() {
    let got = read(MailFacts {
        phishing_possible: true,
        ..facts()
    });
    let sentence = "Did you type your password on a page you reached from a message just before?";
    assert!(got.text.contains(sentence) && got.html.contains(sentence));
}

#[test]
fn no_town_is_told_with_why() {
    let vpn = Place::Country {
        country: "Netherlands".into(),
        why: NoTown::Vpn,
    };
    let got = read(MailFacts {
        place: vpn,
        ..facts()
    });
    assert!(got.text.contains("Where: Netherlands\n"));
    assert!(got.text.contains("VPN"));
    let got = read(MailFacts {
        place: Place::Unknown,
        ..facts()
    });
    assert!(got.text.contains("Where: not known\n"));
    assert!(
        !got.text.contains("About the place"),
        "lines without values are left out"
    );
    assert!(!got.html.contains("About the place"));
}

#[test]
fn help_of_the_application_is_the_way_without_links() {
    let got = read(MailFacts {
        help_text: "Call 70 10 20 30 & say “sign-in”.".into(),
        ..facts()
    });
    assert!(got.text.contains("Call 70 10 20 30 & say “sign-in”."));
    assert!(got.html.contains("Call 70 10 20 30 &amp; say “sign-in”."));
    assert!(!got.text.contains("Open Example Shop yourself"));
}

#[test]
fn nothing_known_still_makes_a_whole_mail() {
    let got = read(MailFacts {
        time_zone: None,
        device_family: "".into(),
        device_os: "".into(),
        proven: Vec::new(),
        wrong_passwords: 0,
        last_sign_in: None,
        held_back_before: 0,
        ..facts()
    });
    assert!(got.text.contains("When: Thursday 28 May 2026, 20:26 (UTC)\n"));
    assert!(
        got.text
            .contains("Device: a device that did not say what it is\n")
    );
    assert!(got.text.contains("Your last sign-in: none before is known\n"));
    for gone in ["In UTC", "Before that", "held back", "{", "}"] {
        assert!(!got.text.contains(gone), "{gone}");
    }
}

#[test]
fn what_attackers_choose_stays_text() {
    let evil = "<img src=x onerror=alert(1)> http://evil.example \r\nBcc: x@evil.example \u{202e}";
    let got = read(MailFacts {
        application: evil.into(),
        help_text: evil.into(),
        account: format!("{evil}@example.org").into(),
        device_family: evil.into(),
        device_os: evil.into(),
        place: Place::Town {
            town: evil.into(),
            country: evil.into(),
        },
        last_sign_in: Some(LastSignIn {
            time: 0,
            device: evil.into(),
        }),
        ..facts()
    });
    for part in [&got.subject, &got.text, &got.html] {
        assert!(!part.contains("://") && !part.contains("evil.example"), "{part}");
        assert!(!part.contains('\u{202e}'));
    }
    assert!(!got.html.contains("<img") && !got.html.contains("href"));
    assert!(!got.subject.contains('\n'));
}

#[test]
fn names_that_end_the_library_are_cleaned() {
    for name in [
        "a\r\nb",
        "a\0b",
        "\u{7f}\n",
        "",
        "\"quoted\", <x@y.example>",
        "Ærø ÷ 店",
    ] {
        let sender = MailSender {
            name: name.to_owned(),
            address: "a@localhost".to_owned(),
        };
        let bytes = message(&alert(facts()), &sender).unwrap();
        let parsed = mailparse::parse_mail(&bytes).unwrap();
        let from = parsed.headers.get_first_header("From").unwrap();
        let list = mailparse::addrparse_header(from).unwrap();
        assert_eq!(
            list.extract_single_info().unwrap().addr,
            "a@localhost",
            "{name:?}"
        );
    }
}

#[test]
fn addresses_that_are_none_make_no_mail() {
    for bad in ["", "jane", "jane@example.org\r\nBcc: x@example.org", "a@b, c@d"] {
        let got = message(
            &alert(MailFacts {
                address: bad.into(),
                ..facts()
            }),
            &sender(),
        );
        let error = got.unwrap_err();
        assert!(matches!(error, MailError::Owner), "{bad:?}");
        assert!(
            bad.is_empty() || !error.to_string().contains(bad),
            "{bad:?} in the log"
        );
    }
}

#[test]
fn what_is_held_back_or_for_others_makes_no_mail() {
    let held = Alert {
        held_back: Some(HeldBack::Budget),
        ..alert(facts())
    };
    assert!(matches!(message(&held, &sender()), Err(MailError::NotMailed)));
    let other = Alert {
        mail: None,
        ..alert(facts())
    };
    assert!(matches!(message(&other, &sender()), Err(MailError::NotMailed)));
    assert!(
        preview(&held).is_ok(),
        "people who watch may see what was held back"
    );
}

#[test]
fn a_preview_is_short() {
    let preview = preview(&alert(facts())).unwrap();
    assert!(preview.starts_with("Subject: Example Shop: new sign-in to ja...@example.org"));
    assert!(preview.contains("near Aarhus, Denmark"));
    assert!(preview.lines().count() <= 16);
}

/// WCAG 2.2: language, one main heading, headers of rows, and no colour below a contrast of 4.5:1.
#[test]
fn html_is_accessible() {
    for kind in OwnerKind::ALL {
        let html = read(MailFacts {
            kind,
            phishing_possible: true,
            ..facts()
        })
        .html;
        assert!(html.starts_with("<!DOCTYPE html>\n<html lang=\"en\""));
        assert_eq!(html.matches("<h1>").count(), 1);
        assert_eq!(
            html.matches("<th ").count(),
            html.matches("scope=\"row\"").count()
        );
        assert!(html.contains("<title>Example Shop"));
        assert!(html.contains("color-scheme"));
        for absent in ["href", "src=", "http", "<img", "<script", "url("] {
            assert!(!html.contains(absent), "{absent}");
        }
        let colours: Vec<_> = html
            .match_indices('#')
            .map(|(at, _)| luminance(&html[at + 1..at + 7]))
            .collect();
        assert_eq!(colours.len(), 4, "background and text, light and dark");
        for pair in colours.chunks(2) {
            let (light, dark) = (pair[0].max(pair[1]), pair[0].min(pair[1]));
            assert!((light + 0.05) / (dark + 0.05) >= 4.5);
        }
    }
}

/// Relative luminance as WCAG defines it.
fn luminance(hex: &str) -> f64 {
    let channel = |at: usize| {
        let value = f64::from(u8::from_str_radix(&hex[at..at + 2], 16).unwrap()) / 255.0;
        if value <= 0.04045 {
            value / 12.92
        } else {
            libm::pow((value + 0.055) / 1.055, 2.4)
        }
    };
    0.2126 * channel(0) + 0.7152 * channel(2) + 0.0722 * channel(4)
}

/// Every mail that can be said: kinds, places, second steps, devices.
fn all_mails() -> Vec<MailFacts> {
    let whys = [
        NoTown::Mobile,
        NoTown::Relay,
        NoTown::Vpn,
        NoTown::Hosting,
        NoTown::Satellite,
        NoTown::Tor,
        NoTown::Imprecise,
    ];
    let steps = [
        SecondFactor::NotAsked,
        SecondFactor::Passed,
        SecondFactor::Failed,
        SecondFactor::Denied,
        SecondFactor::Abandoned,
    ];
    let mut mails = Vec::new();
    for kind in OwnerKind::ALL {
        for device_state in [DeviceState::New, DeviceState::Conflict, DeviceState::Resembles] {
            mails.extend(steps.map(|second_factor| MailFacts {
                kind,
                device_state,
                second_factor,
                ..facts()
            }));
        }
        let place = |why| Place::Country {
            country: "Denmark".into(),
            why,
        };
        mails.extend(whys.map(|why| MailFacts {
            kind,
            place: place(why),
            phishing_possible: true,
            wrong_passwords: 12,
            held_back_before: 1,
            ..facts()
        }));
    }
    mails
}

#[test]
fn sentences_have_at_most_twenty_words() {
    for mail in all_mails() {
        let text = read(mail).text;
        for sentence in text
            .lines()
            .flat_map(|line| line.split_inclusive(['.', '?', '!']).collect::<Vec<_>>())
        {
            let words = sentence.split_whitespace().count();
            assert!(words <= 20, "{words} words: {sentence}");
        }
    }
}

#[test]
fn every_name_in_a_template_is_filled() {
    for mail in all_mails() {
        let Read { subject, text, html } = read(mail);
        assert!(!subject.contains(['{', '}']) && !text.contains(['{', '}']));
        let body = html.split("</style>").nth(1).unwrap();
        assert!(!body.contains(['{', '}']));
        // Both parts say the same: every line of the text is in the HTML.
        let plain = html.replace("</th><td>", ": ");
        for line in text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with("---"))
        {
            assert!(plain.contains(&escaped(line)), "`{line}` is only in the text");
        }
    }
}

proptest! {
    #[test]
    fn any_values_make_a_mail_that_can_be_read(
        application in any::<String>(), help in any::<String>(), town in any::<String>(), zone in "\\PC{0,30}",
        account in any::<String>(), time in any::<i64>(), count in any::<u32>(),
    ) {
        let facts = MailFacts {
            application: application.into(),
            help_text: help.into(),
            account: account.into(),
            time_zone: Some(zone.into()),
            place: Place::Town { town: town.into(), country: "".into() },
            wrong_passwords: count,
            held_back_before: count,
            last_sign_in: Some(LastSignIn { time, device: "".into() }),
            ..facts()
        };
        let mut alert = alert(facts);
        alert.event_time = time;
        alert.created = time;
        let bytes = message(&alert, &sender()).unwrap();
        let parsed = mailparse::parse_mail(&bytes).unwrap();
        prop_assert_eq!(parsed.subparts.len(), 2);
        prop_assert_eq!(parsed.headers.get_all_values("To"), ["jane@example.org"]);
        let text = parsed.subparts[0].get_body().unwrap();
        prop_assert!(text.contains("It was not me") && !text.contains("://"));
    }

    /// Else an alert would be due, and nobody would get it.
    #[test]
    fn an_address_that_an_alert_takes_makes_a_mail(
        local in "[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,66}",
        domain in "[a-z0-9-]{1,66}([.][a-z0-9-]{1,66}){1,4}",
    ) {
        let address = format!("{local}@{domain}");
        if crate::alerts::contact::is_plain_address(&address) {
            let facts = MailFacts { address: address.into(), ..facts() };
            prop_assert!(message(&alert(facts), &sender()).is_ok());
        }
    }
}
