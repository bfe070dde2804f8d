//! Erases a user: one record of the journal, one commit.
//!
//! The deciding thread stops, takes a `seq` for it, forgets who the user is in its counters, and waits for the commit.
//! The committer looks for all that names the user, writes an image of the state without it (from which the journal
//! folds again), and has the sinks prepare what they published. The commit then holds everything: records of the
//! journal shrink to their place and time, rows go, cursors move. Ids of what was erased are kept as keyed hashes, so
//! that the same event is not decided a second time when it is delivered again (clause S5).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;
use std::sync::mpsc::Sender;

use crate::history::crowd::CrowdObservation;
use crate::keyed_hash::{KeyedHash, domain};
use crate::pipeline::batch::{self, ClosedBatch, Erasure, Outcome, decode_decision};
use crate::pipeline::committer::{Committer, RunError};
use crate::pipeline::journal::{self, JournalRecord};
use crate::pipeline::keys;
use crate::pipeline::ports::{Batch, Change, Forgotten, Keyspace, Seq, Sink, SinkError, Store, StoreError};
use crate::pipeline::sequencer::Sequencer;
use crate::pipeline::state_image::{self, StateImage};
use crate::pipeline::timers::Timers;
use crate::pipeline::user_traces::{Rows, Traces, WantedUser};

/// Key in table `meta` that says that erased bytes may still be in the store's files.
const PENDING: &[u8] = b"erasure/pending";
const VERSION: u8 = 1;
/// Positions read at once.
const PAGE: usize = 4_096;

/// A user to be erased.
pub struct Erasing {
    /// Where the store names the user, as far as it was looked at.
    pub traces: Traces,
    /// Makes hashes of the ids that are erased.
    pub hash: KeyedHash,
    /// Ways out that are not those of the run: files that earlier runs wrote.
    pub others: Vec<Box<dyn Sink>>,
    /// Hears what was erased, once it is on disk.
    pub done: Sender<Erased>,
}

impl fmt::Debug for Erasing {
    /// Nothing of the user.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Erasing")
    }
}

/// What was erased.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Erased {
    /// Its record in the journal.
    pub seq: Seq,
    /// Records of the journal.
    pub records: u64,
    /// Decisions.
    pub decisions: u64,
    /// Alerts.
    pub alerts: u64,
    /// Dead letters.
    pub letters: u64,
    /// History, failures, attempts, timers, mailbox.
    pub rows: u64,
    /// Lines or mails of each way out, by its name.
    pub published: Vec<(String, u64)>,
}

/// Key of an erased id, as the table of what was seen keeps it: events by their decision's id and zeros, anything else
/// by its dead letter's.
#[must_use]
pub fn erased_key(hash: &KeyedHash, id: &[u8; 32]) -> Vec<u8> {
    keys::erased_by_id(erased_hash(hash, id))
}

fn erased_hash(hash: &KeyedHash, id: &[u8; 32]) -> u128 {
    hash.wide(domain::ERASED_ID, &[id])
}

/// Whether erased bytes may still be in the store's files: the process ended before it had removed them.
///
/// # Errors
/// When the store fails.
pub fn is_pending(store: &dyn Store) -> Result<bool, StoreError> {
    let row = store.load_many(Keyspace::Meta, &[PENDING.to_vec()])?.pop();
    Ok(row.flatten().is_some())
}

/// The row to store when they are gone.
#[must_use]
pub fn not_pending() -> Change {
    Change {
        keyspace: Keyspace::Meta,
        key: PENDING.to_vec(),
        value: None,
    }
}

impl Sequencer {
    /// Takes the erasure into the journal. Everything before it is committed; its batch must be committed, and
    /// [`Sequencer::erased`] be called, before anything else is decided.
    ///
    /// # Errors
    /// As [`Sequencer::close`].
    pub fn erase(&mut self, erasing: Box<Erasing>) -> Result<Option<ClosedBatch>, StoreError> {
        let WantedUser { tenant, id, .. } = &erasing.traces.user;
        let hash = self.engine.hash;
        self.crowd
            .forget_user(CrowdObservation::user_hash(&hash, tenant, id));
        let user = hash.wide(domain::ERASED_USER, &[tenant.as_bytes(), id.as_bytes()]);
        self.head += 1;
        self.images.took(self.head, self.clock);
        self.push(Outcome::UserErased(Erasure {
            seq: self.head,
            now: self.clock().unwrap_or_default(),
            user: user.to_be_bytes(),
            records: 0,
        }));
        let image = Box::new(self.snapshot());
        Ok(self.close()?.map(|closed| ClosedBatch {
            image: Some(image),
            erasing: Some(erasing),
            ..closed
        }))
    }

