//! The pipeline over stores in memory, with processes that end at a chosen commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use doorward::cli::assemble::{Assembly, run_limits};
use doorward::config::Settings;
use doorward::generate::{Life, Plan};
use doorward::io::memory::lines::MemoryLines;
use doorward::io::memory::store::MemoryStore;
use doorward::pipeline::crowd_image::ImagePolicy;
use doorward::pipeline::ports::{Batch, Keyspace, Row, Seq, Store, StoreError};
use doorward::pipeline::run::{BatchLimits, Nobody, Run, RunError, RunLimits, Sinks, Upkeep, run};
use doorward::pipeline::sequencer::{Counts, Sequencer};

pub const BATCH: usize = 64;

/// An image every 100 records, whatever the clock says, and none at the end.
pub const OFTEN: Upkeep = Upkeep {
    images: ImagePolicy {
        records: 100,
        clock: 0,
        records_at_end: u64::MAX,
    },
    journal_days: 35,
};

/// Small counters, so that a debug build is quick.
pub fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.crowd.sketch_lines = 1_024;
    settings.crowd.keys_max = 1_024;
    settings
}

/// A life of a few days as lines.
pub fn life(users: usize, days: u32) -> Vec<Vec<u8>> {
    let plan = Plan {
        users,
        days,
        ..Plan::default()
    };
    let life = Life::new(plan).expect("a plan within its bounds");
    life.events.iter().map(|event| event.bytes.to_vec()).collect()
}

/// Runs lines through a store.
pub fn feed(
    settings: &Settings,
    store: &Arc<dyn Store>,
    lines: &[Vec<u8>],
    upkeep: Option<Upkeep>,
) -> Result<Counts, RunError> {
    feed_to(settings, store, lines, upkeep, Sinks::default())
}

/// The same with ways out.
pub fn feed_to(
    settings: &Settings,
    store: &Arc<dyn Store>,
    lines: &[Vec<u8>],
    upkeep: Option<Upkeep>,
    sinks: Sinks,
) -> Result<Counts, RunError> {
    let assembly = Assembly::from_settings(settings).expect("the settings that are built in");
    let source = MemoryLines::new("lines", lines.join(&b'\n'), 65_536).expect("memory");
    run(Run {
        engine: Arc::clone(&assembly.engine),
        store: Arc::clone(store),
        sources: vec![Box::new(source)],
        sinks,
        door: &assembly.file_door(settings, "default"),
        limits: RunLimits {
            queue_bytes: 1 << 20,
            batch: BatchLimits {
                records: BATCH,
                bytes: 1 << 20,
                age: std::time::Duration::ZERO,
            },
            ..run_limits(settings)
        },
        stop: &Arc::new(AtomicBool::new(false)),
        observer: &Nobody,
        upkeep,
        settle: 0,
    })
}

/// What a start finds.
pub fn open(settings: &Settings, store: &Arc<dyn Store>) -> Result<Sequencer, StoreError> {
    let assembly = Assembly::from_settings(settings).expect("the settings that are built in");
    Sequencer::open(assembly.engine, Arc::clone(store), 100)
}

pub fn memory() -> Arc<dyn Store> {
    Arc::new(MemoryStore::new())
}

/// A store whose process ends after some commits.
pub struct Ending {
    store: Arc<dyn Store>,
    commits_left: AtomicU64,
}

impl Ending {
    pub fn after(commits: u64, store: &Arc<dyn Store>) -> Arc<dyn Store> {
        Arc::new(Self {
            store: Arc::clone(store),
            commits_left: AtomicU64::new(commits),
        })
    }
}

impl Store for Ending {
    fn head(&self) -> Result<Seq, StoreError> {
        self.store.head()
    }

    fn load_many(&self, keyspace: Keyspace, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.store.load_many(keyspace, keys)
    }

    fn commit(&self, batch: Batch) -> Result<Seq, StoreError> {
        let left = self
            .commits_left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1));
        left.map_err(|_| StoreError::Engine("the process ended".into()))?;
        self.store.commit(batch)
    }

    fn scan(
        &self,
        keyspace: Keyspace,
        prefix: &[u8],
        from: &[u8],
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        self.store.scan(keyspace, prefix, from, limit)
    }

    fn scan_back(&self, keyspace: Keyspace, prefix: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        self.store.scan_back(keyspace, prefix, limit)
    }
}

/// All rows of a table.
pub fn rows(store: &dyn Store, keyspace: Keyspace) -> Vec<Row> {
    store.scan(keyspace, &[], &[], usize::MAX).expect("memory")
}
