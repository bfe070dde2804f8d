//! Whatever stands in an input file, each line is decided, refused, a repeat or blank; a refused one is a dead letter
//! with its reason, field, place and bytes; and the lines around it are decided as if it were not there.

#![cfg(feature = "run")]
#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot prepare its world fails, as it should"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use doorward::event::Timestamp;
use doorward::generate::EventBuilder;
use doorward::generate::json::Json;
use doorward::pipeline::dead_letter;
use serde_json::Value;

/// The largest event, and one byte more: what is kept of a longer line.
const KEPT_BYTES: usize = 65_536 + 1;
/// Seconds between one line and the next.
const STEP: i64 = 10;

/// What becomes of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fate {
    Decided,
    Refused(&'static str, &'static str),
    Repeated,
    Blank,
}
use Fate::{Blank, Decided, Refused, Repeated};

struct Row {
    bytes: Vec<u8>,
    fate: Fate,
}

/// A file in the making.
struct Table {
    rows: Vec<Row>,
    time: Timestamp,
}

impl Table {
    fn new() -> Self {
        Self {
            rows: Vec::new(),
            time: Timestamp::parse("2026-03-02T08:00:00Z").expect("a time"),
        }
    }

    /// An event that is sound in every field, a little later than the one before.
    fn sound(&mut self) -> EventBuilder {
        self.time = self.time.plus_seconds(STEP);
        let id = format!("line-{}", self.rows.len() + 1);
        EventBuilder::login(&id, "shop/web", "anna")
            .at(self.time)
            .address("192.0.2.1")
    }

    fn raw(&mut self, bytes: impl Into<Vec<u8>>, fate: Fate) {
        let bytes = bytes.into();
        self.rows.push(Row { bytes, fate });
    }

    /// The line between two odd ones.
    fn usual(&mut self) {
        let line = self.sound().line();
        self.raw(line, Decided);
    }

    /// A line that is no event, with sound ones around it.
    fn odd(&mut self, bytes: impl Into<Vec<u8>>, reason: &'static str, field: &'static str) {
        self.raw(bytes, Refused(reason, field));
        self.usual();
    }

    /// A sound event but for one field.
    fn with(&mut self, path: &str, value: impl Into<Json>, fate: Fate) {
        let line = self.sound().set(path, value).line();
        self.raw(line, fate);
        self.usual();
    }
}

fn bytes_of_no_text(table: &mut Table) {
    table.odd("this is no event", "invalid_json", "");
    table.odd(b"\x00\x01\x02\x1b[2J".as_slice(), "invalid_json", "");
    let all: Vec<u8> = (0..=255).filter(|byte| *byte != b'\n').collect();
    table.odd(all, "invalid_utf8", "");
    let sound = table.sound().line();
    let torn = sound.iter().map(|byte| if *byte == b'/' { 0xff } else { *byte });
    let torn: Vec<u8> = torn.collect();
    table.odd(torn, "invalid_utf8", "");
    table.odd(sound[..sound.len() / 2].to_vec(), "invalid_json", "");
    table.odd([sound.clone(), sound].concat(), "invalid_json", "");
    for other in ["[]", "42", "\"text\"", "null", "true"] {
        table.odd(other, "wrong_type", "");
    }
    table.odd("{}", "missing_field", "id");
}

fn too_much(table: &mut Table) {
    table.odd(vec![b'x'; 10 << 20], "too_large", "");
    let mut long = table.sound().line();
    long.resize(KEPT_BYTES - 1, b' ');
    table.raw(long.clone(), Decided);
    table.odd([long.as_slice(), b" "].concat(), "too_large", "");
    let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    for depth in [16, 120, 30_000] {
        let sound = String::from_utf8(table.sound().line()).expect("JSON");
        let deep = sound.replacen('{', &format!("{{\"note\":{},", nested(depth)), 1);
        table.odd(deep, "too_deep", "note");
    }
    table.odd(nested(30_000), "wrong_type", "");
    table.with(
        "client.user_agent",
        "x".repeat(1_025),
        Refused("too_long", "client.user_agent"),
    );
    let methods = vec!["pwd"; 17];
    table.with("auth.methods", methods, Refused("too_many", "auth.methods"));
}

