//! A store that lasts as long as the process.

use super::table::Table;
use crate::io::{batch_check, key_range};
use crate::pipeline::ports::{Batch, Keyspace, Row, Seq, Store, StoreError};
use std::sync::{PoisonError, RwLock};

/// The twin of the embedded store. A call takes one lock once, and a commit moves the bytes it is given.
pub struct MemoryStore {
    inner: RwLock<Inner>,
}

struct Inner {
    head: Seq,
    tables: [Table; Keyspace::ALL.len()],
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryStore {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        Self {
            inner: RwLock::new(Inner {
                head: 0,
                tables: Keyspace::ALL.map(Table::new),
            }),
        }
    }

    /// Reads one table, after sorting it if it is not `ready`.
    fn read<T>(
        &self,
        keyspace: Keyspace,
        ready: impl FnOnce(&Table) -> bool,
        read: impl FnOnce(&Table) -> T,
    ) -> Result<T, StoreError> {
        {
            let inner = self.inner.read().unwrap_or_else(PoisonError::into_inner);
            let table = inner
                .tables
                .get(keyspace as usize)
                .ok_or_else(|| no_table(keyspace))?;
            if ready(table) {
                return Ok(read(table));
            }
        }
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        let table = inner
            .tables
            .get_mut(keyspace as usize)
            .ok_or_else(|| no_table(keyspace))?;
        table.sort();
        Ok(read(table))
    }
}

fn no_table(keyspace: Keyspace) -> StoreError {
    StoreError::Engine(format!("there is no table `{keyspace}`").into())
}

impl Store for MemoryStore {
    fn head(&self) -> Result<Seq, StoreError> {
        Ok(self.inner.read().unwrap_or_else(PoisonError::into_inner).head)
    }

    fn load_many(&self, keyspace: Keyspace, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        self.read(keyspace, Table::can_get, |table| {
            keys.iter().map(|key| table.get(key)).collect()
        })
    }

    fn commit(&self, batch: Batch) -> Result<Seq, StoreError> {
        let mut inner = self.inner.write().unwrap_or_else(PoisonError::into_inner);
        batch_check::check(&batch, inner.head)?;
        for change in batch.changes {
            inner
                .tables
                .get_mut(change.keyspace as usize)
                .ok_or_else(|| no_table(change.keyspace))?
                .change(change.key, change.value);
        }
        inner.head = batch.new_head;
        Ok(batch.new_head)
    }

    fn scan(
        &self,
        keyspace: Keyspace,
        prefix: &[u8],
        from: &[u8],
        limit: usize,
    ) -> Result<Vec<Row>, StoreError> {
        let Some(range) = key_range::starting_with(prefix, from) else {
            return Ok(Vec::new());
        };
        self.read(keyspace, Table::can_scan, |table| {
            table.range(range, false, limit)
        })
    }

    fn scan_back(&self, keyspace: Keyspace, prefix: &[u8], limit: usize) -> Result<Vec<Row>, StoreError> {
        let Some(range) = key_range::starting_with(prefix, &[]) else {
            return Ok(Vec::new());
        };
        self.read(keyspace, Table::can_scan, |table| table.range(range, true, limit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_lie_in_the_order_of_the_enum() {
        for (index, keyspace) in Keyspace::ALL.iter().enumerate() {
            assert_eq!(index, *keyspace as usize);
        }
    }
}
