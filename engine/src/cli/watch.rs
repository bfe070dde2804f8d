//! What commands that run the pipeline watch: figures for Prometheus, and tallies for the words at the end.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::split_users::SplitUsers;
use crate::alerts::alert::Alert;
use crate::alerts::silence::HeldBack;
use crate::pipeline::admitted::Arrival;
use crate::pipeline::batch::{ClosedBatch, DecidedEvent, Outcome};
use crate::pipeline::dead_letter;
use crate::pipeline::run::Observer;
use crate::risk::decision::Action;
use crate::telemetry::metrics::Metrics;

/// Tallies of a run, by name in the order of the names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Events decided.
    pub events: u64,
    /// Lines refused, by reason.
    pub refused: BTreeMap<String, u64>,
    /// Alerts that are due, by kind.
    pub told: BTreeMap<String, u64>,
    /// Alerts held back, by reason.
    pub held_back: BTreeMap<&'static str, u64>,
    /// Lines that were there before.
    pub repeated: u64,
}

impl Tally {
    /// All refused lines.
    #[must_use]
    pub fn refused_lines(&self) -> u64 {
        self.refused.values().sum()
    }
}

/// Counts what is committed.
pub struct Watch {
    metrics: Metrics,
    tally: Mutex<Tally>,
    /// When the batch at hand was taken up.
    taken_up: Mutex<Option<Instant>>,
    each: Box<dyn Fn(&DecidedEvent) + Send + Sync>,
    /// The door that is counted.
    door: &'static str,
    split_users: Option<SplitUsers>,
}

impl Watch {
    /// Counts into `metrics`.
    #[must_use]
    pub fn new(metrics: Metrics) -> Self {
        Self {
            metrics,
            tally: Mutex::default(),
            taken_up: Mutex::default(),
            each: Box::new(|_| {}),
            door: "files",
            split_users: None,
        }
    }

    /// Counts what comes through this door; through `kafka`, users of several partitions as well.
    #[must_use]
    pub fn through(self, door: &'static str) -> Self {
        Self {
            door,
            split_users: (door == "kafka").then(SplitUsers::default),
            ..self
        }
    }

    /// Shows every committed event to `each` as well.
    #[must_use]
    pub fn with_each(self, each: impl Fn(&DecidedEvent) + Send + Sync + 'static) -> Self {
        Self {
            each: Box::new(each),
            ..self
        }
    }

    /// What was counted so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn decided(&self, event: &DecidedEvent, tally: &mut Tally) {
        tally.events += 1;
        let action = event
            .decision
            .scored
            .as_ref()
            .map_or("none", |scored| Action::as_str(scored.action));
        self.metrics.decisions.inc(action);
        for alert in &event.alerts {
            self.told(alert, tally);
        }
        (self.each)(event);
    }

    fn told(&self, alert: &Alert, tally: &mut Tally) {
        let status = if alert.held_back.is_some() {
            "held_back"
        } else {
            "due"
        };
        if let Some(mail) = &alert.mail {
            self.metrics.alerts.inc(mail.kind.as_str(), status);
        }
        match alert.held_back {
            None => *tally.told.entry(alert.kind.to_string()).or_default() += 1,
            Some(why) => *tally.held_back.entry(HeldBack::as_str(why)).or_default() += 1,
        }
    }
}

impl Observer for Watch {
    fn committing(&self) {
        *self.taken_up.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn committed(&self, batch: &ClosedBatch) {
        let taken_up = self
            .taken_up
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(taken_up) = taken_up {
            self.metrics
                .commit_seconds
                .observe(taken_up.elapsed().as_secs_f64());
        }
        let mut tally = self.lock();
        let from_door = batch.outcomes.iter().filter(|outcome| outcome.is_from_door());
        self.metrics.events.add(self.door, from_door.count() as u64);
        for outcome in &batch.outcomes {
            match outcome {
                Outcome::Decided(event) => self.decided(event, &mut tally),
                Outcome::Told(told) => self.told(&told.alert, &mut tally),
                Outcome::Activated(_) | Outcome::Settled(_) | Outcome::UserErased(_) => {}
                Outcome::Refused(letter, _) | Outcome::BackfilledRefused(letter, _) => {
                    let reason = &*letter.refusal.reason;
                    *tally.refused.entry(reason.to_owned()).or_default() += 1;
                    // A label must be one of a closed list, or senders could make new ones.
                    let mut known = dead_letter::reasons().into_iter().chain(dead_letter::OF_MESSAGES);
                    if let Some(reason) = known.find(|known| *known == reason) {
                        self.metrics.refused.inc(reason);
                    }
                }
            }
        }
        self.metrics.batch_records.observe(batch.outcomes.len() as f64);
        self.metrics
            .store_head
            .set(i64::try_from(batch.new_head).unwrap_or(i64::MAX));
        if let Some(now) = batch.outcomes.last().map(Outcome::now) {
            self.metrics.clock_seconds.set(now.div_euclid(1_000_000));
        }
    }

    fn arrived(&self, arrivals: &[Arrival]) {
        if let Some(split_users) = &self.split_users {
            let split = split_users.notice(arrivals);
            self.metrics.split_users.inc_by(split);
        }
    }

    fn repeated(&self, lines: u64) {
        self.lock().repeated += lines;
        self.metrics.duplicates.inc_by(lines);
    }
}
