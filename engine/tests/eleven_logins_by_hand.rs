//! Eleven logins whose result was worked out by hand: a Dane with 40 granted logins, a settled and vouched laptop with
//! a cookie, and an iPhone. A new network in a new country is 10*log10(41) = 16.13 points.
//!
//! Here the values of a login are given, and the rules and the decision are the real ones.

#![expect(clippy::unwrap_used, reason = "a test stops where it fails")]

use std::sync::Arc;

use doorward::attempt::proven::Proven;
use doorward::event::{
    EnrolledFactor, EventType, FactorResult, FactorType, LoginEvent, Timestamp, UsedFactor, UserKind,
};
use doorward::risk::action::AppPolicy;
use doorward::risk::decision::{Action, Level, LineStatus, Maturity};
use doorward::risk::risk_engine::{Judgement, RiskEngine, RiskInput, Scratch};
use doorward::risk::score::ScorePolicy;
use doorward::risk::step_up::{FactorFacts, FactorPolicy};
use doorward_rules::{Field, RuleSet, Slots};

const NOW: Timestamp = Timestamp::from_seconds(1_780_000_000);

/// The owner at home on the vouched laptop, with nothing unusual.
fn at_home() -> Slots {
    let mut slots = Slots::new();
    for (field, word) in [
        (Field::LoginType, "login"),
        (Field::LoginOutcome, "success"),
        (Field::UserKind, "person"),
        (Field::UserMaturity, "mature"),
        (Field::DeviceState, "known"),
        (Field::DeviceTrust, "vouched"),
        (Field::NetworkKind, "none"),
        (Field::PairTrust, "vouched"),
    ] {
        slots.set_text(field, word);
    }
    slots.set_int(Field::UserLogins, 40);
    slots.set_float(Field::UserDaysSinceLastLogin, 1.0);
    slots.set_float(Field::AddressFamiliarity, -12.0);
    slots.set_float(Field::DeviceCredit, 1.0);
    slots.set_float(Field::PairFamiliarity, -12.0);
    slots.set_bool(Field::TravelComparable, true);
    slots.set_bool(Field::TravelPairNew, false);
    slots.set_float(Field::TravelDistanceKm, 0.0);
    slots.set_float(Field::TravelSpeedKmh, 0.0);
    slots.set_int(Field::FailuresSameSource30m, 0);
    slots.set_int(Field::FailuresSecondFactor24h, 0);
    slots.set_bool(Field::AttemptSecondFactorFailed, false);
    slots.set_int(Field::AuthAchieved, 1);
    slots.set_int(Field::AuthUsual, 1);
    slots.set_bool(Field::AuthSecondFactorPassed, false);
    slots.set_int(Field::CrowdAddressUsersFailed1h, 0);
    slots.set_float(Field::CrowdAddressSuccessShare1h, 1.0);
    slots
}

fn new_device(slots: &mut Slots) {
    slots.set_text(Field::DeviceState, "new");
    slots.set_text(Field::DeviceTrust, "none");
    slots.set_text(Field::PairTrust, "none");
}

/// A network and country that the user was never in: 10*log10(41).
fn abroad(slots: &mut Slots) {
    slots.set_text(Field::PairTrust, "none");
    slots.set_float(Field::AddressFamiliarity, 10.0 * libm::log10(41.0));
}

fn enrolled(types: &[FactorType]) -> Vec<EnrolledFactor> {
    let factor = |factor_type: &FactorType| EnrolledFactor {
        id: factor_type.as_str().into(),
        factor_type: *factor_type,
        categories: None,
        enrolled_at: None,
        verified_at: None,
        phishing_resistant: None,
        lives_on: None,
        contact: None,
        sync_account: None,
        code_space: None,
        valid_at_once: None,
        enrolled_level: None,
        enrolled_session: None,
    };
    types.iter().map(factor).collect()
}

fn proven(methods: &[FactorType]) -> Proven {
    let mut event = LoginEvent::new("1", "shop", EventType::Login, NOW);
    let used = |method: &FactorType| UsedFactor {
        method: *method,
        factor_id: Some(method.as_str().into()),
        result: Some(FactorResult::Success),
        at: None,
        challenged_at: None,
        aaguid: None,
        synced: None,
        transport: None,
        user_verification: None,
    };
    event.auth.factors = methods.iter().map(used).collect();
    Proven::of(&event, None)
}

