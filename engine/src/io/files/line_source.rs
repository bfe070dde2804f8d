//! Lines of a file, or of standard input.
//!
//! A last line without a newline is given as a line, for many files end so. But it may be torn, because somebody is
//! still writing it. So it is never *behind* a stored position: the next start reads it again. If it did not change,
//! its id drops it as a repeat; if it has grown, the whole line is decided, and nothing is lost.

use super::input_row::InputRow;
use super::tail;
use crate::io::line_splitter::LineSplitter;
use crate::pipeline::ports::{Change, InputIdentity, Keyspace, LineSource, RawLine};
use crate::pipeline::taken::Taken;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// An input that is read line by line.
pub struct FileLines {
    splitter: LineSplitter<Box<dyn Read + Send>>,
    identity: InputIdentity,
    path: PathBuf,
    event_bytes_max: usize,
    /// The file once more, for the bytes before a position; `None` where one cannot seek.
    second: Option<File>,
    /// The last line, if no newline ended it.
    unended: Option<RawLine>,
}

/// Key of the row of an input: the SHA-256 of its first line, whatever its name.
#[must_use]
pub fn input_key(identity: &InputIdentity) -> Vec<u8> {
    identity.first_line.to_vec()
}

impl FileLines {
    /// Opens `path`, or standard input for `-`, at its start. A line is cut behind `event_bytes_max` bytes. Waits
    /// for the first line, up to 4 KiB of it, which is who the input is.
    ///
    /// # Errors
    /// When it cannot be opened or read.
    pub fn open(path: &Path, event_bytes_max: usize) -> io::Result<Self> {
        let (source, second): (Box<dyn Read + Send>, _) = if path.as_os_str() == "-" {
            (Box::new(io::stdin()), None)
        } else {
            let file = File::open(path)?;
            let kind = file.metadata()?.file_type();
            if kind.is_dir() {
                return Err(io::ErrorKind::IsADirectory.into());
            }
            let second = kind.is_file().then(|| File::open(path)).transpose()?;
            (Box::new(file), second)
        };
        let (splitter, first_line) = LineSplitter::start(source, event_bytes_max)?;
        Ok(Self {
            splitter,
            identity: InputIdentity {
                name: path.display().to_string(),
                first_line,
            },
            path: path.to_owned(),
            event_bytes_max,
            second,
            unended: None,
        })
    }

    /// Reads on where `stored`, the row under [`input_key`], says, if this is still the input that it was written
    /// for. Else, and for standard input, from the start. Call it before the first line is read.
    ///
    /// Returns the number of lines that are skipped so.
    ///
    /// # Errors
    /// When the row cannot be read, or the file.
    pub fn resume(&mut self, stored: Option<&[u8]>) -> io::Result<u64> {
        let (Some(file), Some(stored)) = (self.second.as_mut(), stored) else {
            return Ok(0);
        };
        let row =
            InputRow::decode(stored).map_err(|text| io::Error::new(io::ErrorKind::InvalidData, text))?;
        let is_same = row.first_line == self.identity.first_line
            && row.offset <= file.metadata()?.len()
            && row.tail == hash_before(file, row.offset)?;
        if !is_same {
            return Ok(0);
        }
        // A clone would share its place with `second`, which moves.
        let mut reader = File::open(&self.path)?;
        reader.seek(SeekFrom::Start(row.offset))?;
        self.splitter = LineSplitter::resume(Box::new(reader), self.event_bytes_max, row.offset, row.line);
        Ok(row.line)
    }

    /// Reads on behind the last line that was taken, if that lies behind the position where it would read on, and the
    /// line is still there. Call it after [`FileLines::resume`].
    ///
    /// Returns the number of lines that are skipped so, from the start of the file.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn skip_taken(&mut self, taken: &Taken, from_line: u64) -> io::Result<u64> {
        if self.second.is_none() || taken.line <= from_line {
            return Ok(from_line);
        }
        let mut reader = File::open(&self.path)?;
        reader.seek(SeekFrom::Start(taken.offset))?;
        let before = taken.line.saturating_sub(1);
        let mut splitter =
            LineSplitter::resume(Box::new(reader) as _, self.event_bytes_max, taken.offset, before);
        let last = splitter.next()?;
        if last.is_none_or(|last| !last.ended || !taken.is_line(&last.line.bytes)) {
            return Ok(from_line);
        }
        self.splitter = splitter;
        Ok(taken.line)
    }

    fn may_wait(&self) -> bool {
        self.second.is_none() && !self.splitter.has_buffered_line()
    }
}

fn hash_before(file: &mut File, end: u64) -> io::Result<[u8; 32]> {
    Ok(Sha256::digest(tail::read_before(file, end)?).into())
}

impl LineSource for FileLines {
    fn identity(&self) -> &InputIdentity {
        &self.identity
    }

    /// A pipe gives what it has: once there is a line, nothing waits for a further one.
    fn next_lines(&mut self, max: usize) -> Result<Vec<RawLine>, io::Error> {
        let mut lines = Vec::new();
        // Behind a line without a newline there is nothing, even if the file grows while it is read.
        while lines.len() < max && self.unended.is_none() {
            if !lines.is_empty() && self.may_wait() {
                break;
            }
            let Some(cut) = self.splitter.next()? else {
                break;
            };
            if !cut.ended {
                self.unended = Some(RawLine {
                    bytes: Vec::new(),
                    ..cut.line
                });
            }
            lines.push(cut.line);
        }
        Ok(lines)
    }

    /// `None` also where the bytes before `end` cannot be read: an older position stays, and ids drop the repeats.
    fn position(&mut self, end: u64, line: u64) -> Option<Change> {
        let (offset, line) = match &self.unended {
            Some(last) if last.end == end => (last.offset, last.line - 1),
            _ => (end, line),
        };
        let tail = hash_before(self.second.as_mut()?, offset).ok()?;
        let row = InputRow {
            first_line: self.identity.first_line,
            offset,
            line,
            tail,
        };
        Some(Change {
            keyspace: Keyspace::Input,
            key: input_key(&self.identity),
            value: Some(row.encode()),
        })
    }
}
