//! Opening a store: first its files are read, then the engine may open them, then both are held against the witness.
//!
//! The engine repairs in silence: it cuts a journal at the first byte that it does not understand, and deletes files that
//! a damaged list does not name. So whatever can be told without it is told before it runs.
//!
//! A missing head file is refused where the store remembers that it had one. To warn and write a new one would be
//! kinder to somebody who restores a backup without it, but it is the same as no witness at all: a file system that
//! lost the end of the store may well have lost the small file beside it.

use super::damage::{Failure, guarded, refused};
use super::fjall_store::{FjallStore, StoreOptions, Writing, layout_of};
use super::free_space::FreeSpace;
use super::head_file::{self, HeadFile, Mark, Told};
use super::identity::{self, Identity, StoreKind};
use super::loss::{Loss, journal_gap};
use super::{journal_files, table_lists};
use crate::io::batch_check;
use crate::pipeline::faults::Faults;
use crate::pipeline::keys;
use crate::pipeline::ports::{Keyspace, Store, StoreError};
use fjall::Database;
use std::collections::{BTreeMap, HashSet};
use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

/// What to do with a loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OnLoss {
    Refuse,
    /// Go on looking, write nothing.
    Tell,
    /// Go on, and write down that this is all there is.
    Accept,
}

/// Waits for a process that is about to end.
const LOCK_TRIES: u32 = 3;
const BETWEEN_TRIES: Duration = Duration::from_millis(100);

/// Above so many bytes of the engine's own journal, tables that change seldom are written out so that it can be cut: a
/// start reads all of it.
const ENGINE_JOURNAL_BYTES: u64 = 192 << 20;

type OwnRows = BTreeMap<Vec<u8>, Vec<u8>>;

/// One opening.
pub(super) struct Opening {
    folder: PathBuf,
    head_file: PathBuf,
    kind: Option<StoreKind>,
    on_loss: OnLoss,
    told: Told,
    losses: Vec<Loss>,
}

impl Opening {
    /// Of the engine's folder. Without a `kind` only a store that is there.
    pub(super) fn of(folder: PathBuf, kind: Option<StoreKind>, on_loss: OnLoss) -> Self {
        let data = folder.parent().unwrap_or(&folder);
        Self {
            head_file: head_file::path_in(data),
            folder,
            kind,
            on_loss,
            told: Told::Nothing,
            losses: Vec::new(),
        }
    }

    /// The store.
    pub(super) fn open(mut self, options: &StoreOptions) -> Result<FjallStore, StoreError> {
        self.before_engine()?;
        if self.kind.is_some() && !self.folder.exists() {
            self.make(options)?;
        }
        self.open_engine(options)
    }

    /// Makes the engine's files under another name and gives them theirs when they are whole. The engine refuses a
    /// folder in which it stopped half-way, so a disk that is full at the first start would be in the way of the second.
    fn make(&self, options: &StoreOptions) -> Result<(), StoreError> {
        let making = self.folder.with_extension("making");
        let unwritable = |source| StoreError::Unwritable {
            path: self.folder.display().to_string(),
            source,
        };
        let one = Self::of(making.clone(), self.kind, self.on_loss);
        if making.exists() {
            // Whoever makes it now has its lock; what nobody has was given up.
            let _lock = one.lock()?;
            std::fs::remove_dir_all(&making).map_err(unwritable)?;
        }
        drop(
            one.engine(options)
                .map_err(|failure| failure.on_open(&self.folder))?,
        );
        std::fs::rename(&making, &self.folder).map_err(unwritable)?;
        sync_folders_above(&self.folder).map_err(unwritable)
    }

    /// What is missing. Where the files say so already the engine does not run: it would cut them.
    pub(super) fn losses(mut self, options: &StoreOptions) -> Result<Vec<Loss>, StoreError> {
        self.before_engine()?;
        if self.losses.is_empty() {
            let store = self.open_engine(options)?;
            self.losses.extend(journal_gap(&store)?);
            self.losses.dedup();
        }
        Ok(self.losses)
    }

    fn refused(&self, reason: &str) -> StoreError {
        refused(&self.folder, reason)
    }

    fn lost(&mut self, loss: Loss) -> Result<(), StoreError> {
        if self.on_loss == OnLoss::Refuse {
            let data = self.folder.parent().unwrap_or(&self.folder);
            let advice = format!(
                "restore a backup, or see `doorward store accept-loss --data {}`",
                data.display()
            );
            return Err(self.refused(&format!("{loss}; {advice}")));
        }
        self.losses.push(loss);
        Ok(())
    }

