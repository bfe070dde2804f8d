//! `GET /metrics` of a run over a pipe that is still open: the figures are right, and neither they nor the log lines
//! hold a word of what the events told of people.

#![cfg(all(unix, feature = "run"))]
#![expect(
    clippy::expect_used,
    reason = "a test that cannot prepare its world fails, as it should"
)]

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use doorward::event::Timestamp;
use doorward::generate::EventBuilder;
use doorward::generate::json::Json;
use serde_json::Value;

/// Long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// In every value below, so that a value is found even where it was cut, put in lower case or taken apart.
const MARK: &str = "zqx";
/// Values of events that cannot carry the mark.
const ADDRESSES: [&str; 3] = ["198.18.3.77", "203.0.113.77", "2001:db8:77::77"];

fn login(number: usize, user: &str) -> EventBuilder {
    let morning = Timestamp::parse("2026-03-02T08:00:00Z").expect("a time");
    let time = morning.plus_seconds(600 * i64::try_from(number).expect("a small number"));
    EventBuilder::login(&format!("zqx-event-{number}"), "zqx-shop/web", user)
        .at(time)
        .address(ADDRESSES[0])
        .app("zqx-app")
        .set("client.user_agent", "ZqxBrowser/9.9 (Zqx OS)")
        .set("client.accept_language", "zqx")
        .set("client.ja4", "zqx-ja4")
        .set("device.id", "zqx-device-1")
        .set("session.id", "zqx-session")
        .attempt(&format!("zqx-attempt-{number}"))
        .contacts(vec![contact(&format!("{user}.zqx@mail.zqx-person.example"))])
}

fn contact(address: &str) -> Json {
    Json::object([
        ("id", "zqx-contact".into()),
        ("channel", "email".into()),
        ("address", address.into()),
        ("proof", "possession".into()),
    ])
}

fn on_a_new_device(login: EventBuilder, address: &str) -> EventBuilder {
    login
        .set("client.user_agent", "ZqxOther/1.0 (Zqx Phone)")
        .set("device.id", "zqx-device-2")
        .address(address)
}

/// Allowed, stepped up, not scored, refused and repeated lines; mails, one of them to an address that cannot be.
fn lines() -> Vec<Vec<u8>> {
    let mut lines: Vec<Vec<u8>> = Vec::new();
    for number in 0..6 {
        let user = if number % 2 == 0 { "zqx-anna" } else { "zqx-bert" };
        lines.push(login(number, user).line());
    }
    lines.push(on_a_new_device(login(6, "zqx-anna"), ADDRESSES[1]).line());
    let label = "zqx".repeat(22);
    let unreachable = format!("bert.zqx@{label}.example");
    let bert = on_a_new_device(login(7, "zqx-bert"), ADDRESSES[2]);
    lines.push(bert.contacts(vec![contact(&unreachable)]).line());
    lines.push(login(8, "zqx-anna").wrong_password().line());
    lines.push(login(9, "zqx-anna").set("type", "zqx-type").line());
    lines.push(login(10, "zqx-anna").set("outcome", "zqx-outcome").line());
    lines.push(login(11, "zqx-anna").set("tenant", "zqx-tenant").line());
    lines.push(b"zqx garbage".to_vec());
    lines.push(b"zqx more garbage".to_vec());
    lines.push(login(0, "zqx-anna").line());
    lines
}

/// A run that reads its standard input.
struct Running {
    child: Child,
    pipe: ChildStdin,
    address: SocketAddr,
}

fn start(folder: &Path) -> Running {
    // Let go of at once, so that the program may have it.
    let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = free.local_addr().expect("an address");
    drop(free);
    let mut child = Command::new(env!("CARGO_BIN_EXE_doorward"))
        .args(["--log", "json", "--log-level", "info"])
        .args([
            "run",
            "--events",
            "-",
            "--data",
            "data",
            "--decisions",
            "decisions",
        ])
        .current_dir(folder)
        .env_clear()
        .env("DOORWARD_METRICS_LISTEN", address.to_string())
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let pipe = child.stdin.take().expect("a pipe");
    let start = Instant::now();
    while TcpStream::connect(address).is_err() {
        assert!(start.elapsed() < PATIENCE, "nobody listens on {address}");
        assert_eq!(child.try_wait().expect("a child"), None, "the run ended");
        std::thread::sleep(Duration::from_millis(20));
    }
    Running { child, pipe, address }
}

fn figures(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).expect("the port of the figures");
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .expect("an open connection");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer in UTF-8");
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    answer
}

/// Value of one figure; 0 if it is not there yet.
fn figure(answer: &str, name: &str) -> u64 {
    answer
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))
        .map_or(0, |value| value.parse().expect("a whole number"))
}

