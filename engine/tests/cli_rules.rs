//! `doorward rules` tells every fault with its place, and fails when a rule does not do what its tests say.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn packs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/packs")
}

fn doorward(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_doorward"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// A folder `packs/own` with the rule `new-device`, changed.
fn own_pack(change: impl Fn(&str) -> String) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let pack = folder.path().join("packs/own");
    fs::create_dir_all(&pack).unwrap();
    let rule = fs::read_to_string(packs().join("baseline/new-device.toml")).unwrap();
    fs::write(pack.join("new-device.toml"), change(&rule)).unwrap();
    folder
}

#[test]
fn the_built_in_rules_are_those_of_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let built_in = doorward(folder.path(), &["rules", "check"]);
    let from_folder = doorward(folder.path(), &["rules", "check", packs().to_str().unwrap()]);
    let one_pack = doorward(
        folder.path(),
        &["rules", "check", packs().join("baseline").to_str().unwrap()],
    );
    assert_eq!(built_in.status.code(), Some(0));
    assert!(stdout(&built_in).starts_with("rules in order: "));
    assert_eq!(stdout(&built_in), stdout(&from_folder));
    assert_eq!(stdout(&built_in), stdout(&one_pack));
}

#[test]
fn the_configured_folder_is_used() {
    let folder = own_pack(str::to_owned);
    fs::write(
        folder.path().join("doorward.toml"),
        "[rules]\nfolder = \"packs\"\n",
    )
    .unwrap();
    let output = doorward(folder.path(), &["rules", "check"]);
    assert!(
        stdout(&output).starts_with("rules in order: 1 ("),
        "{}",
        stdout(&output)
    );
}

#[test]
fn a_broken_rule_is_refused_with_its_place() {
    let folder = own_pack(|rule| rule.replace("device.state", "device.stat"));
    let output = doorward(folder.path(), &["rules", "check", "packs"]);
    assert_eq!(output.status.code(), Some(8));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.starts_with("error: the rules in `packs` cannot be used\n"),
        "{said}"
    );
    assert!(said.contains("packs/own/new-device.toml:"), "{said}");
    assert!(said.contains("device.stat"), "{said}");
}

#[test]
fn a_failing_test_of_a_rule_is_the_commands_own_failure() {
    let expecting = |rule: &str| rule.replacen("points = 18\ngroup", "points = 17\ngroup", 1);
    let folder = own_pack(expecting);
    let output = doorward(folder.path(), &["rules", "test", "packs"]);
    let said = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.starts_with("FAILED new-device: "), "{said}");
    assert!(said.contains("\ntests failed: 1 of "), "{said}");
}

#[test]
fn a_folder_that_is_missing_or_empty_is_an_error() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(
        doorward(folder.path(), &["rules", "check", "none"]).status.code(),
        Some(4)
    );
    fs::create_dir(folder.path().join("empty")).unwrap();
    assert_eq!(
        doorward(folder.path(), &["rules", "test", "empty"]).status.code(),
        Some(8)
    );
}
