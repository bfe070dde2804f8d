//! Puts what happens at a door into events: one way for owners and strangers, so that nothing but their acts differs.

use super::GeneratedEvent;
use super::device::DeviceShape;
use super::door::Door;
use super::event_builder::{EventBuilder, UsedFactor};
use super::json::Json;
use super::label::{FactorClass, Label, Who};
use super::person::{Person, Proofs};
use super::random::Random;
use crate::event::{DeviceKind, EventType, FactorResult, FailureReason, Outcome, Stage, Timestamp};
use std::net::IpAddr;

/// One try to get in.
#[derive(Debug, Clone)]
pub struct Try<'a> {
    /// Whose account.
    pub person: &'a Person,
    /// At which application.
    pub door: &'a Door,
    /// With what.
    pub device: DeviceShape,
    /// From where.
    pub address: IpAddr,
    attempt_id: Option<String>,
    label: Label,
}

/// How a login was proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proven {
    /// The password alone.
    Password,
    /// The password alone, because the device is remembered.
    Remembered,
    /// The password and the second factor.
    Both,
    /// A passkey.
    Passkey,
}

/// Writes events; they are sorted later.
#[derive(Debug)]
pub struct Scribe {
    random: Random,
    attempts: u64,
    /// What was written, in no order.
    pub events: Vec<GeneratedEvent>,
}

impl Scribe {
    /// With ids from this stream.
    #[must_use]
    pub fn new(random: Random) -> Self {
        Self {
            random,
            attempts: 0,
            events: Vec::new(),
        }
    }

    /// The number of a new attempt.
    pub fn next_attempt(&mut self) -> u64 {
        self.attempts += 1;
        self.attempts
    }

