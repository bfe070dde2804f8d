//! Lines as a rough life sends them, from a seed: logins in stages and without an end, wrong passwords on devices that
//! nobody knows, lines that come twice, changed, late or out of order, clocks that jump, and dirt.

use std::collections::VecDeque;

use doorward::event::{EventType, Outcome, Stage, Timestamp};
use doorward::generate::EventBuilder;
use doorward::generate::json::Json;
use doorward::generate::random::Random;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// Lines that may come again.
const REMEMBERED: usize = 300;
/// Logins begun and perhaps never ended.
const OPEN_MAX: usize = 12;

/// What the next lines are about.
#[derive(Debug, Clone, Copy)]
enum Part {
    Home,
    Elsewhere,
    WrongAtHome,
    WrongElsewhere,
    Begun,
    Pending,
    Finished,
    Closed,
    Account,
    Again,
    Changed,
    Dirt,
    JumpAlone,
    Break,
    Late,
    TooOld,
}

const PARTS: [(Part, f64); 16] = [
    (Part::Home, 28.0),
    (Part::Elsewhere, 8.0),
    (Part::WrongAtHome, 6.0),
    (Part::WrongElsewhere, 12.0),
    (Part::Begun, 9.0),
    (Part::Pending, 6.0),
    (Part::Finished, 9.0),
    (Part::Closed, 2.0),
    (Part::Account, 2.0),
    (Part::Again, 8.0),
    (Part::Changed, 1.0),
    (Part::Dirt, 6.0),
    (Part::JumpAlone, 1.0),
    (Part::Break, 0.4),
    (Part::Late, 3.0),
    (Part::TooOld, 0.6),
];

/// Lines without an end.
pub struct Stream {
    random: Random,
    clock: Timestamp,
    users: u64,
    events: u64,
    sent: VecDeque<Vec<u8>>,
    remembered: usize,
    /// User and attempt of logins that were begun.
    open: VecDeque<(String, Option<String>)>,
}

impl Stream {
    pub fn new(seed: u64, users: u64) -> Self {
        Self {
            random: Random::stream(seed, "stream", 0),
            clock: Timestamp::parse("2020-01-01T00:00:00Z").expect("a time"),
            users,
            events: 0,
            sent: VecDeque::new(),
            remembered: REMEMBERED,
            open: VecDeque::new(),
        }
    }

    /// Only so many lines back may come again.
    pub fn remembering(self, remembered: usize) -> Self {
        Self { remembered, ..self }
    }

    /// Every user signs in on three days: from then on there is somebody to warn.
    pub fn histories(&mut self) -> Vec<Vec<u8>> {
        let mut lines = Vec::new();
        for _ in 0..3 {
            for user in 0..self.users {
                self.clock = self.clock.plus_seconds(self.random.between(1, MINUTE));
                let event = self.login(&name(user));
                let event = self.at_home(event, user);
                lines.push(self.line(event));
            }
            self.clock = self.clock.plus_seconds(23 * HOUR);
        }
        lines
    }

    /// The next line or lines.
    pub fn lines(&mut self) -> Vec<Vec<u8>> {
        let wait = match self.random.below(20) {
            0 => self.random.between(HOUR, 20 * HOUR),
            1..6 => self.random.between(MINUTE, 20 * MINUTE),
            _ => self.random.between(0, 40),
        };
        self.clock = self.clock.plus_seconds(wait);
        let part = self.random.weighted(&PARTS).copied().unwrap_or(Part::Home);
        let user = self.random.below(self.users);
        match part {
            Part::Home | Part::Elsewhere | Part::WrongAtHome | Part::WrongElsewhere => {
                vec![self.sign_in(part, user)]
            }
            Part::Begun | Part::Pending => vec![self.begin(part, user)],
            Part::Finished | Part::Closed => self.end(part, user),
            Part::Account => vec![self.account(user)],
            Part::Again | Part::Changed => self.again(part).into_iter().collect(),
            Part::Dirt => vec![self.dirt()],
            Part::JumpAlone => vec![self.shifted(self.clock.plus_days(40), user)],
            Part::Break => self.long_break(user),
            Part::Late => {
                let back = self.random.between(MINUTE, 3 * DAY);
                vec![self.shifted(self.clock.plus_seconds(-back), user)]
            }
            Part::TooOld => vec![self.shifted(self.clock.plus_days(-4_000), user)],
        }
    }

    fn sign_in(&mut self, part: Part, user: u64) -> Vec<u8> {
        let event = self.login(&name(user));
        let event = match part {
            Part::WrongAtHome | Part::WrongElsewhere => event.wrong_password(),
            _ => event,
        };
        let event = match part {
            Part::Home | Part::WrongAtHome => self.at_home(event, user),
            _ => self.elsewhere(event),
        };
        self.line(event)
    }

    /// The first stage of a login, or the question what to do about one.
    fn begin(&mut self, part: Part, user: u64) -> Vec<u8> {
        let outcome = match part {
            Part::Pending => Outcome::Pending,
            _ => Outcome::Partial,
        };
        let mut event = self.login(&name(user)).outcome(outcome);
        let attempt = self
            .random
            .chance(0.7)
            .then(|| format!("attempt-{}", self.events));
        if let Some(attempt) = &attempt {
            event = event.attempt(attempt);
        }
        self.open.push_back((name(user), attempt));
        if self.open.len() > OPEN_MAX {
            self.open.pop_front();
        }
        let event = self.somewhere(event, user);
        self.line(event)
    }

