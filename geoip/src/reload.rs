//! The database in use, replaced as a whole while others read it. Reading the files anew, and when, is the
//! business of the caller.

use std::sync::{Arc, PoisonError, RwLock};

use crate::error::LoadError;
use crate::lookup::GeoDatabase;
use crate::source::Sources;

/// Holds the database in use. Whoever took it keeps the one it took; nobody ever sees half of a change.
#[derive(Debug)]
pub struct CurrentDatabase {
    current: RwLock<Arc<GeoDatabase>>,
}

impl CurrentDatabase {
    /// Starts with a database.
    pub fn new(database: GeoDatabase) -> CurrentDatabase {
        CurrentDatabase {
            current: RwLock::new(Arc::new(database)),
        }
    }

    /// The database in use now. Take it once for a batch, so that all of the batch sees the same.
    pub fn get(&self) -> Arc<GeoDatabase> {
        // A writer only swaps a pointer, so a poisoned lock still guards a whole database.
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Verifies new files and, if all are sound, puts them in use and returns the database they replaced.
    /// On an error the one in use stays.
    pub fn replace(&self, sources: Sources) -> Result<Arc<GeoDatabase>, LoadError> {
        let fresh = Arc::new(GeoDatabase::load(sources)?);
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        Ok(std::mem::replace(&mut current, fresh))
    }
}
