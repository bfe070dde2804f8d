//! Logs that are not what they were: topics that are not there, messages that are gone, topics made anew, partitions added.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::time::Duration;

use doorward::generate::EventBuilder;
use rdkafka::TopicPartitionList;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::config::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::topic_partition_list::Offset;

use super::broker::{self, Own};
use super::crash::{made, world};
use super::kafka::{PATIENCE, World, until};
use super::load::now;

fn admin(world: &World) -> AdminClient<DefaultClientContext> {
    let config = ClientConfig::new()
        .set("bootstrap.servers", &world.brokers)
        .clone();
    config.create().expect("an admin client")
}

fn wait<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.expect("a runtime").block_on(work)
}

fn send(world: &World, numbers: std::ops::Range<u32>) {
    let sender = world.producer();
    for number in numbers {
        let event = EventBuilder::login(&format!("e-{number}"), "t", "anna");
        let line = event.at(now()).address("192.0.2.7").line();
        sender.send(Some("anna"), Some(&line), None);
    }
    sender.flush();
}

/// Runs until so many decisions are on the topic.
fn decide(world: &World, folder: &Path, flags: &[&str], decisions: usize) {
    let running = world.start(folder, flags);
    let mut reader = world.reader("decisions");
    reader.until("decisions", |read| read.len() >= decisions);
    running.stop_well();
}

fn ends_with(world: &World, folder: &Path, words: &[&str]) {
    let (code, log) = world.run(folder, &[]);
    assert_eq!(code, Some(4), "{log}");
    for word in words {
        assert!(log.contains(word), "{word} in {log}");
    }
}

fn make_anew(world: &World) {
    let (admin, topic) = (admin(world), world.topic("events"));
    let options = AdminOptions::new();
    wait(admin.delete_topics(&[&topic], &options)).expect("deleted");
    until("the topic was not made anew", || {
        let new = NewTopic::new(&topic, 1, TopicReplication::Fixed(1));
        let made = wait(admin.create_topics([&new], &options)).ok()?;
        made.first()?.is_ok().then_some(())
    });
}

#[test]
fn topics_are_made_only_when_asked_and_as_the_settings_say() {
    let Some(brokers) = broker::shared("topics are made") else {
        return;
    };
    let world = world(&brokers, 7);
    let folder = tempfile::tempdir().expect("a folder");
    let events = world.topic("events");
    ends_with(
        &world,
        folder.path(),
        &["these topics are not there", &events, "--create-topics"],
    );
    let too_many = World {
        settings: world.settings.clone(),
        name: world.name.clone(),
        brokers: world.brokers.clone(),
    };
    let too_many = too_many.set("DOORWARD_KAFKA_REPLICATION", "2");
    let (code, log) = too_many.run(folder.path(), &["--create-topics"]);
    assert_eq!(code, Some(7), "{log}");
    assert!(log.contains("cannot be made"), "{log}");
    let debug = world.set("DOORWARD_LOG_LEVEL", "debug");
    let running = debug.start(folder.path(), &["--create-topics"]);
    until("7 partitions", || {
        running.log().contains("7 partitions, 1 readers").then_some(())
    });
    running.stop_well();
}

#[test]
fn messages_that_are_gone_end_the_run_until_somebody_accepts_it() {
    let Some(brokers) = broker::shared("messages that are gone") else {
        return;
    };
    let world = world(&brokers, 1).set("DOORWARD_LOG_LEVEL", "debug");
    let folder = tempfile::tempdir().expect("a folder");
    made(&world, folder.path());
    send(&world, 0..50);
    decide(&world, folder.path(), &[], 50);
    send(&world, 50..100);
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(&world.topic("events"), 0, Offset::Offset(80))
        .expect("a partition");
    wait(admin(&world).delete_records(&list, &AdminOptions::new())).expect("deleted");
    ends_with(
        &world,
        folder.path(),
        &["messages 50 to 79 of partition 0", "begins at 80", "--accept-gap"],
    );
    decide(&world, folder.path(), &["--accept-gap"], 70);
    let mut letters = world.reader("letters");
    letters.until("the note", |read| !read.is_empty());
    let note = letters.read.first().expect("a note");
    assert_eq!(note.header("reason"), "log_gap");
    assert!(note.header("message").contains("messages 50 to 79"), "{note:?}");
    // Accepted once, it is no gap any more.
    send(&world, 100..101);
    decide(&world, folder.path(), &[], 71);
    let replayed = world.ask(folder.path(), &["replay", "--journal"]);
    assert!(
        replayed.contains("equal: the journal gives what is stored"),
        "{replayed}"
    );
}

#[test]
fn a_topic_that_was_made_anew_ends_the_run_whether_it_is_shorter_or_longer() {
    let Some(brokers) = broker::shared("a topic made anew") else {
        return;
    };
    let world = world(&brokers, 1).set("DOORWARD_LOG_LEVEL", "debug");
    let folder = tempfile::tempdir().expect("a folder");
    made(&world, folder.path());
    send(&world, 0..50);
    decide(&world, folder.path(), &[], 50);
    make_anew(&world);
    send(&world, 50..60);
    ends_with(
        &world,
        folder.path(),
        &["was made anew", "which ends at 10 now", "--accept-gap"],
    );
    send(&world, 60..110);
    ends_with(
        &world,
        folder.path(),
        &["was made anew", "another message stands now"],
    );
    decide(&world, folder.path(), &["--accept-gap"], 110);
    send(&world, 110..120);
    decide(&world, folder.path(), &[], 120);
}

