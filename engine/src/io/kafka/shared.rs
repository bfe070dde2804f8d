//! What the threads of the Kafka door tell each other, and the figures they give.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::fault::KafkaFault;
use super::opening::Log;

/// A reader that was not at its log for so long waits for room: what stands still then is no fault of the log.
pub(super) const AWAY_MS: u64 = 2_000;

/// Hears figures as they change.
pub trait Figures: Send + Sync {
    /// So many messages wait to be read, the oldest for so many seconds.
    fn lag(&self, _messages: u64, _age_seconds: f64) {}

    /// A partition stood still, and its reader was opened anew.
    fn reopened(&self) {}

    /// So many messages were acknowledged by the brokers.
    fn published(&self, _outlet: &'static str, _messages: u64) {}
}

/// Nobody hears.
impl Figures for () {}

/// A partition of a topic.
pub(super) type LogName = (String, i32);

/// How far a partition was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reached {
    /// The first message that was not read.
    pub(super) next: u64,
    /// When the message before it was written, milliseconds; `None` before the first.
    pub(super) written_ms: Option<i64>,
}

/// What one reader is told, and tells.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// Open the client anew.
    pub(super) reopen: AtomicBool,
    /// Partitions that came up while it ran.
    pub(super) added: Mutex<Vec<Log>>,
    /// When it was last at its log, milliseconds since the start.
    pub(super) seen_ms: AtomicU64,
}

/// A reader that is not gone. The last field of a reader, so that its client goes first.
pub(super) struct Alive(Arc<Shared>);

impl Alive {
    pub(super) fn new(shared: &Arc<Shared>) -> Self {
        shared.alive.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(shared))
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.alive.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Between the readers, the watch and the command.
pub struct Shared {
    began: Instant,
    reached: Mutex<BTreeMap<LogName, Reached>>,
    pub(super) readers: Vec<Reader>,
    fatal: Mutex<Option<KafkaFault>>,
    caught_up: AtomicBool,
    /// Readers that are not gone.
    alive: AtomicUsize,
    pub(super) figures: Box<dyn Figures>,
}

impl Shared {
    /// For so many readers.
    #[must_use]
    pub fn new(readers: usize, figures: Box<dyn Figures>) -> Self {
        Self {
            began: Instant::now(),
            reached: Mutex::default(),
            readers: (0..readers.max(1)).map(|_| Reader::default()).collect(),
            fatal: Mutex::default(),
            caught_up: AtomicBool::new(false),
            alive: AtomicUsize::new(0),
            figures,
        }
    }

    /// Whether nothing waited to be read when the watch last looked.
    #[must_use]
    pub fn is_caught_up(&self) -> bool {
        self.caught_up.load(Ordering::Relaxed)
    }

    pub(super) fn set_caught_up(&self, caught_up: bool) {
        self.caught_up.store(caught_up, Ordering::Relaxed);
    }

    /// Whether all readers are gone, and their clients with them.
    #[must_use]
    pub fn is_deserted(&self) -> bool {
        self.alive.load(Ordering::Relaxed) == 0
    }

    /// Number of the reader of a partition.
    #[must_use]
    pub fn reader_of(&self, partition: i32) -> usize {
        usize::try_from(partition).unwrap_or_default() % self.readers.len()
    }

    pub(super) fn reached(&self) -> MutexGuard<'_, BTreeMap<LogName, Reached>> {
        self.reached.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_at_its_log(&self, reader: &Reader) {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        reader.seen_ms.store(now, Ordering::Relaxed);
    }

    pub(super) fn is_away(&self, reader: usize) -> bool {
        let now = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.readers
            .get(reader)
            .is_some_and(|reader| now.saturating_sub(reader.seen_ms.load(Ordering::Relaxed)) > AWAY_MS)
    }

    /// Ends the run with this, unless it ends with something else already.
    pub(super) fn fail(&self, fault: KafkaFault) {
        let mut fatal = self.fatal.lock().unwrap_or_else(PoisonError::into_inner);
        fatal.get_or_insert(fault);
    }

    pub(super) fn take_fatal(&self) -> Option<KafkaFault> {
        self.fatal.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
