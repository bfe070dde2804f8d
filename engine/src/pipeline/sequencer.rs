//! The sequencer: one thread that admits, decides and learns in the order of `seq` (clause S2).
//!
//! Stores are asked batch-wise: all rows that a chunk of lines needs are loaded first, then every line is decided over
//! rows in memory. What it changes is pinned until its batch is committed. It knows no clock but the `now` of its
//! records, and nothing leaves from here: [`Sequencer::close`] hands over what one commit writes.

use std::collections::VecDeque;
use std::sync::Arc;

use foldhash::{HashMap, HashSet};

use crate::alerts::budget::Mailbox;
use crate::attempt::Attempt;
use crate::enrich::EnrichedLogin;
use crate::event::{EventType, Timestamp};
use crate::history::crowd::Crowd;
use crate::pipeline::admission::{Waiting, WaitingClock};
use crate::pipeline::admitted::Admitted;
use crate::pipeline::batch::{ClosedBatch, DecidedEvent, Outcome};
use crate::pipeline::dead_letter::{DeadLetter, Refusal};
use crate::pipeline::engine::Engine;
use crate::pipeline::file_clock::Stamped;
use crate::pipeline::journal::{self, Body};
use crate::pipeline::keys;
use crate::pipeline::login_step::{Moment, Workspace};
use crate::pipeline::ports::{Change, Keyspace, Seq, Store, StoreError};
use crate::pipeline::row_bytes::bad;
use crate::pipeline::row_cache::RowCache;
use crate::pipeline::timers::Timers;
use crate::pipeline::user_rows::{UserKey, UserRows, encode_attempt};
use crate::risk::decision::Id;

/// Journal records read at once when the counters are folded at start.
const FOLD_PAGE: usize = 4_096;
const DAY_MICROS: i64 = 86_400_000_000;

/// Figures of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events decided.
    pub decided: u64,
    /// Lines refused.
    pub refused: u64,
    /// Lines that were there before: events decided and lines refused.
    pub repeated: u64,
}

/// The thread's state.
pub struct Sequencer {
    pub(super) engine: Arc<Engine>,
    pub(super) store: Arc<dyn Store>,
    pub(super) file_clock: WaitingClock,
    /// Space for what the clock of files lets go.
    pub(super) stamped: Vec<Stamped<Waiting>>,
    head: Seq,
    clock: i64,
    /// `now` of the last record that came from a door; timers move the clock beyond it.
    last_admitted: Option<i64>,
    /// `now` of the first record, for the age of the store.
    first_now: Option<i64>,
    pub(super) crowd: Crowd,
    pub(super) users: RowCache<UserRows>,
    pub(super) attempts: RowCache<Option<Attempt>>,
    pub(super) mailboxes: RowCache<Mailbox>,
    pub(super) timers: Timers,
    /// Attempts that had to make room: they end behind the event at hand.
    pub(super) without_room: Vec<Attempt>,
    /// Ids of events and dead letters in batches that are not committed yet.
    uncommitted: VecDeque<(u64, HashSet<[u8; 32]>)>,
    /// Keys of user rows that changed in the open batch.
    pub(super) user_keys: HashMap<Vec<u8>, UserKey>,
    open: ClosedBatch,
    open_bytes: usize,
    pub(super) work: Workspace,
    counts: Counts,
}

impl Sequencer {
    /// Opens over a store: the counters across users are folded from its journal. `rows_kept` bounds each cache.
    ///
    /// # Errors
    /// When the store fails, or a row of its journal does not decode.
    pub fn open(engine: Arc<Engine>, store: Arc<dyn Store>, rows_kept: usize) -> Result<Self, StoreError> {
        let head = store.head()?;
        let timers = Timers::open(&*store, engine.timers_max)?;
        let mut sequencer = Self {
            crowd: Crowd::new(engine.crowd),
            file_clock: WaitingClock::new(None, engine.time_jump),
            stamped: Vec::new(),
            engine,
            store,
            head,
            clock: i64::MIN,
            last_admitted: None,
            first_now: None,
            users: RowCache::new(rows_kept),
            attempts: RowCache::new(rows_kept),
            mailboxes: RowCache::new(rows_kept),
            timers,
            without_room: Vec::new(),
            uncommitted: VecDeque::from([(1, HashSet::default())]),
            user_keys: HashMap::default(),
            open: ClosedBatch {
                number: 1,
                expected_head: head,
                new_head: head,
                ..ClosedBatch::default()
            },
            open_bytes: 0,
            work: Workspace::default(),
            counts: Counts::default(),
        };
        sequencer.fold_journal()?;
        sequencer.last_admitted = last_admitted(&*sequencer.store)?;
        sequencer.file_clock = WaitingClock::new(sequencer.clock(), sequencer.engine.time_jump);
        Ok(sequencer)
    }

