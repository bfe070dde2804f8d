//! What may never grow without end, whatever is sent: sizes and counts, never times. `bounds.rs` runs them.

pub mod invented_names;
pub mod lifelike;
pub mod memory;
pub mod one_user;
pub mod rows;

use std::fmt;

/// One bound: what it is about, how much was found, and how much may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bound {
    what: &'static str,
    found: u64,
    at_most: u64,
    unit: &'static str,
}

impl Bound {
    /// A bound that holds if `found` is not above `at_most`.
    #[must_use]
    pub const fn new(what: &'static str, found: u64, at_most: u64, unit: &'static str) -> Self {
        Self {
            what,
            found,
            at_most,
            unit,
        }
    }

    /// Whether it holds.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.found <= self.at_most
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            what,
            found,
            at_most,
            unit,
        } = self;
        let word = if self.holds() { "holds" } else { "BROKEN" };
        write!(
            f,
            "{what:<58} {found:>9} of at most {at_most:>6} {unit:<6} {word}"
        )
    }
}
