//! The stories of `fixtures/events` through Kafka, each message written when the clock of the file stood there: the same
//! decisions and alerts, byte for byte, as through the door of files.

use std::fs;
use std::path::Path;

use doorward::event::Timestamp;

use super::broker;
use super::crash::world;
use super::kafka::{Read, World};

const STORIES: [&str; 11] = [
    "answers-and-dirt",
    "cafe-poisoning",
    "deployment-day",
    "holiday-with-own-laptop",
    "new-phone-after-a-break",
    "ordinary-churn",
    "phone-stolen-abroad",
    "right-password-walks-away",
    "spray-one-hit",
    "stolen-password-next-door",
    "wrong-password-then-flood",
];

fn fixtures() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures")
}

/// The lines of a story that are not blank, for those are none.
fn lines(name: &str) -> Vec<Vec<u8>> {
    let bytes = fs::read(fixtures().join(format!("events/{name}.ndjson"))).expect("a story");
    let lines = bytes
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.trim_ascii().is_empty());
    lines.map(<[u8]>::to_vec).collect()
}

fn time(line: &[u8]) -> Option<i64> {
    let value: serde_json::Value = serde_json::from_slice(line).ok()?;
    let time = Timestamp::parse(value.get("time")?.as_str()?).ok()?;
    Some(time.as_micros())
}

fn with_places(world: World) -> World {
    let geoip = fixtures().join("geoip");
    let files = [
        ("CITY", "doorward-test-city.mmdb"),
        ("ASN", "doorward-test-asn.csv"),
        ("LISTS", "doorward-test-networks.list"),
    ];
    files.iter().fold(world, |world, (setting, file)| {
        let path = geoip.join(file).display().to_string();
        world.set(&format!("DOORWARD_GEOIP_{setting}"), &path)
    })
}

type Lines = Vec<Vec<u8>>;

/// What the door of files makes of it, and the lines that it did not refuse for their time.
fn through_files(world: &World, name: &str) -> (Lines, Lines, Lines) {
    let mut kept = lines(name);
    loop {
        let folder = tempfile::tempdir().expect("a folder");
        let text = [kept.join(&b'\n'), b"\n".to_vec()].concat();
        fs::write(folder.path().join("events"), text).expect("a file");
        let flags = [
            "--events",
            "events",
            "--decisions",
            "decisions",
            "--alerts",
            "alerts",
            "--settle",
            "9999d",
        ];
        let (code, log) = world.run(folder.path(), &flags);
        assert_eq!(code, Some(0), "{name}: {log}");
        let read = |file: &str| -> Vec<Vec<u8>> {
            let bytes = fs::read(folder.path().join(file)).expect("a file");
            let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
            lines.map(<[u8]>::to_vec).collect()
        };
        let jumped: Vec<usize> = read("data/dead-letters.ndjson")
            .iter()
            .map(|letter| serde_json::from_slice::<serde_json::Value>(letter).expect("JSON"))
            .filter(|letter| letter["reason"] == "time_jump")
            .filter_map(|letter| usize::try_from(letter["line"].as_u64()?).ok())
            .collect();
        if jumped.is_empty() {
            return (kept, read("decisions"), read("alerts"));
        }
        for line in jumped.iter().rev() {
            kept.remove(line - 1);
        }
    }
}

fn in_order(read: &[Read]) -> Vec<Vec<u8>> {
    let seq = |message: &Read| message.header("seq").parse::<u64>().expect("a number");
    let mut ordered: Vec<&Read> = read.iter().collect();
    ordered.sort_by_key(|message| seq(message));
    ordered.into_iter().map(|message| message.value.clone()).collect()
}

#[test]
fn stories_come_out_as_through_files() {
    let Some(brokers) = broker::shared("the stories") else {
        return;
    };
    for name in STORIES {
        let world = with_places(world(&brokers, 1).set("DOORWARD_LOG_LEVEL", "debug"));
        let (lines, decisions, alerts) = through_files(&world, name);
        let folder = tempfile::tempdir().expect("a folder");
        super::crash::made(&world, folder.path());
        let sender = world.producer();
        let mut clock = 0;
        for line in &lines {
            clock = clock.max(time(line).unwrap_or_default());
            sender.send_to(Some(0), None, Some(line), Some(clock / 1_000));
        }
        sender.flush();
        let running = world.start(folder.path(), &[]);
        let mut reader = world.reader("decisions");
        let wanted = decisions.len();
        reader.until(name, |read| read.len() >= wanted);
        let mut told = world.reader("alerts");
        told.until(name, |read| read.len() >= alerts.len());
        let (read, told) = (in_order(reader.rest()), in_order(told.rest()));
        running.stop_well();
        for (ours, theirs) in read.iter().zip(&decisions) {
            assert_eq!(
                String::from_utf8_lossy(ours),
                String::from_utf8_lossy(theirs),
                "{name}"
            );
        }
        assert_eq!(read.len(), decisions.len(), "{name}");
        let sorted = |mut lines: Vec<Vec<u8>>| {
            lines.sort();
            lines
        };
        assert_eq!(sorted(told), sorted(alerts), "{name}");
    }
}
