//! A batch may be committed in the middle of what a door hands over at once. Where the lines of that span more time than
//! decisions are kept, a crash then must not refuse as too old what was decided before it.

#![cfg(feature = "run")]
#![expect(
    clippy::expect_used,
    reason = "a test that cannot prepare its world fails, as it should"
)]

#[path = "harness/program.rs"]
mod program;

use doorward::event::Timestamp;
use doorward::generate::EventBuilder;
use program::World;
use std::fs;

const LINES: i64 = 400;
/// Decisions are kept for 30 days: 60 lines.
const BETWEEN_LINES: i64 = 43_200;

#[test]
fn what_was_decided_before_a_crash_is_not_too_old_behind_it() {
    let inputs = tempfile::tempdir().expect("a temporary folder");
    let start = Timestamp::parse("2020-01-01T00:00:00Z").expect("a time");
    let line = |index: i64| {
        let event = EventBuilder::login(&format!("e-{index}"), "t", &format!("user-{}", index % 7));
        let event = event
            .at(start.plus_seconds(index * BETWEEN_LINES))
            .address("192.0.2.1");
        // Lines that are refused are taken as well.
        if index % 9 == 4 {
            b"no event".to_vec()
        } else {
            event.line()
        }
    };
    let lines: Vec<Vec<u8>> = (0..LINES).map(line).collect();
    let events = inputs.path().join("sparse.ndjson");
    fs::write(&events, [lines.join(&b'\n'), b"\n".to_vec()].concat()).expect("a temporary folder");
    let world = World {
        events,
        afterwards: Vec::new(),
        settings: vec![
            ("DOORWARD_DOORS_BATCH_RECORDS", "16"),
            ("DOORWARD_CROWD_SKETCH_LINES", "1024"),
            ("DOORWARD_CROWD_KEYS_MAX", "1024"),
            ("DOORWARD_STORE_DECISIONS_DAYS", "30"),
        ],
    };
    let wanted = world.calm();
    for place in ["after_sync:9", "after_sync:15", "before_sync:15", "after_sync:20"] {
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert!(!world.run(folder.path(), Some(place)).success(), "{place}");
        let out = world.finish(folder.path());
        let mut differences = out.differences(&wanted);
        // How far removal has come depends on the commits of a run.
        differences.retain(|what| *what != "store hash");
        assert!(differences.is_empty(), "{place}: {differences:?}");
    }
}
