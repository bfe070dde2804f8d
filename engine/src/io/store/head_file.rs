//! The witness beside the store: `<data>/head` remembers how far the store was, where no fault of the store's own
//! files can change it (clause S12).
//!
//! Two slots in two blocks of the disk, written in turn, so that a write that stops half-way leaves the other one. A
//! slot: 8 bytes of magic with the version, store id 16, commits 8, head 8, SHA-256 of all that. Numbers little end
//! first.

use crate::pipeline::ports::Seq;
use sha2::{Digest, Sha256};
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

const MAGIC: [u8; 8] = *b"DWHEAD\0\x01";
const BODY_BYTES: usize = 40;
const SLOT_BYTES: usize = BODY_BYTES + 32;
/// Distance of the slots: blocks of a disk, and pages of the cache above it, fail as a whole.
const SLOT_STEP: u64 = 4_096;
/// A process that dies loses nothing that it wrote; only a machine that dies loses what was not synced.
const BETWEEN_SYNCS: Duration = Duration::from_secs(1);

/// How far a store is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    /// Whose.
    pub(super) store: [u8; 16],
    /// Batches that the store has written in its life, its own among them.
    pub(super) commits: u64,
    /// Last committed `seq`.
    pub(super) head: Seq,
}

/// What the file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Told {
    /// There is no file.
    Nothing,
    /// No slot is whole.
    Damaged,
    /// The newest whole slot.
    Mark(Mark),
}

impl Told {
    pub(super) fn mark(self) -> Option<Mark> {
        match self {
            Self::Mark(mark) => Some(mark),
            Self::Nothing | Self::Damaged => None,
        }
    }
}

/// Where the file of a data folder is.
pub(super) fn path_in(data: &Path) -> PathBuf {
    data.join("head")
}

/// Reads the file.
///
/// # Errors
/// When the system refuses.
pub(super) fn read(path: &Path) -> io::Result<Told> {
    let mut bytes = Vec::new();
    match File::open(path) {
        Ok(file) => file.take(2 * SLOT_STEP).read_to_end(&mut bytes)?,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Told::Nothing),
        Err(error) => return Err(error),
    };
    let slots = [0, SLOT_STEP].map(|at| slot(&bytes, at));
    let newest = slots.into_iter().flatten().max_by_key(|mark| mark.commits);
    Ok(newest.map_or(Told::Damaged, Told::Mark))
}

fn slot(bytes: &[u8], at: u64) -> Option<Mark> {
    let bytes = bytes.get(usize::try_from(at).ok()?..)?.get(..SLOT_BYTES)?;
    let (body, sum) = bytes.split_at_checked(BODY_BYTES)?;
    if Sha256::digest(body).as_slice() != sum {
        return None;
    }
    let (magic, body) = body.split_first_chunk()?;
    let (store, body) = body.split_first_chunk()?;
    let (commits, body) = body.split_first_chunk()?;
    let (head, _) = body.split_first_chunk()?;
    (*magic == MAGIC).then_some(Mark {
        store: *store,
        commits: u64::from_le_bytes(*commits),
        head: u64::from_le_bytes(*head),
    })
}

fn slot_bytes(mark: &Mark) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(SLOT_BYTES);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&mark.store);
    bytes.extend_from_slice(&mark.commits.to_le_bytes());
    bytes.extend_from_slice(&mark.head.to_le_bytes());
    let sum = Sha256::digest(&bytes);
    bytes.extend_from_slice(&sum);
    bytes
}

/// The file, open for writing.
pub(super) struct HeadFile {
    file: File,
    path: PathBuf,
    synced: Instant,
    dirty: bool,
}

impl HeadFile {
    /// Writes a file with `mark` in both slots in the place of what is there: all of it or nothing.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn write_anew(path: &Path, mark: &Mark) -> io::Result<Self> {
        let beside = path.with_extension("new");
        let mut file = File::create(&beside)?;
        write_slot(&mut file, 0, mark)?;
        write_slot(&mut file, SLOT_STEP, mark)?;
        file.sync_all()?;
        drop(file);
        fs::rename(&beside, path)?;
        if let Some(folder) = path.parent().filter(|_| cfg!(unix)) {
            File::open(folder)?.sync_all()?;
        }
        Self::open(path)
    }

    /// The file that is there, in which the newest slot says the truth.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self {
            file: OpenOptions::new().write(true).open(path)?,
            path: path.to_owned(),
            synced: Instant::now(),
            dirty: false,
        })
    }

    /// Writes the slot whose turn it is; makes it durable if the last time is a second ago.
    ///
    /// # Errors
    /// When the system refuses.
    pub(super) fn note(&mut self, mark: &Mark) -> io::Result<()> {
        write_slot(&mut self.file, mark.commits % 2 * SLOT_STEP, mark)?;
        self.dirty = true;
        if self.synced.elapsed() >= BETWEEN_SYNCS {
            self.sync()?;
        }
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.dirty {
            self.file.sync_data()?;
            self.dirty = false;
            self.synced = Instant::now();
        }
        Ok(())
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for HeadFile {
    fn drop(&mut self) {
        // Nobody is left to be told; an older witness is still a true one.
        let _ = self.sync();
    }
}

fn write_slot(file: &mut File, at: u64, mark: &Mark) -> io::Result<()> {
    file.seek(SeekFrom::Start(at))?;
    file.write_all(&slot_bytes(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(commits: u64) -> Mark {
        Mark {
            store: [7; 16],
            commits,
            head: commits * 10,
        }
    }

    fn written(folder: &Path) -> PathBuf {
        let path = path_in(folder);
        let mut file = HeadFile::write_anew(&path, &mark(4)).unwrap();
        file.note(&mark(5)).unwrap();
        file.note(&mark(6)).unwrap();
        path
    }

    #[test]
    fn the_newest_mark_is_told() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(&path_in(folder.path())).unwrap(), Told::Nothing);
        assert_eq!(read(&written(folder.path())).unwrap(), Told::Mark(mark(6)));
    }

    #[test]
    fn of_two_slots_one_may_be_damaged_and_any_damage_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = written(folder.path());
        let whole = fs::read(&path).unwrap();
        for at in 0..SLOT_BYTES {
            let mut damaged = whole.clone();
            damaged[at] ^= 1 << (at % 8);
            fs::write(&path, &damaged).unwrap();
            assert_eq!(read(&path).unwrap(), Told::Mark(mark(5)), "byte {at}");
            damaged[usize::try_from(SLOT_STEP).unwrap() + at] ^= 1;
            fs::write(&path, &damaged).unwrap();
            assert_eq!(read(&path).unwrap(), Told::Damaged, "byte {at}");
        }
    }

    #[test]
    fn a_file_that_was_cut_is_damaged_or_tells_the_slot_that_is_left() {
        let folder = tempfile::tempdir().unwrap();
        let path = written(folder.path());
        let whole = fs::read(&path).unwrap();
        for (length, told) in [
            (0, Told::Damaged),
            (SLOT_BYTES - 1, Told::Damaged),
            (SLOT_BYTES, Told::Mark(mark(6))),
            (whole.len() - 1, Told::Mark(mark(6))),
        ] {
            fs::write(&path, &whole[..length]).unwrap();
            assert_eq!(read(&path).unwrap(), told, "{length} bytes");
        }
    }
}
