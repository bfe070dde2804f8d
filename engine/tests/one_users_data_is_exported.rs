//! `doorward user export` tells everything that the store holds about one user, and nothing about another; a running
//! process tells the same.

#![cfg(all(unix, feature = "run"))]
#![expect(clippy::expect_used, reason = "a test stops at the first surprise")]

#[path = "harness/privacy.rs"]
mod privacy;

use privacy::{Program, until};
use serde_json::Value;
use std::fs;
use std::io::Write as _;

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("one document of JSON")
}

fn length(document: &Value, of: &str) -> usize {
    document[of].as_array().expect("a list").len()
}

#[test]
fn everything_about_one_user_is_in_one_document() {
    let program = Program::with(&[]);
    program.run_story("answers-and-dirt");
    let (code, text, said) = program.ask(&["user", "export", "yrsa"]);
    assert_eq!(code, Some(0), "{said}");
    let document = parsed(&text);
    assert_eq!(document["user_id"], "yrsa");
    assert_eq!(
        document["history"]["profile"]["contacts"][0]["address"],
        "yrsa@example.org"
    );
    assert!(document["history"]["granted"]["count"].as_u64() > Some(40));
    // Lines about her that were refused, as far as they can be read: `zoe` has none.
    assert!(
        length(&document, "dead_letters") > 10,
        "{}",
        document["dead_letters"]
    );
    assert!(length(&document, "mails") > 0);
    let decided = program.decisions();
    let hers = decided
        .lines()
        .filter(|line| line.contains(r#""user_id":"yrsa""#))
        .count();
    assert_eq!(length(&document, "decisions"), hers);
    let decision = &document["decisions"][20];
    assert!(decision["decision"]["ledger"].is_array() && decision["fields"].is_object());
    let events = document["events"].as_array().expect("a list");
    assert!(
        events
            .iter()
            .any(|entry| entry["event"]["user"]["id"] == "  YRSA ")
    );
    assert!(events.iter().any(|entry| entry["crowd"]["country"] == "DK"));
    assert!(!text.contains("zoe") && !text.contains("arne"));
    // Any spelling that is the same user by the setting.
    assert_eq!(program.ask(&["user", "export", " Yrsa"]).1, text);
}

#[test]
fn waiting_things_are_exported_too() {
    let program = Program::with(&[]);
    let whole = fs::read(privacy::fixture("right-password-walks-away")).expect("a story");
    // The stranger's attempt is open, and so is her mailbox.
    let text = String::from_utf8_lossy(&whole).into_owned();
    let until_stranger = text.find("ulla-stranger").expect("the event");
    let end = text[until_stranger..].find('\n').expect("a line") + until_stranger + 1;
    program.run_lines(&whole[..end]);
    for (user, kind) in [("thea", "attempt"), ("ulla", "unnamed")] {
        let document = parsed(&program.ask(&["user", "export", user]).1);
        assert_eq!(length(&document, "attempts"), 1, "{user}");
        assert_eq!(document["attempts"][0]["last_event"]["user"]["id"], user);
        let timers = document["timers"].as_array().expect("a list");
        assert!(timers.iter().any(|timer| timer["kind"] == kind), "{timers:?}");
    }
}

#[test]
fn a_user_of_whom_nothing_is_known_is_exit_code_1() {
    let program = Program::with(&[]);
    program.run_story("answers-and-dirt");
    for words in [["user", "export", "nobody"], ["user", "export", "yrsa2"]] {
        let (code, text, said) = program.ask(&words);
        assert_eq!((code, text.as_str()), (Some(1), ""));
        assert!(
            said.contains("nothing is stored about user") && said.contains("help: check the id"),
            "{said}"
        );
    }
    let (code, _, said) = program.ask(&["user", "export", "yrsa", "--tenant", "other"]);
    assert_eq!(code, Some(2), "{said}");
}

#[test]
fn a_running_process_exports_what_its_store_says_later() {
    let program = Program::with(&[]);
    let whole = fs::read(privacy::fixture("answers-and-dirt")).expect("a story");
    let (mut child, mut pipe) = program.running();
    pipe.write_all(&whole).expect("an open pipe");
    until("the last event was decided", || {
        program.decisions().contains("yrsa-after")
    });
    let out = program.path("yrsa.json");
    let out = out.to_str().expect("a path");
    let (code, _, said) = program.ask(&["user", "export", "yrsa", "--out", out]);
    assert_eq!(code, Some(0), "{said}");
    let (code, text, said) = program.ask(&["user", "export", "nobody"]);
    assert_eq!((code, text.as_str()), (Some(1), ""), "{said}");
    drop(pipe);
    assert!(child.wait().expect("a child").success());
    let later = program.ask(&["user", "export", "yrsa"]).1;
    // The last record is known by then; the rest is the same.
    let without_seq = |text: &str| {
        let mut document = parsed(text);
        document["seq"] = Value::Null;
        document
    };
    let told = fs::read_to_string(out).expect("a file");
    assert_eq!(without_seq(&told), without_seq(&later));
}
