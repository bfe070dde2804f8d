//! Each setting of `[kafka]` with a value of its own, and what that value makes the program say or do; a setting without an
//! entry fails the test.

#![cfg(feature = "kafka")]
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot prepare its world fails, as it should"
)]

#[path = "harness/kafka.rs"]
#[expect(dead_code, reason = "what other tests need")]
mod kafka;

use std::fs;
use std::path::Path;
use std::time::Duration;

use doorward::config::{Setting, Settings};
use doorward::event::Timestamp;
use doorward::generate::EventBuilder;
use kafka::{Running, World, until};
use rdkafka::TopicPartitionList;
use rdkafka::consumer::Consumer as _;
use rdkafka::mocking::MockCluster;

/// How one sees that a setting does something.
enum Shows {
    /// The decision comes out of this topic.
    Decides(&'static str),
    /// Something comes out of this topic.
    Publishes(&'static str),
    /// No topic gets it, but this file in the data folder or beside it.
    Writes(&'static str),
    /// Nothing that was there before is decided.
    Skips,
    /// Offsets are committed under it.
    Commits,
    /// The log says this.
    Logs(&'static str),
    /// The program ends with this code and these words.
    Exits(i32, &'static str),
    /// It does so in `kafka_on_a_real_broker`.
    Elsewhere,
}

use Shows::{Commits, Decides, Elsewhere, Exits, Logs, Publishes, Skips, Writes};

type Entry = (&'static str, &'static str, Shows);

fn table() -> Vec<Entry> {
    let mut table = vec![
        (
            "kafka.brokers",
            "127.0.0.1:1",
            Exits(4, "no broker of `127.0.0.1:1` answers"),
        ),
        ("kafka.topic", "other", Decides("decisions")),
        ("kafka.group", "other-group", Commits),
        ("kafka.start", "latest", Skips),
        ("kafka.decisions", "other", Publishes("other")),
        ("kafka.alerts", "other", Publishes("other")),
        ("kafka.dead_letters", "", Writes("data/dead-letters.ndjson")),
        ("kafka.partitions", "7", Elsewhere),
        ("kafka.replication", "2", Elsewhere),
        ("kafka.consumers", "2", Logs("2 partitions, 2 readers")),
        ("kafka.linger_ms", "77", Logs("up to 77 ms")),
        ("kafka.stall_seconds", "33", Logs("stand still for 33 s")),
    ];
    if cfg!(feature = "kafka-tls") {
        table.extend([
            ("kafka.tls", "true", Exits(4, "SSL")),
            ("kafka.ca_file", "nowhere.pem", Exits(4, "ssl.ca.location")),
            (
                "kafka.cert_file",
                "nowhere.pem",
                Exits(4, "ssl.certificate.location"),
            ),
            ("kafka.key_file", "nowhere.pem", Exits(4, "ssl.key.location")),
            ("kafka.sasl", "plain", Exits(4, "sasl.username")),
            ("kafka.user", "doorward", Elsewhere),
            ("kafka.password", "secret", Elsewhere),
            ("kafka.token_file", "nowhere.token", Exits(4, "nowhere.token")),
        ]);
    } else {
        table.extend([
            (
                "kafka.tls",
                "true",
                Exits(2, "`kafka.tls` needs a binary with the feature `kafka-tls`"),
            ),
            ("kafka.ca_file", "", Elsewhere),
            ("kafka.cert_file", "", Elsewhere),
            ("kafka.key_file", "", Elsewhere),
            (
                "kafka.sasl",
                "plain",
                Exits(2, "`kafka.sasl` needs a binary with the feature `kafka-tls`"),
            ),
            ("kafka.user", "", Elsewhere),
            ("kafka.password", "", Elsewhere),
            ("kafka.token_file", "", Elsewhere),
        ]);
    }
    table
}

fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Timestamp::from_micros(i64::try_from(since.expect("after 1970").as_micros()).expect("a time"))
}

fn login(id: &str) -> Vec<u8> {
    let event = EventBuilder::login(id, "t", "anna")
        .at(now())
        .address("192.0.2.7");
    event.line()
}

/// What a setting needs beside it to show.
fn beside(key: &str) -> Vec<(&'static str, &'static str)> {
    match key {
        "kafka.ca_file" | "kafka.cert_file" | "kafka.key_file" => vec![("DOORWARD_KAFKA_TLS", "true")],
        "kafka.token_file" => vec![("DOORWARD_KAFKA_SASL", "oauthbearer")],
        _ => Vec::new(),
    }
}

fn shown(entry: &Entry) {
    let (key, value, shows) = entry;
    let brokers = MockCluster::new(1).expect("a mock cluster");
    let world = World::on(&brokers.bootstrap_servers());
    for part in ["events", "decisions", "alerts", "letters"] {
        brokers.create_topic(&world.topic(part), 2, 1).expect("a topic");
    }
    brokers.create_topic("other", 1, 1).expect("a topic");
    let sender = world.producer();
    for value in [login("before"), b"dirt".to_vec()] {
        sender.send(Some("anna"), Some(&value), None);
    }
    sender.flush();
    let variable = format!("DOORWARD_{}", key.replace('.', "_").to_ascii_uppercase());
    let mut set = world.set(&variable, value).set("DOORWARD_LOG_LEVEL", "debug");
    for (variable, value) in beside(key) {
        set = set.set(variable, value);
    }
    let folder = tempfile::tempdir().expect("a folder");
    if let Exits(code, words) = shows {
        let (found, log) = set.run(folder.path(), &[]);
        assert_eq!(found, Some(*code), "{key}: {log}");
        assert!(log.contains(words), "{key}: {words} in {log}");
        return;
    }
    let running = set.start(folder.path(), &[]);
    until("Kafka was not opened", || {
        running.log().contains("Kafka is open").then_some(())
    });
    seen(entry, &set, &running, folder.path());
    running.stop_well();
}

/// What a running program shows.
fn seen((key, value, shows): &Entry, set: &World, running: &Running, folder: &Path) {
    let read = |topic: &str, event: Option<&str>| {
        let mut reader = set.reader_of(topic);
        reader.until(key, |read| {
            let mut ids = read.iter().filter_map(|message| message.headers.get("event_id"));
            event.map_or_else(|| !read.is_empty(), |event| ids.any(|id| id == event))
        });
        reader.read
    };
    match shows {
        Decides(topic) => {
            let sender = set.producer_to("other");
            sender.send(Some("anna"), Some(&login("after")), None);
            sender.flush();
            read(&set.topic(topic), Some("after"));
        }
        Publishes(topic) if *key == "kafka.alerts" => {
            let sender = set.producer();
            for message in nagging() {
                sender.send(Some("bert"), Some(&message), None);
            }
            sender.flush();
            assert!(
                read(topic, None)
                    .iter()
                    .all(|alert| alert.headers.contains_key("alert_id"))
            );
        }
        Publishes(topic) => drop(read(topic, Some("before"))),
        Writes(file) => until("the file", || {
            let text = fs::read_to_string(folder.join(file)).unwrap_or_default();
            text.contains("invalid_json").then_some(())
        }),
        Skips => {
            let sender = set.producer();
            sender.send(Some("anna"), Some(&login("after")), None);
            sender.flush();
            let read = read(&set.topic("decisions"), Some("after"));
            assert_eq!(read.len(), 1, "{read:?}");
        }
        Commits => {
            let consumer = set.consumer_of(value);
            until("offsets of the group", || {
                let mut list = TopicPartitionList::new();
                list.add_partition_range(&set.topic("events"), 0, 1);
                let found = consumer.committed_offsets(list, Duration::from_secs(5)).ok()?;
                found
                    .elements()
                    .iter()
                    .any(|element| !element.metadata().is_empty())
                    .then_some(())
            });
        }
        Logs(words) => assert!(running.log().contains(words), "{key}: {}", running.log()),
        Exits(..) | Elsewhere => {}
    }
}

/// A device that nobody saw before gets in, on an account with a history.
fn nagging() -> Vec<Vec<u8>> {
    let granted = |id: &str, device: &str| {
        let event = EventBuilder::login(id, "t", "bert")
            .at(now())
            .address("192.0.2.7");
        event.set("device.id", device).line()
    };
    (0..3)
        .map(|number| granted(&format!("b-{number}"), "laptop"))
        .chain([granted("b-new", "phone")])
        .collect()
}

#[test]
fn each_setting_shows_what_its_entry_says() {
    let table = table();
    let entries: Vec<&Entry> = table
        .iter()
        .filter(|entry| !matches!(entry.2, Elsewhere))
        .collect();
    std::thread::scope(|scope| {
        for part in entries.chunks(entries.len().div_ceil(4)) {
            scope.spawn(|| part.iter().for_each(|entry| shown(entry)));
        }
    });
}

#[test]
fn every_setting_has_one_entry() {
    let mut named: Vec<_> = table().iter().map(|(key, ..)| (*key).to_owned()).collect();
    named.sort();
    let settings = Settings::table();
    let mut settings: Vec<_> = settings.iter().map(Setting::key).collect();
    settings.retain(|key| key.starts_with("kafka."));
    settings.sort();
    assert_eq!(named, settings);
}

/// `--events` leaves Kafka alone, also when it is set up.
#[test]
fn files_are_read_without_kafka() {
    let world = World::on("127.0.0.1:1");
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(
        folder.path().join("events.ndjson"),
        [login("one"), b"\n".to_vec()].concat(),
    )
    .expect("a file");
    let (code, log) = world.run(folder.path(), &["--events", "events.ndjson"]);
    assert_eq!(code, Some(0), "{log}");
    assert!(log.contains("1 event decided"), "{log}");
}
