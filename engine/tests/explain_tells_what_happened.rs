//! `doorward explain` says what an event was, who was told of it even if that came later, and shows each attempt once.

#![cfg(feature = "run")]
#![expect(
    clippy::expect_used,
    reason = "a test that cannot prepare its world fails, as it should"
)]

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

fn login(id: &str, time: &str, differs: Value) -> Value {
    let mut event = json!({
        "id": id, "source": "shop/web", "type": "login", "time": time, "outcome": "success",
        "user": {"id": "anna", "contacts": [
            {"id": "m", "channel": "email", "address": "anna@example.org", "proof": "ownership"}]},
        "client": {"ip": "198.51.100.9", "user_agent": FIREFOX},
        "device": {"id": "laptop"}, "app": {"id": "shop"},
    });
    merge(&mut event, differs);
    event
}

fn merge(into: &mut Value, from: Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from,
    }
}

/// A store in which these events, after two days of ordinary logins, were decided.
struct World {
    folder: tempfile::TempDir,
    settings: Vec<(&'static str, &'static str)>,
}

impl World {
    fn new(events: &[Value], settings: &[(&'static str, &'static str)]) -> Self {
        let world = Self {
            folder: tempfile::tempdir().expect("a folder"),
            settings: settings.to_vec(),
        };
        let before = ["2026-03-01T08:00:00Z", "2026-03-02T08:00:00Z"]
            .iter()
            .enumerate()
            .map(|(number, time)| login(&format!("home-{number}"), time, json!({})));
        let lines: Vec<String> = before
            .chain(events.iter().cloned())
            .map(|event| event.to_string())
            .collect();
        fs::write(world.folder.path().join("events"), lines.join("\n")).expect("written");
        world.doorward(&[
            "run",
            "--events",
            "events",
            "--data",
            "data",
            "--settle",
            "25h",
            "--decisions",
            "out",
        ]);
        world
    }

    fn doorward(&self, arguments: &[&str]) -> String {
        let output = Command::new(env!("CARGO_BIN_EXE_doorward"))
            .current_dir(self.folder.path())
            .env_clear()
            .envs(self.settings.iter().copied())
            .args(arguments)
            .output()
            .expect("the program starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{said}");
        String::from_utf8(output.stdout).expect("text")
    }

    /// The page on an event, as it is printed.
    fn page(&self, id: &str) -> String {
        self.doorward(&["explain", "--data", "data", "--id", id, "--width", "160"])
    }

