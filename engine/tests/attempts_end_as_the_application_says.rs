//! `attempt.closed` ends an attempt (the table "What an outcome means" of the scoring page); it need not say whose.

#![expect(clippy::expect_used, reason = "a test stops at the first surprise")]

use std::fs;
use std::process::Command;

use serde_json::Value;

const ASKS: &str = r#"{"id":"1","source":"shop","type":"login","time":"2026-03-01T08:00:00Z","user":{"id":"anna"},"outcome":"pending","client":{"ip":"198.51.100.9","user_agent":"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"},"device":{"id":"d-1"},"attempt":{"id":"a"}}"#;
const NEXT_DAY: &str = r#"{"id":"3","source":"shop","type":"login","time":"2026-03-02T08:00:00Z","user":{"id":"anna"},"outcome":"success","client":{"ip":"198.51.100.9","user_agent":"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"},"device":{"id":"d-1"}}"#;

/// Decisions on a pending login, its end, and a login of the next day.
fn told(closed: &str) -> Vec<Value> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let events = folder.path().join("events");
    fs::write(&events, [ASKS, closed, NEXT_DAY].join("\n")).expect("written");
    let output = Command::new(env!("CARGO_BIN_EXE_doorward"))
        .current_dir(folder.path())
        .env_clear()
        .args(["replay", "--events", "events", "--decisions", "out"])
        .output()
        .expect("the program starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = fs::read_to_string(folder.path().join("out")).expect("decisions");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

fn closed(granted: bool, user: &str) -> String {
    format!(
        r#"{{"id":"2","source":"shop","type":"attempt.closed","time":"2026-03-01T08:00:20Z",{user}"attempt":{{"id":"a","granted":{granted}}}}}"#
    )
}

#[test]
fn a_granted_end_teaches_the_device_whether_it_names_the_user_or_not() {
    for user in ["", r#""user":{"id":"anna"},"#] {
        let told = told(&closed(true, user));
        assert_eq!(told.len(), 3, "no end of our own beside it");
        assert_eq!(told[2]["device"]["state"], "known", "{user}");
    }
}

#[test]
fn a_refused_end_teaches_nothing_and_tells_the_owner() {
    for user in ["", r#""user":{"id":"anna"},"#] {
        let told = told(&closed(false, user));
        assert_eq!(told[2]["device"]["state"], "new", "{user}");
        assert_eq!(
            told[1]["alerts"][0]["kind"], "sign_in_needed_more_proof",
            "{user}"
        );
    }
}

#[test]
fn an_end_in_another_users_name_ends_nothing() {
    let told = told(&closed(true, r#""user":{"id":"eve"},"#));
    // anna's attempt goes its own way: it was allowed, so it counts as granted after a minute.
    assert_eq!(told.len(), 4);
    assert_eq!(told[2]["source"], "doorward");
    assert_eq!(told[3]["device"]["state"], "known");
}