fn wrong_fields(table: &mut Table) {
    table.with("type", "logon", Refused("unknown_type", "type"));
    table.with("outcome", "perhaps", Refused("unknown_value", "outcome"));
    table.with("user.id", Json::Whole(17), Refused("wrong_type", "user.id"));
    table.with("client", "192.0.2.1", Refused("wrong_type", "client"));
    table.with("client.ip", "300.1.2.3", Refused("bad_address", "client.ip"));
    table.with("time", "yesterday", Refused("bad_time", "time"));
    table.with(
        "device.generation",
        Json::Whole(-1),
        Refused("out_of_range", "device.generation"),
    );
    let factors = vec![Json::object([("type", "totp".into())])];
    table.with(
        "auth.enrolled",
        factors,
        Refused("missing_field", "auth.enrolled[0].id"),
    );
    table.with("source", "doorward", Refused("reserved_source", "source"));
    table.with("source", " Doorward ", Refused("reserved_source", "source"));
    table.with("tenant", "somebody-else", Refused("foreign_tenant", "tenant"));
    table.with("tenant", "default", Decided);
    for field in ["id", "source", "type", "time", "outcome", "user.id", "client.ip"] {
        let line = table.sound().without(field).line();
        table.odd(line, "missing_field", field);
        table.with(field, Json::Null, Refused("missing_field", field));
    }
    table.with("client.ip", "  ", Refused("missing_field", "client.ip"));
    for field in ["device", "device.id", "auth.methods", "app.id", "stage", "tenant"] {
        table.with(field, Json::Null, Decided);
    }
    let sound = String::from_utf8(table.sound().line()).expect("JSON");
    table.odd(
        sound.replacen('{', "{\"id\":\"first\",", 1),
        "duplicate_field",
        "id",
    );
    let user = sound.replacen("{\"id\":\"anna\"", "{\"id\":\"anna\",\"id\":\"eve\"", 1);
    table.odd(user, "duplicate_field", "user.id");
    let wrapped = String::from_utf8(table.sound().without("client.ip").line()).expect("JSON");
    let envelope = format!("{{\"specversion\":\"1.0\",\"data\":{wrapped}}}");
    table.odd(envelope, "missing_field", "data.client.ip");
}

fn wrong_times(table: &mut Table) {
    table.with("time", "2150-01-01T00:00:00Z", Refused("time_in_future", "time"));
    let day = |days: i64| table.time.plus_days(days).to_string();
    let (jump, old, young) = (day(30), day(-181), day(-179));
    table.with("time", jump, Refused("time_jump", "time"));
    table.with("time", old, Refused("too_old", "time"));
    table.with("time", young, Decided);
}

fn blank_and_again(table: &mut Table) {
    for blank in ["", "   ", "\t", "\r"] {
        table.raw(blank, Blank);
        table.usual();
    }
    let line = table.sound().line();
    table.raw(line.clone(), Decided);
    table.raw(line, Repeated);
    // The same bytes at another place: two letters.
    table.odd("twice", "invalid_json", "");
    table.odd("twice", "invalid_json", "");
}

fn everything() -> Table {
    let mut table = Table::new();
    table.usual();
    table.usual();
    bytes_of_no_text(&mut table);
    too_much(&mut table);
    wrong_fields(&mut table);
    wrong_times(&mut table);
    blank_and_again(&mut table);
    table.usual();
    table
}

/// What a run said: exit code 0, decisions, dead letters, and the word on stderr.
struct Told {
    decisions: Vec<Value>,
    dead_letters: Vec<Value>,
    stderr: String,
}

fn run(folder: &Path, input: &[u8]) -> Told {
    fs::write(folder.join("events.ndjson"), input).expect("a temporary folder");
    let output = Command::new(env!("CARGO_BIN_EXE_doorward"))
        .args(["run", "--events", "events.ndjson", "--data", "data"])
        .args(["--decisions", "decisions"])
        .current_dir(folder)
        .env_clear()
        .output()
        .expect("the program starts");
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    let lines = |path: &str| {
        let text = fs::read_to_string(folder.join(path)).expect("text that the run wrote");
        assert!(text.is_empty() || text.ends_with('\n'), "a torn last line");
        let lines = text.lines().map(|line| serde_json::from_str(line).expect("JSON"));
        lines.collect()
    };
    Told {
        decisions: lines("decisions"),
        dead_letters: lines("data/dead-letters.ndjson"),
        stderr,
    }
}

fn from_hex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| {
            let pair = std::str::from_utf8(pair).expect("hexadecimal digits");
            u8::from_str_radix(pair, 16).expect("hexadecimal digits")
        })
        .collect()
}

