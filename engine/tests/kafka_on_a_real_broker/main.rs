//! What only a real broker shows: crashes under load, a broker that goes away, topics that are made anew, logs that lose
//! their beginning, partitions that are added.
//!
//! `DOORWARD_TEST_KAFKA=host:port` names the broker; `./test all` starts one of its own for that. Tests that stop a broker
//! start another one by the script `engine/tests/kafka/broker`, with `DOORWARD_TEST_BROKER=own`. Without the variables they
//! say that they were skipped. `DOORWARD_TEST_LONG=1` takes 200 kills instead of 20 and a broker that is away for 60 s.

#![cfg(feature = "kafka")]
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot prepare its world fails, as it should"
)]

#[path = "../harness/kafka.rs"]
#[expect(dead_code, reason = "what other tests need")]
mod kafka;

mod broker;
mod crash;
mod load;
mod logs;
mod outage;
#[cfg(feature = "kafka-tls")]
mod secure;
mod stories;

fn is_long() -> bool {
    std::env::var("DOORWARD_TEST_LONG").is_ok_and(|value| value == "1")
}
