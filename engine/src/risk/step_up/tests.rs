use super::*;
use crate::event::{Category, EventType, FactorResult, LoginEvent, UsedFactor};
use crate::risk::decision::LineStatus;
use doorward_rules::{Evidence, Group, Points};
use std::sync::LazyLock;

const NOW: Timestamp = Timestamp::from_seconds(1_780_000_000);

fn factor(id: &str, factor_type: FactorType) -> EnrolledFactor {
    EnrolledFactor {
        id: id.into(),
        factor_type,
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
    }
}

fn proven(used: &[(FactorType, Option<&str>)]) -> Proven {
    let mut event = LoginEvent::new("1", "shop", EventType::Login, NOW);
    event.auth.factors = used
        .iter()
        .map(|(method, id)| UsedFactor {
            method: *method,
            factor_id: id.map(Into::into),
            result: Some(FactorResult::Success),
            at: None,
            challenged_at: None,
            aaguid: None,
            synced: None,
            transport: None,
            user_verification: None,
        })
        .collect();
    Proven::of(&event, None)
}

static PASSWORD: LazyLock<Proven> = LazyLock::new(|| proven(&[(FactorType::Password, None)]));

fn with<'a, T>(
    enrolled: &'a [EnrolledFactor],
    change: impl FnOnce(&mut FactorFacts<'a>, &mut Floors),
    ask: impl FnOnce(Factors<'_>) -> T,
) -> T {
    let mut facts = FactorFacts {
        enrolled: Some(enrolled),
        proven: &PASSWORD,
        time: NOW,
        suspect_device: Some("phone-1"),
        session: Some("session-1"),
        taints: &[],
    };
    let mut floors = Floors::NONE;
    change(&mut facts, &mut floors);
    let taints = RuleTaints {
        rules: &[],
        verdicts: &[],
        floors: &floors,
    };
    ask(Factors::new(facts, taints, FactorPolicy::default()))
}

fn reach(enrolled: &[EnrolledFactor]) -> Reach {
    with(enrolled, |_, _| {}, |factors| factors.reach())
}

/// The only refusal of one factor, asked for level 2.
fn refusal(enrolled: EnrolledFactor) -> String {
    let advice = with(&[enrolled], |_, _| {}, |factors| factors.advice(Level::Two, None));
    assert_eq!((advice.factors.len(), advice.rejected.len()), (0, 1));
    advice.rejected[0].why.to_string()
}

#[test]
fn what_each_type_reaches_beside_a_password() {
    use FactorType::*;
    let up = [
        Totp,
        Hotp,
        EmailCode,
        MagicLink,
        Push,
        PushNumber,
        Qr,
        Cert,
        RecoveryCode,
        ActivationCode,
    ];
    for factor_type in up {
        assert_eq!(
            reach(&[factor("1", factor_type)]),
            Reach::Up(Level::Two),
            "{factor_type}"
        );
    }
    for factor_type in [Passkey, SecurityKey, Smartcard] {
        assert_eq!(
            reach(&[factor("1", factor_type)]),
            Reach::Up(Level::Three),
            "{factor_type}"
        );
    }
    for factor_type in [Password, AppPassword, Kba, Federated, Sms, Voice] {
        assert_eq!(
            reach(&[factor("1", factor_type)]),
            Reach::Nothing,
            "{factor_type}"
        );
    }
}

#[test]
fn absent_is_not_an_empty_list() {
    assert_eq!(reach(&[]), Reach::Nothing);
    let told_nothing = |facts: &mut FactorFacts<'_>| facts.enrolled = None;
    with(
        &[],
        |facts, _| told_nothing(facts),
        |factors| {
            assert_eq!(factors.reach(), Reach::NotTold);
            assert_eq!(factors.advice(Level::Two, None).enrolled_max, None);
        },
    );
}

#[test]
fn a_factor_matures_after_seven_days() {
    let added = |seconds| EnrolledFactor {
        enrolled_at: Some(NOW.plus_days(-7).plus_seconds(seconds)),
        ..factor("1", FactorType::Totp)
    };
    assert_eq!(reach(&[added(0)]), Reach::Up(Level::Two));
    assert_eq!(reach(&[added(1)]), Reach::Nothing);
    assert_eq!(refusal(added(1)), "it was added less than 7 days before");
}

#[test]
fn a_number_has_to_be_verified() {
    for factor_type in [FactorType::Sms, FactorType::Voice] {
        assert_eq!(
            refusal(factor("1", factor_type)),
            "nobody verified that the number belongs to the owner"
        );
        let verified = EnrolledFactor {
            verified_at: Some(NOW),
            ..factor("1", factor_type)
        };
        assert_eq!(reach(&[verified]), Reach::Up(Level::Two));
    }
}

#[test]
fn what_the_risk_touches_is_named_with_why() {
    let on_phone = EnrolledFactor {
        lives_on: Some("phone-1".into()),
        ..factor("1", FactorType::Totp)
    };
    assert_eq!(refusal(on_phone), "it lives on the very device that is not known");
    let fresh = EnrolledFactor {
        enrolled_session: Some("session-1".into()),
        ..factor("1", FactorType::Totp)
    };
    assert_eq!(refusal(fresh), "it was added in the session in question");
    assert_eq!(refusal(factor("1", FactorType::Kba)), "it counts as no proof");
    assert_eq!(
        refusal(factor("1", FactorType::Password)),
        "it is of the same kind as what was already proven"
    );
    let taints = [Taint {
        factor: FactorType::Sms,
        why: "goes to a number that changed an hour ago".into(),
    }];
    let sms = EnrolledFactor {
        verified_at: Some(NOW),
        ..factor("1", FactorType::Sms)
    };
    let advice = with(
        &[sms],
        |facts, _| facts.taints = &taints,
        |f| f.advice(Level::Two, None),
    );
    assert_eq!(
        &*advice.rejected[0].why,
        "it goes to a number that changed an hour ago"
    );
}

#[test]
fn a_rule_may_taint_a_type() {
    let rules = [RuleFacts {
        id: "prompt-burst".into(),
        evidence: Evidence::Attack,
        group: Group::Factors,
        effect: Effect::Taint(FactorType::Push),
        declared: Points::ZERO,
    }];
    let enrolled = [factor("1", FactorType::Push)];
    for (status, expected) in [
        (LineStatus::Fired, Reach::Nothing),
        (LineStatus::Covered, Reach::Nothing),
        (LineStatus::Excepted, Reach::Up(Level::Two)),
    ] {
        let verdicts = [Verdict {
            status,
            points: Points::ZERO,
        }];
        let password = proven(&[(FactorType::Password, None)]);
        let facts = FactorFacts {
            enrolled: Some(&enrolled),
            proven: &password,
            time: NOW,
            suspect_device: None,
            session: None,
            taints: &[],
        };
        let taints = RuleTaints {
            rules: &rules,
            verdicts: &verdicts,
            floors: &Floors::NONE,
        };
        let factors = Factors::new(facts, taints, FactorPolicy::default());
        assert_eq!(factors.reach(), expected, "{status:?}");
    }
}

#[test]
fn suspicion_of_phishing_leaves_what_is_bound_to_origin() {
    let enrolled = [
        factor("totp", FactorType::Totp),
        factor("push", FactorType::Push),
        factor("key", FactorType::Passkey),
        EnrolledFactor {
            phishing_resistant: Some(false),
            ..factor("weak", FactorType::Passkey)
        },
    ];
    let advice = with(
        &enrolled,
        |_, floors| floors.phishing = true,
        |f| f.advice(Level::Three, Some(Level::Two)),
    );
    let ids = |list: &[FactorChoice]| list.iter().map(|c| c.id.to_string()).collect::<Vec<_>>();
    assert_eq!(ids(&advice.factors), ["key"]);
    assert_eq!(ids(&advice.rejected), ["totp", "push", "weak"]);
    assert_eq!(
        (advice.level, advice.usual, advice.enrolled_max),
        (3, Some(2), Some(3))
    );
}

#[test]
fn a_second_factor_is_independent_of_the_first() {
    let link = EnrolledFactor {
        contact: Some("mail-1".into()),
        ..factor("link", FactorType::MagicLink)
    };
    let pin = EnrolledFactor {
        contact: Some("mail-1".into()),
        categories: Some([Category::Know].into()),
        ..factor("pin", FactorType::EmailCode)
    };
    let other = EnrolledFactor {
        contact: Some("mail-2".into()),
        ..pin.clone()
    };
    let used = proven(&[(FactorType::MagicLink, Some("link"))]);
    let enrolled = [link.clone(), pin];
    let advice = with(
        &enrolled,
        |facts, _| facts.proven = &used,
        |f| f.advice(Level::Two, None),
    );
    let why: Vec<_> = advice.rejected.iter().map(|choice| &*choice.why).collect();
    assert_eq!(
        why,
        [
            "it was already used in this sign-in",
            "it shares a device, a contact or an account with the factor used first"
        ]
    );
    let enrolled = [link, other];
    assert_eq!(
        with(&enrolled, |f, _| f.proven = &used, |f| f.reach()),
        Reach::Up(Level::Two)
    );
}

#[test]
fn a_lower_factor_is_not_named_for_a_higher_level() {
    let enrolled = [
        factor("totp", FactorType::Totp),
        factor("key", FactorType::SecurityKey),
    ];
    let advice = with(&enrolled, |_, _| {}, |f| f.advice(Level::Three, None));
    assert_eq!(&*advice.factors[0].id, "key");
    assert_eq!(&*advice.rejected[0].why, "it leads to level 2 only");
}

#[test]
fn the_strongest_mature_factor_of_an_account() {
    let max = |enrolled: &[EnrolledFactor]| enrolled_max(enrolled, NOW, FactorPolicy::default());
    assert_eq!(max(&[]), 0);
    assert_eq!(max(&[factor("1", FactorType::Kba)]), 0);
    assert_eq!(max(&[factor("1", FactorType::Password)]), 1);
    assert_eq!(
        max(&[factor("1", FactorType::Password), factor("2", FactorType::Totp)]),
        2
    );
    assert_eq!(max(&[factor("1", FactorType::Passkey)]), 3);
    assert_eq!(max(&[factor("1", FactorType::Sms)]), 0);
    let young = EnrolledFactor {
        enrolled_at: Some(NOW),
        ..factor("1", FactorType::Passkey)
    };
    assert_eq!(max(&[young]), 0);
}

/// What is asked for is accepted: proving a named factor reaches the level it was named for.
#[test]
fn what_is_named_is_accepted_once_proven() {
    for factor_type in FactorType::ALL {
        for first in FactorType::ALL {
            let enrolled = [EnrolledFactor {
                verified_at: Some(NOW),
                ..factor("x", *factor_type)
            }];
            let mut so_far = proven(&[(*first, None)]);
            let named = with(&enrolled, |facts, _| facts.proven = &so_far, |f| f.reach());
            let Reach::Up(level) = named else { continue };
            let mut event = LoginEvent::new("2", "shop", EventType::Login, NOW);
            event.auth.factors = [UsedFactor {
                method: *factor_type,
                factor_id: Some("x".into()),
                result: Some(FactorResult::Success),
                at: None,
                challenged_at: None,
                aaguid: None,
                synced: None,
                transport: None,
                user_verification: (*factor_type == FactorType::Passkey).then_some(true),
            }]
            .into();
            so_far.add(&Proven::of(&event, Some(&enrolled)));
            assert!(so_far.level(false) >= level, "{first} then {factor_type}");
        }
    }
}
