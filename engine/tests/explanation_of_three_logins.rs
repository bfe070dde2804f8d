//! The page of `doorward explain` for three logins: a stolen password, a traveller, an ordinary login. The pages are
//! kept in `explanation/`; `DOORWARD_WRITE_DOCS=1 cargo test` writes them again.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::path::Path;
use std::sync::Arc;

use doorward::attempt::proven::Proven;
use doorward::cli::explanation::{ExplainInput, Shown, render};
use doorward::event::{
    EnrolledFactor, EventType, FactorResult, FactorType, LoginEvent, Timestamp, UsedFactor, UserKind,
};
use doorward::risk::action::AppPolicy;
use doorward::risk::decision::{
    Action, AlertLine, Decision, DeviceState, DeviceVerdict, Id, LineStatus, Maturity, Mode,
};
use doorward::risk::risk_engine::{RiskEngine, RiskInput, Scratch};
use doorward::risk::score::ScorePolicy;
use doorward::risk::step_up::{FactorFacts, FactorPolicy};
use doorward_rules::{Field, RuleSet, Slots};

/// 2026-03-03T20:14:00Z.
const NOW: i64 = 1_772_568_840;
const DAY: i64 = 86_400;

/// The owner at home on the vouched laptop.
fn at_home() -> Slots {
    let mut slots = Slots::new();
    for (field, text) in [
        (Field::LoginType, "login"),
        (Field::LoginOutcome, "success"),
        (Field::LoginStage, "first_factor"),
        (Field::UserKind, "person"),
        (Field::UserMaturity, "mature"),
        (Field::DeviceState, "known"),
        (Field::DeviceTrust, "vouched"),
        (Field::DeviceFamily, "Firefox"),
        (Field::DeviceOs, "Windows"),
        (Field::NetworkKind, "none"),
        (Field::NetworkOrganisation, "Nordvig Fiber"),
        (Field::NetworkCountry, "DK"),
        (Field::NetworkCity, "Copenhagen"),
        (Field::PairTrust, "vouched"),
        (Field::AddressKnownAt, "address"),
        (Field::AppId, "shop"),
        (Field::AppSensitivity, "normal"),
        (Field::ClientIp, "203.0.113.7"),
    ] {
        slots.set_owned(field, text);
    }
    for (field, number) in [
        (Field::UserDaysSinceLastLogin, 1.2),
        (Field::AddressFamiliarity, -12.0),
        (Field::AddressUserLoginsFromNetwork, 38.2),
        (Field::AddressUserLogins, 40.0),
        (Field::AddressShareOfEveryone, 0.02),
        (Field::DeviceCredit, 1.0),
        (Field::PairFamiliarity, -12.0),
        (Field::TravelDistanceKm, 0.0),
        (Field::TravelSpeedKmh, 0.0),
        (Field::CrowdAddressSuccessShare1h, 1.0),
        (Field::LoginHour, 21.25),
    ] {
        slots.set_float(field, number);
    }
    for (field, number) in [
        (Field::UserLogins, 40),
        (Field::NetworkAsn, 64_500),
        (Field::FailuresSameSource30m, 0),
        (Field::FailuresSecondFactor24h, 0),
        (Field::AuthAchieved, 1),
        (Field::AuthUsual, 1),
        (Field::AuthEnrolledMax, 2),
        (Field::CrowdAddressAttempts1h, 1),
        (Field::CrowdAddressUsersFailed1h, 0),
    ] {
        slots.set_int(field, number);
    }
    for (field, truth) in [
        (Field::TravelComparable, true),
        (Field::TravelPairNew, false),
        (Field::AttemptSecondFactorFailed, false),
        (Field::AuthSecondFactorPassed, false),
    ] {
        slots.set_bool(field, truth);
    }
    slots
}

