//! A door for messages of a log that never ends, such as Kafka: each has a place of its own and a time of arrival.
//!
//! Unlike lines of files, messages of several sources are not merged by time: their order is that in which they came,
//! and the journal remembers it. Not here: how they are fetched, which is `io/kafka`.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;

use crate::event::LoginEvent;
use crate::pipeline::byte_budget::ByteBudget;
use crate::pipeline::dead_letter::Refusal;
use crate::pipeline::door::{Chunk, DoorError, Piece, Promise};
use crate::pipeline::ports::{Change, InputIdentity};

/// Reasons of refusals that are notes on the log and not on a message: no other version makes something else of them.
pub const NOTES: [&str; 1] = ["log_gap"];

/// One message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Its value, cut at `limits.event_bytes` + 1.
    pub bytes: Vec<u8>,
    /// Its place in the log.
    pub offset: u64,
    /// Doorward's clock at it, microseconds since the epoch (clause S3): when it was written, never above the wall clock.
    pub now: i64,
    /// Why it is no event, when that is known before anybody looks into it.
    pub refused: Option<Refusal>,
}

/// Messages of one log in their order.
#[derive(Debug)]
pub struct MessageChunk {
    /// The log.
    pub input: Arc<InputIdentity>,
    /// Its messages; may be none.
    pub messages: Vec<Message>,
    /// How far the log was read: the row to store in the commit that holds the messages.
    pub position: Change,
}

/// A way in that never ends by itself.
pub trait MessageSource: Send {
    /// Name for messages to people.
    fn name(&self) -> &str;

    /// Waits a moment for messages, about `max` of them; none if nothing came.
    ///
    /// # Errors
    /// When reading fails in a way that waiting does not mend.
    fn next_chunks(&mut self, max: usize) -> Result<Vec<MessageChunk>, io::Error>;
}

/// Who may speak through inputs whose names begin alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputScope {
    /// What the names begin with.
    pub inputs: Box<str>,
    /// Tenant of events that name none.
    pub tenant: Arc<str>,
    /// Tenants that events may name, if that is fewer than the door lets in.
    pub tenants: Option<Box<[Box<str>]>>,
    /// Values that `source` may have; empty = any.
    pub sources: Box<[Box<str>]>,
}

impl InputScope {
    /// Refuses who may not speak here.
    pub(super) fn check(&self, event: &LoginEvent, tenant: &str) -> Result<(), Refusal> {
        if let Some(tenants) = &self.tenants
            && !tenants.iter().any(|allowed| **allowed == *tenant)
        {
            return Err(Refusal::foreign_tenant(tenant));
        }
        if !self.sources.is_empty() && !self.sources.iter().any(|allowed| **allowed == *event.source) {
            return Err(Refusal::foreign_source(&event.source));
        }
        Ok(())
    }
}

/// The reader of one source; several share the lane that `promise` leads to.
pub(super) struct MessageReading {
    pub(super) work: SyncSender<Chunk>,
    pub(super) promise: SyncSender<Promise>,
    pub(super) budget: Arc<ByteBudget>,
    pub(super) stop: Arc<AtomicBool>,
    pub(super) over: Arc<AtomicBool>,
}

impl MessageReading {
    /// Reads until it is stopped. While what was read finds no room, nothing is fetched: that is all the back-pressure.
    pub(super) fn run(&self, source: &mut dyn MessageSource, chunk_max: usize) {
        while !self.ended() {
            let chunks = match source.next_chunks(chunk_max) {
                Ok(chunks) => chunks,
                Err(error) => {
                    let name = source.name().to_owned();
                    // Nobody listens any more only if the run is over for another reason.
                    let _ = self.promise.send(Err(DoorError { name, source: error }));
                    return;
                }
            };
            for chunk in chunks {
                if !self.hand_on(chunk) {
                    return;
                }
            }
        }
    }

    fn ended(&self) -> bool {
        self.stop.load(Ordering::Relaxed) || self.over.load(Ordering::Relaxed)
    }

    /// False if nobody wants it any more.
    fn hand_on(&self, chunk: MessageChunk) -> bool {
        let bytes = chunk.messages.iter().map(|message| message.bytes.len()).sum();
        if !self.budget.take(bytes, || self.ended()) {
            return false;
        }
        let pieces = chunk.messages.into_iter().map(Piece::Message).collect();
        let (chunk, promised) = Chunk::new(pieces, chunk.input, Some(chunk.position));
        self.promise.send(Ok(promised)).is_ok() && self.work.send(chunk).is_ok()
    }
}
