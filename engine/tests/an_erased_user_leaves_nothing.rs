//! `doorward user erase` leaves no byte of a user: not in the store's files, not in the files that the store wrote. The
//! journal has no gap, folds to the same state, and what was erased is not decided again.

#![cfg(all(unix, feature = "run"))]
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot prepare its world fails, as it should"
)]

#[path = "harness/privacy.rs"]
mod privacy;

use privacy::{Program, fixture, until};
use std::fs;
use std::io::Write as _;
use std::path::Path;

/// What names `yrsa` in the story, and nobody else.
const YRSA: [&str; 7] = [
    "yrsa",
    "YRSA",
    "yrsa@example.org",
    "+45 20 00 00 99",
    "198.18.3.99",
    "192.0.2.9",
    "203.0.113.225",
];

/// Ids of the user's devices are in the events.
fn devices_of(user: &str, events: &str) -> Vec<String> {
    let mut devices: Vec<String> = events
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|event| event["user"]["id"] == user)
        .filter_map(|event| event["device"]["id"].as_str().map(str::to_owned))
        .filter(|id| id.len() == 32)
        .collect();
    devices.sort();
    devices.dedup();
    devices
}

fn events_of(story: &str) -> String {
    String::from_utf8_lossy(&fs::read(fixture(story)).expect("a story")).into_owned()
}

fn lines(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).expect("a file");
    text.lines().map(str::to_owned).collect()
}

/// Files below a folder that hold one of these texts, with the text.
fn files_with(program: &Program, below: &str, texts: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    search(&program.path(below), texts, &mut found);
    found
}

fn search(path: &Path, texts: &[&str], found: &mut Vec<String>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).expect("a folder") {
            search(&entry.expect("an entry").path(), texts, found);
        }
        return;
    }
    let Ok(bytes) = fs::read(path) else { return };
    for text in texts {
        let text = text.as_bytes();
        if bytes.windows(text.len()).any(|part| part == text) {
            found.push(format!("{}: {}", path.display(), String::from_utf8_lossy(text)));
        }
    }
}

fn nothing_is_left(program: &Program, traces: &[&str]) {
    let found = files_with(program, ".", traces);
    assert!(found.is_empty(), "{found:#?}");
}

fn folds(program: &Program) {
    let said = program.told(&["replay", "--journal"]);
    assert!(said.contains("equal: the journal gives what is stored"), "{said}");
    assert!(said.contains("where a user was erased"), "{said}");
    assert!(program.ask(&["store", "check"]).0 == Some(0), "{said}");
}

#[test]
fn no_byte_is_left_and_the_others_keep_theirs() {
    let program = Program::with(&[]);
    program.run_story("answers-and-dirt");
    let devices = devices_of("yrsa", &events_of("answers-and-dirt"));
    assert!(devices.len() >= 2);
    let traces: Vec<&str> = YRSA
        .iter()
        .copied()
        .chain(devices.iter().map(String::as_str))
        .collect();
    for place in [
        "data/store",
        "data/mail",
        "data/dead-letters.ndjson",
        "decisions",
        "alerts",
    ] {
        assert!(
            !files_with(&program, place, &["yrsa"]).is_empty(),
            "{place} tells nothing of her"
        );
    }
    let zoe_before = program.told(&["user", "export", "zoe"]);
    let others: Vec<String> = lines(&program.path("decisions"));
    let said = program.told(&["user", "erase", "Yrsa"]);
    assert!(said.contains("erased at seq 139: "), "{said}");
    nothing_is_left(&program, &traces);
    let others: Vec<String> = others.into_iter().filter(|line| !line.contains("yrsa")).collect();
    assert_eq!(lines(&program.path("decisions")), others);
    // What is told of another user is what was told before, but for the record of the erasure.
    let seq = |text: &str| text.replace("\"seq\": 139,", "\"seq\": 138,");
    assert_eq!(seq(&program.told(&["user", "export", "zoe"])), zoe_before);
    folds(&program);
    for words in [["user", "export", "yrsa"], ["user", "erase", "yrsa"]] {
        assert_eq!(program.ask(&words).0, Some(1));
    }
}

