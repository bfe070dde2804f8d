//! Each row of the table of exit codes, provoked through the real program: the code, and what it says about what was
//! wrong, where, and what to do. Only 70 is missing: a fault of the program itself that could be provoked would be
//! mended.

// `/dev/full` and limits of the shell.
#![cfg(all(target_os = "linux", feature = "run"))]
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot prepare its world fails, as it should"
)]

use std::fs;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use doorward::io::store::{FjallStore, StoreKind, StoreOptions};

/// Long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn login(number: usize) -> String {
    format!(
        r#"{{"id":"{number}","source":"t","type":"login","time":"2026-03-01T08:00:00Z","user":{{"id":"user-{number}"}},"outcome":"success","client":{{"ip":"192.0.2.1"}}}}"#
    )
}

/// A folder with `events.ndjson`.
fn folder_with(logins: usize) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    write_events(folder.path(), logins);
    folder
}

fn write_events(folder: &Path, logins: usize) {
    let lines: String = (0..logins).map(|number| login(number) + "\n").collect();
    fs::write(folder.join("events.ndjson"), lines).expect("a temporary folder");
}

fn doorward(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorward"));
    command.current_dir(folder).env_clear();
    command
}

fn run(folder: &Path) -> Command {
    let mut command = doorward(folder);
    command.args(["run", "--events", "events.ndjson", "--data", "data"]);
    command
}

/// The command ends with this code and says these words, in this order, on stderr.
fn ends(command: &mut Command, code: i32, words: &[&str]) -> Output {
    let output = command.output().expect("the program starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{command:?}: {said}");
    let mut rest = said.as_str();
    for word in words {
        match rest.split_once(word) {
            Some((_, after)) => rest = after,
            None => panic!("`{word}` is not said, or not in its place: {said}"),
        }
    }
    output
}

#[test]
fn code_0_what_was_asked_is_done() {
    let folder = folder_with(2);
    let output = ends(&mut run(folder.path()), 0, &["2 events decided"]);
    assert_eq!(output.stdout.iter().filter(|byte| **byte == b'\n').count(), 2);
}

#[test]
fn code_1_a_rule_does_not_do_what_its_test_says() {
    let folder = tempfile::tempdir().expect("a folder");
    let built_in = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/packs/baseline/new-device.toml");
    let rule = fs::read_to_string(built_in).expect("a rule of the baseline");
    let changed = rule.replacen("points = 18\ngroup", "points = 17\ngroup", 1);
    assert_ne!(rule, changed);
    fs::create_dir_all(folder.path().join("packs/own")).expect("a temporary folder");
    fs::write(folder.path().join("packs/own/new-device.toml"), changed).expect("a temporary folder");
    let output = ends(doorward(folder.path()).args(["rules", "test", "packs"]), 1, &[]);
    // The answer of a check is what it prints, not an error.
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    for word in [
        "FAILED new-device: ",
        "packs/own/new-device.toml:",
        "expected: fires with 18 points, found: fires with 17 points",
        "tests failed: 1 of ",
    ] {
        assert!(printed.contains(word), "{word} in {printed}");
    }
}

#[test]
fn code_2_the_command_line_is_wrong() {
    let folder = folder_with(1);
    ends(
        run(folder.path()).arg("--event"),
        2,
        &["error: ", "'--event'", "Usage:", "--help"],
    );
    ends(
        run(folder.path()).args(["--tenant", "nobody"]),
        2,
        &["error: tenant `nobody`", "`tenants.allowed`", "help: "],
    );
}

#[test]
fn code_3_the_configuration_is_wrong() {
    let folder = folder_with(1);
    fs::write(folder.path().join("doorward.toml"), "\n[score]\nbsae = 12\n").expect("a temporary folder");
    ends(
        &mut run(folder.path()),
        3,
        &[
            "error: the configuration",
            "doorward.toml:3",
            "bsae",
            "base",
            "help: ",
        ],
    );
    assert!(!folder.path().join("data").exists(), "nothing was begun");
}

#[test]
fn code_4_an_input_cannot_be_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let no_file = &["error: `events.ndjson` cannot be read", "help: check the path"];
    ends(&mut run(folder.path()), 4, no_file);
    fs::create_dir(folder.path().join("events.ndjson")).expect("a temporary folder");
    ends(&mut run(folder.path()), 4, no_file);
}

/// A run that waits for its pipe, whose store is open for sure: it has decided something.
fn waiting_run(folder: &Path) -> Child {
    let mut child = doorward(folder)
        .args([
            "run",
            "--events",
            "-",
            "--data",
            "data",
            "--decisions",
            "decisions",
        ])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let pipe = child.stdin.as_mut().expect("a pipe");
    // The first line of an input waits for a second one as the witness of its time.
    write!(pipe, "{}\n{}\n", login(1), login(2)).expect("an open pipe");
    let start = Instant::now();
    while fs::read(folder.join("decisions")).map_or(0, |told| told.len()) == 0 {
        assert!(start.elapsed() < PATIENCE, "no decision came out");
        std::thread::sleep(Duration::from_millis(20));
    }
    child
}

