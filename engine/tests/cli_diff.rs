//! `doorward diff`: counts, rules, users and examples of two decision files, by hand and on files of the real binary.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use doorward::generate::{Life, Plan};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

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

/// A decision; `verdict` is its scored part.
fn decision(event: &str, revision: u32, user: &str, verdict: &str) -> String {
    format!(
        r#"{{"decision_id":"00","revision":{revision},"event_id":"{event}","source":"web","tenant":"default","user_id":"{user}","type":"login","seq":1{verdict},"versions":"00","final":true,"mode":"enforce"}}"#
    )
}

fn verdict(action: &str, score: &str, lines: &[(&str, &str)]) -> String {
    let lines: Vec<_> = lines
        .iter()
        .map(|(rule, points)| format!(r#"{{"rule":"{rule}","status":"stable","points":{points}}}"#))
        .collect();
    format!(
        r#","action":"{action}","score":{score},"ledger":[{}]"#,
        lines.join(",")
    )
}

/// Two files of which every figure is known.
fn by_hand() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let same = verdict("allow", "10", &[("new-device", "10")]);
    let a = [
        decision("same", 0, "anna", &same),
        decision(
            "raised",
            0,
            "anna",
            &verdict("allow", "12.5", &[("new-device", "12.5")]),
        ),
        decision("milder", 0, "bert", &verdict("hold", "60", &[("tor", "60")])),
        decision("gone", 0, "bert", &same),
        decision("revised", 0, "carl", &verdict("deny", "100", &[])),
        decision("revised", 1, "carl", &same),
        decision("unscored", 0, "dora", ""),
        "this is no decision".to_owned(),
    ];
    let b = [
        decision(
            "raised",
            0,
            "anna",
            &verdict("step_up", "30.05", &[("new-device", "20.05"), ("travel", "10")]),
        ),
        decision("milder", 0, "bert", &verdict("hold", "55", &[("tor", "55")])),
        decision("same", 0, "anna", &same),
        decision("revised", 2, "carl", &same),
        decision("revised", 1, "carl", &verdict("deny", "100", &[])),
        decision("new", 0, "emil", &same),
        decision("unscored", 0, "dora", r#","degraded":["geo"]"#),
    ];
    fs::write(folder.path().join("a"), a.join("\n")).unwrap();
    fs::write(folder.path().join("b"), b.join("\n")).unwrap();
    folder
}

fn json(folder: &Path, arguments: &[&str]) -> serde_json::Value {
    let output = doorward(folder, &[&["diff", "a", "b", "--json"], arguments].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn every_count_is_right() {
    let folder = by_hand();
    let found = json(folder.path(), &[]);
    for (name, count) in [
        ("in_both", 5),
        ("only_in_a", 1),
        ("only_in_b", 1),
        ("scored_in_both", 4),
        ("different", 3),
        ("different_elsewhere", 1),
    ] {
        assert_eq!(found.get(name).unwrap(), count, "{name} in\n{found:#}");
    }
    let pairs = serde_json::json!([
        {"a": "allow", "b": "allow", "decisions": 2},
        {"a": "allow", "b": "step_up", "decisions": 1},
        {"a": "hold", "b": "hold", "decisions": 1},
    ]);
    assert_eq!(found.get("actions"), Some(&pairs));
    let challenges = serde_json::json!({"a": 250.0, "b": 500.0});
    assert_eq!(found.get("challenges_per_1000"), Some(&challenges));
    let rules = serde_json::json!([
        {"rule": "new-device", "only_in_a": 0, "only_in_b": 0, "other": 1},
        {"rule": "tor", "only_in_a": 0, "only_in_b": 0, "other": 1},
        {"rule": "travel", "only_in_a": 0, "only_in_b": 1, "other": 0},
    ]);
    assert_eq!(found.get("rules"), Some(&rules));
    let malformed = found.pointer("/a/malformed_lines/0/line");
    assert_eq!(malformed, Some(&8.into()), "{found:#}");
}

#[test]
fn examples_show_other_actions_first_with_scores_and_lines() {
    let folder = by_hand();
    let found = json(folder.path(), &["--examples", "2"]);
    let examples = found.get("examples").unwrap().as_array().unwrap();
    let ids: Vec<_> = examples.iter().map(|one| one.get("event_id").unwrap()).collect();
    assert_eq!(ids, ["raised", "milder"]);
    let lines = serde_json::json!([
        {"rule": "new-device", "a": "12.5 stable", "b": "20.05 stable"},
        {"rule": "travel", "a": null, "b": "10 stable"},
    ]);
    let first = examples.first().unwrap();
    assert_eq!(first.get("lines"), Some(&lines));
    assert_eq!(first.pointer("/a/score"), Some(&"12.5".into()));
    assert_eq!(first.pointer("/b/score"), Some(&"30.05".into()));
    let none = json(folder.path(), &["--examples", "0"]);
    assert_eq!(none.get("examples"), Some(&serde_json::json!([])));
}

#[test]
fn the_text_says_the_same_and_names_malformed_lines() {
    let folder = by_hand();
    let output = doorward(folder.path(), &["diff", "a", "b"]);
    assert!(output.status.success());
    let said = text(&output.stdout);
    for part in [
        "allow      -> step_up            1  changed",
        "only in A                                  1",
        "  allow 12.5 -> step_up 30.05",
        "travel      absent -> 10 stable",
        "  not scored -> not scored\n    something beside the ledger differs",
        "malformed: a, line 8: it is no decision: expected ident at column 2",
    ] {
        assert!(said.contains(part), "`{part}` in\n{said}");
    }
    assert!(!said.contains("nothing differs"), "{said}");
}

#[test]
fn only_who_expects_equal_files_gets_another_exit_code() {
    let folder = by_hand();
    let code = |arguments: &[&str]| {
        doorward(folder.path(), &[&["diff"], arguments].concat())
            .status
            .code()
    };
    assert_eq!(code(&["a", "b"]), Some(0));
    assert_eq!(code(&["a", "b", "--expect-equal"]), Some(1));
    assert_eq!(code(&["b", "b", "--expect-equal"]), Some(0));
    // A line that cannot be read could be anything.
    assert_eq!(code(&["a", "a", "--expect-equal"]), Some(1));
    assert_eq!(code(&["a", "nowhere"]), Some(4));
}

#[test]
fn a_run_and_a_replay_of_the_same_events_are_equal_and_other_settings_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan {
        users: 30,
        days: 6,
        ..Plan::default()
    };
    let lines: Vec<_> = Life::new(plan)
        .unwrap()
        .events
        .iter()
        .map(|event| [&event.bytes[..], b"\n"].concat())
        .collect();
    fs::write(folder.path().join("events"), lines.concat()).unwrap();
    fs::write(folder.path().join("other.toml"), "[score]\nlevel2_from = 5\n").unwrap();
    for words in [
        &["run", "--events", "events", "--decisions", "a"][..],
        &["replay", "--events", "events", "--decisions", "b"],
        &[
            "replay",
            "--events",
            "events",
            "--decisions",
            "c",
            "--config",
            "other.toml",
        ],
    ] {
        let output = doorward(folder.path(), words);
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
    let equal = doorward(folder.path(), &["diff", "a", "b", "--expect-equal"]);
    let said = text(&equal.stdout);
    assert_eq!(equal.status.code(), Some(0), "{said}");
    assert!(said.contains("nothing differs"), "{said}");
    let other = doorward(folder.path(), &["diff", "a", "c", "--expect-equal"]);
    assert_eq!(other.status.code(), Some(1), "{}", text(&other.stdout));
}
