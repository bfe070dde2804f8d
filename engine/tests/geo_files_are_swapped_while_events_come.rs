//! Geo files are swapped a hundred times while events come, ten times for broken ones: every login is looked up in the
//! files that its decision names, and offices that everybody knows do not become new (clauses S2, S11).

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot prepare its world fails, as it should"
)]

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use doorward::cli::assemble::{Assembly, run_limits};
use doorward::cli::reload::{Reloader, Reread};
use doorward::cli::stored;
use doorward::config::{Environment, Request, load};
use doorward::generate::{EventBuilder, Plan};
use doorward::io::memory::lines::MemoryLines;
use doorward::io::memory::store::MemoryStore;
use doorward::pipeline::batch::{ClosedBatch, Outcome};
use doorward::pipeline::faults::Faults;
use doorward::pipeline::ports::{Change, InputIdentity, LineSource, RawLine, Store};
use doorward::pipeline::reload::Version;
use doorward::pipeline::run::{Observer, Orders, Run, Sinks, run_with};
use doorward_geoip::writer::{DatabaseWriter, Value};
use doorward_rules::{Field, Slot, Slots};

const SWAPS: usize = 100;
const USERS: usize = 5;

/// The same network, each time of another number and in another country.
fn write_files(folder: &Path, number: usize) {
    let asn = format!(
        "start,end,asn,organisation\n198.51.100.0,198.51.100.255,{},\"Office\"\n",
        64_500 + number
    );
    fs::write(folder.join("asn.csv"), asn).expect("a file");
    let (country, latitude, longitude) = [("DE", 52.5, 13.4), ("AU", -33.9, 151.2)][number % 2];
    let mut writer = DatabaseWriter::new("Test-City", 1_700_000_000);
    let record = Value::map([
        ("country", Value::map([("iso_code", Value::text(country))])),
        (
            "location",
            Value::map([
                ("accuracy_radius", Value::U16(10)),
                ("latitude", Value::Double(latitude)),
                ("longitude", Value::Double(longitude)),
            ]),
        ),
    ]);
    writer.insert("198.51.100.0/24".parse().expect("a network"), record);
    fs::write(folder.join("city.mmdb"), writer.write().expect("a database")).expect("a file");
}

/// Lines that swap the files as they are read.
struct Swapping {
    lines: MemoryLines,
    folder: PathBuf,
    reloader: Reloader,
    versions: Sender<Version>,
    /// Versions that were put in force, as the committer saw them.
    activated: Arc<AtomicUsize>,
    told: Arc<std::sync::Mutex<Vec<String>>>,
    sent: usize,
    swaps: usize,
    at_once: usize,
}

impl Swapping {
    fn swap(&mut self) {
        self.swaps += 1;
        write_files(&self.folder, self.swaps);
        if self.swaps.is_multiple_of(10) {
            fs::write(self.folder.join("city.mmdb"), b"half a file").expect("a file");
        }
        match self.reloader.read() {
            Reread::Other(version) => {
                self.sent += 1;
                self.versions.send(*version).expect("a run");
            }
            Reread::Broken(lines) => self.told.lock().expect("a lock").extend(lines),
            Reread::Same => panic!("other files are not seen"),
        }
    }
}

impl LineSource for Swapping {
    fn identity(&self) -> &InputIdentity {
        self.lines.identity()
    }

    fn next_lines(&mut self, _: usize) -> Result<Vec<RawLine>, io::Error> {
        // Those sent before are in force; the lines sent since may have been looked up in either.
        while self.activated.load(Ordering::SeqCst) < self.sent + 1 {
            std::thread::sleep(Duration::from_millis(1));
        }
        let lines = self.lines.next_lines(self.at_once)?;
        if self.swaps < SWAPS && !lines.is_empty() {
            self.swap();
        }
        Ok(lines)
    }

    fn position(&mut self, _: u64, _: u64) -> Option<Change> {
        None
    }
}

struct Activations(Arc<AtomicUsize>);

impl Observer for Activations {
    fn committed(&self, batch: &ClosedBatch) {
        let activations = batch
            .outcomes
            .iter()
            .filter(|outcome| matches!(outcome, Outcome::Activated(_)));
        self.0.fetch_add(activations.count(), Ordering::SeqCst);
    }
}

