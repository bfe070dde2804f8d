//! Time zones by name, from the table that is built in. A look-up by name searches that table anew, so what was found
//! is kept: the same names come again and again, and a name means the same for as long as the program runs.

use std::cell::RefCell;
use std::collections::HashMap;

use foldhash::fast::FixedState;
use jiff::tz::TimeZone;

/// The most names that are kept: senders choose how a name is spelled, and there are some 600 zones.
const NAMES_MAX: usize = 1_024;

/// Zones that were asked for before.
#[derive(Debug, Default)]
pub struct Zones {
    known: RefCell<HashMap<Box<str>, TimeZone, FixedState>>,
}

impl Zones {
    /// Seconds that local time is ahead of UTC at an instant; `None` if there is no such zone.
    #[must_use]
    pub fn seconds_ahead(&self, name: &str, at: jiff::Timestamp) -> Option<i64> {
        let ahead = |zone: &TimeZone| i64::from(zone.to_offset(at).seconds());
        let mut known = self.known.borrow_mut();
        if let Some(zone) = known.get(name) {
            return Some(ahead(zone));
        }
        let zone = TimeZone::get(name).ok()?;
        let seconds = ahead(&zone);
        if known.len() < NAMES_MAX {
            known.insert(name.into(), zone);
        }
        Some(seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_the_same_when_it_is_asked_for_again() {
        let zones = Zones::default();
        let summer = jiff::Timestamp::from_second(1_782_000_000).expect("a time");
        let winter = jiff::Timestamp::from_second(1_768_000_000).expect("a time");
        for _ in 0..2 {
            assert_eq!(zones.seconds_ahead("Europe/Copenhagen", summer), Some(7_200));
            assert_eq!(zones.seconds_ahead("Europe/Copenhagen", winter), Some(3_600));
            assert_eq!(zones.seconds_ahead("Europe/Atlantis", winter), None);
        }
    }
}
