//! The sequencer: one thread that admits, decides and learns in the order of `seq` (clause S2).
//!
//! Stores are asked batch-wise: all rows that a chunk of lines needs are loaded first, then every line is decided over
//! rows in memory. What it changes is pinned until its batch is committed. It knows no clock but the `now` of its
//! records, and nothing leaves from here: [`Sequencer::close`] hands over what one commit writes.

use std::collections::VecDeque;
use std::sync::Arc;

use foldhash::HashMap;

use crate::alerts::budget::Mailbox;
use crate::attempt::Attempt;
use crate::enrich::EnrichedLogin;
use crate::event::EventType;
use crate::history::crowd::Crowd;
use crate::pipeline::admission::{Waiting, WaitingClock};
use crate::pipeline::admitted::{Admitted, Origin};
use crate::pipeline::batch::{Activation, ClosedBatch, DecidedEvent, Outcome, Settled};
use crate::pipeline::crowd_image::{self, ImageSchedule, Snapshot};
use crate::pipeline::dead_letter::{DeadLetter, Refusal};
use crate::pipeline::engine::Engine;
use crate::pipeline::faults::{Faults, Point};
use crate::pipeline::file_clock::Stamped;
use crate::pipeline::journal::{self, Body};
use crate::pipeline::login_step::{Moment, Workspace};
use crate::pipeline::ports::{Change, Keyspace, Seq, Store, StoreError};
use crate::pipeline::retention::{Calendar, Removed, Upkeep};
use crate::pipeline::row_bytes::bad;
use crate::pipeline::row_cache::RowCache;
use crate::pipeline::taken::LastLines;
use crate::pipeline::timers::Timers;
use crate::pipeline::user_rows::{UserKey, UserRows, encode_attempt};
use crate::pipeline::versions::Current;
use crate::pipeline::{keys, known};
use crate::risk::decision::Id;

/// Journal records read at once when the counters are folded at start.
const FOLD_PAGE: usize = 4_096;

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
    pub(super) head: Seq,
    pub(super) clock: i64,
    /// `now` of the last record that came from a door; timers move the clock beyond it.
    last_admitted: Option<i64>,
    /// Whether that record was read in from old logs; so is what timers do before the next one.
    pub(super) backfilling: bool,
    /// `now` of the first record, for the age of the store.
    first_now: Option<i64>,
    pub(super) crowd: Crowd,
    pub(super) users: RowCache<Box<UserRows>>,
    pub(super) attempts: RowCache<Option<Box<Attempt>>>,
    pub(super) mailboxes: RowCache<Mailbox>,
    pub(super) timers: Timers,
    /// Attempts that had to make room: they end behind the event at hand.
    #[expect(clippy::vec_box, reason = "they come behind a pointer and go on behind it")]
    pub(super) without_room: Vec<Box<Attempt>>,
    /// Ids of events and dead letters in batches that are not committed yet.
    pub(super) uncommitted: VecDeque<(u64, HashMap<[u8; 32], Seq>)>,
    pub(super) open: ClosedBatch,
    open_bytes: usize,
    pub(super) work: Workspace,
    counts: Counts,
    pub(super) images: ImageSchedule,
    /// What the journal says is in force.
    activated: Option<Id>,
    folded: u64,
    pub(super) calendar: Calendar,
    /// What earlier runs removed.
    pub(super) removed: Removed,
    pub(super) journal_days: Option<i64>,
    pub(super) faults: Faults,
    /// The last lines of inputs that are in the open batch.
    last_lines: LastLines,
    /// Whether anything was ever erased: only then erased ids are looked for.
    pub(super) has_erased: bool,
}

impl Sequencer {
    /// Opens over a store: the counters across users are those of its newest image, and the journal records after it
    /// are folded into them. `rows_kept` bounds each cache.
    ///
    /// # Errors
    /// When the store fails, or a row of its journal does not decode.
    pub fn open(engine: Arc<Engine>, store: Arc<dyn Store>, rows_kept: usize) -> Result<Self, StoreError> {
        let mut sequencer = Self::open_as_it_was(engine, store, rows_kept)?;
        sequencer.activate_if_new()?;
        Ok(sequencer)
    }

