//! `[history]`: bounds of what is remembered of one user.

use super::kind::Whole;
use super::section::section;

section! {
    /// One user's history.
    HistorySettings in "history" {
        /// Count cells (address, prefix, ASN, country, software) of one user.
        places_max: usize = Whole::<usize>::of(16, 4096, "cells"), decides Yes;
        /// Last granted logins of one user that are kept one by one.
        recent_max: usize = Whole::<usize>::of(1, 256, "logins"), decides Yes;
    }
}
