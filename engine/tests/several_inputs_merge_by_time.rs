//! `--events` given several times is one stream in the order of time: decisions, dead letters and mails are those of
//! one file that somebody sorted. Equal times go in the order of the arguments, and a file named twice counts once.

#![cfg(feature = "run")]
#![expect(
    clippy::expect_used,
    reason = "a test that cannot prepare its world fails, as it should"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use doorward::event::Timestamp;
use doorward::generate::{EventBuilder, Life, Plan};
use serde_json::Value;

/// A line with its time; dirt has the time of the line before it in its file, as it is read right behind that.
#[derive(Clone)]
struct Line {
    time: Timestamp,
    bytes: Vec<u8>,
}

/// Lines of a generated life dealt out to so many files, each in order of time and with dirt of its own.
fn dealt(files: usize) -> Vec<Vec<Line>> {
    let life = Life::new(Plan {
        users: 60,
        days: 9,
        ..Plan::default()
    })
    .expect("a plan within its bounds");
    let mut dealt = vec![Vec::new(); files];
    for (index, event) in life.events.into_iter().enumerate() {
        // Runs of changing length, so that no file is ever simply next.
        let number = (index / 3 + index / 7) % files;
        let file = dealt.get_mut(number).expect("a file");
        let time = event.time;
        file.push(Line {
            time,
            bytes: event.bytes,
        });
        if index % 40 == 5 {
            let bytes = format!("dirt {index} of file {number}").into_bytes();
            file.push(Line { time, bytes });
        }
    }
    dealt
}

/// All lines in order of time; equal ones in the order of the files.
fn sorted(files: &[Vec<Line>]) -> Vec<Line> {
    let mut all: Vec<Line> = files.iter().flatten().cloned().collect();
    all.sort_by_key(|line| line.time);
    all
}

fn write(path: &Path, lines: &[Line]) {
    let bytes: Vec<u8> = lines
        .iter()
        .flat_map(|line| line.bytes.iter().chain(b"\n"))
        .copied()
        .collect();
    fs::write(path, bytes).expect("a temporary folder");
}

/// What left, but for the place of dead letters, which is that in their own files.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    decisions: String,
    /// `seq`, reason and text.
    dead_letters: Vec<(u64, String, String)>,
    mails: BTreeMap<String, Vec<u8>>,
    stderr: String,
}

fn run(folder: &Path, files: &[&str]) -> Told {
    let geo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/geoip");
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorward"));
    command.arg("run").current_dir(folder).env_clear();
    for file in files {
        command.args(["--events", file]);
    }
    let output = command
        .args(["--data", "data", "--decisions", "decisions"])
        .env("DOORWARD_GEOIP_CITY", geo.join("doorward-test-city.mmdb"))
        .env("DOORWARD_GEOIP_ASN", geo.join("doorward-test-asn.csv"))
        .env("DOORWARD_DOORS_THREADS", "3")
        .output()
        .expect("the program starts");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    let read = |path: &str| fs::read_to_string(folder.join(path)).expect("text that the run wrote");
    Told {
        decisions: read("decisions"),
        dead_letters: read("data/dead-letters.ndjson").lines().map(letter).collect(),
        mails: mails(&folder.join("data/mail")),
        stderr,
    }
}

fn letter(line: &str) -> (u64, String, String) {
    let letter: Value = serde_json::from_str(line).expect("JSON");
    let text = |name: &str| {
        letter
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let seq = letter.get("seq").and_then(Value::as_u64).expect("a number");
    (seq, text("reason"), text("text"))
}

fn mails(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).expect("mails");
    entries
        .map(|entry| entry.expect("a mail").path())
        .map(|path| (path.display().to_string(), fs::read(&path).expect("a mail")))
        .map(|(path, bytes)| (path.rsplit('/').next().unwrap_or_default().to_owned(), bytes))
        .collect()
}

fn names(count: usize) -> Vec<String> {
    (1..=count).map(|number| format!("{number}.ndjson")).collect()
}

