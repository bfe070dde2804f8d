//! How far an input was read: the row of table `input`.

use serde::{Deserialize, Serialize};

const VERSION: u8 = 1;

/// A place in an input, and what tells that it is the same input (clause S9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct InputRow {
    /// SHA-256 of the first line, at most 4 KiB of it.
    pub(super) first_line: [u8; 32],
    /// Bytes read.
    pub(super) offset: u64,
    /// Lines read.
    pub(super) line: u64,
    /// SHA-256 of the up to 4 KiB before `offset`.
    pub(super) tail: [u8; 32],
}

impl InputRow {
    /// A version byte, then postcard.
    pub(super) fn encode(&self) -> Vec<u8> {
        // Cannot fail: a vector grows. An empty row would be refused when it is read.
        postcard::to_extend(self, vec![VERSION]).unwrap_or_default()
    }

    /// Reads a row, or says in plain words why not.
    pub(super) fn decode(value: &[u8]) -> Result<Self, String> {
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
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_written_is_read(first_line: [u8; 32], offset: u64, line: u64, tail: [u8; 32]) {
            let row = InputRow { first_line, offset, line, tail };
            prop_assert_eq!(InputRow::decode(&row.encode()), Ok(row));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            if let Ok(row) = InputRow::decode(&bytes) {
                prop_assert!(bytes.starts_with(&row.encode()));
            }
        }
    }
}
