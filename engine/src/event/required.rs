//! Which fields each type of event requires, beyond `id`, `source`, `type` and `time`, which all do.

use super::login_event::LoginEvent;
use super::vocabulary::{EventType, FailureReason, Stage};

/// A field that some types require.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Required {
    /// `user.id`, unless the stage is `identifier` or the reason `no_such_user`.
    UserId,
    /// `outcome`
    Outcome,
    /// `client.ip`
    ClientIp,
    /// `session.id`
    SessionId,
    /// `attempt.id`
    AttemptId,
    /// `attempt.granted`
    AttemptGranted,
    /// `factor`
    Factor,
    /// `contact`
    Contact,
    /// `consent`
    Consent,
    /// `action`
    Action,
    /// `feedback.decision_id`
    FeedbackDecision,
    /// `feedback.verdict`
    FeedbackVerdict,
}

impl Required {
    /// The path of the field.
    pub const fn path(self) -> &'static str {
        match self {
            Self::UserId => "user.id",
            Self::Outcome => "outcome",
            Self::ClientIp => "client.ip",
            Self::SessionId => "session.id",
            Self::AttemptId => "attempt.id",
            Self::AttemptGranted => "attempt.granted",
            Self::Factor => "factor",
            Self::Contact => "contact",
            Self::Consent => "consent",
            Self::Action => "action",
            Self::FeedbackDecision => "feedback.decision_id",
            Self::FeedbackVerdict => "feedback.verdict",
        }
    }

    /// Whether this event may go without the field or has it.
    fn is_met(self, event: &LoginEvent) -> bool {
        match self {
            Self::UserId => event.user.id.is_some() || may_lack_user(event),
            Self::Outcome => event.outcome.is_some(),
            Self::ClientIp => event.client.ip.is_some(),
            Self::SessionId => event.session.id.is_some(),
            Self::AttemptId => event.attempt.id.is_some(),
            Self::AttemptGranted => event.attempt.granted.is_some(),
            Self::Factor => event.factor.is_some(),
            Self::Contact => event.contact.is_some(),
            Self::Consent => event.consent.is_some(),
            Self::Action => event.action.is_some(),
            Self::FeedbackDecision => event
                .feedback
                .as_ref()
                .is_some_and(|feedback| feedback.decision_id.is_some()),
            Self::FeedbackVerdict => event
                .feedback
                .as_ref()
                .is_some_and(|feedback| feedback.verdict.is_some()),
        }
    }
}

/// Nobody is known yet, or nobody has that name: then there is no id to send.
fn may_lack_user(event: &LoginEvent) -> bool {
    event.stage == Stage::Identifier || event.reason == Some(FailureReason::NoSuchUser)
}

/// What events of this type must have.
pub const fn required(event_type: EventType) -> &'static [Required] {
    use EventType as T;
    use Required as R;
    match event_type {
        T::Login => &[R::UserId, R::Outcome, R::ClientIp],
        T::AttemptClosed => &[R::AttemptId, R::AttemptGranted],
        T::SessionSeen => &[R::UserId, R::SessionId, R::ClientIp],
        T::SessionEnded => &[R::UserId, R::SessionId],
        T::Action => &[R::UserId, R::Action],
        T::FactorAdded | T::FactorChanged | T::FactorRemoved | T::FactorVerified => &[R::UserId, R::Factor],
        T::ConsentGranted | T::ConsentRevoked => &[R::UserId, R::Consent],
        T::ContactAdded
        | T::ContactChanged
        | T::ContactVerified
        | T::ContactRemoved
        | T::ContactSimChanged
        | T::ContactBounced => &[R::UserId, R::Contact],
        T::Feedback => &[R::UserId, R::FeedbackDecision, R::FeedbackVerdict],
        T::ChallengeSent
        | T::AccountCreated
        | T::AccountDisabled
        | T::AccountEnabled
        | T::AccountUnlocked
        | T::UserUpdated
        | T::IdentityLinked
        | T::IdentityUnlinked
        | T::MfaEnabled
        | T::MfaDisabled
        | T::LoginOptionChanged
        | T::AppPasswordCreated
        | T::AppPasswordRemoved
        | T::BackupCreated
        | T::BackupUsed
        | T::BackupReplaced
        | T::BackupRestored
        | T::BackupDeleted
        | T::ActivationIssued
        | T::ActivationUsed
        | T::ActivationFailed
        | T::PasswordChanged
        | T::RecoveryRequested
        | T::RecoveryStarted
        | T::RecoveryCompleted => &[R::UserId],
    }
}

/// The first required field that the event lacks.
pub(super) fn lacking(event: &LoginEvent) -> Option<Required> {
    required(event.event_type)
        .iter()
        .copied()
        .find(|field| !field.is_met(event))
}
