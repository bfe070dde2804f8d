//! Instants and days as the rows of history keep them.
//!
//! Callers speak microseconds since the epoch, rows keep whole seconds: a row in memory and one read back from bytes
//! must behave alike, and a microsecond decides nothing here.

/// Whole seconds since the epoch.
pub type Seconds = i64;

/// Seconds of one day.
pub const DAY: Seconds = 86_400;

/// Seconds of one hour.
pub const HOUR: Seconds = 3_600;

/// The second that holds an instant given in microseconds.
#[must_use]
pub const fn seconds(micros: i64) -> Seconds {
    micros.div_euclid(1_000_000)
}

/// The instant in microseconds at which a second begins.
#[must_use]
pub const fn micros(seconds: Seconds) -> i64 {
    seconds.saturating_mul(1_000_000)
}

/// Number of the UTC day that holds a second.
#[must_use]
pub const fn day_of(seconds: Seconds) -> i64 {
    seconds.div_euclid(DAY)
}

/// First and last time something was seen in a granted login; independent of the order of the logins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Span {
    /// Earliest.
    pub first: Seconds,
    /// Latest.
    pub last: Seconds,
}

impl Span {
    /// One instant.
    #[must_use]
    pub const fn at(time: Seconds) -> Self {
        Self {
            first: time,
            last: time,
        }
    }

    /// Includes one more instant.
    pub fn include(&mut self, time: Seconds) {
        self.first = self.first.min(time);
        self.last = self.last.max(time);
    }
}

/// Whether logins came on three distinct UTC days over at least 72 hours, whatever order they arrived in.
///
/// The first and the last instant and one bit are enough: there are three distinct days exactly if some day lies
/// strictly between the first and the last, and the day that used to be an end becomes such a day when the end moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct SettlingDays {
    /// Earliest and latest login that counts.
    pub span: Span,
    /// Whether a day strictly between them was seen.
    pub between: bool,
}

impl SettlingDays {
    /// After the first login that counts.
    #[must_use]
    pub const fn at(time: Seconds) -> Self {
        Self {
            span: Span::at(time),
            between: false,
        }
    }

    /// Counts one more login.
    pub fn include(&mut self, time: Seconds) {
        let (first, last, day) = (day_of(self.span.first), day_of(self.span.last), day_of(time));
        let outside = day < first || day > last;
        let inside = day > first && day < last;
        self.between |= inside || (outside && first != last);
        self.span.include(time);
    }

    /// Distinct days seen, counted up to 3.
    #[must_use]
    pub const fn distinct(&self) -> u8 {
        if self.between {
            3
        } else if day_of(self.span.first) != day_of(self.span.last) {
            2
        } else {
            1
        }
    }

    /// Three distinct days over at least 72 hours.
    #[must_use]
    pub const fn settled(&self) -> bool {
        self.between && self.span.last.saturating_sub(self.span.first) >= 3 * DAY
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    #[test]
    fn three_days_within_71_hours_do_not_settle_and_72_do() {
        let mut days = SettlingDays::at(23 * HOUR);
        days.include(30 * HOUR);
        days.include((23 + 71) * HOUR);
        assert_eq!((days.distinct(), days.settled()), (3, false));
        days.include((23 + 72) * HOUR);
        assert!(days.settled());
    }

    proptest! {
        #[test]
        fn distinct_days_are_counted_alike_in_every_order(times in proptest::collection::vec(0i64..900_000, 1..8)) {
            let mut days = SettlingDays::at(times[0]);
            for time in &times[1..] {
                days.include(*time);
            }
            let set: BTreeSet<i64> = times.iter().map(|time| day_of(*time)).collect();
            prop_assert_eq!(usize::from(days.distinct()), set.len().min(3));
            let mut sorted = times.clone();
            sorted.sort_unstable();
            let mut again = SettlingDays::at(sorted[0]);
            for time in &sorted[1..] {
                again.include(*time);
            }
            prop_assert_eq!(days, again);
        }
    }
}
