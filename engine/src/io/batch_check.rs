//! What every store checks before it writes a batch, so that the twin refuses what the disk would refuse.

use crate::pipeline::ports::{Batch, Keyspace, Seq, StoreError};
use std::collections::HashSet;

/// Longest key in bytes that every store takes.
const KEY_BYTES_MAX: usize = 65_535;

/// Keys of [`Keyspace::Meta`] that begin so are written by the store itself.
pub(crate) const STORE_OWN_PREFIX: &[u8] = b"store/";

/// Checks `batch` against the head that the store has now.
pub(crate) fn check(batch: &Batch, head: Seq) -> Result<(), StoreError> {
    if batch.expected_head != head {
        return Err(StoreError::Fenced {
            expected: batch.expected_head,
            found: head,
        });
    }
    if batch.new_head < head {
        return Err(refusal(format!(
            "a batch may not move the head back from {head} to {}",
            batch.new_head
        )));
    }
    for change in &batch.changes {
        let length = change.key.len();
        if length == 0 || length > KEY_BYTES_MAX {
            return Err(refusal(format!(
                "a key of table `{}` has {length} bytes; 1 to {KEY_BYTES_MAX} are possible",
                change.keyspace
            )));
        }
        if change.keyspace == Keyspace::Meta && change.key.starts_with(STORE_OWN_PREFIX) {
            return Err(refusal("a batch may not change the store's own rows".to_owned()));
        }
    }
    debug_assert!(rows_are_distinct(batch), "two changes of one row in one batch");
    Ok(())
}

fn refusal(text: String) -> StoreError {
    StoreError::Engine(text.into())
}

fn rows_are_distinct(batch: &Batch) -> bool {
    let mut seen = HashSet::with_capacity(batch.changes.len());
    batch
        .changes
        .iter()
        .all(|change| seen.insert((change.keyspace, change.key.as_slice())))
}