    /// The page with single blanks between its words.
    fn words(&self, id: &str) -> String {
        self.page(id).split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// The id of the event that Doorward made itself.
    fn own(&self) -> String {
        let text = fs::read_to_string(self.folder.path().join("out")).expect("decisions");
        let decisions = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        let own = decisions.rev().find(|decision| decision["source"] == "doorward");
        let id = own.as_ref().and_then(|own| own.get("event_id")?.as_str());
        id.expect("an event of our own").to_owned()
    }
}

fn has(page: &str, wanted: &[&str]) {
    for said in wanted {
        assert!(page.contains(said), "`{said}` in {page}");
    }
}

fn has_not(page: &str, unwanted: &[&str]) {
    for said in unwanted {
        assert!(!page.contains(said), "`{said}` in {page}");
    }
}

#[test]
fn an_attempt_that_nobody_finished_is_no_sign_in_to_doorward() {
    let begun = login(
        "x",
        "2026-03-03T08:00:00Z",
        json!({"outcome": "partial", "device": {"id": "other"}}),
    );
    let world = World::new(&[begun], &[]);
    let page = world.words(&world.own());
    has(
        &page,
        &[
            "a sign-in as `anna` that had begun with the right password counted as given up: nobody finished it.",
            "Doorward notes here that the attempt has ended.",
            "The owner is told: the password was right, the second factor was not passed",
            "LAST LOGINS of this user before it, oldest first",
        ],
    );
    has_not(
        &page,
        &[
            "to doorward",
            "only named the account",
            "no person took part",
            "marked with >",
        ],
    );
}

#[test]
fn an_allowed_login_without_a_further_word_counted_as_granted() {
    let asked = login("x", "2026-03-03T08:00:00Z", json!({"outcome": "pending"}));
    let world = World::new(&[asked], &[]);
    let page = world.words(&world.own());
    has(
        &page,
        &["had been allowed counted as granted: nobody said anything else."],
    );
    has_not(&page, &["it is no sign-in", "came from doorward"]);
}

#[test]
fn a_wrong_password_that_was_mailed_once_it_was_quiet_says_so() {
    let wrong = |id: &str, minute: u32| {
        let time = format!("2026-03-03T08:{minute:02}:00Z");
        login(
            id,
            &time,
            json!({"outcome": "failure", "reason": "bad_password", "device": {"id": "other"}}),
        )
    };
    let world = World::new(&[wrong("first", 0), wrong("second", 1)], &[]);
    let page = world.words("first");
    has(
        &page,
        &[
            "The owner is told: wrong passwords on a device that is not known (`wrong_password_unknown_device`). \
           This came of it later, at 2026-03-03 08:11:00 UTC.",
        ],
    );
    has_not(&page, &["Nobody was told"]);
    has(
        &world.words("second"),
        &[
            "Nobody was told because of this event alone.",
            "several in one mail.",
        ],
    );
}

#[test]
fn a_silent_sign_on_and_a_name_are_not_called_a_sign_in() {
    let silent = login(
        "silent",
        "2026-03-03T08:00:00Z",
        json!({"auth": {"interactive": false}}),
    );
    let name = login(
        "name",
        "2026-03-03T09:00:00Z",
        json!({"stage": "identifier", "outcome": "pending"}),
    );
    let world = World::new(&[silent, name], &[]);
    let page = world.words("silent");
    has(
        &page,
        &[
            "a session of `anna` at shop went on without a person (a refresh or a silent sign-on)",
            "not scored: no person took part.",
        ],
    );
    has_not(&page, &["somebody signed in"]);
    let page = world.words("name");
    has(
        &page,
        &[
            "somebody named the account `anna` at the sign-in of shop",
            "not scored: it only named the account.",
        ],
    );
    has_not(&page, &["right password of"]);
}

#[test]
fn each_attempt_takes_one_place_among_the_last_logins() {
    let stage = |id: &str, second: u32, outcome: &str, attempt: &str| {
        let time = format!("2026-03-03T08:00:{second:02}Z");
        login(id, &time, json!({"outcome": outcome, "attempt": {"id": attempt}}))
    };
    let mut again = stage("again", 0, "success", "a");
    merge(&mut again, json!({"time": "2026-03-04T08:00:00Z"}));
    let world = World::new(
        &[
            stage("a1", 0, "partial", "a"),
            stage("a2", 1, "pending", "a"),
            stage("a3", 2, "success", "a"),
            again,
        ],
        &[],
    );
    let rows = |id: &str| {
        let page = world.page(id);
        let strip = page.split_once("LAST LOGINS").expect("a strip").1.to_owned();
        let strip = strip.split_once("RECORD").expect("a record").0.to_owned();
        strip.lines().filter(|line| line.contains("2026-03-0")).count()
    };
    assert_eq!(rows("a2"), 3, "two before it, and the attempt up to there");
    assert_eq!(rows("a3"), 3, "two before it, and the attempt");
    assert_eq!(
        rows("again"),
        4,
        "the id of an attempt that is over names another one"
    );
}

#[test]
fn words_on_the_history_and_on_silence_name_no_number_that_is_a_setting() {
    let settings = [
        ("DOORWARD_USER_LEARNING_LOGINS", "50"),
        ("DOORWARD_ALERTS_NEW_STORE_DAYS", "100"),
        ("DOORWARD_ALERTS_SAME_KIND_HOURS", "48"),
    ];
    let elsewhere = login("x", "2026-03-03T08:00:00Z", json!({"device": {"id": "other"}}));
    let mut stranger = login("y", "2026-03-03T09:00:00Z", json!({}));
    merge(&mut stranger, json!({"user": {"id": "bob"}}));
    let world = World::new(&[elsewhere, stranger], &settings);
    let page = world.words("x");
    has(&page, &["learning: too few granted logins"]);
    has_not(&page, &["fewer than 5", "14 days"]);
    let page = world.words("y");
    has(
        &page,
        &["does not run for long yet and never saw this user before"],
    );
    has_not(&page, &["14 days", "24 hours old"]);
}
