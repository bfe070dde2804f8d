//! Command lines that used to be taken for something else: `-` where a file is wanted, standard input twice, a tenant
//! that is not allowed, an empty variable; and JSON on standard error to the last line.

#![cfg(feature = "run")]
#![expect(
    clippy::expect_used,
    reason = "a test that cannot prepare its world fails, as it should"
)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

const LOGIN: &str = r#"{"id":"1","source":"t","type":"login","time":"2026-03-01T08:00:00Z","user":{"id":"anna"},"outcome":"success","client":{"ip":"192.0.2.1"}}"#;

/// A folder with `events`: a login and a line that is refused.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("events"), format!("{LOGIN}\nno event\n")).expect("written");
    folder
}

fn doorward(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_doorward"))
        .current_dir(folder)
        .env_clear()
        .envs(variables.iter().copied())
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .expect("the program starts")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn refused(folder: &Path, arguments: &[&str], words: &[&str]) {
    let output = doorward(folder, arguments, &[]);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
    for word in words {
        assert!(said.contains(word), "`{word}` in {said}");
    }
}

#[test]
fn only_decisions_can_go_to_standard_output() {
    let folder = folder();
    for command in [
        vec!["replay", "--events", "events", "--decisions", "out"],
        vec!["run", "--events", "events", "--decisions", "out"],
    ] {
        for flag in ["--dead-letters", "--alerts"] {
            let arguments = [command.as_slice(), &[flag, "-"]].concat();
            refused(
                folder.path(),
                &arguments,
                &[flag, "only decisions can go to standard output"],
            );
        }
    }
    let left: Vec<_> = fs::read_dir(folder.path()).expect("a folder").collect();
    assert_eq!(left.len(), 1, "nothing but the events: {left:?}");
}

#[test]
fn standard_input_is_read_once() {
    let folder = folder();
    for command in [
        vec!["replay", "--decisions", "out"],
        vec!["run"],
        vec!["explain", "--id", "1"],
    ] {
        let arguments = [command.as_slice(), &["--events", "-", "--events", "-"]].concat();
        refused(folder.path(), &arguments, &["`--events -`", "named twice"]);
    }
}

#[test]
fn explain_decides_for_allowed_tenants_only() {
    let folder = folder();
    let arguments = ["explain", "--events", "events", "--id", "1", "--tenant", "acme"];
    refused(folder.path(), &arguments, &["tenant `acme`", "`tenants.allowed`"]);
    let allowed = doorward(folder.path(), &arguments, &[("DOORWARD_TENANTS_ALLOWED", "acme")]);
    assert!(allowed.status.success(), "{}", said(&allowed));
}

#[test]
fn an_empty_variable_names_no_configuration_file() {
    let folder = folder();
    let output = doorward(folder.path(), &["config", "check"], &[("DOORWARD_CONFIG", "")]);
    assert!(output.status.success(), "{}", said(&output));
    fs::write(folder.path().join("doorward.toml"), "nonsense = 1\n").expect("written");
    let output = doorward(folder.path(), &["config", "check"], &[("DOORWARD_CONFIG", "")]);
    assert_eq!(output.status.code(), Some(3), "the usual file counts again");
}

#[test]
fn json_on_standard_error_is_json_to_the_last_line() {
    let folder = folder();
    let replay = ["replay", "--events", "events", "--decisions", "out"];
    let missing = ["replay", "--events", "missing", "--decisions", "out"];
    let journal = ["replay", "--journal", "--data", "data", "--decisions", "-"];
    let run = [
        "run",
        "--events",
        "events",
        "--decisions",
        "out",
        "--data",
        "data",
    ];
    let wrong = ["--config", "missing.toml", "config", "check"];
    for (arguments, level, word) in [
        (
            run.as_slice(),
            "INFO",
            "doorward: 1 event decided; 1 line refused (invalid_json 1)",
        ),
        (
            &replay,
            "INFO",
            "doorward: 1 event decided; 1 line refused (invalid_json 1)",
        ),
        (&journal, "INFO", "equal: the journal gives what is stored"),
        (&missing, "ERROR", "error: `missing` cannot be read"),
        (&wrong, "ERROR", "missing.toml"),
    ] {
        let output = doorward(folder.path(), &[arguments, &["--log", "json"]].concat(), &[]);
        let said = said(&output);
        let objects: Vec<Value> = said
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|_| Value::from(line)))
            .collect();
        assert!(objects.iter().all(Value::is_object), "{arguments:?}: {said}");
        let last = objects.last().expect("a last word");
        assert_eq!(last["level"], level, "{arguments:?}");
        assert!(last["timestamp"].is_string(), "{last}");
        let message = last["message"].as_str().expect("a message");
        assert!(message.contains(word), "`{word}` in {message}");
    }
}
