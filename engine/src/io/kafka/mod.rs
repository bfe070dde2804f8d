//! Kafka: events in, decisions, alerts and dead letters out (clauses S3, S9 and S14).
//!
//! Where a partition is read on is in the store, in the commit that holds what was read; Kafka's own offsets are written
//! for tools only. There is no group membership, so nothing is ever taken from us in the middle of a batch. What goes out
//! goes out at least once, in the order of `seq` for each user, and repeats have equal ids.
//!
//! - [`open`](opening) checks topics and positions before anything is read, and refuses what would lose messages;
//! - [`KafkaSource`] reads, a thread each, and only while there is room for what it reads;
//! - [`Watch`] looks from outside: lag, new partitions, partitions that stand still, who else uses the group;
//! - [`KafkaSink`] publishes, and moves its cursor behind what the brokers have acknowledged.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "it talks to brokers, and `now` of a message is never above the wall clock"
)]

mod client;
mod envelope;
mod fault;
mod opening;
mod shared;
mod sink;
mod source;
mod watch;

pub use fault::KafkaFault;
pub use opening::{Log, Opened, Opening};
pub use shared::{Figures, Shared};
pub use sink::{KafkaSink, Outlet, Publisher};
pub use source::KafkaSource;
pub use watch::Watch;

use crate::io::partition_position::INPUT_PREFIX;

/// What the names of the inputs of a topic begin with.
#[must_use]
pub fn inputs_of(topic: &str) -> String {
    format!("{INPUT_PREFIX}{topic}/")
}

/// The wall clock, microseconds since the epoch.
fn wall_clock_micros() -> i64 {
    let since = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}
