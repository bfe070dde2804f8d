//! A run takes over other rules and settings without a stop: at SIGHUP, and when a file has changed (clause S11).

#![expect(
    clippy::expect_used,
    reason = "a test that cannot prepare its world fails, as it should"
)]

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Long enough for a busy machine; a run that hangs never ends.
const PATIENCE: Duration = Duration::from_secs(60);
const RULE: &str = r#"id = "here-at-all"
title = "Somebody signs in"
status = "stable"
evidence = "attack"
points = POINTS
group = "crowd"
tags = []
when = 'crowd.address.attempts_1h >= 1'
text = "somebody signs in"
why = "It is for a test."
false_positives = "Always."
response = "Nothing."
references = []
owner = "doorward"

[[tests]]
name = "a try"
given = { crowd.address.attempts_1h = 5 }
expect = "fires"
points = POINTS

[[tests]]
name = "nobody tried"
given = { crowd.address.attempts_1h = 0 }
expect = "silent"

[[tests]]
name = "nothing counted"
given = { crowd.address.attempts_1h = "no_data" }
expect = "no_data"
"#;

struct Running {
    child: Child,
    pipe: Option<ChildStdin>,
    folder: tempfile::TempDir,
    sent: u32,
}

fn until<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = ready() {
            return found;
        }
        assert!(start.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

impl Running {
    fn start(watch_seconds: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules/packs/baseline");
        fs::create_dir(folder.path().join("rules")).expect("a folder");
        fs::copy(
            packs.join("tor-network.toml"),
            folder.path().join("rules/tor-network.toml"),
        )
        .expect("a rule");
        let settings = format!(
            "[rules]\nfolder = \"rules\"\n[score]\nbase = 10\n[reload]\nwatch_seconds = {watch_seconds}\n"
        );
        fs::write(folder.path().join("doorward.toml"), settings).expect("a file");
        let log = File::create(folder.path().join("log")).expect("a file");
        let mut child = Command::new(env!("CARGO_BIN_EXE_doorward"))
            .args(["run", "--events", "-", "--data", "data", "--decisions", "out"])
            .current_dir(folder.path())
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .expect("the program starts");
        let pipe = child.stdin.take();
        Self {
            child,
            pipe,
            folder,
            sent: 0,
        }
    }

    /// Sends two logins and gives the last decision.
    fn decide(&mut self) -> Value {
        let pipe = self.pipe.as_mut().expect("an open pipe");
        for _ in 0..2 {
            self.sent += 1;
            let (number, minute) = (self.sent, self.sent % 60);
            writeln!(pipe, r#"{{"id":"{number}","source":"t","type":"login","time":"2026-03-01T08:{minute:02}:00Z","user":{{"id":"anna"}},"outcome":"success","client":{{"ip":"192.0.2.1"}}}}"#).expect("an open pipe");
        }
        pipe.flush().expect("an open pipe");
        let wanted = self.sent as usize;
        let told = until("no decision came out", || {
            let told = fs::read_to_string(self.path("out")).ok()?;
            (told.lines().count() == wanted && told.ends_with('\n')).then_some(told)
        });
        serde_json::from_str(told.lines().last().expect("a line")).expect("JSON")
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join(name)
    }

    fn hang_up(&self) {
        let id = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-HUP", &id])
                .status()
                .expect("kill")
                .success()
        );
    }

    /// Waits until the log has so many lines with this text.
    fn log(&self, text: &str, times: usize) -> String {
        until(&format!("`{text}` is not in the log"), || {
            let log = fs::read_to_string(self.path("log")).ok()?;
            (log.lines().filter(|line| line.contains(text)).count() >= times).then_some(log)
        })
    }

    fn set_base(&self, base: u32) {
        let file = self.path("doorward.toml");
        let text = fs::read_to_string(&file).expect("the file");
        let lines = text.lines().map(|line| match line.starts_with("base = ") {
            true => format!("base = {base}"),
            false => line.to_owned(),
        });
        fs::write(&file, lines.collect::<Vec<_>>().join("\n")).expect("the file");
    }

    fn end(mut self) -> tempfile::TempDir {
        drop(self.pipe.take());
        let code = until("the run does not end", || self.child.try_wait().expect("a child"));
        assert_eq!(code.code(), Some(0));
        self.folder
    }
}

#[test]
fn at_sighup_other_rules_and_settings_are_in_force_and_the_store_knows_from_where() {
    let mut run = Running::start("0");
    let before = run.decide();
    fs::write(run.path("rules/here-at-all.toml"), RULE.replace("POINTS", "17")).expect("a rule");
    run.set_base(12);
    run.hang_up();
    run.log("in force from the next batch on", 1);
    let after = run.decide();
    assert_ne!(before["versions"], after["versions"]);
    assert_eq!(before["base"], 10);
    assert_eq!(after["base"], 12);
    assert!(!before["ledger"].to_string().contains("here-at-all"));
    assert!(after["ledger"].to_string().contains("here-at-all"), "{after}");
    // Two logins, one record of what is in force before each of them.
    assert_eq!((&before["seq"], &after["seq"]), (&3.into(), &6.into()));
    let folder = run.end();
    let check = Command::new(env!("CARGO_BIN_EXE_doorward"))
        .args(["store", "check", "--data", "data"])
        .current_dir(folder.path())
        .env_clear()
        .output()
        .expect("the program starts");
    assert!(
        check.status.success(),
        "{}",
        String::from_utf8_lossy(&check.stdout)
    );
}

#[test]
fn a_broken_file_is_told_in_one_line_and_what_was_in_force_stays() {
    let mut run = Running::start("0");
    let before = run.decide();
    fs::write(
        run.path("rules/here-at-all.toml"),
        RULE.replace("POINTS", "17").replace("when =", "then ="),
    )
    .expect("a rule");
    fs::write(run.path("rules/tor-network.toml"), "id = 7\nid = 8").expect("a rule");
    run.hang_up();
    let log = run.log("what was in force stays", 2);
    let told: Vec<&str> = log.lines().filter(|line| line.contains("stays")).collect();
    assert_eq!(told.len(), 2, "{log}");
    assert!(
        told[0].contains("here-at-all.toml") && told[1].contains("tor-network.toml"),
        "{log}"
    );
    assert_eq!(run.decide()["versions"], before["versions"]);
    fs::write(run.path("doorward.toml"), "[score]\nbase = \"x\"\n").expect("the file");
    run.hang_up();
    let log = run.log("what was in force stays", 3);
    assert!(
        log.lines()
            .any(|line| line.contains("stays") && line.contains("doorward.toml")),
        "{log}"
    );
    assert_eq!(run.decide()["versions"], before["versions"]);
    run.end();
}

#[test]
fn a_file_that_has_changed_is_read_without_being_asked_for() {
    let mut run = Running::start("1");
    assert_eq!(run.decide()["base"], 10);
    run.set_base(12);
    run.log("in force from the next batch on", 1);
    assert_eq!(run.decide()["base"], 12);
    run.set_base(10);
    run.log("in force from the next batch on", 2);
    assert_eq!(run.decide()["base"], 10);
    run.end();
}

#[test]
fn settings_that_need_a_new_start_are_named_and_do_not_count() {
    let mut run = Running::start("0");
    let before = run.decide();
    let text = fs::read_to_string(run.path("doorward.toml")).expect("the file");
    fs::write(
        run.path("doorward.toml"),
        format!("{text}\n[crowd]\nkeys_max = 2048\n[mail]\nsite_name = \"X\"\n"),
    )
    .expect("the file");
    run.hang_up();
    let log = run.log("files were read again", 1);
    assert!(
        log.contains("crowd, mail.site_name") && log.contains("next start"),
        "{log}"
    );
    assert_eq!(run.decide()["versions"], before["versions"]);
    run.end();
}
