//! Lines that lie in memory.

use crate::io::line_splitter::LineSplitter;
use crate::pipeline::ports::{Change, InputIdentity, LineSource, RawLine};
use std::io::{self, Cursor};

/// The twin of an input that is always read from its start.
pub struct MemoryLines {
    splitter: LineSplitter<Cursor<Vec<u8>>>,
    identity: InputIdentity,
}

impl MemoryLines {
    /// Reads `bytes`. `name` is for messages; a line is cut behind `event_bytes_max` bytes.
    ///
    /// # Errors
    /// None; the signature is that of every input.
    pub fn new(name: &str, bytes: Vec<u8>, event_bytes_max: usize) -> io::Result<Self> {
        let (splitter, first_line) = LineSplitter::start(Cursor::new(bytes), event_bytes_max)?;
        let identity = InputIdentity {
            name: name.to_owned(),
            first_line,
        };
        Ok(Self { splitter, identity })
    }
}

impl LineSource for MemoryLines {
    fn identity(&self) -> &InputIdentity {
        &self.identity
    }

    fn next_lines(&mut self, max: usize) -> Result<Vec<RawLine>, io::Error> {
        let mut lines = Vec::new();
        while lines.len() < max {
            let Some(cut) = self.splitter.next()? else {
                break;
            };
            lines.push(cut.line);
        }
        Ok(lines)
    }

    fn position(&mut self, _end: u64, _line: u64) -> Option<Change> {
        None
    }
}