/// A network and country where the user never was: 10*log10(41) points.
fn abroad(slots: &mut Slots, organisation: &str, country: &str, city: &str) {
    slots.set_text(Field::PairTrust, "none");
    slots.unset(Field::PairFamiliarity);
    slots.set_text(Field::AddressKnownAt, "none");
    slots.set_owned(Field::NetworkOrganisation, organisation);
    slots.set_owned(Field::NetworkCountry, country);
    slots.set_owned(Field::NetworkCity, city);
    slots.set_float(Field::AddressFamiliarity, 16.127_838);
    slots.set_float(Field::AddressUserLoginsFromNetwork, 0.0);
    slots.set_float(Field::AddressShareOfEveryone, 0.0004);
    slots.set_float(Field::TravelDistanceKm, 1_850.0);
    slots.set_float(Field::TravelSpeedKmh, 64.2);
    slots.set_bool(Field::TravelPairNew, true);
}

fn new_device(slots: &mut Slots) {
    slots.set_text(Field::DeviceState, "new");
    slots.set_text(Field::DeviceTrust, "none");
    slots.set_text(Field::PairTrust, "none");
    slots.set_owned(Field::DeviceFamily, "Chrome");
    slots.set_owned(Field::DeviceOs, "Linux");
}

fn factor(id: &str, factor_type: FactorType, lives_on: Option<&str>) -> EnrolledFactor {
    EnrolledFactor {
        id: id.into(),
        factor_type,
        categories: None,
        enrolled_at: None,
        verified_at: None,
        phishing_resistant: None,
        lives_on: lives_on.map(Into::into),
        contact: None,
        sync_account: None,
        code_space: None,
        valid_at_once: None,
        enrolled_level: None,
        enrolled_session: None,
    }
}

fn password() -> Proven {
    let mut event = LoginEvent::new("1", "shop", EventType::Login, Timestamp::from_seconds(NOW));
    event.auth.factors = vec![UsedFactor {
        method: FactorType::Password,
        factor_id: None,
        result: Some(FactorResult::Success),
        at: None,
        challenged_at: None,
        aaguid: None,
        synced: None,
        transport: None,
        user_verification: None,
    }]
    .into();
    Proven::of(&event, None)
}

fn rules() -> Arc<RuleSet> {
    Arc::new(RuleSet::builtin().unwrap())
}

fn scored(slots: &Slots, maturity: Maturity) -> doorward::risk::decision::Scored {
    let engine = RiskEngine::new(rules(), ScorePolicy::default(), FactorPolicy::default());
    let enrolled = [
        factor("app-codes", FactorType::Totp, None),
        factor("sms-1", FactorType::Sms, None),
    ];
    let proven = password();
    let input = RiskInput {
        user_kind: UserKind::Person,
        maturity,
        app: &AppPolicy::default(),
        factors: FactorFacts {
            enrolled: Some(&enrolled),
            proven: &proven,
            time: Timestamp::from_seconds(NOW),
            suspect_device: None,
            session: None,
            taints: &[],
        },
        usual: None,
        excepted: &[],
    };
    engine.decide(slots, &input, &mut Scratch::default()).scored
}

fn decision(name: &str, seconds: i64, slots: &Slots) -> Decision {
    let state = match slots.get(Field::DeviceState).as_str() {
        Some("known") => DeviceState::Known,
        Some("resembles") => DeviceState::Resembles,
        _ => DeviceState::New,
    };
    let word = |field| slots.get(field).as_str().unwrap_or("unknown").to_owned();
    let device_name = format!("{} on {}", word(Field::DeviceFamily), word(Field::DeviceOs));
    let mut bytes = Vec::new();
    slots.encode(&mut bytes);
    let mut id = [0; 16];
    id[..8].copy_from_slice(&seconds.to_be_bytes());
    Decision {
        id: Id(id),
        revision: 0,
        event_id: name.into(),
        source: "shop/web".into(),
        tenant: "default".into(),
        user_id: Some("jane".into()),
        event_type: "login".into(),
        outcome: Some("success".into()),
        time: seconds * 1_000_000,
        now: seconds * 1_000_000 + 350_000,
        seq: 1_234,
        scored: Some(scored(slots, Maturity::Mature)),
        alerts: Vec::new(),
        device: Some(DeviceVerdict {
            state,
            name: device_name.into(),
        }),
        maturity: Some(Maturity::Mature),
        degraded: Vec::new(),
        versions: Id([0xab; 16]),
        final_verdict: true,
        mode: Mode::Enforce,
        slots: bytes,
    }
}

