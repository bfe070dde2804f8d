//! What each outcome, stage and factor of a login means (the table "What an outcome means" of the scoring page), on the
//! ways in which senders really tell them: stages that only name the account, factors without the password before
//! them, sessions that go on by themselves, cookies that are set between two stages.

#![expect(clippy::expect_used, reason = "a test stops at the first surprise")]

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

/// A day in minutes.
const DAY: i64 = 24 * 60;
const HOME: &str = "198.51.100.9";
const ELSEWHERE: &str = "203.0.113.77";
const LAPTOP_AGENT: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
const OTHER_AGENT: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/145.0.0.0 Safari/537.36";

/// Lines in the order they are told.
struct Script(Vec<Value>);

impl Script {
    /// Twenty days of an owner with a laptop and an authenticator.
    fn owner() -> Self {
        let mut script = Self(Vec::new());
        for day in 0..20 {
            script.tell(day * DAY, "success", json!({"auth": {"methods": ["pwd", "otp"]}}));
        }
        script
    }

    /// A login of the owner's from the laptop at home, but for what `other` says.
    fn tell(&mut self, minute: i64, outcome: &str, other: Value) {
        let mut event = json!({
            "id": format!("e{}", self.0.len()),
            "source": "shop/web",
            "type": "login",
            "time": time(minute),
            "user": {"id": "anna", "contacts": [{"id": "m", "channel": "email", "address": "anna@example.org", "proof": "ownership"}]},
            "outcome": outcome,
            "client": {"ip": HOME, "user_agent": LAPTOP_AGENT},
            "device": {"id": "laptop"},
            "auth": {"enrolled": [{"id": "totp", "type": "totp"}]},
        });
        merge(&mut event, other);
        self.0.push(event);
    }

    /// Decisions on the lines from number `from` on, those of our own among them.
    fn decide(&self, from: usize) -> Vec<Value> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let lines: Vec<String> = self.0.iter().map(Value::to_string).collect();
        fs::write(folder.path().join("events"), lines.join("\n")).expect("written");
        let output = Command::new(env!("CARGO_BIN_EXE_doorward"))
            .current_dir(folder.path())
            .env_clear()
            .args([
                "replay",
                "--events",
                "events",
                "--decisions",
                "out",
                "--settle",
                "1h",
            ])
            .output()
            .expect("the program starts");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let text = fs::read_to_string(folder.path().join("out")).expect("decisions");
        let mut all: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect();
        let first = all
            .iter()
            .position(|decision| decision["event_id"] == format!("e{from}"))
            .expect("the line is decided");
        all.split_off(first)
    }
}

/// RFC 3339 of a minute since the first of March 2026.
fn time(minute: i64) -> String {
    let (day, rest) = (minute / DAY, minute % DAY);
    format!("2026-03-{:02}T{:02}:{:02}:00Z", day + 1, rest / 60, rest % 60)
}

/// Puts the fields of `other` over those of `event`; `null` takes one away.
fn merge(event: &mut Value, other: Value) {
    match (event, other) {
        (Value::Object(event), Value::Object(other)) => {
            for (key, value) in other {
                merge(event.entry(key).or_insert(Value::Null), value);
            }
        }
        (event, other) => *event = other,
    }
}

fn stranger(auth: Value) -> Value {
    let mut event = json!({
        "client": {"ip": ELSEWHERE, "user_agent": OTHER_AGENT},
        "device": {"id": "new"},
    });
    merge(&mut event, json!({"auth": auth}));
    event
}

