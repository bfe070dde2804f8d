//! What one owner's mailbox got lately, so that nobody can flood it: a stored row a user.
//!
//! A mail that somebody got in passes the budget once an hour: otherwise an attacker could use it up with failed tries
//! first and then get in unseen. Getting in often enough to flood a mailbox that way is not cheap.

use serde::{Deserialize, Serialize};

use super::classify::OwnerKind;
use super::quiet::{Digest, Quiet};
use super::silence::HeldBack;

/// First byte of the stored form.
pub const MAILBOX_VERSION: u8 = 2;
/// The first form: without what waits.
const WITHOUT_WAITING: u8 = 1;

const HOUR: i64 = 3_600 * 1_000_000;
const DAY: i64 = 24 * HOUR;
/// How long a sent mail is remembered: the longest `same_kind` that can be configured.
const KEPT: i64 = 30 * DAY;
/// More sent mails than this are not kept: the oldest are forgotten first.
const SENT_MAX: usize = 256;

/// How many mails one owner gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BudgetPolicy {
    /// In one hour.
    pub hourly_max: usize,
    /// In 24 hours.
    pub daily_max: usize,
    /// Of one device and kind, one in this time; microseconds, at most 30 days.
    pub same_kind: i64,
}

impl Default for BudgetPolicy {
    fn default() -> Self {
        Self {
            hourly_max: 3,
            daily_max: 10,
            same_kind: DAY,
        }
    }
}

/// A mail that went out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Sent {
    at: i64,
    kind: OwnerKind,
    device: u128,
}

/// One owner's mailbox: what went out, what is owed, what waits.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Mailbox {
    sent: Vec<Sent>,
    owed: u32,
    /// Wrong passwords that wait until it is quiet.
    pub(super) quiet: Vec<Quiet>,
    /// What waits for the end of the day.
    pub(super) digest: Option<Digest>,
}

/// Why stored bytes are no mailbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Written by a version that this program does not know.
    #[error("a stored mailbox has version {0}, this program reads version {MAILBOX_VERSION}")]
    UnknownVersion(u8),
    /// Not what was written.
    #[error("a stored mailbox is damaged")]
    Damaged,
}

impl Mailbox {
    /// Why a mail of this kind about this device waits, or `None`. `device` is a hash that tells devices apart, made
    /// from family and OS where nothing else is known; `now` in microseconds.
    #[must_use]
    pub fn refusal(
        &self,
        kind: OwnerKind,
        device: u128,
        now: i64,
        policy: &BudgetPolicy,
    ) -> Option<HeldBack> {
        let lately = |span: i64| {
            self.sent
                .iter()
                .filter(move |sent| sent.at > now.saturating_sub(span))
        };
        let told = |sent: &Sent| sent.kind == kind && sent.device == device;
        if lately(policy.same_kind).any(told) {
            return Some(HeldBack::SameKind);
        }
        if kind == OwnerKind::Digest {
            // It is what the budget leaves: one a day by its making.
            return (policy.daily_max == 0 || policy.hourly_max == 0).then_some(HeldBack::Budget);
        }
        let allows_any = policy.hourly_max > 0 && policy.daily_max > 0;
        if allows_any && kind.got_in() && !lately(HOUR).any(|sent| sent.kind.got_in()) {
            return None;
        }
        let spent = lately(HOUR).count() >= policy.hourly_max || lately(DAY).count() >= policy.daily_max;
        spent.then_some(HeldBack::Budget)
    }

    /// Notes a mail that goes out, and returns how many were held back since the last one: the mail says so.
    pub fn send(&mut self, kind: OwnerKind, device: u128, now: i64) -> u32 {
        self.sent.retain(|sent| sent.at > now.saturating_sub(KEPT));
        if self.sent.len() == SENT_MAX {
            self.sent.remove(0);
        }
        self.sent.push(Sent {
            at: now,
            kind,
            device,
        });
        std::mem::take(&mut self.owed)
    }

    /// Notes a mail that was held back.
    pub fn hold_back(&mut self, why: HeldBack) {
        if why.is_owed() {
            self.owed = self.owed.saturating_add(1);
        }
    }

    /// Whether a mail of this kind went out after `since`.
    #[must_use]
    pub fn was_sent(&self, kind: OwnerKind, since: i64) -> bool {
        self.sent.iter().any(|sent| sent.kind == kind && sent.at > since)
    }

    /// Mails held back since the last one that went out.
    #[must_use]
    pub fn owed(&self) -> u32 {
        self.owed
    }

    /// The stored form.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        // Serialising these plain values into memory does not fail.
        postcard::to_extend(self, vec![MAILBOX_VERSION]).unwrap_or_default()
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// [`DecodeError`] for anything that [`Mailbox::encode`] did not write.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        match bytes.split_first() {
            Some((&MAILBOX_VERSION, rest)) => match postcard::take_from_bytes(rest) {
                Ok((mailbox, [])) => Ok(mailbox),
                _ => Err(DecodeError::Damaged),
            },
            Some((&WITHOUT_WAITING, rest)) => match postcard::take_from_bytes(rest) {
                Ok(((sent, owed), [])) => Ok(Self {
                    sent,
                    owed,
                    ..Self::default()
                }),
                _ => Err(DecodeError::Damaged),
            },
            Some((version, _)) => Err(DecodeError::UnknownVersion(*version)),
            None => Err(DecodeError::Damaged),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use OwnerKind::{SecondFactorNotPassed, SignInNeededMoreProof, UnknownDeviceIn};
    use proptest::prelude::*;

    const POLICY: BudgetPolicy = BudgetPolicy {
        hourly_max: 3,
        daily_max: 10,
        same_kind: DAY,
    };