#[test]
fn what_was_erased_is_not_decided_again_and_life_goes_on() {
    let program = Program::with(&[]);
    let whole = events_of_bytes("answers-and-dirt");
    let half = whole.len() / 2;
    let cut = whole
        .iter()
        .skip(half)
        .position(|byte| *byte == b'\n')
        .expect("a line")
        + half
        + 1;
    program.run_lines(&whole[..cut]);
    program.told(&["user", "erase", "yrsa"]);
    let before = lines(&program.path("decisions"));
    let letters = lines(&program.path("data/dead-letters.ndjson"));
    // The same lines, under another name, so that they are read from the start.
    let again = program.path("again.ndjson");
    fs::write(&again, &whole[..cut]).expect("a temporary folder");
    program.run(&again);
    assert_eq!(
        lines(&program.path("decisions")),
        before,
        "nothing is decided twice"
    );
    assert_eq!(lines(&program.path("data/dead-letters.ndjson")), letters);
    folds(&program);
    // Later events of hers are new ones, and begin a new history.
    let rest = program.path("rest.ndjson");
    fs::write(&rest, &whole[cut..]).expect("a temporary folder");
    program.run(&rest);
    let later = lines(&program.path("decisions"));
    assert!(later.len() > before.len());
    let hers: Vec<&String> = later
        .iter()
        .filter(|line| line.contains(r#""user_id":"yrsa""#))
        .collect();
    assert!(!hers.is_empty());
    folds(&program);
    program.told(&["user", "erase", "yrsa"]);
    nothing_is_left_in(&program, &["data", "decisions", "alerts"], &YRSA);
    folds(&program);
}

fn events_of_bytes(story: &str) -> Vec<u8> {
    fs::read(fixture(story)).expect("a story")
}

fn nothing_is_left_in(program: &Program, places: &[&str], traces: &[&str]) {
    for place in places {
        let found = files_with(program, place, traces);
        assert!(found.is_empty(), "{found:#?}");
    }
}

#[test]
fn open_attempts_timers_and_what_waits_in_a_mailbox_go_too() {
    for (story, event, users) in [
        ("right-password-walks-away", "ulla-stranger", ["thea", "ulla"]),
        ("wrong-password-then-flood", "", ["", ""]),
    ] {
        let program = Program::with(&[]);
        let whole = events_of(story);
        if event.is_empty() {
            program.run_lines(whole.as_bytes());
            let first = whole.lines().next().expect("an event");
            let first: serde_json::Value = serde_json::from_str(first).expect("an event");
            let user = first["user"]["id"].as_str().expect("a user").to_owned();
            fs::remove_file(program.path("events.ndjson")).expect("a file");
            program.told(&["user", "erase", &user]);
            nothing_is_left(
                &program,
                &[&format!("\"{user}\""), &format!("{user}@example.org")],
            );
            folds(&program);
            continue;
        }
        let at = whole.find(event).expect("the event");
        let end = whole
            .bytes()
            .skip(at)
            .position(|byte| byte == b'\n')
            .expect("a line")
            + at
            + 1;
        program.run_lines(&whole.as_bytes()[..end]);
        fs::remove_file(program.path("events.ndjson")).expect("a file");
        for user in users {
            program.told(&["user", "erase", user]);
            nothing_is_left(&program, &[user]);
            folds(&program);
        }
        // Nothing fires for those who are gone, and the third one's attempt still ends.
        program.run_lines(whole.as_bytes());
        let decisions = program.decisions();
        assert!(!decisions.contains("thea-stranger"));
        assert!(decisions.contains(r#""source":"doorward""#));
        folds(&program);
    }
}

#[test]
fn a_running_process_erases_between_two_batches() {
    let program = Program::with(&[]);
    let whole = events_of("answers-and-dirt");
    let at = whole.find("yrsa-twice").expect("an event");
    let cut = whole
        .bytes()
        .skip(at)
        .position(|byte| byte == b'\n')
        .expect("a line")
        + at
        + 1;
    let (mut child, mut pipe) = program.running();
    pipe.write_all(&whole.as_bytes()[..cut]).expect("an open pipe");
    until("her last event was decided", || {
        program.decisions().contains("yrsa-twice")
    });
    let said = program.told(&["user", "erase", "yrsa"]);
    assert!(said.contains("erased at seq"), "{said}");
    nothing_is_left(&program, &YRSA);
    assert_eq!(program.ask(&["user", "export", "yrsa"]).0, Some(1));
    pipe.write_all(&whole.as_bytes()[cut..]).expect("an open pipe");
    drop(pipe);
    assert!(child.wait().expect("a child").success());
    assert!(program.decisions().contains("zoe-after"));
    folds(&program);
    program.told(&["user", "erase", "yrsa"]);
    nothing_is_left(&program, &YRSA);
}

#[test]
fn another_key_of_the_hashes_is_refused() {
    let program = Program::with(&[]);
    program.run_story("answers-and-dirt");
    let output = program
        .command(&["user", "erase", "yrsa", "--data", "data"])
        .env("DOORWARD_SECURITY_HASH_KEY", "00112233445566778899aabbccddeeff")
        .output()
        .expect("the program starts");
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("security.hash_key"));
}

/// Killed at any moment, it is done when it is asked for again, and nothing else is lost.
#[test]
fn a_kill_in_the_middle_is_made_good() {
    let user = "yrsa";
    for round in [1, 4, 9, 16, 30, 60] {
        let program = Program::with(&[]);
        program.run_story("answers-and-dirt");
        let others: Vec<String> = lines(&program.path("decisions"));
        let others: Vec<String> = others.into_iter().filter(|line| !line.contains(user)).collect();
        let mut child = program
            .command(&["user", "erase", user, "--data", "data"])
            .stdout(std::process::Stdio::null())
            .spawn()
            .expect("the program starts");
        std::thread::sleep(std::time::Duration::from_millis(round * 25));
        child.kill().expect("a child");
        child.wait().expect("a child");
        assert_eq!(program.ask(&["store", "check"]).0, Some(0));
        let (code, text, said) = program.ask(&["user", "erase", user]);
        if code == Some(1) {
            // It was done but for its bytes, or done.
            program.told(&["store", "compact"]);
        } else {
            assert_eq!(code, Some(0), "{text}{said}");
        }
        nothing_is_left(&program, &YRSA);
        folds(&program);
        program.run_story("answers-and-dirt");
        assert_eq!(lines(&program.path("decisions")), others, "after {round}");
    }
}
