//! The real program over a pipe, with other settings at two places of it, taken over by SIGHUP.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use doorward::event::Timestamp;
use doorward::generate::EventBuilder;

use crate::program::Out;

/// Long enough for a busy machine; a run that hangs never ends.
const PATIENCE: Duration = Duration::from_secs(60);
const TAKEN_OVER: &str = "in force from the next batch on";
/// `score.base` of each part.
const BASES: [u32; 3] = [10, 12, 14];
const PART: usize = 40;

/// One life of the program, started as often as it ends early.
pub struct Life<'a> {
    folder: &'a Path,
    /// How many times the settings were changed.
    changed: usize,
}

fn part(number: usize) -> Vec<u8> {
    let start = Timestamp::parse("2020-01-01T00:00:00Z").expect("a time");
    let mut lines = Vec::new();
    for index in number * PART..(number + 1) * PART {
        let time = start.plus_seconds(i64::try_from(index).expect("small") * 60);
        let event = EventBuilder::login(&format!("e-{index}"), "t", &format!("user-{}", index % 7));
        lines.extend(event.at(time).address("192.0.2.1").line());
        lines.push(b'\n');
    }
    lines
}

impl<'a> Life<'a> {
    pub const fn new(folder: &'a Path) -> Self {
        Self { folder, changed: 0 }
    }

    /// Runs to the end of the pipe, or to the place and count of `fail_at`.
    pub fn run(&mut self, fail_at: Option<&str>) -> ExitStatus {
        self.set_base();
        let log = File::create(self.folder.join("log")).expect("a file");
        let mut command = Command::new(env!("CARGO_BIN_EXE_doorward"));
        command
            .args(["run", "--events", "-", "--data", "data", "--settle", "24h"])
            .args(["--decisions", "decisions.ndjson", "--alerts", "alerts.ndjson"])
            .current_dir(self.folder)
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log);
        if let Some(place) = fail_at {
            command.env("DOORWARD_TEST_FAIL_AT", place);
        }
        let mut child = command.spawn().expect("the binary runs");
        let mut pipe = child.stdin.take().expect("a pipe");
        // A pipe is read from its start again; what was decided before is dropped.
        let sent: Vec<u8> = (0..=self.changed).flat_map(part).collect();
        let mut write = |bytes: &[u8]| {
            // Nobody reads any more if the program has ended.
            let _ = pipe.write_all(bytes);
        };
        write(&sent);
        let mut taken_over = 0;
        // The last line waits for the next one, which is the witness of its time.
        while self.changed + 1 < BASES.len() && self.wait(&mut child, |life| life.is_decided()) {
            self.changed += 1;
            taken_over += 1;
            self.set_base();
            hang_up(&child);
            if !self.wait(&mut child, |life| life.log_has(taken_over)) {
                break;
            }
            write(&part(self.changed));
        }
        drop(pipe);
        child.wait().expect("a child")
    }

    /// Everything that is there at the end.
    pub fn out(&self) -> Out {
        Out::of(self.folder)
    }

    fn set_base(&self) {
        let base = BASES.get(self.changed).expect("one of three");
        let text = format!(
            "[score]\nbase = {base}\n[reload]\nwatch_seconds = 0\n[crowd]\nkeys_max = 1024\nsketch_lines = 1024\n"
        );
        fs::write(self.folder.join("doorward.toml"), text).expect("a file");
    }

    fn is_decided(&self) -> bool {
        let lines = fs::read(self.folder.join("decisions.ndjson")).unwrap_or_default();
        let lines = lines.iter().filter(|byte| **byte == b'\n').count();
        lines + 1 >= (self.changed + 1) * PART
    }

    fn log_has(&self, times: usize) -> bool {
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        log.matches(TAKEN_OVER).count() >= times
    }

    /// False if the program ends before.
    fn wait(&self, child: &mut Child, ready: impl Fn(&Self) -> bool) -> bool {
        let start = Instant::now();
        while !ready(self) {
            if child.try_wait().expect("a child").is_some() {
                return false;
            }
            assert!(start.elapsed() < PATIENCE, "nothing comes out");
            std::thread::sleep(Duration::from_millis(10));
        }
        true
    }
}

fn hang_up(child: &Child) {
    let id = child.id().to_string();
    let done = Command::new("kill").args(["-HUP", &id]).status().expect("kill");
    assert!(done.success());
}
