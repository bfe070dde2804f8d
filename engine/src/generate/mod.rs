//! A seeded life: some weeks of a few hundred people who sign in, and of strangers who try to, written as the event
//! lines that applications would send. For the demo, for tests and for measuring.
//!
//! Nothing in a line says what it is: labels are apart. The same plan gives the same bytes, on every machine and with
//! every version of every crate. Pure: no clock, no I/O, no randomness but the seed's.
//!
//! - [`Life`] is the whole; [`Plan`] says how long and how many.
//! - [`event_builder`] writes one event, for stories and tests too.
//! - `person` is who somebody is, `itinerary` where, `ordinary` what they do, `attacks` what strangers do.

pub mod attacks;
pub mod countries;
pub mod device;
pub mod door;
pub mod event_builder;
mod itinerary;
pub mod json;
pub mod label;
pub mod marginals;
pub mod networks;
mod ordinary;
pub mod person;
pub mod random;
mod scribe;
pub mod software;

use crate::event::Timestamp;
use networks::NetworkPlan;
use person::{Census, Person};
use random::Random;
use scribe::Scribe;

pub use attacks::AttackKind;
pub use event_builder::EventBuilder;

pub use label::{FactorClass, Label, Who};
pub use marginals::Marginals;

/// People in one life, at most: it is held in memory.
pub const USERS_MAX: usize = 100_000;
/// Days of one life, at most.
pub const DAYS_MAX: u32 = 366;

/// Which life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Another seed, other people.
    pub seed: u64,
    /// How many people, 1 to [`USERS_MAX`].
    pub users: usize,
    /// How many days, 1 to [`DAYS_MAX`].
    pub days: u32,
    /// Midnight UTC of the first day, a Monday.
    pub start: Timestamp,
}

impl Default for Plan {
    /// Two weeks of 400 people from Monday, 2 March 2026.
    fn default() -> Self {
        Self {
            seed: 1,
            users: 400,
            days: 14,
            start: Timestamp::from_seconds(1_772_409_600),
        }
    }
}

/// A life that cannot be lived.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GenerateError {
    /// The number of people is out of bounds.
    #[error("`users` is {0}, it must be 1 to {USERS_MAX}")]
    Users(usize),
    /// The number of days is out of bounds.
    #[error("`days` is {0}, it must be 1 to {DAYS_MAX}")]
    Days(u32),
    /// The networks that are built in cannot be read, or lack one to live on.
    #[error("the test networks that are built in are broken: {0}")]
    Networks(String),
}

/// One event line with what is true of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GeneratedEvent {
    /// When it happened.
    pub time: Timestamp,
    /// `id` of the event, to find its decision by.
    pub id: String,
    /// The line, without a line end.
    pub bytes: Vec<u8>,
    /// What is true of it, and not in the line.
    pub label: Label,
}

/// Some weeks of people signing in.
#[derive(Debug, Clone)]
pub struct Life {
    /// Every event, in the order of time.
    pub events: Vec<GeneratedEvent>,
    /// Who lives it.
    pub people: Vec<Person>,
}

impl Life {
    /// Lives the life of this plan.
    ///
    /// # Errors
    /// [`GenerateError`] if the plan is out of its bounds.
    ///
    /// ```
    /// use doorward::generate::{Life, Plan};
    /// let life = Life::new(Plan { users: 40, ..Plan::default() })?;
    /// assert!(life.events.iter().is_sorted_by_key(|event| event.time));
    /// # Ok::<(), doorward::generate::GenerateError>(())
    /// ```
    pub fn new(plan: Plan) -> Result<Self, GenerateError> {
        if plan.users == 0 || plan.users > USERS_MAX {
            return Err(GenerateError::Users(plan.users));
        }
        if plan.days == 0 || plan.days > DAYS_MAX {
            return Err(GenerateError::Days(plan.days));
        }
        let networks = NetworkPlan::embedded()?;
        let people = people(&plan, &networks)?;
        let mut scribe = Scribe::new(Random::stream(plan.seed, "ids", 0));
        let lives = (0..).zip(&people);
        let pasts: Vec<_> = lives
            .map(|(number, person)| ordinary::live(&plan, person, number, &mut scribe))
            .collect();
        attacks::plant(&plan, &networks, &people, &pasts, &mut scribe);
        let mut events = scribe.events;
        events.sort_by(|a, b| (a.time, &a.id).cmp(&(b.time, &b.id)));
        Ok(Self { events, people })
    }
}

fn people(plan: &Plan, networks: &NetworkPlan) -> Result<Vec<Person>, GenerateError> {
    let census = Census::new(plan, networks);
    let nowhere = || GenerateError::Networks("a country has no network to live on".to_owned());
    let numbers = 0..u64::try_from(plan.users).unwrap_or(0);
    numbers
        .map(|number| census.person(number).ok_or_else(nowhere))
        .collect()
}
