//! What a life looks like in numbers, so that nobody has to believe that it is lifelike.

use super::attacks::AttackKind;
use super::label::{FactorClass, Label, Who};
use super::{GeneratedEvent, Life};
use std::collections::BTreeMap;
use std::fmt;

/// Counts and shares of one life.
#[derive(Debug, Clone, PartialEq)]
pub struct Marginals {
    /// Accounts.
    pub users: usize,
    /// Lines.
    pub events: usize,
    /// Attempts of owners and strangers.
    pub attempts: usize,
    /// Attempts of owners.
    pub owner_attempts: usize,
    /// Share of the owners' attempts from a phone, 0 to 1.
    pub phone_share: f64,
    /// Share of the owners' attempts that begin with a wrong password, 0 to 1.
    pub typo_share: f64,
    /// Accounts by country, the most first.
    pub countries: Vec<(&'static str, usize)>,
    /// Owners' attempts by where or what, the most first.
    pub scenarios: Vec<(&'static str, usize)>,
    /// Strangers' attempts by kind: all, and those with a right password.
    pub attacks: BTreeMap<AttackKind, (usize, usize)>,
    /// Attempts of strangers with a right password, by what is told of further factors.
    pub planted: BTreeMap<FactorClass, usize>,
}

impl Marginals {
    pub(super) fn of(life: &Life) -> Self {
        let mut first: BTreeMap<u64, &GeneratedEvent> = BTreeMap::new();
        for event in &life.events {
            first.entry(event.label.attempt).or_insert(event);
        }
        let labels = || first.values().map(|event| &event.label);
        let owners: Vec<_> = first
            .values()
            .filter(|event| event.label.who == Who::Owner)
            .collect();
        let share = |test: &dyn Fn(&GeneratedEvent) -> bool| {
            owners.iter().filter(|event| test(event)).count() as f64 / owners.len().max(1) as f64
        };
        let planted: Vec<&Label> = labels().filter(|label| label.planted_takeover).collect();
        let mut attacks: BTreeMap<AttackKind, (usize, usize)> = BTreeMap::new();
        for label in labels() {
            if let Who::Attacker(kind) = label.who {
                let counts = attacks.entry(kind).or_default();
                counts.0 += 1;
                counts.1 += usize::from(label.planted_takeover);
            }
        }
        Self {
            users: life.people.len(),
            events: life.events.len(),
            attempts: first.len(),
            owner_attempts: owners.len(),
            phone_share: share(&|event| holds(event, "(iPhone;") || holds(event, "; Android ")),
            typo_share: share(&|event| holds(event, "\"reason\":\"bad_password\"")),
            countries: most_first(life.people.iter().map(|person| person.country.code)),
            scenarios: most_first(owners.iter().map(|event| event.label.scenario)),
            attacks,
            planted: counts(planted.iter().map(|label| label.factor)),
        }
    }
}

fn holds(event: &GeneratedEvent, text: &str) -> bool {
    event
        .bytes
        .windows(text.len())
        .any(|part| part == text.as_bytes())
}

fn counts<T: Ord>(items: impl Iterator<Item = T>) -> BTreeMap<T, usize> {
    let mut counts = BTreeMap::new();
    for item in items {
        *counts.entry(item).or_default() += 1;
    }
    counts
}

fn most_first(items: impl Iterator<Item = &'static str>) -> Vec<(&'static str, usize)> {
    let mut list: Vec<_> = counts(items).into_iter().collect();
    list.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
    list
}

impl fmt::Display for Marginals {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |items: &[(&str, usize)]| {
            let words: Vec<_> = items
                .iter()
                .map(|(name, count)| format!("{name} {count}"))
                .collect();
            words.join(", ")
        };
        writeln!(out, "users     {}: {}", self.users, list(&self.countries))?;
        writeln!(
            out,
            "events    {} in {} attempts, {} of them the owners'",
            self.events, self.attempts, self.owner_attempts
        )?;
        writeln!(
            out,
            "owners    {:.0} % from a phone, {:.1} % begin with a wrong password",
            self.phone_share * 100.0,
            self.typo_share * 100.0
        )?;
        writeln!(out, "where     {}", list(&self.scenarios))?;
        let attacks: Vec<_> = self
            .attacks
            .iter()
            .map(|(kind, (all, right))| format!("{} {all} ({right})", kind.name()))
            .collect();
        writeln!(out, "strangers {}", attacks.join(", "))?;
        let planted = |class| self.planted.get(&class).copied().unwrap_or(0);
        write!(
            out,
            "takeovers further factor enrolled {}, unknown {}, none {}",
            planted(FactorClass::Enrolled),
            planted(FactorClass::Unknown),
            planted(FactorClass::None)
        )
    }
}

impl Life {
    /// The marginals of this life.
    #[must_use]
    pub fn describe(&self) -> Marginals {
        Marginals::of(self)
    }
}

impl Who {
    /// Whether it is the person whose account it is.
    #[must_use]
    pub const fn is_owner(self) -> bool {
        matches!(self, Self::Owner)
    }
}