fn ordinary() -> Decision {
    decision("ordinary", NOW, &at_home())
}

fn traveller() -> Decision {
    let mut slots = at_home();
    abroad(&mut slots, "Hotel Playa Wi-Fi", "ES", "Málaga");
    slots.set_float(Field::DeviceCredit, 0.5);
    decision("traveller", NOW, &slots)
}

/// New device and network in a data centre after a long pause, with typos before: newness is capped.
fn stolen_password() -> Decision {
    let mut slots = at_home();
    new_device(&mut slots);
    abroad(&mut slots, "Rented Servers Ltd", "NL", "Amsterdam");
    slots.set_text(Field::NetworkKind, "hosting");
    slots.set_bool(Field::TravelComparable, false);
    slots.set_float(Field::UserDaysSinceLastLogin, 40.0);
    slots.set_int(Field::FailuresSameSource30m, 2);
    slots.unset(Field::AuthUsual);
    let mut decision = decision("stolen-password", NOW, &slots);
    decision.degraded = vec!["network.asn".into()];
    decision.alerts = vec![AlertLine {
        id: Id([7; 16]),
        kind: "unknown_device_in".into(),
        to: "owner".into(),
        held_back: None,
    }];
    decision
}

/// Three weeks of ordinary logins, then this one.
fn strip(last: &Decision) -> Vec<Decision> {
    let days = (1..=22)
        .rev()
        .map(|back| decision("before", NOW - back * DAY, &at_home()));
    days.chain([last.clone()]).collect()
}

fn page(decision: &Decision, width: usize) -> String {
    let rules = rules();
    let input = ExplainInput {
        decision,
        rules: &rules,
        policy: &ScorePolicy::default(),
        versions: Shown::InForce,
        counterfactual: None,
        event: None,
        later: &[],
        strip: &strip(decision),
        colour: false,
    };
    render(&input, width)
}

fn three() -> [(&'static str, Decision); 3] {
    [
        ("ordinary", ordinary()),
        ("traveller", traveller()),
        ("stolen-password", stolen_password()),
    ]
}

#[test]
fn the_pages_are_as_they_were() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/explanation");
    for (name, decision) in three() {
        for width in [60, 100] {
            let wanted = page(&decision, width);
            let path = folder.join(format!("{name}-{width}.txt"));
            if std::env::var_os("DOORWARD_WRITE_DOCS").is_some() {
                std::fs::write(&path, &wanted).unwrap();
            }
            let kept = std::fs::read_to_string(&path).unwrap_or_default();
            assert_eq!(
                kept,
                wanted,
                "{}: write it again with DOORWARD_WRITE_DOCS=1",
                path.display()
            );
        }
    }
}

#[test]
fn no_line_is_wider_than_asked() {
    for (name, decision) in three() {
        for width in [60, 61, 75, 89, 90, 100, 133, 200, 400] {
            for line in page(&decision, width).lines() {
                assert!(line.chars().count() <= width, "{name} at {width}: {line}");
                assert_eq!(line, line.trim_end(), "{name} at {width}");
            }
        }
    }
}

/// Points in hundredths at the beginning of a row.
fn points(line: &str) -> Option<i64> {
    let word = line.split_whitespace().next()?;
    let digits = word.strip_prefix(['+', '-'])?;
    let (whole, cents) = digits.split_once('.')?;
    let size: i64 = format!("{whole}{cents}").parse().ok()?;
    Some(if word.starts_with('-') { -size } else { size })
}

