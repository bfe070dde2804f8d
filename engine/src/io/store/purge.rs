//! Makes sure that no byte of what was overwritten or deleted is left in the store's files.
//!
//! Merging the tables is not enough: the engine writes every batch into a journal file first, and starts a new file only
//! when the old one has 64 MB. So an old batch may lie there for months after its rows are gone. There is no call that
//! starts a new file, so the old one is filled up with zeros; then all that is only in memory is written out, and the
//! engine deletes the file. Each step is one of the engine's own, so a crash in between leaves a whole store.

use super::damage::guarded;
use super::fjall_store::FjallStore;
use crate::pipeline::ports::{Keyspace, Store as _, StoreError};
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

/// The engine starts a new journal file when one is longer than this.
const JOURNAL_FILE_BYTES: u64 = 64_000_000;
/// Zeros written at once.
const FILLING_BYTES: usize = 8 << 20;
/// The row that they are written to; removed at the end.
const FILLING: &[u8] = b"store/filling";
/// How long the engine's threads may take to delete an old file, and how long between two looks.
const PATIENCE: Duration = Duration::from_secs(60);
const BETWEEN_LOOKS: Duration = Duration::from_millis(10);
const LEFT: &str = "old files of the store are still there; try `doorward store compact` again";

impl FjallStore {
    /// Writes out what is only in journal files and memory, deletes the journal files, then merges every table's files
    /// into as few as can be. What was overwritten or deleted is gone from the disk after that.
    ///
    /// # Errors
    /// When the engine fails, or does not delete its old journal files in time.
    pub fn compact(&self) -> Result<(), StoreError> {
        self.fill_journal_file()?;
        self.write_out()?;
        self.wait_for_journal_files()?;
        self.remove_filling()?;
        self.write_out()?;
        for table in &self.tables {
            guarded(|| table.major_compact()).map_err(|failure| failure.in_use(&self.folder))?;
        }
        self.wait_for_old_tables()
    }

    /// The engine keeps the tables that a merging replaced until it looks again, with a later number than theirs, and
    /// nobody reads them any more.
    fn wait_for_old_tables(&self) -> Result<(), StoreError> {
        let start = Instant::now();
        let meta = self.table(Keyspace::Meta)?;
        loop {
            let mut writing = self.lock_writing()?;
            self.write(self.writes(2), self.head()?, &mut writing)?;
            drop(writing);
            guarded(|| meta.rotate_memtable_and_wait()).map_err(|failure| failure.in_use(&self.folder))?;
            if !self.tables.iter().any(has_old_files) {
                return Ok(());
            }
            if start.elapsed() >= PATIENCE {
                return Err(StoreError::Engine(LEFT.into()));
            }
            thread::sleep(BETWEEN_LOOKS);
        }
    }

    fn fill_journal_file(&self) -> Result<(), StoreError> {
        let meta = self.table(Keyspace::Meta)?;
        let mut written = 0;
        while written <= JOURNAL_FILE_BYTES {
            let mut writing = self.lock_writing()?;
            let mut writes = self.writes(3);
            writes.insert(meta, FILLING, vec![0; FILLING_BYTES]);
            self.write(writes, self.head()?, &mut writing)?;
            written += FILLING_BYTES as u64;
        }
        Ok(())
    }

    fn remove_filling(&self) -> Result<(), StoreError> {
        let meta = self.table(Keyspace::Meta)?;
        let mut writing = self.lock_writing()?;
        let mut writes = self.writes(3);
        writes.remove(meta, FILLING);
        self.write(writes, self.head()?, &mut writing)
    }

    fn write_out(&self) -> Result<(), StoreError> {
        for table in &self.tables {
            guarded(|| table.rotate_memtable_and_wait()).map_err(|failure| failure.in_use(&self.folder))?;
        }
        Ok(())
    }

    /// The engine's threads delete a file when they have written out the last table that needs it. A process that goes
    /// on writing may start further files in between: only the old ones must go.
    fn wait_for_journal_files(&self) -> Result<(), StoreError> {
        let start = Instant::now();
        while self.database.journal_count() > 1 {
            if start.elapsed() >= PATIENCE {
                let text =
                    "old journal files of the store are still there; try `doorward store compact` again";
                return Err(StoreError::Engine(text.into()));
            }
            thread::sleep(BETWEEN_LOOKS);
            self.write_out()?;
        }
        Ok(())
    }
}

/// Whether the folder of a table has more files than the table. While somebody writes, one may be about to be added.
fn has_old_files(table: &fjall::Keyspace) -> bool {
    let files = fs::read_dir(table.path().join("tables")).map_or(0, Iterator::count);
    files > table.table_count()
}
