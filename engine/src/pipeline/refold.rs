//! Folds a whole journal again (clause S1): the records that came from doors go through the same sequencer into another
//! store, at the `now` that they had. What timers made is not copied: it must come out by itself, at the same place.
//!
//! One thread, as the order is given and nobody waits.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::enrich::EnrichCaches;
use crate::pipeline::admission::Wanted;
use crate::pipeline::admitted::{Admitted, Origin};
use crate::pipeline::batch::{Outcome, decode_dead_letter};
use crate::pipeline::committer::{Committer, Observer, RunError, Sinks};
use crate::pipeline::dead_letter::DeadLetter;
use crate::pipeline::door::DoorPolicy;
use crate::pipeline::engine::Engine;
use crate::pipeline::journal::{self, Body};
use crate::pipeline::keys;
use crate::pipeline::ports::{InputIdentity, Keyspace, Row, Seq, Store, StoreError};
use crate::pipeline::row_bytes::bad;
use crate::pipeline::sequencer::Sequencer;
use crate::risk::decision::Id;

/// Records read at once, and committed at once.
const PAGE: usize = 1_024;
/// Name of the input of an event that was admitted once and is refused now, by other limits.
const INPUT: &str = "journal";

/// What is folded, and into what.
pub struct Refold<'a> {
    /// Rules, bounds and keys in force.
    pub engine: Arc<Engine>,
    /// The store whose journal is read. It is whole behind `from`: nothing of it was removed.
    pub journal: &'a dyn Store,
    /// An empty store, or one with the state behind `from`.
    pub into: Arc<dyn Store>,
    /// The last record that is not folded; 0 to fold all.
    pub from: Seq,
    /// Where results go.
    pub sinks: Sinks,
    /// How events are read. Tenants are those of the records, and nothing comes from the future any more.
    pub door: &'a DoorPolicy,
    /// Rows kept decoded.
    pub rows_kept: usize,
    /// Watches.
    pub observer: &'a dyn Observer,
}

/// What came of it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Refolded {
    /// Records of the journal.
    pub records: u64,
    /// The first record that came out as something else, or not at all, or that the journal does not have.
    pub differs_at: Option<Seq>,
}

/// What a record is, without its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Event,
    Refused,
    Own,
    Told,
    Settled,
    Activated,
    UserErased,
}

/// One record, ready for the sequencer.
enum Step {
    Line(Box<Admitted>),
    /// A dead letter, and whether it was read in from old logs.
    Letter(DeadLetter, bool),
    Settle,
    /// These versions come into force.
    Activate(Id),
    /// The sequencer makes it again.
    Made,
}

/// Folds a journal from its first record to its last.
///
/// # Errors
/// When a store or a sink fails, a row does not decode, or a record is missing.
pub fn refold(fold: Refold<'_>) -> Result<Refolded, RunError> {
    let mut folding = Folding::open(fold)?;
    loop {
        let from = keys::seq(folding.next);
        let page = folding.journal.scan(Keyspace::Journal, &[], &from, PAGE)?;
        if page.is_empty() {
            return folding.end();
        }
        folding.take_page(&page)?;
    }
}

struct Folding<'a> {
    journal: &'a dyn Store,
    sequencer: Sequencer,
    committer: Committer,
    observer: &'a dyn Observer,
    door: &'a DoorPolicy,
    /// The door as it was for each tenant.
    tenants: BTreeMap<Box<str>, DoorPolicy>,
    caches: EnrichCaches,
    input: Arc<InputIdentity>,
    next: Seq,
    is_from_image: bool,
    /// `now` of the last record, if a timer made it.
    own_until: Option<i64>,
    places: Places,
}

impl<'a> Folding<'a> {
    fn open(fold: Refold<'a>) -> Result<Self, RunError> {
        let policy = *fold.engine.risk.score_policy();
        // Behind an image the journal says itself when something else came into force.
        let open = if fold.from == 0 {
            Sequencer::open
        } else {
            Sequencer::open_as_it_was
        };
        Ok(Self {
            journal: fold.journal,
            sequencer: open(fold.engine, Arc::clone(&fold.into), fold.rows_kept)?,
            committer: Committer::open(fold.into, fold.sinks, policy)?,
            observer: fold.observer,
            caches: fold.door.enricher.caches(),
            door: fold.door,
            tenants: BTreeMap::new(),
            input: Arc::new(InputIdentity {
                name: INPUT.to_owned(),
                first_line: [0; 32],
            }),
            next: fold.from + 1,
            is_from_image: fold.from > 0,
            own_until: None,
            places: Places {
                compared: fold.from,
                ..Places::default()
            },
        })
    }