#[test]
fn what_is_printed_adds_up() {
    for (name, decision) in three() {
        for width in [60, 100] {
            let text = page(&decision, width);
            let ledger = text
                .split_once("LEDGER")
                .unwrap()
                .1
                .split_once("\nSUM")
                .unwrap()
                .0;
            let (mut lines, mut subtotals) = (0, 0);
            for line in ledger.lines() {
                let Some(points) = points(line) else { continue };
                match line.contains("  = ") {
                    true => subtotals += points,
                    false => lines += points,
                }
            }
            let scored = decision.scored.as_ref().unwrap();
            assert_eq!(lines, i64::from(scored.sum.hundredths()), "{name} at {width}");
            assert_eq!(subtotals + 1_000, lines, "{name} at {width}");
            let sum = text.split_once("base ").unwrap().1.split_once("= ").unwrap();
            let parts: i64 = sum.0.split(" + ").filter_map(last_number).sum();
            let joined = text
                .split("\nSUM\n")
                .nth(1)
                .unwrap()
                .split_whitespace()
                .collect::<Vec<_>>();
            let result = joined[joined.iter().position(|word| *word == "=").unwrap() + 1];
            assert!(last_number(result).is_some() && parts != i64::MIN);
            assert_eq!(last_number(result), Some(lines), "{name} at {width}");
        }
    }
}

fn last_number(text: &str) -> Option<i64> {
    let word = text.split_whitespace().rev().find(|word| word.contains('.'))?;
    word.replace('.', "").parse().ok()
}

#[test]
fn every_line_of_the_ledger_and_every_other_rule_is_named() {
    for (name, decision) in three() {
        for width in [60, 100] {
            let text = page(&decision, width);
            let named = |id: &str| text.split([' ', '\n', ':', '`']).any(|word| word == id);
            for line in &decision.scored.as_ref().unwrap().ledger {
                let id = line.rule.as_str();
                assert!(text.contains(id), "{name} at {width}: {id}");
                if line.status == LineStatus::Fired {
                    assert!(
                        text.lines().any(|row| points(row).is_some() && row.contains(id)),
                        "{name}: {id}"
                    );
                }
            }
            assert!(
                rules().rules().iter().all(|rule| named(&rule.id)),
                "{name} at {width}"
            );
        }
    }
}

/// All words of a page with single spaces between, so that line breaks do not matter.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn what_would_have_changed_the_answer_is_told() {
    let text = flat(&page(&stolen_password(), 100));
    assert!(text.contains("cap:newness"), "{text}");
    assert!(text.contains("No single line changes the answer"), "{text}");
    assert!(
        text.contains("Had level 2 been proven, the answer would have been: allow."),
        "{text}"
    );

    let mut slots = at_home();
    new_device(&mut slots);
    slots.set_float(Field::AddressFamiliarity, 0.0);
    let next_door = decision("next-door", NOW, &slots);
    assert_eq!(next_door.scored.as_ref().unwrap().action, Action::StepUp);
    let text = flat(&page(&next_door, 60));
    assert!(
        text.contains(
            "Without `new-device` the score would have been 10.00, and level 1 would have been enough: allow."
        ),
        "{text}"
    );

    let mut slots = at_home();
    abroad(&mut slots, "Hotel Playa Wi-Fi", "ES", "Málaga");
    let text = flat(&page(&decision("hotel", NOW, &slots), 100));
    assert!(
        text.contains(
            "Without `known-device` the score would have been 26.13, and level 2 would have been asked for."
        ),
        "{text}"
    );
}

#[test]
fn other_rules_or_bounds_in_force_are_noticed() {
    let mut changed = ordinary();
    let slots = at_home();
    let mut scored = scored(&slots, Maturity::Mature);
    let known = scored
        .ledger
        .iter_mut()
        .find(|line| line.rule.as_str() == "known-device")
        .unwrap();
    known.points = doorward_rules::Points::from_hundredths(-500);
    changed.scored = Some(scored);
    let text = flat(&page(&changed, 100));
    assert!(
        text.contains("`known-device` said -5.00 then and would say -8.00 now."),
        "{text}"
    );
    assert!(text.contains("This cannot be worked out"), "{text}");
    assert!(!flat(&page(&ordinary(), 100)).contains("Other rules or settings"));
}

