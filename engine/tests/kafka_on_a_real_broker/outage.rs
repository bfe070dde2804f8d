//! The broker is away for a while under load, stopped or killed.

use std::time::Duration;

use super::broker::Own;
use super::crash::{made, world};
use super::is_long;
use super::load::{Load, caught_up, check};

const AWAY_SECONDS: u64 = 15;
const AWAY_SECONDS_LONG: u64 = 60;

#[test]
fn a_broker_that_is_away_under_load_costs_nothing() {
    let Some(own) = Own::start("the broker is away", false) else {
        return;
    };
    let world = world(&own.brokers, 4).set("DOORWARD_LOG_LEVEL", "debug");
    let folder = tempfile::tempdir().expect("a folder");
    made(&world, folder.path());
    let running = world.start(folder.path(), &[]);
    let load = Load::start(&world, 2_000, 3);
    std::thread::sleep(Duration::from_secs(3));
    own.stop(true);
    let away = if is_long() {
        AWAY_SECONDS_LONG
    } else {
        AWAY_SECONDS
    };
    std::thread::sleep(Duration::from_secs(away));
    own.again();
    std::thread::sleep(Duration::from_secs(3));
    let sent = load.stop();
    caught_up(&world);
    running.stop_well();
    let repeats = check(&world, &sent);
    println!(
        "away for {away} s, {} events, {} dead letters: none missing, {repeats} repeats on the topic",
        sent.events.len(),
        sent.poison
    );
}

/// Nobody waits for ever for a broker that does not answer: what is stored and not published goes out at the next start.
#[test]
fn a_run_that_is_stopped_while_the_broker_is_away_publishes_the_rest_later() {
    let Some(own) = Own::start("stopped while the broker is away", false) else {
        return;
    };
    let world = world(&own.brokers, 2).set("DOORWARD_LOG_LEVEL", "debug");
    let folder = tempfile::tempdir().expect("a folder");
    made(&world, folder.path());
    let running = world.start(folder.path(), &[]);
    let load = Load::start(&world, 2_000, 4);
    std::thread::sleep(Duration::from_secs(3));
    own.stop(true);
    running.stop_well();
    own.again();
    let sent = load.stop();
    let running = world.start(folder.path(), &[]);
    caught_up(&world);
    running.stop_well();
    let repeats = check(&world, &sent);
    println!(
        "stopped while the broker was away, {} events: none missing, {repeats} repeats on the topic",
        sent.events.len()
    );
}
