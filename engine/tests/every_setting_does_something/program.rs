//! Runs the real program in a folder of its own and gathers everything that comes out.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

/// What is put before the program.
pub struct Life {
    /// Event files, one run each into the same store.
    pub runs: Vec<Vec<u8>>,
    /// Other files in the folder.
    pub files: Vec<(&'static str, &'static str)>,
    /// Settings that hold in every run, beside the databases of the fixtures.
    pub settings: Vec<(&'static str, &'static str)>,
}

impl Life {
    /// One run, and nothing else.
    pub fn of(events: Vec<u8>) -> Self {
        Self {
            runs: vec![events],
            files: Vec::new(),
            settings: Vec::new(),
        }
    }
}

/// What came out of the last run.
#[derive(Debug)]
pub struct Said {
    /// Exit code.
    pub code: i32,
    /// Decisions without the hash of the versions, dead letters and mails.
    pub outcome: String,
    /// Standard error.
    pub log: String,
}

/// Plays a life; `changed` holds in the last run only.
pub fn play(life: &Life, changed: Option<(&str, &str)>) -> Said {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in &life.files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let mut said = None;
    for (index, events) in life.runs.iter().enumerate() {
        let last = index + 1 == life.runs.len();
        let file = format!("events-{index}.ndjson");
        fs::write(folder.path().join(&file), events).unwrap();
        said = Some(run(folder.path(), life, &file, changed.filter(|_| last)));
    }
    said.unwrap()
}

fn run(folder: &Path, life: &Life, events: &str, changed: Option<(&str, &str)>) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_doorward"));
    command.current_dir(folder).env_clear();
    let geoip = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/geoip");
    for (setting, file) in [
        ("CITY", "doorward-test-city.mmdb"),
        ("ASN", "doorward-test-asn.csv"),
        ("LISTS", "doorward-test-networks.list"),
    ] {
        command.env(format!("DOORWARD_GEOIP_{setting}"), geoip.join(file));
    }
    for (key, value) in life.settings.iter().copied().chain(changed) {
        command.env(
            variable(key),
            value.replace("FIXTURES", &geoip.display().to_string()),
        );
    }
    let output = command
        .args(["run", "--events", events, "--data", "data"])
        .args(["--decisions", "decisions.ndjson", "--dead-letters", "dead.ndjson"])
        .output()
        .unwrap();
    Said {
        code: output.status.code().unwrap(),
        outcome: outcome(folder),
        log: String::from_utf8(output.stderr).unwrap(),
    }
}

fn variable(key: &str) -> String {
    format!("DOORWARD_{}", key.replace('.', "_").to_uppercase())
}

fn outcome(folder: &Path) -> String {
    let mut text = String::new();
    for line in read(&folder.join("decisions.ndjson")).lines() {
        let mut decision: Value = serde_json::from_str(line).unwrap();
        // It moves with every setting that decides, whether it does anything or not.
        decision.as_object_mut().unwrap().remove("versions").unwrap();
        text.push_str(&format!("{decision}\n"));
    }
    text.push_str(&read(&folder.join("dead.ndjson")));
    let mut mails: Vec<_> = fs::read_dir(folder.join("data/mail"))
        .into_iter()
        .flatten()
        .map(|entry| entry.unwrap().path())
        .collect();
    mails.sort();
    mails.iter().for_each(|mail| text.push_str(&read(mail)));
    text
}

fn read(path: &Path) -> String {
    fs::read(path)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default()
}
