//! A pipe that an application keeps open: its lines are decided when they arrive, and what is due happens without
//! another line (clause S8).

#![expect(clippy::expect_used, reason = "a test stops at the first surprise")]

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use doorward::event::Timestamp;
use serde_json::Value;

fn live(folder: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_doorward"))
        .current_dir(folder)
        .env_clear()
        .env("DOORWARD_ATTEMPT_GRANTED_SECONDS", "1")
        .args([
            "run",
            "--events",
            "-",
            "--live",
            "--data",
            "data",
            "--decisions",
            "out",
        ])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts")
}

fn now() -> String {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    Timestamp::from_micros(i64::try_from(since.as_micros()).expect("before 294,000")).to_string()
}

/// Lines of the decision file, once there are so many.
fn decisions(folder: &Path, count: usize) -> Vec<Value> {
    let begin = Instant::now();
    loop {
        let text = fs::read_to_string(folder.join("out")).unwrap_or_default();
        let lines: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        if lines.len() >= count {
            return lines;
        }
        assert!(begin.elapsed() < Duration::from_secs(60), "only {text}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn field<'a>(decision: &'a Value, name: &str) -> &'a str {
    decision.get(name).and_then(Value::as_str).unwrap_or_default()
}

#[test]
fn one_line_is_decided_at_once_and_its_attempt_ends_by_itself_while_the_pipe_stays_open() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let mut program = live(folder.path());
    let mut pipe = program.stdin.take().expect("piped");
    let line = format!(
        r#"{{"id":"1","source":"shop","type":"login","time":"{}","user":{{"id":"anna"}},"outcome":"pending","client":{{"ip":"198.51.100.9"}},"attempt":{{"id":"a"}}}}"#,
        now()
    );
    writeln!(pipe, "{line}").expect("the program reads");
    let first = decisions(folder.path(), 1);
    assert_eq!(
        first.first().map(|decision| field(decision, "action")),
        Some("allow")
    );
    let both = decisions(folder.path(), 2);
    let end = both.last().expect("two");
    assert_eq!(field(end, "source"), "doorward");
    assert_eq!(field(end, "type"), "attempt.closed");
    drop(pipe);
    assert!(program.wait().expect("it ends with its pipe").success());
    assert_eq!(decisions(folder.path(), 2).len(), 2);
}
