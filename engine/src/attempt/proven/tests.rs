use super::*;
use crate::event::{EventType, Timestamp, Vocabulary};

fn login() -> LoginEvent {
    let mut event = LoginEvent::new(
        "1",
        "shop",
        EventType::Login,
        Timestamp::from_seconds(1_780_000_000),
    );
    event.outcome = Some(Outcome::Success);
    event
}

fn used(method: FactorType, user_verification: Option<bool>) -> UsedFactor {
    UsedFactor {
        method,
        factor_id: None,
        result: Some(FactorResult::Success),
        at: None,
        challenged_at: None,
        aaguid: None,
        synced: None,
        transport: None,
        user_verification,
    }
}

fn by_factors(factors: &[UsedFactor]) -> Level {
    let mut event = login();
    event.auth.factors = factors.into();
    Proven::of(&event, None).level(false)
}

fn by_methods(names: &[&str], hwk_origin_bound: bool) -> Level {
    let mut event = login();
    event.auth.methods = names
        .iter()
        .map(|name| AuthMethod::from_name(name).unwrap())
        .collect();
    Proven::of(&event, None).level(hwk_origin_bound)
}

/// The right password that an outcome tells of counts, though the event lists only the factor that waits or failed.
#[test]
fn the_password_that_an_outcome_implies_is_proven() {
    let mut totp = used(FactorType::Totp, None);
    for outcome in [
        Outcome::Pending,
        Outcome::Partial,
        Outcome::Refused,
        Outcome::Abandoned,
    ] {
        let mut event = login();
        event.outcome = Some(outcome);
        totp.result = None;
        event.auth.factors = [totp.clone()].into();
        let proven = Proven::of(&event, None);
        assert_eq!(proven.categories(), Categories::KNOW, "{outcome}");
        event.auth.factors = [used(FactorType::Passkey, Some(false))].into();
        assert_eq!(
            Proven::of(&event, None).categories(),
            Categories::HAVE,
            "{outcome}"
        );
    }
    let mut failed = login();
    (failed.outcome, failed.stage) = (Some(Outcome::Failure), Stage::SecondFactor);
    totp.result = Some(FactorResult::Failure);
    failed.auth.factors = [totp.clone()].into();
    assert_eq!(Proven::of(&failed, None).categories(), Categories::KNOW);
    let mut passed = login();
    passed.stage = Stage::SecondFactor;
    totp.result = Some(FactorResult::Success);
    passed.auth.factors = [totp].into();
    let proven = Proven::of(&passed, None);
    assert_eq!(
        (proven.level(false), proven.has_second_factor()),
        (Level::Two, true)
    );
    let mut vouched_for = login();
    vouched_for.outcome = Some(Outcome::Pending);
    vouched_for.auth.methods = [AuthMethod::Federated].into();
    assert_eq!(Proven::of(&vouched_for, None).categories(), Categories::NONE);
}

/// Every factor: level alone, and beside a password.
#[test]
fn the_whole_table_of_factors() {
    use FactorType::*;
    use Level::{One, Three, Two};
    let table = [
        (Password, One, One),
        (Passkey, One, Three),
        (SecurityKey, One, Three),
        (Totp, One, Two),
        (Hotp, One, Two),
        (Sms, One, Two),
        (Voice, One, Two),
        (EmailCode, One, Two),
        (MagicLink, One, Two),
        (Push, One, Two),
        (PushNumber, One, Two),
        (Qr, One, Two),
        (Smartcard, Three, Three),
        (Cert, One, Two),
        (RecoveryCode, One, Two),
        (ActivationCode, One, Two),
        (AppPassword, One, One),
        (Kba, One, One),
        (Federated, One, One),
    ];
    assert_eq!(table.len(), FactorType::ALL.len());
    for (method, alone, beside) in table {
        assert_eq!(by_factors(&[used(method, None)]), alone, "{method} alone");
        let pair = [used(Password, None), used(method, None)];
        assert_eq!(by_factors(&pair), beside, "{method} beside a password");
    }
}

#[test]
fn a_key_that_verified_its_user_is_level_three_alone() {
    for method in [FactorType::Passkey, FactorType::SecurityKey] {
        assert_eq!(by_factors(&[used(method, Some(true))]), Level::Three);
        assert_eq!(by_factors(&[used(method, Some(false))]), Level::One);
        let two_keys = [used(method, None), used(FactorType::Totp, None)];
        assert_eq!(by_factors(&two_keys), Level::One, "both are had");
    }
    assert_eq!(by_factors(&[used(FactorType::Totp, Some(true))]), Level::One);
}

