//! One try to get in, from the first factor to the session, as a state machine.
//!
//! `attempt.id` joins the stages of one login; an event without one is its own attempt, but for a `partial`, which a
//! success of the same user and device ends. Every attempt ends once, granted or refused; the history counts it then.
//! What a stage means: the table "What an outcome means" of the scoring documentation. Pure; the row is stored.

mod event_bytes;
pub mod proven;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::enrich::device::DeviceDescriptor;
use crate::enrich::network::NetworkFacts;
use crate::event::{FactorResult, FactorType, FailureReason, LoginEvent, Outcome, Stage, UsedFactor};
use crate::terms::{Action, Id, Seq};
pub use event_bytes::EventBytes;
use proven::Proven;

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// They got in.
    Granted,
    /// They did not.
    Refused,
}

/// The last scored stage: what a later end needs in order to learn and to tell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LastScored {
    /// Its position in the journal.
    pub seq: Seq,
    /// Its decision.
    pub decision: Id,
    /// What was advised.
    pub action: Action,
    /// Sum of its ledger in hundredths of a point.
    pub sum_hundredths: i32,
    /// Whether a line of attack evidence fired.
    pub attack_fired: bool,
    /// Level proven up to it.
    pub achieved: u8,
    /// Its `event.time`, microseconds since the epoch.
    pub time: i64,
    /// Its device.
    pub device: DeviceDescriptor,
    /// Its network.
    pub network: NetworkFacts,
    /// Its tenant.
    pub tenant: Arc<str>,
    /// The event as it came in: what the end tells of application, contacts and factors is read from it again.
    pub event: EventBytes,
}

/// Names the first event of an attempt: the id of the event that ends it is made of this.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FirstEvent {
    /// Who sent it.
    pub source: Box<str>,
    /// Its id.
    pub id: Box<str>,
}

/// An attempt that has not ended, or the one that an event is by itself.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Attempt {
    /// `now` of its first event, microseconds since the epoch.
    pub started: i64,
    /// Its first event.
    pub first: FirstEvent,
    /// The application's id of it.
    pub id: Option<Box<str>>,
    /// Whose it is, once an event said so: nobody goes on with what another user has proven.
    pub user: Option<Box<str>>,
    /// How many events it has had.
    pub stages: u8,
    /// Somebody knew the right password, or more.
    pub right_password: bool,
    /// Wrong passwords before the right one.
    pub wrong_passwords: u16,
    /// A second factor failed, was denied or was abandoned.
    pub second_factor_failed: bool,
    /// What its stages have proven together.
    pub proven: Proven,
    /// A stage was answered with `step_up` or `hold`.
    pub asked: bool,
    /// The last scored stage.
    pub last: Option<Box<LastScored>>,
    /// When it counts as granted if nothing follows: its last stage was `pending` and allowed.
    pub granted_at: Option<i64>,
}

impl Attempt {
    /// An attempt that starts at `now`.
    #[must_use]
    pub fn starting(now: i64) -> Self {
        Self {
            started: now,
            ..Self::default()
        }
    }

    /// Whether it may still take a stage: not too old, not too many.
    #[must_use]
    pub fn is_open(&self, now: i64, limits: AttemptLimits) -> bool {
        self.stages < limits.stages_max && now.saturating_sub(self.started) <= limits.open_micros
    }

    /// When it ends by itself if nothing follows, microseconds since the epoch.
    #[must_use]
    pub fn due(&self, limits: AttemptLimits) -> i64 {
        self.granted_at
            .unwrap_or_else(|| self.started.saturating_add(limits.open_micros))
    }

    /// Notes whether an application waits that was told to let them in: it will, if it says nothing more.
    pub fn wait_for_grant(&mut self, event: &LoginEvent, allowed: bool, now: i64, limits: AttemptLimits) {
        let waits = allowed && event.outcome == Some(Outcome::Pending);
        self.granted_at = waits.then(|| now.saturating_add(limits.granted_micros));
    }

    /// Takes the next stage of a login and says whether the attempt ends with it.
    pub fn take(&mut self, event: &LoginEvent) -> Option<End> {
        if self.stages == 0 {
            self.first = FirstEvent {
                source: event.source.clone(),
                id: event.id.clone(),
            };
            self.id.clone_from(&event.attempt.id);
        }
        self.stages = self.stages.saturating_add(1);
        self.granted_at = None;
        let named = event.attempt.id.is_some();
        if event.stage == Stage::Identifier {
            // Somebody typed a name: whatever came of it, nobody has proven anything and nobody is in.
            return (!named).then_some(End::Refused);
        }
        let second_factor_failed = failed_second_factor(event);
        self.second_factor_failed |= second_factor_failed;
        self.proven
            .add(&Proven::of(event, event.auth.enrolled.as_deref()));
        match event.outcome? {
            Outcome::Pending | Outcome::Partial => {
                self.right_password = true;
                None
            }
            Outcome::Success => {
                self.right_password = true;
                Some(End::Granted)
            }
            Outcome::Refused | Outcome::Abandoned => {
                self.right_password = true;
                Some(End::Refused)
            }
            Outcome::Failure => {
                self.right_password |= second_factor_failed;
                if is_wrong_password(event) {
                    self.wrong_passwords = self.wrong_passwords.saturating_add(1);
                }
                (!named).then_some(End::Refused)
            }
        }
    }
}

