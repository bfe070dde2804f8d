//! From the door to the journal: repeats are dropped, what is left gets its `now`, and the rows it needs are loaded.
//!
//! The store is asked batch-wise, once for the ids and once for the rows of a chunk. Repeats go first, because a
//! repeat neither moves the clock of a file nor is a witness of a jump in it (clauses S3 and S5).

use foldhash::HashSet;

use crate::attempt::Attempt;
use crate::keyed_hash::KeyedHash;
use crate::pipeline::admitted::{Admitted, Arrival};
use crate::pipeline::erase::erased_key;
use crate::pipeline::file_clock::{FileClock, Stamped};
use crate::pipeline::keys;
use crate::pipeline::ports::{Change, Keyspace, Seq, Store, StoreError};
use crate::pipeline::row_cache::RowCache;
use crate::pipeline::sequencer::Sequencer;
use crate::pipeline::user_rows::{UserKey, UserRows, decode_attempt};

/// What waits for its `now`: a line, or the position behind it.
#[derive(Debug)]
pub(super) enum Waiting {
    Line(Box<Admitted>),
    Position(Change),
}

impl Waiting {
    const fn line(&self) -> Option<&Admitted> {
        match self {
            Self::Line(line) => Some(line),
            Self::Position(_) => None,
        }
    }
}

/// The clock of files with what waits in it.
pub(super) type WaitingClock = FileClock<Waiting>;

/// An arrival with what the store said about it.
struct Looked {
    arrival: Arrival,
    /// Where it was decided or refused.
    seen: Option<Seq>,
}

impl Looked {
    /// The line, unless it was there at `known` or later.
    fn unseen(&self, known: Seq) -> Option<&Admitted> {
        match &self.arrival {
            Arrival::Line(line) if self.seen.is_none_or(|seq| seq < known) => Some(line),
            _ => None,
        }
    }

    fn time(&self) -> Option<i64> {
        match &self.arrival {
            Arrival::Line(line) => line
                .content
                .as_ref()
                .ok()
                .map(|login| login.event.time.as_micros()),
            Arrival::Position(_) => None,
        }
    }
}

impl Sequencer {
    /// Decides what arrived, in order. Call [`Sequencer::close`] between chunks, as the limits of a batch say.
    ///
    /// # Errors
    /// When the store fails; the process must end then.
    pub fn admit(&mut self, arrivals: Vec<Arrival>) -> Result<(), StoreError> {
        let erased = self.has_erased.then_some(&self.engine.hash);
        let looked = look_up(&*self.store, arrivals, erased)?;
        self.begin_group();
        // What a line of this chunk may still make forgotten counts as forgotten: a row too many is loaded at worst.
        let latest = looked.iter().filter_map(Looked::time).max();
        let known = self.first_decision(self.clock().max(latest).unwrap_or(i64::MIN));
        let waiting = self.file_clock.waiting().filter_map(Waiting::line);
        let wanted = Wanted::by(
            waiting.chain(looked.iter().filter_map(|looked| looked.unseen(known))),
            &mut self.users,
            &mut self.attempts,
        );
        self.load(wanted)?;
        for looked in looked {
            self.pass(looked)?;
        }
        Ok(())
    }

    /// The sources ended, and were not just stopped: a jump that waits for a witness is believed, and timers fire that
    /// are due up to `settle` microseconds after the last record.
    ///
    /// # Errors
    /// As [`Sequencer::admit`].
    pub fn finish(&mut self, settle: i64) -> Result<(), StoreError> {
        self.begin_group();
        let waiting = self.file_clock.waiting().filter_map(Waiting::line);
        let wanted = Wanted::by(waiting, &mut self.users, &mut self.attempts);
        self.load(wanted)?;
        let mut stamped = Vec::new();
        self.file_clock.finish(&mut stamped);
        stamped
            .into_iter()
            .try_for_each(|stamped| self.release(stamped))?;
        match self.last_admitted() {
            Some(last) if settle > 0 => self.settle(last.saturating_add(settle)),
            _ => Ok(()),
        }
    }

    /// A live door has nothing to hand over at `now`: what is due happens. It adds no record of its own, for folding
    /// the journal fires the same timers before the next record, in the same order.
    ///
    /// # Errors
    /// As [`Sequencer::admit`].
    pub fn tick(&mut self, now: i64) -> Result<(), StoreError> {
        self.begin_group();
        self.fire_due(now)
    }

    pub(super) fn begin_group(&mut self) {
        self.users.begin_group();
        self.attempts.begin_group();
        self.mailboxes.begin_group();
    }

    /// Drops a repeat, hands a line of a live door on, and lets the clock of files stamp the rest.
    fn pass(&mut self, looked: Looked) -> Result<(), StoreError> {
        let line = match looked.arrival {
            Arrival::Position(change) => return self.stamp(None, Waiting::Position(change)),
            Arrival::Line(line) => line,
        };
        if looked.seen.is_some_and(|seq| self.counts_still(seq)) || self.is_uncommitted(&line.id) {
            self.count_repeated();
            return Ok(());
        }
        if let Some(now) = line.now {
            return self.take(*line, now, false);
        }
        let time = line
            .content
            .as_ref()
            .ok()
            .map(|login| login.event.time.as_micros());
        if time.is_some_and(|time| self.file_clock.would_jump(time))
            && self.was_refused(&line.dead_letter_id())?
        {
            self.count_repeated();
            return Ok(());
        }
        // A copy of the jump, whatever became of its content, confirms and denies nothing: it shares its fate.
        if self.holds(&line.id) {
            return self.stamp(None, Waiting::Line(line));
        }
        self.stamp(time, Waiting::Line(line))
    }

