//! What a door hands to the sequencer: bytes, where they stood, and what was made of them.

use std::sync::Arc;

use crate::enrich::EnrichedLogin;
use crate::pipeline::dead_letter::{Refusal, dead_letter_id};
use crate::pipeline::ports::{Change, InputIdentity};
use crate::pipeline::user_rows::UserKey;
use crate::risk::decision::Id;
use crate::risk::ids::decision_id;

/// Where a line stood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The input.
    pub input: Arc<InputIdentity>,
    /// Number of the line, 1 for the first.
    pub line: u64,
    /// Bytes of the input before it.
    pub offset: u64,
}

impl Origin {
    /// The id that this line has among the dead letters.
    #[must_use]
    pub fn dead_letter_id(&self, bytes: &[u8]) -> [u8; 32] {
        dead_letter_id(&self.input.first_line, self.offset, bytes)
    }
}

/// One line that is not blank. Made by the door's threads, so that hashing is not the deciding thread's work.
#[derive(Debug, Clone, PartialEq)]
pub struct Admitted {
    /// As it came in.
    pub bytes: Vec<u8>,
    /// Where it stood.
    pub origin: Origin,
    /// Doorward's clock at a live door, microseconds since the epoch. `None` for files, whose clock follows from the
    /// lines themselves (clause S3).
    pub now: Option<i64>,
    /// Versions in force when its content was made; under others it is made again (clause S2).
    pub made_with: Id,
    /// The event, or why there is none.
    pub content: Result<Box<EnrichedLogin>, Refusal>,
    /// What it is known by: an event by its decision's id and zeros, anything else by its dead letter's.
    pub id: [u8; 32],
    /// Key of the rows of the user whom the event names.
    pub user: Option<UserKey>,
    /// Whether it is read in from old logs.
    pub backfill: bool,
}

impl Admitted {
    /// A line from a door.
    #[must_use]
    pub fn new(
        bytes: Vec<u8>,
        origin: Origin,
        now: Option<i64>,
        made_with: Id,
        content: Result<Box<EnrichedLogin>, Refusal>,
    ) -> Self {
        let id = match &content {
            Ok(login) => {
                let mut id = [0; 32];
                let decision = decision_id(&login.tenant, &login.event.source, &login.event.id, 0);
                id[..16].copy_from_slice(&decision.0);
                id
            }
            Err(_) => origin.dead_letter_id(&bytes),
        };
        let user = content.as_ref().ok().and_then(|login| UserKey::of(login));
        Self {
            bytes,
            origin,
            now,
            made_with,
            content,
            id,
            user,
            backfill: false,
        }
    }

    /// The same, read in from old logs or not.
    #[must_use]
    pub const fn backfill(mut self, backfill: bool) -> Self {
        self.backfill = backfill;
        self
    }

    /// The id of the first decision on it, if it is an event.
    #[must_use]
    pub fn decision_id(&self) -> Id {
        Id(self.id.first_chunk().copied().unwrap_or_default())
    }

    /// The id it has, or would have, among the dead letters.
    #[must_use]
    pub fn dead_letter_id(&self) -> [u8; 32] {
        match self.content {
            Ok(_) => self.origin.dead_letter_id(&self.bytes),
            Err(_) => self.id,
        }
    }
}

/// What comes out of a door, in order.
#[derive(Debug)]
pub enum Arrival {
    /// A line.
    Line(Box<Admitted>),
    /// Everything of an input up to here has been handed over: the row to store in the same commit.
    Position(Change),
}
