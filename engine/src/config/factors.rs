//! `[factors]`: when an enrolled factor may be asked for.

use super::kind::Whole;
use super::section::section;

section! {
    /// Enrolled factors.
    FactorsSettings in "factors" {
        /// Days after enrolment until a factor may be used for a step-up.
        maturity_days: u32 = Whole::<u32>::of(0, 365, "days"), decides Yes;
    }
}