    /// The same, but what is in force stays what the journal says: nothing is going to be decided.
    ///
    /// # Errors
    /// As [`Sequencer::open`].
    pub fn open_as_it_was(
        engine: Arc<Engine>,
        store: Arc<dyn Store>,
        rows_kept: usize,
    ) -> Result<Self, StoreError> {
        let head = store.head()?;
        let start = crowd_image::start(&*store, engine.crowd)?;
        let mut sequencer = Self {
            images: ImageSchedule::never(&start),
            activated: Current::read(&*store)?.map(|current| current.versions),
            calendar: start.calendar,
            removed: Removed::read(&*store)?,
            journal_days: None,
            faults: Faults::default(),
            last_lines: LastLines::default(),
            has_erased: !store.scan(Keyspace::Erased, &[], &[], 1)?.is_empty(),
            crowd: start.crowd,
            file_clock: WaitingClock::new(None, engine.time_jump),
            stamped: Vec::new(),
            timers: Timers::open(&*store, engine.timers_max)?,
            without_room: Vec::new(),
            engine,
            store,
            head,
            clock: start.clock,
            last_admitted: None,
            backfilling: false,
            first_now: start.first_now,
            users: RowCache::new(rows_kept),
            attempts: RowCache::new(rows_kept),
            mailboxes: RowCache::new(rows_kept),
            uncommitted: VecDeque::from([(1, HashMap::default())]),
            open: ClosedBatch {
                number: 1,
                expected_head: head,
                new_head: head,
                ..ClosedBatch::default()
            },
            open_bytes: 0,
            work: Workspace::default(),
            counts: Counts::default(),
            folded: 0,
        };
        // Behind an accepted loss the counters begin anew; else the journal reaches back to the image.
        sequencer.fold_journal(sequencer.removed.journal_from.max(start.seq + 1))?;
        if let Some((now, backfill)) = known::last_admitted(&*sequencer.store)? {
            (sequencer.last_admitted, sequencer.backfilling) = (Some(now), backfill);
        }
        sequencer.file_clock = WaitingClock::new(sequencer.clock(), sequencer.engine.time_jump);
        Ok(sequencer)
    }

    /// Puts another version in force, between two batches (clause S11). What waits for its `now` was made under the one
    /// before: `again` makes it anew.
    ///
    /// # Errors
    /// When the store fails.
    pub fn activate(
        &mut self,
        engine: Arc<Engine>,
        mut again: impl FnMut(&mut Admitted),
    ) -> Result<(), StoreError> {
        self.engine = engine;
        for waiting in self.file_clock.waiting_mut() {
            if let Waiting::Line(line) = waiting {
                again(line);
            }
        }
        self.activate_if_new()
    }