    fn before_engine(&mut self) -> Result<(), StoreError> {
        self.told = head_file::read(&self.head_file).map_err(|error| {
            self.refused(&format!("`{}` cannot be read: {error}", self.head_file.display()))
        })?;
        if !self.folder.join("version").is_file() {
            return self.no_store();
        }
        let _lock = self.lock()?;
        self.refuse_strange_names()?;
        table_lists::check(&self.folder).map_err(|reason| self.refused(&reason))?;
        let end = journal_files::read(&self.folder).map_err(|reason| self.refused(&reason))?;
        if let (Some(last), Some(mark)) = (end.last, self.told.mark())
            && last.store == mark.store
            && last.commits < mark.commits
        {
            self.lost(Loss::End {
                head: last.head,
                told: mark.head,
                commits: mark.commits - last.commits,
            })?;
        }
        Ok(())
    }

    fn no_store(&self) -> Result<(), StoreError> {
        match self.told {
            Told::Mark(Mark { commits: 0, .. }) | Told::Nothing if self.kind.is_some() => Ok(()),
            Told::Mark(Mark { commits: 0, .. }) | Told::Nothing => Err(self.refused("there is no store")),
            told => {
                let head = told
                    .mark()
                    .map_or(String::new(), |mark| format!(" at seq {}", mark.head));
                Err(self.refused(&format!(
                    "its files are missing, but `{}` tells of a store{head}; restore it, or remove that file too to \
                     begin anew",
                    self.head_file.display()
                )))
            }
        }
    }

    /// Nobody may write while the files are read. The engine takes the lock again.
    fn lock(&self) -> Result<Option<File>, StoreError> {
        let Ok(file) = File::options()
            .read(true)
            .write(true)
            .open(self.folder.join("lock"))
        else {
            return Ok(None);
        };
        for _ in 0..LOCK_TRIES {
            match file.try_lock() {
                Ok(()) => return Ok(Some(file)),
                Err(TryLockError::WouldBlock) => std::thread::sleep(BETWEEN_TRIES),
                // A file system without locks: the engine says so better.
                Err(TryLockError::Error(_)) => return Ok(None),
            }
        }
        Err(StoreError::Locked {
            path: self.folder.display().to_string(),
        })
    }

    /// The engine aborts the process on a folder of tables that it did not name itself.
    fn refuse_strange_names(&self) -> Result<(), StoreError> {
        let Ok(entries) = std::fs::read_dir(self.folder.join("keyspaces")) else {
            return Ok(());
        };
        for entry in entries.flatten() {
            let is_number = entry
                .file_name()
                .to_str()
                .is_some_and(|name| name.parse::<u64>().is_ok());
            if !is_number && entry.path().is_dir() {
                return Err(self.refused(&format!("`{}` does not belong there", entry.path().display())));
            }
        }
        Ok(())
    }

    fn engine(&self, options: &StoreOptions) -> Result<Database, Failure> {
        guarded(|| {
            Database::builder(&self.folder)
                .cache_size(options.cache_bytes)
                .worker_threads(options.background_threads.max(1))
                .manual_journal_persist(true)
                .max_journaling_size(ENGINE_JOURNAL_BYTES)
                .open()
        })
    }

    fn open_engine(&mut self, options: &StoreOptions) -> Result<FjallStore, StoreError> {
        let on_open = |failure: Failure| failure.on_open(&self.folder);
        let database = self.engine(options).map_err(on_open)?;
        let present: HashSet<String> = database
            .list_keyspace_names()
            .iter()
            .map(ToString::to_string)
            .collect();
        let tables = Keyspace::ALL
            .into_iter()
            .map(|keyspace| guarded(|| database.keyspace(keyspace.name(), || layout_of(keyspace))))
            .collect::<Result<Vec<_>, _>>()
            .map_err(on_open)?;
        let mut store = FjallStore {
            database,
            tables,
            head: AtomicU64::new(0),
            writing: Mutex::new(Writing::default()),
            identity: Identity::new(self.kind.unwrap_or(StoreKind::Real)),
            folder: self.folder.clone(),
            faults: Faults::default(),
            free_space: FreeSpace::wanting(options.free_min_bytes),
        };
        self.identify(&mut store, &present)?;
        Ok(store)
    }

    /// Reads who the store is; writes it where the store is new.
    fn identify(&mut self, store: &mut FjallStore, present: &HashSet<String>) -> Result<(), StoreError> {
        let rows: OwnRows = store
            .scan(Keyspace::Meta, batch_check::STORE_OWN_PREFIX, &[], usize::MAX)
            .map_err(|error| self.refused(&error.to_string()))?
            .into_iter()
            .map(|row| (row.key, row.value))
            .collect();
        match Identity::read(&rows).map_err(|reason| self.refused(&reason))? {
            Some(found) => {
                self.refuse_missing_tables(&rows, present)?;
                store.identity = found;
                *store.head.get_mut() = found.head;
                self.compare(store, &found)?;
            }
            None => self.refuse_unless_new(store)?,
        }
        if self.on_loss == OnLoss::Tell {
            return Ok(());
        }
        self.start_writing(store, &rows)
    }

