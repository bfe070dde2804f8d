//! kill -9 at random moments while events come at 2,000 a second.

use std::time::Duration;

use doorward::generate::random::Random;

use super::kafka::{World, until};
use super::load::{Load, caught_up, check};
use super::{broker, is_long};

const PER_SECOND: u64 = 2_000;
const KILLS: u64 = 20;
const KILLS_LONG: u64 = 200;

/// A world whose topics are made by the program itself.
pub fn world(brokers: &str, partitions: u32) -> World {
    World::on(brokers).set("DOORWARD_KAFKA_PARTITIONS", &partitions.to_string())
}

/// Starts once, so that the topics are there.
pub fn made(world: &World, folder: &std::path::Path) {
    let running = world.start(folder, &["--create-topics"]);
    until("the topics were not made", || {
        assert!(
            running.log().lines().all(|line| !line.starts_with("error")),
            "{}",
            running.log()
        );
        running.log().contains("Kafka is open").then_some(())
    });
    running.stop_well();
}

/// Kills the program again and again, and lets it come to the end then.
fn killed(world: &World, folder: &std::path::Path, seed: u64) {
    let kills = if is_long() { KILLS_LONG } else { KILLS };
    let mut random = Random::stream(seed, "kills", 0);
    let load = Load::start(world, PER_SECOND, seed);
    let mut met = 0;
    for _ in 0..kills {
        let running = world.start(folder, &[]);
        let life = u64::try_from(random.between(300, 2_500)).expect("positive");
        std::thread::sleep(Duration::from_millis(life));
        met += u64::from(running.kill());
    }
    assert_eq!(met, kills, "it ended by itself");
    let sent = load.stop();
    let running = world.start(folder, &[]);
    caught_up(world);
    running.stop_well();
    let repeats = check(world, &sent);
    println!(
        "{kills} kills, {} events, {} dead letters: none missing, {repeats} repeats on the topic",
        sent.events.len(),
        sent.poison
    );
}

#[test]
fn with_one_partition_the_state_is_that_of_an_undisturbed_run() {
    let Some(brokers) = broker::shared("kill -9, one partition") else {
        return;
    };
    let world = world(&brokers, 1).set("DOORWARD_LOG_LEVEL", "debug");
    let folder = tempfile::tempdir().expect("a folder");
    made(&world, folder.path());
    killed(&world, folder.path(), 1);
    let hash = world.ask(folder.path(), &["store", "hash"]);
    // Another store and another group over the same messages, results to other topics.
    let calm = tempfile::tempdir().expect("a folder");
    let undisturbed = World {
        name: world.name.clone(),
        brokers: world.brokers.clone(),
        settings: world.settings.clone(),
    };
    let undisturbed = undisturbed
        .set("DOORWARD_KAFKA_GROUP", &world.topic("calm-group"))
        .set("DOORWARD_KAFKA_DECISIONS", &world.topic("calm-decisions"))
        .set("DOORWARD_KAFKA_ALERTS", &world.topic("calm-alerts"))
        .set("DOORWARD_KAFKA_DEAD_LETTERS", &world.topic("calm-letters"));
    let running = undisturbed.start(calm.path(), &["--create-topics"]);
    until("the undisturbed run did not come to the end", || {
        undisturbed.is_at_end(&world.topic("calm-group")).then_some(())
    });
    running.stop_well();
    assert_eq!(hash, world.ask(calm.path(), &["store", "hash"]));
    let replayed = world.ask(folder.path(), &["replay", "--journal"]);
    assert!(
        replayed.contains("equal: the journal gives what is stored"),
        "{replayed}"
    );
}

#[test]
fn with_four_partitions_each_event_is_decided_once_and_the_journal_gives_the_state() {
    let Some(brokers) = broker::shared("kill -9, four partitions") else {
        return;
    };
    let world = world(&brokers, 4)
        .set("DOORWARD_LOG_LEVEL", "debug")
        .set("DOORWARD_KAFKA_CONSUMERS", "2");
    let folder = tempfile::tempdir().expect("a folder");
    made(&world, folder.path());
    killed(&world, folder.path(), 2);
    let replayed = world.ask(folder.path(), &["replay", "--journal"]);
    assert!(
        replayed.contains("equal: the journal gives what is stored"),
        "{replayed}"
    );
    let check = world.ask(folder.path(), &["store", "check"]);
    assert!(!check.is_empty());
}
