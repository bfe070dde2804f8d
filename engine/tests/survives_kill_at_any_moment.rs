//! kill -9 of the real binary at random moments, then a start on the same input: decisions, dead letters and mails are
//! those of a run that nobody disturbed. Ten rounds, 60 with `DOORWARD_TEST_LONG=1`.

#![expect(
    clippy::expect_used,
    reason = "a test that cannot prepare its world fails, as it should"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use doorward::generate::random::Random;
use doorward::generate::{Life, Plan};

const ROUNDS: usize = 10;
const ROUNDS_LONG: usize = 60;

/// A life of a few days with dirt between its lines.
fn input(folder: &Path) -> PathBuf {
    let life = Life::new(Plan {
        users: 120,
        days: 10,
        ..Plan::default()
    })
    .expect("a plan within its bounds");
    let mut bytes = Vec::new();
    for (index, event) in life.events.iter().enumerate() {
        bytes.extend_from_slice(&event.bytes);
        bytes.push(b'\n');
        match index % 50 {
            7 => bytes.extend_from_slice(b"this is no event\n"),
            13 => bytes.extend_from_slice(b"\n"),
            // The same line again.
            20 => {
                bytes.extend_from_slice(&event.bytes);
                bytes.push(b'\n');
            }
            _ => {}
        }
    }
    let path = folder.join("events.ndjson");
    fs::write(&path, bytes).expect("a temporary folder");
    path
}

fn command(folder: &Path, events: &Path) -> Command {
    let geo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/geoip");
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorward"));
    command
        .arg("run")
        .arg("--events")
        .arg(events)
        .arg("--data")
        .arg(folder.join("data"))
        .arg("--decisions")
        .arg(folder.join("decisions.ndjson"))
        .env("DOORWARD_GEOIP_CITY", geo.join("doorward-test-city.mmdb"))
        .env("DOORWARD_GEOIP_ASN", geo.join("doorward-test-asn.csv"))
        .env("DOORWARD_GEOIP_LISTS", geo.join("doorward-test-networks.list"))
        // Small batches: more commits to be killed between.
        .env("DOORWARD_DOORS_BATCH_RECORDS", "64")
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command
}

/// Everything that left: decisions, dead letters, mails by name.
#[derive(PartialEq, Eq)]
struct Out {
    decisions: Vec<u8>,
    dead_letters: Vec<u8>,
    mails: BTreeMap<String, Vec<u8>>,
}

fn out(folder: &Path) -> Out {
    let mails = fs::read_dir(folder.join("data/mail")).expect("mails");
    let mails = mails
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "eml"))
        .map(|path| {
            (
                path.file_name().expect("named").to_string_lossy().into_owned(),
                fs::read(&path).expect("a mail"),
            )
        })
        .collect();
    Out {
        decisions: fs::read(folder.join("decisions.ndjson")).expect("decisions"),
        dead_letters: fs::read(folder.join("data/dead-letters.ndjson")).expect("dead letters"),
        mails,
    }
}

#[test]
fn nothing_is_lost_and_nothing_decided_twice_after_kills_at_random_moments() {
    let long = std::env::var("DOORWARD_TEST_LONG").is_ok_and(|value| value == "1");
    let rounds = if long { ROUNDS_LONG } else { ROUNDS };
    let calm = tempfile::tempdir().expect("a temporary folder");
    let events = input(calm.path());
    let started = std::time::Instant::now();
    assert!(
        command(calm.path(), &events)
            .status()
            .expect("the binary runs")
            .success()
    );
    let whole = started.elapsed();
    let wanted = out(calm.path());
    assert!(
        wanted.decisions.len() > 100_000 && wanted.dead_letters.len() > 1_000 && !wanted.mails.is_empty()
    );

    let mut random = Random::stream(7, "kills", 0);
    let mut interrupted = 0;
    for round in 0..rounds {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // Killed several times in one life, then left in peace.
        for _ in 0..3 {
            let share = u32::try_from(random.between(2, 98)).expect("a small number");
            let mut child = command(folder.path(), &events).spawn().expect("the binary runs");
            std::thread::sleep(whole * share / 100 + Duration::from_micros(u64::from(share) * 37));
            interrupted += u32::from(child.try_wait().expect("a child").is_none());
            child.kill().expect("a child");
            child.wait().expect("a child");
        }
        assert!(
            command(folder.path(), &events)
                .status()
                .expect("the binary runs")
                .success(),
            "round {round}"
        );
        let found = out(folder.path());
        assert!(
            found.decisions == wanted.decisions,
            "round {round}: decisions differ"
        );
        assert!(
            found.dead_letters == wanted.dead_letters,
            "round {round}: dead letters differ"
        );
        assert!(found.mails == wanted.mails, "round {round}: mails differ");
    }
    assert!(
        interrupted > 0,
        "no run was killed before its end: the test shows nothing"
    );
    println!("{rounds} rounds, {interrupted} runs killed before their end");
}
