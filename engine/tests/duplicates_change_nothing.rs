//! A line delivered again changes nothing (clause S5), wherever it comes and whatever stands around it: jumps of the
//! clock that want a witness, late lines, attempts in the middle, dirt. Random streams with and without copies of lines
//! that were decided come to the same decisions, dead letters and alerts, byte for byte.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test that cannot prepare its world fails, as it should"
)]

use std::collections::BTreeSet;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, LazyLock};

use doorward::cli::assemble::{Assembly, run_limits};
use doorward::config::Settings;
use doorward::event::{EventType, Outcome, Stage, Timestamp};
use doorward::generate::EventBuilder;
use doorward::generate::json::Json;
use doorward::io::memory::lines::MemoryLines;
use doorward::io::memory::sink::{MemorySink, Published};
use doorward::io::memory::store::MemoryStore;
use doorward::pipeline::door::DoorPolicy;
use doorward::pipeline::run::{BatchLimits, Nobody, Run, RunLimits, Sinks, run};
use doorward::pipeline::sequencer::Counts;
use doorward_geoip::{GeoDatabase, Sources};
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::TestRunner;
use serde_json::Value;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// How the time of a line follows from the clock of the stream.
#[derive(Debug, Clone)]
enum Time {
    /// The clock goes on by so many seconds.
    On(i64),
    /// So many seconds before the clock, which stays.
    Late(i64),
    /// So many seconds ahead of the clock, which stays: one sender's clock is wrong.
    Ahead(i64),
}

#[derive(Debug, Clone)]
enum What {
    Login {
        outcome: Outcome,
        second_factor: bool,
        enrolled: bool,
    },
    Closed {
        granted: bool,
    },
    Dirt,
}

/// One line of a stream.
#[derive(Debug, Clone)]
struct Step {
    time: Time,
    what: What,
    user: u8,
    device: u8,
    address: u8,
    attempt: Option<u8>,
}

fn times() -> impl Strategy<Value = Time> {
    prop_oneof![
        8 => (0..20 * MINUTE).prop_map(Time::On),
        4 => (0..20 * HOUR).prop_map(Time::On),
        2 => (20 * HOUR..40 * DAY).prop_map(Time::On),
        3 => (0..3 * DAY).prop_map(Time::Late),
        1 => (100 * DAY..200 * DAY).prop_map(Time::Late),
        2 => (20 * HOUR..40 * DAY).prop_map(Time::Ahead),
    ]
}

