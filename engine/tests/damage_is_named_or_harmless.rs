//! Damaged files of a real store, one bit or one cut at a time: each is refused by name or nothing is lost (clause S12).
//! 32 cases, 500 with `DOORWARD_TEST_LONG=1`; the table is printed.
//!
//! Nothing lost means: every row of every table is there with its bytes, which says more than an equal state hash. For
//! outputs, which the store does not read again, it means that the store is whole and that a cut file is refused.
#![cfg(feature = "run")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot prepare its world fails, as it should"
)]

use doorward::cli::store::check::check;
use doorward::generate::random::Random;
use doorward::generate::{Life, Plan};
use doorward::io::files::{FileSink, SinkKind};
use doorward::io::store::{FjallStore, StoreOptions};
use doorward::pipeline::ports::{Keyspace, Store};
use doorward::pipeline::state_hash::state_hash;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const SEED: u64 = 20_261_124;

/// A data folder with a store and its outputs, and what is in it.
struct World {
    folder: tempfile::TempDir,
    files: BTreeMap<Kind, Vec<PathBuf>>,
    rows: [u8; 32],
    state: [u8; 32],
}

/// Kinds of files, in the order of the printed table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Journal,
    Table,
    List,
    Pointer,
    Version,
    Head,
    Decisions,
    DeadLetters,
}

/// How often each kind is hit: most where most bytes are.
const WEIGHTS: [(Kind, f64); 8] = [
    (Kind::Journal, 5.0),
    (Kind::Table, 4.0),
    (Kind::List, 2.0),
    (Kind::Pointer, 1.0),
    (Kind::Version, 1.0),
    (Kind::Head, 2.0),
    (Kind::Decisions, 1.0),
    (Kind::DeadLetters, 1.0),
];

impl Kind {
    fn of(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_str()?;
        let folder = path.parent()?.file_name()?.to_str()?;
        match (folder, name) {
            (_, "lock") => None,
            (_, "head") => Some(Self::Head),
            (_, "version") => Some(Self::Version),
            (_, "current") => Some(Self::Pointer),
            (_, "decisions.ndjson") => Some(Self::Decisions),
            (_, "dead-letters.ndjson") => Some(Self::DeadLetters),
            ("tables", _) => Some(Self::Table),
            (_, name) if name.ends_with(".jnl") => Some(Self::Journal),
            (_, name) if name.starts_with('v') => Some(Self::List),
            _ => None,
        }
    }

    fn sink(self) -> Option<SinkKind> {
        match self {
            Self::Decisions => Some(SinkKind::Decisions),
            Self::DeadLetters => Some(SinkKind::DeadLetters),
            _ => None,
        }
    }
}

/// What became of a damage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Outcome {
    /// Opening says what is wrong.
    Refused,
    /// Opening goes well, and reading says what is wrong.
    Found,
    Harmless,
    Lost,
}

#[derive(Debug, Clone, Copy)]
enum Damage {
    /// One bit, counted from the start of the file.
    Flip(u64),
    /// Bytes that are left.
    Cut(u64),
}

impl Damage {
    fn name(self) -> &'static str {
        match self {
            Self::Flip(_) => "bit",
            Self::Cut(_) => "cut",
        }
    }

    fn apply(self, path: &Path) {
        match self {
            Self::Flip(bit) => {
                let mut bytes = fs::read(path).unwrap();
                let at = usize::try_from(bit / 8).unwrap();
                *bytes.get_mut(at).expect("a byte of the file") ^= 1 << (bit % 8);
                fs::write(path, bytes).unwrap();
            }
            Self::Cut(left) => fs::OpenOptions::new()
                .write(true)
                .open(path)
                .and_then(|file| file.set_len(left))
                .unwrap(),
        }
    }
}

fn events(folder: &Path, part: f64) -> PathBuf {
    let life = Life::new(Plan {
        users: 40,
        days: 8,
        ..Plan::default()
    })
    .unwrap();
    let mut bytes = Vec::new();
    let count = (life.events.len() as f64 * part) as usize;
    for (index, event) in life.events.iter().take(count).enumerate() {
        bytes.extend_from_slice(&event.bytes);
        bytes.push(b'\n');
        if index % 10 == 4 {
            bytes.extend_from_slice(format!("line {index} is no event\n").as_bytes());
        }
    }
    let path = folder.join("events.ndjson");
    fs::write(&path, bytes).unwrap();
    path
}

/// Runs the binary over the first `part` of the life.
fn live(folder: &Path, part: f64) {
    let events = events(folder, part);
    let status = Command::new(env!("CARGO_BIN_EXE_doorward"))
        .args(["run", "--events"])
        .arg(&events)
        .args(["--data", "data", "--decisions", "data/decisions.ndjson"])
        .current_dir(folder)
        .env_clear()
        // Small batches: more of them to damage.
        .env("DOORWARD_DOORS_BATCH_RECORDS", "16")
        .status()
        .unwrap();
    assert!(status.success());
}

fn open(folder: &Path) -> Result<FjallStore, String> {
    FjallStore::open_existing(&folder.join("data"), &StoreOptions::default())
        .map_err(|error| error.to_string())
}

