//! An alert as it is stored: everything that a mail says, so that the same alert always makes the same mail, whatever
//! changed since. Values are as they came in; whoever shows them cleans them.

use serde::{Deserialize, Serialize};

use super::classify::OwnerKind;
use super::place::Place;
use super::silence::HeldBack;
use crate::event::{AuthMethod, FactorType, Timestamp};
use crate::risk::decision::{AlertLine, DeviceState, Id};
use crate::risk::ids::alert_id;
use crate::terms::Seq;

/// First byte of the stored form.
pub const ALERT_VERSION: u8 = 1;

/// Whom an alert is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum AlertTo {
    /// The owner of the account, by mail.
    Owner,
    /// An analyst.
    Analyst,
    /// The application.
    Application,
}

impl AlertTo {
    /// Name in decisions and ids.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Analyst => "analyst",
            Self::Application => "application",
        }
    }
}

/// One alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Deterministic id, see [`crate::risk::ids::alert_id`].
    pub id: Id,
    /// One of [`OwnerKind`], or a kind of a rule pack.
    pub kind: Box<str>,
    /// Whom it is for.
    pub to: AlertTo,
    /// Tenant.
    pub tenant: Box<str>,
    /// Canonical user id.
    pub user_id: Option<Box<str>>,
    /// Journal position that raised it.
    pub seq: Seq,
    /// `now` of that record, microseconds since the epoch.
    pub created: i64,
    /// Sender's clock of the login, microseconds since the epoch.
    pub event_time: i64,
    /// Decision that raised it.
    pub decision: Id,
    /// Why it is held back; `None` if it is due.
    pub held_back: Option<HeldBack>,
    /// What the mail says; only for the three kinds that tell the owner of a login.
    pub mail: Option<MailFacts>,
}

#[derive(Serialize)]
struct Line<'a> {
    id: String,
    kind: &'a str,
    to: &'a str,
    status: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<&'a str>,
    tenant: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a str>,
    decision_id: String,
    event_time: String,
    created: String,
    seq: Seq,
}

/// What a mail to an owner says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MailFacts {
    /// Which of the three.
    pub kind: OwnerKind,
    /// Where it goes; empty only if held back for want of an address.
    pub address: Box<str>,
    /// Account as the owner knows it, not shortened; shown shortened.
    pub account: Box<str>,
    /// Name of the application, from the configuration or else its id.
    pub application: Box<str>,
    /// Where to turn without any link (`[app] help_text`); empty: open the application yourself.
    pub help_text: Box<str>,
    /// BCP 47 tag of the owner, never of the attempt.
    pub locale: Option<Box<str>>,
    /// IANA time zone of the owner, never of the attempt.
    pub time_zone: Option<Box<str>>,
    /// Browser or application family from the closed vocabulary; empty if it is not in there.
    pub device_family: Box<str>,
    /// Operating system from the closed vocabulary; empty if it is not in there.
    pub device_os: Box<str>,
    /// How the device stands to those known.
    pub device_state: DeviceState,
    /// Where it came from, as far as it may be said.
    pub place: Place,
    /// What was proven, as codes of [`Proof`], sorted; empty if the application did not tell.
    pub proven: Vec<u8>,
    /// What became of the second factor, if one was asked for.
    pub second_factor: SecondFactor,
    /// Wrong passwords from the same device or address shortly before.
    pub wrong_passwords: u32,
    /// Last granted sign-in before this attempt.
    pub last_sign_in: Option<LastSignIn>,
    /// Whether a page in between may have passed on what was typed.
    pub phishing_possible: bool,
    /// Mails held back since the last one that went out.
    pub held_back_before: u32,
}

/// What became of the second factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SecondFactor {
    /// None was asked for, as far as known.
    NotAsked,
    /// It was right.
    Passed,
    /// It was wrong.
    Failed,
    /// Somebody denied it.
    Denied,
    /// It was asked for, and nobody went on.
    Abandoned,
}

/// A sign-in that the owner can check against memory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastSignIn {
    /// Microseconds since the epoch.
    pub time: i64,
    /// Name of its device, such as `Firefox on Windows`; empty if unknown.
    pub device: Box<str>,
}

/// Why stored bytes are no alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// Written by a version that this program does not know.
    #[error("a stored alert has version {0}, this program reads version {ALERT_VERSION}")]
    UnknownVersion(u8),
    /// Not what was written.
    #[error("a stored alert is damaged")]
    Damaged,
}

