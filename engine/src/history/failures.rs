//! The last failures of one user, in a row of their own: a stranger's failures must not change a history.
//!
//! Kept only for users with a history row, so that invented names leave nothing behind. A success clears nothing.

use super::codec::{CodecError, VERSION, check_version, flag};
use super::time::{DAY, Seconds, seconds};
use super::wire::{Reader, Writer};

/// Failures kept of one user.
pub const FAILURES_MAX: usize = 32;
/// How long before a success a wrong password belongs to it.
const SAME_SOURCE: Seconds = 1_800;

/// What failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize)]
#[repr(u8)]
pub enum FailedStage {
    /// A password or other first factor.
    FirstFactor = 0,
    /// A further factor: wrong, denied or abandoned.
    SecondFactor = 1,
}

/// One failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Failure {
    /// Event time.
    pub time: Seconds,
    /// What failed.
    pub stage: FailedStage,
    /// [`super::device_identity::source_identity`] of the device.
    pub device: u128,
    /// Keyed hash of the address.
    pub address: u128,
}

/// The last 32 failures of a user by event time, earliest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct UserFailures {
    failures: Vec<Failure>,
}

const SAME_DEVICE: u8 = 2;
const SAME_ADDRESS: u8 = 4;

impl UserFailures {
    /// Adds a failure at `event_time` (microseconds).
    pub fn add(&mut self, event_time: i64, stage: FailedStage, device: u128, address: u128) {
        let time = seconds(event_time);
        let place = self.failures.partition_point(|failure| failure.time <= time);
        let failure = Failure {
            time,
            stage,
            device,
            address,
        };
        self.failures.insert(place, failure);
        if self.failures.len() > FAILURES_MAX {
            self.failures.remove(0);
        }
    }

    /// All of them, earliest first.
    #[must_use]
    pub fn all(&self) -> &[Failure] {
        &self.failures
    }

    /// Wrong passwords from the same device or address in the 30 minutes up to `before` (microseconds).
    #[must_use]
    pub fn same_source_30m(&self, device: u128, address: u128, before: i64) -> u32 {
        self.count(before, SAME_SOURCE, |failure| {
            let same_device = device != 0 && failure.device == device;
            failure.stage == FailedStage::FirstFactor && (same_device || failure.address == address)
        })
    }

    /// Failed second factors of any device in the 24 hours up to `before` (microseconds).
    #[must_use]
    pub fn second_factor_24h(&self, before: i64) -> u32 {
        self.count(before, DAY, |failure| failure.stage == FailedStage::SecondFactor)
    }

    fn count(&self, before: i64, window: Seconds, wanted: impl Fn(&Failure) -> bool) -> u32 {
        let end = seconds(before);
        let begin = end.saturating_sub(window);
        let inside = |failure: &&Failure| failure.time >= begin && failure.time <= end && wanted(failure);
        self.failures.iter().filter(inside).map(|_| 1).sum()
    }

    /// As bytes, the first of them the version; a device or address like that of the failure before is one bit.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Writer::with_capacity(64);
        out.byte(VERSION);
        out.number(self.failures.len() as u64);
        let mut before = Failure {
            time: 0,
            stage: FailedStage::FirstFactor,
            device: 0,
            address: 0,
        };
        for failure in &self.failures {
            let (same_device, same_address) =
                (failure.device == before.device, failure.address == before.address);
            out.byte(failure.stage as u8 | flag(same_device, SAME_DEVICE) | flag(same_address, SAME_ADDRESS));
            out.signed(failure.time.wrapping_sub(before.time));
            if !same_device {
                out.wide(failure.device);
            }
            if !same_address {
                out.wide(failure.address);
            }
            before = *failure;
        }
        out.finish()
    }

    /// From bytes.
    ///
    /// # Errors
    /// [`CodecError`] as for a history.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        let mut input = Reader::new(bytes);
        check_version(&mut input)?;
        let count = input.count(FAILURES_MAX, "number of failures")?;
        let mut failures: Vec<Failure> = Vec::with_capacity(count + 1);
        let (mut time, mut device, mut address): (Seconds, u128, u128) = (0, 0, 0);
        for _ in 0..count {
            let flags = input.byte()?;
            time = time.wrapping_add(input.signed()?);
            if flags & SAME_DEVICE == 0 {
                device = input.wide()?;
            }
            if flags & SAME_ADDRESS == 0 {
                address = input.wide()?;
            }
            let stage = if flags & 1 == 0 {
                FailedStage::FirstFactor
            } else {
                FailedStage::SecondFactor
            };
            failures.push(Failure {
                time,
                stage,
                device,
                address,
            });
        }
        let sorted = failures.is_sorted_by_key(|failure| failure.time);
        if input.is_empty() && sorted {
            Ok(Self { failures })
        } else {
            Err(CodecError::Damaged("failures"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000_000;

    #[test]
    fn wrong_passwords_count_by_device_or_address_for_thirty_minutes() {
        let mut failures = UserFailures::default();
        failures.add(0, FailedStage::FirstFactor, 1, 10);
        failures.add(MINUTE, FailedStage::FirstFactor, 2, 10);
        failures.add(MINUTE, FailedStage::FirstFactor, 3, 30);
        failures.add(MINUTE, FailedStage::SecondFactor, 1, 10);
        assert_eq!(failures.same_source_30m(1, 99, 2 * MINUTE), 1);
        assert_eq!(failures.same_source_30m(1, 10, 2 * MINUTE), 2);
        assert_eq!(failures.same_source_30m(1, 10, 31 * MINUTE), 1);
        assert_eq!(failures.second_factor_24h(24 * 60 * MINUTE), 1);
        assert_eq!(failures.second_factor_24h(25 * 60 * MINUTE), 0);
    }

    #[test]
    fn only_the_last_32_failures_are_kept_and_their_bytes_give_them_back() {
        let mut failures = UserFailures::default();
        for step in 0..100i64 {
            failures.add(step * MINUTE, FailedStage::FirstFactor, step as u128 / 7, 5);
        }
        assert_eq!(failures.all().len(), FAILURES_MAX);
        assert_eq!(failures.all()[0].time, 68 * 60);
        let bytes = failures.encode();
        assert_eq!(UserFailures::decode(&bytes), Ok(failures));
        assert!(matches!(
            UserFailures::decode(&[2]),
            Err(CodecError::Newer { found: 2, known: 1 })
        ));
        assert_eq!(UserFailures::decode(&bytes[..20]), Err(CodecError::Short));
    }
}
