//! Every command explains itself with an example, and every example it prints works.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// The smallest login there is, for examples that read events.
const LOGIN: &str = r#"{"id":"login-1","source":"shop/web","type":"login","time":"2026-03-02T08:00:00Z","user":{"id":"anna"},"outcome":"success","client":{"ip":"192.0.2.1"}}"#;

fn doorward(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_doorward"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .output()
        .unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// The help of a command, then that of every command below it.
fn all_help(folder: &Path, command: &[String], found: &mut Vec<(Vec<String>, String)>) {
    let mut arguments: Vec<&str> = command.iter().map(String::as_str).collect();
    arguments.push("--help");
    let output = doorward(folder, &arguments);
    assert!(output.status.success(), "{arguments:?}");
    let help = text(&output.stdout);
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let names = commands
        .take_while(|line| line.starts_with("  "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help");
    let below: Vec<_> = names.map(|name| [command, &[name.to_owned()]].concat()).collect();
    found.push((command.to_vec(), help));
    for command in below {
        all_help(folder, &command, found);
    }
}

fn examples(help: &str) -> Vec<&str> {
    let after = help.lines().skip_while(|line| *line != "Example:").skip(1);
    after
        .take_while(|line| line.starts_with("  "))
        .map(str::trim)
        .collect()
}

/// Runs `NAME=value doorward ...`; a line with a pipe is for people.
fn run_example(folder: &Path, line: &str) -> Option<Output> {
    if line.contains('|') {
        return None;
    }
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorward"));
    command.current_dir(folder).env_clear();
    let mut words = line.split_whitespace().peekable();
    while let Some((name, value)) = words.peek().and_then(|word| word.split_once('=')) {
        command.env(name, value);
        words.next();
    }
    assert_eq!(words.next(), Some("doorward"), "{line}");
    Some(command.args(words).output().unwrap())
}

#[test]
fn every_command_has_help_with_an_example_that_works() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("doorward.toml"), "mode = \"monitor\"\n").unwrap();
    fs::write(folder.path().join("logins.ndjson"), format!("{LOGIN}\n")).unwrap();
    let mut found = Vec::new();
    all_help(folder.path(), &[], &mut found);
    let names: Vec<_> = found.iter().map(|(command, _)| command.join(" ")).collect();
    for name in [
        "config show",
        "config check",
        "diff",
        "geoip info",
        "geoip lookup",
        "rules check",
        "rules test",
        "store check",
        "store accept-loss",
        "store compact",
        "store hash",
        "user export",
        "user erase",
        "status",
        "version",
    ] {
        assert!(names.iter().any(|have| have == name), "{name} in {names:?}");
    }
    for (command, help) in &found {
        let examples = examples(help);
        assert!(!examples.is_empty(), "{command:?} has no example:\n{help}");
        for line in examples {
            let Some(output) = run_example(folder.path(), line) else {
                continue;
            };
            let said = text(&output.stderr);
            assert!(output.status.success(), "{line}: {said}");
            assert!(
                !output.stdout.is_empty() || line.contains("--decisions"),
                "{line}"
            );
        }
    }
}

#[test]
fn the_exit_codes_are_in_the_help() {
    let folder = tempfile::tempdir().unwrap();
    let help = text(&doorward(folder.path(), &["--help"]).stdout);
    for exit in doorward::cli::exit::Exit::ALL {
        let row = format!("{:>2}  {}", exit.code(), exit.meaning());
        assert!(help.contains(&row), "{row} in\n{help}");
    }
}

#[test]
fn a_wrong_command_line_is_usage() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        &[][..],
        &["frobnicate"],
        &["config"],
        &["config", "show", "--orign"],
    ] {
        let output = doorward(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}
