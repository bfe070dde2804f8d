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

    fn read(row_key: &[u8]) -> Option<Self> {
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
    /// Changed in the open batch: set, or gone.
    changed: BTreeMap<Timer, bool>,
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
            changed: BTreeMap::new(),
            waiting_max: waiting_max.max(1),
        })
    }

    /// Sets one.
    pub fn set(&mut self, timer: Timer) {
        if self.waiting.insert(timer.clone()) {
            self.changed.insert(timer, true);
        }
    }

    /// Takes one back, if it waits.
    pub fn cancel(&mut self, timer: &Timer) {
        if self.waiting.remove(timer) {
            self.changed.insert(timer.clone(), false);
        }
    }

    /// Takes out the first that is due at `now`, or that makes one too many.
    pub fn pop(&mut self, now: i64) -> Option<Timer> {
        let first = self.waiting.first()?;
        if first.due > now && self.waiting.len() <= self.waiting_max {
            return None;
        }
        let first = self.waiting.pop_first()?;
        self.changed.insert(first.clone(), false);
        Some(first)
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
        let changed = std::mem::take(&mut self.changed);
        out.extend(changed.into_iter().map(|(timer, set)| Change {
            keyspace: Keyspace::Timer,
            key: timer.row_key(),
            value: set.then(|| vec![VERSION]),
        }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::memory::store::MemoryStore;
    use crate::pipeline::ports::Batch;

    fn timer(due: i64, key: u8) -> Timer {
        Timer {
            due,
            kind: TimerKind::Attempt,
            key: vec![key],
        }
    }

    fn stored(timers: &mut Timers, store: &MemoryStore) {
        let mut changes = Vec::new();
        timers.drain_changed(&mut changes);
        let batch = Batch {
            expected_head: 0,
            new_head: 0,
            changes,
        };
        store.commit(batch).expect("an empty store");
    }

    #[test]
    fn they_fire_in_the_order_of_due_kind_and_key_also_after_a_restart() {
        let store = MemoryStore::new();
        let mut timers = Timers::open(&store, 100).expect("empty");
        for timer in [timer(5, 2), timer(-5, 9), timer(5, 1), timer(70, 1)] {
            timers.set(timer);
        }
        stored(&mut timers, &store);
        let mut again = Timers::open(&store, 100).expect("own rows");
        for opened in [&mut timers, &mut again] {
            let fired: Vec<Timer> = std::iter::from_fn(|| opened.pop(50)).collect();
            assert_eq!(fired, [timer(-5, 9), timer(5, 1), timer(5, 2)]);
        }
        stored(&mut again, &store);
        assert_eq!(Timers::open(&store, 100).expect("own rows").len(), 1);
    }

    #[test]
    fn what_was_taken_back_never_fires() {
        let store = MemoryStore::new();
        let mut timers = Timers::open(&store, 100).expect("empty");
        timers.set(timer(1, 1));
        stored(&mut timers, &store);
        timers.cancel(&timer(1, 1));
        timers.cancel(&timer(2, 2));
        assert_eq!(timers.pop(9), None);
        stored(&mut timers, &store);
        assert!(Timers::open(&store, 100).expect("own rows").is_empty());
    }

    #[test]
    fn one_too_many_makes_the_first_due_fire_early() {
        let mut timers = Timers::open(&MemoryStore::new(), 2).expect("empty");
        for due in [30, 10, 20] {
            timers.set(timer(due, 0));
        }
        assert_eq!(timers.pop(0), Some(timer(10, 0)));
        assert_eq!(timers.pop(0), None);
    }
}
