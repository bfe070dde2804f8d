//! `[doors]`: threads, queues and batches. None of it can change a decision.

use super::kind::Whole;
use super::section::section;

section! {
    /// From the doors to the commit.
    DoorsSettings in "doors" {
        /// Threads that parse and enrich; 0 = one for each core but one, at least one.
        threads: usize = Whole::<usize>::of(0, 256, "threads"), decides No;
        /// Events that wait for the deciding thread.
        queue_events: usize = Whole::<usize>::of(1, 1_048_576, "events"), decides No;
        /// Bytes of events that wait for the deciding thread.
        queue_bytes: usize = Whole::<usize>::of(65_536, 1_073_741_824, "bytes"), decides No;
        /// Records in one commit.
        batch_records: usize = Whole::<usize>::of(1, 65_536, "records"), decides No;
        /// Bytes of events in one commit.
        batch_bytes: usize = Whole::<usize>::of(1, 67_108_864, "bytes"), decides No;
        /// Milliseconds until an open batch is committed.
        batch_ms: u64 = Whole::<u64>::of(0, 1000, "milliseconds"), decides No;
    }
}
