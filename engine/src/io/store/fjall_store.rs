//! The store in a folder.

use super::damage::{guarded, refused};
use super::free_space::FreeSpace;
use super::head_file::{HeadFile, Mark};
use super::identity::{self, CommitRow, Identity, StoreKind};
use super::loss::{Loss, journal_gap};
use super::opening::{OnLoss, Opening};
use crate::io::{batch_check, key_range};
use crate::pipeline::faults::{Faults, Point};
use crate::pipeline::keys;
use crate::pipeline::ports::{Batch, Keyspace, Row, Seq, Store, StoreError};
use crate::pipeline::retention::Removed;
use fjall::config::{BlockSizePolicy, CompressionPolicy};
use fjall::{Database, Guard, KeyspaceCreateOptions, OwnedWriteBatch, PersistMode};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

/// Rows deleted in one batch.
const TRIM_PAGE: usize = 4_096;

/// Sizes of a store, none of which changes a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreOptions {
    /// Bytes of table blocks kept in memory.
    pub cache_bytes: u64,
    /// Free space on the disk below which the store has no room for more; 0 for none.
    pub free_min_bytes: u64,
    /// Threads that write tables out and merge them; at least 1.
    pub background_threads: usize,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            cache_bytes: 64 * 1024 * 1024,
            free_min_bytes: 0,
            background_threads: 2,
        }
    }
}

/// The embedded store. One process has it open; a second one gets [`StoreError::Locked`].
pub struct FjallStore {
    pub(super) database: Database,
    /// In the order of [`Keyspace::ALL`].
    pub(super) tables: Vec<fjall::Keyspace>,
    pub(super) head: AtomicU64,
    /// One commit at a time; reads do not wait for it.
    pub(super) writing: Mutex<Writing>,
    pub(super) identity: Identity,
    pub(super) folder: PathBuf,
    pub(super) faults: Faults,
    pub(super) free_space: FreeSpace,
}

/// What a commit needs besides the engine.
#[derive(Default)]
pub(super) struct Writing {
    /// Batches written in the life of the store.
    pub(super) commits: u64,
    /// The witness; `None` until the store is known to be whole.
    pub(super) head_file: Option<HeadFile>,
}

impl FjallStore {
    /// Opens the store of the data folder `data`, and makes it if there is none.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process has it; [`StoreError::Refused`] when it is of another kind, of a
    /// newer format, or damaged.
    pub fn open(data: &Path, kind: StoreKind, options: &StoreOptions) -> Result<Self, StoreError> {
        let store = Opening::of(folder_in(data)?, Some(kind), OnLoss::Refuse).open(options)?;
        let found = store.kind();
        if found == kind {
            return Ok(store);
        }
        let reason = format!("it holds {found}, not {kind}; name another folder");
        Err(refused(&store.folder, &reason))
    }

    /// Opens the store of the data folder `data`, of whatever kind, for a look. Makes nothing where there is none.
    ///
    /// # Errors
    /// As [`FjallStore::open`]; [`StoreError::Refused`] when there is no store.
    pub fn open_existing(data: &Path, options: &StoreOptions) -> Result<Self, StoreError> {
        Opening::of(folder_in(data)?, None, OnLoss::Refuse).open(options)
    }

    /// `faults` hears of the places that a commit passes.
    #[must_use]
    pub fn watched_by(self, faults: Faults) -> Self {
        Self { faults, ..self }
    }

    /// What it is used for.
    #[must_use]
    pub fn kind(&self) -> StoreKind {
        self.identity.kind
    }

    /// Drawn at random when the store was made. Never part of a decision.
    #[must_use]
    pub fn id(&self) -> [u8; 16] {
        self.identity.id
    }

    /// Where the engine keeps its files.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// What is missing in the store of the data folder `data`. Changes nothing.
    ///
    /// # Errors
    /// As [`FjallStore::open_existing`], for damage that is no loss of known size.
    pub fn losses(data: &Path, options: &StoreOptions) -> Result<Vec<Loss>, StoreError> {
        Opening::of(folder_in(data)?, None, OnLoss::Tell).losses(options)
    }

