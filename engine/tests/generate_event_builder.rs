//! Events written by hand, as the stories write them, are what the parser takes; dirt is what it refuses by name.

use doorward::event::{
    EventType, FactorResult, FactorType, FailureReason, Limits, Outcome, Stage, Timestamp, parse,
};
use doorward::generate::EventBuilder;
use doorward::generate::device::Machine;
use doorward::generate::event_builder::{EnrolledShape, UsedFactor};
use doorward::generate::random::Random;

const NOON: Timestamp = Timestamp::from_seconds(1_772_452_800);

#[test]
fn the_smallest_login_is_taken() {
    let line = EventBuilder::login("1", "shop/web", "u-1")
        .at(NOON)
        .address("198.18.0.7")
        .line();
    assert_eq!(
        String::from_utf8(line.clone()).unwrap(),
        r#"{"id":"1","source":"shop/web","type":"login","time":"2026-03-02T12:00:00Z","user":{"id":"u-1"},"outcome":"success","client":{"ip":"198.18.0.7","ip_source":"edge"}}"#
    );
    assert_eq!(
        parse(&line, &Limits::DEFAULT).unwrap().outcome,
        Some(Outcome::Success)
    );
}

#[test]
fn a_full_login_keeps_every_part() {
    let mut random = Random::new(3);
    let laptop = Machine::computer(&mut random, "da-DK", "Europe/Copenhagen");
    let totp = EnrolledShape {
        id: "f-1".into(),
        kind: FactorType::Totp,
        enrolled_at: NOON.plus_days(-90),
    };
    let line = EventBuilder::login("2", "shop/web", "u-1")
        .at(NOON)
        .address("2001:db8:100::1")
        .device(&laptop.shape(0))
        .stage(Stage::SecondFactor)
        .methods(&["pwd", "otp"])
        .factors(&[
            UsedFactor::password(FactorResult::Success),
            UsedFactor::enrolled(&totp, FactorResult::Success),
        ])
        .enrolled(std::slice::from_ref(&totp))
        .app("shop")
        .attempt("a-1")
        .set("user.time_zone", "Europe/Copenhagen")
        .line();
    let event = parse(&line, &Limits::DEFAULT).unwrap();
    assert_eq!(event.stage, Stage::SecondFactor);
    assert_eq!(event.device.id.as_deref(), Some(laptop.id.as_str()));
    assert_eq!(event.auth.factors.len(), 2);
    assert_eq!(event.auth.factors[1].factor_id.as_deref(), Some("f-1"));
    let enrolled = event.auth.enrolled.unwrap();
    assert_eq!(enrolled[0].factor_type, FactorType::Totp);
    assert_eq!(enrolled[0].enrolled_at, Some(NOON.plus_days(-90)));
    assert_eq!(event.user.time_zone.as_deref(), Some("Europe/Copenhagen"));
}

#[test]
fn an_empty_list_of_factors_is_told_and_no_list_is_not() {
    let event = EventBuilder::login("3", "shop/web", "u-1")
        .at(NOON)
        .address("198.18.0.7");
    assert!(
        parse(&event.line(), &Limits::DEFAULT)
            .unwrap()
            .auth
            .enrolled
            .is_none()
    );
    let told = parse(&event.enrolled(&[]).line(), &Limits::DEFAULT)
        .unwrap()
        .auth
        .enrolled;
    assert_eq!(told.map(|list| list.len()), Some(0));
}

#[test]
fn other_events_and_failures_are_taken() {
    let failure = EventBuilder::login("4", "shop/web", "u-1")
        .at(NOON)
        .address("198.18.0.7")
        .wrong_password();
    let failure = parse(&failure.line(), &Limits::DEFAULT).unwrap();
    assert_eq!(failure.outcome, Some(Outcome::Failure));
    assert_eq!(failure.reason, Some(FailureReason::BadPassword));
    let changed = EventBuilder::new(EventType::PasswordChanged, "5", "shop/web")
        .at(NOON)
        .user("u-1");
    assert_eq!(
        parse(&changed.line(), &Limits::DEFAULT).unwrap().event_type,
        EventType::PasswordChanged
    );
}

#[test]
fn dirt_is_written_as_asked_and_refused_by_name() {
    let login = EventBuilder::login("6", "shop/web", "u-1")
        .at(NOON)
        .address("198.18.0.7");
    for (dirty, field) in [
        (login.clone().set("client.ip", "nowhere"), "client.ip"),
        (login.clone().set("outcome", 7_i64), "outcome"),
        (login.clone().without("user.id"), "user.id"),
        (login.clone().without("time"), "time"),
    ] {
        let error = parse(&dirty.line(), &Limits::DEFAULT).unwrap_err().to_string();
        assert!(error.contains(field), "{error}");
    }
    assert!(parse(&login.line(), &Limits::DEFAULT).is_ok());
}
