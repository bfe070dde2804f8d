//! Logins of up to millions of users, one visit at a time: who somebody is comes from `doorward::generate`, drawn anew
//! from the user's number each time, so that nothing is kept in memory.

use std::net::IpAddr;

use doorward::event::{FactorResult, Outcome, Stage, Timestamp};
use doorward::generate::device::DeviceShape;
use doorward::generate::event_builder::{EventBuilder, UsedFactor};
use doorward::generate::json::Json;
use doorward::generate::networks::{NetworkPlan, with_suffix};
use doorward::generate::person::{Census, Person, Proofs};
use doorward::generate::random::Random;
use doorward::generate::{GenerateError, Plan};

/// One line with the time in it.
#[derive(Debug, Clone)]
pub struct Line {
    /// JSON without a line end.
    pub bytes: Vec<u8>,
    /// Its `time`, microseconds since the epoch: also Doorward's clock, as nothing comes late.
    pub now: i64,
}

/// Writes what applications would send.
pub struct Logins {
    plan: Plan,
    networks: NetworkPlan,
}

/// Weights of where somebody signs in from: at home, on the phone's network, elsewhere.
const AT_HOME: f64 = 0.65;
const ON_THE_MOVE: f64 = 0.25;
/// Share of visits that start with a wrong password.
const WRONG_PASSWORD: f64 = 0.06;
/// Share of visits with a second factor where the device is remembered and no code is asked.
const REMEMBERED: f64 = 0.5;
/// Share of visits that bring the contacts of the account.
const CONTACTS: f64 = 0.1;

impl Logins {
    /// On the networks of the test database.
    ///
    /// # Errors
    /// When the networks that are built in cannot be read.
    pub fn new() -> Result<Self, GenerateError> {
        Ok(Self {
            plan: Plan::default(),
            networks: NetworkPlan::embedded()?,
        })
    }

    /// Start of everything.
    #[must_use]
    pub fn start(&self) -> Timestamp {
        self.plan.start
    }

    /// The `turn`-th visit of a user: one to three lines, some seconds apart. Equal arguments give equal lines.
    pub fn visit(&self, user: u64, turn: u64, time: Timestamp, out: &mut Vec<Line>) {
        let census = Census::new(&self.plan, &self.networks);
        let Some(person) = census.person(user) else { return };
        let mut random = Random::stream(turn, "visit", user);
        let address = address(&person, &mut random);
        let machine = person
            .machines
            .get(usize::from(random.chance(person.phone_share)));
        let Some(machine) = machine.or(person.machines.first()) else {
            return;
        };
        let attempt = format!("a-{}", random.hex(16));
        let mut visit = Visit {
            person: &person,
            device: machine.shape(0),
            address,
            attempt,
            random,
        };
        visit.write(time, out);
    }
}

fn address(person: &Person, random: &mut Random) -> IpAddr {
    let place = random.unit();
    if place < AT_HOME {
        let v4 = person.home_address(0);
        let own = person
            .home
            .prefix
            .map(|prefix| with_suffix(prefix, random.next_u64()));
        own.or(v4).unwrap_or_else(|| person.home.network.any_host(random))
    } else if place < AT_HOME + ON_THE_MOVE {
        person.mobile.any_host(random)
    } else {
        person
            .office
            .or(person.cafe)
            .unwrap_or_else(|| person.home.network.any_host(random))
    }
}

/// One sitting at the door.
struct Visit<'a> {
    person: &'a Person,
    device: DeviceShape,
    address: IpAddr,
    attempt: String,
    random: Random,
}

impl Visit<'_> {
    fn write(&mut self, time: Timestamp, out: &mut Vec<Line>) {
        let password = UsedFactor::password(FactorResult::Success);
        if self.random.chance(WRONG_PASSWORD) {
            let failed = UsedFactor::password(FactorResult::Failure);
            let event = self.login(time).wrong_password().factors(&[failed]);
            self.push(event, time, out);
        }
        let second = self
            .person
            .enrolled
            .first()
            .map(|it| UsedFactor::enrolled(it, FactorResult::Success));
        let time = time.plus_seconds(2);
        match (self.person.proofs, second) {
            (Proofs::Passkey, Some(passkey)) => {
                let event = self.granted(time).methods(&["swk", "user"]).factors(&[passkey]);
                self.push(event, time, out);
            }
            (Proofs::Totp, Some(_)) if self.random.chance(REMEMBERED) => {
                let event = self.granted(time).methods(&["pwd"]).factors(&[password]);
                self.push(event.set("auth.remembered", true), time, out);
            }
            (Proofs::Totp, Some(code)) => {
                let event = self.login(time).outcome(Outcome::Partial).methods(&["pwd"]);
                self.push(event.factors(&[password]), time, out);
                let later = time.plus_seconds(9);
                let event = self
                    .granted(later)
                    .stage(Stage::SecondFactor)
                    .methods(&["pwd", "otp"]);
                self.push(event.factors(&[password, code]), later, out);
            }
            _ => {
                let event = self.granted(time).methods(&["pwd"]).factors(&[password]);
                self.push(event, time, out);
            }
        }
    }

    fn granted(&mut self, time: Timestamp) -> EventBuilder {
        let event = self
            .login(time)
            .set("session.id", format!("s-{}", self.random.hex(16)));
        if self.random.chance(CONTACTS) && self.person.has_contact {
            let mail = Json::object([
                ("id", self.person.contact_id.as_str().into()),
                ("channel", "email".into()),
                ("address", self.person.mail.as_str().into()),
                ("proof", "ownership".into()),
            ]);
            return event.contacts(vec![mail]);
        }
        event
    }

    fn login(&mut self, time: Timestamp) -> EventBuilder {
        let person = self.person;
        let id = self.random.hex(24);
        let event = EventBuilder::login(&id, person.door.web, &person.id)
            .at(time)
            .set("user.created_at", person.created_at.to_string())
            .set("user.locale", person.country.locale)
            .set("user.time_zone", person.country.time_zone)
            .address(&self.address.to_string())
            .device(&self.device)
            .set("auth.flow", "form")
            .app(person.door.app)
            .attempt(&self.attempt);
        if person.door.tells_enrolled {
            event.enrolled(&person.enrolled)
        } else {
            event
        }
    }

    fn push(&self, event: EventBuilder, time: Timestamp, out: &mut Vec<Line>) {
        out.push(Line {
            bytes: event.line(),
            now: time.as_micros(),
        });
    }
}
