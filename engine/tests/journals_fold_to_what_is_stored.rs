//! `doorward replay --journal`: the journal of a store gives all that is stored (clause S1), whatever way the store came
//! about: settled, killed, with two inputs, in several runs. What is not whole is refused, what differs is said.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use doorward::generate::{Life, Plan};
use doorward::io::store::{FjallStore, StoreOptions};
use doorward::pipeline::journal::{self, Body};
use doorward::pipeline::keys;
use doorward::pipeline::ports::{Batch, Keyspace, Store};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

const STORIES: [&str; 5] = [
    "right-password-walks-away",
    "wrong-password-then-flood",
    "answers-and-dirt",
    "spray-one-hit",
    "ordinary-churn",
];

fn story(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fixtures/events")
        .join(format!("{name}.ndjson"))
}

fn doorward(folder: &Path) -> Command {
    let geo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/geoip");
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorward"));
    command
        .current_dir(folder)
        .env_clear()
        .env("DOORWARD_DOORS_BATCH_RECORDS", "64")
        // The stories last for months, and only a whole journal can be folded.
        .env("DOORWARD_STORE_JOURNAL_DAYS", "400")
        .env("DOORWARD_GEOIP_CITY", geo.join("doorward-test-city.mmdb"))
        .env("DOORWARD_GEOIP_ASN", geo.join("doorward-test-asn.csv"))
        .env("DOORWARD_GEOIP_LISTS", geo.join("doorward-test-networks.list"));
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn run_command(folder: &Path, events: &[&Path], settle: &str) -> Command {
    let mut command = doorward(folder);
    command.args(["run", "--data", "data", "--decisions", "out", "--settle", settle]);
    for path in events {
        command.arg("--events").arg(path);
    }
    command
}

fn run(folder: &Path, events: &[&Path], settle: &str) {
    let output = run_command(folder, events, settle).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
}

fn fold(folder: &Path) -> Output {
    doorward(folder)
        .args(["replay", "--journal", "--data", "data", "--decisions", "again"])
        .output()
        .unwrap()
}

/// The fold says that it is equal, its hash is that of `store hash`, and its decisions are those that were written.
fn assert_folds(folder: &Path, what: &str) {
    let output = fold(folder);
    let told = said(&output);
    assert_eq!(output.status.code(), Some(0), "{what}: {told}");
    assert!(told.contains("equal: the journal gives"), "{what}: {told}");
    let hash = doorward(folder)
        .args(["store", "hash", "--data", "data"])
        .output()
        .unwrap();
    let hash = String::from_utf8(hash.stdout).unwrap();
    assert!(told.contains(hash.trim()), "{what}: {told} but {hash}");
    let files = ["out", "again"].map(|name| fs::read(folder.join(name)).unwrap());
    assert!(files[0] == files[1], "{what}: the files of decisions differ");
}

fn open(folder: &Path) -> FjallStore {
    FjallStore::open_existing(&folder.join("data"), &StoreOptions::default()).unwrap()
}

/// How many records of the journal are of a kind.
fn count(folder: &Path, of: impl Fn(&Body<Vec<u8>>) -> bool) -> usize {
    let rows = open(folder)
        .scan(Keyspace::Journal, &[], &[], usize::MAX)
        .unwrap();
    rows.iter()
        .filter(|row| of(&journal::decode(&row.value).unwrap().body))
        .count()
}

#[test]
fn every_story_folds_to_its_store_as_far_as_it_went_and_settled() {
    for name in STORIES {
        for settle in ["0s", "20m", "24h"] {
            let folder = tempfile::tempdir().unwrap();
            run(folder.path(), &[&story(name)], settle);
            assert_folds(folder.path(), &format!("{name}, settled {settle}"));
        }
    }
}

#[test]
fn what_settled_without_a_word_is_in_the_journal() {
    let folder = tempfile::tempdir().unwrap();
    let event = |id: &str, minute: u32, rest: &str| {
        format!(
            r#"{{"id":"{id}","source":"app","type":"login","time":"2026-03-02T10:{minute:02}:00Z","user":{{"id":"ana"}},"client":{{"ip":"198.51.100.7"}},{rest}}}"#
        )
    };
    let wrong = r#""outcome":"failure","reason":"bad_password","attempt":{"id":"try-1"}"#;
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    let known = event("a", 0, r#""outcome":"success""#);
    fs::write(&first, format!("{known}\n{}\n", event("b", 1, wrong))).unwrap();
    fs::write(&second, event("c", 5, wrong) + "\n").unwrap();
    // Nobody is told of wrong passwords, so that the end of the attempt leaves no record of its own.
    fs::write(
        folder.path().join("doorward.toml"),
        "[alerts]\nfailed_unknown = \"off\"\n",
    )
    .unwrap();
    run(folder.path(), &[&first], "24h");
    let settled = count(folder.path(), |body| matches!(body, Body::Settled));
    let own = count(folder.path(), |body| {
        matches!(body, Body::Own { .. } | Body::Told { .. })
    });
    assert_eq!(
        (settled, own),
        (1, 0),
        "the attempt ended, and nobody heard of it"
    );
    assert_folds(folder.path(), "settled");
    // The same try goes on in a later run: it is another attempt now, for the fold as well.
    run(folder.path(), &[&second], "0s");
    assert_folds(folder.path(), "and went on");
    run(folder.path(), &[&second], "0s");
    let settled = count(folder.path(), |body| matches!(body, Body::Settled));
    assert_eq!(settled, 1, "nothing fired in the last run");
}

fn life(folder: &Path) -> PathBuf {
    let plan = Plan {
        users: 40,
        days: 6,
        ..Plan::default()
    };
    let mut bytes = Vec::new();
    for (index, event) in Life::new(plan).unwrap().events.iter().enumerate() {
        bytes.extend_from_slice(&event.bytes);
        bytes.push(b'\n');
        if index % 40 == 3 {
            bytes.extend_from_slice(b"this is no event\n");
        }
    }
    let path = folder.join("events.ndjson");
    fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn two_inputs_merged_and_a_third_one_later_fold_to_their_store() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (story("wrong-password-then-flood"), story("answers-and-dirt"));
    run(folder.path(), &[&one, &two], "24h");
    assert_folds(folder.path(), "two inputs");
    run(folder.path(), &[&life(folder.path())], "24h");
    assert_folds(folder.path(), "a third one");
}

#[test]
fn a_killed_run_folds_to_what_was_committed_and_so_does_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let events = fs::read(life(folder.path())).unwrap();
    for round in 0..3 {
        // Through a pipe that stays open the program cannot come to its end before it is killed.
        let mut child = run_command(folder.path(), &[Path::new("-")], "24h")
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut pipe = child.stdin.take().unwrap();
        let part = &events[..events.len() / (4 - round)];
        pipe.write_all(part).unwrap();
        pipe.flush().unwrap();
        let committed = folder.path().join("out");
        let before = fs::metadata(&committed).map_or(0, |file| file.len());
        while fs::metadata(&committed).map_or(0, |file| file.len()) <= before {
            assert_eq!(child.try_wait().unwrap(), None, "it ended by itself");
            std::thread::sleep(Duration::from_millis(5));
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let output = fold(folder.path());
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert!(said(&output).contains("equal"), "{}", said(&output));
    }
    run(folder.path(), &[&folder.path().join("events.ndjson")], "24h");
    assert_folds(folder.path(), "whole at last");
}

fn change(folder: &Path, change: impl FnOnce(&FjallStore, &mut Batch)) {
    let store = open(folder);
    let head = store.head().unwrap();
    let mut batch = Batch {
        expected_head: head,
        new_head: head,
        changes: Vec::new(),
    };
    change(&store, &mut batch);
    store.commit(batch).unwrap();
}

#[test]
fn a_row_that_the_journal_does_not_give_is_a_difference() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &[&story("right-password-walks-away")], "24h");
    change(folder.path(), |store, batch| {
        let rows = store.scan(Keyspace::User, &[], &[], 1).unwrap();
        batch.delete(Keyspace::User, rows[0].key.clone());
    });
    let output = fold(folder.path());
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("different:"), "{}", said(&output));
}

