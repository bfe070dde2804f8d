//! Messages of a topic come out as decisions, alerts and dead letters on topics, once each, and reading goes on where the
//! store says. The brokers are librdkafka's own stand-in inside of this process, which speaks the real protocol over
//! sockets; what needs a real broker is in `kafka_on_a_real_broker`.

#![cfg(feature = "kafka")]
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot prepare its world fails, as it should"
)]

#[path = "harness/kafka.rs"]
#[expect(dead_code, reason = "what other tests need")]
mod kafka;

use doorward::event::Timestamp;
use doorward::generate::EventBuilder;
use kafka::{World, counted, until};
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;

type Brokers = MockCluster<'static, DefaultProducerContext>;

fn brokers() -> Brokers {
    MockCluster::new(1).expect("a mock cluster")
}

/// The topics of a world; events have so many partitions.
fn world(brokers: &Brokers, partitions: i32) -> World {
    let world = World::on(&brokers.bootstrap_servers());
    for (part, partitions) in [
        ("events", partitions),
        ("decisions", 2),
        ("alerts", 1),
        ("letters", 1),
    ] {
        brokers
            .create_topic(&world.topic(part), partitions, 1)
            .expect("a topic");
    }
    world
}

fn start() -> Timestamp {
    Timestamp::parse("2026-03-01T08:00:00Z").expect("a time")
}

fn login(number: i64) -> (String, Vec<u8>, i64) {
    let user = format!("user-{}", number % 17);
    let time = start().plus_seconds(number);
    let event = EventBuilder::login(&format!("e-{number}"), "shop/web", &user).at(time);
    let line = event.address("192.0.2.7").line();
    (user, line, time.as_micros() / 1_000)
}

fn send(world: &World, numbers: std::ops::Range<i64>) {
    let sender = world.producer();
    for number in numbers {
        let (user, line, written) = login(number);
        sender.send(Some(&user), Some(&line), Some(written));
    }
    sender.flush();
}

#[test]
fn each_message_is_decided_once_also_over_restarts() {
    let brokers = brokers();
    let world = world(&brokers, 4);
    let folder = tempfile::tempdir().expect("a folder");
    send(&world, 0..200);
    let running = world.start(folder.path(), &[]);
    let mut reader = world.reader("decisions");
    reader.until("200 decisions", |read| read.len() >= 200);
    send(&world, 150..260);
    reader.until("60 more", |read| read.len() >= 260);
    running.stop_well();
    send(&world, 250..300);
    let running = world.start(folder.path(), &[]);
    let read = reader.until("40 more", |read| read.len() >= 300).to_vec();
    running.stop_well();
    let ids = counted(&read, "event_id");
    assert_eq!(ids.len(), 300);
    assert!(ids.values().all(|times| *times == 1), "{ids:?}");
    for message in &read {
        let value = message.json();
        assert_eq!(value["event_id"], message.header("event_id"));
        assert_eq!(value["user_id"].as_str(), message.key.as_deref());
        assert_eq!(message.header("tenant"), "default");
        assert_eq!(message.header("schema"), "1");
        assert_eq!(value["action"], message.header("action"));
        assert_eq!(value["decision_id"], message.header("decision_id"));
    }
    let check = world.ask(folder.path(), &["store", "check"]);
    assert!(check.contains("input"), "{check}");
}

/// The clock of a message is when it was written, and what is written late was late then as well.
#[test]
fn now_is_when_the_message_was_written() {
    let brokers = brokers();
    let world = world(&brokers, 1);
    let folder = tempfile::tempdir().expect("a folder");
    let (user, line, written) = login(1);
    let sender = world.producer();
    let (_, ahead, _) = login(10_000);
    sender.send(Some(&user), Some(&line), Some(written));
    // 10,000 seconds ahead of when it says that it was written.
    sender.send(Some(&user), Some(&ahead), Some(written));
    sender.flush();
    let running = world.start(folder.path(), &[]);
    let mut letters = world.reader("letters");
    letters.until("a dead letter", |read| !read.is_empty());
    running.stop_well();
    let letter = &letters.read[0];
    assert_eq!(letter.header("reason"), "time_in_future");
    assert_eq!(letter.value, ahead);
}