impl Alert {
    /// Id of an alert of this decision.
    #[must_use]
    pub fn id_of(tenant: &str, kind: &str, to: AlertTo, decision: Id) -> Id {
        alert_id(tenant, kind, to.as_str(), decision)
    }

    /// The alert as its decision names it.
    #[must_use]
    pub fn line(&self) -> AlertLine {
        AlertLine {
            id: self.id,
            kind: self.kind.clone(),
            to: self.to.as_str().into(),
            held_back: self.held_back.map(|why| why.as_str().into()),
        }
    }

    /// The alert as one line of JSON, for whoever follows alerts. What a mail says is not in it.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let time = |micros: i64| Timestamp::from_micros(micros).to_string();
        let line = Line {
            id: self.id.to_string(),
            kind: &self.kind,
            to: self.to.as_str(),
            status: if self.held_back.is_some() {
                "held_back"
            } else {
                "due"
            },
            why: self.held_back.map(HeldBack::as_str),
            tenant: &self.tenant,
            user_id: self.user_id.as_deref(),
            decision_id: self.decision.to_string(),
            event_time: time(self.event_time),
            created: time(self.created),
            seq: self.seq,
        };
        // Plain values in memory do not fail.
        serde_json::to_vec(&line).unwrap_or_default()
    }

    /// The stored form.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        // Serialising these plain values into memory does not fail.
        postcard::to_extend(self, vec![ALERT_VERSION]).unwrap_or_default()
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// [`DecodeError`] for anything that [`Alert::encode`] did not write.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        match bytes.split_first() {
            Some((&ALERT_VERSION, rest)) => match postcard::take_from_bytes(rest) {
                Ok((alert, [])) => Ok(alert),
                _ => Err(DecodeError::Damaged),
            },
            Some((version, _)) => Err(DecodeError::UnknownVersion(*version)),
            None => Err(DecodeError::Damaged),
        }
    }
}

impl MailFacts {
    /// What was proven; codes of a later version are left out.
    pub fn proofs(&self) -> impl Iterator<Item = Proof> + '_ {
        self.proven.iter().filter_map(|code| Proof::from_code(*code))
    }

    /// `Firefox on Windows`, or as much of it as is known; empty if nothing is.
    #[must_use]
    pub fn device_name(&self) -> String {
        device_words(&self.device_family, &self.device_os)
    }
}

/// What people call a device of this family and system, each from the closed vocabulary or empty.
#[must_use]
pub fn device_words(family: &str, os: &str) -> String {
    match (family, os) {
        ("", "") => String::new(),
        ("", os) => format!("an unusual program on {os}"),
        (family, "") => family.to_owned(),
        (family, os) => format!("{family} on {os}"),
    }
}

/// One thing that was proven: a factor, or a method of RFC 8176 that names no factor of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// A factor.
    Factor(FactorType),
    /// A method.
    Method(AuthMethod),
}

/// Codes of methods start here.
const METHODS_FROM: u8 = 128;

impl Proof {
    /// What a method proves; `None` if it counts as nothing.
    #[must_use]
    pub const fn of_method(method: AuthMethod) -> Option<Self> {
        Some(match method {
            AuthMethod::Pwd => Self::Factor(FactorType::Password),
            AuthMethod::Otp => Self::Factor(FactorType::Totp),
            AuthMethod::Sms => Self::Factor(FactorType::Sms),
            AuthMethod::Tel => Self::Factor(FactorType::Voice),
            AuthMethod::Sc => Self::Factor(FactorType::Smartcard),
            AuthMethod::Federated => Self::Factor(FactorType::Federated),
            AuthMethod::Pin
            | AuthMethod::Hwk
            | AuthMethod::Swk
            | AuthMethod::Pop
            | AuthMethod::Fpt
            | AuthMethod::Face
            | AuthMethod::Iris
            | AuthMethod::Retina
            | AuthMethod::Vbm
            | AuthMethod::Mfa
            | AuthMethod::Wia => Self::Method(method),
            AuthMethod::Kba
            | AuthMethod::Geo
            | AuthMethod::Rba
            | AuthMethod::Mca
            | AuthMethod::User
            | AuthMethod::Other => return None,
        })
    }