    fn fold_journal(&mut self) -> Result<(), StoreError> {
        let mut from = 1;
        let mut next = None;
        while from <= self.head {
            let page = self
                .store
                .scan(Keyspace::Journal, &[], &keys::seq(from), FOLD_PAGE)?;
            let Some(last) = page.last().and_then(|row| keys::read_seq(&row.key)) else {
                break;
            };
            for row in &page {
                next = Some(journal::follows(next, &row.key)?);
                let record = journal::decode(&row.value)?;
                self.move_clock(record.now);
                if let Body::Event {
                    observation: Some(observation),
                    ..
                }
                | Body::Own {
                    observation: Some(observation),
                    ..
                } = record.body
                {
                    self.crowd.observe(&observation, record.now);
                }
            }
            from = last + 1;
        }
        Ok(())
    }

    /// Running maximum of `now`; `None` before the first record.
    #[must_use]
    pub fn clock(&self) -> Option<i64> {
        (self.clock != i64::MIN).then_some(self.clock)
    }

    /// `now` of the last record that came from a door, `None` before the first.
    #[must_use]
    pub fn last_admitted(&self) -> Option<i64> {
        self.last_admitted
    }

    /// Last `seq` given out.
    #[must_use]
    pub fn head(&self) -> Seq {
        self.head
    }

    /// Figures since it was opened.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// Records in the open batch.
    #[must_use]
    pub fn open_records(&self) -> usize {
        self.open.outcomes.len()
    }

    /// Bytes of events in the open batch.
    #[must_use]
    pub fn open_bytes(&self) -> usize {
        self.open_bytes
    }

    /// A batch holds one position an input: the last.
    pub(super) fn move_position(&mut self, change: Change) {
        self.open.positions.retain(|known| known.key != change.key);
        self.open.positions.push(change);
    }

    /// A mailbox, from memory or the store. Asked for only when somebody is to be told, which is rare.
    pub(super) fn mailbox(&mut self, key: &[u8]) -> Result<Mailbox, StoreError> {
        if let Some(mailbox) = self.mailboxes.get(key) {
            return Ok(mailbox.clone());
        }
        let row = self
            .store
            .load_many(Keyspace::Mailbox, &[key.to_vec()])?
            .pop()
            .flatten();
        let mailbox = row
            .as_deref()
            .map(Mailbox::decode)
            .transpose()
            .map_err(|error| bad(Keyspace::Mailbox, error.to_string()))?
            .unwrap_or_default();
        self.mailboxes.fill(key.to_vec(), mailbox.clone());
        Ok(mailbox)
    }

    /// Whether an event or dead letter is in a batch that is not committed yet.
    pub(super) fn is_uncommitted(&self, id: &[u8; 32]) -> bool {
        self.uncommitted.iter().any(|(_, ids)| ids.contains(id))
    }

    pub(super) const fn count_repeated(&mut self) {
        self.counts.repeated += 1;
    }

    /// Takes a line into the journal at `now`. `jumped`: its time is a jump that nothing confirmed.
    pub(super) fn take(&mut self, line: Admitted, now: i64, jumped: bool) -> Result<(), StoreError> {
        if self.is_uncommitted(&line.id) {
            self.count_repeated();
            return Ok(());
        }
        let known_by = line.content.is_err().then_some(line.id);
        let decision = line.decision_id();
        let Admitted {
            bytes,
            origin,
            content,
            id,
            user,
            ..
        } = line;
        self.fire_due(now)?;
        self.open_bytes += bytes.len();
        let content = match content {
            Ok(login) if jumped => Err(Refusal::time_jump(login.event.time)),
            content => content.and_then(|login| self.not_too_old(login, now)),
        };
        let refused = match content {
            Ok(login) => {
                self.begin_record(now);
                self.last_admitted = self.clock();
                self.counts.decided += 1;
                self.note(id);
                let mut decided = self.decide(&login, user.as_ref(), &bytes, decision)?;
                decided.bytes = bytes;
                self.push(Outcome::Decided(Box::new(decided)));
                return self.end_those_without_room();
            }
            Err(refusal) => refusal,
        };
        let letter_id = known_by.unwrap_or_else(|| origin.dead_letter_id(&bytes));
        if known_by.is_none() && self.was_refused(&letter_id)? {
            self.count_repeated();
            return Ok(());
        }
        self.begin_record(now);
        self.last_admitted = self.clock();
        self.counts.refused += 1;
        self.note(letter_id);
        let letter = DeadLetter {
            id: letter_id,
            seq: self.head,
            source: origin.input.name.as_str().into(),
            line: origin.line,
            offset: origin.offset,
            refusal: refused,
            bytes,
        };
        self.push(Outcome::Refused(Box::new(letter), self.clock));
        Ok(())
    }

    /// Adds what came of a record to the open batch.
    pub(super) fn push(&mut self, outcome: Outcome) {
        self.open.outcomes.push(outcome);
    }

    pub(super) fn begin_record(&mut self, now: i64) {
        self.head += 1;
        self.move_clock(now);
    }

