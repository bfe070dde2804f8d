//! From a message to its decision, both as a client sees them: sent at a pace, read on the topic of decisions.

use std::collections::HashMap;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use doorward::generate::EventBuilder;
use rdkafka::message::{Headers as _, Message as _};
use rdkafka::producer::Producer as _;
use rdkafka::topic_partition_list::Offset;

use crate::clients::{Failure, PATIENCE, now, producer, reader, send};

pub fn measure(
    brokers: &str,
    (events, decisions): (&str, &str),
    rate: u64,
    seconds: u64,
) -> Result<(), Failure> {
    let consumer = reader(brokers, decisions, Offset::End)?;
    // Until the end is known, nothing is read.
    drop(consumer.poll(Duration::from_secs(2)));
    let (tell, sent) = channel();
    let (topic, brokers) = (events.to_owned(), brokers.to_owned());
    let run = std::process::id();
    let sending = std::thread::spawn(move || -> Result<(), String> {
        let text = |error: Failure| error.to_string();
        let producer = producer(&brokers).map_err(text)?;
        let (began, mut number) = (Instant::now(), 0_u64);
        while number < rate * seconds {
            let due = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX) * rate / 1_000_000;
            while number < due.min(rate * seconds) {
                let (id, user) = (format!("l-{run}-{number}"), format!("user-{}", number % 5_000));
                let event = EventBuilder::login(&id, "figures", &user).at(now().map_err(text)?);
                let line = event.address("192.0.2.7").line();
                // The receiver is gone only when this is over.
                let _ = tell.send((id, Instant::now()));
                send(&producer, &topic, Some(user.as_bytes()), &line).map_err(text)?;
                number += 1;
            }
            producer.poll(Duration::ZERO);
            std::thread::sleep(Duration::from_micros(500));
        }
        producer.flush(PATIENCE).map_err(|error| error.to_string())
    });
    let (mut waiting, mut took) = (HashMap::new(), Vec::new());
    let wanted = usize::try_from(rate * seconds)?;
    let mut heard = Instant::now();
    while took.len() < wanted && heard.elapsed() < PATIENCE {
        let Some(message) = consumer.poll(Duration::from_millis(100)) else {
            continue;
        };
        let message = message?;
        let seen = Instant::now();
        waiting.extend(sent.try_iter());
        let headers = message.headers().ok_or("no headers")?;
        let id = headers
            .iter()
            .find(|header| header.key == "event_id")
            .and_then(|header| header.value);
        let id = std::str::from_utf8(id.ok_or("no event id")?)?;
        if let Some(sent) = waiting.remove(id) {
            heard = seen;
            took.push(seen.saturating_duration_since(sent));
        }
    }
    sending.join().map_err(|_| "the sender failed")??;
    took.sort_unstable();
    let at = |share: usize| {
        took.get(took.len().saturating_sub(1) * share / 1_000)
            .copied()
            .unwrap_or_default()
    };
    println!(
        "{:<18} {rate} events/s for {seconds} s, {} of {wanted} seen: p50 {:.1} ms, p99 {:.1} ms, p99.9 {:.1} ms",
        "latency",
        took.len(),
        at(500).as_secs_f64() * 1e3,
        at(990).as_secs_f64() * 1e3,
        at(999).as_secs_f64() * 1e3
    );
    Ok(())
}