#[test]
fn partitions_that_are_added_are_read_from_their_beginning() {
    let Some(brokers) = broker::shared("partitions are added") else {
        return;
    };
    let world = world(&brokers, 1)
        .set("DOORWARD_LOG_LEVEL", "debug")
        .set("DOORWARD_KAFKA_START", "latest");
    let folder = tempfile::tempdir().expect("a folder");
    made(&world, folder.path());
    let running = world.start(folder.path(), &[]);
    until("Kafka was not opened", || {
        running.log().contains("Kafka is open").then_some(())
    });
    let events = world.topic("events");
    let more = NewPartitions::new(&events, 3);
    wait(admin(&world).create_partitions([&more], &AdminOptions::new())).expect("added");
    let sender = world.producer();
    let line = |number: u32| {
        let event = EventBuilder::login(&format!("e-{number}"), "t", "anna");
        event.at(now()).address("192.0.2.7").line()
    };
    for number in 0..30 {
        let partition = i32::try_from(number % 3).expect("small");
        sender.send_to(Some(partition), Some("anna"), Some(&line(number)), None);
    }
    sender.flush();
    let mut decisions = world.reader("decisions");
    decisions.until("decisions of all partitions", |read| read.len() >= 30);
    running.stop_well();
}

fn figure(port: u16, name: &str) -> Option<f64> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        .ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    line.rsplit_once(' ')?.1.parse().ok()
}

fn free_port() -> u16 {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    port.expect("a free port").port()
}

/// Transactions leave marks that nobody reads: they are no messages that wait, and what was taken back is never decided.
#[test]
fn marks_of_transactions_are_nothing_that_waits() {
    let Some(brokers) = broker::shared("transactions") else {
        return;
    };
    let port = free_port();
    let world = world(&brokers, 1)
        .set("DOORWARD_LOG_LEVEL", "debug")
        .set("DOORWARD_KAFKA_STALL_SECONDS", "5")
        .set("DOORWARD_METRICS_LISTEN", &format!("127.0.0.1:{port}"));
    let folder = tempfile::tempdir().expect("a folder");
    made(&world, folder.path());
    let producer: BaseProducer = ClientConfig::new()
        .set("bootstrap.servers", &world.brokers)
        .set("transactional.id", &world.name)
        .create()
        .expect("a producer");
    let events = world.topic("events");
    producer.init_transactions(PATIENCE).expect("transactions");
    for (name, is_kept) in [
        ("kept", true),
        ("taken-back", false),
        ("last", true),
        ("never", false),
    ] {
        producer.begin_transaction().expect("begun");
        for number in 0..5 {
            let event = EventBuilder::login(&format!("{name}-{number}"), "t", "anna");
            let line = event.at(now()).address("192.0.2.7").line();
            let sent = producer.send(BaseRecord::to(&events).key("anna").payload(&line));
            assert!(sent.is_ok(), "{:?}", sent.err());
        }
        while producer.in_flight_count() > 0 {
            producer.poll(Duration::from_millis(50));
        }
        let ended = if is_kept {
            producer.commit_transaction(PATIENCE)
        } else {
            producer.abort_transaction(PATIENCE)
        };
        ended.expect("ended");
    }
    let running = world.start(folder.path(), &[]);
    let mut decisions = world.reader("decisions");
    decisions.until("ten decisions", |read| read.len() >= 10);
    let at_end = |name: &str| figure(port, name).is_some_and(|lag| lag < 1.0);
    // The figure is 0 before the first look as well, so the position of the store tells that there was one.
    until("nothing waits", || {
        (at_end("doorward_kafka_lag_messages") && running.log().contains("only marks")).then_some(())
    });
    assert!(at_end("doorward_kafka_reopened_total"));
    assert_eq!(decisions.rest().len(), 10);
    running.stop_well();
}

/// Without somebody who looks, the reader would stand still for ever, without an error.
#[test]
fn a_topic_made_anew_behind_a_restart_of_the_broker_is_noticed() {
    let Some(own) = Own::start("a partition stands still", false) else {
        return;
    };
    let port = free_port();
    let world = world(&own.brokers, 1)
        .set("DOORWARD_LOG_LEVEL", "debug")
        .set("DOORWARD_KAFKA_STALL_SECONDS", "5")
        .set("DOORWARD_METRICS_LISTEN", &format!("127.0.0.1:{port}"));
    let folder = tempfile::tempdir().expect("a folder");
    made(&world, folder.path());
    send(&world, 0..50);
    let running = world.start(folder.path(), &["--accept-gap"]);
    let mut decisions = world.reader("decisions");
    decisions.until("50 decisions", |read| read.len() >= 50);
    own.stop(false);
    own.again();
    send(&world, 50..60);
    decisions.until("60 decisions", |read| read.len() >= 60);
    make_anew(&world);
    send(&world, 100..130);
    decisions.until("decisions on the new topic", |read| read.len() >= 90);
    let reopened = until("the figure", || figure(port, "doorward_kafka_reopened_total"));
    println!("readers opened anew: {reopened}");
    until("nothing waits", || {
        (figure(port, "doorward_kafka_lag_messages")? < 1.0).then_some(())
    });
    running.stop_well();
    let mut letters = world.reader("letters");
    letters.until("the note", |read| !read.is_empty());
    // Without leave, a topic made anew ends the run.
    let mut strict = world.start(folder.path(), &[]);
    own.stop(false);
    own.again();
    std::thread::sleep(Duration::from_secs(1));
    make_anew(&world);
    send(&world, 130..131);
    let status = until("it did not end", || strict.child.try_wait().expect("a child"));
    assert_eq!(status.code(), Some(4), "{}", strict.log());
    assert!(strict.log().contains("was made anew"), "{}", strict.log());
}