/// The rows as a file, and what must come of it.
fn check(table: &Table, line_end: &[u8], last_line_ends: bool) {
    let ends = |index: usize| last_line_ends || index + 1 < table.rows.len();
    let mut input = Vec::new();
    let mut offsets = Vec::new();
    for (index, row) in table.rows.iter().enumerate() {
        offsets.push(input.len());
        input.extend_from_slice(&row.bytes);
        input.extend_from_slice(if ends(index) { line_end } else { b"" });
    }
    let folder = tempfile::tempdir().expect("a folder");
    let told = run(folder.path(), &input);
    let mut decisions = told.decisions.iter();
    let mut letters = told.dead_letters.iter();
    // The first record says what is in force.
    let mut seq = 1;
    for (index, row) in table.rows.iter().enumerate() {
        let what = format!(
            "line {}: {}",
            index + 1,
            String::from_utf8_lossy(&row.bytes[..row.bytes.len().min(200)])
        );
        match &row.fate {
            Decided => {
                seq += 1;
                let decision = decisions.next().unwrap_or_else(|| panic!("not decided: {what}"));
                assert_eq!(decision["seq"], seq, "{what}: {decision}");
                let event: Value = serde_json::from_slice(&row.bytes).expect("JSON");
                assert_eq!(decision["event_id"], event["id"], "{what}");
            }
            Refused(reason, field) => {
                seq += 1;
                let letter = letters.next().unwrap_or_else(|| panic!("not refused: {what}"));
                check_letter(letter, (reason, field), &row.bytes, &what);
                assert_eq!(letter["seq"], seq, "{what}");
                assert_eq!(letter["line"], index + 1, "{what}");
                assert_eq!(letter["offset"], offsets[index], "{what}");
            }
            Repeated | Blank => {}
        }
    }
    assert_eq!(
        (decisions.next(), letters.next()),
        (None, None),
        "more came out than went in"
    );
    check_tally(table, &told.stderr);
    let again = run(folder.path(), &input);
    assert_eq!(again.decisions, told.decisions, "a second run decided something");
    assert_eq!(
        again.dead_letters, told.dead_letters,
        "a second run refused something"
    );
}

fn check_letter(letter: &Value, wanted: (&str, &str), bytes: &[u8], what: &str) {
    let text = |name: &str| letter[name].as_str().unwrap_or_default();
    assert_eq!((text("reason"), text("field")), wanted, "{what}: {letter:.400}");
    assert_eq!(text("source"), "events.ndjson", "{what}");
    assert!(!text("message").is_empty(), "{what}");
    let kept = match letter.get("hex") {
        Some(_) => from_hex(text("hex")),
        None => text("text").as_bytes().to_vec(),
    };
    assert!(
        kept == bytes[..bytes.len().min(KEPT_BYTES)],
        "{what}: other bytes were kept"
    );
}

/// Decided, refused, repeated and blank lines add up to all lines.
fn check_tally(table: &Table, stderr: &str) {
    let count = |is: fn(&Fate) -> bool| table.rows.iter().filter(|row| is(&row.fate)).count();
    let decided = count(|fate| *fate == Decided);
    let refused = count(|fate| matches!(fate, Refused(..)));
    let repeated = count(|fate| *fate == Repeated);
    let blank = count(|fate| *fate == Blank);
    assert_eq!(decided + refused + repeated + blank, table.rows.len());
    let said = format!(
        "doorward: {decided} events decided, {repeated} were there before; {refused} lines refused ("
    );
    assert!(stderr.starts_with(&said), "{said} in {stderr}");
}

#[test]
fn each_line_of_a_dirty_file_has_its_fate() {
    check(&everything(), b"\n", true);
}

#[test]
fn lines_may_end_as_on_windows() {
    check(&everything(), b"\r\n", true);
}

#[test]
fn the_last_line_may_lack_its_end() {
    check(&everything(), b"\n", false);
    let mut table = everything();
    table.raw("no event and no end", Refused("invalid_json", ""));
    check(&table, b"\n", false);
}

#[test]
fn every_reason_there_is_stands_in_the_table() {
    let table = everything();
    let there: BTreeSet<_> = table
        .rows
        .iter()
        .filter_map(|row| match row.fate {
            Refused(reason, _) => Some(reason),
            _ => None,
        })
        .collect();
    assert_eq!(there, dead_letter::reasons().into_iter().collect());
}
