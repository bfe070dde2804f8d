//! Every story of `fixtures/events` through the real program: what must come out stands beside each, in a file
//! `.expected.toml` whose form is described in `fixtures/README.md`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test stops at the first surprise"
)]

mod check;
mod expected;
mod mail;
mod program;
mod sources;

use std::collections::BTreeSet;
use std::fs;

use expected::Expected;
use program::{Settings, backfill, fixture, replay, run, run_file};

/// One test a story: its name in the file system, and that of the test.
macro_rules! stories {
    ($($test:ident: $name:literal,)+) => {
        const NAMES: &[&str] = &[$($name),+];

        mod comes_out {
            $(#[test] fn $test() { super::comes_out($name); })+
        }

        mod run_equals_replay {
            $(#[test] fn $test() { super::run_equals_replay($name); })+
        }
    };
}

stories! {
    answers_and_dirt: "answers-and-dirt",
    cafe_poisoning: "cafe-poisoning",
    deployment_day: "deployment-day",
    holiday_with_own_laptop: "holiday-with-own-laptop",
    new_phone_after_a_break: "new-phone-after-a-break",
    ordinary_churn: "ordinary-churn",
    phone_stolen_abroad: "phone-stolen-abroad",
    right_password_walks_away: "right-password-walks-away",
    spray_one_hit: "spray-one-hit",
    stolen_password_next_door: "stolen-password-next-door",
    wrong_password_then_flood: "wrong-password-then-flood",
}

/// What the story says must come out, comes out; and the mails say what they must.
fn comes_out(name: &str) {
    let expected = Expected::read(&fixture(&format!("{name}.expected.toml")));
    let folder = tempfile::tempdir().unwrap();
    let told = run(name, folder.path(), &Settings::default());
    let wrong = check::check(
        &expected,
        &told,
        &fs::read(fixture(&format!("{name}.ndjson"))).unwrap(),
    );
    assert!(
        wrong.is_empty(),
        "{name}: {}\n{}",
        expected.because.trim(),
        wrong.join("\n")
    );
}

/// The store, threads, batches and caches change no byte of decisions, dead letters and mails; nor does a second run on
/// the same folder add one.
fn run_equals_replay(name: &str) {
    let replayed = replay(name);
    assert!(!replayed.decisions.is_empty(), "{name}: nothing was decided");
    assert_eq!(replayed, replay(name), "{name}: a second replay differs");
    let mut mails = None;
    for (threads, batch_records) in [(1, 1), (2, 1), (1, 4_096), (2, 4_096)] {
        let folder = tempfile::tempdir().unwrap();
        let settings = Settings {
            threads,
            batch_records,
            user_cache: 1,
        };
        for again in [false, true] {
            let told = run(name, folder.path(), &settings);
            let what = format!("{name}: `run` with {settings:?}, again: {again}");
            told.files.assert_same(&replayed, &what);
            assert!(
                *mails.get_or_insert_with(|| told.mails.clone()) == told.mails,
                "{what}: other mails"
            );
        }
    }
}

/// A file that grows between two starts gives what one start on the whole file gives: timers, attempts and what waits
/// in mailboxes survive the process.
#[test]
fn a_restart_in_between_changes_nothing() {
    for name in ["right-password-walks-away", "wrong-password-then-flood"] {
        let whole = fs::read(fixture(&format!("{name}.ndjson"))).unwrap();
        let lines: Vec<&[u8]> = whole.split_inclusive(|byte| *byte == b'\n').collect();
        let replayed = replay(name);
        let once = tempfile::tempdir().unwrap();
        let mails = run(name, once.path(), &Settings::default()).mails;
        for share in [50, 97, 99] {
            let folder = tempfile::tempdir().unwrap();
            let events = folder.path().join("events.ndjson");
            let mut told = None;
            for part in [lines.len() * share / 100, lines.len() - 1, lines.len()] {
                fs::write(&events, lines[..part].concat()).unwrap();
                told = Some(run_file(&events, folder.path(), &Settings::default()));
            }
            let told = told.unwrap();
            let what = format!("{name} in three runs, the first at {share} %");
            told.files.assert_same(&replayed, &what);
            assert!(told.mails == mails, "{what}: other mails");
        }
    }
}

/// The twin of deployment-day: after `run --backfill` on the old logs the devices in them are known on day one, and
/// trusted; the takeover is asked for more all the same, and nobody was told of anything in the logs.
#[test]
fn old_logs_read_in_first_make_devices_known_on_day_one() {
    let folder = tempfile::tempdir().unwrap();
    let logs = fixture("../old-logs/deployment-day.ndjson");
    let read_in = backfill(&logs, folder.path());
    assert_eq!(read_in.decisions().len(), 400);
    assert_eq!(read_in.mails, []);
    let told = run("deployment-day", folder.path(), &Settings::default());
    assert_eq!(told.mails, []);
    let (mut logged, mut others, mut strangers) = (0, 0, 0);
    for decision in told.decisions().iter().skip(400) {
        let id = decision["event_id"].as_str().unwrap();
        if id.ends_with("-stranger") {
            assert_eq!(decision["action"], "step_up", "{decision}");
            strangers += 1;
        } else if id.ends_with("-first") {
            let number: u32 = id[3..6].parse().unwrap();
            let fired = |rule: &str| {
                let ledger = decision["ledger"].as_array().unwrap();
                ledger
                    .iter()
                    .any(|line| line["rule"] == rule && line["status"] == "fired")
            };
            let is_known = decision["device"]["state"] == "known" && fired("known-device");
            assert_eq!(is_known, number.is_multiple_of(5), "{decision}");
            assert_eq!(decision["action"], "allow", "{decision}");
            *(if is_known { &mut logged } else { &mut others }) += 1;
        }
    }
    assert_eq!((logged, others, strangers), (100, 400, 2));
}

/// The end of answers-and-dirt: `yrsa` is erased and leaves nothing; `zoe`, who lived the same days, keeps all of hers.
#[test]
fn after_answers_and_dirt_an_erasure_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let before = run("answers-and-dirt", folder.path(), &Settings::default());
    program::erase("yrsa", folder.path());
    assert_eq!(
        program::files_that_say("yrsa", folder.path()),
        Vec::<String>::new()
    );
    let after = run("answers-and-dirt", folder.path(), &Settings::default());
    let others: Vec<_> = before
        .decisions()
        .into_iter()
        .filter(|decision| decision["user_id"] != "yrsa")
        .collect();
    assert!(
        after.decisions() == others,
        "what was erased is not decided again, the rest stays"
    );
    assert!(!others.is_empty() && !after.mails.is_empty());
}

#[test]
fn the_files_are_what_their_sources_tell() {
    let events = sources::all().into_iter().map(|(name, bytes)| (name, "", bytes));
    let logs = sources::old_logs()
        .into_iter()
        .map(|(name, bytes)| (name, "../old-logs/", bytes));
    for (name, folder, bytes) in events.chain(logs) {
        let path = fixture(&format!("{folder}{name}.ndjson"));
        let same = fs::read(&path).is_ok_and(|file| file == bytes);
        assert!(
            same,
            "{path:?} is old: cargo run -p doorward --example write-stories"
        );
    }
}

#[test]
fn every_file_has_its_test() {
    let mut stems = BTreeSet::new();
    for entry in fs::read_dir(fixture("")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        stems.insert(name.split('.').next().unwrap().to_owned());
        assert!(
            name.ends_with(".ndjson") || name.ends_with(".expected.toml"),
            "{name} is no story"
        );
    }
    assert_eq!(stems, NAMES.iter().map(|name| (*name).to_owned()).collect());
}
