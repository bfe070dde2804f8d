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
use crate::pipeline::admitted::{Admitted, Arrival};
use crate::pipeline::batch::{ClosedBatch, DecidedEvent, Outcome};
use crate::pipeline::crowd_image::{self, ImageSchedule, Snapshot};
use crate::pipeline::dead_letter::{DeadLetter, Refusal};
use crate::pipeline::engine::Engine;
use crate::pipeline::journal::{self, Body};
use crate::pipeline::keys;
use crate::pipeline::login_step::Workspace;
use crate::pipeline::ports::{Change, Keyspace, Seq, Store, StoreError};
use crate::pipeline::retention::{Calendar, Kept, Removed, Upkeep};
use crate::pipeline::row_bytes::bad;
use crate::pipeline::row_cache::RowCache;
use crate::pipeline::user_rows::{UserKey, UserRows, decode_attempt, encode_attempt};
use crate::risk::decision::Id;
use crate::risk::ids::decision_id;

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
    store: Arc<dyn Store>,
    head: Seq,
    clock: i64,
    /// `now` of the first record, for the age of the store.
    first_now: Option<i64>,
    pub(super) crowd: Crowd,
    pub(super) users: RowCache<UserRows>,
    pub(super) attempts: RowCache<Option<Attempt>>,
    pub(super) mailboxes: RowCache<Mailbox>,
    /// Ids of events and dead letters in batches that are not committed yet.
    uncommitted: VecDeque<(u64, HashMap<[u8; 32], Seq>)>,
    /// Keys of user rows that changed in the open batch.
    pub(super) user_keys: HashMap<Vec<u8>, UserKey>,
    open: ClosedBatch,
    pub(super) work: Workspace,
    counts: Counts,
    images: ImageSchedule,
    folded: u64,
    calendar: Calendar,
    /// What earlier runs removed.
    removed: Removed,
    journal_days: Option<i64>,
}

/// One line with what the store said about it.
struct Looked {
    line: Admitted,
    id: [u8; 32],
    /// Where it was decided.
    seen: Option<Seq>,
}

impl Sequencer {
    /// Opens over a store: the counters across users are those of its newest image, and the journal records after it
    /// are folded into them. `rows_kept` bounds each cache.
    ///
    /// # Errors
    /// When the store fails, or a row of its journal does not decode.
    pub fn open(engine: Arc<Engine>, store: Arc<dyn Store>, rows_kept: usize) -> Result<Self, StoreError> {
        let head = store.head()?;
        let start = crowd_image::start(&*store, engine.crowd)?;
        let mut sequencer = Self {
            images: ImageSchedule::never(&start),
            calendar: start.calendar,
            removed: Removed::read(&*store)?,
            journal_days: None,
            crowd: start.crowd,
            engine,
            store,
            head,
            clock: start.clock,
            first_now: start.first_now,
            users: RowCache::new(rows_kept),
            attempts: RowCache::new(rows_kept),
            mailboxes: RowCache::new(rows_kept),
            uncommitted: VecDeque::from([(1, HashMap::default())]),
            user_keys: HashMap::default(),
            open: ClosedBatch {
                number: 1,
                expected_head: head,
                new_head: head,
                ..ClosedBatch::default()
            },
            work: Workspace::default(),
            counts: Counts::default(),
            folded: 0,
        };
        sequencer.fold_journal(start.seq + 1)?;
        Ok(sequencer)
    }

    /// Folds the records from `from` to the head. One that is missing would change every later answer: that is an error.
    fn fold_journal(&mut self, mut from: Seq) -> Result<(), StoreError> {
        while from <= self.head {
            let page = self
                .store
                .scan(Keyspace::Journal, &[], &keys::seq(from), FOLD_PAGE)?;
            for row in &page {
                if keys::read_seq(&row.key) != Some(from) {
                    break;
                }
                let record = journal::decode(&row.value)?;
                self.move_clock(from, record.now);
                if let Body::Event {
                    observation: Some(observation),
                    ..
                } = record.body
                {
                    self.crowd.observe(&observation, record.now);
                }
                self.folded += 1;
                from += 1;
            }
            if from <= self.head && page.last().and_then(|row| keys::read_seq(&row.key)) != Some(from - 1) {
                let reason = format!("record {from} is missing, the last one is {}", self.head);
                return Err(bad(Keyspace::Journal, reason));
            }
        }
        Ok(())
    }