#[test]
fn a_user_without_history_is_told_so() {
    let mut slots = at_home();
    new_device(&mut slots);
    slots.set_text(Field::UserMaturity, "unseen");
    let mut first = decision("first", NOW, &slots);
    first.maturity = Some(Maturity::Unseen);
    first.scored = Some(scored(&slots, Maturity::Unseen));
    let text = flat(&page(&first, 100));
    assert!(text.contains("true, but says nothing of this user"), "{text}");
    assert!(!text.contains("Other rules or settings"), "{text}");
}

#[test]
fn events_that_are_not_scored_say_why_and_what_was_recorded() {
    let mut failed = ordinary();
    failed.outcome = Some("failure".into());
    failed.scored = None;
    failed.slots = Vec::new();
    failed.alerts = vec![AlertLine {
        id: Id([7; 16]),
        kind: "second_factor_not_passed".into(),
        to: "owner".into(),
        held_back: Some("budget".into()),
    }];
    let text = flat(&page(&failed, 100));
    for wanted in [
        "somebody failed to sign in to shop/web as `jane` with Firefox on Windows; the device was known.",
        "not scored",
        "Held back: the mailbox had enough mails already (`budget`).",
        "ordinary of shop/web",
    ] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    assert!(!text.contains("LEDGER"));
}

#[test]
fn texts_of_senders_cannot_draw_on_the_terminal() {
    let evil = "x\u{1b}[2J\u{202e}\u{200b}\r\n> forged ";
    let mut slots = at_home();
    abroad(&mut slots, evil, "ES", evil);
    slots.set_owned(Field::DeviceFamily, evil);
    slots.set_owned(Field::AppId, evil);
    let mut decision = decision(evil, NOW, &slots);
    decision.source = evil.repeat(9).into();
    decision.user_id = Some("長".repeat(300).into());
    decision.tenant = evil.into();
    decision.degraded = vec![evil.into()];
    if let Some(scored) = &mut decision.scored {
        scored.ledger[0].rule = doorward::risk::decision::LineRule::Rule(evil.into());
    }
    decision.alerts = vec![AlertLine {
        id: Id([7; 16]),
        kind: evil.into(),
        to: evil.into(),
        held_back: Some(evil.into()),
    }];
    for width in [60, 100] {
        let text = page(&decision, width);
        let unsafe_one = text.chars().find(|letter| {
            letter.is_control() && *letter != '\n' || matches!(letter, '\u{200b}' | '\u{202e}')
        });
        assert_eq!(unsafe_one, None);
        assert!(!text.lines().any(|line| line.starts_with("> forged")));
        let wide = |letter: char| if letter == '長' { 2 } else { 1 };
        assert!(
            text.lines()
                .all(|line| line.chars().map(wide).sum::<usize>() <= width)
        );
    }
}

#[test]
fn colour_changes_nothing_but_colour() {
    let decision = stolen_password();
    let rules = rules();
    let strip = strip(&decision);
    let policy = ScorePolicy::default();
    let input = |colour| ExplainInput {
        decision: &decision,
        rules: &rules,
        policy: &policy,
        versions: Shown::InForce,
        counterfactual: None,
        event: None,
        later: &[],
        strip: &strip,
        colour,
    };
    let coloured = render(&input(true), 100);
    assert!(coloured.contains('\u{1b}'));
    let mut plain = String::new();
    for (at, piece) in coloured.split('\u{1b}').enumerate() {
        plain.push_str(if at == 0 {
            piece
        } else {
            piece.split_once('m').unwrap().1
        });
    }
    assert_eq!(plain, render(&input(false), 100));
}