    fn take_page(&mut self, page: &[Row]) -> Result<(), RunError> {
        let mut letters = self.letters(page)?;
        let mut steps = Vec::with_capacity(page.len());
        for row in page {
            let seq = keys::read_seq(&row.key);
            if seq != Some(self.next) {
                let reason = format!("record {} is missing", self.next);
                return Err(bad(Keyspace::Journal, reason).into());
            }
            let record = journal::decode(&row.value)?;
            self.places.expected.push_back(Kind::of_body(&record.body));
            self.own_until =
                matches!(record.body, Body::Own { .. } | Body::Told { .. }).then_some(record.now);
            steps.push((self.step(record.body, &mut letters)?, record.now));
            self.next += 1;
        }
        self.sequencer.take_again(steps)?;
        self.commit()
    }

    /// The dead letters of the page's refused lines.
    fn letters(&self, page: &[Row]) -> Result<BTreeMap<Seq, DeadLetter>, StoreError> {
        let (Some(first), Some(last)) = (page.first(), page.last()) else {
            return Ok(BTreeMap::new());
        };
        let range = (keys::read_seq(&first.key), keys::read_seq(&last.key));
        let (Some(first), Some(last)) = range else {
            return Err(bad(Keyspace::Journal, "its key is no seq".into()));
        };
        // A page has no more letters than records.
        let from = keys::dead_by_seq(first);
        let rows = self
            .journal
            .scan(Keyspace::Dead, keys::dead_prefix(), &from, page.len())?;
        let letters = rows.iter().map(|row| decode_dead_letter(&row.value));
        letters
            .filter(|letter| letter.as_ref().map_or(true, |letter| letter.seq <= last))
            .map(|letter| letter.map(|letter| (letter.seq, letter)))
            .collect()
    }

    fn step(
        &mut self,
        body: Body<Vec<u8>>,
        letters: &mut BTreeMap<Seq, DeadLetter>,
    ) -> Result<Step, StoreError> {
        let is_backfill = body.is_backfill();
        match body {
            Body::Event { tenant, bytes, .. } => {
                Ok(Step::Line(Box::new(self.admit_again(&tenant, bytes, false))))
            }
            Body::Backfilled { tenant, bytes, .. } => {
                Ok(Step::Line(Box::new(self.admit_again(&tenant, bytes, true))))
            }
            Body::Refused { dead_letter, .. } | Body::BackfilledRefused { dead_letter, .. } => letters
                .remove(&self.next)
                .filter(|letter| letter.id == dead_letter)
                .map(|letter| Step::Letter(letter, is_backfill))
                .ok_or_else(|| {
                    bad(
                        Keyspace::Dead,
                        format!("the letter of record {} is missing", self.next),
                    )
                }),
            Body::Settled => Ok(Step::Settle),
            Body::Activated { versions, .. } if self.is_from_image => Ok(Step::Activate(versions)),
            // The first activation is made when the other store is opened; versions of later ones are not at hand.
            Body::Own { .. } | Body::Told { .. } | Body::Activated { .. } => Ok(Step::Made),
            Body::Erased { .. } | Body::UserErased { .. } => Err(bad(
                Keyspace::Journal,
                format!(
                    "record {} was erased, and no image of the state lies behind it",
                    self.next
                ),
            )),
        }
    }

    fn admit_again(&mut self, tenant: &str, bytes: Vec<u8>, backfill: bool) -> Admitted {
        if !self.tenants.contains_key(tenant) {
            let door = DoorPolicy {
                tenant: tenant.into(),
                tenants: Arc::default(),
                latest: Arc::new(|| i64::MAX),
                ..self.door.clone()
            };
            self.tenants.insert(tenant.into(), door);
        }
        let door = self.tenants.get(tenant).unwrap_or(self.door);
        let content = door.content(&bytes, &mut self.caches);
        let origin = Origin {
            input: Arc::clone(&self.input),
            line: self.next,
            offset: 0,
        };
        Admitted::new(bytes, origin, None, door.versions, content).backfill(backfill)
    }

