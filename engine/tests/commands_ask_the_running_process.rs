//! `<data>/admin.sock`: while `doorward run` has the store, commands that read it are answered by that process.

#![cfg(all(unix, feature = "run"))]
#![expect(
    clippy::expect_used,
    reason = "a test that cannot prepare its world fails, as it should"
)]

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn doorward(folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorward"));
    command.current_dir(folder).env_clear().args(words);
    command
}

fn ask(folder: &Path, words: &[&str]) -> Output {
    doorward(folder, &[words, &["--data", "data"]].concat())
        .output()
        .expect("the program starts")
}

fn told(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn until(what: &str, mut ready: impl FnMut() -> bool) {
    let start = Instant::now();
    while !ready() {
        assert!(start.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A run that waits for more, and has decided three logins.
fn running(folder: &Path) -> (Child, ChildStdin) {
    let words = ["run", "--events", "-", "--data", "data", "--decisions", "out"];
    let mut child = doorward(folder, &words)
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut pipe = child.stdin.take().expect("a pipe");
    for number in 1..=3 {
        let line = format!(
            r#"{{"id":"login-{number}","source":"t","type":"login","time":"2026-03-01T08:00:00Z","user":{{"id":"anna"}},"outcome":"success","client":{{"ip":"192.0.2.1"}}}}"#
        );
        writeln!(pipe, "{line}").expect("an open pipe");
    }
    pipe.flush().expect("an open pipe");
    until("nothing was decided", || {
        fs::read_to_string(folder.join("out")).is_ok_and(|text| text.lines().count() == 3)
    });
    (child, pipe)
}

fn end((mut child, pipe): (Child, ChildStdin)) {
    drop(pipe);
    assert!(child.wait().expect("a child").success());
}

#[test]
fn what_a_running_process_answers_is_what_its_store_says_later() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let run = running(folder);
    let commands: [&[&str]; 3] = [
        &["store", "hash"],
        &["explain", "--id", "login-2", "--width", "90"],
        &["explain", "--id", "nobody"],
    ];
    let answers: Vec<Output> = commands.iter().map(|words| ask(folder, words)).collect();
    let status = ask(folder, &["status"]);
    let said = told(&status.stdout);
    assert_eq!(status.status.code(), Some(0), "{}", told(&status.stderr));
    assert!(said.contains("decided   3 since"), "{said}");
    assert!(said.contains("2026-03-01T08:00:00"), "{said}");
    let check = ask(folder, &["store", "check"]);
    assert_eq!(check.status.code(), Some(0), "{}", told(&check.stderr));
    assert!(told(&check.stdout).contains("journal"));
    // What would change the store is not asked for.
    let compact = ask(folder, &["store", "compact"]);
    assert_eq!(compact.status.code(), Some(5));
    assert!(told(&compact.stderr).contains("in use"));
    end(run);
    assert!(!folder.join("data/admin.sock").exists(), "the socket is left");
    for (words, answer) in commands.iter().zip(answers) {
        let later = ask(folder, words);
        assert_eq!(answer.status, later.status, "{words:?}");
        assert_eq!(told(&answer.stdout), told(&later.stdout), "{words:?}");
        assert_eq!(told(&answer.stderr), told(&later.stderr), "{words:?}");
    }
    let status = ask(folder, &["status"]);
    assert_eq!(
        status.status.code(),
        Some(0),
        "nobody is there to ask, and that is said"
    );
}

#[test]
fn only_the_owner_may_ask_and_a_socket_that_was_left_is_replaced() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let (mut child, _pipe) = running(folder);
    let socket = folder.join("data/admin.sock");
    let mode = fs::metadata(&socket).expect("a socket").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    child.kill().expect("a child");
    child.wait().expect("a child");
    assert!(socket.exists(), "killed, it cleans nothing up");
    let hash = ask(folder, &["store", "hash"]);
    assert_eq!(hash.status.code(), Some(0), "the folder is free");
    fs::remove_file(folder.join("out")).expect("an output");
    // Its cursor goes with it: the next run writes to another file.
    let words = ["run", "--events", "-", "--data", "data", "--decisions", "other"];
    let mut child = doorward(folder, &words)
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    until("nobody answers", || ask(folder, &["status"]).status.success());
    drop(child.stdin.take());
    assert!(child.wait().expect("a child").success());
}

/// Sends bytes, and reads all that comes back.
fn exchange(folder: &Path, bytes: &[u8]) -> String {
    let mut stream = UnixStream::connect(folder.join("data/admin.sock")).expect("a socket");
    // It may hang up before all of it is written.
    let _ = stream.write_all(bytes);
    let mut said = Vec::new();
    let _ = stream.read_to_end(&mut said);
    told(&said)
}

#[test]
fn requests_that_are_none_are_refused_and_the_run_goes_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let folder = folder.path();
    let run = running(folder);
    let not_json = exchange(folder, b"hello\n");
    assert!(not_json.contains("no line of JSON"), "{not_json}");
    let unknown = exchange(folder, b"{\"command\":\"store accept-loss\"}\n");
    assert!(unknown.contains("\"exit\":2"), "{unknown}");
    let wrong = exchange(folder, b"{\"command\":\"explain\",\"args\":[1]}\n");
    assert!(wrong.contains("cannot be read"), "{wrong}");
    exchange(folder, &vec![b'x'; 100_000]);
    // Those who say nothing take the places, but not for long.
    let silent: Vec<UnixStream> = (0..4)
        .map(|_| UnixStream::connect(folder.join("data/admin.sock")).expect("a socket"))
        .collect();
    until("a fifth is not told", || {
        exchange(folder, b"{\"command\":\"status\"}\n").contains("others are asking")
    });
    until("the silent keep their places", || {
        exchange(folder, b"{\"command\":\"status\"}\n").contains("\"exit\":0")
    });
    drop(silent);
    end(run);
}
