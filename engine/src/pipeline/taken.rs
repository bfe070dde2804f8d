//! How far lines of an input were taken, in the same commit as what came of them (clause S4).
//!
//! A door gives positions by chunk, and a batch may be committed in the middle of one. Ids drop what is read again then,
//! but only as long as they are kept: in old logs the end of a chunk may be so much later than its beginning that the
//! same lines are too old by then, and would be refused where an undisturbed run decided them. So each commit names the
//! last line that it holds of each input, with the digest of its bytes.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::pipeline::admitted::Origin;
use crate::pipeline::batch::Outcome;
use crate::pipeline::ports::{Change, Keyspace, StoreError};
use crate::pipeline::row_bytes;

/// Rows of whole positions have version 1.
pub const VERSION: u8 = 2;
/// Behind the key of an input's position.
const SUFFIX: &[u8] = b"taken";

/// The last line of an input that was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// Bytes of the input before it.
    pub offset: u64,
    /// Its number, 1 for the first.
    pub line: u64,
    /// SHA-256 of its bytes, as it was read.
    pub sha256: [u8; 32],
}

impl Taken {
    /// Key of the row of the input whose first line has this SHA-256.
    #[must_use]
    pub fn key(first_line: &[u8; 32]) -> Vec<u8> {
        [first_line.as_slice(), SUFFIX].concat()
    }

    /// Reads a row.
    ///
    /// # Errors
    /// As [`row_bytes::decode`].
    pub fn decode(row: &[u8]) -> Result<Self, StoreError> {
        row_bytes::decode(Keyspace::Input, VERSION, row)
    }

    /// Whether it is the line with these bytes.
    #[must_use]
    pub fn is_line(&self, bytes: &[u8]) -> bool {
        self.sha256 == <[u8; 32]>::from(Sha256::digest(bytes))
    }
}

/// The last line of each input in the open batch.
#[derive(Debug, Default)]
pub(super) struct LastLines(Vec<(Origin, usize)>);

impl LastLines {
    /// What came of a line is outcome number `outcome` of the batch.
    pub(super) fn note(&mut self, origin: Origin, outcome: usize) {
        match self
            .0
            .iter_mut()
            .find(|(last, _)| last.input.first_line == origin.input.first_line)
        {
            Some(last) => *last = (origin, outcome),
            None => self.0.push((origin, outcome)),
        }
    }

    /// The rows to store with the batch.
    pub(super) fn rows(&mut self, outcomes: &[Outcome]) -> Result<Vec<Change>, StoreError> {
        let mut rows = Vec::new();
        for (origin, outcome) in std::mem::take(&mut self.0) {
            let bytes = match outcomes.get(outcome) {
                Some(Outcome::Decided(event)) => &event.bytes,
                Some(Outcome::Refused(letter, _) | Outcome::BackfilledRefused(letter, _)) => &letter.bytes,
                _ => continue,
            };
            let taken = Taken {
                offset: origin.offset,
                line: origin.line,
                sha256: Sha256::digest(bytes).into(),
            };
            rows.push(Change {
                keyspace: Keyspace::Input,
                key: Taken::key(&origin.input.first_line),
                value: Some(row_bytes::encode(Keyspace::Input, VERSION, &taken)?),
            });
        }
        Ok(rows)
    }
}