    /// A small number for stored forms.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Factor(factor) => factor.code(),
            Self::Method(method) => METHODS_FROM.saturating_add(method.code()),
        }
    }

    /// What has this code; `None` for a code of a later version.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        match code.checked_sub(METHODS_FROM) {
            None => FactorType::from_code(code).map(Self::Factor),
            Some(code) => AuthMethod::from_code(code).map(Self::Method),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn alert() -> Alert {
        Alert {
            id: Id([7; 16]),
            kind: "unknown_device_in".into(),
            to: AlertTo::Owner,
            tenant: "default".into(),
            user_id: Some("jane".into()),
            seq: 300,
            created: 1_780_000_000_000_000,
            event_time: 1_779_999_999_000_000,
            decision: Id([9; 16]),
            held_back: Some(HeldBack::Budget),
            mail: Some(MailFacts {
                kind: OwnerKind::UnknownDeviceIn,
                address: "jane@example.org".into(),
                account: "jane@example.org".into(),
                application: "Example Shop".into(),
                help_text: "".into(),
                locale: Some("en".into()),
                time_zone: Some("Europe/Copenhagen".into()),
                device_family: "Firefox".into(),
                device_os: "Windows".into(),
                device_state: DeviceState::New,
                place: Place::Town {
                    town: "Aarhus".into(),
                    country: "Denmark".into(),
                },
                proven: vec![FactorType::Password.code(), FactorType::Totp.code(), 250],
                second_factor: SecondFactor::Passed,
                wrong_passwords: 1,
                last_sign_in: Some(LastSignIn {
                    time: 1_779_000_000_000_000,
                    device: "Safari on iOS".into(),
                }),
                phishing_possible: false,
                held_back_before: 2,
            }),
        }
    }

    #[test]
    fn what_is_stored_is_read_back() {
        let mut other = alert();
        assert_eq!(Alert::decode(&other.encode()), Ok(other.clone()));
        (other.mail, other.held_back, other.user_id) = (None, None, None);
        assert_eq!(Alert::decode(&other.encode()), Ok(other));
    }

    #[test]
    fn damage_is_told_apart() {
        let mut bytes = alert().encode();
        assert_eq!(Alert::decode(&[]), Err(DecodeError::Damaged));
        assert_eq!(Alert::decode(&[9]), Err(DecodeError::UnknownVersion(9)));
        assert_eq!(
            Alert::decode(&bytes[..bytes.len() - 1]),
            Err(DecodeError::Damaged)
        );
        bytes.push(0);
        assert_eq!(Alert::decode(&bytes), Err(DecodeError::Damaged));
    }

    #[test]
    fn a_factor_of_a_later_version_is_left_out() {
        let facts = alert().mail.unwrap();
        assert_eq!(
            facts.proofs().collect::<Vec<_>>(),
            [
                Proof::Factor(FactorType::Password),
                Proof::Factor(FactorType::Totp)
            ]
        );
    }

    #[test]
    fn what_is_proven_is_read_back_by_its_code() {
        for method in AuthMethod::ALL {
            if let Some(proof) = Proof::of_method(*method) {
                assert_eq!(Proof::from_code(proof.code()), Some(proof), "{method}");
            }
        }
        for factor in FactorType::ALL {
            assert_eq!(Proof::from_code(factor.code()), Some(Proof::Factor(*factor)));
        }
    }

    #[test]
    fn a_device_has_the_name_that_is_known() {
        let name = |family: &str, os: &str| {
            let (device_family, device_os) = (family.into(), os.into());
            MailFacts {
                device_family,
                device_os,
                ..alert().mail.unwrap()
            }
            .device_name()
        };
        assert_eq!(name("Firefox", "Windows"), "Firefox on Windows");
        assert_eq!(name("", "Windows"), "an unusual program on Windows");
        assert_eq!(name("Firefox", ""), "Firefox");
        assert_eq!(name("", ""), "");
    }

    #[test]
    fn the_line_of_a_decision_names_why() {
        let line = alert().line();
        assert_eq!((&*line.to, line.held_back.as_deref()), ("owner", Some("budget")));
    }

    proptest! {
        #[test]
        fn foreign_bytes_never_stop_the_reader(mut bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Alert::decode(&bytes);
            if let Some(first) = bytes.first_mut() { *first = ALERT_VERSION; }
            let _ = Alert::decode(&bytes);
        }
    }
}
