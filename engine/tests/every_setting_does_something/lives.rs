//! What happens in the runs: stories of the fixtures, and short lives made for one setting.

use std::fs;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use doorward::event::Timestamp;
use serde_json::{Value, json};

use crate::program::Life;

/// Midnight of 5 January 2026.
const START: i64 = 1_767_571_200;
const HOUR: i64 = 60;
const DAY: i64 = 24 * HOUR;

/// A story of `fixtures/events`.
pub fn story(name: &str) -> Life {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/events");
    Life::of(fs::read(folder.join(format!("{name}.ndjson"))).unwrap())
}

/// `base` with the members of `patch` set, those of objects one by one.
fn with(mut base: Value, patch: Value) -> Value {
    match (&mut base, patch) {
        (Value::Object(members), Value::Object(patch)) => {
            for (key, value) in patch {
                let old = members.remove(&key).unwrap_or_default();
                members.insert(key, with(old, value));
            }
            base
        }
        (_, patch) => patch,
    }
}

fn time(minute: i64) -> String {
    Timestamp::from_seconds(START + minute * 60).to_string()
}

/// A granted login at home, by password, `minute` minutes after the start.
fn login(user: &str, minute: i64) -> Value {
    json!({"id": format!("{user}-{minute}"), "source": "shop/web", "type": "login", "time": time(minute),
        "user": {"id": user}, "outcome": "success", "auth": {"methods": ["pwd"]},
        "client": {"ip": "198.18.3.91", "ip_source": "edge"}, "device": {"id": format!("laptop-{user}")}})
}

/// The right password, and turned away by the application.
fn turned_away(user: &str, minute: i64, device: &str) -> Value {
    with(
        login(user, minute),
        json!({"outcome": "refused", "device": {"id": device}}),
    )
}

fn wrong_password(user: &str, minute: i64, ip: &str) -> Value {
    with(
        login(user, minute),
        json!({"outcome": "failure", "client": {"ip": ip}}),
    )
}

/// An account, made at minute 0, whose owner has a verified address.
fn account(user: &str) -> Value {
    let address = format!("{user}@example.org");
    with(
        login(user, 0),
        json!({"type": "account.created", "outcome": null, "user": {"created_at": time(0), "contacts": [{
            "id": "mail", "channel": "email", "address": address, "proof": "ownership", "proved_at": time(0)}]}}),
    )
}

fn lines(events: impl IntoIterator<Item = Value>) -> Vec<u8> {
    events
        .into_iter()
        .flat_map(|event| format!("{event}\n").into_bytes())
        .collect()
}

/// Refused lines of more than a mebibyte.
pub fn dirt() -> Life {
    let line = [vec![b'x'; 60_000], vec![b'\n']].concat();
    Life::of(line.repeat(20))
}

/// A few days of Anna, with something for each limit in it.
pub fn anna() -> Life {
    let second = json!({"attempt": {"id": "two-steps"}});
    let nested = (0..6).fold(json!(1), |inner, _| json!({ "x": inner }));
    Life::of(lines([
        account("anna"),
        login("anna", 3 * DAY),
        with(
            login("anna", 3 * DAY + 10),
            json!({"auth": {"methods": ["pwd", "hwk"]}}),
        ),
        with(
            with(login("anna", 3 * DAY + 20), second.clone()),
            json!({"outcome": "partial"}),
        ),
        with(
            with(login("anna", 3 * DAY + 25), second),
            json!({"stage": "second_factor", "auth": {"methods": ["otp"]}}),
        ),
        with(login("anna", 3 * DAY + 30), json!({"tenant": "other"})),
        with(login("anna", 3 * DAY + 31), json!({"padding": "x".repeat(1024)})),
        with(
            login("anna", 3 * DAY + 32),
            json!({"client": {"user_agent": format!("curl/8 {}", "x".repeat(90))}}),
        ),
        with(
            login("anna", 3 * DAY + 33),
            json!({"session": {"id": "s".repeat(65)}}),
        ),
        with(login("anna", 3 * DAY + 34), nested),
    ]))
}

/// Bea's clock runs ahead once, and what comes after it is late.
pub fn jump() -> Life {
    Life::of(lines([
        account("bea"),
        login("bea", HOUR),
        login("bea", 4 * HOUR),
        with(login("bea", HOUR + 5), json!({"device": {"id": "phone"}})),
        login("bea", 4 * HOUR + 5),
    ]))
}