fn decide(slots: &Slots, used: &[FactorType], told: Option<&[FactorType]>, maturity: Maturity) -> Judgement {
    let rules = Arc::new(RuleSet::builtin().unwrap());
    let engine = RiskEngine::new(rules, ScorePolicy::default(), FactorPolicy::default());
    let enrolled = told.map(enrolled);
    let input = RiskInput {
        user_kind: UserKind::Person,
        maturity,
        app: &AppPolicy::default(),
        factors: FactorFacts {
            enrolled: enrolled.as_deref(),
            proven: &proven(used),
            time: NOW,
            suspect_device: None,
            session: None,
            taints: &[],
        },
        usual: None,
        excepted: &[],
    };
    engine.decide(slots, &input, &mut Scratch::default())
}

/// Rules that count, with their points.
fn fired(judgement: &Judgement) -> Vec<String> {
    let lines = judgement
        .scored
        .ledger
        .iter()
        .filter(|line| line.status == LineStatus::Fired);
    lines
        .map(|line| format!("{} {}", line.rule.as_str(), line.points))
        .collect()
}

fn score(judgement: &Judgement) -> String {
    judgement.scored.score().to_string()
}

fn step_up_level(judgement: &Judgement) -> Option<u8> {
    judgement.scored.step_up.as_ref().map(|step_up| step_up.level)
}

const PASSWORD: &[FactorType] = &[FactorType::Password];
const WITH_CODE: &[FactorType] = &[FactorType::Password, FactorType::Totp];
const TOTP: Option<&[FactorType]> = Some(&[FactorType::Totp]);
const NOTHING: Option<&[FactorType]> = Some(&[]);

#[test]
fn laptop_at_home() {
    let got = decide(&at_home(), PASSWORD, TOTP, Maturity::Mature);
    assert_eq!(fired(&got), ["known-device -8", "vouched-pair -12"]);
    assert_eq!((got.scored.action, score(&got)), (Action::Allow, "0".to_owned()));
}

#[test]
fn new_phone_on_home_wifi_after_one_typo() {
    let mut slots = at_home();
    new_device(&mut slots);
    slots.set_int(Field::FailuresSameSource30m, 1);
    let got = decide(&slots, PASSWORD, NOTHING, Maturity::Mature);
    assert_eq!(fired(&got), ["failures-before-success 4", "new-device 18"]);
    assert_eq!((got.scored.action, score(&got)), (Action::Allow, "32".to_owned()));
    assert_eq!(
        got.scored.required,
        Level::Two,
        "nothing reaches it, and nothing speaks of an attack"
    );

    let with_code = decide(&slots, WITH_CODE, TOTP, Maturity::Mature);
    assert_eq!(
        (with_code.scored.action, score(&with_code)),
        (Action::Allow, "32".to_owned())
    );
    assert_eq!(with_code.scored.achieved, Level::Two);
}

#[test]
fn laptop_in_a_hotel_abroad() {
    let mut slots = at_home();
    abroad(&mut slots);
    let got = decide(&slots, PASSWORD, TOTP, Maturity::Mature);
    assert_eq!(fired(&got), ["known-device -8", "unfamiliar-address 16.13"]);
    assert_eq!(
        (got.scored.action, score(&got)),
        (Action::Allow, "18.13".to_owned())
    );
}

#[test]
fn laptop_at_home_through_the_owners_vpn() {
    let mut slots = at_home();
    abroad(&mut slots);
    slots.set_text(Field::NetworkKind, "vpn");
    slots.set_bool(Field::TravelComparable, false);
    let got = decide(&slots, PASSWORD, TOTP, Maturity::Mature);
    assert_eq!(
        (got.scored.action, score(&got)),
        (Action::Allow, "18.13".to_owned())
    );
}

