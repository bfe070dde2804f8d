//! The store in a folder.

use super::damage::{guarded, refused};
use super::identity::{self, Identity, StoreKind};
use crate::io::{batch_check, key_range};
use crate::pipeline::ports::{Batch, Keyspace, Row, Seq, Store, StoreError};
use fjall::config::{BlockSizePolicy, CompressionPolicy};
use fjall::{Database, Guard, KeyspaceCreateOptions, OwnedWriteBatch, PersistMode};
use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// Sizes of a store, none of which changes a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreOptions {
    /// Bytes of table blocks kept in memory.
    pub cache_bytes: u64,
    /// Threads that write tables out and merge them; at least 1.
    pub background_threads: usize,
}

impl Default for StoreOptions {
    fn default() -> Self {
        Self {
            cache_bytes: 64 * 1024 * 1024,
            background_threads: 2,
        }
    }
}

/// The embedded store. One process has it open; a second one gets [`StoreError::Locked`].
pub struct FjallStore {
    database: Database,
    /// In the order of [`Keyspace::ALL`].
    tables: Vec<fjall::Keyspace>,
    head: AtomicU64,
    /// One commit at a time; reads do not wait for it.
    writing: Mutex<()>,
    identity: Identity,
    folder: PathBuf,
}

impl FjallStore {
    /// Opens the store of the data folder `data`, and makes it if there is none.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process has it; [`StoreError::Refused`] when it is of another kind, of a
    /// newer format, or damaged.
    pub fn open(data: &Path, kind: StoreKind, options: &StoreOptions) -> Result<Self, StoreError> {
        let store = Self::open_or_make(&folder_in(data)?, Some(kind), options)?;
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
        let folder = folder_in(data)?;
        if !folder.join("version").is_file() {
            return Err(refused(&folder, "there is no store"));
        }
        Self::open_or_make(&folder, None, options)
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

    fn open_or_make(
        folder: &Path,
        kind: Option<StoreKind>,
        options: &StoreOptions,
    ) -> Result<Self, StoreError> {
        refuse_strange_names(folder)?;
        let database = guarded(|| {
            Database::builder(folder)
                .cache_size(options.cache_bytes)
                .worker_threads(options.background_threads.max(1))
                .manual_journal_persist(true)
                .open()
        })
        .map_err(|failure| failure.on_open(folder))?;
        let present: HashSet<String> = database
            .list_keyspace_names()
            .iter()
            .map(ToString::to_string)
            .collect();
        let tables = Keyspace::ALL
            .into_iter()
            .map(|keyspace| guarded(|| database.keyspace(keyspace.name(), || layout_of(keyspace))))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|failure| failure.on_open(folder))?;
        let mut store = Self {
            database,
            tables,
            head: AtomicU64::new(0),
            writing: Mutex::new(()),
            identity: Identity::new(kind.unwrap_or(StoreKind::Real)),
            folder: folder.to_owned(),
        };
        store.identify(kind, &present)?;
        Ok(store)
    }

    /// Reads who the store is; writes it where the store is new.
    fn identify(&mut self, kind: Option<StoreKind>, present: &HashSet<String>) -> Result<(), StoreError> {
        let rows: BTreeMap<_, _> = self
            .scan(Keyspace::Meta, batch_check::STORE_OWN_PREFIX, &[], usize::MAX)
            .map_err(|error| refused(&self.folder, &error.to_string()))?
            .into_iter()
            .map(|row| (row.key, row.value))
            .collect();
        match Identity::read(&rows).map_err(|reason| refused(&self.folder, &reason))? {
            Some(found) => {
                self.refuse_missing_tables(&rows, present)?;
                self.identity = found;
                *self.head.get_mut() = found.head;
            }
            None => {
                self.refuse_rows_without_identity()?;
                if kind.is_none() {
                    return Err(refused(
                        &self.folder,
                        "there is no store: one was begun and never used",
                    ));
                }
                self.write_own(self.identity.rows())?;
                sync_folders_above(&self.folder)
                    .map_err(|error| refused(&self.folder, &error.to_string()))?;
            }
        }
        let formats = Keyspace::ALL.map(identity::format_row);
        let new_formats: Vec<_> = formats
            .into_iter()
            .filter(|(key, _)| !rows.contains_key(key))
            .collect();
        self.write_own(new_formats)
    }

