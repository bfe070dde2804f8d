//! Decayed counts of logins that do not depend on the order of the logins.
//!
//! Forward decay (Cormode, Shkapenyuk, Srivastava, Xu: Forward Decay, ICDE 2009): a login at time t adds
//! 2^((t - landmark) / half-life), and a reader at time `now` divides by 2^((now - landmark) / half-life). Adding
//! touches nothing but the sum, and two weights of one half-life compare without any decay.
//! A sum keeps 29 significant bits, 5 bytes on disk; it is rounded in memory too, so that a row read back is the same.

use super::time::{DAY, Seconds};

/// 2020-01-01T00:00:00Z; sums stay finite for 70 years to either side.
const LANDMARK: Seconds = 1_577_836_800;
const EXPONENT_MAX: f64 = 900.0;
const DROPPED_BITS: u32 = 24;

/// A sum of forward-decayed logins; finite and not negative.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Default, serde::Serialize)]
pub struct Weight(f64);

impl Weight {
    /// Nothing seen.
    pub const ZERO: Self = Self(0.0);

    /// Adds to the sum.
    pub fn add(&mut self, amount: f64) {
        self.0 = round(self.0 + amount);
    }

    /// The sum as a reader sees it; `fading` from [`fading_at`] with the same half-life.
    #[must_use]
    pub fn read(self, fading: f64) -> f64 {
        self.0 * fading
    }

    /// The sum before any decay.
    #[must_use]
    pub const fn raw(self) -> f64 {
        self.0
    }

    /// Whether nothing was ever added.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.0 == 0.0
    }

    /// As a number of 40 bits.
    #[must_use]
    pub const fn to_bits40(self) -> u64 {
        self.0.to_bits() >> DROPPED_BITS
    }

    /// From [`Weight::to_bits40`]; `None` if that is no finite, not negative number.
    #[must_use]
    pub const fn from_bits40(bits: u64) -> Option<Self> {
        let value = f64::from_bits(bits << DROPPED_BITS);
        if value.is_finite() && value.is_sign_positive() {
            Some(Self(value))
        } else {
            None
        }
    }
}

fn round(value: f64) -> f64 {
    let half = 1u64 << (DROPPED_BITS - 1);
    let bits = value.to_bits().saturating_add(half) >> DROPPED_BITS << DROPPED_BITS;
    f64::from_bits(bits)
}

/// What a login at `time` adds at a half-life in days.
#[must_use]
pub fn amount_at(time: Seconds, half_life_days: f64) -> f64 {
    libm::exp2(exponent(time, half_life_days))
}

/// What a reader at `now` multiplies with at a half-life in days.
#[must_use]
pub fn fading_at(now: Seconds, half_life_days: f64) -> f64 {
    libm::exp2(-exponent(now, half_life_days))
}

fn exponent(time: Seconds, half_life_days: f64) -> f64 {
    let days = time.saturating_sub(LANDMARK) as f64 / DAY as f64;
    (days / half_life_days).clamp(-EXPONENT_MAX, EXPONENT_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Seconds = 1_780_000_000;

    #[test]
    fn a_login_is_worth_half_after_one_half_life() {
        let mut weight = Weight::ZERO;
        weight.add(amount_at(NOW, 30.0));
        assert!((weight.read(fading_at(NOW + 30 * DAY, 30.0)) - 0.5).abs() < 1e-8);
    }

    #[test]
    fn forty_logins_of_now_weigh_forty() {
        let mut weight = Weight::ZERO;
        for _ in 0..40 {
            weight.add(amount_at(NOW, 90.0));
        }
        assert!((weight.read(fading_at(NOW, 90.0)) - 40.0).abs() < 1e-6);
    }

    #[test]
    fn forty_bits_give_the_same_weight_back() {
        let mut weight = Weight::ZERO;
        weight.add(amount_at(NOW, 30.0));
        weight.add(amount_at(NOW - 12_345, 30.0));
        assert_eq!(Weight::from_bits40(weight.to_bits40()), Some(weight));
        assert_eq!(Weight::from_bits40(u64::MAX), None);
        assert!(amount_at(i64::MAX, 30.0).is_finite() && fading_at(i64::MIN, 30.0).is_finite());
    }
}