/// Kinds of the alerts of a decision.
fn kinds(decision: &Value) -> Vec<&str> {
    let alerts = decision["alerts"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    alerts.iter().filter_map(|alert| alert["kind"].as_str()).collect()
}

fn rules(decision: &Value) -> Vec<&str> {
    let lines = decision["ledger"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let fired = lines.iter().filter(|line| line["status"] == "fired");
    fired.filter_map(|line| line["rule"].as_str()).collect()
}

#[test]
fn a_typed_name_teaches_nothing_and_tells_nobody() {
    for outcome in ["success", "refused", "abandoned", "pending"] {
        let mut script = Script::owner();
        let only_named = |device: &str| json!({"stage": "identifier", "client": {"ip": ELSEWHERE}, "device": {"id": device}});
        for day in 20..23 {
            script.tell(day * DAY, outcome, only_named("evil"));
        }
        script.tell(
            23 * DAY,
            "success",
            json!({"client": {"ip": ELSEWHERE}, "device": {"id": "evil"}}),
        );
        let told = script.decide(20);
        assert_eq!(told.len(), 4, "{outcome}: no end of our own");
        for named in &told[..3] {
            assert!(
                named.get("action").is_none() && kinds(named).is_empty(),
                "{outcome}: {named}"
            );
        }
        assert_eq!(told[3]["device"]["state"], "new", "{outcome}");
        assert!(!rules(&told[3]).contains(&"second-factor-failed"), "{outcome}");
    }
}

#[test]
fn a_right_password_that_the_outcome_tells_of_leaves_room_for_the_code() {
    let cases = [
        (
            "pending",
            json!({"factors": [{"method": "totp", "factor_id": "totp"}]}),
        ),
        (
            "partial",
            json!({"factors": [{"method": "totp", "factor_id": "totp"}]}),
        ),
        ("pending", json!({"methods": ["rba"]})),
        ("success", json!({"methods": ["rba"]})),
    ];
    for (outcome, auth) in cases {
        let mut script = Script::owner();
        script.tell(20 * DAY, outcome, stranger(auth.clone()));
        let told = script.decide(20);
        assert_eq!(told[0]["action"], "step_up", "{outcome} {auth}: {}", told[0]);
        assert_eq!(told[0]["step_up"]["level"], 2, "{outcome} {auth}");
    }
    let mut script = Script::owner();
    let wrong = json!({"factors": [{"method": "totp", "factor_id": "totp", "result": "failure"}]});
    let mut event = stranger(wrong);
    merge(&mut event, json!({"stage": "second_factor"}));
    script.tell(20 * DAY, "failure", event);
    assert_eq!(script.decide(20)[0]["action"], "step_up");
}

#[test]
fn a_denied_push_is_a_failed_second_factor_whatever_stage_is_named() {
    let mut script = Script::owner();
    let denied = json!({"factors": [
        {"method": "password", "result": "success"},
        {"method": "push", "result": "denied"},
    ]});
    let mut event = stranger(denied);
    merge(&mut event, json!({"reason": "push_denied"}));
    script.tell(20 * DAY, "failure", event);
    script.tell(20 * DAY + 60, "success", json!({}));
    let told = script.decide(20);
    assert!(told[0].get("action").is_some(), "{}", told[0]);
    assert_eq!(kinds(&told[0]), ["second_factor_not_passed"]);
    assert!(rules(&told[1]).contains(&"second-factor-failed"), "{}", told[1]);
}

#[test]
fn whoever_walks_away_from_the_second_step_has_not_passed_it() {
    let mut script = Script::owner();
    script.tell(20 * DAY, "partial", stranger(json!({})));
    script.tell(20 * DAY + 60, "success", json!({}));
    let told = script.decide(20);
    assert_eq!(told[1]["source"], "doorward");
    assert_eq!(kinds(&told[1]), ["second_factor_not_passed"]);
    assert!(rules(&told[2]).contains(&"second-factor-failed"), "{}", told[2]);
}

#[test]
fn a_new_account_is_not_mailed_about_its_first_login_however_it_ends() {
    let mut script = Script::owner();
    let newcomer = json!({
        "user": {"id": "ben", "created_at": time(20 * DAY), "contacts": [
            {"id": "m", "channel": "email", "address": "ben@example.org", "proof": "ownership"},
        ]},
        "device": {"id": "bens"},
        "auth": {"enrolled": []},
    });
    script.tell(20 * DAY + 60, "pending", newcomer);
    let told = script.decide(20);
    assert_eq!(told[1]["source"], "doorward");
    assert_eq!(told[1]["alerts"][0]["status"], "held_back", "{}", told[1]);
    assert_eq!(told[1]["alerts"][0]["why"], "first_login");
}

#[test]
fn a_cookie_set_between_the_stages_makes_no_second_attempt() {
    let mut script = Script::owner();
    script.tell(
        20 * DAY,
        "partial",
        json!({
            "client": {"ip": ELSEWHERE, "user_agent": OTHER_AGENT}, "device": {"id": null},
        }),
    );
    script.tell(
        20 * DAY + 1,
        "success",
        json!({
            "stage": "second_factor",
            "client": {"ip": ELSEWHERE, "user_agent": OTHER_AGENT}, "device": {"id": "fresh"},
            "auth": {"factors": [{"method": "totp", "result": "success"}]},
        }),
    );
    let told = script.decide(20);
    assert_eq!(told.len(), 2, "one act, one end: {:?}", told.last());
    assert_eq!(kinds(&told[1]), ["unknown_device_in"]);
}

#[test]
fn a_session_that_goes_on_by_itself_ends_no_attempt_and_fails_none() {
    let mut script = Script::owner();
    script.tell(20 * DAY, "partial", stranger(json!({})));
    script.tell(20 * DAY + 1, "success", stranger(json!({"interactive": false})));
    for minute in 0..12 {
        let silent = json!({"reason": "bad_password", "auth": {"interactive": false, "protocol": "imap"}});
        script.tell(20 * DAY + 20 + minute, "failure", silent);
    }
    let reset = json!({"reason": "bad_password", "actor": {"kind": "admin"}});
    script.tell(20 * DAY + 34, "failure", reset);
    script.tell(20 * DAY + 35, "success", json!({}));
    let told = script.decide(20);
    let ours: Vec<&Value> = told.iter().filter(|told| told["source"] == "doorward").collect();
    assert_eq!(ours.len(), 1, "the stranger's attempt ends");
    assert_eq!(kinds(ours[0]), ["second_factor_not_passed"]);
    let owner = told
        .iter()
        .rfind(|told| told["source"] == "shop/web")
        .expect("the last login");
    assert!(!rules(owner).contains(&"failures-before-success"), "{owner}");
}

#[test]
fn two_users_under_one_attempt_id_both_come_to_an_end() {
    let mut script = Script::owner();
    for (user, minute) in [("anna", 0), ("bob", 1)] {
        let mut event = stranger(json!({}));
        merge(&mut event, json!({"user": {"id": user}, "attempt": {"id": "1"}}));
        script.tell(20 * DAY + minute, "partial", event);
    }
    let told = script.decide(20);
    let ends: Vec<&Value> = told
        .iter()
        .filter(|told| told["source"] == "doorward")
        .map(|told| &told["user_id"])
        .collect();
    assert_eq!(ends, ["anna", "bob"]);
}

#[test]
fn factors_told_in_an_earlier_stage_are_known_in_the_next_ones() {
    let mut script = Script::owner();
    for (minute, outcome, stage) in [
        (0, "partial", "first_factor"),
        (1, "failure", "second_factor"),
        (2, "failure", "second_factor"),
    ] {
        let mut event = stranger(json!({"methods": ["pwd"]}));
        merge(&mut event, json!({"attempt": {"id": "a"}, "stage": stage}));
        if minute > 0 {
            merge(&mut event, json!({"auth": {"enrolled": null}}));
        }
        script.tell(20 * DAY + minute, outcome, event);
    }
    for told in &script.decide(20)[..3] {
        assert_eq!(told["step_up"]["factors"][0]["id"], "totp", "{told}");
    }
}

#[test]
fn an_account_can_become_a_persons_again() {
    let mut script = Script::owner();
    for (minute, kind) in [(0, "shared"), (1, "person")] {
        let update = json!({"type": "user.updated", "outcome": null, "user": {"kind": kind}});
        script.tell(20 * DAY + minute, "", update);
    }
    script.tell(20 * DAY + 2, "success", stranger(json!({})));
    let told = script.decide(20);
    assert!(rules(&told[2]).contains(&"new-device"), "{}", told[2]);
}

#[test]
fn an_account_from_the_future_is_not_new() {
    let mut script = Script::owner();
    let event =
        json!({"user": {"id": "ben", "created_at": "2199-01-01T00:00:00Z"}, "device": {"id": "bens"}});
    script.tell(20 * DAY, "success", event);
    assert_eq!(script.decide(20)[0]["maturity"], "unseen");
}

#[test]
fn a_copy_is_mailed_although_its_original_was_a_while_ago() {
    let mut script = Script::owner();
    script.tell(
        20 * DAY,
        "success",
        json!({"client": {"user_agent": OTHER_AGENT}}),
    );
    script.tell(20 * DAY + 120, "success", json!({"client": {
        "user_agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
    }}));
    for copy in &script.decide(20) {
        assert_eq!(copy["device"]["state"], "conflict", "{copy}");
        assert_eq!(copy["alerts"][0]["status"], "due", "{copy}");
    }
}

#[test]
fn two_devices_that_tell_nothing_are_not_the_same() {
    let mut script = Script(Vec::new());
    let nothing = json!({"client": {"user_agent": null}, "device": {"id": null}});
    for day in 0..20 {
        script.tell(day * DAY, "success", nothing.clone());
    }
    let told = script.decide(5);
    for login in &told {
        assert!(
            !rules(login).iter().any(|rule| rule.contains("device")),
            "{login}"
        );
        assert!(login["alerts"].as_array().is_none_or(Vec::is_empty), "{login}");
    }
}