    /// A table that the store once had and whose folder is gone would be made anew, empty, without a word.
    fn refuse_missing_tables(
        &self,
        rows: &BTreeMap<Vec<u8>, Vec<u8>>,
        present: &HashSet<String>,
    ) -> Result<(), StoreError> {
        let lost = Keyspace::ALL.into_iter().find(|keyspace| {
            rows.contains_key(&identity::format_row(*keyspace).0) && !present.contains(keyspace.name())
        });
        match lost {
            Some(keyspace) => Err(refused(
                &self.folder,
                &format!("the files of table `{keyspace}` are missing"),
            )),
            None => Ok(()),
        }
    }

    /// Without rows about itself a store is new, so it must be empty.
    fn refuse_rows_without_identity(&self) -> Result<(), StoreError> {
        for keyspace in Keyspace::ALL {
            if !self.scan(keyspace, &[], &[], 1)?.is_empty() {
                let reason =
                    format!("table `{keyspace}` has rows, but the rows about the store itself are missing");
                return Err(refused(&self.folder, &reason));
            }
        }
        Ok(())
    }

    fn write_own(&self, rows: Vec<(Vec<u8>, Vec<u8>)>) -> Result<(), StoreError> {
        if rows.is_empty() {
            return Ok(());
        }
        let meta = self.table(Keyspace::Meta)?;
        let mut writes = self.writes(rows.len());
        for (key, value) in rows {
            writes.insert(meta, key, value);
        }
        guarded(|| writes.commit()).map_err(|failure| failure.on_open(&self.folder))
    }

    fn writes(&self, rows: usize) -> OwnedWriteBatch {
        OwnedWriteBatch::with_capacity(self.database.clone(), rows).durability(Some(PersistMode::SyncData))
    }

    fn table(&self, keyspace: Keyspace) -> Result<&fjall::Keyspace, StoreError> {
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

/// A new store's name is durable only when the folders above it are.
fn sync_folders_above(folder: &Path) -> std::io::Result<()> {
    if cfg!(unix) {
        for above in folder.ancestors().skip(1).take(2) {
            std::fs::File::open(above)?.sync_all()?;
        }
    }
    Ok(())
}

/// The engine aborts the process on a folder of tables that it did not name itself.
fn refuse_strange_names(folder: &Path) -> Result<(), StoreError> {
    let Ok(entries) = std::fs::read_dir(folder.join("keyspaces")) else {
        return Ok(());
    };
    for entry in entries.flatten() {
        let is_number = entry
            .file_name()
            .to_str()
            .is_some_and(|name| name.parse::<u64>().is_ok());
        if !is_number && entry.path().is_dir() {
            let reason = format!("`{}` does not belong there", entry.path().display());
            return Err(refused(folder, &reason));
        }
    }
    Ok(())
}

/// Tables read in long runs have larger blocks than those where one row is looked up. Nothing is compressed: the
/// encodings are compact, and the time is needed elsewhere.
fn layout_of(keyspace: Keyspace) -> KeyspaceCreateOptions {
    let block_bytes = match keyspace {
        Keyspace::Journal | Keyspace::Decided => 16 * 1024,
        _ => 4 * 1024,
    };
    KeyspaceCreateOptions::default()
        .manual_journal_persist(true)
        .data_block_size_policy(BlockSizePolicy::all(block_bytes))
        .data_block_compression_policy(CompressionPolicy::disabled())
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
        guarded(|| keys.iter().map(get).collect()).map_err(|failure| failure.in_use())
    }

    fn commit(&self, batch: Batch) -> Result<Seq, StoreError> {
        let half_way = |_| StoreError::Engine("an earlier write stopped half-way".into());
        let _writing = self.writing.lock().map_err(half_way)?;
        batch_check::check(&batch, self.head()?)?;
        if batch.changes.is_empty() && batch.new_head == batch.expected_head {
            return Ok(batch.new_head);
        }
        let mut writes = self.writes(batch.changes.len() + 1);
        for change in batch.changes {
            let table = self.table(change.keyspace)?;
            match change.value {
                Some(value) => writes.insert(table, change.key, value),
                None => writes.remove(table, change.key),
            }
        }
        writes.insert(
            self.table(Keyspace::Meta)?,
            identity::HEAD,
            identity::head_value(batch.new_head),
        );
        guarded(|| writes.commit()).map_err(|failure| failure.in_use())?;
        self.head.store(batch.new_head, Ordering::Release);
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
        guarded(|| table.range(range).take(limit).map(row).collect()).map_err(|failure| failure.in_use())
    }

    fn scan_back(&self, keyspace: Keyspace, prefix: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        let Some(range) = key_range::starting_with(prefix, &[]) else {
            return Ok(Vec::new());
        };
        let table = self.table(keyspace)?;
        guarded(|| table.range(range).rev().take(limit).map(row).collect())
            .map_err(|failure| failure.in_use())
    }
}
