//! A process that ends at any place or moment loses nothing and does nothing twice: started again on the same input,
//! it comes to the decisions, dead letters, mails and state of a run that nobody disturbed.
//!
//! First at every place that the pipeline names, at the first time it is passed and at a later one, three times over.
//! Then by kill -9 at random moments: 40 kills, 1,000 with `DOORWARD_TEST_LONG=1`.

#![cfg(feature = "run")]
#![expect(
    clippy::expect_used,
    reason = "a test that cannot prepare its world fails, as it should"
)]

#[path = "harness/program.rs"]
mod program;
#[cfg(unix)]
#[path = "harness/reloaded.rs"]
mod reloaded;
#[path = "harness/stream.rs"]
mod stream;

use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use doorward::event::Timestamp;
use doorward::generate::EventBuilder;
use doorward::generate::random::Random;
use doorward::pipeline::faults::{Point, Step};

use program::{Out, World};
use stream::Stream;

const ABORTS_MAX: u32 = 3;
const KILLS: u32 = 40;
const KILLS_LONG: u32 = 1_000;
/// Kills of one life, before it is left in peace.
const KILLS_IN_A_LIFE: u32 = 4;
/// One for each core that a small machine has.
const LIVES_AT_ONCE: usize = 2;

/// Small batches, so that there are many commits; small counters, so that a debug build starts quickly.
const SMALL: [(&str, &str); 4] = [
    ("DOORWARD_DOORS_BATCH_RECORDS", "16"),
    ("DOORWARD_CROWD_SKETCH_LINES", "1024"),
    ("DOORWARD_CROWD_KEYS_MAX", "1024"),
    ("DOORWARD_LIMITS_ID_BYTES", "128"),
];

fn write(folder: &Path, name: &str, lines: &[Vec<u8>]) -> std::path::PathBuf {
    let path = folder.join(name);
    fs::write(&path, [lines.join(&b'\n'), b"\n".to_vec()].concat()).expect("a temporary folder");
    path
}

fn rough_life(users: u64, steps: usize) -> Vec<Vec<u8>> {
    lines_of(Stream::new(7, users), steps)
}

fn lines_of(mut stream: Stream, steps: usize) -> Vec<Vec<u8>> {
    let mut lines = stream.histories();
    for _ in 0..steps {
        lines.extend(stream.lines());
    }
    lines
}

/// Attempts of all kinds, wrong passwords, repeats, refused lines and jumps of the clock in many batches.
fn rough(folder: &Path) -> World {
    World {
        events: write(folder, "rough.ndjson", &rough_life(8, 700)),
        afterwards: Vec::new(),
        settings: SMALL.to_vec(),
    }
}

/// The same over months of which some weeks are kept, and lines come again soon if they do: a restart reads some hundred
/// lines once more, and must know them all. How far removal has come at the end of a run depends on its commits,
/// so a few small inputs follow, each of which lets it take a step: then all that may go is gone.
fn forgetful(folder: &Path) -> World {
    let afterwards = (0..3).map(|index| {
        let time = Timestamp::parse("2022-01-01T00:00:00Z").expect("a time");
        let event = EventBuilder::login(&format!("after-{index}"), "t", "user-1");
        let line = event.at(time.plus_seconds(index)).address("192.0.2.1").line();
        write(folder, &format!("after-{index}.ndjson"), &[line])
    });
    let days = [
        ("DOORWARD_STORE_DECISIONS_DAYS", "30"),
        ("DOORWARD_STORE_JOURNAL_DAYS", "1"),
    ];
    World {
        events: write(
            folder,
            "forgetful.ndjson",
            &lines_of(Stream::new(7, 8).remembering(20), 2_400),
        ),
        afterwards: afterwards.collect(),
        settings: SMALL.into_iter().chain(days).collect(),
    }
}

/// So many users and addresses that an image of the counters takes more than one commit.
fn crowded(folder: &Path) -> World {
    let start = Timestamp::parse("2020-01-01T00:00:00Z").expect("a time");
    let line = |index: i64| {
        let address = format!("{}.{}.{}.9", 11 + index % 80, index / 80 % 250, index % 250);
        EventBuilder::login(&format!("e-{index}"), "t", &format!("user-{index}"))
            .wrong_password()
            .at(start.plus_seconds(index))
            .address(&address)
            .set("client.user_agent", format!("agent-{index}/1").as_str())
            .set("device.id", format!("device-{index}").as_str())
            .line()
    };
    World {
        events: write(
            folder,
            "crowded.ndjson",
            &(0..CROWD).map(line).collect::<Vec<_>>(),
        ),
        afterwards: Vec::new(),
        settings: Vec::new(),
    }
}
const CROWD: i64 = 40_000;

/// A later passing than the first that every run over its input comes to.
const fn later(point: Point) -> u32 {
    match point {
        Point::CrowdImage => 1,
        Point::Reload => 2,
        Point::Retention | Point::Sink(_, Step::BeforeCursor | Step::AfterCursor) => 3,
        Point::Sink(..) => 9,
        Point::Timer => 40,
        Point::BeforeSync | Point::HeadFile | Point::AfterSync => 30,
        Point::Admit | Point::Decide => 333,
    }
}

/// One life: it ends at a place up to three times, and is then left in peace.
struct Case<'a> {
    point: Point,
    count: u32,
    world: &'a World,
    wanted: &'a Out,
}

struct Ended {
    name: String,
    aborts: u32,
    restarts: u32,
    differences: Vec<&'static str>,
}