#[test]
fn a_journal_without_its_beginning_is_refused_with_both_numbers() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &[&story("answers-and-dirt")], "0s");
    let head = open(folder.path()).head().unwrap();
    change(folder.path(), |_, batch| {
        for seq in 1..=3 {
            batch.delete(Keyspace::Journal, keys::seq(seq));
        }
    });
    let output = fold(folder.path());
    let told = said(&output);
    assert_eq!(output.status.code(), Some(5), "{told}");
    assert!(told.contains(&format!("begins at seq 4 of {head}")), "{told}");
    assert!(told.contains("only a whole journal"), "{told}");
}

#[test]
fn other_settings_decide_otherwise_and_are_named_and_not_compared() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &[&story("spray-one-hit")], "24h");
    let output = doorward(folder.path())
        .args(["replay", "--journal", "--data", "data", "--decisions", "again"])
        .env("DOORWARD_SCORE_BASE", "30")
        .output()
        .unwrap();
    let told = said(&output);
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.contains("decisions were made with other rules"), "{told}");
    assert!(told.contains("were not compared"), "{told}");
    let files = ["out", "again"].map(|name| fs::read(folder.path().join(name)).unwrap());
    assert_ne!(files[0], files[1], "another base gives other scores");
}

#[test]
fn nothing_is_written_into_the_store_and_decisions_may_go_to_standard_output() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path(), &[&story("right-password-walks-away")], "24h");
    let rows = |folder: &Path| {
        let store = open(folder);
        Keyspace::ALL.map(|keyspace| store.scan(keyspace, &[], &[], usize::MAX).unwrap())
    };
    let before = rows(folder.path());
    let output = doorward(folder.path())
        .args(["replay", "--journal", "--data", "data", "--decisions", "-"])
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", said(&output));
    assert!(output.stdout == fs::read(folder.path().join("out")).unwrap());
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(told.contains("equal"), "{told}");
    assert!(rows(folder.path()) == before, "a row changed");
}
