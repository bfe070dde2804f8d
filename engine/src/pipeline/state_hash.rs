//! One number for all that was decided and learned: two stores that folded the same journal have the same.
//!
//! In it: what was decided, and what the next decision depends on. Not in it: the journal, which is the input and is
//! trimmed; inputs, sinks and the store's own rows, which say how far this process was; archived versions, which
//! decisions name by hash.

use crate::pipeline::ports::{Keyspace, Store, StoreError};
use sha2::{Digest, Sha256};

/// The tables that are hashed, in this order.
pub const TABLES: [Keyspace; 11] = [
    Keyspace::Decided,
    Keyspace::Decision,
    Keyspace::ByUser,
    Keyspace::User,
    Keyspace::Failures,
    Keyspace::Attempt,
    Keyspace::Timer,
    Keyspace::Mailbox,
    Keyspace::Alert,
    Keyspace::Dead,
    Keyspace::Erased,
];
const PAGE: usize = 4_096;

/// SHA-256 over the rows of [`TABLES`] in the order of their keys: table, key and value of each, every one behind its
/// length as 8 bytes, little end first.
///
/// # Errors
/// When the store fails.
pub fn state_hash(store: &dyn Store) -> Result<[u8; 32], StoreError> {
    let mut hash = Sha256::new();
    for keyspace in TABLES {
        let mut from = Vec::new();
        loop {
            let page = store.scan(keyspace, &[], &from, PAGE)?;
            let Some(last) = page.last() else { break };
            from.clone_from(&last.key);
            from.push(0);
            for row in &page {
                for part in [keyspace.name().as_bytes(), &row.key, &row.value] {
                    hash.update((part.len() as u64).to_le_bytes());
                    hash.update(part);
                }
            }
        }
    }
    Ok(hash.finalize().into())
}
