//! `[user]`: who is one user, and when a history is long enough.

use super::kind::{OneOf, Whole, named};
use super::section::section;

named! {
    /// How the id in an event becomes the key of a user.
    UserKey {
        /// White space around it removed, lower case: `JOHN` and `john ` are one user.
        TrimLowercase = "trim_lowercase",
        /// Byte for byte.
        Exact = "exact",
    }
}

section! {
    /// Users and the maturity of their histories.
    UserSettings in "user" {
        /// How the id in an event becomes the key of a user.
        key: UserKey = OneOf::<UserKey>::names(), decides Yes;
        /// Below this many granted logins a history is `learning`.
        learning_logins: u32 = Whole::<u32>::of(0, 1000, "granted logins"), decides Yes;
        /// Below this many days since the first granted login a history is `learning`.
        learning_days: u32 = Whole::<u32>::of(0, 365, "days"), decides Yes;
        /// For so many hours after it was created an account without a granted login is `new`.
        new_account_hours: u32 = Whole::<u32>::of(0, 720, "hours"), decides Yes;
    }
}