    fn end(&mut self, part: Part, user: u64) -> Vec<Vec<u8>> {
        if self.open.is_empty() {
            return Vec::new();
        }
        let index = usize::try_from(self.random.below(self.open.len() as u64)).expect("small");
        let Some((owner, attempt)) = self.open.remove(index) else {
            return Vec::new();
        };
        let mut event = match part {
            Part::Closed => {
                let id = self.id();
                EventBuilder::new(EventType::AttemptClosed, &id, "t")
                    .user(&owner)
                    .set("attempt.granted", self.random.chance(0.5))
                    .attempt("attempt-nobody-knows")
            }
            _ => {
                let granted = self.random.chance(0.7);
                let outcome = if granted {
                    Outcome::Success
                } else {
                    Outcome::Failure
                };
                self.login(&owner).stage(Stage::SecondFactor).outcome(outcome)
            }
        };
        if let Some(attempt) = &attempt {
            event = event.attempt(attempt);
        }
        let event = self.somewhere(event, user);
        vec![self.line(event)]
    }

    fn account(&mut self, user: u64) -> Vec<u8> {
        let kinds = [EventType::UserUpdated, EventType::AccountUnlocked];
        let kind = self.random.pick(&kinds).copied().expect("there are two");
        let id = self.id();
        let event = EventBuilder::new(kind, &id, "t")
            .user(&name(user))
            .contacts(vec![contact()]);
        self.line(event)
    }

    /// A line that was sent before, as it was or with other content.
    fn again(&mut self, part: Part) -> Option<Vec<u8>> {
        let newest_first: Vec<&Vec<u8>> = self.sent.iter().rev().collect();
        let among = if self.random.chance(0.5) {
            5
        } else {
            newest_first.len()
        };
        let line = self
            .random
            .pick(newest_first.get(..among).unwrap_or(&newest_first))?;
        let text = String::from_utf8_lossy(line);
        Some(match part {
            Part::Changed => text.replace("192.0.2.", "198.51.100.").into_bytes(),
            _ => text.into_owned().into_bytes(),
        })
    }

    fn dirt(&mut self) -> Vec<u8> {
        let id = self.id();
        let event = EventBuilder::login(&id, "t", &name(0)).at(self.clock);
        match self.random.below(5) {
            0 => format!("this is no event, number {id}").into_bytes(),
            1 => b" \t".to_vec(),
            2 => event.set("tenant", "nobody").line(),
            3 => event.set("client.ip", "not an address").line(),
            _ => event.without("source").line(),
        }
    }

    /// A line whose sender's clock is wrong; the others' clock stays.
    fn shifted(&mut self, time: Timestamp, user: u64) -> Vec<u8> {
        let event = self.login(&name(user));
        let event = self.somewhere(event, user).at(time);
        self.keep(event.line())
    }

    /// Nobody signs in for days, then two do.
    fn long_break(&mut self, user: u64) -> Vec<Vec<u8>> {
        self.clock = self.clock.plus_seconds(self.random.between(DAY, 12 * DAY));
        let first = self.sign_in(Part::Home, user);
        self.clock = self.clock.plus_seconds(20);
        let other = self.random.below(self.users);
        vec![first, self.sign_in(Part::Home, other)]
    }

    fn id(&mut self) -> String {
        self.events += 1;
        format!("e-{}", self.events)
    }

    fn login(&mut self, user: &str) -> EventBuilder {
        let id = self.id();
        EventBuilder::login(&id, "t", user).contacts(vec![contact()])
    }

    fn at_home(&self, event: EventBuilder, user: u64) -> EventBuilder {
        event
            .set("device.id", format!("home-{user}").as_str())
            .address(&format!("192.0.2.{}", user % 200))
    }

    fn elsewhere(&mut self, event: EventBuilder) -> EventBuilder {
        let device = self.random.below(40);
        let address = self.random.below(250);
        event
            .set("device.id", format!("device-{device}").as_str())
            .address(&format!("203.0.113.{address}"))
    }

    fn somewhere(&mut self, event: EventBuilder, user: u64) -> EventBuilder {
        if self.random.chance(0.5) {
            self.at_home(event, user)
        } else {
            self.elsewhere(event)
        }
    }

    fn line(&mut self, event: EventBuilder) -> Vec<u8> {
        let line = event.at(self.clock).line();
        self.keep(line)
    }

    fn keep(&mut self, line: Vec<u8>) -> Vec<u8> {
        self.sent.push_back(line.clone());
        if self.sent.len() > self.remembered {
            self.sent.pop_front();
        }
        line
    }
}

fn name(user: u64) -> String {
    format!("user-{user}")
}

fn contact() -> Json {
    Json::object([
        ("id", "mail".into()),
        ("channel", "email".into()),
        ("address", "owner@example.org".into()),
        ("proof", "possession".into()),
    ])
}