    /// The erasure is on disk: nothing that was read before holds.
    ///
    /// # Errors
    /// When the store fails.
    pub fn erased(&mut self) -> Result<(), StoreError> {
        self.users.clear();
        self.attempts.clear();
        self.mailboxes.clear();
        self.timers = Timers::open(&*self.store, self.engine.timers_max)?;
        self.has_erased = true;
        Ok(())
    }
}

impl Committer {
    /// Erases a user: all of it or nothing.
    ///
    /// # Errors
    /// When the store or a sink fails; nothing may be committed after that.
    pub fn erase(&mut self, closed: &mut ClosedBatch) -> Result<(), RunError> {
        let (Some(erasing), Some(image)) = (closed.erasing.take(), closed.image.take()) else {
            return self.commit(closed);
        };
        let Erasing {
            mut traces,
            hash,
            mut others,
            done,
        } = *erasing;
        let store = Arc::clone(&self.store);
        traces.look(&*store)?;
        let rows = traces.rows(&*store)?;
        self.acknowledge()?;
        self.finish_image()?;
        let state = self.write_state(&rows, closed.new_head, &image)?;
        let mut erased = Erased {
            seq: closed.new_head,
            ..Erased::default()
        };
        let cursors = self.forget(&traces, &mut others, &mut erased)?;
        let mut changes = changes(&*store, &traces, &rows, &hash, &mut erased)?;
        for outcome in &mut closed.outcomes {
            if let Outcome::UserErased(erasure) = outcome {
                erasure.records = erased.records;
            }
        }
        let (mut batch, _) = batch::encode(closed, &mut self.policy)?;
        batch.changes.append(&mut changes);
        batch.changes.extend(cursors);
        self.images.begin(&image)?;
        while self.images.is_begun() {
            batch.changes.extend(self.images.next_step()?);
        }
        batch.changes.push(state.change()?);
        batch.put(Keyspace::Meta, PENDING.to_vec(), vec![VERSION]);
        self.head = store.commit(batch)?;
        self.cursors.clear();
        self.published = self.acknowledged;
        for sink in self.sinks.each().chain(&mut others) {
            sink.forgot()?;
        }
        state_image::remove_unnamed(&*store)?;
        // Whoever asked may have gone.
        let _ = done.send(erased);
        Ok(())
    }

    fn write_state(
        &self,
        rows: &Rows,
        seq: Seq,
        image: &crate::pipeline::crowd_image::Snapshot,
    ) -> Result<StateImage, StoreError> {
        let gone: BTreeSet<(Keyspace, &[u8])> = all_rows(rows).collect();
        let bearings = state_image::bearings(&*self.store)?;
        let more = bearings.into_iter().chain(state_image::counters(image)?);
        // What an earlier try left would be taken for rows of this one.
        state_image::remove_unnamed(&*self.store)?;
        StateImage::write(
            &*self.store,
            seq,
            |keyspace, key| gone.contains(&(keyspace, key)),
            more,
        )
    }

    /// Has every way out prepare what it published; the cursors for the commit.
    fn forget(
        &mut self,
        traces: &Traces,
        others: &mut [Box<dyn Sink>],
        erased: &mut Erased,
    ) -> Result<Vec<Change>, SinkError> {
        let ids: BTreeSet<String> = traces.alerts.values().map(ToString::to_string).collect();
        let forgotten = Forgotten {
            line: &|line| traces.is_about(line),
            alert: &|id| ids.contains(id),
        };
        let mut cursors: BTreeMap<Vec<u8>, Change> = std::mem::take(&mut self.cursors)
            .into_iter()
            .map(|cursor| (cursor.key.clone(), cursor))
            .collect();
        for sink in self.sinks.each().chain(others) {
            let forgot = sink.forget(&forgotten)?;
            if forgot.removed > 0 {
                erased.published.push((sink.name().to_owned(), forgot.removed));
            }
            cursors.extend(forgot.cursor.map(|cursor| (cursor.key.clone(), cursor)));
        }
        Ok(cursors.into_values().collect())
    }
}