/// How long an attempt stays open, and for how many events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptLimits {
    /// Events an attempt may have.
    pub stages_max: u8,
    /// Microseconds after its first event.
    pub open_micros: i64,
    /// Microseconds after which an allowed `pending` counts as granted.
    pub granted_micros: i64,
}

/// Whether an event says that a password was wrong.
#[must_use]
pub fn is_wrong_password(event: &LoginEvent) -> bool {
    event.outcome == Some(Outcome::Failure)
        && event.stage == Stage::FirstFactor
        && matches!(event.reason, None | Some(FailureReason::BadPassword))
        && !failed_after_another(event)
}

/// Whether an event says that a second factor failed, was denied or was given up after a right password.
#[must_use]
pub fn failed_second_factor(event: &LoginEvent) -> bool {
    if event.stage == Stage::Identifier {
        return false;
    }
    match event.outcome {
        Some(Outcome::Failure) => event.stage == Stage::SecondFactor || failed_after_another(event),
        Some(Outcome::Abandoned) => true,
        Some(Outcome::Refused) => event.reason.is_some_and(is_second_factor_reason) || refused_factor(event),
        _ => false,
    }
}

/// Whether an event is scored: somebody knew the right password or more.
#[must_use]
pub fn is_scored(event: &LoginEvent) -> bool {
    let knew_password = match event.outcome {
        Some(Outcome::Failure) => event.stage == Stage::SecondFactor || failed_after_another(event),
        Some(_) => true,
        None => false,
    };
    knew_password && event.stage != Stage::Identifier && event.is_interactive()
}

fn is_second_factor_reason(reason: FailureReason) -> bool {
    matches!(
        reason,
        FailureReason::OtpWrong
            | FailureReason::CodeExpired
            | FailureReason::PushDenied
            | FailureReason::PushExpired
            | FailureReason::PushIgnored
            | FailureReason::WrongPin
    )
}

/// Whether a failure tells of a factor that succeeded and of another that did not: then the second one failed, whatever
/// stage the sender named.
fn failed_after_another(event: &LoginEvent) -> bool {
    let succeeded = |factor: &UsedFactor| factor.result == Some(FactorResult::Success);
    event.stage == Stage::FirstFactor && event.auth.factors.iter().any(succeeded) && refused_factor(event)
}

