//! A file of lines that is exactly once (clause S9).
//!
//! The cursor, kept in the store under the file's absolute path, says how long the file was when it was last made
//! durable. Opening cuts the file to that length, so that what a crash left behind, torn or whole, is written again.
//!
//! **Before it publishes, whoever opened the sink acknowledges once (up to [`Sink::published_up_to`], or the head for
//! a new path) and commits that cursor.** Otherwise a crash in the first batch leaves bytes that no cursor knows.
//!
//! - A new path gets records from now on.
//! - A file that this store never wrote to, and that is not empty, is refused: two runs would mix in it.
//! - A file shorter than its cursor, or with other bytes before it, is refused: somebody else changed it.
//! - A file that is gone was taken away by its reader, who has all up to the cursor: a new one goes on from there.
//! - What is no file (`/dev/null`, a named pipe) has no cursor and is at least once.
//! - A line that would make the file larger than its limit is left out, after every start in the same way; the store has
//!   it. Once the file was moved away, a new one begins.

use super::SinkKind;
use super::rewrite::{self, Rewritten, sync_folder_of};
use super::tail::{self, TAIL_BYTES};
use crate::io::sink_cursor::SinkCursor;
use crate::pipeline::ports::{Change, Forgot, Forgotten, Record, Seq, Sink, SinkError};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Writes whole batches to a file.
pub struct FileSink {
    name: String,
    file: File,
    /// `None` for what is no file.
    cursor_key: Option<Vec<u8>>,
    published_up_to: Option<Seq>,
    length: u64,
    /// The last bytes written, up to 4 KiB.
    tail: Vec<u8>,
    /// Published since the file was last made durable.
    is_dirty: bool,
    buffer: Vec<u8>,
    place: PathBuf,
    /// What takes the place of the file after the next commit.
    rewritten: Option<Rewritten>,
    /// Bytes that the file may have.
    length_max: u64,
    /// It was said that it is full.
    is_full: bool,
}

impl FileSink {
    /// The file has at most so many bytes.
    #[must_use]
    pub fn at_most(self, length_max: u64) -> Self {
        Self { length_max, ..self }
    }

    /// Key of the file's cursor in table `sink`.
    ///
    /// # Errors
    /// When the folder of `path` does not exist.
    pub fn cursor_key(kind: SinkKind, path: &Path) -> Result<Vec<u8>, SinkError> {
        let place = absolute(path).map_err(|source| failed(path, source))?;
        Ok(kind.cursor_key(place.as_os_str().as_encoded_bytes()))
    }

    /// Opens `path` behind `stored`, the row under [`FileSink::cursor_key`].
    ///
    /// # Errors
    /// When the file cannot be opened, is written by another process, or is not what the cursor says.
    pub fn open(kind: SinkKind, path: &Path, stored: Option<&[u8]>) -> Result<Self, SinkError> {
        Self::open_inner(kind, path, stored).map_err(|source| failed(path, source))
    }

    fn open_inner(kind: SinkKind, path: &Path, stored: Option<&[u8]>) -> io::Result<Self> {
        let place = absolute(path)?;
        let cursor = stored.map(SinkCursor::decode).transpose().map_err(refused)?;
        rewrite::finish(&place, cursor.as_ref())?;
        let is_new = !place.try_exists()?;
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&place)?;
        let mut sink = Self {
            name: path.display().to_string(),
            file,
            cursor_key: None,
            published_up_to: None,
            length: 0,
            tail: Vec::new(),
            is_dirty: false,
            buffer: Vec::new(),
            place: place.clone(),
            rewritten: None,
            length_max: u64::MAX,
            is_full: false,
        };
        if !sink.file.metadata()?.is_file() {
            return Ok(sink);
        }
        lock(&sink.file)?;
        sink.cursor_key = Some(kind.cursor_key(place.as_os_str().as_encoded_bytes()));
        sink.published_up_to = cursor.map(|cursor| cursor.seq);
        if is_new {
            sync_folder_of(&place)?;
        } else {
            sink.cut(cursor)?;
        }
        Ok(sink)
    }

    /// Takes back what lies behind the cursor.
    fn cut(&mut self, cursor: Option<SinkCursor>) -> io::Result<()> {
        let found = self.file.metadata()?.len();
        let Some(cursor) = cursor else {
            if found == 0 {
                return Ok(());
            }
            return Err(refused(
                "it is not empty, and this store did not write it; move it away or name another file"
                    .to_owned(),
            ));
        };
        if found < cursor.length {
            return Err(refused(format!(
                "it has {found} bytes, but {} were written to it; move it away to begin a new one",
                cursor.length
            )));
        }
        self.tail = tail::read_before(&mut self.file, cursor.length)?;
        if SinkCursor::new(cursor.seq, cursor.length, &self.tail) != cursor {
            return Err(refused(
                "its content is not what was written to it; move it away to begin a new one".to_owned(),
            ));
        }
        if found > cursor.length {
            self.file.set_len(cursor.length)?;
            self.file.sync_data()?;
        }
        self.file.seek(SeekFrom::Start(cursor.length))?;
        self.length = cursor.length;
        Ok(())
    }

    /// Whether a line fits behind those that are gathered.
    fn has_room(&mut self, line: usize) -> bool {
        let length = self.length.saturating_add(self.buffer.len() as u64);
        if length.saturating_add(line as u64 + 1) <= self.length_max {
            return true;
        }
        if !self.is_full {
            self.is_full = true;
            tracing::warn!(
                file = self.name,
                "the file is as large as it may be: what comes is left out of it and is in the store; move it away to begin a new one"
            );
        }
        false
    }

    fn remember_tail(&mut self) {
        self.tail.extend_from_slice(
            self.buffer
                .get(self.buffer.len().saturating_sub(TAIL_BYTES)..)
                .unwrap_or_default(),
        );
        let surplus = self.tail.len().saturating_sub(TAIL_BYTES);
        self.tail.drain(..surplus);
    }
}

