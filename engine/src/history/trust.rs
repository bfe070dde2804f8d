//! Trust of a device and of a pair of device and network: what earned it, and when it counts.
//!
//! new, observed (granted once), settled (three distinct days over 72 hours), vouched (a credit that has matured).
//! Every credit knows the `seq` that gave it, so that it can be taken back. What gives credit is in `learn`.

use super::time::{DAY, Seconds, SettlingDays, day_of};

/// How far a device or pair is trusted; ordered from least to most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Trust {
    /// Never in a granted login.
    #[default]
    None,
    /// Granted at least once.
    Observed,
    /// Granted on three distinct days over at least 72 hours.
    Settled,
    /// Vouched by half credit: half the negative points.
    VouchedHalf,
    /// Vouched by full credit.
    Vouched,
}

impl Trust {
    /// The word of the field `device.trust`; half credit is vouched too.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Observed => "observed",
            Self::Settled => "settled",
            Self::VouchedHalf | Self::Vouched => "vouched",
        }
    }

    /// Part of the negative points it earns: 0, a half or 1.
    #[must_use]
    pub const fn credit_share(self) -> f64 {
        match self {
            Self::None | Self::Observed | Self::Settled => 0.0,
            Self::VouchedHalf => 0.5,
            Self::Vouched => 1.0,
        }
    }

    /// Whether newness has ended.
    #[must_use]
    pub const fn is_settled(self) -> bool {
        matches!(self, Self::Settled | Self::VouchedHalf | Self::Vouched)
    }

    /// Whether a matured credit stands behind it.
    #[must_use]
    pub const fn is_vouched(self) -> bool {
        matches!(self, Self::VouchedHalf | Self::Vouched)
    }
}

/// When a credit begins to count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub enum Maturing {
    /// At once.
    AtOnce,
    /// From this second of `now` on.
    From(Seconds),
    /// After use on three distinct days, counted in the journal's order from the login that gave it.
    Days {
        /// Distinct days so far, up to 3.
        counted: u8,
        /// The last day that was counted.
        last: i64,
    },
}

/// One credit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Credit {
    /// The journal record that gave it.
    pub seq: u64,
    /// When it begins to count.
    pub maturing: Maturing,
}

impl Credit {
    /// Counts at once.
    #[must_use]
    pub const fn at_once(seq: u64) -> Self {
        Self {
            seq,
            maturing: Maturing::AtOnce,
        }
    }

    /// Counts three days after `given`.
    #[must_use]
    pub const fn after_three_days(seq: u64, given: Seconds) -> Self {
        Self {
            seq,
            maturing: Maturing::From(given.saturating_add(3 * DAY)),
        }
    }

    /// Counts after use on three distinct days, the day of `event` the first.
    #[must_use]
    pub const fn on_three_days(seq: u64, event: Seconds) -> Self {
        Self {
            seq,
            maturing: Maturing::Days {
                counted: 1,
                last: day_of(event),
            },
        }
    }

    /// Whether it counts at `now`.
    #[must_use]
    pub const fn matured(&self, now: Seconds) -> bool {
        match self.maturing {
            Maturing::AtOnce => true,
            Maturing::From(at) => now >= at,
            Maturing::Days { counted, .. } => counted >= 3,
        }
    }

    fn used_on(&mut self, day: i64) {
        if let Maturing::Days { counted, last } = &mut self.maturing
            && day > *last
            && *counted < 3
        {
            *counted += 1;
            *last = day;
        }
    }
}

/// How much a credit is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum CreditSize {
    /// Half the negative points.
    Half,
    /// All of them.
    Full,
}

/// The credits of a device or pair; a full one does not hide a half one that has already matured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize)]
pub struct Credits {
    /// Half credit, the first that was given.
    pub half: Option<Credit>,
    /// Full credit, the first that was given.
    pub full: Option<Credit>,
}

impl Credits {
    /// Adds a credit unless one of this size or larger is there that will count no later.
    pub fn give(&mut self, size: CreditSize, credit: Credit, now: Seconds) {
        let slot = match size {
            CreditSize::Half if self.full.is_some_and(|full| full.matured(now)) => return,
            CreditSize::Half => &mut self.half,
            CreditSize::Full => &mut self.full,
        };
        let better = slot.is_none_or(|old| !old.matured(now) && sooner(&credit, &old));
        if better {
            *slot = Some(credit);
        }
    }

    /// Notes a granted, advised use: credits that wait for distinct days come nearer.
    pub fn used_at(&mut self, event: Seconds) {
        for credit in [&mut self.half, &mut self.full].into_iter().flatten() {
            credit.used_on(day_of(event));
        }
    }

    /// The largest size that has matured at `now`.
    #[must_use]
    pub fn matured(&self, now: Seconds) -> Option<CreditSize> {
        let counts = |credit: &Option<Credit>| credit.is_some_and(|credit| credit.matured(now));
        if counts(&self.full) {
            Some(CreditSize::Full)
        } else if counts(&self.half) {
            Some(CreditSize::Half)
        } else {
            None
        }
    }

    /// Whether no credit was ever given.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.half.is_none() && self.full.is_none()
    }
}

/// Whether a new credit is certain to count before an old one that has not matured.
const fn sooner(new: &Credit, old: &Credit) -> bool {
    match (new.maturing, old.maturing) {
        (Maturing::AtOnce, _) | (Maturing::From(_), Maturing::Days { .. }) => true,
        (Maturing::From(new), Maturing::From(old)) => new < old,
        _ => false,
    }
}

/// The trust that days and credits give together, for something seen in at least one granted login.
#[must_use]
pub fn trust_of(days: Option<&SettlingDays>, credits: &Credits, now: Seconds) -> Trust {
    match credits.matured(now) {
        Some(CreditSize::Full) => Trust::Vouched,
        Some(CreditSize::Half) => Trust::VouchedHalf,
        None if days.is_some_and(SettlingDays::settled) => Trust::Settled,
        None => Trust::Observed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_credit_that_still_matures_does_not_hide_a_matured_half() {
        let mut credits = Credits::default();
        credits.give(CreditSize::Half, Credit::at_once(1), 0);
        credits.give(CreditSize::Full, Credit::after_three_days(2, 0), 0);
        assert_eq!(trust_of(None, &credits, DAY), Trust::VouchedHalf);
        assert_eq!(trust_of(None, &credits, 3 * DAY), Trust::Vouched);
    }

    #[test]
    fn a_credit_by_days_counts_on_the_third_day_of_use() {
        let mut credits = Credits::default();
        credits.give(CreditSize::Half, Credit::on_three_days(1, 0), 0);
        credits.used_at(10);
        credits.used_at(DAY);
        assert_eq!(credits.matured(9 * DAY), None);
        credits.used_at(2 * DAY);
        assert_eq!(credits.matured(9 * DAY), Some(CreditSize::Half));
    }

    #[test]
    fn the_first_credit_keeps_its_seq_once_matured() {
        let mut credits = Credits::default();
        credits.give(CreditSize::Full, Credit::at_once(7), 0);
        credits.give(CreditSize::Full, Credit::at_once(9), 5);
        assert_eq!(credits.full.map(|credit| credit.seq), Some(7));
    }
}
