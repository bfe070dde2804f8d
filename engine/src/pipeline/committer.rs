//! The committer: encodes a batch, commits it, then lets it out (clause S4: nothing leaves before the commit returns).
//!
//! Cursors of the sinks travel in the next commit, so that a sink costs no commit of its own (clause S9).

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender};

use crate::alerts::alert::Alert;
use crate::pipeline::admitted::Arrival;
use crate::pipeline::batch::{self, ClosedBatch, Outgoing};
use crate::pipeline::crowd_image::Images;
use crate::pipeline::faults::{Faults, Point};
use crate::pipeline::keys;
use crate::pipeline::ports::{Batch, Change, Keyspace, Record, Row, Seq, Sink, SinkError, Store, StoreError};
use crate::pipeline::retention::{Bounds, Kept, Retention};
use crate::pipeline::row_bytes::bad;
use crate::pipeline::state_image::{self, StateImage};
use crate::pipeline::versions::with_bounds_of;
use crate::risk::decision::Id;
use crate::risk::score::ScorePolicy;

/// Batches between two acknowledgements: each makes files durable and moves cursors.
const BATCHES_BETWEEN_CURSORS: u32 = 32;
/// Rows read at once when a sink catches up.
const CATCH_UP_PAGE: usize = 4_096;

/// Why a run ended early.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A sink failed.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// An input failed.
    #[error(transparent)]
    Door(#[from] crate::pipeline::door::DoorError),
}

/// Watches what was committed: progress, metrics, summaries. Never changes anything.
pub trait Observer: Sync {
    /// A batch is about to be encoded, stored and published.
    fn committing(&self) {}

    /// A batch is on disk.
    fn committed(&self, _batch: &ClosedBatch) {}

    /// Lines and messages came in, before anything is decided.
    fn arrived(&self, _arrivals: &[Arrival]) {}

    /// So many events and refused lines were there before.
    fn repeated(&self, _lines: u64) {}
}

/// An observer that looks away.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nobody;

impl Observer for Nobody {}

/// The ways out of a run; absent ones get nothing.
#[derive(Default)]
pub struct Sinks {
    /// Compact decisions, one JSON line each.
    pub decisions: Option<Box<dyn Sink>>,
    /// Dead letters, one JSON line each.
    pub dead_letters: Option<Box<dyn Sink>>,
    /// Alerts that are due.
    pub mail: Option<Box<dyn Sink>>,
    /// All alerts, due and held back, one JSON line each.
    pub alerts: Option<Box<dyn Sink>>,
}

impl Sinks {
    pub(super) fn each(&mut self) -> impl Iterator<Item = &mut Box<dyn Sink>> {
        [
            &mut self.decisions,
            &mut self.dead_letters,
            &mut self.mail,
            &mut self.alerts,
        ]
        .into_iter()
        .flatten()
    }
}

/// Writes batches to a store and its sinks.
pub struct Committer {
    pub(super) store: Arc<dyn Store>,
    pub(super) sinks: Sinks,
    /// Bounds in force at the batch at hand.
    pub(super) policy: ScorePolicy,
    pub(super) cursors: Vec<Change>,
    since_cursors: u32,
    pub(super) head: Seq,
    pub(super) images: Images,
    retention: Retention,
    faults: Faults,
    /// The cursors that wait for a commit say so much; what is committed says `published`.
    pub(super) acknowledged: Seq,
    pub(super) published: Seq,
    /// Set to stop reading when the store runs out of room.
    stop: Option<Arc<AtomicBool>>,
}

impl Committer {
    /// Opens over a store: every sink gets what was committed and not yet published.
    ///
    /// # Errors
    /// When the store or a sink fails.
    pub fn open(store: Arc<dyn Store>, sinks: Sinks, policy: ScorePolicy) -> Result<Self, RunError> {
        let head = store.head()?;
        let (images, leftovers) = Images::open(&*store)?;
        let retention = Retention::open(&*store)?;
        let mut committer = Self {
            store,
            sinks,
            policy,
            cursors: Vec::new(),
            since_cursors: 0,
            head,
            images,
            retention,
            faults: Faults::default(),
            acknowledged: 0,
            published: 0,
            stop: None,
        };
        committer.commit_rows(leftovers)?;
        state_image::remove_unnamed(&*committer.store)?;
        committer.first_cursors()?;
        committer.catch_up()?;
        committer.acknowledge()?;
        committer.commit_cursors()?;
        Ok(committer)
    }

    /// Before a sink publishes, its cursor is in the store: else a crash in the first batch would leave bytes that no
    /// cursor knows.
    fn first_cursors(&mut self) -> Result<(), RunError> {
        let head = self.head;
        let mut first = Vec::new();
        for sink in self.sinks.each() {
            let up_to = sink.published_up_to().unwrap_or(head);
            first.extend(sink.acknowledge(up_to)?);
        }
        self.cursors.extend(first);
        self.commit_cursors()
    }