#[test]
fn code_5_another_process_has_the_store() {
    let folder = folder_with(1);
    let mut first = waiting_run(folder.path());
    ends(
        &mut run(folder.path()),
        5,
        &["error: ", "/data/store", "help: end the other process"],
    );
    drop(first.stdin.take());
    assert_eq!(first.wait().expect("a child").code(), Some(0));
    ends(&mut run(folder.path()), 0, &["decided"]);
}

#[test]
fn code_5_the_store_is_that_of_a_demo() {
    let folder = folder_with(1);
    let data = folder.path().join("data");
    fs::create_dir(&data).expect("a temporary folder");
    drop(FjallStore::open(&data, StoreKind::Demo, &StoreOptions::default()).expect("a new store"));
    ends(
        &mut run(folder.path()),
        5,
        &["error: ", "/data/store", "demo", "help: name another folder"],
    );
}

#[test]
fn code_6_the_disk_is_full_in_the_middle_and_the_next_start_goes_on() {
    let folder = folder_with(10);
    let decided = |output: &Output| output.stdout.iter().filter(|byte| **byte == b'\n').count();
    let mut lines = decided(&ends(&mut run(folder.path()), 0, &["10 events decided"]));
    write_events(folder.path(), 3_000);
    // No file may grow beyond 256 KiB (512 in shells that count kibibytes): the store's journal, after some commits.
    let limited = format!(
        "trap '' XFSZ; ulimit -f 512; exec '{}' run --events events.ndjson --data data",
        env!("CARGO_BIN_EXE_doorward")
    );
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &limited])
        .current_dir(folder.path())
        .env("DOORWARD_DOORS_BATCH_RECORDS", "16");
    let output = ends(
        &mut shell,
        6,
        &[
            "error: the store failed: `",
            "/data/store`: the disk answered: File too large",
            "help: ",
            "start again",
        ],
    );
    lines += decided(&output);
    assert!((11..3_000).contains(&lines), "it failed after {lines} decisions");
    // Standard output is at least once, so the count of lines may be larger.
    lines += decided(&ends(&mut run(folder.path()), 0, &["decided"]));
    assert!(lines >= 3_000, "{lines} decisions");
    let again = ends(&mut run(folder.path()), 0, &["0 events decided"]);
    assert_eq!(decided(&again), 0);
}

#[test]
fn code_7_the_decisions_cannot_be_written() {
    let no_space = "cannot be written: No space left";
    ends(
        run(folder_with(1).path()).args(["--decisions", "/dev/full"]),
        7,
        &["error: `/dev/full`", no_space, "help: check"],
    );
    ends(
        run(folder_with(1).path()).args(["--decisions", "no-folder/decisions"]),
        7,
        &[
            "error: `no-folder/decisions` cannot be written",
            "help: check the folder",
        ],
    );
    let folder = folder_with(1);
    let full = fs::File::create("/dev/full").expect("a device that is full");
    ends(
        run(folder.path()).stdout(full),
        7,
        &["error: `-`", no_space, "help: check"],
    );
    // What could not leave then leaves at the next start, though nothing is decided twice.
    let output = ends(&mut run(folder.path()), 0, &["0 events decided"]);
    assert_eq!(output.stdout.iter().filter(|byte| **byte == b'\n').count(), 1);
}

#[test]
fn code_8_a_geo_file_or_a_rule_is_refused() {
    let folder = folder_with(1);
    fs::write(folder.path().join("city.mmdb"), "no database").expect("a temporary folder");
    fs::create_dir(folder.path().join("rules")).expect("a temporary folder");
    fs::write(folder.path().join("rules/own.toml"), "id = \"other\"\n").expect("a temporary folder");
    for (setting, value, words) in [
        ("DOORWARD_GEOIP_CITY", "city.mmdb", ["`[geoip]`", "city.mmdb"]),
        ("DOORWARD_RULES_FOLDER", "rules", ["the rules in", "own.toml:"]),
    ] {
        let [what, place] = words;
        ends(
            run(folder.path()).env(setting, value),
            8,
            &["error: ", what, place, "help: correct the files"],
        );
    }
    assert!(!folder.path().join("data").exists(), "nothing was begun");
}

#[test]
fn code_9_the_port_is_taken() {
    let folder = folder_with(1);
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("an address").to_string();
    ends(
        run(folder.path()).env("DOORWARD_METRICS_LISTEN", &address),
        9,
        &["error: `metrics.listen`", &address, "help: choose another port"],
    );
    assert!(!folder.path().join("data").exists(), "nothing was begun");
}

#[test]
fn code_10_there_is_less_free_space_than_wanted() {
    let folder = folder_with(1);
    ends(
        run(folder.path()).env("DOORWARD_STORE_FREE_MIN", "1073741824"),
        10,
        &[
            "error: there is too little space for `",
            "/data/store`: ",
            " MiB are free, `store.free_min` wants 1073741824 MiB",
            "help: make space",
        ],
    );
    ends(&mut run(folder.path()), 0, &["1 event decided"]);
}
