//! `[attempt]`: how long one try to get in stays open.

use super::kind::Whole;
use super::section::section;

section! {
    /// Bounds of one attempt.
    AttemptSettings in "attempt" {
        /// Stages of one attempt; a further one begins a new attempt.
        stages_max: usize = Whole::<usize>::of(1, 64, "stages"), decides Yes;
        /// Minutes after its first event until an open attempt is abandoned.
        open_minutes: u32 = Whole::<u32>::of(1, 1440, "minutes"), decides Yes;
        /// Seconds until a `pending` that was allowed counts as granted.
        granted_seconds: u32 = Whole::<u32>::of(1, 3600, "seconds"), decides Yes;
    }
}
