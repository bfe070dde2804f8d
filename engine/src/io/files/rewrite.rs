//! A file of lines is written anew without some of them, so that a crash at any moment leaves the one or the other.
//!
//! The new file lies beside the old one, whole and durable, before the commit that holds its cursor; it takes the old
//! one's name after that. Whoever opens the file finishes what a crash left half-way: the cursor says which it is.

use super::tail::{self, TAIL_BYTES};
use crate::io::sink_cursor::SinkCursor;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

/// A file that waits to take the name of another.
pub(super) struct Rewritten {
    pub(super) file: File,
    pub(super) length: u64,
    pub(super) tail: Vec<u8>,
    pub(super) removed: u64,
    beside: PathBuf,
    place: PathBuf,
}

fn beside(place: &Path) -> PathBuf {
    let mut name = place.file_name().map(OsString::from).unwrap_or_default();
    name.push(".erasing");
    place.with_file_name(name)
}

/// Writes the first `length` bytes of `place` anew without the lines that `is_gone` names; `None` if there is none.
pub(super) fn rewrite(
    place: &Path,
    length: u64,
    is_gone: &dyn Fn(&[u8]) -> bool,
) -> io::Result<Option<Rewritten>> {
    let beside = beside(place);
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .open(&beside)?;
    file.set_permissions(fs::metadata(place)?.permissions())?;
    let mut from = BufReader::new(File::open(place)?.take(length));
    let mut to = BufWriter::new(&file);
    let (mut line, mut kept, mut removed) = (Vec::new(), 0, 0);
    while from.read_until(b'\n', &mut line)? > 0 {
        if is_gone(line.strip_suffix(b"\n").unwrap_or(&line)) {
            removed += 1;
        } else {
            to.write_all(&line)?;
            kept += line.len() as u64;
        }
        line.clear();
    }
    to.flush()?;
    drop(to);
    if removed == 0 {
        fs::remove_file(&beside)?;
        return Ok(None);
    }
    file.sync_all()?;
    sync_folder_of(&beside)?;
    let mut file = file;
    let tail = tail::read_before(&mut file, kept)?;
    file.seek(SeekFrom::Start(kept))?;
    Ok(Some(Rewritten {
        file,
        length: kept,
        tail,
        removed,
        beside,
        place: place.to_owned(),
    }))
}

impl Rewritten {
    /// Takes the old file's name.
    pub(super) fn take_name(&self) -> io::Result<()> {
        fs::rename(&self.beside, &self.place)?;
        sync_folder_of(&self.place)
    }
}

/// Finishes or takes back what a crash left: the file beside takes the name if the cursor is its own.
pub(super) fn finish(place: &Path, cursor: Option<&SinkCursor>) -> io::Result<()> {
    let beside = beside(place);
    let Ok(mut file) = File::open(&beside) else {
        return Ok(());
    };
    let length = file.metadata()?.len();
    let tail = tail::read_before(&mut file, length)?;
    debug_assert!(tail.len() <= TAIL_BYTES);
    let is_its_own = cursor.is_some_and(|cursor| SinkCursor::new(cursor.seq, length, &tail) == *cursor);
    if is_its_own {
        fs::rename(&beside, place)?;
    } else {
        fs::remove_file(&beside)?;
    }
    sync_folder_of(place)
}

/// A name is durable only when its folder is.
pub(super) fn sync_folder_of(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}
