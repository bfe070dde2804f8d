//! How far a sink got: the row of table `sink` that moves with the commit after an acknowledgement (clause S9).

use crate::pipeline::ports::{Change, Keyspace, Seq};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

const VERSION: u8 = 1;

/// What a sink published, and made durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct SinkCursor {
    /// Everything up to this `seq` is out.
    pub seq: Seq,
    /// Bytes of the file; records for the memory twin; 0 for a pipe.
    pub length: u64,
    /// SHA-256 of the up to 4 KiB before `length`: another file is not cut by mistake.
    pub tail: [u8; 32],
}

impl SinkCursor {
    /// A cursor behind `before`, the last bytes written.
    pub(crate) fn new(seq: Seq, length: u64, before: &[u8]) -> Self {
        let tail = Sha256::digest(before).into();
        Self { seq, length, tail }
    }

    /// Reads a row: a version byte, then postcard.
    ///
    /// # Errors
    /// In plain words, when the row is newer or damaged.
    pub fn decode(value: &[u8]) -> Result<Self, String> {
        match value {
            [VERSION, rest @ ..] => {
                postcard::from_bytes(rest).map_err(|_| "its row in the store is damaged".to_owned())
            }
            [version, ..] => Err(format!(
                "its row in the store has version {version}, this program reads {VERSION}"
            )),
            [] => Err("its row in the store is empty".to_owned()),
        }
    }

    /// The row.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        // Cannot fail: a vector grows. An empty row would be refused when it is read.
        postcard::to_extend(self, vec![VERSION]).unwrap_or_default()
    }

    /// The change that stores it under `key`.
    pub(crate) fn change(&self, key: &[u8]) -> Change {
        Change {
            keyspace: Keyspace::Sink,
            key: key.to_vec(),
            value: Some(self.encode()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_written_is_read(seq: u64, length: u64, before: Vec<u8>) {
            let cursor = SinkCursor::new(seq, length, &before);
            prop_assert_eq!(SinkCursor::decode(&cursor.encode()), Ok(cursor));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            if let Ok(cursor) = SinkCursor::decode(&bytes) {
                prop_assert!(bytes.starts_with(&cursor.encode()));
            }
        }
    }
}