    /// Begins a try. Applications that never ask for a second factor send no attempt id.
    pub fn begin<'a>(
        &mut self,
        person: &'a Person,
        door: &'a Door,
        device: DeviceShape,
        address: IpAddr,
        who: Who,
        scenario: &'static str,
    ) -> Try<'a> {
        let joins = door.tells_enrolled || person.proofs != Proofs::PasswordOnly;
        let attempt_id = joins.then(|| format!("a-{}", self.random.hex(16)));
        let label = Label {
            attempt: self.next_attempt(),
            user: Some(person.id.clone()),
            who,
            scenario,
            planted_takeover: false,
            factor: FactorClass::of(door, person),
        };
        Try {
            person,
            door,
            device,
            address,
            attempt_id,
            label,
        }
    }

    /// A wrong password.
    pub fn wrong_password(&mut self, a_try: &Try<'_>, time: Timestamp) {
        let event = self.login(a_try, time).wrong_password();
        let event = event.factors(&[UsedFactor::password(FactorResult::Failure)]);
        self.push(event, a_try, time);
    }

    /// The right password; the application asks for more.
    pub fn partial(&mut self, a_try: &Try<'_>, time: Timestamp) {
        let event = self
            .login(a_try, time)
            .outcome(Outcome::Partial)
            .methods(&["pwd"]);
        let event = event.factors(&[UsedFactor::password(FactorResult::Success)]);
        self.push(event, a_try, time);
    }

    /// The second factor was wrong.
    pub fn second_wrong(&mut self, a_try: &Try<'_>, time: Timestamp) {
        let password = UsedFactor::password(FactorResult::Success);
        let second = a_try.person.enrolled.first();
        let second = second.map(|factor| UsedFactor::enrolled(factor, FactorResult::Failure));
        let factors: Vec<_> = std::iter::once(password).chain(second).collect();
        let event = self
            .login(a_try, time)
            .outcome(Outcome::Failure)
            .stage(Stage::SecondFactor);
        let event = event
            .reason(FailureReason::OtpWrong)
            .methods(&["pwd"])
            .factors(&factors);
        self.push(event, a_try, time);
    }

    /// The right password and then nothing: the application's page was left.
    pub fn abandoned(&mut self, a_try: &Try<'_>, time: Timestamp) {
        let event = self
            .login(a_try, time)
            .outcome(Outcome::Abandoned)
            .stage(Stage::SecondFactor);
        let event = event.reason(FailureReason::Cancelled).methods(&["pwd"]);
        let event = event.factors(&[UsedFactor::password(FactorResult::Success)]);
        self.push(event, a_try, time);
    }

    /// The right password, turned away by the application's own rules.
    pub fn refused(&mut self, a_try: &Try<'_>, time: Timestamp) {
        let event = self
            .login(a_try, time)
            .outcome(Outcome::Refused)
            .methods(&["pwd"]);
        let event = event.reason(FailureReason::Policy);
        let event = event.factors(&[UsedFactor::password(FactorResult::Success)]);
        self.push(event, a_try, time);
    }

    /// Is in.
    pub fn granted(&mut self, a_try: &Try<'_>, time: Timestamp, proven: Proven, introduce: bool) {
        let password = UsedFactor::password(FactorResult::Success);
        let second = a_try.person.enrolled.first();
        let second = second.map(|factor| UsedFactor::enrolled(factor, FactorResult::Success));
        let mut event = self
            .login(a_try, time)
            .set("session.id", format!("s-{}", self.random.hex(16)));
        event = match (proven, second) {
            (Proven::Both, Some(second)) => event
                .stage(Stage::SecondFactor)
                .methods(&["pwd", "otp"])
                .factors(&[password, second]),
            (Proven::Passkey, Some(second)) => event
                .set("auth.flow", "form")
                .methods(&["swk", "user"])
                .factors(&[second]),
            _ => event.methods(&["pwd"]).factors(&[password]),
        };
        if proven == Proven::Remembered {
            event = event.set("auth.remembered", true);
        }
        if introduce && a_try.person.has_contact {
            event = event.contacts(vec![contact(a_try.person)]);
        }
        self.push(event, a_try, time);
    }

    /// Something else that happened to an account, told by the application.
    pub fn account_event(
        &mut self,
        a_try: &Try<'_>,
        time: Timestamp,
        event_type: EventType,
        change: impl FnOnce(EventBuilder) -> EventBuilder,
    ) {
        let id = self.random.hex(24);
        let event = EventBuilder::new(event_type, &id, source(a_try)).at(time);
        let event = described(event.user(&a_try.person.id), a_try);
        self.push_with_id(id, change(event), a_try.label.clone(), time);
    }

    /// A login with a name that nobody has.
    pub fn no_such_user(
        &mut self,
        door: &Door,
        device: &DeviceShape,
        address: IpAddr,
        time: Timestamp,
        label: Label,
    ) {
        let id = self.random.hex(24);
        let event = EventBuilder::new(EventType::Login, &id, door.web)
            .at(time)
            .set("user.name_hash", self.random.hex(32))
            .outcome(Outcome::Failure)
            .reason(FailureReason::NoSuchUser)
            .address(&address.to_string())
            .device(device)
            .set("auth.flow", "form")
            .app(door.app);
        self.push_with_id(id, event, label, time);
    }

    fn login(&mut self, a_try: &Try<'_>, time: Timestamp) -> EventBuilder {
        let id = self.random.hex(24);
        let person = a_try.person;
        let mut event = EventBuilder::login(&id, source(a_try), &person.id)
            .at(time)
            .set("user.created_at", person.created_at.to_string())
            .set("user.locale", person.country.locale)
            .set("user.time_zone", person.country.time_zone);
        event = described(event, a_try).set("auth.flow", "form");
        if a_try.door.tells_enrolled {
            event = event.enrolled(&person.enrolled);
        }
        event = event.app(a_try.door.app);
        match &a_try.attempt_id {
            Some(attempt) => event.attempt(attempt),
            None => event,
        }
    }

    fn push(&mut self, event: EventBuilder, a_try: &Try<'_>, time: Timestamp) {
        let id = event.id().to_owned();
        self.push_with_id(id, event, a_try.label.clone(), time);
    }

    fn push_with_id(&mut self, id: String, event: EventBuilder, label: Label, time: Timestamp) {
        self.events.push(GeneratedEvent {
            time,
            id,
            bytes: event.line(),
            label,
        });
    }
}

impl Try<'_> {
    /// Marks it as one that a stranger with the right password makes.
    pub fn planted(mut self) -> Self {
        self.label.planted_takeover = true;
        self
    }
}

/// The mail address of a person, as applications send it.
pub fn contact(person: &Person) -> Json {
    Json::object([
        ("id", person.contact_id.as_str().into()),
        ("channel", "email".into()),
        ("address", person.mail.as_str().into()),
        ("source", "registration".into()),
        ("proof", "ownership".into()),
        (
            "proved_at",
            person.created_at.plus_seconds(600).to_string().into(),
        ),
    ])
}

fn described(event: EventBuilder, a_try: &Try<'_>) -> EventBuilder {
    event.address(&a_try.address.to_string()).device(&a_try.device)
}

fn source<'a>(a_try: &Try<'a>) -> &'a str {
    if a_try.device.kind == DeviceKind::App {
        a_try.door.native
    } else {
        a_try.door.web
    }
}
