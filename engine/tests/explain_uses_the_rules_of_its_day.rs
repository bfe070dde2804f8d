//! `doorward explain` shows a stored decision with the rules and bounds that it was made with (clause S11).

#![expect(
    clippy::expect_used,
    reason = "a test that cannot prepare its world fails, as it should"
)]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use doorward::io::store::{FjallStore, StoreOptions};
use doorward::pipeline::ports::{Batch, Keyspace, Store};

const TITLE: &str = "a device never seen for this user: {device.family} on {device.os}";

/// A folder with packs of rules, in which the sentence of one rule is replaced.
fn write_rules(folder: &Path, sentence: &str) {
    let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/packs/baseline");
    fs::create_dir_all(folder.join("rules")).expect("a folder");
    for file in fs::read_dir(packs).expect("the packs") {
        let path = file.expect("a file").path();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let text = fs::read_to_string(&path)
                .expect("a rule")
                .replace(TITLE, sentence);
            let name = path.file_name().expect("a name");
            fs::write(folder.join("rules").join(name), text).expect("a copy");
        }
    }
}

fn doorward(folder: &Path, arguments: &[&str], base: &str) -> Output {
    let output = Command::new(env!("CARGO_BIN_EXE_doorward"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("DOORWARD_RULES_FOLDER", "rules")
        .env("DOORWARD_SCORE_BASE", base)
        .output()
        .expect("the program starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    output
}

/// The page on the last login, words in one line.
fn page(folder: &Path, base: &str) -> String {
    let arguments = ["explain", "--data", "data", "--id", "last", "--width", "160"];
    let output = doorward(folder, &arguments, base);
    let text = String::from_utf8(output.stdout).expect("text");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A folder with a store in which Anna's last login came from a new device.
fn lived() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    write_rules(folder.path(), "the sentence of the first day");
    let login = |id: &str, day: u32, device: &str| {
        format!(
            r#"{{"id":"{id}","source":"t","type":"login","time":"2026-03-{day:02}T08:00:00Z","user":{{"id":"anna"}},"outcome":"success","client":{{"ip":"192.0.2.1"}},"device":{{"id":"{device}"}}}}"#
        )
    };
    let mut lines: Vec<String> = (1..20)
        .map(|day| login(&day.to_string(), day, "laptop"))
        .collect();
    lines.push(login("last", 20, "unknown"));
    fs::write(folder.path().join("events"), lines.join("\n")).expect("a file");
    let arguments = [
        "run",
        "--events",
        "events",
        "--data",
        "data",
        "--decisions",
        "out",
    ];
    doorward(folder.path(), &arguments, "11");
    folder
}

#[test]
fn an_old_decision_is_explained_with_the_rules_and_bounds_of_its_day() {
    let folder = lived();
    let before = page(folder.path(), "11");
    assert!(before.contains("the sentence of the first day"), "{before}");
    assert!(!before.contains("archive"), "{before}");
    write_rules(folder.path(), "the sentence of another day");
    let after = page(folder.path(), "14");
    assert!(after.contains("the sentence of the first day"), "{after}");
    assert!(
        !after.contains("another day") && !after.contains("were in force then"),
        "{after}"
    );
    let note = "others are in force now; rules and bounds are shown as they were, from the archive";
    assert!(after.contains(note), "{after}");
    assert_eq!(after.replace(&format!(" {note}"), ""), before);
}

#[test]
fn a_page_says_so_if_the_archive_does_not_have_the_rules_any_more() {
    let folder = lived();
    let store =
        FjallStore::open_existing(&folder.path().join("data"), &StoreOptions::default()).expect("a store");
    let head = store.head().expect("a head");
    let mut batch = Batch {
        expected_head: head,
        new_head: head,
        ..Batch::default()
    };
    for row in store.scan(Keyspace::Archive, &[], &[], usize::MAX).expect("rows") {
        batch.delete(Keyspace::Archive, row.key);
    }
    store.commit(batch).expect("a commit");
    drop(store);
    write_rules(folder.path(), "the sentence of another day");
    let page = page(folder.path(), "11");
    assert!(page.contains("the archive does not have them any more"), "{page}");
}
