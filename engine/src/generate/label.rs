//! What the generator knows of an event and never writes into it.

use super::attacks::AttackKind;
use super::door::Door;
use super::person::Person;

/// What is true of one event. Events of one attempt carry the same label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// Number of the attempt that the event belongs to, from 1; no two attempts share it.
    pub attempt: u64,
    /// `user.id`; `None` for invented names.
    pub user: Option<String>,
    /// Who was there.
    pub who: Who,
    /// What it is about, in a word: where the owner was, or the kind of attack.
    pub scenario: &'static str,
    /// A stranger with the right password, who gets in or would if nobody asked for more.
    pub planted_takeover: bool,
    /// What the application tells of the account's further factors.
    pub factor: FactorClass,
}

/// Who was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Who {
    /// The person whose account it is.
    Owner,
    /// A stranger.
    Attacker(AttackKind),
}

/// What the application tells of an account's factors beside the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FactorClass {
    /// At least one.
    Enrolled,
    /// Nothing is told.
    Unknown,
    /// That there is none.
    None,
}

impl FactorClass {
    /// What this application tells of this person.
    #[must_use]
    pub fn of(door: &Door, person: &Person) -> Self {
        match (door.tells_enrolled, person.enrolled.is_empty()) {
            (false, _) => Self::Unknown,
            (true, true) => Self::None,
            (true, false) => Self::Enrolled,
        }
    }
}