    /// Sends if it may, as the sequencer does.
    fn offer(mailbox: &mut Mailbox, kind: OwnerKind, device: u128, now: i64) -> Result<u32, HeldBack> {
        match mailbox.refusal(kind, device, now, &POLICY) {
            None => Ok(mailbox.send(kind, device, now)),
            Some(why) => {
                mailbox.hold_back(why);
                Err(why)
            }
        }
    }

    #[test]
    fn three_an_hour_and_the_next_mail_names_the_rest() {
        let mut mailbox = Mailbox::default();
        for device in 0..3 {
            assert_eq!(offer(&mut mailbox, SecondFactorNotPassed, device, 0), Ok(0));
        }
        for device in 3..5 {
            assert_eq!(
                offer(&mut mailbox, SecondFactorNotPassed, device, HOUR - 1),
                Err(HeldBack::Budget)
            );
        }
        assert_eq!(offer(&mut mailbox, SecondFactorNotPassed, 9, HOUR), Ok(2));
        assert_eq!(mailbox.owed(), 0);
    }

    #[test]
    fn ten_a_day() {
        let mut mailbox = Mailbox::default();
        for turn in 0..10 {
            assert_eq!(
                offer(&mut mailbox, SignInNeededMoreProof, turn, turn as i64 * HOUR),
                Ok(0)
            );
        }
        assert_eq!(
            offer(&mut mailbox, SignInNeededMoreProof, 10, 12 * HOUR),
            Err(HeldBack::Budget)
        );
        assert_eq!(offer(&mut mailbox, SignInNeededMoreProof, 10, DAY), Ok(1));
    }

    #[test]
    fn one_mail_a_device_and_kind_in_a_day() {
        let mut mailbox = Mailbox::default();
        assert_eq!(offer(&mut mailbox, SecondFactorNotPassed, 1, 0), Ok(0));
        assert_eq!(
            offer(&mut mailbox, SecondFactorNotPassed, 1, DAY - 1),
            Err(HeldBack::SameKind)
        );
        assert_eq!(offer(&mut mailbox, SecondFactorNotPassed, 1, DAY), Ok(1));
    }

    #[test]
    fn got_in_is_still_sent_after_nearly_did() {
        let mut mailbox = Mailbox::default();
        for device in 0..4 {
            let _ = offer(&mut mailbox, SecondFactorNotPassed, device, 0);
        }
        assert_eq!(
            offer(&mut mailbox, UnknownDeviceIn, 0, 1),
            Ok(1),
            "same device, budget spent"
        );
        assert_eq!(
            offer(&mut mailbox, UnknownDeviceIn, 5, 2),
            Err(HeldBack::Budget),
            "once an hour"
        );
        assert_eq!(
            offer(&mut mailbox, UnknownDeviceIn, 0, HOUR + 1),
            Err(HeldBack::SameKind)
        );
    }

    #[test]
    fn a_budget_of_nothing_is_nothing() {
        for (hourly_max, daily_max) in [(0, 10), (3, 0)] {
            let policy = BudgetPolicy {
                hourly_max,
                daily_max,
                ..POLICY
            };
            for kind in OwnerKind::ALL {
                assert_eq!(
                    Mailbox::default().refusal(kind, 1, 0, &policy),
                    Some(HeldBack::Budget)
                );
            }
        }
    }

    #[test]
    fn silence_that_is_nobodys_loss_is_not_owed() {
        let mut mailbox = Mailbox::default();
        for why in HeldBack::ALL {
            mailbox.hold_back(why);
        }
        assert_eq!(mailbox.owed(), 6);
    }

    /// Bytes written by the first version; they have to be read for ever.
    #[test]
    fn the_first_version_is_still_read() {
        let mut mailbox = Mailbox::default();
        mailbox.send(UnknownDeviceIn, 300, 1_000);
        mailbox.hold_back(HeldBack::Budget);
        let stored = [1, 1, 0xd0, 0x0f, 0, 0xac, 0x02, 1];
        assert_eq!(Mailbox::decode(&stored), Ok(mailbox.clone()));
        assert_eq!(mailbox.encode(), [2, 1, 0xd0, 0x0f, 0, 0xac, 0x02, 1, 0, 0]);
    }

    #[test]
    fn damage_is_told_apart() {
        assert_eq!(Mailbox::decode(&[]), Err(DecodeError::Damaged));
        assert_eq!(Mailbox::decode(&[7, 0, 0]), Err(DecodeError::UnknownVersion(7)));
        assert_eq!(Mailbox::decode(&[1, 0, 0, 0]), Err(DecodeError::Damaged));
    }

    proptest! {
        #[test]
        fn no_life_floods_a_mailbox(tries in prop::collection::vec((0..3_usize, 0..50_u128, 0..HOUR / 4), 0..400)) {
            let mut mailbox = Mailbox::default();
            let (mut now, mut sent) = (0, Vec::new());
            for (kind, device, pause) in tries {
                now += pause;
                let kind = OwnerKind::ALL[kind];
                if offer(&mut mailbox, kind, device, now).is_ok() {
                    sent.push((now, kind));
                }
                let within = |span| sent.iter().filter(move |(at, _)| *at > now - span);
                prop_assert!(within(HOUR).count() <= POLICY.hourly_max + 1);
                let nearly = within(DAY).filter(|(_, kind)| !kind.got_in()).count();
                prop_assert!(nearly <= POLICY.daily_max);
                prop_assert_eq!(Mailbox::decode(&mailbox.encode()), Ok(mailbox.clone()));
            }
        }

        #[test]
        fn foreign_bytes_never_stop_the_reader(mut bytes in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = Mailbox::decode(&bytes);
            if let Some(first) = bytes.first_mut() { *first = MAILBOX_VERSION; }
            let _ = Mailbox::decode(&bytes);
        }
    }
}