/// Somebody has Cleo's password and is turned away five times in ten hours, on the first device twice.
pub fn nagged() -> Life {
    let tries = ["one", "one", "two", "three", "four"];
    let turned_away = (1..)
        .zip(tries)
        .map(|(index, device)| turned_away("cleo", DAY + index * 2 * HOUR, device));
    Life::of(lines(
        [account("cleo"), login("cleo", DAY)]
            .into_iter()
            .chain(turned_away),
    ))
}

/// A login that claims to happen in half a day.
pub fn tomorrow() -> Life {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let time = Timestamp::from_seconds(i64::try_from(now).unwrap() + 12 * 3_600).to_string();
    Life::of(lines([with(login("dora", 0), json!({ "time": time }))]))
}

/// A login from an address that MaxMind's test database calls a Tor exit.
pub fn tor() -> Life {
    Life::of(lines([
        account("emil"),
        login("emil", DAY),
        with(login("emil", DAY + 5), json!({"client": {"ip": "1.124.213.1"}})),
    ]))
}

/// Eighty users fail at one address, twenty others get in there, then Frida: too few got in for an office.
pub fn crowded() -> Life {
    let address = "198.18.3.7";
    let fails = (0..80).map(move |index| wrong_password(&format!("user-{index}"), DAY + index / 10, address));
    let succeed = (0..16).map(|index| login(&format!("office-{index}"), DAY + 10));
    let there = succeed.chain([login("frida", DAY + 11)]);
    let there = there.map(move |event| with(event, json!({"client": {"ip": address}})));
    Life::of(lines(
        [account("frida"), login("frida", DAY)]
            .into_iter()
            .chain(fails)
            .chain(there),
    ))
}

/// Six wrong passwords at one address, tries at two thousand others, then a login at the first one.
pub fn many_keys() -> Life {
    let first = "198.18.3.7";
    let fails = (0..6).map(|index| wrong_password("gus", DAY + index, first));
    let others = (0..2_000).map(|index| {
        let ip = format!("198.18.{}.{}", 16 + index / 250, index % 250);
        wrong_password(&format!("user-{index}"), DAY + 10, &ip)
    });
    let last = with(login("gus", DAY + 11), json!({"client": {"ip": first}}));
    let events = [login("gus", 1)]
        .into_iter()
        .chain(fails)
        .chain(others)
        .chain([last]);
    Life {
        files: vec![("rules/busy-address.toml", BUSY_ADDRESS)],
        settings: vec![("rules.folder", "rules")],
        ..Life::of(lines(events))
    }
}

/// Three thousand users get in at as many addresses, then Hugo, who has a history, at twenty new ones.
pub fn many_places() -> Life {
    let others = (0..3_000).map(|index| {
        let ip = format!("198.18.{}.{}", index % 64, 8 + index / 64);
        with(
            login(&format!("user-{index}"), 7 * DAY),
            json!({"client": {"ip": ip}}),
        )
    });
    let home = (0..7).map(|day| login("hugo", day * DAY));
    let away = (0..20).map(|index| {
        let ip = format!("198.18.{}.200", 64 + index);
        with(login("hugo", 7 * DAY + 1 + index), json!({"client": {"ip": ip}}))
    });
    Life::of(lines(home.chain(others).chain(away)))
}

fn idas_days(days: std::ops::Range<i64>) -> Vec<u8> {
    lines(days.map(|day| login("ida", day * DAY)))
}

/// Ida signs in for five days; the second run goes on in the same store.
pub fn two_runs() -> Life {
    Life {
        runs: vec![idas_days(0..5), idas_days(5..7)],
        ..Life::of(Vec::new())
    }
}

/// The same, and the second run reads the file on which has grown: it says so in the log, for those who debug.
pub fn grown_file(log_level: &'static str) -> Life {
    Life {
        runs: vec![idas_days(0..5), idas_days(0..7)],
        settings: vec![("log.level", log_level)],
        ..Life::of(Vec::new())
    }
}

/// A rule that no pack has.
pub const BUSY_ADDRESS: &str = r#"id = "busy-address"
title = "Many tries at one address"
status = "stable"
evidence = "attack"
points = 20
group = "crowd"
tags = []
when = 'crowd.address.attempts_1h >= 5'
text = "{crowd.address.attempts_1h} tries at this address within an hour"
why = "For a test."
false_positives = "None."
response = "None."
references = []
owner = "tests"

[[tests]]
name = "five tries"
given = { crowd.address.attempts_1h = 5 }
expect = "fires"
points = 20

[[tests]]
name = "four tries"
given = { crowd.address.attempts_1h = 4 }
expect = "silent"

[[tests]]
name = "nothing counted"
given = { crowd.address.attempts_1h = "no_data" }
expect = "no_data"
"#;