    /// Opens a store in which something is missing, and makes what is left the whole of it: the head file tells of its
    /// end, and a journal with a gap is kept only behind the gap.
    ///
    /// # Errors
    /// As [`FjallStore::losses`].
    pub fn accept_losses(data: &Path, options: &StoreOptions) -> Result<Self, StoreError> {
        let store = Opening::of(folder_in(data)?, None, OnLoss::Accept).open(options)?;
        store.trim_journal()?;
        Ok(store)
    }

    /// Bytes on disk: of every table, and of the engine's journal files.
    ///
    /// # Errors
    /// When the engine fails.
    pub fn bytes(&self) -> Result<(Vec<(Keyspace, u64)>, u64), StoreError> {
        let tables = Keyspace::ALL.into_iter().zip(&self.tables);
        let tables = tables
            .map(|(keyspace, table)| (keyspace, table.disk_space()))
            .collect();
        let journal =
            guarded(|| self.database.journal_disk_space()).map_err(|failure| failure.in_use(&self.folder))?;
        Ok((tables, journal))
    }

    /// Deletes the journal's rows up to its last gap.
    fn trim_journal(&self) -> Result<(), StoreError> {
        let Some(Loss::Journal { to, .. }) = journal_gap(self)? else {
            return Ok(());
        };
        let head = self.head()?;
        self.commit(Batch {
            expected_head: head,
            new_head: head,
            changes: vec![Removed::read(self)?.with_journal_from(to.saturating_add(1))?],
        })?;
        loop {
            let page = self.scan(Keyspace::Journal, &[], &[], TRIM_PAGE)?;
            let mut batch = Batch {
                expected_head: head,
                new_head: head,
                changes: Vec::new(),
            };
            for row in page {
                if keys::read_seq(&row.key).is_none_or(|seq| seq <= to) {
                    batch.delete(Keyspace::Journal, row.key);
                }
            }
            if batch.changes.is_empty() {
                return Ok(());
            }
            self.commit(batch)?;
        }
    }

    pub(super) fn lock_writing(&self) -> Result<MutexGuard<'_, Writing>, StoreError> {
        let half_way = |_| StoreError::Engine("an earlier write stopped half-way".into());
        self.writing.lock().map_err(half_way)
    }

    /// Commits what was gathered with the rows that every batch has, then tells the witness. The witness comes second:
    /// it must never tell of what is not on disk.
    pub(super) fn write(
        &self,
        mut writes: OwnedWriteBatch,
        head: Seq,
        writing: &mut Writing,
    ) -> Result<(), StoreError> {
        let meta = self.table(Keyspace::Meta)?;
        let row = CommitRow {
            store: self.identity.id,
            commits: writing.commits + 1,
            head,
            // Nobody else writes batches, and the engine's counter never goes back.
            seqno_from: self.database.seqno(),
        };
        writes.insert(meta, identity::HEAD, identity::head_value(head));
        writes.insert(meta, identity::COMMIT.as_slice(), row.value());
        self.faults.pass(Point::BeforeSync);
        guarded(|| writes.commit()).map_err(|failure| failure.in_use(&self.folder))?;
        self.faults.pass(Point::HeadFile);
        self.head.store(head, Ordering::Release);
        writing.commits = row.commits;
        if let Some(file) = &mut writing.head_file {
            note(file, &row)?;
        }
        self.faults.pass(Point::AfterSync);
        Ok(())
    }

    pub(super) fn writes(&self, rows: usize) -> OwnedWriteBatch {
        OwnedWriteBatch::with_capacity(self.database.clone(), rows).durability(Some(PersistMode::SyncData))
    }

    pub(super) fn table(&self, keyspace: Keyspace) -> Result<&fjall::Keyspace, StoreError> {
        self.tables
            .get(keyspace as usize)
            .ok_or_else(|| StoreError::Engine(format!("there is no table `{keyspace}`").into()))
    }
}

