//! The real binary over a store that forgets: files that come again after 60 days decide nothing twice, what was
//! forgotten leaves the disk, and kills at random moments change no output while images are read and rows go away.
#![cfg(feature = "store")]
#![expect(
    clippy::expect_used,
    reason = "a test that cannot prepare its world fails, as it should"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use doorward::generate::random::Random;
use doorward::generate::{EventBuilder, Life, Plan};
use doorward::io::store::{FjallStore, StoreOptions};
use doorward::pipeline::keys;
use doorward::pipeline::ports::{Keyspace, Store};
use doorward::pipeline::retention::Removed;

/// Rounds of the test with kills.
const ROUNDS: usize = 4;

fn life() -> Vec<Vec<u8>> {
    let plan = Plan {
        users: 150,
        days: 12,
        ..Plan::default()
    };
    let life = Life::new(plan).expect("a plan within its bounds");
    life.events.iter().map(|event| event.bytes.to_vec()).collect()
}

/// A login of somebody else, so many days after the life began.
fn login(id: &str, days: i64) -> Vec<u8> {
    let event = EventBuilder::login(id, "late", "late-user")
        .address("198.51.100.9")
        .at(Plan::default().start.plus_days(days));
    event.line()
}

fn write(folder: &Path, name: &str, lines: &[Vec<u8>]) -> PathBuf {
    let path = folder.join(name);
    let mut bytes = lines.join(&b'\n');
    bytes.push(b'\n');
    fs::write(&path, bytes).expect("a temporary folder");
    path
}

fn doorward(folder: &Path, decisions_days: u32) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorward"));
    command
        .env("DOORWARD_STORE_DECISIONS_DAYS", decisions_days.to_string())
        .env("DOORWARD_STORE_JOURNAL_DAYS", "1")
        .env("DOORWARD_CROWD_KEYS_MAX", "4096")
        .env("DOORWARD_CROWD_SKETCH_LINES", "4096")
        .env("DOORWARD_DOORS_BATCH_RECORDS", "64")
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

fn run(folder: &Path, decisions_days: u32, events: &Path) -> Command {
    let mut command = doorward(folder, decisions_days);
    command
        .args([
            "run",
            "--data",
            "data",
            "--decisions",
            "decisions.ndjson",
            "--events",
        ])
        .arg(events);
    command
}

fn succeed(mut command: Command) {
    assert!(
        command.status().expect("the binary runs").success(),
        "{command:?}"
    );
}

fn explain(folder: &Path, id: &str) -> Output {
    let mut command = doorward(folder, 30);
    command.args(["explain", "--data", "data", "--id", id]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.output().expect("the binary runs")
}

/// Lines about what somebody sent: those about events of our own come of the clock.
fn lines_of(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).expect("text");
    let sent = text
        .lines()
        .filter(|line| !line.contains("\"source\":\"doorward\""));
    sent.map(str::to_owned).collect()
}

fn event_id(line: &[u8]) -> String {
    let event: serde_json::Value = serde_json::from_slice(line).expect("an event");
    let id = event.get("id").and_then(serde_json::Value::as_str);
    id.expect("an id").to_owned()
}

#[test]
fn events_that_come_again_after_sixty_days_are_too_old_and_what_was_forgotten_is_gone() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    let life = life();
    succeed(run(folder, 30, &write(folder, "first.ndjson", &life)));
    succeed(run(
        folder,
        30,
        &write(folder, "later.ndjson", &[login("a", 60), login("b", 60)]),
    ));
    let decided = lines_of(&folder.join("decisions.ndjson"));
    assert_eq!(decided.len(), life.len() + 2);
    let first_kept = decided
        .iter()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("JSON"))
        .find(|decision| decision.get("event_id").is_some_and(|id| id == "a"))
        .and_then(|decision| decision.get("seq")?.as_u64())
        .expect("the first login of day 60");

    // Another first line makes it another file, which is read from its start.
    let mut again = vec![login("c", 60)];
    again.extend_from_slice(&life);
    succeed(run(folder, 30, &write(folder, "again.ndjson", &again)));
    let after = lines_of(&folder.join("decisions.ndjson"));
    assert_eq!(
        after.len(),
        decided.len() + 1,
        "one new login, and none of the old ones"
    );
    let letters = lines_of(&folder.join("data/dead-letters.ndjson"));
    assert_eq!(letters.len(), life.len());
    assert!(letters.iter().all(|letter| letter.contains("\"too_old\"")));

    let oldest = event_id(life.first().expect("a life"));
    let gone = explain(folder, &oldest);
    assert_eq!(gone.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&gone.stderr).contains("there is no decision"));
    let kept = explain(folder, "c");
    assert!(kept.status.success() && String::from_utf8_lossy(&kept.stdout).contains("late-user"));

    let store = FjallStore::open_existing(&folder.join("data"), &StoreOptions::default()).expect("a store");
    let removed = Removed::read(&store).expect("a store");
    assert_eq!(
        (removed.journal_from, removed.decided_from),
        (first_kept, first_kept)
    );
    for keyspace in [Keyspace::Journal, Keyspace::Decided] {
        let first = store.scan(keyspace, &[], &[], 1).expect("a store");
        assert_eq!(
            first.first().and_then(|row| keys::read_seq(&row.key)),
            Some(first_kept),
            "{keyspace}"
        );
    }
    assert_eq!(
        store
            .scan(Keyspace::Decision, &[], &[], usize::MAX)
            .expect("a store")
            .len(),
        3
    );
}

/// Everything that left.
fn out(folder: &Path) -> (Vec<u8>, Vec<u8>) {
    (
        fs::read(folder.join("decisions.ndjson")).expect("decisions"),
        fs::read(folder.join("data/dead-letters.ndjson")).expect("dead letters"),
    )
}

#[test]
fn kills_at_random_moments_change_nothing_that_leaves_a_store_that_forgets() {
    let calm = tempfile::tempdir().expect("a temporary folder");
    let mut life = life();
    for at in (100..life.len()).step_by(150) {
        life.insert(at, b"this is no event".to_vec());
    }
    let (before, after) = life.split_at(life.len() * 3 / 5);
    assert!(
        before.len() > 1_000,
        "{} lines are not worth an image",
        before.len()
    );
    let first = write(calm.path(), "first.ndjson", before);
    let second = write(calm.path(), "second.ndjson", after);
    succeed(run(calm.path(), 2, &first));
    let started = Instant::now();
    succeed(run(calm.path(), 2, &second));
    let whole = started.elapsed();
    let wanted = out(calm.path());

    let mut random = Random::stream(9, "kills", 0);
    let mut interrupted = 0;
    for round in 0..ROUNDS {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let folder = folder.path();
        succeed(run(folder, 2, &first));
        for _ in 0..4 {
            let share = u32::try_from(random.between(5, 95)).expect("a small number");
            let mut child = run(folder, 2, &second).spawn().expect("the binary runs");
            std::thread::sleep(whole * share / 100 + Duration::from_micros(u64::from(share) * 37));
            interrupted += u32::from(child.try_wait().expect("a child").is_none());
            child.kill().expect("a child");
            child.wait().expect("a child");
        }
        succeed(run(folder, 2, &second));
        assert!(out(folder) == wanted, "round {round}: what left differs");
    }
    assert!(
        interrupted > 0,
        "no run was killed before its end: the test shows nothing"
    );
    let store =
        FjallStore::open_existing(&calm.path().join("data"), &StoreOptions::default()).expect("a store");
    let removed = Removed::read(&store).expect("a store");
    assert!(
        removed.journal_from > 1 && removed.decided_from > 1,
        "{removed:?}"
    );
}
