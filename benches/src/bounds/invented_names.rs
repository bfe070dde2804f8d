//! Somebody guesses at names that nobody has, each time from another address with another device: nothing of it stays.

use std::net::Ipv4Addr;

use doorward::config::Settings;
use doorward::event::Timestamp;
use doorward::generate::EventBuilder;
use doorward::generate::random::Random;
use doorward::pipeline::ports::Keyspace;

use super::Bound;
use super::memory::resident_mib;
use super::rows::{Failure, Rows};

const BATCH: u64 = 1_024;
const MEMORY_MIB_MAX: u64 = 64;
/// A guess every so many microseconds: two hundred a second.
const BETWEEN: i64 = 5_000;
/// Every so many guesses one is part of an attempt that goes on.
const ATTEMPT_EVERY: u64 = 10;

/// Plays so many guesses.
///
/// # Errors
/// When a line is refused.
pub fn check(events: u64) -> Result<Vec<Bound>, Failure> {
    let mut rows = Rows::new(&Settings::default())?;
    let mut random = Random::stream(3, "names", 0);
    let mut time = Timestamp::from_seconds(1_580_515_200);
    let before = resident_mib();
    let mut most = before;
    let mut number = 0;
    while number < events {
        let mut lines = Vec::new();
        for _ in 0..BATCH.min(events - number) {
            time = time.plus_micros(BETWEEN);
            lines.push((guess(number, time, &mut random), time.as_micros()));
            number += 1;
        }
        rows.take(lines, |_| {})?;
        if number.is_multiple_of(BATCH * 64) {
            most = most.max(resident_mib());
        }
    }
    most = most.max(resident_mib());
    rows.settle(|_| {})?;
    let mut bounds = Vec::new();
    for (what, keyspace) in [
        ("histories of invented names", Keyspace::User),
        ("failures of invented names", Keyspace::Failures),
        ("attempts of invented names that are left", Keyspace::Attempt),
        ("timers that are left", Keyspace::Timer),
        ("mailboxes of invented names", Keyspace::Mailbox),
    ] {
        bounds.push(Bound::new(what, rows.count(keyspace)?, 0, "rows"));
    }
    match before.zip(most) {
        Some((before, most)) => bounds.push(Bound::new(
            "memory above that at the start",
            most.saturating_sub(before),
            MEMORY_MIB_MAX,
            "MiB",
        )),
        None => eprintln!("SKIPPED: this system does not tell how much memory is resident"),
    }
    Ok(bounds)
}

fn guess(number: u64, time: Timestamp, random: &mut Random) -> Vec<u8> {
    let event = EventBuilder::login(
        &format!("e-{number}"),
        "t",
        &format!("{}@example.org", random.hex(16)),
    )
    .at(time)
    .address(&Ipv4Addr::from_bits(random.next_u64() as u32 >> 1 | 1 << 24).to_string())
    .set(
        "client.user_agent",
        format!("{}/{}", random.hex(12), random.below(1_000)),
    )
    .set("device.id", random.hex(32))
    .wrong_password();
    if number.is_multiple_of(ATTEMPT_EVERY) {
        event.attempt(&random.hex(16)).line()
    } else {
        event.line()
    }
}