/// The folder without links and dots, and the name as it is: it need not exist yet.
fn absolute(path: &Path) -> io::Result<PathBuf> {
    let whole = std::path::absolute(path)?;
    match (whole.parent(), whole.file_name()) {
        (Some(folder), Some(name)) => Ok(folder.canonicalize()?.join(name)),
        _ => Err(io::ErrorKind::IsADirectory.into()),
    }
}

fn lock(file: &File) -> io::Result<()> {
    match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(io::Error::new(
            io::ErrorKind::ResourceBusy,
            "it is being written to already",
        )),
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(()),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn refused(text: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}

fn failed(path: &Path, source: io::Error) -> SinkError {
    SinkError {
        sink: path.display().to_string(),
        source,
    }
}

impl Sink for FileSink {
    fn name(&self) -> &str {
        &self.name
    }

    fn published_up_to(&self) -> Option<Seq> {
        self.published_up_to
    }

    /// One write for all records.
    fn publish(&mut self, records: &[Record]) -> Result<(), SinkError> {
        self.buffer.clear();
        for record in records {
            if !self.has_room(record.bytes.len()) {
                continue;
            }
            self.buffer.extend_from_slice(&record.bytes);
            self.buffer.push(b'\n');
        }
        self.file.write_all(&self.buffer).map_err(|source| SinkError {
            sink: self.name.clone(),
            source,
        })?;
        self.length += self.buffer.len() as u64;
        self.is_dirty |= !self.buffer.is_empty();
        self.remember_tail();
        Ok(())
    }

    fn acknowledge(&mut self, up_to: Seq) -> Result<Option<Change>, SinkError> {
        let Some(key) = &self.cursor_key else {
            return Ok(None);
        };
        if self.is_dirty {
            self.file.sync_data().map_err(|source| SinkError {
                sink: self.name.clone(),
                source,
            })?;
            self.is_dirty = false;
        }
        self.published_up_to = Some(up_to);
        let cursor = SinkCursor::new(up_to, self.length, &self.tail);
        Ok(Some(cursor.change(key)))
    }

    fn forget(&mut self, user: &Forgotten<'_>) -> Result<Forgot, SinkError> {
        let (Some(key), Some(seq)) = (&self.cursor_key, self.published_up_to) else {
            return Ok(Forgot::default());
        };
        let rewritten = rewrite::rewrite(&self.place, self.length, user.line)
            .and_then(|rewritten| {
                if let Some(rewritten) = &rewritten {
                    lock(&rewritten.file)?;
                }
                Ok(rewritten)
            })
            .map_err(|source| SinkError {
                sink: self.name.clone(),
                source,
            })?;
        let Some(rewritten) = rewritten else {
            return Ok(Forgot::default());
        };
        let cursor = SinkCursor::new(seq, rewritten.length, &rewritten.tail);
        let forgot = Forgot {
            removed: rewritten.removed,
            cursor: Some(cursor.change(key)),
        };
        self.rewritten = Some(rewritten);
        Ok(forgot)
    }

    fn forgot(&mut self) -> Result<(), SinkError> {
        let Some(rewritten) = self.rewritten.take() else {
            return Ok(());
        };
        rewritten.take_name().map_err(|source| SinkError {
            sink: self.name.clone(),
            source,
        })?;
        self.file = rewritten.file;
        self.length = rewritten.length;
        self.tail = rewritten.tail;
        Ok(())
    }
}