/// A store whose rows are in journal files alone, or one that was compacted on the way and has both.
fn world(compacted: bool) -> World {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("data")).unwrap();
    if compacted {
        live(folder.path(), 0.4);
        open(folder.path()).unwrap().compact().unwrap();
        live(folder.path(), 0.7);
        open(folder.path()).unwrap().compact().unwrap();
    }
    live(folder.path(), 1.0);
    // Opening cuts the room that the engine keeps ready behind its journal.
    let store = open(folder.path()).unwrap();
    let (rows, state) = (all_rows(&store).unwrap(), state_hash(&store).unwrap());
    drop(store);
    let mut files: BTreeMap<Kind, Vec<PathBuf>> = BTreeMap::new();
    for path in files_below(&folder.path().join("data")) {
        if let Some(kind) = Kind::of(&path).filter(|_| fs::metadata(&path).unwrap().len() > 0) {
            files
                .entry(kind)
                .or_default()
                .push(path.strip_prefix(folder.path()).unwrap().to_owned());
        }
    }
    World {
        folder,
        files,
        rows,
        state,
    }
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_below(&path));
        } else {
            files.push(path);
        }
    }
    files.sort();
    files
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_folder(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// Every byte of every row of every table.
fn all_rows(store: &dyn Store) -> Result<[u8; 32], String> {
    let mut hash = Sha256::new();
    for keyspace in Keyspace::ALL {
        let rows = store
            .scan(keyspace, &[], &[], usize::MAX)
            .map_err(|error| error.to_string())?;
        for row in rows {
            for part in [keyspace.name().as_bytes(), &row.key, &row.value] {
                hash.update((part.len() as u64).to_le_bytes());
                hash.update(part);
            }
        }
    }
    Ok(hash.finalize().into())
}

impl World {
    fn damage(&self, random: &mut Random, flip: bool) -> (Kind, PathBuf, Damage) {
        loop {
            let kind = *random.weighted(&WEIGHTS).unwrap();
            let Some(file) = self.files.get(&kind).and_then(|files| random.pick(files)) else {
                continue;
            };
            let length = fs::metadata(self.folder.path().join(file)).unwrap().len();
            let damage = if flip {
                Damage::Flip(random.below(length * 8))
            } else {
                Damage::Cut(random.below(length))
            };
            return (kind, file.clone(), damage);
        }
    }

    fn outcome(&self, kind: Kind, file: &Path, damage: Damage) -> (Outcome, String) {
        let copy = tempfile::tempdir().unwrap();
        copy_folder(&self.folder.path().join("data"), &copy.path().join("data"));
        damage.apply(&copy.path().join(file));
        let store = match open(copy.path()) {
            Ok(store) => store,
            Err(said) => {
                let named = said.contains(copy.path().to_str().unwrap());
                assert!(named, "a refusal without a place: {said}");
                return (Outcome::Refused, said);
            }
        };
        if let Some(sink) = kind.sink() {
            return self.output(sink, file, copy.path(), &store, damage);
        }
        let report = check(&store);
        if !report.is_whole() {
            let problems: Vec<_> = report.tables.iter().flat_map(|table| &table.problems).collect();
            return (Outcome::Found, format!("{problems:?}"));
        }
        match all_rows(&store) {
            Ok(rows) if rows == self.rows => (Outcome::Harmless, String::new()),
            Ok(_) => (Outcome::Lost, "other rows than before".to_owned()),
            Err(said) => (Outcome::Found, said),
        }
    }

    /// An output: what `run` would say of it when it opens it.
    fn output(
        &self,
        sink: SinkKind,
        file: &Path,
        copy: &Path,
        store: &FjallStore,
        damage: Damage,
    ) -> (Outcome, String) {
        if state_hash(store).ok() != Some(self.state) {
            return (Outcome::Lost, "the store changed with its output".to_owned());
        }
        let key = FileSink::cursor_key(sink, &self.folder.path().join(file)).unwrap();
        let cursor = store
            .load_many(Keyspace::Sink, &[key])
            .unwrap()
            .pop()
            .flatten()
            .expect("a cursor");
        match (FileSink::open(sink, &copy.join(file), Some(&cursor)), damage) {
            (Err(error), _) => (Outcome::Refused, error.to_string()),
            (Ok(_), Damage::Flip(_)) => (Outcome::Harmless, String::new()),
            (Ok(_), Damage::Cut(_)) => (Outcome::Lost, "a cut output was not noticed".to_owned()),
        }
    }
}

#[derive(Default)]
struct Tally(BTreeMap<(Kind, &'static str), BTreeMap<Outcome, u32>>);

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<12} {:<6} {:>8} {:>8} {:>8} {:>8}",
            "file", "damage", "refused", "found", "harmless", "LOST"
        )?;
        for ((kind, damage), counts) in &self.0 {
            write!(f, "{:<12} {damage:<6}", format!("{kind:?}"))?;
            for outcome in [Outcome::Refused, Outcome::Found, Outcome::Harmless, Outcome::Lost] {
                write!(f, " {:>8}", counts.get(&outcome).unwrap_or(&0))?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

#[test]
fn every_damage_is_refused_by_name_or_loses_nothing() {
    let is_long = std::env::var_os("DOORWARD_TEST_LONG").is_some();
    let (flips, cuts) = if is_long { (400, 100) } else { (24, 8) };
    let worlds = [world(false), world(true)];
    let mut random = Random::stream(SEED, "damage", 0);
    let mut tally = Tally::default();
    let mut lost = Vec::new();
    for case in 0..flips + cuts {
        let world = worlds.get(case % 2).unwrap();
        let (kind, file, damage) = world.damage(&mut random, case < flips);
        let (outcome, said) = world.outcome(kind, &file, damage);
        if outcome == Outcome::Lost {
            lost.push(format!(
                "{} {damage:?} (world {}): {said}",
                file.display(),
                case % 2
            ));
        }
        *tally
            .0
            .entry((kind, damage.name()))
            .or_default()
            .entry(outcome)
            .or_default() += 1;
    }
    println!("{tally}");
    assert!(lost.is_empty(), "{tally}\n{}", lost.join("\n"));
    let refused: u32 = tally
        .0
        .values()
        .filter_map(|counts| counts.get(&Outcome::Refused))
        .sum();
    assert!(refused > 0, "damage that nobody refuses is no damage\n{tally}");
}
