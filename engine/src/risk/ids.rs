//! Ids that anybody can compute again: a decision, an alert, a digest and an event of our own have the same id on
//! every run, in every mode and on every machine.
//!
//! Each is the first 16 bytes of a SHA-256 (FIPS 180-4) over parts, every part preceded by its length as a 32-bit
//! big-endian number, so that `ab`, `c` and `a`, `bc` differ.

use sha2::{Digest, Sha256};

use super::decision::Id;
use crate::event::Timestamp;

/// How an attempt ended that nobody finished; makes the id of the event that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnEnd {
    /// Allowed and taken as granted after a minute.
    Granted,
    /// Nobody came back in time.
    Abandoned,
}

/// Id of the decision about one event: over tenant, source, event id and, not preceded by a length, the revision as
/// a 32-bit big-endian number.
#[must_use]
pub fn decision_id(tenant: &str, source: &str, event_id: &str, revision: u32) -> Id {
    let mut hash = Sha256::new();
    for part in [tenant, source, event_id] {
        feed(&mut hash, part);
    }
    hash.update(revision.to_be_bytes());
    first_half(hash)
}

/// Id of an alert: over tenant, `alert`, its kind, whom it is to, and the decision that raised it as 32 lower-case hex
/// digits.
#[must_use]
pub fn alert_id(tenant: &str, kind: &str, to: &str, decision: Id) -> Id {
    of_parts(&[tenant, "alert", kind, to, &decision.to_string()])
}

/// Id of a digest: over tenant, `digest`, user, and the time it is due in RFC 3339 UTC, such as
/// `2026-03-01T08:00:00Z`.
#[must_use]
pub fn digest_id(tenant: &str, user: &str, due: Timestamp) -> Id {
    of_parts(&[tenant, "digest", user, &due.to_string()])
}

/// Event id of an event of our own: over tenant, source and id of the attempt's first event, and `granted` or
/// `abandoned`. Its source is [`crate::event::OWN_SOURCE`].
#[must_use]
pub fn own_event_id(tenant: &str, source: &str, first_event_id: &str, end: OwnEnd) -> Id {
    let end = match end {
        OwnEnd::Granted => "granted",
        OwnEnd::Abandoned => "abandoned",
    };
    of_parts(&[tenant, source, first_event_id, end])
}

fn of_parts(parts: &[&str]) -> Id {
    let mut hash = Sha256::new();
    for part in parts {
        feed(&mut hash, part);
    }
    first_half(hash)
}

fn feed(hash: &mut Sha256, part: &str) {
    // Every part was limited at the door to far below 4 GiB.
    let length = u32::try_from(part.len()).unwrap_or(u32::MAX);
    hash.update(length.to_be_bytes());
    hash.update(part.as_bytes());
}

fn first_half(hash: Sha256) -> Id {
    let digest: [u8; 32] = hash.finalize().into();
    let mut id = [0; 16];
    for (to, from) in id.iter_mut().zip(digest) {
        *to = from;
    }
    Id(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed by another program (Python's hashlib) from the definition.
    #[test]
    fn ids_are_those_of_the_definition() {
        let first = decision_id("default", "shop/web", "evt-1", 0);
        assert_eq!(first.to_string(), "1e71848be4054422b73a93358663853c");
        assert_eq!(
            decision_id("default", "shop/web", "evt-1", 1).to_string(),
            "cdaad0618317efd66bad8e5ebf02873d"
        );
        assert_eq!(
            alert_id("default", "unknown_device_in", "owner", first).to_string(),
            "8e8c977183bfddca1d8527943b701a7f"
        );
        let due = Timestamp::parse("2026-03-01T08:00:00Z").unwrap();
        assert_eq!(
            digest_id("default", "jane", due).to_string(),
            "972691ebf55b82f0082b56c08ea4b7a0"
        );
        assert_eq!(
            own_event_id("default", "shop/web", "evt-1", OwnEnd::Granted).to_string(),
            "60f61d792bce3eae87ba1c5e210a05f3"
        );
        assert_eq!(
            own_event_id("default", "shop/web", "évt-1", OwnEnd::Abandoned).to_string(),
            "c19163c8482e9dea926af3e0a4e5da99"
        );
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        assert_ne!(decision_id("a", "bc", "d", 0), decision_id("ab", "c", "d", 0));
        assert_ne!(decision_id("a", "b", "c", 0), decision_id("a", "b", "c", 256));
    }
}