    /// Journals what is in force, unless that is what the store knows (clause S11): a restart adds nothing.
    pub(super) fn activate_if_new(&mut self) -> Result<(), StoreError> {
        let in_force = Arc::clone(&self.engine.in_force);
        if self.activated == Some(in_force.versions) {
            return Ok(());
        }
        let archive = in_force.missing_rows(&*self.store)?;
        // It comes at no time of its own: the clock stays.
        self.head += 1;
        self.activated = Some(in_force.versions);
        let activation = Activation {
            seq: self.head,
            now: self.clock().unwrap_or_default(),
            versions: in_force.versions,
            hashes: in_force.manifest.hashes,
            archive,
            policy: *self.engine.risk.score_policy(),
        };
        self.push(Outcome::Activated(Box::new(activation)));
        self.faults.pass(Point::Reload);
        Ok(())
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
                match record.body {
                    Body::Activated { versions, .. } => self.activated = Some(versions),
                    Body::Settled | Body::UserErased { .. } => {}
                    _ => self.move_clock(from, record.now),
                }
                if let Some(observation) = record.body.observation() {
                    self.crowd.observe(&observation, record.now);
                }
                self.folded += 1;
                from += 1;
            }
            if from <= self.head && page.last().and_then(|row| keys::read_seq(&row.key)) != Some(from - 1) {
                let reason = format!(
                    "record {from} is missing, the last one is {}; see `doorward store accept-loss`",
                    self.head
                );
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

    /// From now on `faults` hears of the places that are passed.
    pub fn watched_by(&mut self, faults: Faults) {
        self.faults = faults;
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

    pub(super) const fn count_repeated(&mut self) {
        self.counts.repeated += 1;
    }

    /// Takes a line into the journal at `now`. `jumped`: its time is a jump that nothing confirmed.
    pub(super) fn take(&mut self, line: Admitted, now: i64, jumped: bool) -> Result<(), StoreError> {
        if self.is_uncommitted(&line.id) {
            self.count_repeated();
            return Ok(());
        }
        self.faults.pass(Point::Admit);
        // Lines of a live door are not read again.
        let is_of_a_file = line.now.is_none();
        let known_by = line.content.is_err().then_some(line.id);
        let decision = line.decision_id();
        let Admitted {
            bytes,
            origin,
            content,
            id,
            user,
            backfill,
            ..
        } = line;
        // A door's stamp may lie behind what timers moved the clock to: what is due then has fired.
        let now = now.max(self.clock);
        self.fire_due(now)?;
        self.open_bytes += bytes.len();
        let content = match content {
            Ok(login) if jumped => Err(Refusal::time_jump(login.event.time)),
            content => content.and_then(|login| self.not_too_old(login, now)),
        };
        let refused = match content {
            Ok(login) => {
                self.begin_admitted(now, backfill);
                self.counts.decided += 1;
                self.note(id);
                let mut decided = self.decide(&login, user.as_ref(), &bytes, decision)?;
                decided.bytes = bytes;
                self.faults.pass(Point::Decide);
                self.note_taken(is_of_a_file, origin);
                self.push(Outcome::Decided(decided));
                self.end_those_without_room()?;
                // A late event may set what was due long ago. It fires here, and not at the end of a run, so that the
                // journal alone says when it fired.
                return self.fire_due(self.clock);
            }
            Err(refusal) => refusal,
        };
        let letter_id = known_by.unwrap_or_else(|| origin.dead_letter_id(&bytes));
        if known_by.is_none() && self.was_refused(&letter_id)? {
            self.count_repeated();
            return Ok(());
        }
        let letter = DeadLetter {
            id: letter_id,
            seq: 0,
            source: origin.input.name.as_str().into(),
            line: origin.line,
            offset: origin.offset,
            refusal: refused,
            bytes,
        };
        self.note_taken(is_of_a_file, origin);
        self.refuse(letter, now, backfill);
        Ok(())
    }

    /// What comes next out of the deciding thread is of this line.
    fn note_taken(&mut self, is_of_a_file: bool, origin: Origin) {
        if is_of_a_file {
            self.last_lines.note(origin, self.open.outcomes.len());
        }
    }

    /// Takes a dead letter into the journal.
    pub(super) fn refuse(&mut self, letter: DeadLetter, now: i64, backfill: bool) {
        self.begin_admitted(now, backfill);
        self.counts.refused += 1;
        self.note(letter.id);
        let seq = self.head;
        let letter = DeadLetter { seq, ..letter };
        self.push(if backfill {
            Outcome::BackfilledRefused(Box::new(letter), self.clock)
        } else {
            Outcome::Refused(Box::new(letter), self.clock)
        });
    }

    /// Fires what is due up to `up_to`, which the clock did not reach, and journals that if anything fired: an attempt
    /// that ends without a word changes what the next event means.
    pub(super) fn settle(&mut self, up_to: i64) -> Result<(), StoreError> {
        if !self.timers.is_due(up_to) {
            return Ok(());
        }
        self.fire_due(up_to)?;
        self.head += 1;
        self.push(Outcome::Settled(Settled {
            seq: self.head,
            up_to,
            clock: self.clock,
        }));
        Ok(())
    }

    /// Adds what came of a record to the open batch.
    pub(super) fn push(&mut self, outcome: Outcome) {
        self.open.outcomes.push(outcome);
    }

    fn begin_admitted(&mut self, now: i64, backfill: bool) {
        self.begin_record(now);
        self.last_admitted = self.clock();
        self.backfilling = backfill;
    }

    pub(super) fn begin_record(&mut self, now: i64) {
        self.head += 1;
        self.move_clock(self.head, now);
    }

    fn note(&mut self, id: [u8; 32]) {
        if let Some((_, ids)) = self.uncommitted.back_mut() {
            ids.insert(id, self.head);
        }
    }

    fn decide(
        &mut self,
        login: &EnrichedLogin,
        user: Option<&UserKey>,
        bytes: &[u8],
        id: Id,
    ) -> Result<Box<DecidedEvent>, StoreError> {
        let moment = Moment {
            login,
            user,
            seq: self.head,
            decision: id,
            now: self.clock,
            bytes,
            backfill: self.backfilling,
        };
        match login.event.event_type {
            EventType::Login => self.decide_login(moment),
            EventType::AttemptClosed => self.close_attempt(moment),
            _ => Ok(self.take_account(moment)),
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
        let mut rows = self.changed_rows()?;
        rows.extend(self.last_lines.rows(&self.open.outcomes)?);
        let next = ClosedBatch {
            number: self.open.number + 1,
            expected_head: self.head,
            new_head: self.head,
            ..ClosedBatch::default()
        };
        self.uncommitted.push_back((next.number, HashMap::default()));
        let closed = std::mem::replace(&mut self.open, next);
        self.open_bytes = 0;
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
        self.users.drain_changed(|key, user| {
            if let Some(key) = UserKey::of_row(key) {
                keep(user.changes(&key, &mut rows));
            }
        });
        self.attempts.drain_changed_in_store(|key, attempt, stored| {
            if attempt.is_none() && !stored {
                return false;
            }
            let value = attempt.as_deref().map(encode_attempt).transpose();
            keep(value.map(|value| {
                rows.push(Change {
                    keyspace: Keyspace::Attempt,
                    key: key.to_vec(),
                    value,
                });
            }));
            attempt.is_some()
        });
        self.mailboxes.drain_changed(|key, mailbox| {
            let value = Some(mailbox.encode());
            rows.push(Change {
                keyspace: Keyspace::Mailbox,
                key: key.to_vec(),
                value,
            });
        });
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