#[test]
fn what_is_refused_goes_to_the_topic_of_dead_letters_as_it_came() {
    let brokers = brokers();
    let world = world(&brokers, 2);
    let topic = world.topic("events");
    let world = world.set(
        "DOORWARD_KAFKA_TOPIC",
        &format!("[{{ name = \"{topic}\", tenants = [\"default\"], sources = [\"shop/web\"] }}]"),
    );
    let world = world.set("DOORWARD_TENANTS_ALLOWED", "[\"default\", \"other\"]");
    let folder = tempfile::tempdir().expect("a folder");
    let sender = world.producer();
    let (_, good, written) = login(1);
    let text = String::from_utf8(good.clone()).expect("text");
    let stranger = text
        .replacen("shop/web", "shop/app", 1)
        .replacen("e-1\"", "e-2\"", 1);
    let tenant = text
        .replacen('{', "{\"tenant\":\"other\",", 1)
        .replacen("e-1\"", "e-3\"", 1);
    let refused: [(&[u8], &str); 5] = [
        (b"\xff\xfe", "invalid_utf8"),
        (b"no json", "invalid_json"),
        (b"", "invalid_json"),
        (stranger.as_bytes(), "foreign_source"),
        (tenant.as_bytes(), "foreign_tenant"),
    ];
    for (value, _) in refused {
        sender.send_to(Some(1), None, Some(value), Some(written));
    }
    sender.send_to(Some(1), None, None, Some(written));
    sender.send_to(Some(1), Some("user-1"), Some(&good), Some(written));
    sender.flush();
    let running = world.start(folder.path(), &[]);
    let mut letters = world.reader("letters");
    let read = letters.until("six dead letters", |read| read.len() >= 6).to_vec();
    world
        .reader("decisions")
        .until("a decision", |read| read.len() == 1);
    running.stop_well();
    for (offset, (value, reason)) in refused.iter().enumerate() {
        let letter = &read[offset];
        assert_eq!(letter.value, *value, "{reason}");
        assert_eq!(letter.header("reason"), *reason);
        assert_eq!(letter.header("topic"), topic);
        assert_eq!(letter.header("partition"), "1");
        assert_eq!(letter.header("offset"), offset.to_string());
    }
    assert_eq!(read.len(), 6, "a message without a value is refused as well");
}

#[test]
fn another_store_under_the_same_group_is_refused() {
    let brokers = brokers();
    let world = world(&brokers, 1);
    let (one, two) = (
        tempfile::tempdir().expect("a folder"),
        tempfile::tempdir().expect("a folder"),
    );
    send(&world, 0..10);
    let running = world.start(one.path(), &[]);
    let mut decisions = world.reader("decisions");
    decisions.until("10 decisions", |read| read.len() >= 10);
    let (code, log) = world.run(two.path(), &[]);
    assert_eq!(code, Some(4), "{log}");
    for words in ["another store reads under the group", "--take-over"] {
        assert!(log.contains(words), "{log}");
    }
    running.stop_well();
    let taken = world.start(two.path(), &["--take-over"]);
    decisions.until("10 decisions of the other store", |read| read.len() >= 20);
    taken.stop_well();
    let (code, log) = world.run(one.path(), &[]);
    assert_eq!(code, Some(4), "{log}");
}

#[test]
fn topics_that_are_not_there_are_named() {
    let brokers = brokers();
    let world = World::on(&brokers.bootstrap_servers());
    brokers
        .create_topic(&world.topic("events"), 1, 1)
        .expect("a topic");
    // The stand-in makes topics that are asked for; a real broker is asked elsewhere. Here: nobody answers.
    let folder = tempfile::tempdir().expect("a folder");
    let nobody = World {
        brokers: "127.0.0.1:1".to_owned(),
        ..world
    };
    let (code, log) = nobody.run(folder.path(), &[]);
    assert_eq!(code, Some(4), "{log}");
    for words in [
        "no broker of `127.0.0.1:1` answers",
        "Connection refused",
        "`kafka.brokers`",
    ] {
        assert!(log.contains(words), "{words} in {log}");
    }
}

/// A user whose events come through two partitions is counted and told.
#[test]
fn a_user_in_two_partitions_is_reported() {
    let brokers = brokers();
    let world = world(&brokers, 2).set("DOORWARD_METRICS_LISTEN", "127.0.0.1:0");
    let folder = tempfile::tempdir().expect("a folder");
    let sender = world.producer();
    for number in [17, 34] {
        let (user, line, written) = login(number);
        sender.send_to(
            Some(number as i32 / 17 - 1),
            Some(&user),
            Some(&line),
            Some(written),
        );
    }
    sender.flush();
    let running = world.start(folder.path(), &[]);
    until("the warning", || {
        running
            .log()
            .contains("came through another partition")
            .then_some(())
    });
    running.stop_well();
}

/// Brokers that are away for a while are waited for, and nothing is lost.
#[test]
fn brokers_that_go_and_come_back_lose_nothing() {
    let brokers = brokers();
    let world = world(&brokers, 1);
    let folder = tempfile::tempdir().expect("a folder");
    send(&world, 0..50);
    let running = world.start(folder.path(), &[]);
    let mut decisions = world.reader("decisions");
    decisions.until("50 decisions", |read| read.len() >= 50);
    brokers.broker_down(1).expect("down");
    std::thread::sleep(std::time::Duration::from_secs(2));
    brokers.broker_up(1).expect("up");
    send(&world, 50..120);
    let read = decisions.until("all decisions", |read| counted(read, "event_id").len() >= 120);
    assert!(read.len() >= 120);
    running.stop_well();
}
