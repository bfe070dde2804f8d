//! Of what an owner is told at the end of an attempt. It follows from facts, not from the action alone: somebody who
//! got in against our advice got in.

use std::fmt;

use doorward_rules::Points;
use serde::{Deserialize, Serialize};

use crate::risk::decision::DeviceState;

/// What an owner is told of. Packs may add kinds of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum OwnerKind {
    /// Somebody got in on a device that is not known.
    UnknownDeviceIn,
    /// The password was right, and then the second factor failed, was denied, or nobody went on.
    SecondFactorNotPassed,
    /// The password was right, and the sign-in was turned away for want of proof.
    SignInNeededMoreProof,
    /// Wrong passwords on a device that is not known, and nobody got further.
    WrongPasswordUnknownDevice,
    /// What was held back of a day, in one mail.
    Digest,
}

impl OwnerKind {
    /// All, in the order of the enum.
    pub const ALL: [Self; 5] = [
        Self::UnknownDeviceIn,
        Self::SecondFactorNotPassed,
        Self::SignInNeededMoreProof,
        Self::WrongPasswordUnknownDevice,
        Self::Digest,
    ];

    /// Name in decisions, files and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UnknownDeviceIn => "unknown_device_in",
            Self::SecondFactorNotPassed => "second_factor_not_passed",
            Self::SignInNeededMoreProof => "sign_in_needed_more_proof",
            Self::WrongPasswordUnknownDevice => "wrong_password_unknown_device",
            Self::Digest => "digest",
        }
    }

    /// Whether somebody is in.
    #[must_use]
    pub const fn got_in(self) -> bool {
        matches!(self, Self::UnknownDeviceIn)
    }
}

impl fmt::Display for OwnerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum AttemptEnd {
    /// Somebody is in, with or without our advice.
    Granted,
    /// Turned away: by the application, by a wrong factor, or by our deny or hold.
    Refused,
    /// Nobody went on after the right password.
    Abandoned,
}

/// What the end of an attempt shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptFacts {
    /// How it ended.
    pub end: AttemptEnd,
    /// Whether somebody knew the right password or more.
    pub right_password: bool,
    /// Whether a second factor failed, was denied or ran out in it.
    pub second_factor_failed: bool,
    /// How the device stands to those known; `None`: nothing can be said.
    pub device: Option<DeviceState>,
    /// Whether our last answer was deny or hold: nobody was asked to go on.
    pub turned_away: bool,
    /// Whether an attack line was true.
    pub attack_fired: bool,
    /// Score of its last decision.
    pub score: Points,
}

/// From this score on, a device that only resembles a known one, or of which nothing is known, is told.
const LIKELY_TOLD_FROM: Points = Points::from_hundredths(2_500);

/// Of what the owner is told, or `None`: the device is known, or nobody had the right password.
#[must_use]
pub fn classify(facts: &AttemptFacts) -> Option<OwnerKind> {
    if !is_device_not_known(facts) {
        return None;
    }
    match facts.end {
        AttemptEnd::Granted => Some(OwnerKind::UnknownDeviceIn),
        AttemptEnd::Refused | AttemptEnd::Abandoned if !facts.right_password => None,
        AttemptEnd::Abandoned if facts.turned_away && !facts.second_factor_failed => {
            Some(OwnerKind::SignInNeededMoreProof)
        }
        AttemptEnd::Abandoned => Some(OwnerKind::SecondFactorNotPassed),
        AttemptEnd::Refused if facts.second_factor_failed => Some(OwnerKind::SecondFactorNotPassed),
        AttemptEnd::Refused => Some(OwnerKind::SignInNeededMoreProof),
    }
}

/// New, a copy, or a look-alike with something against it.
#[must_use]
pub fn is_device_not_known(facts: &AttemptFacts) -> bool {
    match facts.device {
        Some(DeviceState::New | DeviceState::Conflict) => true,
        // A device of which nothing can be said is neither known nor new.
        Some(DeviceState::Resembles) | None => facts.attack_fired || facts.score >= LIKELY_TOLD_FROM,
        Some(DeviceState::Known) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use AttemptEnd::{Abandoned, Granted, Refused};

    fn facts(end: AttemptEnd) -> AttemptFacts {
        AttemptFacts {
            end,
            right_password: true,
            second_factor_failed: false,
            turned_away: false,
            device: Some(DeviceState::New),
            attack_fired: false,
            score: Points::from_hundredths(1_000),
        }
    }

    #[test]
    fn each_end_has_its_kind() {
        let table = [
            (Granted, false, Some(OwnerKind::UnknownDeviceIn)),
            (Granted, true, Some(OwnerKind::UnknownDeviceIn)),
            (Refused, true, Some(OwnerKind::SecondFactorNotPassed)),
            (Refused, false, Some(OwnerKind::SignInNeededMoreProof)),
            (Abandoned, false, Some(OwnerKind::SecondFactorNotPassed)),
            (Abandoned, true, Some(OwnerKind::SecondFactorNotPassed)),
        ];
        for (end, second_factor_failed, kind) in table {
            assert_eq!(
                classify(&AttemptFacts {
                    second_factor_failed,
                    ..facts(end)
                }),
                kind,
                "{end:?}"
            );
        }
    }

    #[test]
    fn whoever_we_turned_away_gave_up_no_second_step() {
        let turned_away = AttemptFacts {
            turned_away: true,
            ..facts(Abandoned)
        };
        assert_eq!(classify(&turned_away), Some(OwnerKind::SignInNeededMoreProof));
        let failed_first = AttemptFacts {
            second_factor_failed: true,
            ..turned_away
        };
        assert_eq!(classify(&failed_first), Some(OwnerKind::SecondFactorNotPassed));
    }

    #[test]
    fn a_wrong_password_is_not_told() {
        for end in [Refused, Abandoned] {
            assert_eq!(
                classify(&AttemptFacts {
                    right_password: false,
                    ..facts(end)
                }),
                None
            );
        }
    }

    #[test]
    fn only_a_device_not_known_is_told() {
        let told = |device, attack_fired, hundredths| {
            let score = Points::from_hundredths(hundredths);
            classify(&AttemptFacts {
                device,
                attack_fired,
                score,
                ..facts(Granted)
            })
            .is_some()
        };
        assert!(told(Some(DeviceState::New), false, 0));
        assert!(told(Some(DeviceState::Conflict), false, 0));
        assert!(!told(Some(DeviceState::Known), true, 9_000));
        assert!(told(None, true, 0) && told(None, false, 2_500) && !told(None, false, 2_499));
        assert!(!told(Some(DeviceState::Resembles), false, 2_499));
        assert!(told(Some(DeviceState::Resembles), false, 2_500));
        assert!(told(Some(DeviceState::Resembles), true, 0));
    }
}