    fn commit(&mut self) -> Result<(), RunError> {
        if let Some(mut closed) = self.sequencer.close()? {
            let number = closed.number;
            let made = closed.outcomes.iter().map(Kind::of_outcome);
            self.places.made.extend(made);
            self.committer.commit(&mut closed)?;
            self.observer.committed(&closed);
            self.sequencer.committed(number);
        }
        self.places.compare();
        Ok(())
    }

    /// A journal that ends with what timers made, and not with the note on how far they fired, is older than that note.
    fn end(mut self) -> Result<Refolded, RunError> {
        if let Some(until) = self.own_until {
            self.sequencer.fire_again(until)?;
            self.commit()?;
        }
        self.places.end();
        self.committer.finish()?;
        Ok(Refolded {
            records: self.next - 1,
            differs_at: self.places.differs_at,
        })
    }
}

impl Sequencer {
    /// Takes records again, each at its `now`.
    fn take_again(&mut self, steps: Vec<(Step, i64)>) -> Result<(), StoreError> {
        self.begin_group();
        let lines = steps.iter().filter_map(|(step, _)| match step {
            Step::Line(line) => Some(&**line),
            _ => None,
        });
        let wanted = Wanted::by(lines, &mut self.users, &mut self.attempts);
        self.load(wanted)?;
        for (step, now) in steps {
            match step {
                Step::Line(line) => self.take(*line, now, false)?,
                Step::Letter(letter, backfill) => {
                    self.fire_due(now)?;
                    self.refuse(letter, now, backfill);
                }
                Step::Settle => self.settle(now)?,
                Step::Activate(versions) if versions == self.engine.in_force.versions => {
                    self.activate_if_new()?
                }
                Step::Activate(_) => {}
                Step::Made => {}
            }
        }
        Ok(())
    }

    fn fire_again(&mut self, until: i64) -> Result<(), StoreError> {
        self.begin_group();
        self.fire_due(until)
    }
}

/// Compares what came out with what the journal has, place by place.
#[derive(Default)]
struct Places {
    expected: VecDeque<Kind>,
    made: VecDeque<Kind>,
    compared: Seq,
    differs_at: Option<Seq>,
}

impl Places {
    fn compare(&mut self) {
        let both = self.expected.len().min(self.made.len());
        for (expected, made) in self.expected.drain(..both).zip(self.made.drain(..both)) {
            self.compared += 1;
            if expected != made {
                self.differs_at.get_or_insert(self.compared);
            }
        }
    }

    fn end(&mut self) {
        self.compare();
        if !(self.expected.is_empty() && self.made.is_empty()) {
            self.differs_at.get_or_insert(self.compared + 1);
        }
    }
}

impl Kind {
    const fn of_body<B>(body: &Body<B>) -> Self {
        match body {
            Body::Event { .. } | Body::Backfilled { .. } => Self::Event,
            Body::Refused { .. } | Body::BackfilledRefused { .. } => Self::Refused,
            Body::Activated { .. } => Self::Activated,
            Body::Own { .. } => Self::Own,
            Body::Told { .. } => Self::Told,
            Body::Settled => Self::Settled,
            Body::Erased { .. } | Body::UserErased { .. } => Self::UserErased,
        }
    }

    const fn of_outcome(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Decided(event) if event.own => Self::Own,
            Outcome::Decided(_) => Self::Event,
            Outcome::Refused(..) | Outcome::BackfilledRefused(..) => Self::Refused,
            Outcome::Activated(_) => Self::Activated,
            Outcome::Told(_) => Self::Told,
            Outcome::Settled(_) => Self::Settled,
            Outcome::UserErased(_) => Self::UserErased,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn differs(expected: &[Kind], made: &[Kind]) -> Option<Seq> {
        let mut places = Places {
            expected: expected.iter().copied().collect(),
            made: made.iter().copied().collect(),
            ..Places::default()
        };
        places.end();
        places.differs_at
    }

    #[test]
    fn the_first_place_that_differs_is_named() {
        let (event, own) = (Kind::Event, Kind::Own);
        assert_eq!(differs(&[event, own], &[event, own]), None);
        assert_eq!(differs(&[event, own, event], &[event, event, own]), Some(2));
        assert_eq!(differs(&[event, own], &[event]), Some(2));
        assert_eq!(differs(&[event], &[event, own]), Some(2));
    }
}