    fn catch_up(&mut self) -> Result<(), RunError> {
        let (store, own, head) = (Arc::clone(&self.store), self.policy, self.head);
        let last: Cell<Option<(Id, ScorePolicy)>> = Cell::new(None);
        let decision = |row: &Row| -> Result<Option<Record>, StoreError> {
            let decision = batch::decode_decision(&row.value)?;
            let policy = match last.get() {
                Some((versions, policy)) if versions == decision.versions => policy,
                _ => with_bounds_of(&*store, decision.versions, own)?,
            };
            last.set(Some((decision.versions, policy)));
            Ok(Some(Record {
                seq: decision.seq,
                bytes: batch::decision_line(&decision, &policy),
            }))
        };
        let letter = |row: &Row| -> Result<Option<Record>, StoreError> {
            let letter = batch::decode_dead_letter(&row.value)?;
            Ok(Some(Record {
                seq: letter.seq,
                bytes: batch::dead_letter_line(&letter)?,
            }))
        };
        let alert = |row: &Row| -> Result<Option<Record>, StoreError> {
            let alert = stored_alert(row)?;
            let due = alert.held_back.is_none();
            Ok(due.then(|| Record {
                seq: alert.seq,
                bytes: row.value.clone(),
            }))
        };
        let alert_line = |row: &Row| -> Result<Option<Record>, StoreError> {
            let alert = stored_alert(row)?;
            Ok(Some(Record {
                seq: alert.seq,
                bytes: alert.to_json(),
            }))
        };
        if let Some(sink) = &mut self.sinks.decisions {
            publish_missing(&*store, sink.as_mut(), head, DECIDED, decision)?;
        }
        if let Some(sink) = &mut self.sinks.dead_letters {
            publish_missing(&*store, sink.as_mut(), head, DEAD, letter)?;
        }
        if let Some(sink) = &mut self.sinks.mail {
            publish_missing(&*store, sink.as_mut(), head, ALERTS, alert)?;
        }
        if let Some(sink) = &mut self.sinks.alerts {
            publish_missing(&*store, sink.as_mut(), head, ALERTS, alert_line)?;
        }
        Ok(())
    }

    /// Commits one batch and publishes what came of it.
    ///
    /// # Errors
    /// When the store or a sink fails; nothing may be committed after that.
    pub fn commit(&mut self, closed: &mut ClosedBatch) -> Result<(), RunError> {
        let (mut batch, outgoing) = batch::encode(closed, &mut self.policy)?;
        batch.changes.append(&mut self.cursors);
        self.head = self.store.commit(batch)?;
        self.published = self.acknowledged;
        self.publish(&outgoing)?;
        let head = self.head;
        for sink in self.sinks.each() {
            self.cursors.extend(sink.moved(head));
        }
        self.since_cursors += 1;
        if self.since_cursors >= BATCHES_BETWEEN_CURSORS {
            self.acknowledge()?;
        }
        Ok(())
    }

    fn publish(&mut self, outgoing: &Outgoing) -> Result<(), SinkError> {
        let outlets = [
            (&mut self.sinks.decisions, &outgoing.decisions),
            (&mut self.sinks.dead_letters, &outgoing.dead_letters),
            (&mut self.sinks.mail, &outgoing.alerts),
            (&mut self.sinks.alerts, &outgoing.alert_lines),
        ];
        for (sink, records) in outlets {
            if let Some(sink) = sink.as_mut().filter(|_| !records.is_empty()) {
                sink.publish(records)?;
            }
        }
        Ok(())
    }

    pub(super) fn acknowledge(&mut self) -> Result<(), RunError> {
        let head = self.head;
        let mut cursors = Vec::new();
        for sink in self.sinks.each() {
            cursors.extend(sink.acknowledge(head)?);
        }
        self.cursors = cursors;
        self.acknowledged = head;
        self.since_cursors = 0;
        Ok(())
    }

    fn commit_cursors(&mut self) -> Result<(), RunError> {
        let cursors = std::mem::take(&mut self.cursors);
        self.commit_rows(cursors)?;
        self.published = self.acknowledged;
        Ok(())
    }

    /// Commits rows that belong to no record.
    fn commit_rows(&self, changes: Vec<Change>) -> Result<(), RunError> {
        if changes.is_empty() {
            return Ok(());
        }
        self.store.commit(Batch {
            expected_head: self.head,
            new_head: self.head,
            changes,
        })?;
        Ok(())
    }

    /// When the store runs out of room, `stop` is set: the doors read no more, and what was begun is stored.
    pub fn stops(&mut self, stop: &Arc<AtomicBool>) {
        self.stop = Some(Arc::clone(stop));
    }

    /// The start read the image of `seq`, 0 for none: the journal after it is needed.
    pub const fn image_was_used(&mut self, seq: Seq) {
        self.images.was_used(seq);
    }

    /// From now on `faults` hears of the places that are passed.
    pub fn watched_by(&mut self, faults: Faults) {
        self.faults = faults;
    }

