//! How many rows are kept in memory, how many threads read and how large a commit is, changes no byte of what leaves:
//! a life of 3,000 people, replayed in memory and run over a store.

#![cfg(feature = "run")]
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot prepare its world fails, as it should"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use doorward::generate::{Life, Plan};

/// Rows kept: fewer than one chunk of lines needs, a part of it, and all.
const CACHES: [usize; 3] = [1, 50, 100_000];
const THREADS: [usize; 2] = [1, 3];
const BATCHES: [usize; 2] = [1, 4_096];

/// Enough days that most people come again after everybody else was there.
fn write_events(path: &Path) {
    let life = Life::new(Plan {
        users: 3_000,
        days: 2,
        ..Plan::default()
    })
    .expect("a plan within its bounds");
    let mut bytes = Vec::new();
    for (index, event) in life.events.iter().enumerate() {
        bytes.extend_from_slice(&event.bytes);
        bytes.push(b'\n');
        if index % 500 == 99 {
            bytes.extend_from_slice(b"dirt\n");
        }
    }
    fs::write(path, bytes).expect("a temporary folder");
}

/// Everything that left.
struct Told {
    decisions: Vec<u8>,
    dead_letters: Vec<u8>,
    /// Only `run` writes mails.
    mails: BTreeMap<String, Vec<u8>>,
}

#[derive(Debug)]
struct Sizes {
    cache: usize,
    threads: usize,
    batch: usize,
}

fn told(command: &str, events: &Path, sizes: &Sizes) -> Told {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let geo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/geoip");
    let mut doorward = Command::new(env!("CARGO_BIN_EXE_doorward"));
    doorward
        .current_dir(folder)
        .env_clear()
        .env("DOORWARD_GEOIP_CITY", geo.join("doorward-test-city.mmdb"))
        .env("DOORWARD_GEOIP_ASN", geo.join("doorward-test-asn.csv"))
        .env("DOORWARD_GEOIP_LISTS", geo.join("doorward-test-networks.list"))
        .env("DOORWARD_STORE_USER_CACHE", sizes.cache.to_string())
        .env("DOORWARD_DOORS_THREADS", sizes.threads.to_string())
        .env("DOORWARD_DOORS_BATCH_RECORDS", sizes.batch.to_string())
        .args([
            command,
            "--decisions",
            "decisions",
            "--dead-letters",
            "dead",
            "--events",
        ])
        .arg(events);
    if command == "run" {
        doorward.args(["--data", "data"]);
    }
    let output = doorward.output().expect("the program starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
    Told {
        decisions: fs::read(folder.join("decisions")).expect("decisions"),
        dead_letters: fs::read(folder.join("dead")).expect("dead letters"),
        mails: mails(&folder.join("data/mail")),
    }
}

fn mails(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let Ok(entries) = fs::read_dir(folder) else {
        return BTreeMap::new();
    };
    entries
        .map(|entry| entry.expect("a mail"))
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, fs::read(entry.path()).expect("a mail"))
        })
        .collect()
}

/// Names the first line that differs, instead of megabytes.
fn are_same(this: &[u8], that: &[u8], what: &str) {
    if this == that {
        return;
    }
    let lines = |bytes: &[u8]| {
        String::from_utf8_lossy(bytes)
            .lines()
            .map(str::to_owned)
            .collect::<Vec<_>>()
    };
    let (this, that) = (lines(this), lines(that));
    let at = this
        .iter()
        .zip(&that)
        .take_while(|(one, other)| one == other)
        .count();
    panic!(
        "{what}, line {at} differs:\n{:?}\n{:?}",
        this.get(at),
        that.get(at)
    );
}

/// Every combination in memory. Each commit of a store waits for the disk, so there only the corners are run.
fn plan() -> Vec<(&'static str, Sizes)> {
    let mut plan = Vec::new();
    for cache in CACHES {
        for threads in THREADS {
            for batch in BATCHES {
                plan.push((
                    "replay",
                    Sizes {
                        cache,
                        threads,
                        batch,
                    },
                ));
            }
        }
    }
    for (cache, threads, batch) in [(1, 3, 1), (50, 1, 4_096), (100_000, 3, 4_096)] {
        plan.push((
            "run",
            Sizes {
                cache,
                threads,
                batch,
            },
        ));
    }
    plan
}

#[test]
fn caches_threads_and_batches_change_no_byte() {
    let folder = tempfile::tempdir().expect("a folder");
    let events = folder.path().join("events");
    write_events(&events);
    let mut first: Option<Told> = None;
    let mut mails: Option<BTreeMap<String, Vec<u8>>> = None;
    for (command, sizes) in plan() {
        let what = format!("{command} with {sizes:?}");
        let told = told(command, &events, &sizes);
        if let Some(first) = &first {
            are_same(&told.decisions, &first.decisions, &what);
            are_same(&told.dead_letters, &first.dead_letters, &what);
        }
        if command == "run" {
            assert!(!told.mails.is_empty(), "{what}: nobody was told");
            let wanted = mails.get_or_insert_with(|| told.mails.clone());
            assert!(told.mails == *wanted, "{what}: other mails");
        }
        first.get_or_insert(told);
    }
    let lines = first.map_or(0, |told| {
        told.decisions.iter().filter(|byte| **byte == b'\n').count()
    });
    assert!(lines > 6_000, "{lines} decisions");
}