    /// Whether a line at the same place of an input with the same beginning is a dead letter already: two names of one
    /// file, say. Lines refused by their time are few, so each is asked for by itself.
    pub(super) fn was_refused(&self, id: &[u8; 32]) -> Result<bool, StoreError> {
        Ok(self.is_uncommitted(id)
            || self
                .store
                .load_many(Keyspace::Dead, &[keys::dead_by_id(id)])?
                .pop()
                .flatten()
                .is_some())
    }

    /// Clause S5: what is older than the table of seen events cannot be told from a repeat.
    fn not_too_old(&self, login: Box<EnrichedLogin>, now: i64) -> Result<Box<EnrichedLogin>, Refusal> {
        let days = self.engine.decisions_days;
        let oldest = self
            .clock
            .max(now)
            .saturating_sub(days.saturating_mul(DAY_MICROS));
        if login.event.time < Timestamp::from_micros(oldest) {
            return Err(Refusal::too_old(login.event.time, days));
        }
        Ok(login)
    }

    fn note(&mut self, id: [u8; 32]) {
        if let Some((_, ids)) = self.uncommitted.back_mut() {
            ids.insert(id);
        }
    }

    fn decide(
        &mut self,
        login: &EnrichedLogin,
        user: Option<&UserKey>,
        bytes: &[u8],
        id: Id,
    ) -> Result<DecidedEvent, StoreError> {
        let moment = Moment {
            login,
            user,
            seq: self.head,
            decision: id,
            now: self.clock,
            bytes,
        };
        match login.event.event_type {
            EventType::Login => self.decide_login(moment),
            EventType::AttemptClosed => self.close_attempt(moment),
            _ => Ok(self.take_account(moment)),
        }
    }

    fn move_clock(&mut self, now: i64) {
        // A refused line before the first event has no time yet, and says nothing of the store's age.
        if now > 0 {
            self.first_now.get_or_insert(now);
        }
        self.clock = self.clock.max(now);
    }

    /// How old the store is, microseconds.
    pub(super) fn store_age(&self) -> i64 {
        self.first_now.map_or(0, |first| self.clock.saturating_sub(first))
    }

    /// Number of the open batch.
    pub(super) fn batch(&self) -> u64 {
        self.open.number
    }

    /// Closes the open batch; `None` if nothing happened in it.
    ///
    /// # Errors
    /// Only if a row cannot be encoded at all.
    pub fn close(&mut self) -> Result<Option<ClosedBatch>, StoreError> {
        if self.open.outcomes.is_empty() && self.open.positions.is_empty() {
            return Ok(None);
        }
        let rows = self.changed_rows()?;
        let next = ClosedBatch {
            number: self.open.number + 1,
            expected_head: self.head,
            new_head: self.head,
            ..ClosedBatch::default()
        };
        self.uncommitted.push_back((next.number, HashSet::default()));
        let closed = std::mem::replace(&mut self.open, next);
        self.open_bytes = 0;
        Ok(Some(ClosedBatch {
            new_head: self.head,
            rows,
            ..closed
        }))
    }

    fn changed_rows(&mut self) -> Result<Vec<Change>, StoreError> {
        let mut rows = Vec::new();
        let mut failed = None;
        let mut keep = |result: Result<(), StoreError>| failed = failed.take().or(result.err());
        let user_keys = &self.user_keys;
        self.users.drain_changed(|key, user| {
            if let Some(key) = user_keys.get(key) {
                keep(user.changes(key, &mut rows));
            }
        });
        self.attempts.drain_changed(|key, attempt| {
            let value = attempt.as_ref().map(encode_attempt).transpose();
            keep(value.map(|value| {
                rows.push(Change {
                    keyspace: Keyspace::Attempt,
                    key: key.to_vec(),
                    value,
                });
            }));
        });
        self.mailboxes.drain_changed(|key, mailbox| {
            let value = Some(mailbox.encode());
            rows.push(Change {
                keyspace: Keyspace::Mailbox,
                key: key.to_vec(),
                value,
            });
        });
        self.user_keys.clear();
        self.timers.drain_changed(&mut rows);
        failed.map_or(Ok(rows), Err)
    }

    /// Batch `number`, and all before it, are on disk.
    pub fn committed(&mut self, number: u64) {
        self.users.committed(number);
        self.attempts.committed(number);
        self.mailboxes.committed(number);
        while self
            .uncommitted
            .front()
            .is_some_and(|(batch, _)| *batch <= number)
        {
            self.uncommitted.pop_front();
        }
    }
}

/// `now` of the last record of the journal that came from a door.
fn last_admitted(store: &dyn Store) -> Result<Option<i64>, StoreError> {
    let mut limit = 64;
    loop {
        let rows = store.scan_back(Keyspace::Journal, &[], limit)?;
        for row in &rows {
            let record = journal::decode(&row.value)?;
            if !record.body.is_own() {
                return Ok(Some(record.now));
            }
        }
        if rows.len() < limit {
            return Ok(None);
        }
        limit *= 8;
    }
}
