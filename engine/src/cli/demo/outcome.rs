//! What the demo's decisions came to, counted per attempt at its last decision, against the labels that the engine never
//! saw. The bounds are the demo's promise; outside them the command fails.

use std::collections::BTreeMap;

use foldhash::HashMap;

use crate::event::Outcome;
use crate::generate::{FactorClass, Life};
use crate::risk::decision::{Action, Decision};

/// Logins of an owner that may be asked more often, while the history is young.
const FIRST_LOGINS: usize = 5;

/// One attempt with its label and its last scored decision.
#[derive(Debug, Clone)]
pub struct Tried {
    /// Whose account, if it exists.
    pub user: Option<String>,
    /// Whether the owner was there.
    pub by_owner: bool,
    /// In a word: where the owner was, or the kind of attack.
    pub scenario: &'static str,
    /// A stranger with the right password.
    pub planted_takeover: bool,
    /// What the application told of further factors.
    pub factor: FactorClass,
    /// Whether it ended with somebody inside.
    pub granted: bool,
    /// Whether the owner was told of it, or would have been but for a reason that is stored.
    pub told: bool,
    /// Its last scored decision.
    pub last: Decision,
}

impl Tried {
    fn action(&self) -> Action {
        self.last
            .scored
            .as_ref()
            .map_or(Action::Allow, |scored| scored.action)
    }

    fn is_challenged(&self) -> bool {
        self.action() != Action::Allow
    }
}

/// Joins decisions to labels; attempts that were never scored are left out. In the order of their last decision.
#[must_use]
pub fn attempts(life: &Life, decisions: &[Decision]) -> Vec<Tried> {
    let labels: HashMap<&str, _> = life
        .events
        .iter()
        .map(|event| (event.id.as_str(), &event.label))
        .collect();
    let mut tried: BTreeMap<u64, Tried> = BTreeMap::new();
    for decision in decisions {
        let Some(label) = labels.get(&*decision.event_id) else {
            continue;
        };
        let told = decision.alerts.iter().any(|alert| alert.held_back.is_none());
        let granted = decision.outcome.as_deref() == Some(Outcome::Success.as_str());
        match tried.get_mut(&label.attempt) {
            Some(known) => {
                known.granted |= granted;
                known.told |= told;
                if decision.scored.is_some() {
                    known.last = decision.clone();
                }
            }
            None if decision.scored.is_some() || told => {
                let entry = Tried {
                    user: label.user.clone(),
                    by_owner: label.who.is_owner(),
                    scenario: label.scenario,
                    planted_takeover: label.planted_takeover,
                    factor: label.factor,
                    granted,
                    told,
                    last: decision.clone(),
                };
                tried.insert(label.attempt, entry);
            }
            None => {}
        }
    }
    let mut tried: Vec<Tried> = tried.into_values().collect();
    tried.sort_by_key(|tried| tried.last.seq);
    tried
}

/// How often owners were asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asked {
    /// Granted attempts of owners.
    pub attempts: u64,
    /// Answered with `step_up`.
    pub asked: u64,
    /// Answered with `hold` or `deny`.
    pub held: u64,
    /// Owner told.
    pub told: u64,
}

impl Asked {
    /// Share of challenges, 0 to 1.
    #[must_use]
    pub fn share(&self) -> f64 {
        (self.asked + self.held) as f64 / self.attempts.max(1) as f64
    }

    fn add(&mut self, tried: &Tried) {
        self.attempts += 1;
        match tried.action() {
            Action::Allow => {}
            Action::StepUp => self.asked += 1,
            Action::Hold | Action::Deny => self.held += 1,
        }
        self.told += u64::from(tried.told);
    }
}

/// What became of the planted takeovers of one class.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Caught {
    /// All of the class.
    pub attempts: u64,
    /// At least `step_up`.
    pub challenged: u64,
    /// Owner told.
    pub told: u64,
    /// Neither as the class demands.
    pub missed: u64,
}

/// The demo's figures.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Figures {
    /// Owners' granted attempts 1 to 5.
    pub first: Asked,
    /// Their later ones.
    pub later: Asked,
    /// Takeovers where a further factor is enrolled or nothing is known of factors.
    pub factor: Caught,
    /// Takeovers where there is none.
    pub no_factor: Caught,
    /// Event ids of takeovers that were missed.
    pub missed: Vec<String>,
    /// Attempts by action, owners and strangers apart.
    pub actions: [[u64; 4]; 2],
}

/// Most challenges that owners may meet after their first logins.
pub const CHALLENGES_MAX: f64 = 0.01;

impl Figures {
    /// Counts attempts.
    #[must_use]
    pub fn of(tried: &[Tried]) -> Self {
        let mut figures = Self::default();
        let mut logins: HashMap<&str, usize> = HashMap::default();
        for tried in tried {
            figures.count_action(tried);
            if tried.planted_takeover {
                figures.count_takeover(tried);
            }
            if tried.by_owner && tried.granted {
                let before = logins
                    .entry(tried.user.as_deref().unwrap_or_default())
                    .or_default();
                let counted = if *before < FIRST_LOGINS {
                    &mut figures.first
                } else {
                    &mut figures.later
                };
                counted.add(tried);
                *before += 1;
            }
        }
        figures
    }

    fn count_action(&mut self, tried: &Tried) {
        let place = Action::ALL.iter().position(|action| *action == tried.action());
        let row = self.actions.get_mut(usize::from(!tried.by_owner));
        if let Some(cell) = row.zip(place).and_then(|(row, place)| row.get_mut(place)) {
            *cell += 1;
        }
    }

    fn count_takeover(&mut self, tried: &Tried) {
        let may_be_only_told = tried.factor == FactorClass::None;
        let class = if may_be_only_told {
            &mut self.no_factor
        } else {
            &mut self.factor
        };
        class.attempts += 1;
        class.challenged += u64::from(tried.is_challenged());
        class.told += u64::from(tried.told);
        let good_enough = tried.is_challenged() || (may_be_only_told && tried.told);
        if !good_enough {
            class.missed += 1;
            self.missed
                .push(format!("{} ({})", tried.last.event_id, tried.scenario));
        }
    }

    /// Why the promise is broken, if it is.
    #[must_use]
    pub fn broken(&self) -> Vec<String> {
        let mut broken = Vec::new();
        if self.later.share() >= CHALLENGES_MAX {
            broken.push(format!(
                "owners were challenged in {:.2} % of their later logins, at most {:.0} % is promised",
                self.later.share() * 100.0,
                CHALLENGES_MAX * 100.0
            ));
        }
        for (class, what) in [
            (&self.factor, "with a factor"),
            (&self.no_factor, "without a factor"),
        ] {
            if class.attempts == 0 {
                broken.push(format!("there was no takeover {what} to catch"));
            }
            if class.missed > 0 {
                broken.push(format!(
                    "{} of {} takeovers {what} were missed",
                    class.missed, class.attempts
                ));
            }
        }
        broken.extend(self.missed.iter().map(|missed| format!("missed: {missed}")));
        broken
    }
}