    /// From now on batches carry what keeps the store tidy and the next start short.
    pub fn keep_up(&mut self, upkeep: Upkeep) {
        self.images.follow(upkeep.images);
        self.journal_days = Some(upkeep.journal_days);
    }

    /// Last record of the newest image that was read or taken; 0 for none.
    #[must_use]
    pub fn last_image(&self) -> Seq {
        self.images.last()
    }

    /// The run is at its clean end: the last batch takes an image along, if that is worth while.
    pub fn end(&mut self) {
        self.images.ending();
    }

    /// Journal records folded when it was opened.
    #[must_use]
    pub fn folded(&self) -> u64 {
        self.folded
    }

    /// What the journal folded to so far.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            seq: self.head,
            clock: self.clock,
            first_now: self.first_now,
            calendar: self.calendar.clone(),
            crowd: self.crowd.clone(),
        }
    }

    /// Running maximum of `now`; `None` before the first record.
    #[must_use]
    pub fn clock(&self) -> Option<i64> {
        (self.clock != i64::MIN).then_some(self.clock)
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

    /// Decides what arrived, in order. Call [`Sequencer::close`] between chunks, as the limits of a batch say.
    ///
    /// # Errors
    /// When the store fails; the process must end then.
    pub fn admit(&mut self, arrivals: Vec<Arrival>) -> Result<(), StoreError> {
        let mut lines = Vec::with_capacity(arrivals.len());
        let mut positions = Vec::new();
        for arrival in arrivals {
            match arrival {
                Arrival::Line(line) => lines.push(line),
                Arrival::Position(change) => positions.push(change),
            }
        }
        let looked = self.look_up(lines)?;
        self.load_rows(&looked)?;
        for line in looked {
            self.take(line)?;
        }
        for change in positions {
            self.move_position(change);
        }
        Ok(())
    }

    /// A batch holds one position an input: the last.
    fn move_position(&mut self, change: Change) {
        self.open.positions.retain(|known| known.key != change.key);
        self.open.positions.push(change);
    }

    /// Asks the store once which of these events it has seen. Lines refused before do not come here: the door drops
    /// them, because they must not touch its clock either.
    fn look_up(&self, lines: Vec<Admitted>) -> Result<Vec<Looked>, StoreError> {
        let ids: Vec<[u8; 32]> = lines.iter().map(line_id).collect();
        let events = || lines.iter().zip(&ids).filter(|(line, _)| line.content.is_ok());
        let keys: Vec<Vec<u8>> = events().map(|(_, id)| id[..16].to_vec()).collect();
        let mut found = self.store.load_many(Keyspace::Decision, &keys)?.into_iter();
        let looked = lines.into_iter().zip(ids).map(|(line, id)| {
            let row = line.content.as_ref().ok().and_then(|_| found.next().flatten());
            // A position that does not read is one all the same.
            let seen = row.map(|row| keys::read_seq(&row).unwrap_or(Seq::MAX));
            Looked { line, id, seen }
        });
        Ok(looked.collect())
    }

    /// Loads what the unseen events of a chunk need and is not in memory.
    fn load_rows(&mut self, looked: &[Looked]) -> Result<(), StoreError> {
        let mut users: Vec<UserKey> = Vec::new();
        let mut attempts: Vec<Vec<u8>> = Vec::new();
        let mut asked: HashSet<Vec<u8>> = HashSet::default();
        self.users.begin_group();
        self.attempts.begin_group();
        self.mailboxes.begin_group();
        let latest = looked.iter().map(|looked| looked.line.now).max();
        let kept = self.first_decision(self.clock.max(latest.unwrap_or(i64::MIN)));
        for login in looked
            .iter()
            .filter(|looked| looked.seen.is_none_or(|seq| seq < kept))
            .filter_map(|looked| looked.line.content.as_ref().ok())
        {
            if let Some(key) = UserKey::of(login)
                && !self.users.need(&key.row)
                && asked.insert(key.row.clone())
            {
                users.push(key);
            }
            if let Some(attempt) = login.event.attempt.id.as_deref() {
                let key = keys::attempt(&login.tenant, attempt);
                if !self.attempts.need(&key) && asked.insert(key.clone()) {
                    attempts.push(key);
                }
            }
        }
        self.load_users(&users)?;
        for (key, row) in attempts
            .iter()
            .zip(self.store.load_many(Keyspace::Attempt, &attempts)?)
        {
            let attempt = row.as_deref().map(decode_attempt).transpose()?;
            self.attempts.fill(key.clone(), attempt);
        }
        Ok(())
    }

    fn load_users(&mut self, users: &[UserKey]) -> Result<(), StoreError> {
        if users.is_empty() {
            return Ok(());
        }
        let rows: Vec<Vec<u8>> = users.iter().map(|key| key.row.clone()).collect();
        let unnamed: Vec<Vec<u8>> = users.iter().map(UserKey::unnamed).collect();
        let histories = self.store.load_many(Keyspace::User, &rows)?;
        let failures = self.store.load_many(Keyspace::Failures, &rows)?;
        let unnamed = self.store.load_many(Keyspace::Attempt, &unnamed)?;
        for (((key, history), failed), open) in rows.into_iter().zip(histories).zip(failures).zip(unnamed) {
            let rows = UserRows::decode(history.as_deref(), failed.as_deref(), open.as_deref())?;
            self.users.fill(key, rows);
        }
        Ok(())
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

    fn take(&mut self, looked: Looked) -> Result<(), StoreError> {
        let kept = self.first_decision(self.clock);
        let seen = looked.seen.max(self.uncommitted(&looked.id));
        if seen.is_some_and(|seq| seq >= kept) {
            self.counts.repeated += 1;
            return Ok(());
        }
        let Admitted {
            bytes,
            origin,
            now,
            content,
        } = looked.line;
        let content = content.and_then(|login| self.not_too_old(login, now));
        let letter_id = content.is_err().then(|| origin.dead_letter_id(&bytes));
        if let Some(id) = letter_id
            && self.was_refused(&id)?
        {
            self.counts.repeated += 1;
            return Ok(());
        }
        self.head += 1;
        self.move_clock(self.head, now);
        let outcome = match content {
            Ok(login) => {
                self.counts.decided += 1;
                self.note(looked.id);
                let id = Id(looked.id.first_chunk().copied().unwrap_or_default());
                Outcome::Decided(Box::new(self.decide(&login, bytes, id)?))
            }
            Err(refusal) => {
                self.counts.refused += 1;
                let id = letter_id.unwrap_or_default();
                self.note(id);
                let letter = DeadLetter {
                    id,
                    seq: self.head,
                    source: origin.input.name.as_str().into(),
                    line: origin.line,
                    offset: origin.offset,
                    refusal,
                    bytes,
                };
                Outcome::Refused(Box::new(letter), self.clock)
            }
        };
        self.open.outcomes.push(outcome);
        Ok(())
    }

    /// Whether a line at the same place of an input with the same beginning is a dead letter already: two names of one
    /// file, say. Refused lines are few, so each is asked for by itself.
    fn was_refused(&self, id: &[u8; 32]) -> Result<bool, StoreError> {
        if let Some(seq) = self.uncommitted(id) {
            return Ok(seq >= self.first_decision(self.clock));
        }
        let row = self
            .store
            .load_many(Keyspace::Dead, &[keys::dead_by_id(id)])?
            .pop();
        let seq = row.flatten().and_then(|row| keys::read_seq(&row));
        Ok(seq.is_some_and(|seq| seq >= self.first_decision(self.clock)))
    }

    /// Where an id stands in a batch that is not committed yet.
    fn uncommitted(&self, id: &[u8; 32]) -> Option<Seq> {
        let mut batches = self.uncommitted.iter().rev();
        batches.find_map(|(_, ids)| ids.get(id)).copied()
    }

    /// First record whose decision and dead letter count as kept now.
    #[must_use]
    pub fn first_known(&self) -> Seq {
        self.first_decision(self.clock)
    }

    /// First record whose decision and dead letter count at `clock`. Those before it may be there still, or gone.
    fn first_decision(&self, clock: i64) -> Seq {
        let kept = self.calendar.first_kept(clock, self.engine.decisions_days);
        kept.max(self.removed.decided_from)
    }

    /// Events before this are too old at `clock`.
    fn oldest(&self, clock: i64) -> i64 {
        let days = self.engine.decisions_days.saturating_mul(DAY_MICROS);
        clock.saturating_sub(days).max(self.removed.refused_before)
    }

    /// What is kept after the open batch.
    fn kept(&self) -> Option<Kept> {
        let days = self.journal_days?;
        Some(Kept {
            journal: self.calendar.first_kept(self.clock, days).min(self.head),
            decided: self.first_decision(self.clock).min(self.head),
            refused_before: self.oldest(self.clock),
        })
    }

    /// Clause S5: what is older than the table of seen events cannot be told from a repeat.
    fn not_too_old(&self, login: Box<EnrichedLogin>, now: i64) -> Result<Box<EnrichedLogin>, Refusal> {
        let clock = self.clock.max(now);
        let oldest = self.oldest(clock);
        let days = clock.saturating_sub(oldest) / DAY_MICROS;
        if login.event.time < Timestamp::from_micros(oldest) {
            return Err(Refusal::too_old(login.event.time, days));
        }
        Ok(login)
    }

    fn note(&mut self, id: [u8; 32]) {
        if let Some((_, ids)) = self.uncommitted.back_mut() {
            ids.insert(id, self.head);
        }
    }

    fn decide(&mut self, login: &EnrichedLogin, bytes: Vec<u8>, id: Id) -> Result<DecidedEvent, StoreError> {
        let moment = crate::pipeline::login_step::Moment {
            login,
            seq: self.head,
            decision: id,
            now: self.clock,
        };
        match login.event.event_type {
            EventType::Login => self.decide_login(moment, bytes),
            EventType::AttemptClosed => self.close_attempt(moment, bytes),
            _ => Ok(self.take_account(moment, bytes)),
        }
    }

    fn move_clock(&mut self, seq: Seq, now: i64) {
        // A refused line before the first event has no time yet, and says nothing of the store's age.
        if now > 0 {
            self.first_now.get_or_insert(now);
        }
        self.clock = self.clock.max(now);
        if self.clock > 0 {
            self.calendar.note(seq, self.clock);
        }
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
        let image = self.images.due(self.head, self.clock);
        if self.open.outcomes.is_empty() && self.open.positions.is_empty() && !image {
            return Ok(None);
        }
        let rows = self.changed_rows()?;
        let next = ClosedBatch {
            number: self.open.number + 1,
            expected_head: self.head,
            new_head: self.head,
            ..ClosedBatch::default()
        };
        self.uncommitted.push_back((next.number, HashMap::default()));
        let closed = std::mem::replace(&mut self.open, next);
        Ok(Some(ClosedBatch {
            new_head: self.head,
            rows,
            image: image.then(|| Box::new(self.snapshot())),
            kept: self.kept(),
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

/// What a line is known by: an event by its decision's id, anything else by its dead letter's.
fn line_id(line: &Admitted) -> [u8; 32] {
    match &line.content {
        Ok(login) => {
            let mut id = [0; 32];
            let decision = decision_id(&login.tenant, &login.event.source, &login.event.id, 0);
            id[..16].copy_from_slice(&decision.0);
            id
        }
        Err(_) => line.origin.dead_letter_id(&line.bytes),
    }
}
