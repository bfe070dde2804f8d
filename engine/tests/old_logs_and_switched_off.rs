//! Two ways to learn without saying anything: `mode = "off"`, and `run --backfill` on old logs.

#![expect(clippy::expect_used, reason = "a test stops at the first surprise")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../fixtures/events/{name}.ndjson"))
}

fn lines_of(name: &str) -> Vec<Vec<u8>> {
    let whole = fs::read(fixture(name)).expect("a fixture");
    whole
        .split_inclusive(|byte| *byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect()
}

/// A store with its outputs in a folder of its own.
struct World(tempfile::TempDir);

impl World {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn events(&self, name: &str, lines: &[Vec<u8>]) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, lines.concat()).expect("events");
        path
    }

    fn run(&self, events: &Path, mode: &str, flags: &[&str]) -> Vec<Value> {
        let geoip = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/geoip");
        let (data, decisions) = (self.0.path().join("data"), self.0.path().join("decisions"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_doorward"));
        command.env_clear().env("DOORWARD_MODE", mode);
        command.env("DOORWARD_GEOIP_CITY", geoip.join("doorward-test-city.mmdb"));
        command.env("DOORWARD_GEOIP_ASN", geoip.join("doorward-test-asn.csv"));
        command.env("DOORWARD_GEOIP_LISTS", geoip.join("doorward-test-networks.list"));
        command.arg("run").arg("--events").arg(events);
        command.arg("--data").arg(data).arg("--decisions").arg(&decisions);
        let output = command.args(flags).output().expect("the program");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let text = fs::read_to_string(&decisions).expect("decisions");
        text.lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect()
    }

    fn mails(&self) -> usize {
        fs::read_dir(self.0.path().join("data/mail")).map_or(0, Iterator::count)
    }

    fn check_store(&self) {
        let output = Command::new(env!("CARGO_BIN_EXE_doorward"))
            .env_clear()
            .args(["store", "check", "--data"])
            .arg(self.0.path().join("data"))
            .output()
            .expect("the program");
        let said = [output.stdout, output.stderr].concat();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
    }
}

fn alerts(decisions: &[Value]) -> Vec<&Value> {
    decisions
        .iter()
        .filter_map(|decision| decision["alerts"].as_array())
        .flatten()
        .collect()
}

#[test]
fn switched_off_it_scores_nothing_and_tells_nobody() {
    for story in [
        "stolen-password-next-door",
        "right-password-walks-away",
        "wrong-password-then-flood",
    ] {
        let world = World::new();
        let decisions = world.run(&fixture(story), "off", &["--settle", "48h"]);
        assert!(decisions.len() > 80, "{story}");
        for decision in &decisions {
            for field in [
                "action",
                "required_level",
                "achieved_level",
                "score",
                "ledger",
                "alerts",
            ] {
                assert!(decision.get(field).is_none(), "{field} in {decision}");
            }
            assert_eq!(decision["mode"], "off");
        }
        assert_eq!(world.mails(), 0, "{story}");
        world.check_store();
    }
}

#[test]
fn what_was_learned_while_it_was_off_counts_when_it_is_on() {
    let story = lines_of("cafe-poisoning");
    let past = story.len() - 6;
    let on = World::new().run(&fixture("cafe-poisoning"), "enforce", &[]);
    let world = World::new();
    let events = world.events("events", &story[..past]);
    let off = world.run(&events, "off", &[]).len();
    world.events("events", &story);
    let then_on = world.run(&events, "enforce", &[]);
    assert_eq!(then_on.len(), on.len());
    let scored = |decision: &Value| {
        ["event_id", "action", "score", "ledger", "device", "maturity"]
            .map(|field| decision.get(field).cloned().unwrap_or_default())
    };
    let mut known = 0;
    for (here, there) in then_on.iter().zip(&on).skip(off) {
        assert_eq!(scored(here), scored(there));
        known += usize::from(here["device"]["state"] == "known");
    }
    assert!(known > 0, "nobody came back");
}

#[test]
fn wrong_passwords_that_wait_when_it_is_switched_off_are_not_told() {
    let story = lines_of("wrong-password-then-flood");
    let first_wrong = story
        .iter()
        .position(|line| String::from_utf8_lossy(line).contains("\"outcome\":\"failure\""))
        .expect("a wrong password");
    let begun = |then: &str| {
        let world = World::new();
        let events = world.events("events", &story[..=first_wrong]);
        world.run(&events, "enforce", &[]);
        let before = world.mails();
        world.run(&events, then, &["--settle", "48h"]);
        world.mails() - before
    };
    assert_eq!(begun("enforce"), 1);
    assert_eq!(begun("off"), 0);
}

#[test]
fn every_alert_of_old_logs_is_held_back_and_says_why() {
    for story in ["phone-stolen-abroad", "wrong-password-then-flood"] {
        let world = World::new();
        let live = World::new().run(&fixture(story), "enforce", &["--settle", "48h"]);
        let decisions = world.run(&fixture(story), "enforce", &["--backfill", "--settle", "48h"]);
        assert!(!alerts(&live).is_empty(), "{story}");
        assert!(!alerts(&decisions).is_empty(), "{story}");
        for alert in alerts(&decisions) {
            assert_eq!(
                (&alert["status"], &alert["why"]),
                (&"held_back".into(), &"backfill".into())
            );
        }
        assert_eq!(world.mails(), 0, "{story}");
        world.check_store();
    }
}

/// The attempt of `ulla` is open when the old logs end. That its end belongs to them is in the journal: the run that
/// decides it knows nothing of `--backfill`.
#[test]
fn an_attempt_that_old_logs_left_open_ends_as_one_of_them_in_a_later_run() {
    let story = lines_of("right-password-walks-away");
    let (last, logged) = story.split_last().expect("lines");
    let ends = |flags: &[&str]| {
        let world = World::new();
        let events = world.events("events", logged);
        world.run(&events, "enforce", flags);
        let before = world.mails();
        world.events("events", &[logged, std::slice::from_ref(last)].concat());
        let decisions = world.run(&events, "enforce", &[]);
        world.check_store();
        let own: Vec<Value> = decisions
            .iter()
            .filter(|decision| decision["source"] == "doorward")
            .cloned()
            .collect();
        let told = alerts(&own).into_iter().cloned().collect::<Vec<_>>();
        (told, world.mails() - before)
    };
    let (live, mails) = ends(&[]);
    assert!(
        mails > 0 && live.iter().all(|alert| alert["status"] == "due"),
        "{live:?}"
    );
    let (logged, mails) = ends(&["--backfill"]);
    assert_eq!((logged.len(), mails), (live.len(), 0));
    assert!(
        logged.iter().all(|alert| alert["why"] == "backfill"),
        "{logged:?}"
    );
}

/// Old logs that come after the first live events are late by the store's clock; they teach all the same.
#[test]
fn old_logs_that_come_after_live_events_still_make_devices_trusted() {
    let logs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/old-logs/deployment-day.ndjson");
    let story = lines_of("deployment-day");
    let (day, rest) = story.split_at(60);
    let trusted = |flags: &[&str]| {
        let world = World::new();
        let events = world.events("events", day);
        let before = world.run(&events, "enforce", &[]).len();
        world.run(&logs, "enforce", flags);
        world.events("events", &[day, rest].concat());
        let decisions = world.run(&events, "enforce", &[]);
        let fired = |decision: &&Value| {
            let ledger = decision["ledger"].as_array();
            ledger.is_some_and(|ledger| {
                ledger
                    .iter()
                    .any(|line| line["rule"] == "known-device" && line["status"] == "fired")
            })
        };
        decisions.iter().skip(before + 400).filter(fired).count()
    };
    assert_eq!(trusted(&[]), 0, "read in as live events, they are days late");
    assert!(trusted(&["--backfill"]) > 50);
}