fn events(count: usize) -> Vec<Vec<u8>> {
    (0..count)
        .map(|number| {
            let user = number % USERS;
            let time = Plan::default()
                .start
                .plus_seconds(60 * i64::try_from(number).expect("small"));
            EventBuilder::login(&number.to_string(), "t", &format!("user-{user}"))
                .at(time)
                .address(&format!("198.51.100.{user}"))
                .line()
        })
        .collect()
}

#[test]
fn a_hundred_swaps_fail_no_look_up_and_make_no_office_new() {
    let long = std::env::var_os("DOORWARD_TEST_LONG").is_some();
    let count = if long { 100_000 } else { 4_000 };
    let folder = tempfile::tempdir().expect("a folder");
    write_files(folder.path(), 0);
    let config = folder.path().join("doorward.toml");
    let text = "[geoip]\ncity = [\"city.mmdb\"]\nasn = [\"asn.csv\"]\n[crowd]\nsketch_lines = 1024\nkeys_max = 1024\n";
    fs::write(&config, text).expect("a file");
    let request = Request {
        file: Some(config.clone()),
        ..Request::default()
    };
    let settings = load(&request, &Environment::default())
        .expect("settings")
        .settings;
    let assembly = Assembly::from_settings(&settings).expect("sound files");
    let (versions, reloads) = channel();
    let activated = Arc::new(AtomicUsize::new(0));
    let told = Arc::default();
    let source = Swapping {
        lines: MemoryLines::new("lines", events(count).join(&b'\n'), 65_536).expect("memory"),
        folder: folder.path().to_owned(),
        reloader: Reloader::new((request, Some(config)), settings.clone(), "default", &assembly),
        versions,
        activated: Arc::clone(&activated),
        told: Arc::clone(&told),
        sent: 0,
        swaps: 0,
        at_once: count / SWAPS,
    };
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let run = Run {
        engine: Arc::clone(&assembly.engine),
        store: Arc::clone(&store),
        sources: vec![Box::new(source)],
        sinks: Sinks::default(),
        door: &assembly.file_door(&settings, "default"),
        limits: run_limits(&settings),
        stop: &Arc::new(AtomicBool::new(false)),
        settle: 0,
        observer: &Activations(Arc::clone(&activated)),
        upkeep: None,
    };
    let counts = run_with(
        run,
        &Faults::default(),
        Orders {
            reloads: Some(reloads),
            wishes: None,
        },
    )
    .expect("a run");
    assert_eq!((counts.decided, counts.refused), (count as u64, 0));
    let told: Vec<String> = std::mem::take(&mut *told.lock().expect("a lock"));
    assert_eq!(told.len(), SWAPS / 10, "{told:?}");
    assert!(told.iter().all(|line| line.contains("city.mmdb")), "{told:?}");
    check(&*store, count);
}

/// Each decision was looked up in the files of its version, and nothing became new.
fn check(store: &dyn Store, count: usize) {
    let mut number_of = std::collections::BTreeMap::new();
    for (index, decision) in stored::decisions(store).expect("decisions").iter().enumerate() {
        let slots = Slots::decode(&decision.slots).expect("slots");
        let Slot::Int(asn) = slots.get(Field::NetworkAsn) else {
            panic!("no number of the network at seq {}", decision.seq);
        };
        let known = *number_of.entry(decision.versions.to_string()).or_insert(*asn);
        assert_eq!(known, *asn, "seq {} was looked up in other files", decision.seq);
        assert!(
            !decision.degraded.iter().any(|what| what.contains("network")),
            "{:?}",
            decision.degraded
        );
        if index > count / 10 {
            let scored = decision.scored.as_ref().expect("a score");
            for rule in ["unfamiliar-address", "impossible-travel"] {
                let line = scored.ledger.iter().find(|line| line.rule.as_str() == rule);
                let fired =
                    line.is_some_and(|line| line.status == doorward::risk::decision::LineStatus::Fired);
                assert!(!fired, "`{rule}` fired at seq {}", decision.seq);
            }
        }
    }
    // The first files go before a line is decided, and the broken ones never come into force.
    assert_eq!(number_of.len(), SWAPS - SWAPS / 10);
}
