//! How many bytes of events may wait for the deciding thread (`doors.queue_bytes`): readers wait while it is used up,
//! so that long lines cannot fill the memory before anybody has looked at them.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often a reader that waits looks whether it should end.
const LOOK: Duration = Duration::from_millis(50);

/// Bytes in use, and how many there may be.
#[derive(Debug)]
pub(super) struct ByteBudget {
    used: Mutex<usize>,
    freed: Condvar,
    bytes_max: usize,
}

impl ByteBudget {
    pub(super) const fn new(bytes_max: usize) -> Self {
        Self {
            used: Mutex::new(0),
            freed: Condvar::new(),
            bytes_max,
        }
    }

    /// Waits until `bytes` fit, or nothing else is in use; false if `ended` says so before.
    pub(super) fn take(&self, bytes: usize, ended: impl Fn() -> bool) -> bool {
        let mut used = self.lock();
        while *used > 0 && used.saturating_add(bytes) > self.bytes_max {
            if ended() {
                return false;
            }
            used = match self.freed.wait_timeout(used, LOOK) {
                Ok((used, _)) => used,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        *used = used.saturating_add(bytes);
        true
    }

    /// Gives bytes back that were taken.
    pub(super) fn give_back(&self, bytes: usize) {
        let mut used = self.lock();
        *used = used.saturating_sub(bytes);
        drop(used);
        self.freed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, usize> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_waits_until_something_is_given_back() {
        let budget = ByteBudget::new(10);
        assert!(budget.take(8, || false));
        assert!(!budget.take(3, || true), "11 of 10 bytes");
        budget.give_back(8);
        assert!(budget.take(3, || true));
    }

    #[test]
    fn one_line_larger_than_everything_passes_alone() {
        let budget = ByteBudget::new(10);
        assert!(budget.take(50, || true));
        assert!(!budget.take(1, || true));
    }
}
