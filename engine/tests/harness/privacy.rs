//! The program on stories and lines, in a folder of its own.

#![expect(
    clippy::expect_used,
    reason = "a test that cannot prepare its world fails, as it should"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

/// Long enough for a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// The program and its folder.
pub struct Program {
    folder: tempfile::TempDir,
    settings: Vec<(String, String)>,
}

/// The events of a story.
pub fn fixture(story: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../fixtures/events/{story}.ndjson"))
}

/// Waits until it is so.
pub fn until(what: &str, mut ready: impl FnMut() -> bool) {
    let start = Instant::now();
    while !ready() {
        assert!(start.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl Program {
    /// With settings, by the names of their variables without the prefix.
    pub fn with(settings: &[(&str, &str)]) -> Self {
        let geoip = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/geoip");
        let mut all: Vec<(String, String)> = [
            ("GEOIP_CITY", "doorward-test-city.mmdb"),
            ("GEOIP_ASN", "doorward-test-asn.csv"),
            ("GEOIP_LISTS", "doorward-test-networks.list"),
        ]
        .iter()
        .map(|(name, file)| ((*name).to_owned(), geoip.join(file).display().to_string()))
        .collect();
        let small = [
            ("DOORS_BATCH_RECORDS", "64"),
            ("CROWD_SKETCH_LINES", "1024"),
            ("CROWD_KEYS_MAX", "1024"),
        ];
        all.extend(
            small
                .iter()
                .chain(settings)
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            settings: all,
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_doorward"));
        command.current_dir(self.folder.path()).env_clear().args(words);
        for (name, value) in &self.settings {
            command.env(format!("DOORWARD_{name}"), value);
        }
        command
    }

    /// A command over the store: exit code, standard output, standard error.
    pub fn ask(&self, words: &[&str]) -> (Option<i32>, String, String) {
        let output = self
            .command(&[words, &["--data", "data"]].concat())
            .output()
            .expect("the program starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    }

    /// The same, which must go well; its standard output.
    pub fn told(&self, words: &[&str]) -> String {
        let (code, text, said) = self.ask(words);
        assert_eq!(code, Some(0), "{words:?}: {text}{said}");
        text
    }

    pub fn run(&self, events: &Path) {
        let events = events.to_str().expect("a path");
        self.told(&[
            "run",
            "--events",
            events,
            "--decisions",
            "decisions",
            "--alerts",
            "alerts",
        ]);
    }

    pub fn run_story(&self, story: &str) {
        self.run(&fixture(story));
    }

    pub fn run_lines(&self, lines: &[u8]) {
        let path = self.path("events.ndjson");
        fs::write(&path, lines).expect("a temporary folder");
        self.run(&path);
    }

    /// A run that reads a pipe.
    pub fn running(&self) -> (Child, ChildStdin) {
        let words = [
            "run",
            "--events",
            "-",
            "--data",
            "data",
            "--decisions",
            "decisions",
            "--alerts",
            "alerts",
        ];
        let mut child = self
            .command(&words)
            .stdin(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        let pipe = child.stdin.take().expect("a pipe");
        (child, pipe)
    }

    pub fn decisions(&self) -> String {
        fs::read_to_string(self.path("decisions")).unwrap_or_default()
    }
}
