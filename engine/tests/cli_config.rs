//! `doorward config` prints what is in force and refuses what is wrong, all of it at once.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output, Stdio};

fn doorward(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorward"));
    command.current_dir(folder).env_clear();
    command
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn show_names_the_origin_of_each_value() {
    let folder = tempfile::tempdir().unwrap();
    let file = "[score]\nbase = 12.5\ntrust_cap = 20\n\n[app.\"my shop\"]\nbase = 15\n";
    fs::write(folder.path().join("doorward.toml"), file).unwrap();
    let output = doorward(folder.path())
        .args(["config", "show", "--origin", "--log", "json"])
        .env("DOORWARD_SCORE_TRUST_CAP", "21")
        .env("DOORWARD_TEST_KAFKA", "127.0.0.1:9092")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let shown = stdout(&output);
    for line in [
        "base = 12.5  # doorward.toml:2:1",
        "trust_cap = 21  # DOORWARD_SCORE_TRUST_CAP",
        "newness_cap = 35  # default",
        "format = \"json\"  # --log",
        "[app.\"my shop\"]",
        "base = 15  # doorward.toml:6:1",
        "# hash_key = (secret)  # default",
    ] {
        assert!(shown.lines().any(|have| have == line), "{line} in\n{shown}");
    }
}

#[test]
fn check_tells_every_problem_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = "[score]\nbass = 12\ndeny_from = 101\n[scor]\nbase = 1\n";
    fs::write(folder.path().join("doorward.toml"), file).unwrap();
    let output = doorward(folder.path())
        .args(["config", "check"])
        .env("DOORWARD_SCORE_BSE", "1")
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(3));
    assert!(output.stdout.is_empty());
    let said = stderr(&output);
    for part in [
        "doorward.toml:2:1: unknown setting `score.bass`, did you mean `score.base`?",
        "doorward.toml:3:1: `score.deny_from` is `101`, but must be points from 0 to 100",
        "doorward.toml:4:2: unknown section `scor`, did you mean `score`?",
        "DOORWARD_SCORE_BSE: unknown variable `DOORWARD_SCORE_BSE`, did you mean `DOORWARD_SCORE_BASE`?",
    ] {
        assert!(said.contains(part), "{part} in\n{said}");
    }
}

#[test]
fn check_opens_the_files_that_settings_name() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("conf");
    fs::create_dir(&config).unwrap();
    fs::write(config.join("here.mmdb"), b"x").unwrap();
    let file = "[geoip]\ncity = [\"here.mmdb\", \"gone.mmdb\"]\n";
    fs::write(config.join("site.toml"), file).unwrap();
    let check = ["--config", "conf/site.toml", "config", "check"];
    let output = doorward(folder.path()).args(check).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let said = stderr(&output);
    let part = "conf/site.toml:2:1: `geoip.city` names `conf/gone.mmdb`, which cannot be read";
    assert!(said.contains(part), "{said}");
    assert!(!said.contains("here.mmdb"), "{said}");
    fs::write(config.join("gone.mmdb"), b"x").unwrap();
    let output = doorward(folder.path()).args(check).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).starts_with("`conf/site.toml` is in order"));
}

#[test]
fn a_named_file_must_be_there() {
    let folder = tempfile::tempdir().unwrap();
    let flag = doorward(folder.path())
        .args(["--config", "none.toml", "config", "show"])
        .output()
        .unwrap();
    let variable = doorward(folder.path())
        .args(["config", "show"])
        .env("DOORWARD_CONFIG", "none.toml")
        .output()
        .unwrap();
    for output in [flag, variable] {
        assert_eq!(output.status.code(), Some(3));
        assert!(stderr(&output).contains("none.toml: cannot be read"));
    }
}

#[test]
fn a_reader_that_leaves_is_no_error() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [&["config", "show"][..], &["version"], &["--help"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = doorward(folder.path())
            .args(arguments)
            .stdout(writer)
            .stderr(Stdio::piped())
            .output()
            .unwrap();
        assert_eq!(
            output.status.code(),
            Some(0),
            "{arguments:?}: {}",
            stderr(&output)
        );
        assert!(output.stderr.is_empty(), "{arguments:?}: {}", stderr(&output));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_output_that_is_full_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = doorward(folder.path())
        .args(["config", "show"])
        .stdout(full)
        .stderr(Stdio::piped())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(7), "{}", stderr(&output));
}

#[test]
fn the_version_does_not_need_a_valid_configuration() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("doorward.toml"), "nonsense").unwrap();
    let output = doorward(folder.path()).arg("version").output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(stdout(&output).starts_with("doorward 0."));
}
