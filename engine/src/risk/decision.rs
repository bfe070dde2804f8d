//! A decision and everything that explains it. Field by field: `events-and-decisions` in the documentation.
//!
//! One value, three renderings: the compact line that is streamed, the binary row that is stored, and the page that
//! `explain` shows. All three come from this type, so they cannot disagree.

use std::borrow::Cow;
use std::sync::Arc;

use doorward_rules::Points;
use serde::{Deserialize, Serialize};

pub use crate::history::{DeviceState, Maturity};
pub use crate::terms::{Action, Id, Level, Seq};

/// What became of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum LineStatus {
    /// Its points count.
    Fired,
    /// Its condition is false, or it does not apply to this user.
    NotApplicable,
    /// An input is missing.
    NoData,
    /// True, but another rule of its group looks at the same fact and counts more. Its effect holds.
    Covered,
    /// Switched off by an exception.
    Excepted,
    /// The condition failed, such as a division by zero.
    Error,
}

impl LineStatus {
    /// Name in JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fired => "fired",
            Self::NotApplicable => "not_applicable",
            Self::NoData => "no_data",
            Self::Covered => "covered",
            Self::Excepted => "excepted",
            Self::Error => "error",
        }
    }
}

/// Who wrote a line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum LineRule {
    /// A rule file, by id.
    Rule(Arc<str>),
    /// The cap on newness took points off.
    CapNewness,
    /// The cap on trust gave points back.
    CapTrust,
}

impl LineRule {
    /// Id in JSON.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Rule(id) => id,
            Self::CapNewness => "cap:newness",
            Self::CapTrust => "cap:trust",
        }
    }
}

/// One line of the ledger. `base` + points of fired lines = score before clamping, exactly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerLine {
    /// Who wrote it.
    pub rule: LineRule,
    /// What became of it.
    pub status: LineStatus,
    /// What it would count, or counts if fired; hundredths.
    pub points: Points,
}

/// The part of a decision that only scored events have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scored {
    /// What to do.
    pub action: Action,
    /// Level that the score, the application and the rules ask for.
    pub required: Level,
    /// Level that this attempt has proven.
    pub achieved: Level,
    /// Prior of the application.
    pub base: Points,
    /// Sum of base and fired lines, not clamped.
    pub sum: Points,
    /// All lines but `not_applicable` ones, in order of the rule ids, caps last.
    pub ledger: Vec<LedgerLine>,
    /// How to get in, for `step_up` and `hold`.
    pub step_up: Option<StepUp>,
}

impl Scored {
    /// Score for people, 0 to 100.
    #[must_use]
    pub fn score(&self) -> Points {
        Points::from_hundredths(self.sum.hundredths().clamp(0, 10_000))
    }
}

/// What may be used to prove more, and what may not.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StepUp {
    /// Level to prove now; may be below `required` (scoring, case 5).
    pub level: u8,
    /// Factors that may be used: id and why.
    pub factors: Vec<FactorChoice>,
    /// Factors that may not: id and why not.
    pub rejected: Vec<FactorChoice>,
    /// Level of most logins in 90 days, if known.
    pub usual: Option<u8>,
    /// Level of the strongest mature factor; `None` if the application told nothing.
    pub enrolled_max: Option<u8>,
}

/// A factor and a plain sentence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FactorChoice {
    /// `auth.enrolled[].id`.
    pub id: Box<str>,
    /// Why it may or may not be used.
    pub why: Box<str>,
}

/// The device in words of the decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceVerdict {
    /// How it stands to the devices seen before.
    pub state: DeviceState,
    /// Name for people, such as `Firefox on Windows`.
    pub name: Box<str>,
}

/// Enforced, or only recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Mode {
    /// The application follows the action.
    Enforce,
    /// Decisions are recorded; owner mails are held back.
    Monitor,
    /// Events are recorded and learned; nothing is scored, nobody is told.
    Off,
}

impl Mode {
    /// Name in JSON and configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Monitor => "monitor",
            Self::Off => "off",
        }
    }
}

/// What was decided about one event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// Deterministic id.
    pub id: Id,
    /// 0 for the first verdict on an event.
    pub revision: u32,
    /// `id` of the event as the sender gave it.
    pub event_id: Box<str>,
    /// Sender.
    pub source: Box<str>,
    /// Tenant.
    pub tenant: Arc<str>,
    /// Canonical user id.
    pub user_id: Option<Box<str>>,
    /// Event type, such as `login`.
    pub event_type: Cow<'static, str>,
    /// Outcome as the sender gave it.
    pub outcome: Option<Cow<'static, str>>,
    /// Sender's clock, microseconds since the epoch.
    pub time: i64,
    /// Doorward's clock at the door, microseconds since the epoch.
    pub now: i64,
    /// Position in the journal.
    pub seq: Seq,
    /// Action, levels and ledger; absent for events that are not scored.
    pub scored: Option<Scored>,
    /// Who is to be told.
    pub alerts: Vec<AlertLine>,
    /// The device, for logins.
    pub device: Option<DeviceVerdict>,
    /// How much history there was.
    pub maturity: Option<Maturity>,
    /// Inputs that were missing or old, sorted.
    pub degraded: Vec<Box<str>>,
    /// First 16 bytes of the SHA-256 of (rules, lists, geo, config, time zones, engine).
    pub versions: Id,
    /// False only for a fallback after a deadline.
    pub final_verdict: bool,
    /// Enforced or recorded.
    pub mode: Mode,
    /// Declared fields as the rules saw them, encoded by `doorward_rules::Slots`; empty if not scored.
    #[serde(serialize_with = "at_once")]
    pub slots: Vec<u8>,
}

/// Writes bytes at once and not number by number, which is the same on disk.
fn at_once<S: serde::Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bytes(bytes)
}

/// An alert as a decision names it; the whole alert is a row of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertLine {
    /// Deterministic id.
    pub id: Id,
    /// Kind, such as `unknown_device_in`.
    pub kind: Box<str>,
    /// `owner`, `analyst` or `application`.
    pub to: Box<str>,
    /// Why it is held back; `None` if it is due.
    pub held_back: Option<Box<str>>,
}
