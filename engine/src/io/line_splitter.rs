//! Cuts a stream of bytes into lines, with bounded memory whatever the stream holds.
//!
//! A line ends with `\n` or `\r\n`, neither of which is part of it; the last one may end with the stream. Bytes that
//! are no text are passed on as they are. A byte order mark of UTF-8 at the very start is skipped.

use crate::pipeline::ports::RawLine;
use sha2::{Digest, Sha256};
use std::io::{self, BufRead, BufReader, Read};

/// Bytes asked of the system at once.
const READ_BYTES: usize = 256 * 1024;
/// Bytes of a first line that tell one input from another (clause S9).
const IDENTITY_BYTES: usize = 4096;
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Reads lines, and knows where it is.
pub(crate) struct LineSplitter<R> {
    reader: BufReader<Started<R>>,
    event_bytes_max: usize,
    line: u64,
    offset: u64,
    /// Scratch for the rest of a line that is too long.
    skipped: Vec<u8>,
}

/// A reader whose first bytes were already read.
type Started<R> = io::Chain<io::Cursor<Vec<u8>>, R>;

/// A line and whether a newline ended it.
pub(crate) struct Cut {
    pub(crate) line: RawLine,
    #[cfg_attr(
        not(feature = "files"),
        expect(dead_code, reason = "only a file can grow behind its last line")
    )]
    pub(crate) ended: bool,
}

impl<R: Read> LineSplitter<R> {
    /// Begins at the start of `source`. Reads up to the end of the first line or 4 KiB, and gives its SHA-256.
    pub(crate) fn start(mut source: R, event_bytes_max: usize) -> io::Result<(Self, [u8; 32])> {
        let mut first = Vec::new();
        let wanted = BYTE_ORDER_MARK.len() + IDENTITY_BYTES;
        let mut chunk = [0; 1024];
        while first.len() < wanted && !first.contains(&b'\n') {
            let length = match source.read(&mut chunk) {
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if length == 0 {
                break;
            }
            first.extend_from_slice(chunk.get(..length).unwrap_or_default());
        }
        let marked = first.starts_with(BYTE_ORDER_MARK);
        let skipped = if marked { BYTE_ORDER_MARK.len() } else { 0 };
        let text = first.get(skipped..).unwrap_or_default();
        let hash = hash_of_first_line(text);
        let mut splitter = Self::read_on(io::Cursor::new(text.to_vec()).chain(source), event_bytes_max);
        splitter.offset = skipped as u64;
        Ok((splitter, hash))
    }

    fn read_on(source: Started<R>, event_bytes_max: usize) -> Self {
        Self {
            reader: BufReader::with_capacity(READ_BYTES, source),
            event_bytes_max,
            line: 0,
            offset: 0,
            skipped: Vec::new(),
        }
    }

    /// Goes on with `source`, of which `offset` bytes and `line` lines are behind it.
    #[cfg(feature = "files")]
    pub(crate) fn resume(source: R, event_bytes_max: usize, offset: u64, line: u64) -> Self {
        let mut splitter = Self::read_on(io::Cursor::new(Vec::new()).chain(source), event_bytes_max);
        splitter.offset = offset;
        splitter.line = line;
        splitter
    }

    /// The next line, `None` at the end. Waits for the rest of a line that has begun.
    pub(crate) fn next(&mut self) -> io::Result<Option<Cut>> {
        let kept_max = self.event_bytes_max.saturating_add(1);
        // Two more, so that a line of the longest length still shows how it ends.
        let mut bytes = Vec::new();
        let read = self.read_to_newline(&mut bytes, kept_max.saturating_add(2))?;
        if read == 0 {
            return Ok(None);
        }
        let mut length = read as u64;
        let mut ended = bytes.last() == Some(&b'\n');
        if ended {
            bytes.pop();
        } else if bytes.len() > kept_max {
            let (more, found) = self.skip_line()?;
            length += more;
            ended = found;
        }
        if bytes.len() <= kept_max && bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        bytes.truncate(kept_max);
        let offset = self.offset;
        self.line += 1;
        self.offset += length;
        let line = RawLine {
            bytes,
            line: self.line,
            offset,
            end: self.offset,
        };
        Ok(Some(Cut { line, ended }))
    }

    /// Whether a whole further line is there without asking the system.
    #[cfg(feature = "files")]
    pub(crate) fn has_buffered_line(&self) -> bool {
        self.reader.buffer().contains(&b'\n')
    }

    fn read_to_newline(&mut self, bytes: &mut Vec<u8>, limit: usize) -> io::Result<usize> {
        (&mut self.reader).take(limit as u64).read_until(b'\n', bytes)
    }

    /// Bytes up to the end of the line, and whether a newline ended it.
    fn skip_line(&mut self) -> io::Result<(u64, bool)> {
        let mut skipped = std::mem::take(&mut self.skipped);
        let mut length = 0;
        loop {
            skipped.clear();
            let read = self.read_to_newline(&mut skipped, READ_BYTES)?;
            length += read as u64;
            let ended = skipped.last() == Some(&b'\n');
            if read == 0 || ended {
                self.skipped = skipped;
                return Ok((length, ended));
            }
        }
    }
}

/// The line without what ends it, at most 4 KiB of it.
fn hash_of_first_line(text: &[u8]) -> [u8; 32] {
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let line = line.get(..IDENTITY_BYTES).unwrap_or(line);
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    Sha256::digest(line).into()
}
