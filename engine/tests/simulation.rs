//! A rough life from a seed through a pipeline that dies all the time: in a commit, behind it, in the middle of a
//! sink's write, or between two steps; that falls behind with its commits, puts other settings in force on its way, and
//! starts again with other sizes. After each commit and each start the promises of the contract are checked, and at the
//! end the state is that of a run that nobody disturbed, and that of the journal folded anew.
//!
//! 20 seeds with 5,000 steps each, 100,000 in all; with `DOORWARD_TEST_LONG=1` 100,000 steps each.
//! `DOORWARD_TEST_SEED=<seed>` plays one.

#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot prepare its world fails, as it should"
)]

#[path = "simulation/checks.rs"]
mod checks;
#[path = "simulation/mortal.rs"]
mod mortal;
#[path = "simulation/process.rs"]
mod process;
#[path = "harness/stream.rs"]
mod stream;
#[path = "simulation/world.rs"]
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

use doorward::generate::random::Random;
use doorward::pipeline::retention::Removed;
use doorward::pipeline::state_hash::state_hash;

use checks::Checked;
use process::{Ended, Process, Sizes};
use stream::Stream;
use world::{Life, Place, RELOAD, SETTLE};

const SEEDS: u64 = 20;
const STEPS: u32 = 5_000;
const STEPS_LONG: u32 = 100_000;

/// What happened to one life.
#[derive(Debug, Default)]
struct Tally {
    seeds: u64,
    records: u64,
    starts: u64,
    deaths: u64,
    stops: u64,
    reloads: usize,
    own: usize,
    refused: usize,
    mails: usize,
}

/// Plays one life with deaths in it.
fn play(life: &Life, seed: u64, steps: u32) -> (Place, Vec<Vec<u8>>, Tally) {
    let mut random = Random::stream(seed, "simulation", 0);
    let users = 3 + random.below(30);
    let mut stream =
        Stream::new(seed, users).remembering(20 + usize::try_from(seed % 4 * 90).expect("small"));
    let mut lines = stream.histories();
    let (place, mut checked, mut tally) = (Place::default(), Checked::default(), Tally::default());
    let mut process: Option<Process> = None;
    let mut on_its_way = Vec::new();
    for _ in 0..steps {
        arrive(&stream.lines(), &mut on_its_way, &mut lines, &mut random);
        if random.chance(0.01) {
            lines.push(RELOAD.to_vec());
        }
        let running = match process.take() {
            Some(running) => running,
            None => match start(life, &place, &mut random, (&mut tally, checked.reloads())) {
                Some(running) => running,
                None => continue,
            },
        };
        process = match running.step(life, &lines, &mut random, &mut checked) {
            Ok(running) => Some(running),
            Err(Ended::Died) => {
                tally.deaths += 1;
                None
            }
            Err(Ended::Stopped) => {
                tally.stops += 1;
                None
            }
        };
        if process.is_none() {
            checked.after_an_end(life, &place);
        }
    }
    drop(process);
    // The last start is left in peace.
    let sizes = (Sizes::some(&mut random), checked.reloads());
    let last = Process::start(life, &place, sizes, None).expect("nothing fails in memory");
    last.finish(life, &lines, SETTLE, &mut checked);
    tally.starts += 1;
    checked.after_an_end(life, &place);
    tally.records = checked.head();
    (tally.own, tally.refused) = checked.kinds();
    tally.reloads = checked.reloads();
    tally.mails = place.alerts.records().len();
    (place, lines, tally)
}

/// Some lines take longer than those that were sent after them.
fn arrive(sent: &[Vec<u8>], on_its_way: &mut Vec<Vec<u8>>, lines: &mut Vec<Vec<u8>>, random: &mut Random) {
    for line in sent {
        if random.chance(0.04) {
            on_its_way.push(line.clone());
        } else {
            lines.push(line.clone());
        }
    }
    if random.chance(0.1) {
        random.shuffle(on_its_way);
        lines.append(on_its_way);
    }
}

fn start(
    life: &Life,
    place: &Place,
    random: &mut Random,
    (tally, reloads): (&mut Tally, usize),
) -> Option<Process> {
    tally.starts += 1;
    let death = mortal::Death::some(random);
    let started = Process::start(life, place, (Sizes::some(random), reloads), Some(death));
    tally.deaths += u64::from(started.is_none());
    started
}

/// Plays one life with deaths and one without, folds the journal anew, and compares.
fn check(seed: u64, steps: u32) -> Tally {
    let life = Life::of_seed(seed);
    let (place, lines, tally) = play(&life, seed, steps);
    let calm = Place::default();
    let process = Process::start(&life, &calm, (Sizes::LARGE, 0), None).expect("nothing fails in memory");
    process.finish(&life, &lines, SETTLE, &mut Checked::default());
    assert!(place.published() == calm.published(), "what left differs");
    for keyspace in world::LEARNED {
        assert!(place.rows(keyspace) == calm.rows(keyspace), "{keyspace} differs");
    }
    // A life of more than ten years forgets as well: that long is the longest setting.
    let removed = Removed::read(&*place.store).expect("memory");
    if life.is_whole() && removed == Removed::NOTHING {
        let hash = |place: &Place| state_hash(&*place.store).expect("memory");
        assert!(hash(&place) == hash(&calm), "the state differs");
        let folded = world::fold(&life, &place);
        assert!(
            hash(&place) == hash(&folded),
            "the journal folds to another state"
        );
    }
    tally
}

#[test]
fn whatever_happens_to_the_process_the_promises_hold() {
    let is_long = std::env::var("DOORWARD_TEST_LONG").is_ok_and(|value| value == "1");
    let steps = if is_long { STEPS_LONG } else { STEPS };
    let seeds = match std::env::var("DOORWARD_TEST_SEED") {
        Ok(seed) => vec![seed.parse().expect("a seed is a number")],
        Err(_) => (1..=SEEDS).collect(),
    };
    let mut all = Tally::default();
    for seed in seeds {
        let Ok(tally) = catch_unwind(AssertUnwindSafe(|| check(seed, steps))) else {
            panic!(
                "seed {seed} fails; run it alone: DOORWARD_TEST_SEED={seed} cargo test -p doorward --test simulation"
            );
        };
        println!("seed {seed:>2}: {tally:?}");
        all.seeds += 1;
        all.deaths += tally.deaths;
        all.stops += tally.stops;
        all.reloads += tally.reloads;
        all.records += tally.records;
        all.starts += tally.starts;
        all.own += tally.own;
        all.refused += tally.refused;
        all.mails += tally.mails;
    }
    println!("{steps} steps a seed: {all:?}");
    if all.seeds < SEEDS {
        return;
    }
    assert!(
        all.deaths > 20
            && all.stops > 5
            && all.reloads > 20
            && all.own > 20
            && all.refused > 20
            && all.mails > 5,
        "too little happened: {all:?}"
    );
}
