//! Runs the real program on a story.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Settings that must change nothing.
#[derive(Debug)]
pub struct Settings {
    pub threads: usize,
    pub batch_records: usize,
    pub user_cache: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            threads: 1,
            batch_records: 4_096,
            user_cache: 100_000,
        }
    }
}

/// The files that both commands write.
#[derive(Debug, PartialEq, Eq)]
pub struct Files {
    pub decisions: Vec<u8>,
    pub dead_letters: Vec<u8>,
    pub alerts: Vec<u8>,
}

impl Files {
    /// Names the first line that differs, instead of two megabytes.
    pub fn assert_same(&self, other: &Self, what: &str) {
        for (this, that) in [
            (&self.decisions, &other.decisions),
            (&self.dead_letters, &other.dead_letters),
            (&self.alerts, &other.alerts),
        ] {
            let lines = |bytes: &[u8]| {
                String::from_utf8_lossy(bytes)
                    .lines()
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            };
            if this != that {
                let (this, that) = (lines(this), lines(that));
                let at = this.iter().zip(&that).take_while(|(a, b)| a == b).count();
                panic!(
                    "{what}: {} and {} lines, line {at} differs:\n{:?}\n{:?}",
                    this.len(),
                    that.len(),
                    this.get(at),
                    that.get(at)
                );
            }
        }
    }
}

/// What came of a story.
pub struct Told {
    pub files: Files,
    /// The texts of the mails: alert id and raw message.
    pub mails: Vec<(String, Vec<u8>)>,
}

impl Told {
    pub fn decisions(&self) -> Vec<Value> {
        parse(&self.files.decisions)
    }

    pub fn dead_letters(&self) -> Vec<Value> {
        parse(&self.files.dead_letters)
    }
}

fn parse(bytes: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(bytes).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'), "the last line is torn");
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// A file of `fixtures/events`.
pub fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../fixtures/events")
        .join(name)
}

/// `doorward replay` on a story.
pub fn replay(name: &str) -> Files {
    let folder = tempfile::tempdir().unwrap();
    let (decisions, dead) = (folder.path().join("decisions"), folder.path().join("dead"));
    let mut command = doorward(folder.path(), &Settings::default());
    command
        .arg("replay")
        .arg("--events")
        .arg(fixture(&format!("{name}.ndjson")));
    command
        .arg("--decisions")
        .arg(&decisions)
        .arg("--dead-letters")
        .arg(&dead)
        .arg("--alerts")
        .arg(folder.path().join("alerts"));
    succeed(command);
    read(folder.path())
}

/// `doorward run` on a story, its store in `folder`.
pub fn run(name: &str, folder: &Path, settings: &Settings) -> Told {
    run_file(&fixture(&format!("{name}.ndjson")), folder, settings)
}

/// `doorward run` on any file, its store in `folder`.
pub fn run_file(events: &Path, folder: &Path, settings: &Settings) -> Told {
    run_with(events, folder, settings, &[])
}

/// `doorward run --backfill` on old logs, its store in `folder`.
pub fn backfill(events: &Path, folder: &Path) -> Told {
    run_with(events, folder, &Settings::default(), &["--backfill"])
}

fn run_with(events: &Path, folder: &Path, settings: &Settings, flags: &[&str]) -> Told {
    let (decisions, dead) = (folder.join("decisions"), folder.join("dead"));
    let data = folder.join("data");
    let mut command = doorward(folder, settings);
    command
        .arg("run")
        .arg("--events")
        .arg(events)
        .arg("--data")
        .arg(&data)
        .args(flags);
    command
        .arg("--decisions")
        .arg(&decisions)
        .arg("--dead-letters")
        .arg(&dead)
        .arg("--alerts")
        .arg(folder.join("alerts"));
    succeed(command);
    Told {
        files: read(folder),
        mails: mails(&data.join("mail")),
    }
}

/// `doorward user erase`.
pub fn erase(user: &str, folder: &Path) {
    let mut command = doorward(folder, &Settings::default());
    command.args(["user", "erase", user, "--data", "data"]);
    succeed(command);
}

/// Files below a folder with this text in them.
pub fn files_that_say(text: &str, folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_that_say(text, &path));
        } else if fs::read(&path)
            .unwrap()
            .windows(text.len())
            .any(|part| part == text.as_bytes())
        {
            found.push(path.display().to_string());
        }
    }
    found
}

fn doorward(folder: &Path, settings: &Settings) -> Command {
    let geoip = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/geoip");
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorward"));
    command.current_dir(folder).env_clear();
    for (setting, file) in [
        ("CITY", "doorward-test-city.mmdb"),
        ("ASN", "doorward-test-asn.csv"),
        ("LISTS", "doorward-test-networks.list"),
    ] {
        command.env(format!("DOORWARD_GEOIP_{setting}"), geoip.join(file));
    }
    command.env("DOORWARD_DOORS_THREADS", settings.threads.to_string());
    command.env("DOORWARD_DOORS_BATCH_RECORDS", settings.batch_records.to_string());
    command.env("DOORWARD_STORE_USER_CACHE", settings.user_cache.to_string());
    command
}

fn succeed(mut command: Command) {
    let output = command.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{command:?}: {said}");
}

fn read(folder: &Path) -> Files {
    let bytes = |name: &str| {
        let path = folder.join(name);
        if path.exists() {
            fs::read(path).unwrap()
        } else {
            Vec::new()
        }
    };
    Files {
        decisions: fs::read(folder.join("decisions")).unwrap(),
        dead_letters: bytes("dead"),
        alerts: bytes("alerts"),
    }
}

fn mails(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut mails: Vec<_> = entries
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            (
                path.file_stem().unwrap().to_str().unwrap().to_owned(),
                fs::read(&path).unwrap(),
            )
        })
        .collect();
    mails.sort();
    mails
}
