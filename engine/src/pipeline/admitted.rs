//! What a door hands to the sequencer: bytes, where they stood, `now`, and what was made of them.

use std::sync::Arc;

use crate::enrich::EnrichedLogin;
use crate::pipeline::dead_letter::{Refusal, dead_letter_id};
use crate::pipeline::ports::{Change, InputIdentity};

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

/// One line that is not blank.
#[derive(Debug, Clone, PartialEq)]
pub struct Admitted {
    /// As it came in.
    pub bytes: Vec<u8>,
    /// Where it stood.
    pub origin: Origin,
    /// Doorward's clock at the door, microseconds since the epoch.
    pub now: i64,
    /// The event, or why there is none.
    pub content: Result<Box<EnrichedLogin>, Refusal>,
}

/// What comes out of a door, in order.
#[derive(Debug)]
pub enum Arrival {
    /// A line.
    Line(Admitted),
    /// Everything of an input up to here has been handed over: the row to store in the same commit.
    Position(Change),
}
