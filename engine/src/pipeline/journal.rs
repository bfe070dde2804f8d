//! Records of the journal (clause S1): all that can change a decision, in one order. Each has its `now`; an event also
//! carries its crowd observation, so that the counters fold from here.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::history::crowd::CrowdObservation;
use crate::pipeline::ports::{Keyspace, StoreError};
use crate::pipeline::row_bytes;
use crate::pipeline::versions::Hashes;
use crate::risk::decision::Id;

const VERSION: u8 = 1;

/// One record; `B` is how its bytes are held.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JournalRecord<B> {
    /// Doorward's clock at the door, microseconds since the epoch.
    pub now: i64,
    /// What happened.
    pub body: Body<B>,
}

/// What a record holds. Operator actions and ticks are added at the end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Body<B> {
    /// An event that was admitted.
    Event {
        /// Tenant it was admitted for.
        tenant: Arc<str>,
        /// As it came in.
        bytes: B,
        /// What the counters across users saw of it.
        observation: Option<CrowdObservation>,
    },
    /// A line that was refused; the line itself is a dead letter.
    Refused {
        /// Stable code.
        reason: Box<str>,
        /// Its dead letter.
        dead_letter: [u8; 32],
    },
    /// An event of our own, which a timer made: folding the records before it makes it again.
    Own {
        /// Tenant.
        tenant: Arc<str>,
        /// As we wrote it.
        bytes: B,
        /// What the counters across users saw of it.
        observation: Option<CrowdObservation>,
    },
    /// A timer raised an alert; folding the records before it raises it again.
    Told {
        /// Its id.
        alert: Id,
    },
    /// As `Event`, read in from old logs: it decides otherwise (credit, lateness, alerts), so the record says it. A fold
    /// that only knew the command line of its own run would learn something else.
    Backfilled {
        /// Tenant it was admitted for.
        tenant: Arc<str>,
        /// As it came in.
        bytes: B,
        /// What the counters across users saw of it.
        observation: Option<CrowdObservation>,
    },
    /// As `Refused`, read in from old logs. What a timer does goes by the last record that came from a door, and that
    /// may be this one.
    BackfilledRefused {
        /// Stable code.
        reason: Box<str>,
        /// Its dead letter.
        dead_letter: [u8; 32],
    },
    /// From here on other rules, lists, geo files or settings are in force (clause S11). What stood in them is in the
    /// archive.
    Activated {
        /// The hash that decisions name.
        versions: Id,
        /// The hashes that it is made of.
        hashes: Hashes,
    },
    /// The inputs had ended, and what was due up to the `now` of this record fired as if so much time had passed. Some
    /// of it leaves no record of its own, such as an attempt without a right password. The clock stays.
    Settled,
    /// A record that named a user who was erased since: only its place and its time are left.
    Erased {
        /// Whether a door gave it.
        from_door: bool,
        /// Whether it was read in from old logs.
        backfill: bool,
    },
    /// A person had a user erased. What the records up to here fold to is in an image of the state.
    UserErased {
        /// Keyed hash of tenant and user: whether it was somebody in particular can be told, who it was cannot.
        user: [u8; 16],
        /// Records that were erased.
        records: u64,
    },
}

impl<B> Body<B> {
    /// Whether a door gave it: its `now` is a time of the world, and no timer made it.
    pub const fn is_from_door(&self) -> bool {
        match self {
            Self::Erased { from_door, .. } => *from_door,
            _ => matches!(self, Self::Event { .. } | Self::Refused { .. }) || self.is_backfill(),
        }
    }

    /// Whether it was read in from old logs.
    pub const fn is_backfill(&self) -> bool {
        match self {
            Self::Erased { backfill, .. } => *backfill,
            _ => matches!(self, Self::Backfilled { .. } | Self::BackfilledRefused { .. }),
        }
    }

    /// What is left of it after an erasure.
    #[must_use]
    pub fn erased<C>(&self) -> Body<C> {
        Body::Erased {
            from_door: self.is_from_door(),
            backfill: self.is_backfill(),
        }
    }

    /// What the counters across users saw of it.
    pub const fn observation(&self) -> Option<CrowdObservation> {
        match self {
            Self::Event { observation, .. }
            | Self::Own { observation, .. }
            | Self::Backfilled { observation, .. } => *observation,
            Self::Refused { .. }
            | Self::Told { .. }
            | Self::BackfilledRefused { .. }
            | Self::Activated { .. }
            | Self::Settled
            | Self::Erased { .. }
            | Self::UserErased { .. } => None,
        }
    }
}

/// Bytes of a record beside those of its event.
const BESIDE_EVENT: usize = 128;

/// Bytes of a record, whose event has `bytes` bytes.
///
/// # Errors
/// As [`row_bytes::encode`].
pub fn encode<B: Serialize>(record: &JournalRecord<B>, bytes: usize) -> Result<Vec<u8>, StoreError> {
    row_bytes::encode_sized(
        Keyspace::Journal,
        VERSION,
        record,
        bytes.saturating_add(BESIDE_EVENT),
    )
}

/// Reads a record.
///
/// # Errors
/// As [`row_bytes::decode`].
pub fn decode(bytes: &[u8]) -> Result<JournalRecord<Vec<u8>>, StoreError> {
    row_bytes::decode(Keyspace::Journal, VERSION, bytes)
}
