//! `doorward store`: a check sees what does not fit, the hash is that of a replay in memory, a loss is told and accepted
//! only when asked for, and compacting changes nothing that is stored.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops at the first surprise"
)]

use doorward::cli::assemble::Assembly;
use doorward::cli::run::{Over, run_over};
use doorward::cli::watch::Watch;
use doorward::config::Settings;
use doorward::generate::{Life, Plan};
use doorward::io::memory::store::MemoryStore;
use doorward::io::store::{FjallStore, StoreOptions};
use doorward::pipeline::keys;
use doorward::pipeline::ports::{Batch, Keyspace, Store};
use doorward::pipeline::run::Sinks;
use doorward::pipeline::state_hash::state_hash;
use doorward::telemetry::metrics::Metrics;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// Some days of a few people with dirt between their lines.
fn events_in(folder: &Path) -> PathBuf {
    let plan = Plan {
        users: 30,
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

fn doorward(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_doorward"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("DOORWARD_DOORS_BATCH_RECORDS", "64")
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A folder with a store that the binary made from the events.
fn lived() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let events = events_in(folder.path());
    let events = events.to_str().unwrap();
    let output = doorward(
        folder.path(),
        &["run", "--events", events, "--data", "data", "--decisions", "out"],
    );
    assert!(output.status.success(), "{}", text(&output.stderr));
    folder
}

fn store(folder: &Path, words: &[&str]) -> (Option<i32>, String) {
    let output = doorward(folder, &[&["store"], words, &["--data", "data"]].concat());
    let said = text(&output.stdout) + &text(&output.stderr);
    (output.status.code(), said)
}

fn open(folder: &Path) -> FjallStore {
    FjallStore::open_existing(&folder.join("data"), &StoreOptions::default()).unwrap()
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

fn first_key(store: &dyn Store, keyspace: Keyspace) -> Vec<u8> {
    let rows = store.scan(keyspace, &[], &[], 1).unwrap();
    rows.first().expect("a row").key.clone()
}

#[test]
fn a_run_into_a_folder_and_a_replay_in_memory_have_one_hash() {
    let folder = lived();
    let memory: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let settings = Settings::default();
    let assembly = Assembly::from_settings(&settings).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let over = Over {
        assembly: &assembly,
        settings: &settings,
        tenant: "default",
        stop: &stop,
        settle: 0,
        live: false,
        upkeep: None,
        backfill: false,
    };
    let events = [folder.path().join("events.ndjson")];
    let watch = Watch::new(Metrics::new().unwrap());
    run_over(
        &over,
        Arc::clone(&memory),
        &events,
        |_| Ok(Sinks::default()),
        &watch,
    )
    .unwrap();
    let hex: String = state_hash(&*memory)
        .unwrap()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let expected = format!("{hex} at seq {}\n", memory.head().unwrap());
    assert_eq!(store(folder.path(), &["hash"]), (Some(0), expected.clone()));

    // It is no constant: one history less is another hash.
    change(folder.path(), |store, batch| {
        batch.delete(Keyspace::User, first_key(store, Keyspace::User));
    });
    assert_ne!(store(folder.path(), &["hash"]).1, expected);
}

#[test]
fn a_check_of_a_whole_store_counts_every_table() {
    let folder = lived();
    let (code, said) = store(folder.path(), &["check"]);
    assert_eq!(code, Some(0), "{said}");
    for table in ["journal", "decided", "by-user", "user", "dead", "alert", "input"] {
        let rows = said
            .lines()
            .find_map(|line| line.strip_prefix(table)?.split_whitespace().next()?.parse().ok());
        assert!(rows.is_some_and(|rows: u64| rows > 0), "{table} in\n{said}");
    }
}

#[test]
fn a_check_names_table_and_key_of_what_does_not_fit() {
    let folder = lived();
    let mut user = Vec::new();
    change(folder.path(), |store, batch| {
        user = first_key(store, Keyspace::User);
        batch.put(Keyspace::User, user.clone(), vec![1, 255, 255]);
        batch.delete(Keyspace::Decided, keys::seq(7));
        batch.delete(Keyspace::Journal, keys::seq(9));
        batch.delete(Keyspace::Decision, first_key(store, Keyspace::Decision));
        batch.put(Keyspace::Sink, b"decisions:somewhere".to_vec(), vec![9]);
    });
    let (code, said) = store(folder.path(), &["check"]);
    assert_eq!(code, Some(5), "{said}");
    let (tenant, _, name) = keys::read_tagged(&user).unwrap();
    for part in [
        &format!("table `user`, {name} of {tenant}: row is "),
        "table `journal`, seq 7: its row `seq 7` in table `decided` is missing",
        "rows missing between seq 9 and seq 9",
        "table `decision` is missing",
        "table `sink`, decisions:somewhere: its row in the store has version 9",
    ] {
        assert!(said.contains(part), "{part} in\n{said}");
    }
}

#[test]
fn a_run_over_a_journal_with_a_gap_is_refused_until_the_gap_is_accepted() {
    let folder = lived();
    change(folder.path(), |_, batch| {
        batch.delete(Keyspace::Journal, keys::seq(9));
    });
    let run = || {
        let output = doorward(
            folder.path(),
            &[
                "run",
                "--events",
                "events.ndjson",
                "--data",
                "data",
                "--decisions",
                "out",
            ],
        );
        (output.status.code(), text(&output.stderr))
    };
    let (code, said) = run();
    assert_eq!(code, Some(5), "{said}");
    assert!(
        said.contains("record 9 is missing") && said.contains("store accept-loss"),
        "{said}"
    );
    assert_eq!(store(folder.path(), &["accept-loss", "--yes"]).0, Some(0));
    let (code, said) = run();
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(store(folder.path(), &["check"]).0, Some(0));
}

#[test]
fn compacting_changes_no_row() {
    let folder = lived();
    let before = store(folder.path(), &["hash"]);
    let (code, said) = store(folder.path(), &["compact"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(
        said.contains("journal files") && said.contains("before"),
        "{said}"
    );
    assert_eq!(store(folder.path(), &["hash"]), before);
    assert_eq!(store(folder.path(), &["check"]).0, Some(0));
}

#[test]
fn a_loss_is_refused_told_and_accepted_only_with_yes() {
    let folder = lived();
    assert!(
        store(folder.path(), &["accept-loss"])
            .1
            .contains("nothing is missing")
    );
    let journal = folder.path().join("data/store/0.jnl");
    let whole = fs::read(&journal).unwrap();
    let used = whole.iter().rposition(|byte| *byte != 0).unwrap();
    fs::write(&journal, whole.get(..used * 3 / 4).unwrap()).unwrap();

    let (code, said) = store(folder.path(), &["check"]);
    assert_eq!(code, Some(5), "{said}");
    assert!(said.contains("doorward store accept-loss --data"), "{said}");
    let (code, told) = store(folder.path(), &["accept-loss"]);
    assert_eq!(code, Some(5), "{told}");
    assert!(
        told.contains("missing: ") && told.contains("nothing was changed"),
        "{told}"
    );
    assert_eq!(
        store(folder.path(), &["hash"]).0,
        Some(5),
        "telling opened the way"
    );

    let (code, said) = store(folder.path(), &["accept-loss", "--yes"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("accepted"), "{said}");
    assert_eq!(store(folder.path(), &["check"]).0, Some(0));
}

#[test]
fn a_folder_without_a_store_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for words in [&["check"][..], &["hash"], &["compact"], &["accept-loss", "--yes"]] {
        let (code, said) = store(folder.path(), words);
        assert_eq!(code, Some(5), "{words:?}: {said}");
        assert!(said.contains("there is no store"), "{said}");
        assert!(!folder.path().join("data").exists());
    }
}
