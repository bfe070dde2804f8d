//! The pipeline over stores in memory, with processes that end at a chosen commit.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use doorward::cli::assemble::{Assembly, run_limits};
use doorward::config::Settings;
use doorward::generate::{Life, Plan};
use doorward::io::memory::lines::MemoryLines;
use doorward::io::memory::store::MemoryStore;
use doorward::pipeline::crowd_image::{ImagePolicy, Snapshot};
use doorward::pipeline::ports::{Batch, Change, Keyspace, Row, Seq, Store, StoreError};
use doorward::pipeline::run::{Nobody, Run, RunError, RunLimits, Sinks, Upkeep, run};
use doorward::pipeline::sequencer::{Counts, Sequencer};

pub const BATCH: usize = 64;

/// An image every 100 records, whatever the clock says, and none at the end.
pub const OFTEN: Upkeep = Upkeep {
    images: ImagePolicy {
        records: 100,
        clock: 0,
        records_at_end: u64::MAX,
    },
};

/// No image in a run, and one at its end.
pub const AT_END: Upkeep = Upkeep {
    images: ImagePolicy {
        records: u64::MAX,
        clock: 0,
        records_at_end: 1,
    },
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
    let assembly = Assembly::from_settings(settings).expect("the settings that are built in");
    let source = MemoryLines::new("lines", lines.join(&b'\n'), 65_536).expect("memory");
    run(Run {
        engine: Arc::clone(&assembly.engine),
        store: Arc::clone(store),
        sources: vec![Box::new(source)],
        sinks: Sinks::default(),
        door: &assembly.file_door(settings, "default"),
        limits: RunLimits {
            batch_records: BATCH,
            ..run_limits(settings)
        },
        stop: &Arc::new(AtomicBool::new(false)),
        observer: &Nobody,
        upkeep,
    })
}

/// What a start finds.
pub fn open(settings: &Settings, store: &Arc<dyn Store>) -> Result<Sequencer, StoreError> {
    let assembly = Assembly::from_settings(settings).expect("the settings that are built in");
    Sequencer::open(assembly.engine, Arc::clone(store), 100)
}

/// What a start finds if there is nothing but the journal.
pub fn folded_from_the_journal(settings: &Settings, store: &dyn Store) -> Snapshot {
    let copy = MemoryStore::new();
    let rows = store
        .scan(Keyspace::Journal, &[], &[], usize::MAX)
        .expect("memory");
    let changes = rows.into_iter().map(|row| Change {
        keyspace: Keyspace::Journal,
        key: row.key,
        value: Some(row.value),
    });
    copy.commit(Batch {
        expected_head: 0,
        new_head: store.head().expect("memory"),
        changes: changes.collect(),
    })
    .expect("memory");
    let copy: Arc<dyn Store> = Arc::new(copy);
    open(settings, &copy).expect("a whole journal").snapshot()
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

/// Commits changes that belong to no record, as damage does.
pub fn change(store: &dyn Store, keyspace: Keyspace, key: Vec<u8>, value: Option<Vec<u8>>) {
    let head = store.head().expect("memory");
    let changes = vec![Change { keyspace, key, value }];
    let batch = Batch {
        expected_head: head,
        new_head: head,
        changes,
    };
    store.commit(batch).expect("memory");
}
