//! Other rules, lists, geo files or settings while a run goes on (clause S11).
//!
//! A new version is taken over as a whole by the deciding thread, between two batches. The doors work with it from then
//! on; what they had made of lines under the version before is made again, so that a line is only ever decided under
//! one version (clause S2).

use std::sync::mpsc::Receiver;
use std::sync::{Arc, PoisonError, RwLock};

use crate::enrich::EnrichCaches;
use crate::pipeline::admitted::{Admitted, Arrival};
use crate::pipeline::door::DoorPolicy;
use crate::pipeline::engine::Engine;
use crate::pipeline::messages::NOTES;

/// A version that may be put in force.
pub struct Version {
    /// Everything that decides. What a sequencer is opened with must be the same as before: limits of the counters and
    /// timers, what a jump is, the key of the hashes.
    pub engine: Arc<Engine>,
    /// What doors let in, and how they look it up.
    pub door: DoorPolicy,
}

/// Versions to take over, in their order.
pub type Reloads = Receiver<Version>;

/// What doors work with now. Who took it keeps it, so nobody ever sees half of a change.
pub struct CurrentDoor(RwLock<Arc<DoorPolicy>>);

impl CurrentDoor {
    /// Starts with a policy.
    #[must_use]
    pub fn new(policy: DoorPolicy) -> Self {
        Self(RwLock::new(Arc::new(policy)))
    }

    /// The policy of now.
    #[must_use]
    pub fn get(&self) -> Arc<DoorPolicy> {
        // A writer only swaps a pointer, so a poisoned lock still guards a whole policy.
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on another one.
    pub fn set(&self, policy: DoorPolicy) -> Arc<DoorPolicy> {
        let policy = Arc::new(policy);
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&policy);
        policy
    }
}

/// Makes again what a door made of lines under another version; the deciding thread's.
pub struct MadeAgain {
    door: Arc<DoorPolicy>,
    caches: EnrichCaches,
}

impl MadeAgain {
    /// Everything that was not made with `door`.
    #[must_use]
    pub fn with(door: Arc<DoorPolicy>) -> Self {
        Self {
            caches: door.enricher.caches(),
            door,
        }
    }

    /// The arrivals as the door would make them now.
    pub fn arrivals(&mut self, arrivals: &mut [Arrival]) {
        for arrival in arrivals {
            if let Arrival::Line(line) = arrival {
                self.line(line);
            }
        }
    }

    /// The line as the door would make it now.
    pub fn line(&mut self, line: &mut Admitted) {
        let is_note = matches!(&line.content, Err(refusal) if NOTES.contains(&&*refusal.reason));
        if line.made_with == self.door.versions || is_note {
            return;
        }
        let bytes = std::mem::take(&mut line.bytes);
        let (origin, now) = (line.origin.clone(), line.now);
        *line = self.door.admit(bytes, origin, now, &mut self.caches);
    }
}