fn folder_in(data: &Path) -> Result<PathBuf, StoreError> {
    match std::path::absolute(data) {
        Ok(data) => Ok(data.join("store")),
        Err(error) => Err(refused(data, &error.to_string())),
    }
}

/// Tables read in long runs have larger blocks than those where one row is looked up. Nothing is compressed: the
/// encodings are compact, and the time is needed elsewhere.
pub(super) fn layout_of(keyspace: Keyspace) -> KeyspaceCreateOptions {
    let block_bytes = match keyspace {
        Keyspace::Journal | Keyspace::Decided => 16 * 1024,
        _ => 4 * 1024,
    };
    KeyspaceCreateOptions::default()
        .manual_journal_persist(true)
        .max_memtable_size(memtable_mib(keyspace) << 20)
        .data_block_size_policy(BlockSizePolicy::all(block_bytes))
        .data_block_compression_policy(CompressionPolicy::disabled())
}

/// Mebibytes of new rows that a table gathers in memory before it writes them out. Up to five of them may wait for a
/// slow disk. Where keys ascend, files never overlap and small ones cost nothing; where they are random, small ones are
/// merged more often, but a look-up among fewer rows costs less, and there is one for nearly every event.
const fn memtable_mib(keyspace: Keyspace) -> u64 {
    match keyspace {
        Keyspace::Journal | Keyspace::Decided | Keyspace::User => 16,
        _ => 8,
    }
}

fn note(file: &mut HeadFile, row: &CommitRow) -> Result<(), StoreError> {
    let mark = Mark {
        store: row.store,
        commits: row.commits,
        head: row.head,
    };
    file.note(&mark).map_err(|error| {
        let text = format!("`{}` cannot be written: {error}", file.path().display());
        StoreError::Engine(text.into())
    })
}

fn row(guard: Guard) -> fjall::Result<Row> {
    let (key, value) = guard.into_inner()?;
    Ok(Row {
        key: key.to_vec(),
        value: value.to_vec(),
    })
}

impl Store for FjallStore {
    fn head(&self) -> Result<Seq, StoreError> {
        Ok(self.head.load(Ordering::Acquire))
    }

    fn load_many(&self, keyspace: Keyspace, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let table = self.table(keyspace)?;
        let get = |key: &Vec<u8>| Ok(table.get(key)?.map(|value| value.to_vec()));
        guarded(|| keys.iter().map(get).collect()).map_err(|failure| failure.in_use(&self.folder))
    }

    fn commit(&self, batch: Batch) -> Result<Seq, StoreError> {
        let mut writing = self.lock_writing()?;
        batch_check::check(&batch, self.head()?)?;
        if batch.changes.is_empty() && batch.new_head == batch.expected_head {
            return Ok(batch.new_head);
        }
        let mut writes = self.writes(batch.changes.len() + 2);
        for change in batch.changes {
            let table = self.table(change.keyspace)?;
            match change.value {
                Some(value) => writes.insert(table, change.key, value),
                None => writes.remove(table, change.key),
            }
        }
        self.write(writes, batch.new_head, &mut writing)?;
        Ok(batch.new_head)
    }

    fn scan(
        &self,
        keyspace: Keyspace,
        prefix: &[u8],
        from: &[u8],
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let Some(range) = key_range::starting_with(prefix, from) else {
            return Ok(Vec::new());
        };
        let table = self.table(keyspace)?;
        guarded(|| table.range(range).take(limit).map(row).collect())
            .map_err(|failure| failure.in_use(&self.folder))
    }

    fn purge(&self) -> Result<(), StoreError> {
        self.compact()
    }

    fn has_room(&self) -> Result<(), StoreError> {
        self.free_space.look(&self.folder)
    }

    fn scan_back(&self, keyspace: Keyspace, prefix: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        let Some(range) = key_range::starting_with(prefix, &[]) else {
            return Ok(Vec::new());
        };
        let table = self.table(keyspace)?;
        guarded(|| table.range(range).rev().take(limit).map(row).collect())
            .map_err(|failure| failure.in_use(&self.folder))
    }
}
