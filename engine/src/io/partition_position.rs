//! How far a partition of a topic was read: its row in table `input`. Every program reads it, also one without Kafka.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::pipeline::ports::{Change, Keyspace};

const VERSION: u8 = 1;
/// What the names of inputs begin with.
pub const INPUT_PREFIX: &str = "kafka:";

/// A place in a partition, and what tells that it is still the same log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Offset of the first message that was not read.
    pub next: u64,
    /// Of the message before it; `None` if none was read yet.
    pub mark: Option<Mark>,
}

/// The first 16 bytes of SHA-256 over time of writing and value of a message.
pub type Mark = [u8; 16];

/// The mark of a message. `bytes` is its value, cut as it was read.
#[must_use]
pub fn mark(timestamp_ms: i64, bytes: &[u8]) -> Mark {
    let mut hash = Sha256::new();
    hash.update(timestamp_ms.to_be_bytes());
    hash.update(bytes);
    hash.finalize().first_chunk().copied().unwrap_or_default()
}

impl Position {
    /// Key of the row: the name of the input.
    #[must_use]
    pub fn key(topic: &str, partition: i32) -> Vec<u8> {
        format!("{INPUT_PREFIX}{topic}/{partition}").into_bytes()
    }

    /// A version byte, then postcard.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        // Cannot fail: a vector grows. An empty row would be refused when it is read.
        postcard::to_extend(self, vec![VERSION]).unwrap_or_default()
    }

    /// Reads a row.
    ///
    /// # Errors
    /// In plain words, when it is newer or damaged.
    pub fn decode(value: &[u8]) -> Result<Self, String> {
        match value {
            [VERSION, rest @ ..] => match postcard::take_from_bytes(rest) {
                Ok((position, [])) => Ok(position),
                _ => Err("the position of a partition is damaged".to_owned()),
            },
            [version, ..] => Err(format!(
                "the position of a partition has version {version}, this program reads {VERSION}"
            )),
            [] => Err("the position of a partition is empty".to_owned()),
        }
    }

    /// The change that stores it.
    #[must_use]
    pub fn change(&self, key: &[u8]) -> Change {
        Change {
            keyspace: Keyspace::Input,
            key: key.to_vec(),
            value: Some(self.encode()),
        }
    }
}

/// Whether a key of table `input` is that of a partition.
#[must_use]
pub fn is_position_key(key: &[u8]) -> bool {
    key.starts_with(INPUT_PREFIX.as_bytes()) && key.contains(&b'/')
}

/// Whether the row of a partition can be read; else what is wrong, in plain words.
///
/// # Errors
/// When it is newer or damaged.
pub fn check_position_row(value: &[u8]) -> Result<(), String> {
    Position::decode(value).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_written_is_read(next: u64, mark: Option<[u8; 16]>) {
            let position = Position { next, mark };
            prop_assert_eq!(Position::decode(&position.encode()), Ok(position));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            if let Ok(position) = Position::decode(&bytes) {
                prop_assert_eq!(position.encode().len(), bytes.len());
            }
        }
    }

    #[test]
    fn the_mark_tells_messages_apart() {
        assert_eq!(mark(1, b"a"), mark(1, b"a"));
        assert_ne!(mark(1, b"a"), mark(2, b"a"));
        assert_ne!(mark(1, b"a"), mark(1, b"b"));
        assert!(is_position_key(&Position::key("logins", 3)));
        assert!(!is_position_key(&[7; 32]));
    }
}
