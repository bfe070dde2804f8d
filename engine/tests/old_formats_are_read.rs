//! Rows that the first version wrote are read for ever, and rows of a newer one are refused by name (clause S12).
//!
//! `fixtures/history/v1/rows.txt` holds every row of a small store: table, key and value in hexadecimal. Written once, by
//! `DOORWARD_WRITE_DOCS=1 cargo test -p doorward --test old_formats_are_read`; from the first release on it must stay.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test stops at the first surprise"
)]

#[path = "upkeep/world.rs"]
#[expect(dead_code, reason = "other tests use the rest")]
mod world;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use doorward::cli::store::check::check;
use doorward::pipeline::ports::{Batch, Change, Keyspace, Store};
use world::{OFTEN, feed, life, memory, open, rows, settings};

/// Tables whose rows are the store's own: the embedded store writes them by itself.
const OWN: [Keyspace; 1] = [Keyspace::Meta];

fn file() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/history/v1/rows.txt")
}

fn write(store: &dyn Store) {
    let mut text = format!("head {}\n", store.head().unwrap());
    for keyspace in Keyspace::ALL
        .into_iter()
        .filter(|keyspace| !OWN.contains(keyspace))
    {
        for row in rows(store, keyspace) {
            writeln!(text, "{keyspace} {} {}", hex(&row.key), hex(&row.value)).unwrap();
        }
    }
    fs::create_dir_all(file().parent().unwrap()).unwrap();
    fs::write(file(), text).unwrap();
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Vec<u8> {
    let pairs = (0..text.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(text.get(at..at + 2).expect("pairs"), 16).expect("digits"))
        .collect()
}

/// The store of the file. `change` sees every row before it is put in.
fn stored(mut change: impl FnMut(&mut Change)) -> Arc<dyn Store> {
    let text = fs::read_to_string(file()).expect("the fixture");
    let (head, lines) = text.split_once('\n').expect("lines");
    let mut batch = Batch {
        expected_head: 0,
        new_head: head
            .strip_prefix("head ")
            .expect("head")
            .parse()
            .expect("a number"),
        changes: Vec::new(),
    };
    for line in lines.lines() {
        let mut words = line.split(' ');
        let name = words.next().expect("a table");
        let keyspace = Keyspace::ALL.into_iter().find(|keyspace| keyspace.name() == name);
        let mut row = Change {
            keyspace: keyspace.expect("a table that is known"),
            key: from_hex(words.next().expect("a key")),
            value: Some(from_hex(words.next().expect("a value"))),
        };
        change(&mut row);
        batch.changes.push(row);
    }
    let store = memory();
    store.commit(batch).expect("an empty store");
    store
}

#[test]
fn every_row_of_the_first_version_is_read_and_the_next_login_is_decided_over_them() {
    let (settings, lines) = (settings(), life(6, 8));
    let (before, after) = lines.split_at(lines.len() / 2);
    if std::env::var_os("DOORWARD_WRITE_DOCS").is_some() {
        let store = memory();
        feed(&settings, &store, before, Some(OFTEN)).expect("a calm run");
        write(&*store);
    }
    let store = stored(|_| {});
    let report = check(&*store);
    assert!(
        report.is_whole(),
        "{}",
        doorward::cli::store::check::page(&report, 0)
    );
    for keyspace in [
        Keyspace::User,
        Keyspace::Journal,
        Keyspace::Decided,
        Keyspace::Alert,
    ] {
        assert!(!rows(&*store, keyspace).is_empty(), "no row of `{keyspace}`");
    }
    open(&settings, &store).expect("the counters fold");
    let counts = feed(&settings, &store, after, None).expect("a run over old rows");
    assert_eq!(counts.decided, after.len() as u64);
}

#[test]
fn a_row_of_a_newer_version_is_refused_by_its_table() {
    for keyspace in [
        Keyspace::Journal,
        Keyspace::Decided,
        Keyspace::User,
        Keyspace::Failures,
        Keyspace::Attempt,
        Keyspace::Mailbox,
        Keyspace::Alert,
    ] {
        let mut newer = 0;
        let store = stored(|row| {
            if row.keyspace == keyspace
                && let Some(version) = row.value.as_mut().and_then(|value| value.first_mut())
            {
                *version = 200;
                newer += 1;
            }
        });
        let report = check(&*store);
        let page = doorward::cli::store::check::page(&report, 0);
        assert_eq!(report.is_whole(), newer == 0, "`{keyspace}`: {page}");
        assert!(newer == 0 || page.contains("200"), "`{keyspace}`: {page}");
    }
}