/// `files` in one run each, and in two runs between which they grow, against one file.
fn merges_like_one_file(count: usize) {
    let files = dealt(count);
    let one = tempfile::tempdir().expect("a folder");
    write(&one.path().join("all.ndjson"), &sorted(&files));
    let wanted = run(one.path(), &["all.ndjson"]);
    assert!(wanted.decisions.lines().count() > 500 && wanted.dead_letters.len() > 10);
    assert!(!wanted.mails.is_empty());

    let names = names(count);
    let named: Vec<&str> = names.iter().map(String::as_str).collect();
    let folder = tempfile::tempdir().expect("a folder");
    for (name, lines) in names.iter().zip(&files) {
        write(&folder.path().join(name), lines);
    }
    assert!(
        run(folder.path(), &named) == wanted,
        "{count} files are not one file"
    );

    let grown = tempfile::tempdir().expect("a folder");
    let half = sorted(&files);
    let until = half.get(half.len() / 2).expect("lines").time;
    for (name, lines) in names.iter().zip(&files) {
        let early: Vec<Line> = lines.iter().filter(|line| line.time < until).cloned().collect();
        write(&grown.path().join(name), &early);
    }
    let first = run(grown.path(), &named);
    assert!(wanted.decisions.starts_with(&first.decisions) && first.decisions != wanted.decisions);
    for (name, lines) in names.iter().zip(&files) {
        write(&grown.path().join(name), lines);
    }
    let second = run(grown.path(), &named);
    assert!(!second.stderr.contains("were there before"), "{}", second.stderr);
    let stderr = wanted.stderr.clone();
    assert!(
        Told { stderr, ..second } == wanted,
        "{count} files that grew are not one file"
    );
}

#[test]
fn two_files_are_one_in_order_of_time() {
    merges_like_one_file(2);
}

#[test]
fn three_files_are_one_in_order_of_time() {
    merges_like_one_file(3);
}

/// Logins of one moment, by the letter of their file.
fn at_once(letter: char) -> Vec<Line> {
    let time = Timestamp::parse("2026-03-02T08:00:00Z").expect("a time");
    (0..5)
        .map(|number| Line {
            time,
            bytes: EventBuilder::login(&format!("{letter}{number}"), "t", "anna")
                .at(time)
                .address("192.0.2.1")
                .line(),
        })
        .collect()
}

fn ids(decisions: &str) -> Vec<String> {
    let id = |line| {
        let decision: Value = serde_json::from_str(line).expect("JSON");
        decision
            .get("event_id")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    decisions.lines().map(id).collect()
}

#[test]
fn equal_times_go_in_the_order_of_the_arguments() {
    for order in [["a", "b", "c"], ["c", "a", "b"], ["b", "c", "a"]] {
        let folder = tempfile::tempdir().expect("a folder");
        for letter in ['a', 'b', 'c'] {
            write(&folder.path().join(letter.to_string()), &at_once(letter));
        }
        let told = run(folder.path(), &order);
        let wanted: Vec<String> = order
            .iter()
            .flat_map(|letter| (0..5).map(move |number| format!("{letter}{number}")))
            .collect();
        assert_eq!(ids(&told.decisions), wanted);
    }
}

#[test]
fn a_file_named_twice_counts_once() {
    let files = dealt(1);
    let all = sorted(&files);
    let events = all.len();
    let once = tempfile::tempdir().expect("a folder");
    write(&once.path().join("a"), &all);
    let wanted = run(once.path(), &["a"]);
    let own = |line: &&str| line.contains("\"source\":\"doorward\"");
    // Attempts that nobody finished end as events of our own, which stand in no file.
    let decided = wanted.decisions.lines().filter(|line| !own(line)).count();
    assert_eq!(decided + wanted.dead_letters.len(), events);
    for other in ["a", "./a", "copy"] {
        let folder = tempfile::tempdir().expect("a folder");
        write(&folder.path().join("a"), &all);
        write(&folder.path().join("copy"), &all);
        let told = run(folder.path(), &["a", other]);
        assert!(
            told.stderr.contains(&format!("{events} were there before")),
            "{other}: {}",
            told.stderr
        );
        let stderr = wanted.stderr.clone();
        assert!(Told { stderr, ..told } == wanted, "{other}: twice is not once");
    }
}