    /// What is written between batches: one step of the image that is begun, one step of removing what is too old.
    ///
    /// # Errors
    /// When the store fails.
    pub fn keep_up(&mut self, closed: ClosedBatch) -> Result<(), RunError> {
        if let Some(snapshot) = closed.image {
            // The one before is still being written only if the disk is slower than the doors; then they wait.
            self.finish_image()?;
            self.images.begin(&snapshot)?;
        }
        self.write_image_step()?;
        match closed.kept {
            Some(kept) => self.remove_old(kept, closed.outcomes.len()),
            None => Ok(()),
        }
    }

    fn remove_old(&mut self, kept: Kept, records: usize) -> Result<(), RunError> {
        let bounds = Bounds {
            kept,
            image: self.images.usable(),
            published: self.published,
            records,
        };
        let step = self.retention.next_step(&*self.store, &bounds)?;
        let removed = !step.is_empty();
        if let Some(mail) = &mut self.sinks.mail {
            mail.expire(self.retention.alerts())?;
        }
        self.commit_rows(step)?;
        if removed {
            self.faults.pass(Point::Retention);
            self.remove_old_state()?;
        }
        Ok(())
    }

    /// An image of the state is of no use without the journal behind it, and must not outlive what it holds.
    fn remove_old_state(&self) -> Result<(), RunError> {
        let kept = self.retention.journal_from();
        let image = StateImage::read(&*self.store)?;
        if image.is_some_and(|image| image.seq.saturating_add(1) < kept) {
            self.commit_rows(vec![StateImage::removal()])?;
            state_image::remove_unnamed(&*self.store)?;
        }
        Ok(())
    }

    /// False if no image is begun.
    fn write_image_step(&mut self) -> Result<bool, RunError> {
        let step = self.images.next_step()?;
        let wrote = !step.is_empty();
        self.commit_rows(step)?;
        if wrote && self.images.is_begun() {
            self.faults.pass(Point::CrowdImage);
        }
        Ok(wrote)
    }

    pub(super) fn finish_image(&mut self) -> Result<(), RunError> {
        while self.write_image_step()? {}
        Ok(())
    }

    /// Makes everything durable that went out, says so in the store, and writes the image that is begun to its end.
    ///
    /// # Errors
    /// When the store or a sink fails.
    pub fn finish(&mut self) -> Result<(), RunError> {
        self.sinks.each().try_for_each(|sink| sink.settle())?;
        self.acknowledge()?;
        self.commit_cursors()?;
        self.finish_image()
    }

    /// Commits what comes through `batches` until it ends, and says through `done` which are on disk.
    ///
    /// # Errors
    /// As [`Committer::commit`].
    pub fn run(
        mut self,
        batches: &Receiver<ClosedBatch>,
        done: &Sender<u64>,
        observer: &dyn Observer,
    ) -> Result<(), RunError> {
        let mut short = None;
        for mut closed in batches {
            observer.committing();
            if closed.erasing.is_some() {
                self.erase(&mut closed)?;
            } else {
                self.commit(&mut closed)?;
            }
            observer.committed(&closed);
            // The deciding thread is gone only when the run is over.
            let _ = done.send(closed.number);
            self.keep_up(closed)?;
            if short.is_none() {
                short = self.store.has_room().err();
                if let (Some(_), Some(stop)) = (&short, &self.stop) {
                    stop.store(true, Ordering::Relaxed);
                }
            }
        }
        self.finish()?;
        short.map_or(Ok(()), |short| Err(short.into()))
    }
}

fn stored_alert(row: &Row) -> Result<Alert, StoreError> {
    Alert::decode(&row.value).map_err(|error| bad(Keyspace::Alert, error.to_string()))
}

/// A table in the order of `seq`, as a sink follows it.
#[derive(Clone, Copy)]
struct Table {
    keyspace: Keyspace,
    prefix: &'static [u8],
    key: fn(Seq) -> Vec<u8>,
}

const DECIDED: Table = Table {
    keyspace: Keyspace::Decided,
    prefix: &[],
    key: keys::seq,
};
const DEAD: Table = Table {
    keyspace: Keyspace::Dead,
    prefix: keys::dead_prefix(),
    key: keys::dead_by_seq,
};
const ALERTS: Table = Table {
    keyspace: Keyspace::Alert,
    prefix: &[],
    key: keys::seq,
};

/// Publishes the rows of a table from a sink's cursor to `head`.
fn publish_missing(
    store: &dyn Store,
    sink: &mut dyn Sink,
    head: Seq,
    table: Table,
    record: impl Fn(&Row) -> Result<Option<Record>, StoreError>,
) -> Result<(), RunError> {
    let Some(published) = sink.published_up_to().filter(|published| *published < head) else {
        return Ok(());
    };
    let mut from = (table.key)(published.saturating_add(1));
    loop {
        let page = store.scan(table.keyspace, table.prefix, &from, CATCH_UP_PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        from.clone_from(&last.key);
        from.push(0);
        let records: Vec<Record> = page
            .iter()
            .map(&record)
            .filter_map(Result::transpose)
            .collect::<Result<_, _>>()?;
        if !records.is_empty() {
            sink.publish(&records)?;
        }
    }
}