fn refused_factor(event: &LoginEvent) -> bool {
    event.auth.factors.iter().any(|factor| {
        factor.method != FactorType::Password
            && matches!(
                factor.result,
                Some(
                    FactorResult::Failure
                        | FactorResult::Denied
                        | FactorResult::Expired
                        | FactorResult::Ignored
                        | FactorResult::Cancelled
                )
            )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{EventType, Timestamp};

    const LIMITS: AttemptLimits = AttemptLimits {
        stages_max: 8,
        open_micros: 900_000_000,
        granted_micros: 60_000_000,
    };

    fn stage(outcome: Outcome, stage: Stage, attempt: Option<&str>) -> LoginEvent {
        let mut event = LoginEvent::new("1", "test", EventType::Login, Timestamp::from_seconds(0));
        event.outcome = Some(outcome);
        event.stage = stage;
        event.attempt.id = attempt.map(Into::into);
        event
    }

    #[test]
    fn a_failure_without_an_attempt_id_ends_at_once() {
        let mut attempt = Attempt::starting(0);
        assert_eq!(
            attempt.take(&stage(Outcome::Failure, Stage::FirstFactor, None)),
            Some(End::Refused)
        );
        assert!(!attempt.right_password);
        assert_eq!(attempt.wrong_passwords, 1);
    }

    #[test]
    fn a_named_attempt_stays_open_over_failures_until_success() {
        let mut attempt = Attempt::starting(0);
        assert_eq!(
            attempt.take(&stage(Outcome::Failure, Stage::FirstFactor, Some("a"))),
            None
        );
        assert_eq!(
            attempt.take(&stage(Outcome::Partial, Stage::FirstFactor, Some("a"))),
            None
        );
        assert_eq!(
            attempt.take(&stage(Outcome::Failure, Stage::SecondFactor, Some("a"))),
            None
        );
        assert!(attempt.second_factor_failed && attempt.right_password);
        assert_eq!(
            attempt.take(&stage(Outcome::Success, Stage::SecondFactor, Some("a"))),
            Some(End::Granted)
        );
        assert_eq!((attempt.stages, attempt.wrong_passwords), (4, 1));
    }

    #[test]
    fn giving_up_after_the_right_password_is_a_second_factor_not_passed() {
        let mut attempt = Attempt::starting(0);
        assert_eq!(
            attempt.take(&stage(Outcome::Abandoned, Stage::SecondFactor, None)),
            Some(End::Refused)
        );
        assert!(attempt.second_factor_failed && attempt.right_password);
    }

    #[test]
    fn refused_by_policy_is_no_failed_factor_but_a_denied_push_is() {
        let mut event = stage(Outcome::Refused, Stage::FirstFactor, None);
        event.reason = Some(FailureReason::Policy);
        assert!(!failed_second_factor(&event));
        event.reason = Some(FailureReason::PushDenied);
        assert!(failed_second_factor(&event));
    }

    #[test]
    fn an_allowed_pending_is_granted_after_a_minute_and_anything_else_is_abandoned() {
        let mut attempt = Attempt::starting(1_000);
        let pending = stage(Outcome::Pending, Stage::FirstFactor, Some("a"));
        attempt.take(&pending);
        attempt.wait_for_grant(&pending, true, 5_000, LIMITS);
        assert_eq!(attempt.due(LIMITS), 60_005_000);
        attempt.wait_for_grant(&pending, false, 5_000, LIMITS);
        assert_eq!(attempt.due(LIMITS), 900_001_000);
        let partial = stage(Outcome::Partial, Stage::FirstFactor, Some("a"));
        attempt.wait_for_grant(&partial, true, 5_000, LIMITS);
        assert_eq!(attempt.due(LIMITS), 900_001_000);
    }

    #[test]
    fn an_attempt_closes_after_its_time_and_its_stages() {
        let mut attempt = Attempt::starting(0);
        assert!(attempt.is_open(900_000_000, LIMITS) && !attempt.is_open(900_000_001, LIMITS));
        attempt.stages = 8;
        assert!(!attempt.is_open(0, LIMITS));
    }

    #[test]
    fn a_typed_name_proves_nothing_whatever_came_of_it() {
        for outcome in [
            Outcome::Success,
            Outcome::Refused,
            Outcome::Abandoned,
            Outcome::Pending,
        ] {
            let mut attempt = Attempt::starting(0);
            let event = stage(outcome, Stage::Identifier, None);
            assert_eq!(attempt.take(&event), Some(End::Refused), "{outcome}");
            assert!(
                !attempt.right_password && !attempt.second_factor_failed,
                "{outcome}"
            );
            assert!(!failed_second_factor(&event) && !is_scored(&event), "{outcome}");
        }
        let mut named = Attempt::starting(0);
        assert_eq!(
            named.take(&stage(Outcome::Success, Stage::Identifier, Some("a"))),
            None
        );
    }

    #[test]
    fn a_denied_push_beside_a_right_password_is_a_failed_second_factor_in_any_stage() {
        let mut event = stage(Outcome::Failure, Stage::FirstFactor, None);
        let factor = |method, result| UsedFactor {
            method,
            factor_id: None,
            result: Some(result),
            at: None,
            challenged_at: None,
            aaguid: None,
            synced: None,
            transport: None,
            user_verification: None,
        };
        event.auth.factors = [
            factor(FactorType::Password, FactorResult::Success),
            factor(FactorType::Push, FactorResult::Denied),
        ]
        .into();
        assert!(failed_second_factor(&event) && is_scored(&event) && !is_wrong_password(&event));
        event.auth.factors = [factor(FactorType::Totp, FactorResult::Failure)].into();
        assert!(
            !failed_second_factor(&event) && !is_scored(&event),
            "a code alone may be the first factor"
        );
    }

    #[test]
    fn only_a_known_password_is_scored() {
        assert!(is_scored(&stage(Outcome::Pending, Stage::FirstFactor, None)));
        assert!(is_scored(&stage(Outcome::Failure, Stage::SecondFactor, None)));
        assert!(!is_scored(&stage(Outcome::Failure, Stage::FirstFactor, None)));
        assert!(!is_scored(&stage(Outcome::Success, Stage::Identifier, None)));
        let mut silent = stage(Outcome::Success, Stage::FirstFactor, None);
        silent.auth.interactive = Some(false);
        assert!(!is_scored(&silent));
    }
}
