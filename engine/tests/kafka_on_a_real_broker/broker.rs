//! The broker of a test: one that is there already, or one of its own that it may stop.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The broker that all tests share; none if nobody named one.
pub fn shared(test: &str) -> Option<String> {
    let named = std::env::var("DOORWARD_TEST_KAFKA")
        .ok()
        .filter(|named| !named.is_empty());
    if named.is_none() {
        eprintln!("SKIPPED {test}: DOORWARD_TEST_KAFKA names no broker; `./test all` starts one");
    }
    named
}

/// A broker of one test, which ends with it.
pub struct Own {
    folder: tempfile::TempDir,
    pub brokers: String,
}

impl Own {
    pub fn start(test: &str, secure: bool) -> Option<Self> {
        if std::env::var("DOORWARD_TEST_BROKER").is_ok_and(|value| value == "own") {
            let folder = tempfile::tempdir().expect("a folder");
            let mut own = Self {
                folder,
                brokers: String::new(),
            };
            own.brokers = own.up(secure);
            return Some(own);
        }
        eprintln!("SKIPPED {test}: it stops its broker, and DOORWARD_TEST_BROKER=own is not set");
        None
    }

    fn script(&self, word: &str, secure: bool) -> Output {
        let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/kafka/broker"));
        if secure {
            command.env("KAFKA_SECURE", "1");
        }
        let output = command
            .arg(word)
            .arg(self.folder())
            .output()
            .expect("the script runs");
        assert!(output.status.success(), "{word}: {output:?}");
        output
    }

    pub fn folder(&self) -> PathBuf {
        self.folder.path().join("broker")
    }

    fn up(&self, secure: bool) -> String {
        let output = self.script("up", secure);
        String::from_utf8(output.stdout).expect("text").trim().to_owned()
    }

    /// Starts it again on its old port with its old data.
    pub fn again(&self) {
        assert_eq!(self.up(false), self.brokers);
    }

    /// Stops it; as a crash would, if `crash`.
    pub fn stop(&self, crash: bool) {
        self.script(if crash { "kill" } else { "down" }, false);
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        if self.folder().join("pid").exists() {
            self.script("kill", false);
        }
    }
}
