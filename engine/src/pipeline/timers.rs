//! What is to happen at a time of the core's own clock (clause S8): rows of due time, kind and key, in the same commit
//! as what set them. They fire in that order before a record with a later `now` is decided; `fire` says what happens.
//!
//! All of them are in memory, some hundred bytes each. There are never more than a limit: the first due fire early
//! then, so that an attempt ends too soon rather than never.

use std::collections::{BTreeMap, BTreeSet};

use crate::pipeline::keys;
use crate::pipeline::ports::{Change, Keyspace, Store, StoreError};
use crate::pipeline::row_bytes::bad;

/// First byte of the value of every row; the key says the rest.
const VERSION: u8 = 1;
/// Rows read at once at the start.
const PAGE: usize = 4_096;

/// What a timer is for. Stored: never reuse a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum TimerKind {
    /// An attempt with an id, by its key.
    Attempt = 1,
    /// An attempt without one, by its user's key and its device.
    Unnamed = 2,
    /// Wrong passwords on a device have been quiet for a while, by the user's key and the device.
    Quiet = 3,
    /// What was held back of a day is told at once, by the user's key.
    Digest = 4,
}

impl TimerKind {
    const fn from_code(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Attempt),
            2 => Some(Self::Unnamed),
            3 => Some(Self::Quiet),
            4 => Some(Self::Digest),
            _ => None,
        }
    }
}

/// One timer; the order is that in which they fire.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timer {
    /// Microseconds since the epoch.
    pub due: i64,
    /// What for.
    pub kind: TimerKind,
    /// Whose, by kind.
    pub key: Vec<u8>,
}

impl Timer {
    fn row_key(&self) -> Vec<u8> {
        keys::timer(self.due, self.kind as u8, &self.key)
    }

    /// Reads the key of a row; `None` if it is of no kind that is known.
    #[must_use]
    pub fn read(row_key: &[u8]) -> Option<Self> {
        let (due, kind, key) = keys::read_timer(row_key)?;
        Some(Self {
            due,
            kind: TimerKind::from_code(kind)?,
            key: key.to_vec(),
        })
    }
}

/// All timers of a store, and which of them differ from it.
#[derive(Debug)]
pub struct Timers {
    waiting: BTreeSet<Timer>,
    /// Touched in the open batch, with whether the store has it: what came and went in one batch is no change.
    touched: BTreeMap<Timer, bool>,
    waiting_max: usize,
}

impl Timers {
    /// Reads them from a store.
    ///
    /// # Errors
    /// When the store fails or a row is none of these.
    pub fn open(store: &dyn Store, waiting_max: usize) -> Result<Self, StoreError> {
        let mut waiting = BTreeSet::new();
        let mut from = Vec::new();
        loop {
            let page = store.scan(Keyspace::Timer, &[], &from, PAGE)?;
            for row in &page {
                let timer = Timer::read(&row.key).filter(|_| row.value == [VERSION]);
                waiting.insert(
                    timer.ok_or_else(|| bad(Keyspace::Timer, "it is of no kind that is known".into()))?,
                );
            }
            match page.last() {
                Some(last) if page.len() == PAGE => {
                    from.clone_from(&last.key);
                    from.push(0);
                }
                _ => break,
            }
        }
        Ok(Self {
            waiting,
            touched: BTreeMap::new(),
            waiting_max: waiting_max.max(1),
        })
    }

    /// Sets one.
    pub fn set(&mut self, timer: Timer) {
        if self.waiting.insert(timer.clone()) {
            self.touched.entry(timer).or_insert(false);
        }
    }

    /// Takes one back, if it waits.
    pub fn cancel(&mut self, timer: &Timer) {
        if self.waiting.remove(timer) {
            self.touched.entry(timer.clone()).or_insert(true);
        }
    }

    /// Takes out the first that is due at `now`, or that makes one too many.
    pub fn pop(&mut self, now: i64) -> Option<Timer> {
        if !self.is_due(now) {
            return None;
        }
        let first = self.waiting.pop_first()?;
        self.touched.entry(first.clone()).or_insert(true);
        Some(first)
    }

    /// Whether [`Timers::pop`] gives one at `now`.
    #[must_use]
    pub fn is_due(&self, now: i64) -> bool {
        let first = self.waiting.first();
        first.is_some_and(|first| first.due <= now || self.waiting.len() > self.waiting_max)
    }

    /// How many wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether none waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// The rows that differ from the store.
    pub fn drain_changed(&mut self, out: &mut Vec<Change>) {
        let touched = std::mem::take(&mut self.touched);
        for (timer, stored) in touched {
            let set = self.waiting.contains(&timer);
            if set != stored {
                out.push(Change {
                    keyspace: Keyspace::Timer,
                    key: timer.row_key(),
                    value: set.then(|| vec![VERSION]),
                });
            }
        }
    }
}
