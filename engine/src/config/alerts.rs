//! `[alerts]`: how often somebody is told.

use super::kind::{OneOf, Whole, named};
use super::section::section;

named! {
    /// Which wrong passwords on devices that are not known are told.
    FailedUnknown {
        /// The first of a day by a mail of its own, the rest in the digest.
        First = "first",
        /// Each device by a mail of its own.
        Each = "each",
        /// All in the digest.
        Digest = "digest",
        /// None.
        Off = "off",
    }
}

section! {
    /// Budgets of alerts, and when they are held back.
    AlertsSettings in "alerts" {
        /// Owner alerts of one user in an hour; more are held back (`budget`).
        user_per_hour: u32 = Whole::<u32>::of(0, 1000, "alerts"), decides Yes;
        /// Owner alerts of one user in a day; more are held back (`budget`).
        user_per_day: u32 = Whole::<u32>::of(0, 1000, "alerts"), decides Yes;
        /// Hours in which one user is told once of one device and kind.
        same_kind_hours: u32 = Whole::<u32>::of(0, 720, "hours"), decides Yes;
        /// Which wrong passwords on devices that are not known are told.
        failed_unknown: FailedUnknown = OneOf::<FailedUnknown>::names(), decides Yes;
        /// Minutes that wrong passwords must have stopped before they are told.
        quiet_minutes: u32 = Whole::<u32>::of(0, 1440, "minutes"), decides Yes;
        /// Days in which a new store tells users it has never seen only of attacks (`new_store`).
        new_store_days: u32 = Whole::<u32>::of(0, 365, "days"), decides Yes;
    }
}