fn has_no_user_data(what: &str, text: &str) {
    let lower = text.to_lowercase();
    assert!(!lower.contains(MARK), "{what} name somebody:\n{text}");
    for address in ADDRESSES {
        assert!(!lower.contains(address), "{what} hold {address}:\n{text}");
    }
}

fn parsed(path: &Path) -> Vec<Value> {
    let text = fs::read_to_string(path).expect("text that the run wrote");
    text.lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

fn counted<'a>(names: impl Iterator<Item = &'a str>) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for name in names {
        *counts.entry(name.to_owned()).or_default() += 1;
    }
    counts
}

/// The figures are those of the files.
fn are_right(answer: &str, folder: &Path) {
    let decisions = parsed(&folder.join("decisions"));
    let letters = parsed(&folder.join("data/dead-letters.ndjson"));
    assert_eq!((decisions.len(), letters.len()), (9, 5));
    let actions = counted(
        decisions
            .iter()
            .map(|decision| decision.get("action").and_then(Value::as_str).unwrap_or("none")),
    );
    assert!(actions.len() >= 3, "too few kinds of actions: {actions:?}");
    let reasons = counted(letters.iter().filter_map(|letter| letter.get("reason")?.as_str()));
    let alerts = decisions
        .iter()
        .filter_map(|decision| decision.get("alerts")?.as_array())
        .flatten();
    let alerts: Vec<String> = alerts
        .map(|alert| {
            let word = |name: &str| alert.get(name).and_then(Value::as_str).unwrap_or_default();
            format!("kind=\"{}\",status=\"{}\"", word("kind"), word("status"))
        })
        .collect();
    assert!(!alerts.is_empty(), "nobody was told");
    let alerts = counted(alerts.iter().map(String::as_str));
    for (action, count) in &actions {
        let name = format!("doorward_decisions_total{{action=\"{action}\"}}");
        assert_eq!(figure(answer, &name), *count, "{name} in {answer}");
    }
    for (reason, count) in &reasons {
        let name = format!("doorward_refused_total{{reason=\"{reason}\"}}");
        assert_eq!(figure(answer, &name), *count, "{name} in {answer}");
    }
    for (labels, count) in &alerts {
        let name = format!("doorward_alerts_total{{{labels}}}");
        assert_eq!(figure(answer, &name), *count, "{name} in {answer}");
    }
    // The first record says what is in force.
    for (name, before) in [
        ("doorward_events_total{door=\"files\"}", 0),
        ("doorward_store_head", 1),
    ] {
        assert_eq!(figure(answer, name), before + 9 + 5, "{name} in {answer}");
    }
    // One series for each label that was seen, and no more.
    for (name, series) in [
        ("doorward_decisions_total{", actions.len()),
        ("doorward_refused_total{", reasons.len()),
        ("doorward_alerts_total{", alerts.len()),
    ] {
        let there = answer.lines().filter(|line| line.starts_with(name)).count();
        assert_eq!(there, series, "{name} in {answer}");
    }
}

#[test]
fn figures_and_log_lines_are_right_and_name_nobody() {
    let folder = tempfile::tempdir().expect("a folder");
    let Running {
        mut child,
        mut pipe,
        address,
    } = start(folder.path());
    has_no_user_data("the figures before the first event", &figures(address));
    for line in lines() {
        pipe.write_all(&line).expect("an open pipe");
        pipe.write_all(b"\n").expect("an open pipe");
    }
    pipe.flush().expect("an open pipe");
    let begun = Instant::now();
    // 14 lines that were no repeats, and before them what is in force.
    let answer = loop {
        let answer = figures(address);
        if figure(&answer, "doorward_store_head") == 15 {
            break answer;
        }
        assert!(begun.elapsed() < PATIENCE, "not all was committed:\n{answer}");
        std::thread::sleep(Duration::from_millis(20));
    };
    has_no_user_data("the figures", &answer);
    let mails = fs::read_dir(folder.path().join("data/mail"))
        .expect("mails")
        .count();
    assert_eq!(mails, 1, "one mail to one address that can be");
    assert_eq!(figure(&answer, "doorward_mails_written_total"), 1);
    are_right(&answer, folder.path());

    let asked = Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status();
    assert!(asked.expect("kill").success());
    let mut stderr = String::new();
    let mut log = child.stderr.take().expect("a pipe");
    log.read_to_string(&mut stderr).expect("text");
    assert_eq!(child.wait().expect("a child").code(), Some(0), "{stderr}");
    drop(pipe);
    has_no_user_data("the log lines", &stderr);
    let objects = stderr.lines().filter(|line| line.starts_with('{'));
    let objects: Vec<Value> = objects
        .map(|line| serde_json::from_str(line).expect("a log line in JSON"))
        .collect();
    let at_info = objects
        .iter()
        .any(|object| object.get("level").and_then(Value::as_str) == Some("INFO"));
    assert!(at_info, "nothing was logged, so nothing was shown: {stderr}");
}
