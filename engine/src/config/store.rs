//! `[store]`: how long rows are kept, and how much memory the store may take.

use super::kind::Whole;
use super::section::section;

section! {
    /// The embedded store.
    StoreSettings in "store" {
        /// Days that decisions are kept; an older event that is not among them is refused (`too_old`).
        decisions_days: u32 = Whole::<u32>::of(1, 3650, "days"), decides Yes;
        /// Days that events are kept as they came.
        journal_days: u32 = Whole::<u32>::of(1, 3650, "days"), decides No;
        /// Free space below which nothing more is read; 0 for none.
        free_min: u64 = Whole::<u64>::of(0, 1 << 30, "MiB"), decides No;
        /// Memory for blocks of the store.
        cache_mib: u64 = Whole::<u64>::of(8, 65_536, "MiB"), decides No;
        /// Decoded histories kept in memory.
        user_cache: usize = Whole::<usize>::of(1, 10_000_000, "histories"), decides No;
    }
}