fn whats() -> impl Strategy<Value = What> {
    let login = (
        proptest::sample::select(Outcome::ALL),
        any::<bool>(),
        any::<bool>(),
    );
    prop_oneof![
        12 => login.prop_map(|(outcome, second_factor, enrolled)| What::Login { outcome, second_factor, enrolled }),
        2 => any::<bool>().prop_map(|granted| What::Closed { granted }),
        1 => Just(What::Dirt),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = (
        times(),
        whats(),
        0..3_u8,
        0..3_u8,
        0..4_u8,
        proptest::option::of(0..4_u8),
    );
    let step = step.prop_map(|(time, what, user, device, address, attempt)| Step {
        time,
        what,
        user,
        device,
        address,
        attempt,
    });
    proptest::collection::vec(step, 1..60)
}

/// A copy: of which decided line, how far behind it, and whether its content was changed on the way.
#[derive(Debug, Clone)]
struct Copy {
    of: Index,
    place: Index,
    changed: bool,
}

fn copies() -> impl Strategy<Value = Vec<Copy>> {
    let copy = (any::<Index>(), any::<Index>(), proptest::bool::weighted(0.2));
    let copy = copy.prop_map(|(of, place, changed)| Copy { of, place, changed });
    proptest::collection::vec(copy, 1..30)
}

impl Step {
    fn event(&self, index: usize, time: Timestamp) -> Option<EventBuilder> {
        let id = format!("e-{index}");
        let user = format!("user-{}", self.user);
        let mut event = match &self.what {
            What::Dirt => return None,
            What::Closed { granted } => EventBuilder::new(EventType::AttemptClosed, &id, "t")
                .user(&user)
                .set("attempt.granted", *granted)
                .attempt("attempt-0"),
            What::Login {
                outcome,
                second_factor,
                enrolled,
            } => login(&id, &user, *outcome, *second_factor, *enrolled),
        };
        if let Some(attempt) = self.attempt {
            event = event.attempt(&format!("attempt-{attempt}"));
        }
        let device = format!("device-{}", self.device);
        let address = format!("192.0.2.{}", self.address);
        Some(event.at(time).address(&address).set("device.id", device.as_str()))
    }
}

fn login(id: &str, user: &str, outcome: Outcome, second_factor: bool, enrolled: bool) -> EventBuilder {
    let mut login = EventBuilder::login(id, "t", user).outcome(outcome);
    if second_factor {
        login = login.stage(Stage::SecondFactor);
    }
    if enrolled {
        login = login.set("auth.enrolled", Json::List(Vec::new()));
    }
    let contact = Json::object([
        ("id", "mail".into()),
        ("channel", "email".into()),
        ("address", "owner@example.org".into()),
        ("proof", "possession".into()),
    ]);
    login.contacts(vec![contact])
}

/// A line, its id if it is an event, and the same event as somebody changed it.
#[derive(Clone)]
struct Line {
    bytes: Vec<u8>,
    id: Option<String>,
    changed: Vec<u8>,
}

fn lines(steps: &[Step]) -> Vec<Line> {
    let mut clock = Timestamp::parse("2020-01-01T00:00:00Z").expect("a time");
    let line = |(index, step): (usize, &Step)| {
        let time = match step.time {
            Time::On(seconds) => {
                clock = clock.plus_seconds(seconds);
                clock
            }
            Time::Late(seconds) => clock.plus_seconds(-seconds),
            Time::Ahead(seconds) => clock.plus_seconds(seconds),
        };
        match step.event(index, time) {
            None => Line {
                bytes: format!("dirt {index}").into_bytes(),
                id: None,
                changed: Vec::new(),
            },
            Some(event) => Line {
                bytes: event.line(),
                id: Some(event.id().to_owned()),
                changed: event
                    .at(time.plus_days(-3))
                    .address("203.0.113.9")
                    .set("outcome", "success")
                    .line(),
            },
        }
    };
    steps.iter().enumerate().map(line).collect()
}

/// The same engine for all streams.
static WORLD: LazyLock<(Assembly, Settings)> = LazyLock::new(|| {
    let mut settings = Settings::default();
    // What is older than this is no repeat but too old, and its copies are refused like itself (clause S5).
    settings.store.decisions_days = 3_650;
    settings.crowd.sketch_lines = 1_024;
    settings.crowd.keys_max = 1_024;
    let geo = GeoDatabase::load(Sources::default()).expect("no database is a database");
    let assembly = Assembly::with_geo(&settings, geo).expect("sound rules");
    (assembly, settings)
});

/// Everything that left.
#[derive(Debug, Default, Clone)]
struct Ways {
    decisions: Published,
    dead_letters: Published,
    alerts: Published,
}

impl Ways {
    fn sinks(&self) -> Sinks {
        let sink = |name: &str, published: &Published| -> Option<Box<dyn doorward::pipeline::ports::Sink>> {
            Some(Box::new(
                MemorySink::open(name, published, None).expect("a new sink"),
            ))
        };
        Sinks {
            decisions: sink("decisions", &self.decisions),
            dead_letters: sink("dead-letters", &self.dead_letters),
            mail: sink("alerts", &self.alerts),
            ..Sinks::default()
        }
    }

    fn told(&self) -> Told {
        let lines = |published: &Published| -> Vec<String> {
            let records = published.records();
            records
                .iter()
                .map(|record| String::from_utf8_lossy(&record.bytes).into_owned())
                .collect()
        };
        Told {
            decisions: lines(&self.decisions),
            dead_letters: lines(&self.dead_letters)
                .iter()
                .map(|line| without_place(line))
                .collect(),
            alerts: self
                .alerts
                .records()
                .into_iter()
                .map(|record| record.bytes)
                .collect(),
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Told {
    decisions: Vec<String>,
    dead_letters: Vec<String>,
    alerts: Vec<Vec<u8>>,
}

/// A dead letter but for where it stood, and its id, which is made of that.
fn without_place(line: &str) -> String {
    let mut letter: Value = serde_json::from_str(line).expect("JSON");
    for name in ["id", "line", "offset"] {
        let fields = letter.as_object_mut().expect("an object");
        assert!(fields.remove(name).is_some(), "{name} in {line}");
    }
    letter.to_string()
}

fn play(store: &Arc<MemoryStore>, lines: &[Line], batch_records: usize) -> (Told, Counts) {
    let (assembly, settings) = &*WORLD;
    let mut door: DoorPolicy = assembly.file_door(settings, "default");
    // Nothing here is to depend on the wall clock.
    door.latest = Arc::new(|| i64::MAX);
    let limits = run_limits(settings);
    let bytes: Vec<&[u8]> = lines.iter().map(|line| line.bytes.as_slice()).collect();
    let source = MemoryLines::new("lines", bytes.join(&b'\n'), 65_536).expect("lines in memory");
    let ways = Ways::default();
    let counts = run(Run {
        engine: Arc::clone(&assembly.engine),
        store: Arc::clone(store) as Arc<dyn doorward::pipeline::ports::Store>,
        sources: vec![Box::new(source)],
        sinks: ways.sinks(),
        door: &door,
        limits: RunLimits {
            workers: 1,
            rows_kept: 2,
            batch: BatchLimits {
                records: batch_records,
                ..limits.batch
            },
            ..limits
        },
        stop: &Arc::new(AtomicBool::new(false)),
        settle: DAY * 1_000_000,
        upkeep: None,
        observer: &Nobody,
    })
    .expect("nothing fails in memory");
    (ways.told(), counts)
}

/// Ids of the events that were decided, as far as they stood in the stream.
fn decided(told: &Told) -> BTreeSet<String> {
    let id = |line: &String| {
        let decision: Value = serde_json::from_str(line).expect("JSON");
        (decision["source"] == "t").then(|| decision["event_id"].as_str().unwrap_or_default().to_owned())
    };
    told.decisions.iter().filter_map(id).collect()
}

/// The stream with the copies in it, each somewhere behind its original.
fn with_copies(lines: &[Line], copies: &[Copy], decided: &BTreeSet<String>) -> Vec<Line> {
    let originals: Vec<&Line> = lines
        .iter()
        .filter(|line| line.id.as_ref().is_some_and(|id| decided.contains(id)))
        .collect();
    let mut all = lines.to_vec();
    if originals.is_empty() {
        return all;
    }
    for copy in copies {
        let original = originals[copy.of.index(originals.len())];
        let stands = all
            .iter()
            .position(|line| line.id == original.id)
            .expect("it is there");
        let mut line = original.clone();
        if copy.changed {
            line.bytes.clone_from(&original.changed);
        }
        all.insert(stands + 1 + copy.place.index(all.len() - stands), line);
    }
    all
}

/// Else the property below would show little.
#[test]
fn the_random_streams_hold_what_they_are_to_hold() {
    let mut runner = TestRunner::deterministic();
    let mut seen = BTreeSet::new();
    for _ in 0..60 {
        let steps = steps().new_tree(&mut runner).expect("a stream").current();
        let (told, _) = play(&Arc::new(MemoryStore::new()), &lines(&steps), 4_096);
        for word in ["time_jump", "invalid_json"] {
            let reason = format!("\"reason\":\"{word}\"");
            if told.dead_letters.iter().any(|letter| letter.contains(&reason)) {
                seen.insert(word);
            }
        }
        for (word, part) in [
            ("an end of our own", "\"source\":\"doorward\""),
            ("a mail", "\"status\":\"due\""),
            ("a mail that waits", "\"status\":\"held_back\""),
            ("a step-up", "\"action\":\"step_up\""),
        ] {
            if told.decisions.iter().any(|decision| decision.contains(part)) {
                seen.insert(word);
            }
        }
    }
    assert_eq!(seen.len(), 6, "only {seen:?}");
}

/// Sound logins of one user at these times.
fn logins<const N: usize>(times: [Time; N]) -> Vec<Line> {
    let step = |time| Step {
        time,
        what: What::Login {
            outcome: Outcome::Success,
            second_factor: false,
            enrolled: false,
        },
        user: 0,
        device: 0,
        address: 0,
        attempt: None,
    };
    lines(&times.map(step))
}

#[test]
fn a_jump_that_is_sent_twice_is_no_witness_of_itself() {
    let times = [
        Time::On(0),
        Time::On(1),
        Time::Ahead(40 * DAY),
        Time::On(1),
        Time::On(1),
    ];
    let mut lines = logins(times);
    let (once, _) = play(&Arc::new(MemoryStore::new()), &lines, 4_096);
    assert_eq!((once.decisions.len(), once.dead_letters.len()), (4, 1));
    lines.insert(3, lines[2].clone());
    for batch_records in [1, 4_096] {
        let (twice, counts) = play(&Arc::new(MemoryStore::new()), &lines, batch_records);
        assert_eq!((counts.decided, counts.refused, counts.repeated), (4, 2, 0));
        assert_eq!(decided(&twice), decided(&once));
        assert!(
            twice
                .dead_letters
                .iter()
                .all(|letter| letter.contains("\"time_jump\""))
        );
    }
}

#[test]
fn a_changed_copy_of_a_jump_is_no_witness_against_it() {
    let mut lines = logins([Time::On(0), Time::On(1), Time::On(2 * DAY), Time::On(1)]);
    let (once, _) = play(&Arc::new(MemoryStore::new()), &lines, 4_096);
    assert_eq!(decided(&once).len(), 4);
    // Three days earlier than the original, and so no jump.
    let mut copy = lines[2].clone();
    copy.bytes.clone_from(&copy.changed);
    lines.insert(3, copy);
    let (twice, counts) = play(&Arc::new(MemoryStore::new()), &lines, 4_096);
    assert_eq!(twice, once);
    assert_eq!(counts.repeated, 1);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn copies_of_decided_lines_change_nothing(
        steps in steps(),
        copies in copies(),
        batch_records in proptest::sample::select(vec![1_usize, 3, 4_096]),
    ) {
        let lines = lines(&steps);
        let store = Arc::new(MemoryStore::new());
        let (wanted, counts) = play(&store, &lines, 4_096);
        prop_assert_eq!(counts.repeated, 0);
        let decided = decided(&wanted);
        let copied = with_copies(&lines, &copies, &decided);
        let (told, repeated) = play(&Arc::new(MemoryStore::new()), &copied, batch_records);
        prop_assert_eq!(&told, &wanted);
        prop_assert_eq!(repeated.repeated, (copied.len() - lines.len()) as u64);

        // The next input brings all of them once more.
        let again: Vec<Line> = copied.into_iter().filter(|line| line.id.as_ref().is_some_and(|id| decided.contains(id))).collect();
        let (told, counts) = play(&store, &again, batch_records);
        prop_assert_eq!(counts, Counts { repeated: again.len() as u64, ..Counts::default() });
        prop_assert_eq!(told, Told { decisions: Vec::new(), dead_letters: Vec::new(), alerts: Vec::new() });
    }
}
