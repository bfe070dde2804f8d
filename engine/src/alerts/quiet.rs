//! Wrong passwords on a device that is not known: the owner hears of the first once they have stopped for a while, so
//! that a success in between makes one mail of both; the rest of the day comes at once in a digest.
//!
//! Kept in the owner's mailbox, at most [`WAITING_MAX`] devices and one digest, whatever somebody tries.

use serde::{Deserialize, Serialize};

use super::alert::MailFacts;
use super::budget::Mailbox;
use super::classify::OwnerKind;
use super::silence::HeldBack;
use crate::history::crowd::CrowdObservation;
use crate::risk::decision::Id;

/// Devices whose wrong passwords wait at once; those of others go to the digest.
pub const WAITING_MAX: usize = 4;
/// Somebody who never stops is told after so many quiet times.
const PATIENCE: i64 = 6;
const DAY: i64 = 24 * 3_600 * 1_000_000;

/// Which wrong passwords on devices not known are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FailedUnknown {
    /// The first of a day by a mail of its own, the rest in the digest.
    #[default]
    First,
    /// Each device by a mail of its own, as far as the budget goes.
    Each,
    /// All in the digest.
    Digest,
    /// None.
    Off,
}

/// When and whether wrong passwords are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuietPolicy {
    /// Which.
    pub failed_unknown: FailedUnknown,
    /// How long it must be quiet, microseconds.
    pub quiet: i64,
}

impl Default for QuietPolicy {
    fn default() -> Self {
        Self {
            failed_unknown: FailedUnknown::First,
            quiet: 600 * 1_000_000,
        }
    }
}

/// Wrong passwords on one device.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Quiet {
    /// What tells devices apart in this mailbox.
    pub device: u128,
    /// Keyed hash of the address.
    pub address: u128,
    /// Clock at the first.
    pub since: i64,
    /// When it is told if nothing follows.
    pub due: i64,
    /// How many.
    pub failures: u32,
    /// Sender's clock of the last.
    pub event_time: i64,
    /// Decision on the first.
    pub decision: Id,
    /// Why it is not told, as far as that was clear at the first.
    pub silence: Option<HeldBack>,
    /// Its source, to see whether a campaign comes from there.
    pub source: Option<CrowdObservation>,
    /// What the mail says.
    pub facts: MailFacts,
}

/// What waits for the end of the day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digest {
    /// When it is told.
    pub due: i64,
    /// Wrong passwords.
    pub failures: u32,
    /// Decision on the last of what it tells.
    pub decision: Id,
    /// Sender's clock of that.
    pub event_time: i64,
    /// Application, account and address are those of the last.
    pub facts: MailFacts,
}

/// What became of a wrong password; the timers to take back and to set, by their due time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Kept {
    /// The quiet time of the device ends at another moment now.
    pub quiet: Option<(Option<i64>, i64)>,
    /// A digest was begun.
    pub digest: Option<i64>,
}

impl Mailbox {
    /// Keeps a wrong password of `failure.device` at `now`; `failure.failures` is 1.
    pub fn keep_failure(&mut self, mut failure: Quiet, now: i64, policy: &QuietPolicy) -> Kept {
        let known = self.quiet.iter_mut().find(|known| known.device == failure.device);
        if let Some(known) = known {
            let before = known.due;
            known.failures = known.failures.saturating_add(1);
            known.event_time = failure.event_time;
            known.due = now
                .saturating_add(policy.quiet)
                .min(known.since.saturating_add(PATIENCE.saturating_mul(policy.quiet)));
            return Kept {
                quiet: Some((Some(before), known.due)),
                digest: None,
            };
        }
        let told_today = self.was_sent(OwnerKind::WrongPasswordUnknownDevice, now.saturating_sub(DAY));
        let alone = match policy.failed_unknown {
            FailedUnknown::First => !told_today && self.quiet.is_empty(),
            FailedUnknown::Each => self.quiet.len() < WAITING_MAX,
            FailedUnknown::Digest => false,
            FailedUnknown::Off => return Kept::default(),
        };
        if alone {
            failure.since = now;
            failure.due = now.saturating_add(policy.quiet);
            let due = failure.due;
            self.quiet.push(failure);
            return Kept {
                quiet: Some((None, due)),
                digest: None,
            };
        }
        // What is silent for another reason than too many mails is silent in a digest too.
        if failure.silence.is_some() {
            return Kept::default();
        }
        Kept {
            quiet: None,
            digest: self.begin_digest(failure.decision, failure.event_time, failure.facts, 1, now),
        }
    }

    /// Adds to the digest of the day; its due time if it was begun by this.
    pub fn begin_digest(
        &mut self,
        decision: Id,
        event_time: i64,
        facts: MailFacts,
        failures: u32,
        now: i64,
    ) -> Option<i64> {
        let begun = self.digest.is_none();
        let due = self
            .digest
            .as_ref()
            .map_or(now.saturating_add(DAY), |digest| digest.due);
        let before = self.digest.as_ref().map_or(0, |digest| digest.failures);
        self.digest = Some(Digest {
            due,
            failures: before.saturating_add(failures),
            decision,
            event_time,
            facts,
        });
        begun.then_some(due)
    }

    /// Takes out what waits for a device, or comes from an address: another mail tells of it. Its timers are those of
    /// the returned.
    pub fn fold_failures(&mut self, device: u128, address: u128) -> Vec<Quiet> {
        let same = |known: &Quiet| known.device == device || known.address == address;
        let (folded, kept) = std::mem::take(&mut self.quiet).into_iter().partition(same);
        self.quiet = kept;
        folded
    }

    /// Whether wrong passwords wait.
    #[must_use]
    pub fn has_quiet(&self) -> bool {
        !self.quiet.is_empty()
    }

    /// Takes out what waits for a device and is due at `due`.
    pub fn take_quiet(&mut self, device: u128, due: i64) -> Option<Quiet> {
        let index = self
            .quiet
            .iter()
            .position(|known| known.device == device && known.due <= due)?;
        Some(self.quiet.remove(index))
    }

    /// Takes out the digest.
    pub fn take_digest(&mut self) -> Option<Digest> {
        self.digest.take()
    }
}