    fn holds(&self, id: &[u8; 32]) -> bool {
        self.file_clock
            .held()
            .and_then(Waiting::line)
            .is_some_and(|held| held.id == *id)
    }

    fn stamp(&mut self, time: Option<i64>, item: Waiting) -> Result<(), StoreError> {
        let mut stamped = std::mem::take(&mut self.stamped);
        self.file_clock.push(time, item, &mut stamped);
        for item in stamped.drain(..) {
            self.release(item)?;
        }
        self.stamped = stamped;
        Ok(())
    }

    fn release(&mut self, stamped: Stamped<Waiting>) -> Result<(), StoreError> {
        match stamped.item {
            Waiting::Position(change) => {
                self.move_position(change);
                Ok(())
            }
            Waiting::Line(line) => {
                let time = line
                    .content
                    .as_ref()
                    .map_or(i64::MIN, |login| login.event.time.as_micros());
                // A copy waits without a time of its own; where the jump was not believed, it jumps as well.
                let jumped = stamped.jumped || self.file_clock.jumps_from(stamped.now, time);
                self.take(*line, stamped.now, jumped)
            }
        }
    }

    /// Loads the rows that are not in memory.
    pub(super) fn load(&mut self, wanted: Wanted) -> Result<(), StoreError> {
        self.load_users(&wanted.users)?;
        if wanted.attempts.is_empty() {
            return Ok(());
        }
        let rows = self.store.load_many(Keyspace::Attempt, &wanted.attempts)?;
        for (key, row) in wanted.attempts.into_iter().zip(rows) {
            match row.as_deref().map(decode_attempt).transpose()? {
                Some(attempt) => self.attempts.fill(key, Some(Box::new(attempt))),
                None => self.attempts.fill_absent(key, None),
            }
        }
        Ok(())
    }

    pub(super) fn load_users(&mut self, users: &[UserKey]) -> Result<(), StoreError> {
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
            if rows == UserRows::default() {
                self.users.fill_passing(key, Box::new(rows));
            } else {
                self.users.fill(key, Box::new(rows));
            }
        }
        Ok(())
    }
}

/// Asks the store once which events were decided and which lines were refused before.
fn look_up(
    store: &dyn Store,
    arrivals: Vec<Arrival>,
    erased: Option<&KeyedHash>,
) -> Result<Vec<Looked>, StoreError> {
    let (mut events, mut letters) = (Vec::new(), Vec::new());
    for arrival in &arrivals {
        match arrival {
            Arrival::Line(line) if line.content.is_ok() => events.push(line.decision_id().0.to_vec()),
            Arrival::Line(line) => letters.push(keys::dead_by_id(&line.id)),
            Arrival::Position(_) => {}
        }
    }
    let mut events = store.load_many(Keyspace::Decision, &events)?.into_iter();
    let mut letters = if letters.is_empty() {
        Vec::new().into_iter()
    } else {
        store.load_many(Keyspace::Dead, &letters)?.into_iter()
    };
    let looked = arrivals.into_iter().map(|arrival| {
        let found = match &arrival {
            Arrival::Line(line) if line.content.is_ok() => events.next(),
            Arrival::Line(_) => letters.next(),
            Arrival::Position(_) => None,
        };
        // A position that does not read is one all the same.
        let seen = found
            .flatten()
            .map(|row| keys::read_seq(&row).unwrap_or(Seq::MAX));
        Looked { arrival, seen }
    });
    let mut looked: Vec<Looked> = looked.collect();
    if let Some(hash) = erased {
        look_for_erased(store, &mut looked, hash)?;
    }
    Ok(looked)
}

/// What was erased is known by the keyed hash of its id, and not decided again (clause S5).
fn look_for_erased(store: &dyn Store, looked: &mut [Looked], hash: &KeyedHash) -> Result<(), StoreError> {
    let mut unknown: Vec<(&mut Option<Seq>, Vec<u8>)> = Vec::new();
    for one in looked {
        if let (Arrival::Line(line), None) = (&one.arrival, one.seen) {
            unknown.push((&mut one.seen, erased_key(hash, &line.id)));
        }
    }
    let keys: Vec<Vec<u8>> = unknown.iter().map(|(_, key)| key.clone()).collect();
    for ((seen, _), row) in unknown.into_iter().zip(store.load_many(Keyspace::Erased, &keys)?) {
        *seen = row.map(|row| keys::read_seq(&row).unwrap_or(Seq::MAX));
    }
    Ok(())
}

/// Keys of rows that lines need and that are not in memory, each once.
pub(super) struct Wanted {
    users: Vec<UserKey>,
    attempts: Vec<Vec<u8>>,
}

impl Wanted {
    pub(super) fn by<'a>(
        lines: impl Iterator<Item = &'a Admitted>,
        users: &mut RowCache<Box<UserRows>>,
        attempts: &mut RowCache<Option<Box<Attempt>>>,
    ) -> Self {
        let mut wanted = Self {
            users: Vec::new(),
            attempts: Vec::new(),
        };
        let mut asked: HashSet<Vec<u8>> = HashSet::default();
        for line in lines {
            let Ok(login) = &line.content else { continue };
            if let Some(key) = &line.user
                && !users.need(&key.row)
                && asked.insert(key.row.clone())
            {
                wanted.users.push(key.clone());
            }
            if let Some(attempt) = login.event.attempt.id.as_deref() {
                let key = keys::attempt(&login.tenant, attempt);
                if !attempts.need(&key) && asked.insert(key.clone()) {
                    wanted.attempts.push(key);
                }
            }
        }
        wanted
    }
}
