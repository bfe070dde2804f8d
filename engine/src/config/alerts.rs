//! `[alerts]`: how often somebody is told.

use super::kind::Whole;
use super::section::section;

section! {
    /// Budgets of alerts, and when they are held back.
    AlertsSettings in "alerts" {
        /// Owner alerts of one user in an hour; more are held back (`budget`).
        user_per_hour: u32 = Whole::<u32>::of(0, 1000, "alerts"), decides Yes;
        /// Owner alerts of one user in a day; more are held back (`budget`).
        user_per_day: u32 = Whole::<u32>::of(0, 1000, "alerts"), decides Yes;
        /// Hours in which one user is told once of one device and kind.
        same_kind_hours: u32 = Whole::<u32>::of(0, 720, "hours"), decides Yes;
        /// Days in which a new store tells users it has never seen only of attacks (`new_store`).
        new_store_days: u32 = Whole::<u32>::of(0, 365, "days"), decides Yes;
    }
}
