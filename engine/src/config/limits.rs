//! `[limits]`: how large an event may be.

use super::kind::Whole;
use super::section::section;

section! {
    /// Limits that hold before anything else; what is above them is refused.
    LimitsSettings in "limits" {
        /// One event.
        event_bytes: usize = Whole::<usize>::of(1024, 1_048_576, "bytes"), decides Yes;
        /// `client.user_agent`.
        user_agent_bytes: usize = Whole::<usize>::of(64, 16_384, "bytes"), decides Yes;
        /// An id or a header value.
        id_bytes: usize = Whole::<usize>::of(64, 4096, "bytes"), decides Yes;
        /// Timers of all users that may wait; with more, the first due fire early.
        timers: usize = Whole::<usize>::of(1024, 67_108_864, "timers"), decides Yes;
        /// The file of dead letters that `run` writes; what comes after that is in the store alone.
        dead_letters_mib: u64 = Whole::<u64>::of(1, 1_048_576, "MiB"), decides No;
        /// Objects and lists within each other.
        depth: usize = Whole::<usize>::of(5, 64, "levels"), decides Yes;
    }
}
