//! Points: exact hundredths, so that the sum of a ledger is exact.
//!
//! Not a score: the score is base plus points, clamped, and belongs to the engine.

use std::fmt;
use std::str::FromStr;

/// Points of one ledger line, an integer of 1/100 (16.13 points are `1613`).
///
/// 10 points are a factor of ten in the odds of an attack; see `scoring`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct Points(i32);

/// The largest amount of points one rule may declare, in either direction.
pub const POINTS_MAX: Points = Points(10_000);

impl Points {
    /// No points.
    pub const ZERO: Points = Points(0);

    /// Points from hundredths: `1613` is 16.13 points.
    #[must_use]
    pub const fn from_hundredths(hundredths: i32) -> Self {
        Points(hundredths)
    }

    /// The hundredths: 16.13 points are `1613`.
    #[must_use]
    pub const fn hundredths(self) -> i32 {
        self.0
    }

    /// Rounds once, half away from zero, to two decimals. `None` for NaN and infinities;
    /// values beyond ±100,000 are clamped to it.
    #[must_use]
    pub fn from_f64(value: f64) -> Option<Self> {
        if !value.is_finite() {
            return None;
        }
        let clamped = (value * 100.0).clamp(-1e7, 1e7);
        #[expect(
            clippy::cast_possible_truncation,
            reason = "clamped to ±1e7 and rounded, so it fits i32 exactly"
        )]
        Some(Points(clamped.round() as i32))
    }

    /// The value for figures and diagrams; sums are made with [`Points`], never with this.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        f64::from(self.0) / 100.0
    }

    /// The sum, saturating at the limits of 32 bits.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Points(self.0.saturating_add(other.0))
    }

    /// Whether this raises the score.
    #[must_use]
    pub const fn is_positive(self) -> bool {
        self.0 > 0
    }

    /// Whether this lowers the score.
    #[must_use]
    pub const fn is_negative(self) -> bool {
        self.0 < 0
    }
}

impl std::iter::Sum for Points {
    fn sum<I: Iterator<Item = Self>>(iter: I) -> Self {
        iter.fold(Points::ZERO, Points::saturating_add)
    }
}

impl fmt::Display for Points {
    /// The shortest exact decimal: `18`, `7.5`, `16.13`, `-0.05`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let whole = self.0.unsigned_abs() / 100;
        let cents = self.0.unsigned_abs() % 100;
        match (cents, cents % 10) {
            (0, _) => write!(f, "{sign}{whole}"),
            (_, 0) => write!(f, "{sign}{whole}.{}", cents / 10),
            _ => write!(f, "{sign}{whole}.{cents:02}"),
        }
    }
}

/// Why a text is no amount of points.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PointsError {
    /// Not a plain decimal number.
    #[error("points are a plain number such as 18, 7.5 or -8")]
    NotANumber,
    /// More than two digits after the point.
    #[error("points have at most two decimals")]
    TooPrecise,
    /// Beyond [`POINTS_MAX`].
    #[error("points lie between -100 and 100")]
    TooLarge,
}

impl FromStr for Points {
    type Err = PointsError;

    fn from_str(text: &str) -> Result<Self, PointsError> {
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let plain = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
        if !plain(whole) || !plain(fraction) {
            return Err(PointsError::NotANumber);
        }
        let fraction = fraction.trim_end_matches('0');
        let cents: i32 = match fraction.len() {
            0 => 0,
            1 => fraction.parse::<i32>().map_err(|_| PointsError::NotANumber)? * 10,
            2 => fraction.parse().map_err(|_| PointsError::NotANumber)?,
            _ => return Err(PointsError::TooPrecise),
        };
        let whole: i32 = whole.parse().map_err(|_| PointsError::TooLarge)?;
        let total = whole
            .checked_mul(100)
            .and_then(|hundreds| hundreds.checked_add(cents))
            .filter(|total| *total <= POINTS_MAX.0)
            .ok_or(PointsError::TooLarge)?;
        Ok(Points(if negative { -total } else { total }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn shows_the_shortest_exact_decimal() {
        let shown = [1613, 1800, 750, 705, -800, -5, 0].map(|p| Points(p).to_string());
        assert_eq!(shown, ["16.13", "18", "7.5", "7.05", "-8", "-0.05", "0"]);
    }

    #[test]
    fn rounds_half_away_from_zero() {
        assert_eq!(Points::from_f64(16.127_838), Some(Points(1613)));
        assert_eq!(Points::from_f64(0.125), Some(Points(13)));
        assert_eq!(Points::from_f64(-0.125), Some(Points(-13)));
        assert_eq!(Points::from_f64(f64::NAN), None);
        assert_eq!(Points::from_f64(1e300), Some(Points(10_000_000)));
    }

    #[test]
    fn refuses_what_is_not_two_decimals_within_bounds() {
        assert_eq!("1.234".parse::<Points>(), Err(PointsError::TooPrecise));
        assert_eq!("1e3".parse::<Points>(), Err(PointsError::NotANumber));
        assert_eq!("".parse::<Points>(), Err(PointsError::NotANumber));
        assert_eq!("100.01".parse::<Points>(), Err(PointsError::TooLarge));
        assert_eq!("99999999999".parse::<Points>(), Err(PointsError::TooLarge));
        assert_eq!("1.50000".parse::<Points>(), Ok(Points(150)));
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(hundredths in -10_000..=10_000i32) {
            prop_assert_eq!(Points(hundredths).to_string().parse(), Ok(Points(hundredths)));
        }
    }
}