/// Every name of RFC 8176 and those beyond: level alone, beside `pwd`, and beside `pwd` with `hwk_origin_bound`.
#[test]
fn the_whole_table_of_methods() {
    let table = [
        ("face", 1, 2, 2),
        ("fpt", 1, 2, 2),
        ("geo", 1, 1, 1),
        ("hwk", 1, 2, 3),
        ("iris", 1, 2, 2),
        ("kba", 1, 1, 1),
        ("mca", 1, 1, 1),
        ("mfa", 2, 2, 2),
        ("otp", 1, 2, 2),
        ("pin", 1, 1, 1),
        ("pop", 1, 2, 3),
        ("pwd", 1, 1, 1),
        ("rba", 1, 1, 1),
        ("retina", 1, 2, 2),
        ("sc", 3, 3, 3),
        ("sms", 1, 2, 2),
        ("swk", 1, 2, 2),
        ("tel", 1, 2, 2),
        ("user", 1, 1, 1),
        ("vbm", 1, 2, 2),
        ("wia", 1, 1, 1),
        ("federated", 1, 1, 1),
        ("other", 1, 1, 1),
    ];
    assert_eq!(table.len(), AuthMethod::ALL.len());
    for (name, alone, beside, with_hwk) in table {
        assert_eq!(by_methods(&[name], false).number(), alone, "{name}");
        assert_eq!(by_methods(&["pwd", name], false).number(), beside, "pwd {name}");
        assert_eq!(by_methods(&["pwd", name], true).number(), with_hwk, "pwd {name}");
    }
    assert_eq!(by_methods(&["hwk"], true), Level::One, "nothing beside it");
}

#[test]
fn factors_that_succeeded_win_over_methods() {
    let mut event = login();
    event.auth.factors = [used(FactorType::Password, None)].into();
    event.auth.methods = [AuthMethod::Mfa].into();
    assert_eq!(Proven::of(&event, None).level(false), Level::One);
    event.auth.factors[0].result = Some(FactorResult::Failure);
    assert_eq!(Proven::of(&event, None).level(false), Level::Two);
}

#[test]
fn nothing_told_is_level_one_and_says_so() {
    let mut event = login();
    event.auth.remembered = Some(true);
    let proven = Proven::of(&event, None);
    assert_eq!((proven.level(false), proven.is_told()), (Level::One, false));
    assert_eq!(proven.categories(), Categories::KNOW);
    event.auth.methods = [AuthMethod::Kba].into();
    assert!(Proven::of(&event, None).is_told());
}

#[test]
fn a_factor_without_result_follows_the_outcome() {
    let mut event = login();
    event.auth.factors = [used(FactorType::Password, None), used(FactorType::Totp, None)].into();
    for factor in &mut event.auth.factors {
        factor.result = None;
    }
    assert_eq!(Proven::of(&event, None).level(false), Level::Two);
    event.outcome = Some(Outcome::Partial);
    assert_eq!(Proven::of(&event, None).level(false), Level::One);
    event.outcome = Some(Outcome::Failure);
    assert_eq!(Proven::of(&event, None).categories(), Categories::NONE);
}

#[test]
fn stages_of_one_attempt_add_up() {
    let mut event = login();
    event.auth.factors = [used(FactorType::Password, None)].into();
    let mut proven = Proven::of(&event, None);
    assert_eq!(proven.second_factor_phishable(false), None);
    assert_eq!(proven.types().collect::<Vec<_>>(), [FactorType::Password]);
    event.auth.factors = [used(FactorType::Totp, None)].into();
    proven.add(&Proven::of(&event, None));
    assert_eq!(
        (proven.level(false), proven.second_factor_phishable(false)),
        (Level::Two, Some(true))
    );
    event.auth.factors = [used(FactorType::SecurityKey, None)].into();
    proven.add(&Proven::of(&event, None));
    assert_eq!(
        (proven.level(false), proven.second_factor_phishable(false)),
        (Level::Three, Some(false))
    );
}

#[test]
fn an_enrolled_factor_counts_for_what_it_really_checks() {
    let enrolled = [EnrolledFactor {
        id: "app".into(),
        factor_type: FactorType::Totp,
        categories: Some([Category::Know, Category::Have].into()),
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
    }];
    let mut event = login();
    let mut factor = used(FactorType::Totp, None);
    factor.factor_id = Some("app".into());
    event.auth.factors = [factor].into();
    let proven = Proven::of(&event, Some(&enrolled));
    assert_eq!(proven.level(false), Level::Two);
    assert_eq!(proven.used(), ["app".into()]);
}

#[test]
fn types_that_succeeded_are_listed_in_one_order() {
    let mut event = login();
    event.auth.factors = FactorType::ALL
        .iter()
        .rev()
        .map(|method| used(*method, None))
        .collect();
    assert_eq!(
        Proven::of(&event, None).types().collect::<Vec<_>>(),
        FactorType::ALL
    );
}
