//! How much room the disk of the data folder has. Looked at once a second at most: it is a call into the system.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::pipeline::ports::StoreError;

const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// Looks at the free space.
#[derive(Debug)]
pub(super) struct FreeSpace {
    wanted: u64,
    looked: Mutex<Option<Instant>>,
}

impl FreeSpace {
    /// So many bytes are to stay free; 0 asks for none.
    pub(super) const fn wanting(wanted: u64) -> Self {
        Self {
            wanted,
            looked: Mutex::new(None),
        }
    }

    /// Whether they are, on the disk of `folder`.
    ///
    /// # Errors
    /// [`StoreError::RoomShort`].
    pub(super) fn look(&self, folder: &Path) -> Result<(), StoreError> {
        let mut looked = self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        if self.wanted == 0 || looked.is_some_and(|at| at.elapsed() < BETWEEN_LOOKS) {
            return Ok(());
        }
        *looked = Some(Instant::now());
        // A file system that cannot say it, such as some over a network, is no reason to stop.
        let Ok(told) = rustix::fs::statvfs(folder) else {
            return Ok(());
        };
        // What is kept back for the system's own use is not ours.
        let free = told.f_bavail.saturating_mul(told.f_frsize);
        if free >= self.wanted {
            return Ok(());
        }
        Err(StoreError::RoomShort {
            path: folder.display().to_string(),
            free,
            wanted: self.wanted,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_any_disk_has_is_short_and_nothing_wanted_is_never() {
        let folder = tempfile::tempdir().unwrap();
        assert!(FreeSpace::wanting(0).look(folder.path()).is_ok());
        assert!(FreeSpace::wanting(1).look(folder.path()).is_ok());
        let greedy = FreeSpace::wanting(u64::MAX);
        let told = greedy.look(folder.path());
        assert!(
            matches!(&told, Err(StoreError::RoomShort { free, .. }) if *free > 0),
            "{told:?}"
        );
        assert!(
            greedy.look(folder.path()).is_ok(),
            "asked again within the second"
        );
    }
}