fn all_rows(rows: &Rows) -> impl Iterator<Item = (Keyspace, &[u8])> {
    let of_the_user = rows
        .of_the_user
        .iter()
        .map(|(keyspace, row)| (*keyspace, row.key.as_slice()));
    let attempts = rows
        .attempts
        .iter()
        .map(|row| (Keyspace::Attempt, row.key.as_slice()));
    let timers = rows
        .timers
        .iter()
        .map(|row| (Keyspace::Timer, row.key.as_slice()));
    of_the_user.chain(attempts).chain(timers)
}

/// What the commit changes in the tables.
fn changes(
    store: &dyn Store,
    traces: &Traces,
    rows: &Rows,
    hash: &KeyedHash,
    erased: &mut Erased,
) -> Result<Vec<Change>, StoreError> {
    let mut batch = Batch::default();
    for (keyspace, key) in all_rows(rows) {
        batch.delete(keyspace, key.to_vec());
        erased.rows += 1;
    }
    erase_decisions(store, traces, hash, &mut batch, erased)?;
    erase_letters(store, traces, hash, &mut batch, erased)?;
    for key in traces.alerts.keys() {
        batch.delete(Keyspace::Alert, key.clone());
        erased.alerts += 1;
    }
    let records: Vec<Vec<u8>> = traces.records.iter().map(|seq| keys::seq(*seq)).collect();
    for page in records.chunks(PAGE) {
        for (key, row) in page.iter().zip(store.load_many(Keyspace::Journal, page)?) {
            let Some(row) = row else { continue };
            let record = journal::decode(&row)?;
            let stub: JournalRecord<Vec<u8>> = JournalRecord {
                now: record.now,
                body: record.body.erased(),
            };
            batch.put(Keyspace::Journal, key.clone(), journal::encode(&stub, 0)?);
            erased.records += 1;
        }
    }
    Ok(batch.changes)
}

fn erase_decisions(
    store: &dyn Store,
    traces: &Traces,
    hash: &KeyedHash,
    batch: &mut Batch,
    erased: &mut Erased,
) -> Result<(), StoreError> {
    let positions: Vec<Seq> = traces.decisions.union(&traces.records).copied().collect();
    for page in positions.chunks(PAGE) {
        let keys: Vec<Vec<u8>> = page.iter().map(|seq| keys::seq(*seq)).collect();
        for (key, row) in keys.iter().zip(store.load_many(Keyspace::Decided, &keys)?) {
            let Some(row) = row else { continue };
            let decision = decode_decision(&row)?;
            batch.delete(Keyspace::Decided, key.clone());
            erased.decisions += 1;
            if let Some(user) = decision.user_id.as_deref() {
                let key = keys::by_user(&decision.tenant, user, decision.seq);
                batch.delete(Keyspace::ByUser, key);
            }
            let id = keys::decision(decision.id);
            let known = store
                .load_many(Keyspace::Decision, std::slice::from_ref(&id))?
                .pop();
            if known.flatten().and_then(|row| keys::read_seq(&row)) == Some(decision.seq) {
                batch.delete(Keyspace::Decision, id);
                let mut id = [0; 32];
                id[..16].copy_from_slice(&decision.id.0);
                remember(batch, hash, &id, decision.seq);
            }
        }
    }
    Ok(())
}

fn erase_letters(
    store: &dyn Store,
    traces: &Traces,
    hash: &KeyedHash,
    batch: &mut Batch,
    erased: &mut Erased,
) -> Result<(), StoreError> {
    for (seq, id) in &traces.letters {
        batch.delete(Keyspace::Dead, keys::dead_by_seq(*seq));
        erased.letters += 1;
        let by_id = keys::dead_by_id(id);
        let known = store
            .load_many(Keyspace::Dead, std::slice::from_ref(&by_id))?
            .pop();
        if known.flatten().and_then(|row| keys::read_seq(&row)) == Some(*seq) {
            batch.delete(Keyspace::Dead, by_id);
            remember(batch, hash, id, *seq);
        }
    }
    Ok(())
}

/// What was erased stays known as seen.
fn remember(batch: &mut Batch, hash: &KeyedHash, id: &[u8; 32], seq: Seq) {
    let hash = erased_hash(hash, id);
    batch.put(
        Keyspace::Erased,
        keys::erased_by_id(hash),
        seq.to_be_bytes().to_vec(),
    );
    batch.put(Keyspace::Erased, keys::erased_by_seq(seq, hash), vec![VERSION]);
}
