//! What outlives a process: the lines that were sent, the store, and what left.

use std::sync::{Arc, LazyLock, Mutex};

use doorward::cli::assemble::Assembly;
use doorward::config::Settings;
use doorward::enrich::EnrichCaches;
use doorward::io::memory::sink::Published;
use doorward::io::memory::store::MemoryStore;
use doorward::pipeline::admitted::{Admitted, Arrival, Origin};
use doorward::pipeline::batch::decode_dead_letter;
use doorward::pipeline::committer::{Committer, Sinks};
use doorward::pipeline::crowd_image::ImagePolicy;
use doorward::pipeline::door::DoorPolicy;
use doorward::pipeline::engine::Engine;
use doorward::pipeline::journal::{self, Body};
use doorward::pipeline::keys;
use doorward::pipeline::ports::{Change, InputIdentity, Keyspace, Record, Row, Store};
use doorward::pipeline::retention::Upkeep;
use doorward::pipeline::sequencer::Sequencer;
use doorward::risk::decision::Id;
use doorward_geoip::{GeoDatabase, Sources};
use doorward_rules::Points;

pub const SETTLE: i64 = 24 * 3_600 * 1_000_000;
/// Key of the input's position.
pub const INPUT: &[u8] = b"simulated";
/// What the next decision depends on.
pub const LEARNED: [Keyspace; 5] = [
    Keyspace::User,
    Keyspace::Failures,
    Keyspace::Attempt,
    Keyspace::Timer,
    Keyspace::Mailbox,
];
/// So few timers may wait in some lives that they fire early.
const FEW_TIMERS: usize = 12;
const DAYS_KEPT: i64 = 20;
const ALL_DAYS: i64 = 3_650;

/// Two versions of the settings, which reloads put in force in turn.
static ASSEMBLIES: LazyLock<[(Assembly, Settings); 2]> = LazyLock::new(|| {
    [(10, 25), (22, 15)].map(|(base, level2_from)| {
        let mut settings = Settings::default();
        settings.crowd.sketch_lines = 1_024;
        settings.crowd.keys_max = 1_024;
        settings.score.base = Points::from_hundredths(base * 100);
        settings.score.level2_from = Points::from_hundredths(level2_from * 100);
        let geo = GeoDatabase::load(Sources::default()).expect("no database is a database");
        (Assembly::with_geo(&settings, geo).expect("sound rules"), settings)
    })
});

/// A line that is none: here the next version is put in force.
pub const RELOAD: &[u8] = b"\0reload";

/// What may be in force.
pub struct Version {
    pub engine: Arc<Engine>,
    pub door: DoorPolicy,
}

/// What is the same in all processes of one life.
pub struct Life {
    versions: [Version; 2],
    pub timers_max: usize,
    pub upkeep: Upkeep,
    pub input: Arc<InputIdentity>,
    caches: Mutex<EnrichCaches>,
}

impl Life {
    /// In one of four old rows go, in one of three few timers may wait.
    pub fn of_seed(seed: u64) -> Self {
        let forgets = seed.is_multiple_of(4);
        let versions = ASSEMBLIES.each_ref().map(|(assembly, settings)| {
            let mut door = assembly.file_door(settings, "default");
            // Nothing here is to depend on the wall clock.
            door.latest = Arc::new(|| i64::MAX);
            let mut engine = (*assembly.engine).clone();
            engine.decisions_days = if forgets { DAYS_KEPT } else { ALL_DAYS };
            if seed.is_multiple_of(3) {
                engine.timers_max = FEW_TIMERS;
            }
            Version {
                engine: Arc::new(engine),
                door,
            }
        });
        let [first, _] = &versions;
        Self {
            upkeep: Upkeep {
                images: ImagePolicy {
                    records: 150,
                    clock: 0,
                    records_at_end: 10,
                },
                journal_days: if forgets { DAYS_KEPT } else { ALL_DAYS },
            },
            input: Arc::new(InputIdentity {
                name: "simulated".to_owned(),
                first_line: [7; 32],
            }),
            // Both know the same places.
            caches: Mutex::new(first.door.enricher.caches()),
            timers_max: first.engine.timers_max,
            versions,
        }
    }

    /// What is in force after so many reloads.
    pub fn version(&self, reloads: usize) -> &Version {
        self.versions.get(reloads % 2).expect("there are two")
    }

    /// What an activation in the journal names.
    fn named(&self, versions: Id) -> &Version {
        let found = self
            .versions
            .iter()
            .find(|version| version.engine.in_force.versions == versions);
        found.expect("one of the two")
    }

    /// Whether nothing is ever removed.
    pub fn is_whole(&self) -> bool {
        self.upkeep.journal_days == ALL_DAYS
    }

