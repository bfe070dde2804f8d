//! SIGTERM ends a run that waits for a pipe: before its first line, and after some lines, which are stored.

#![expect(
    clippy::expect_used,
    reason = "a test that cannot prepare its world fails, as it should"
)]

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const LINE: &str = r#"{"id":"1","source":"t","type":"login","time":"2026-03-01T08:00:00Z","user":{"id":"anna"},"outcome":"success","client":{"ip":"192.0.2.1"}}"#;
/// Long enough for a busy machine; a run that hangs never ends.
const PATIENCE: Duration = Duration::from_secs(60);

fn start(folder: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_doorward"))
        .args([
            "run",
            "--events",
            "-",
            "--data",
            "data",
            "--decisions",
            "decisions.ndjson",
        ])
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary runs")
}

/// Waits until `ready`, or fails.
fn until(what: &str, mut ready: impl FnMut() -> bool) {
    let start = Instant::now();
    while !ready() {
        assert!(start.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn terminate(child: &mut Child) {
    let sent = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status()
        .expect("kill");
    assert!(sent.success());
    until("the run did not end at SIGTERM", || {
        child.try_wait().expect("a child").is_some()
    });
    assert_eq!(child.wait().expect("a child").code(), Some(0));
}

#[test]
fn a_run_that_waits_for_its_first_line_ends_at_sigterm() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut child = start(folder.path());
    until("the store was not made", || {
        folder.path().join("data/store").exists()
    });
    terminate(&mut child);
}

#[test]
fn what_a_pipe_gave_before_sigterm_is_stored() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut child = start(folder.path());
    let mut pipe = child.stdin.take().expect("a pipe");
    // The first line of an input waits for a second one as the witness of its time.
    writeln!(pipe, "{LINE}").expect("an open pipe");
    writeln!(pipe, "{}", LINE.replacen(r#""id":"1""#, r#""id":"2""#, 1)).expect("an open pipe");
    pipe.flush().expect("an open pipe");
    let decisions = folder.path().join("decisions.ndjson");
    until("the decision did not come out", || {
        fs::read_to_string(&decisions).is_ok_and(|told| told.lines().count() == 2)
    });
    terminate(&mut child);
    drop(pipe);
    let told = fs::read_to_string(&decisions).expect("decisions");
    assert_eq!(told.lines().count(), 2);
    assert!(told.contains(r#""event_id":"1""#));
}