    /// A table that the store once had and whose folder is gone would be made anew, empty, without a word.
    fn refuse_missing_tables(&self, rows: &OwnRows, present: &HashSet<String>) -> Result<(), StoreError> {
        let lost = Keyspace::ALL.into_iter().find(|keyspace| {
            rows.contains_key(&identity::format_row(*keyspace).0) && !present.contains(keyspace.name())
        });
        match lost {
            Some(keyspace) => Err(self.refused(&format!("the files of table `{keyspace}` are missing"))),
            None => Ok(()),
        }
    }

    /// Without rows about itself a store is new, so it must be empty, and nobody must know of it.
    fn refuse_unless_new(&self, store: &FjallStore) -> Result<(), StoreError> {
        for keyspace in Keyspace::ALL {
            if !store.scan(keyspace, &[], &[], 1)?.is_empty() {
                return Err(self.refused(&format!(
                    "table `{keyspace}` has rows, but the rows about the store itself are missing"
                )));
            }
        }
        if let Some(mark) = self.told.mark().filter(|mark| mark.commits > 0) {
            return Err(self.refused(&format!(
                "it is empty, but `{}` tells of a store at seq {}; restore it, or remove both to begin anew",
                self.head_file.display(),
                mark.head
            )));
        }
        if self.kind.is_none() {
            return Err(self.refused("there is no store: one was begun and never used"));
        }
        Ok(())
    }

    /// Holds the store against the witness, and its journal against its head.
    fn compare(&mut self, store: &FjallStore, found: &Identity) -> Result<(), StoreError> {
        let commits = found.commits.unwrap_or(0);
        match self.told {
            // A store from before there was a witness.
            Told::Nothing if found.commits.is_none() => {}
            Told::Nothing => self.lost(Loss::Witness("is missing"))?,
            Told::Damaged => self.lost(Loss::Witness("is damaged"))?,
            Told::Mark(mark) if mark.store != found.id => {
                self.lost(Loss::Witness("belongs to another store"))?;
            }
            Told::Mark(mark) if mark.commits > commits && self.losses.is_empty() => self.lost(Loss::End {
                head: found.head,
                told: mark.head,
                commits: mark.commits - commits,
            })?,
            Told::Mark(_) => {}
        }
        // Cheap: the last row only. Whoever folds the journal sees every row, and `store check` counts them.
        let last = store.scan_back(Keyspace::Journal, &[], 1)?;
        let last = last.first().and_then(|row| keys::read_seq(&row.key));
        match last {
            Some(last) if last < found.head => self.lost(Loss::Journal {
                from: last + 1,
                to: found.head,
            }),
            _ => Ok(()),
        }
    }

    /// Writes what is missing of the rows about the store, and the head file.
    fn start_writing(&self, store: &mut FjallStore, rows: &OwnRows) -> Result<(), StoreError> {
        let unwritable = |source: io::Error| StoreError::Unwritable {
            path: self.head_file.display().to_string(),
            source,
        };
        let mut own: Vec<_> = Keyspace::ALL.map(identity::format_row).into();
        own.extend(store.identity.rows());
        own.retain(|(key, _)| !rows.contains_key(key));
        let head = store.head()?;
        let mark = Mark {
            store: store.identity.id,
            commits: store.identity.commits.unwrap_or(0),
            head,
        };
        // Before the first commit of a new store: from then on a missing head file is a loss.
        let head_file = if self.told == Told::Mark(mark) {
            HeadFile::open(&self.head_file)
        } else {
            HeadFile::write_anew(&self.head_file, &mark)
        };
        let mut writing = Writing {
            commits: mark.commits,
            head_file: Some(head_file.map_err(unwritable)?),
        };
        if !own.is_empty() || store.identity.commits.is_none() {
            let mut writes = store.writes(own.len() + 2);
            for (key, value) in own {
                writes.insert(store.table(Keyspace::Meta)?, key, value);
            }
            store.write(writes, head, &mut writing)?;
        }
        if rows.is_empty() {
            sync_folders_above(&self.folder).map_err(|error| self.refused(&error.to_string()))?;
        }
        store.writing = Mutex::new(writing);
        Ok(())
    }
}

/// A new store's name is durable only when the folders above it are.
fn sync_folders_above(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        for above in folder.ancestors().skip(1).take(2) {
            File::open(above)?.sync_all()?;
        }
    }
    Ok(())
}
