//! Stores and sinks of a process that is going to die, and looks at what passes on its way.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use doorward::alerts::budget::Mailbox;
use doorward::generate::random::Random;
use doorward::history::failures::UserFailures;
use doorward::io::memory::sink::MemorySink;
use doorward::io::memory::store::MemoryStore;
use doorward::pipeline::keys;
use doorward::pipeline::ports::{
    Batch, Change, Keyspace, Record, Row, Seq, Sink, SinkError, Store, StoreError,
};
use doorward::pipeline::user_rows::{UNNAMED_MAX, UserRows};

/// Largest row of a user's history, or of what else is kept of one user.
const ROW_BYTES_MAX: usize = 4_096;
/// 256 mails that were sent and five that wait.
const MAILBOX_BYTES_MAX: usize = 16 * 1_024;
const LAST_WORDS: &str = "died on purpose";

/// Where a process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Where {
    BeforeCommit,
    AfterCommit,
    InPublish,
    BeforeCursor,
}

/// When a process dies.
#[derive(Debug, Clone)]
pub struct Death {
    place: Where,
    /// Passings that it survives.
    left: Arc<Mutex<u64>>,
}

impl Death {
    pub fn some(random: &mut Random) -> Self {
        let places = [
            Where::BeforeCommit,
            Where::AfterCommit,
            Where::InPublish,
            Where::BeforeCursor,
        ];
        Self {
            place: random.pick(&places).copied().expect("there are four"),
            left: Arc::new(Mutex::new(random.below(60))),
        }
    }

    /// Whether it happens here and now; once dead, everything fails.
    fn strikes(&self, place: Where) -> bool {
        let mut left = self.left.lock().expect("one thread");
        let now = *left == 0;
        if place == self.place {
            *left = left.saturating_sub(1);
        }
        now && place == self.place
    }
}

/// Whether an error is the one that was made here.
pub fn is_on_purpose(error: &dyn std::error::Error) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.to_string().contains(LAST_WORDS) {
            return true;
        }
        cause = error.source();
    }
    false
}

pub struct MortalStore {
    pub inner: Arc<MemoryStore>,
    pub death: Option<Death>,
}

impl MortalStore {
    fn dies(&self, place: Where) -> Result<(), StoreError> {
        match &self.death {
            Some(death) if death.strikes(place) => Err(StoreError::Engine(LAST_WORDS.into())),
            _ => Ok(()),
        }
    }
}

impl Store for MortalStore {
    fn head(&self) -> Result<Seq, StoreError> {
        self.inner.head()
    }

    fn load_many(&self, keyspace: Keyspace, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.inner.load_many(keyspace, keys)
    }

    fn commit(&self, batch: Batch) -> Result<Seq, StoreError> {
        self.dies(Where::BeforeCommit)?;
        bounded(&batch);
        let head = self.inner.commit(batch)?;
        self.dies(Where::AfterCommit)?;
        Ok(head)
    }

    fn scan(
        &self,
        keyspace: Keyspace,
        prefix: &[u8],
        from: &[u8],
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        self.inner.scan(keyspace, prefix, from, limit)
    }

    fn scan_back(&self, keyspace: Keyspace, prefix: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        self.inner.scan_back(keyspace, prefix, limit)
    }
}

/// Every row that a batch writes has its limits, and is written once.
fn bounded(batch: &Batch) {
    let mut written: BTreeMap<(Keyspace, &[u8]), u32> = BTreeMap::new();
    for change in &batch.changes {
        *written.entry((change.keyspace, &change.key)).or_default() += 1;
        let Some(value) = &change.value else { continue };
        match change.keyspace {
            Keyspace::User => assert!(value.len() <= ROW_BYTES_MAX, "a history of {} bytes", value.len()),
            Keyspace::Failures => {
                assert!(value.len() <= ROW_BYTES_MAX, "failures of {} bytes", value.len());
                UserFailures::decode(value).expect("what was written reads back");
            }
            Keyspace::Mailbox => {
                assert!(
                    value.len() <= MAILBOX_BYTES_MAX,
                    "a mailbox of {} bytes",
                    value.len()
                );
                Mailbox::decode(value).expect("what was written reads back");
            }
            Keyspace::Attempt if keys::is_unnamed_attempts(&change.key) => {
                let rows = UserRows::decode(None, None, Some(value)).expect("what was written reads back");
                assert!((1..=UNNAMED_MAX).contains(&rows.unnamed.len()));
            }
            _ => {}
        }
    }
    assert!(written.values().all(|times| *times == 1));
}

/// A sink that sees to it that nothing comes before its commit, in order.
pub struct MortalSink {
    pub inner: MemorySink,
    pub store: Arc<MemoryStore>,
    pub death: Option<Death>,
    pub last: Seq,
}

impl MortalSink {
    fn dies(&self, place: Where) -> bool {
        self.death.as_ref().is_some_and(|death| death.strikes(place))
    }

    fn error(&self) -> SinkError {
        SinkError {
            sink: self.inner.name().to_owned(),
            source: std::io::Error::other(LAST_WORDS),
        }
    }
}

impl Sink for MortalSink {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn published_up_to(&self) -> Option<Seq> {
        self.inner.published_up_to()
    }

    fn publish(&mut self, records: &[Record]) -> Result<(), SinkError> {
        let head = self.store.head().expect("memory");
        for record in records {
            assert!(record.seq <= head, "{} left before its commit {head}", record.seq);
            assert!(record.seq >= self.last, "{} after {}", record.seq, self.last);
            self.last = record.seq;
        }
        if self.dies(Where::InPublish) {
            let half = records.get(..records.len() / 2).unwrap_or_default();
            self.inner.publish(half)?;
            return Err(self.error());
        }
        self.inner.publish(records)
    }

    fn acknowledge(&mut self, up_to: Seq) -> Result<Option<Change>, SinkError> {
        if self.dies(Where::BeforeCursor) {
            return Err(self.error());
        }
        self.inner.acknowledge(up_to)
    }
}