impl Case<'_> {
    fn live(&self) -> Ended {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let name = format!("{}:{}", self.point, self.count);
        let mut aborts = 0;
        while aborts < ABORTS_MAX && !self.world.run(folder.path(), Some(&name)).success() {
            aborts += 1;
        }
        Ended {
            name,
            aborts,
            restarts: aborts,
            differences: self.world.finish(folder.path()).differences(self.wanted),
        }
    }
}

/// Does `work` on all items, a few at once, and gives the answers in the order of the items.
fn all<T: Sync, A: Send>(items: &[T], work: impl Fn(&T) -> A + Sync) -> Vec<A> {
    let next = AtomicUsize::new(0);
    let answers = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..LIVES_AT_ONCE {
            scope.spawn(|| {
                loop {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    let Some(item) = items.get(index) else { return };
                    let answer = work(item);
                    answers
                        .lock()
                        .expect("no other thread failed")
                        .push((index, answer));
                }
            });
        }
    });
    let mut answers = answers.into_inner().expect("no other thread failed");
    answers.sort_by_key(|(index, _)| *index);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

#[test]
fn wherever_a_run_ends_it_comes_to_what_an_undisturbed_one_comes_to() {
    let inputs = tempfile::tempdir().expect("a temporary folder");
    let worlds = [
        rough(inputs.path()),
        forgetful(inputs.path()),
        crowded(inputs.path()),
    ];
    let calm = all(&worlds, World::calm);
    let [of_rough, of_forgetful, of_crowded] = calm.as_slice() else {
        unreachable!("as many as worlds")
    };
    assert!(of_rough.mails.len() > 10 && of_rough.dead_letters.len() > 10_000);
    let [rough, forgetful, crowded] = &worlds;
    let cases: Vec<Case<'_>> = Point::all()
        // Has a test of its own: over a file nothing is taken over.
        .filter(|point| *point != Point::Reload)
        .flat_map(|point| {
            let (world, wanted) = match point {
                Point::Retention => (forgetful, of_forgetful),
                Point::CrowdImage => (crowded, of_crowded),
                _ => (rough, of_rough),
            };
            let mut counts = vec![1, later(point)];
            counts.dedup();
            counts.into_iter().map(move |count| Case {
                point,
                count,
                world,
                wanted,
            })
        })
        .collect();
    let ended = all(&cases, Case::live);
    println!("{:<34}{:>8}{:>10}  equal", "place:passing", "aborts", "restarts");
    for ended in &ended {
        let equal = if ended.differences.is_empty() { "yes" } else { "NO" };
        println!(
            "{:<34}{:>8}{:>10}  {equal} {:?}",
            ended.name, ended.aborts, ended.restarts, ended.differences
        );
    }
    for ended in &ended {
        assert!(ended.aborts > 0, "{}: no run came there", ended.name);
        assert!(
            ended.differences.is_empty(),
            "{}: {:?}",
            ended.name,
            ended.differences
        );
    }
}

/// A version is taken over between two parts of a pipe. A run that ends there, with the change in force and not stored,
/// starts under the new settings: the journal says so at the same place.
#[cfg(unix)]
#[test]
fn wherever_a_run_ends_at_a_reload_it_comes_to_what_an_undisturbed_one_comes_to() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut life = reloaded::Life::new(folder.path());
    assert!(life.run(None).success());
    let wanted = life.out();
    for count in [1, later(Point::Reload)] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut life = reloaded::Life::new(folder.path());
        let place = format!("{}:{count}", Point::Reload);
        assert!(!life.run(Some(&place)).success(), "{place}: no run came there");
        assert!(life.run(None).success());
        let differences = life.out().differences(&wanted);
        println!("{place:<34}{:>8}{:>10}  equal {differences:?}", 1, 1);
        assert!(differences.is_empty(), "{place}: {differences:?}");
    }
}

/// Kills of one life, and how many of them met a process that was still running.
fn killed_life(world: &World, whole: Duration, wanted: &Out, round: u64) -> u32 {
    let mut random = Random::stream(7, "kills", round);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut met = 0;
    for _ in 0..KILLS_IN_A_LIFE {
        let share = u32::try_from(random.between(5, 98)).expect("a small number");
        let mut child = world
            .command(folder.path(), &world.events)
            .spawn()
            .expect("the binary runs");
        std::thread::sleep(whole * share / 100 + Duration::from_micros(u64::from(share) * 37));
        met += u32::from(child.try_wait().expect("a child").is_none());
        child.kill().expect("a child");
        child.wait().expect("a child");
    }
    let differences = world.finish(folder.path()).differences(wanted);
    assert!(differences.is_empty(), "round {round}: {differences:?}");
    met
}

#[test]
fn nothing_is_lost_and_nothing_decided_twice_after_kills_at_random_moments() {
    let is_long = std::env::var("DOORWARD_TEST_LONG").is_ok_and(|value| value == "1");
    let kills = if is_long { KILLS_LONG } else { KILLS };
    let inputs = tempfile::tempdir().expect("a temporary folder");
    let world = World {
        events: write(inputs.path(), "rough.ndjson", &rough_life(30, 2_500)),
        ..rough(inputs.path())
    };
    let started = Instant::now();
    let wanted = world.calm();
    let whole = started.elapsed();
    let rounds: Vec<u64> = (0..u64::from(kills / KILLS_IN_A_LIFE)).collect();
    let met: u32 = all(&rounds, |round| killed_life(&world, whole, &wanted, *round))
        .into_iter()
        .sum();
    println!("{kills} kills, {met} of them met a running process; every life came to the same end");
    assert!(met > kills / 4, "most kills came too late: the test shows little");
}