#[test]
fn new_laptop_on_holiday() {
    let mut slots = at_home();
    new_device(&mut slots);
    abroad(&mut slots);
    let got = decide(&slots, PASSWORD, TOTP, Maturity::Mature);
    assert_eq!(fired(&got), ["new-device 18", "unfamiliar-address 16.13"]);
    assert_eq!(
        (got.scored.action, score(&got)),
        (Action::StepUp, "44.13".to_owned())
    );
    assert_eq!(step_up_level(&got), Some(2));
}

#[test]
fn phone_stolen_abroad() {
    let mut slots = at_home();
    new_device(&mut slots);
    abroad(&mut slots);
    slots.set_text(Field::NetworkKind, "vpn");
    slots.set_bool(Field::TravelComparable, false);
    slots.set_float(Field::UserDaysSinceLastLogin, 40.0);
    let got = decide(&slots, PASSWORD, TOTP, Maturity::Mature);
    assert_eq!(
        fired(&got),
        [
            "dormant-account 4",
            "network-kind 7",
            "new-device 18",
            "unfamiliar-address 16.13",
            "cap:newness -10.13"
        ]
    );
    assert_eq!(
        (got.scored.action, score(&got)),
        (Action::StepUp, "45".to_owned())
    );
    assert_eq!(step_up_level(&got), Some(2));
}

#[test]
fn stuffing_hit_from_a_spraying_network() {
    let mut slots = at_home();
    new_device(&mut slots);
    abroad(&mut slots);
    slots.set_text(Field::NetworkKind, "hosting");
    slots.set_bool(Field::TravelComparable, false);
    slots.set_int(Field::CrowdAddressUsersFailed1h, 60);
    slots.set_float(Field::CrowdAddressSuccessShare1h, 0.02);
    let got = decide(&slots, PASSWORD, TOTP, Maturity::Mature);
    assert_eq!((got.scored.action, score(&got)), (Action::Deny, "80".to_owned()));
    assert!(got.totals.attack_may_deny);
}

#[test]
fn stolen_password_next_door() {
    let mut slots = at_home();
    new_device(&mut slots);
    // The provider is known, the address is not: the sum only has to pass the bound with the device.
    slots.set_float(Field::AddressFamiliarity, 0.0);
    let got = decide(&slots, PASSWORD, TOTP, Maturity::Mature);
    assert_eq!(
        (got.scored.action, score(&got)),
        (Action::StepUp, "28".to_owned())
    );
    assert_eq!(step_up_level(&got), Some(2));
}

#[test]
fn proxy_with_the_right_code() {
    let mut slots = at_home();
    new_device(&mut slots);
    abroad(&mut slots);
    slots.set_text(Field::DeviceState, "resembles");
    slots.set_text(Field::NetworkKind, "hosting");
    slots.set_bool(Field::TravelComparable, false);
    slots.set_bool(Field::AuthSecondFactorPassed, true);
    slots.set_bool(Field::AuthSecondFactorPhishable, true);
    let both: &[FactorType] = &[FactorType::Totp, FactorType::Passkey];
    let got = decide(&slots, WITH_CODE, Some(both), Maturity::Mature);
    assert_eq!(
        (got.scored.action, score(&got)),
        (Action::StepUp, "45".to_owned())
    );
    assert_eq!(
        (got.scored.required, got.scored.achieved),
        (Level::Three, Level::Two)
    );
    let step_up = got.scored.step_up.unwrap();
    assert_eq!(step_up.factors.len(), 1);
    assert_eq!(&*step_up.factors[0].id, "passkey");

    let got = decide(&slots, WITH_CODE, TOTP, Maturity::Mature);
    assert_eq!(got.scored.action, Action::Hold, "without a passkey");
}

#[test]
fn first_login_of_a_new_account() {
    let mut slots = at_home();
    new_device(&mut slots);
    abroad(&mut slots);
    slots.set_text(Field::UserMaturity, "new");
    slots.set_int(Field::UserLogins, 0);
    slots.unset(Field::UserDaysSinceLastLogin);
    let got = decide(&slots, PASSWORD, NOTHING, Maturity::New);
    assert_eq!(fired(&got), Vec::<String>::new());
    assert_eq!((got.scored.action, score(&got)), (Action::Allow, "10".to_owned()));
}
