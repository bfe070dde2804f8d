//! Places of the records met last. Addresses are new all the time, but whole networks share a record.

use quick_cache::unsync::Cache;

use crate::location::{Country, Place};

/// Which record, and read for what: the kind of network changes only the usual radius of a mobile one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct PlaceKey {
    pub(crate) file: u16,
    pub(crate) offset: usize,
    pub(crate) is_mobile: bool,
}

/// What a record says of a place; `None` if it says nothing, and the next file is asked.
pub(crate) type Said = Option<(Option<Country>, Option<Place>)>;

/// A bounded memory for one database; it never changes an answer.
pub(crate) struct PlaceMemory {
    said: Cache<PlaceKey, Said>,
}

impl PlaceMemory {
    /// Of at most `capacity` records.
    pub(crate) fn new(capacity: usize) -> PlaceMemory {
        PlaceMemory {
            said: Cache::new(capacity),
        }
    }

    /// Forgets all.
    pub(crate) fn clear(&mut self) {
        self.said.clear();
    }

    /// What this record said, or what `read` says now. What could not be read is not kept.
    pub(crate) fn get<E>(
        &mut self,
        key: PlaceKey,
        read: impl FnOnce() -> Result<Said, E>,
    ) -> Result<Said, E> {
        if let Some(said) = self.said.get(&key) {
            return Ok(said.clone());
        }
        let said = read()?;
        self.said.insert(key, said.clone());
        Ok(said)
    }
}