    /// A line as the door hands it over after so many reloads; `None` if it is blank.
    pub fn line(&self, reloads: usize, number: usize, bytes: &[u8]) -> Option<Arrival> {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return None;
        }
        let line = self.admitted(reloads, bytes.to_vec(), self.origin(number as u64));
        Some(Arrival::Line(Box::new(line)))
    }

    /// The line as the door makes it again after so many reloads.
    pub fn again(&self, reloads: usize, line: &mut Admitted) {
        let bytes = std::mem::take(&mut line.bytes);
        *line = self.admitted(reloads, bytes, line.origin.clone());
    }

    fn admitted(&self, reloads: usize, bytes: Vec<u8>, origin: Origin) -> Admitted {
        let door = &self.version(reloads).door;
        let content = door.content(&bytes, &mut self.caches.lock().expect("one thread"));
        Admitted::new(bytes, origin, None, door.versions, content)
    }

    fn origin(&self, number: u64) -> Origin {
        Origin {
            input: Arc::clone(&self.input),
            line: number,
            offset: number,
        }
    }
}

/// Everything before line `next` was handed over.
pub fn position(next: usize) -> Arrival {
    Arrival::Position(Change {
        keyspace: Keyspace::Input,
        key: INPUT.to_vec(),
        value: Some((next as u64).to_be_bytes().to_vec()),
    })
}

/// What is on disk.
#[derive(Clone, Default)]
pub struct Place {
    pub store: Arc<MemoryStore>,
    pub decisions: Published,
    pub dead_letters: Published,
    pub alerts: Published,
}

impl Place {
    pub fn one(&self, keyspace: Keyspace, key: &[u8]) -> Option<Vec<u8>> {
        let rows = self.store.load_many(keyspace, &[key.to_vec()]).expect("memory");
        rows.into_iter().next().flatten()
    }

    pub fn rows(&self, keyspace: Keyspace) -> Vec<Row> {
        self.store.scan(keyspace, &[], &[], usize::MAX).expect("memory")
    }

    /// How many lines are behind the position.
    pub fn next_line(&self) -> usize {
        let row = self
            .one(Keyspace::Input, INPUT)
            .and_then(|row| row.try_into().ok());
        row.map_or(0, |row| usize::try_from(u64::from_be_bytes(row)).expect("small"))
    }

    pub fn published(&self) -> [Vec<Record>; 3] {
        [&self.decisions, &self.dead_letters, &self.alerts].map(Published::records)
    }
}

/// What the journal says that was done with a process that folds it.
enum Folded {
    Line(Box<Admitted>),
    Activated(Id),
}

/// The journal of a place folded into an empty one, record by record at the `now` that it has there, under the version
/// that it has there. What timers made is left out: they make it again.
pub fn fold(life: &Life, place: &Place) -> Place {
    let fresh = Place::default();
    let store = || Arc::clone(&fresh.store) as Arc<dyn Store>;
    let first = &life.version(0).engine;
    let mut sequencer = Sequencer::open(Arc::clone(first), store(), 1_000).expect("an empty store");
    let policy = *first.risk.score_policy();
    let mut committer = Committer::open(store(), Sinks::default(), policy).expect("an empty store");
    let mut commit = |sequencer: &mut Sequencer| {
        if let Some(mut closed) = sequencer.close().expect("memory") {
            committer.commit(&mut closed).expect("memory");
            sequencer.committed(closed.number);
        }
    };
    for (number, row) in (1..).zip(place.rows(Keyspace::Journal)) {
        match folded(life, place, &row) {
            Some(Folded::Line(line)) => sequencer.admit(vec![Arrival::Line(line)]).expect("memory"),
            Some(Folded::Activated(versions)) => {
                // As in a run, between two batches.
                commit(&mut sequencer);
                let engine = Arc::clone(&life.named(versions).engine);
                sequencer.activate(engine, |_| {}).expect("memory");
            }
            None => {}
        }
        if number % 100 == 0 {
            commit(&mut sequencer);
        }
    }
    sequencer.finish(SETTLE).expect("memory");
    commit(&mut sequencer);
    fresh
}

/// What came through the door, from the journal and the dead letters, and what was put in force.
fn folded(life: &Life, place: &Place, row: &Row) -> Option<Folded> {
    let record = journal::decode(&row.value).expect("a record");
    let door = &life.version(0).door;
    let (bytes, origin, content) = match record.body {
        Body::Event { bytes, .. } => {
            let mut caches = life.caches.lock().expect("one thread");
            let content = door.content(&bytes, &mut caches);
            assert!(content.is_ok(), "what was admitted is an event");
            (bytes, life.origin(0), content)
        }
        Body::Refused { dead_letter, .. } => {
            let seq = place.one(Keyspace::Dead, &keys::dead_by_id(&dead_letter));
            let seq = seq.and_then(|row| keys::read_seq(&row)).expect("its dead letter");
            let letter = place
                .one(Keyspace::Dead, &keys::dead_by_seq(seq))
                .expect("a dead letter");
            let letter = decode_dead_letter(&letter).expect("a dead letter");
            assert_eq!(Some(seq), keys::read_seq(&row.key), "each refusal has its own");
            (letter.bytes, life.origin(letter.line), Err(letter.refusal))
        }
        Body::Activated { versions, .. } => return Some(Folded::Activated(versions)),
        Body::Own { .. }
        | Body::Told { .. }
        | Body::Settled
        | Body::Erased { .. }
        | Body::UserErased { .. } => return None,
        Body::Backfilled { .. } | Body::BackfilledRefused { .. } => panic!("nobody read old logs in"),
    };
    let line = Admitted::new(bytes, origin, Some(record.now), door.versions, content);
    Some(Folded::Line(Box::new(line)))
}
