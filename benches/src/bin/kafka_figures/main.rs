//! The parts of `benches/kafka`: fills a topic, copies one as fast as a client can, decides one over a store in memory, and
//! measures how long it takes from a message to its decision. Each prints one line.
//!
//! `kafka-figures BROKERS fill TOPIC EVENTS USERS` · `copy FROM TO EVENTS` · `memory FROM TO EVENTS` ·
//! `latency EVENTS DECISIONS RATE SECONDS`

mod clients;
mod latency;
mod memory;

use std::time::Instant;

use clients::{Failure, cpu_seconds};

fn main() -> Result<(), Failure> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        [brokers, "fill", topic, events, users] => {
            clients::fill(brokers, topic, events.parse()?, users.parse()?)
        }
        [brokers, "copy", from, to, events] => {
            let events = events.parse()?;
            timed("copy", events, || clients::copy(brokers, from, to, events))
        }
        [brokers, "memory", from, to, events] => {
            let events = events.parse()?;
            timed("decide in memory", events, || {
                memory::decide(brokers, from, to, events)
            })
        }
        [brokers, "latency", events, decisions, rate, seconds] => {
            latency::measure(brokers, (events, decisions), rate.parse()?, seconds.parse()?)
        }
        _ => Err("see the top of main.rs".into()),
    }
}

fn timed(what: &str, events: u64, work: impl FnOnce() -> Result<(), Failure>) -> Result<(), Failure> {
    let (began, cpu) = (Instant::now(), cpu_seconds()?);
    work()?;
    let (seconds, cpu) = (began.elapsed().as_secs_f64(), cpu_seconds()? - cpu);
    let events = events as f64;
    println!(
        "{what:<18} {:>9.0} events/s  {:>6.2} us of CPU an event  ({seconds:.1} s)",
        events / seconds,
        cpu * 1e6 / events
    );
    Ok(())
}
