//! `[reload]`: when files are read again while a run goes on.

use super::kind::Whole;
use super::section::section;

section! {
    /// Reading files again.
    ReloadSettings in "reload" {
        /// Seconds between two looks at the files; 0 = only at SIGHUP.
        watch_seconds: u32 = Whole::<u32>::of(0, 86_400, "seconds"), decides No;
    }
}
