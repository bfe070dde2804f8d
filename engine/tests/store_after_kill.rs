//! A store that is killed at any moment has every commit that it reported, and no half of one.
#![cfg(feature = "store")]
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use doorward::io::store::{FjallStore, StoreKind, StoreOptions};
use doorward::pipeline::ports::{Batch, Keyspace, Store};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const FOLDER_OF_THE_CHILD: &str = "DOORWARD_TEST_STORE_OF_THE_CHILD";
const ROUNDS: u64 = 10;
/// `seq`s of one commit.
const STEP: u64 = 7;
const TABLES: [Keyspace; 4] = [
    Keyspace::Journal,
    Keyspace::Decided,
    Keyspace::User,
    Keyspace::ByUser,
];

#[test]
fn every_reported_commit_is_there_and_no_half_of_one() {
    if let Some(folder) = std::env::var_os(FOLDER_OF_THE_CHILD) {
        commit_until_killed(Path::new(&folder));
    }
    let folder = tempfile::tempdir().unwrap();
    let mut reported = 0;
    for round in 0..ROUNDS {
        // Spread over the start, the first commits and the run of a child.
        let lifetime = Duration::from_millis(40 + round * 61 % 350);
        reported = reported.max(run_and_kill(folder.path(), lifetime));
        let head = check(folder.path());
        assert!(
            head >= reported,
            "round {round}: {reported} reported, {head} kept"
        );
    }
    assert!(reported > 0, "no child lived long enough to commit");
}

fn open(folder: &Path) -> FjallStore {
    FjallStore::open(folder, StoreKind::Real, &StoreOptions::default()).unwrap()
}

fn commit_until_killed(folder: &Path) -> ! {
    let store = open(folder);
    let mut head = store.head().unwrap();
    loop {
        let mut batch = Batch {
            expected_head: head,
            new_head: head + STEP,
            changes: Vec::new(),
        };
        for seq in head + 1..=head + STEP {
            for keyspace in TABLES {
                batch.put(keyspace, seq.to_be_bytes().to_vec(), vec![1; 300]);
            }
        }
        batch.put(
            Keyspace::Sink,
            b"cursor".to_vec(),
            batch.new_head.to_be_bytes().to_vec(),
        );
        head = store.commit(batch).unwrap();
        let mut out = std::io::stdout().lock();
        writeln!(out, "head {head}").unwrap();
        out.flush().unwrap();
    }
}

/// Last head that the child reported before it was killed.
fn run_and_kill(folder: &Path, lifetime: Duration) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "--nocapture",
            "every_reported_commit_is_there_and_no_half_of_one",
        ])
        .env(FOLDER_OF_THE_CHILD, folder)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let out = BufReader::new(child.stdout.take().unwrap());
    let reader = std::thread::spawn(move || {
        out.lines()
            .map_while(Result::ok)
            .filter_map(|line| line.rsplit_once("head ")?.1.parse::<u64>().ok())
            .last()
    });
    let start = Instant::now();
    while start.elapsed() < lifetime {
        assert_eq!(child.try_wait().unwrap(), None, "the child ended by itself");
        std::thread::sleep(Duration::from_millis(1));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap().unwrap_or(0)
}

/// Every table holds exactly the rows up to the head.
fn check(folder: &Path) -> u64 {
    let store = open(folder);
    let head = store.head().unwrap();
    assert_eq!(head % STEP, 0, "half a batch");
    for keyspace in TABLES {
        let rows = store.scan(keyspace, &[], &[], usize::MAX).unwrap();
        assert_eq!(rows.len() as u64, head, "{keyspace}");
        for (seq, row) in (1..).zip(&rows) {
            let seq: u64 = seq;
            assert_eq!(row.key, seq.to_be_bytes());
            assert_eq!(row.value.len(), 300);
        }
    }
    let cursor = store.load_many(Keyspace::Sink, &[b"cursor".to_vec()]).unwrap();
    let expected = (head > 0).then(|| head.to_be_bytes().to_vec());
    assert_eq!(cursor, [expected]);
    head
}
