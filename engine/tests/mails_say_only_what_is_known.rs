//! A mail to an owner names the application, a device in words of ours, and everything that was proven: read from the
//! `.eml` files of the real program.

#![cfg(feature = "run")]
#![expect(
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot prepare its world fails, as it should"
)]

use std::fs;
use std::process::Command;

use mailparse::MailHeaderMap as _;
use serde_json::{Value, json};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// The owner's login of a day; merged with what differs.
fn login(id: &str, time: &str, differs: Value) -> Value {
    let mut event = json!({
        "id": id, "source": "shop/web", "type": "login", "time": time, "outcome": "success",
        "user": {"id": "anna", "contacts": [
            {"id": "m", "channel": "email", "address": "anna@example.org", "proof": "ownership"}]},
        "client": {"ip": "198.51.100.9", "user_agent": FIREFOX},
        "device": {"id": "laptop"},
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

/// Two days of the owner's own logins.
fn home() -> Vec<Value> {
    ["2026-03-01T08:00:00Z", "2026-03-02T08:00:00Z"]
        .iter()
        .enumerate()
        .map(|(number, time)| login(&format!("home-{number}"), time, json!({})))
        .collect()
}

/// Somebody else's device on the third day.
fn elsewhere(id: &str, second: u32, differs: Value) -> Value {
    let mut event = login(
        id,
        &format!("2026-03-03T08:00:{second:02}Z"),
        json!({"device": {"id": "other"}, "client": {"ip": "203.0.113.7"}}),
    );
    merge(&mut event, differs);
    event
}

/// Subject and text of the one mail that these events make.
fn mail(events: &[Value], settings: &[(&str, &str)]) -> (String, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let lines: Vec<String> = events.iter().map(Value::to_string).collect();
    fs::write(folder.path().join("events"), lines.join("\n")).expect("written");
    let output = Command::new(env!("CARGO_BIN_EXE_doorward"))
        .current_dir(folder.path())
        .env_clear()
        .envs(settings.iter().copied())
        .args(["run", "--events", "events", "--data", "data", "--settle", "25h"])
        .args(["--decisions", "decisions"])
        .output()
        .expect("the program starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let mut mails: Vec<_> = fs::read_dir(folder.path().join("data/mail"))
        .expect("mails")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "eml"))
        .collect();
    let Some(path) = mails.pop().filter(|_| mails.is_empty()) else {
        panic!("one mail is expected");
    };
    let raw = fs::read(path).expect("a mail");
    let parsed = mailparse::parse_mail(&raw).expect("a mail");
    let text = parsed
        .subparts
        .first()
        .expect("a text part")
        .get_body()
        .expect("text");
    let subject = parsed.headers.get_first_value("Subject").expect("a subject");
    (subject, text.replace("\r\n", "\n"))
}

/// What follows the label on its line.
fn line<'a>(text: &'a str, label: &str) -> &'a str {
    text.lines()
        .find_map(|line| line.strip_prefix(label))
        .unwrap_or_else(|| panic!("`{label}` in {text}"))
}

#[test]
fn a_login_without_an_application_is_named_for_the_site_or_the_sender() {
    let mut events = home();
    events.push(elsewhere("x", 0, json!({})));
    for (settings, name) in [
        (vec![], "shop/web"),
        (vec![("DOORWARD_MAIL_SITE_NAME", "Example Shop")], "Example Shop"),
    ] {
        let (subject, text) = mail(&events, &settings);
        assert_eq!(
            subject,
            format!("{name}: new sign-in to an...@example.org on a device not known")
        );
        for said in [
            format!("Somebody signed in to {name} with your account"),
            format!("Open {name} yourself"),
            format!("{name} tells you when a device that is not known"),
        ] {
            assert!(text.contains(&said), "`{said}` in {text}");
        }
    }
}

#[test]
fn an_application_is_named_by_its_id_even_where_the_site_has_a_name() {
    let mut events = home();
    events.push(elsewhere("x", 0, json!({"app": {"id": "checkout"}})));
    let (subject, _) = mail(&events, &[("DOORWARD_MAIL_SITE_NAME", "Example Shop")]);
    assert!(subject.starts_with("checkout: "), "{subject}");
}

#[test]
fn the_device_is_never_called_what_the_client_says() {
    for (agent, device) in [
        (
            "Call-0800-555-0199-at-once-your-money-is-at-risk/1.0",
            "a device that did not say what it is",
        ),
        ("Mozilla/5.0 (X)", "a device that did not say what it is"),
        (
            "Reply-With-Your-Password/2 (Windows NT 10.0; Win64; x64)",
            "an unusual program on Windows",
        ),
        (FIREFOX, "Firefox on Linux"),
    ] {
        let mut events = home();
        events.push(elsewhere("x", 0, json!({"client": {"user_agent": agent}})));
        assert_eq!(line(&mail(&events, &[]).1, "Device: "), device, "{agent}");
    }
}

#[test]
fn the_last_sign_in_is_not_called_what_the_client_said_then_either() {
    let agent = "Call-0800-555-0199-at-once/1.0";
    let mut events: Vec<Value> = home();
    for event in &mut events {
        merge(event, json!({"client": {"user_agent": agent}}));
    }
    events.push(elsewhere("x", 0, json!({})));
    let (_, text) = mail(&events, &[]);
    assert!(!text.contains("0800"), "{text}");
    assert_eq!(line(&text, "Your last sign-in: "), "Monday 2 March 2026, 08:00");
}

#[test]
fn a_mail_names_what_all_stages_of_the_attempt_proved() {
    let mut events = home();
    let attempt = json!({"attempt": {"id": "a"}});
    let mut password = elsewhere(
        "x1",
        0,
        json!({"outcome": "partial", "auth": {"factors": [{"method": "password", "result": "success"}]}}),
    );
    let mut code = elsewhere(
        "x2",
        9,
        json!({"stage": "second_factor",
               "auth": {"factors": [{"method": "totp", "result": "success"}]}}),
    );
    merge(&mut password, attempt.clone());
    merge(&mut code, attempt);
    events.extend([password, code]);
    assert_eq!(
        line(&mail(&events, &[]).1, "Proven: "),
        "the right password and a one-time code"
    );
}

#[test]
fn methods_of_rfc_8176_are_named_as_far_as_they_prove_something() {
    for (methods, proven) in [
        (vec!["pwd", "otp"], "the right password and a one-time code"),
        (
            vec!["pwd", "otp", "mfa"],
            "the right password and a one-time code",
        ),
        (vec!["pwd", "mfa"], "the right password and a second step"),
        (vec!["hwk", "fpt"], "a fingerprint and a key in hardware"),
        (vec!["geo", "user"], "the right password, as far as we were told"),
    ] {
        let mut events = home();
        events.push(elsewhere("x", 0, json!({"auth": {"methods": methods}})));
        assert_eq!(line(&mail(&events, &[]).1, "Proven: "), proven, "{methods:?}");
    }
}
