//! The real program over one input, in folders of its own, and everything that left it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

/// An input and how it is run.
pub struct World {
    /// Where the input is; one path for all runs, for dead letters name it.
    pub events: PathBuf,
    /// Small further inputs, run after it one by one.
    pub afterwards: Vec<PathBuf>,
    /// Variables of the settings.
    pub settings: Vec<(&'static str, &'static str)>,
}

/// Everything that a run leaves behind.
#[derive(Debug, PartialEq, Eq)]
pub struct Out {
    pub decisions: Vec<u8>,
    pub dead_letters: Vec<u8>,
    pub alerts: Vec<u8>,
    /// By name.
    pub mails: BTreeMap<String, Vec<u8>>,
    /// As `doorward store hash` prints it.
    pub hash: String,
}

impl World {
    /// The program, ready to run in `folder`.
    pub fn command(&self, folder: &Path, events: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_doorward"));
        command
            .args(["run", "--settle", "24h", "--data", "data"])
            .args([
                "--decisions",
                "decisions.ndjson",
                "--alerts",
                "alerts.ndjson",
                "--events",
            ])
            .arg(events)
            .envs(self.settings.iter().copied())
            .current_dir(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    /// Runs over the input to its end, or to the place and count of `fail_at`.
    pub fn run(&self, folder: &Path, fail_at: Option<&str>) -> ExitStatus {
        let mut command = self.command(folder, &self.events);
        if let Some(place) = fail_at {
            command.env("DOORWARD_TEST_FAIL_AT", place);
        }
        command.status().expect("the binary runs")
    }

    /// Runs to the end of all inputs, and reads what is there then.
    pub fn finish(&self, folder: &Path) -> Out {
        for events in std::iter::once(&self.events).chain(&self.afterwards) {
            let done = self.command(folder, events).output().expect("the binary runs");
            assert!(done.status.success(), "{done:?}");
        }
        Out::of(folder)
    }

    /// What a run leaves behind that nobody disturbs.
    pub fn calm(&self) -> Out {
        let folder = tempfile::tempdir().expect("a temporary folder");
        self.finish(folder.path())
    }
}

fn mails(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).expect("mails");
    let paths = entries.map(|entry| entry.expect("readable").path());
    let mails = paths.filter(|path| path.extension().is_some_and(|ending| ending == "eml"));
    let named = mails.map(|path| {
        let name = path.file_name().expect("named").to_string_lossy().into_owned();
        (name, fs::read(&path).expect("a mail"))
    });
    named.collect()
}

impl Out {
    /// What is in the folder of a run that has ended.
    pub fn of(folder: &Path) -> Self {
        let hash = Command::new(env!("CARGO_BIN_EXE_doorward"))
            .args(["store", "hash", "--data", "data"])
            .current_dir(folder)
            .output()
            .expect("the binary runs");
        assert!(hash.status.success(), "{hash:?}");
        Self {
            decisions: fs::read(folder.join("decisions.ndjson")).expect("decisions"),
            dead_letters: fs::read(folder.join("data/dead-letters.ndjson")).expect("dead letters"),
            alerts: fs::read(folder.join("alerts.ndjson")).expect("alerts"),
            mails: mails(&folder.join("data/mail")),
            hash: String::from_utf8(hash.stdout).expect("text"),
        }
    }

    /// In which of the five it differs from `wanted`; empty if in none.
    pub fn differences(&self, wanted: &Self) -> Vec<&'static str> {
        [
            ("decisions", self.decisions == wanted.decisions),
            ("dead letters", self.dead_letters == wanted.dead_letters),
            ("alerts", self.alerts == wanted.alerts),
            ("mails", self.mails == wanted.mails),
            ("store hash", self.hash == wanted.hash),
        ]
        .into_iter()
        .filter_map(|(what, equal)| (!equal).then_some(what))
        .collect()
    }
}
