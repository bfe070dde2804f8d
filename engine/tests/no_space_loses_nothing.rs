//! A disk that is full, about to be, or read-only: an exit code of its own, words that name the folder, and nothing lost
//! or decided twice when there is space again.

// File systems of one's own, and limits of the shell.
#![cfg(all(target_os = "linux", feature = "run"))]
#![expect(
    clippy::expect_used,
    reason = "a test that cannot prepare its world fails, as it should"
)]

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

const LOGINS: usize = 200;

fn login(number: usize) -> String {
    format!(
        r#"{{"id":"{number}","source":"t","type":"login","time":"2026-03-01T08:{:02}:{:02}Z","user":{{"id":"user-{}"}},"outcome":"success","client":{{"ip":"192.0.2.1"}}}}"#,
        number / 60 % 60,
        number % 60,
        number % 50
    )
}

fn world() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let lines: String = (0..LOGINS).map(|number| login(number) + "\n").collect();
    fs::write(folder.path().join("events.ndjson"), lines).expect("a temporary folder");
    folder
}

/// `doorward run` in a shell that allows files of so many blocks.
fn run(folder: &Path, data: &Path, blocks: &str, free_min: &str) -> Output {
    let limited = format!(
        "trap '' XFSZ; ulimit -f {blocks}; exec '{}' run --events events.ndjson --decisions out --data '{}'",
        env!("CARGO_BIN_EXE_doorward"),
        data.display()
    );
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &limited])
        .current_dir(folder)
        .env("DOORWARD_STORE_FREE_MIN", free_min)
        .env("DOORWARD_DOORS_BATCH_RECORDS", "16");
    shell.output().expect("the program starts")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What a run that nothing stops writes.
fn undisturbed() -> Vec<u8> {
    let folder = world();
    let output = run(folder.path(), &folder.path().join("data"), "unlimited", "0");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    fs::read(folder.path().join("out")).expect("decisions")
}

/// With space again the second start ends well, with the decisions of an undisturbed run.
fn goes_on(folder: &Path, data: &Path, what: &str) {
    let output = run(folder, data, "unlimited", "0");
    assert_eq!(output.status.code(), Some(0), "{what}, again: {}", said(&output));
    let out = fs::read(folder.join("out")).expect("decisions");
    assert!(out == undisturbed(), "{what}: other decisions");
}

/// The code is that of an output or a store that cannot be written, and never that of a damaged store.
fn is_plain(output: &Output, what: &str) {
    let said = said(output);
    assert!(
        matches!(output.status.code(), Some(6 | 7)),
        "{what}: {:?} {said}",
        output.status
    );
    for raw in ["FjallError", "Io(", "Os {", "File exists", "damaged", "panicked"] {
        assert!(!said.contains(raw), "{what}: {raw} in {said}");
    }
    assert!(said.contains("error: ") && said.contains("help: "), "{said}");
}

#[test]
fn wherever_files_may_grow_no_more_the_next_start_goes_on() {
    for blocks in ["0", "1", "2", "4", "8", "16", "24", "32", "64", "128", "256"] {
        let folder = world();
        let data = folder.path().join("data");
        let output = run(folder.path(), &data, blocks, "0");
        let what = format!("files of {blocks} blocks");
        if output.status.code() != Some(0) {
            is_plain(&output, &what);
            let said = said(&output);
            assert!(said.contains("/data") || said.contains("`out`"), "{what}: {said}");
        }
        goes_on(folder.path(), &data, &what);
    }
}

/// A file system in memory; none without the right to mount one.
struct Mounted(PathBuf);

impl Mounted {
    fn at(path: &Path, options: &str) -> Option<Self> {
        fs::create_dir_all(path).expect("a folder");
        let mounted = Self::mount(path, options);
        if !mounted {
            eprintln!("SKIPPED: a file system cannot be mounted here; run this test as root");
        }
        mounted.then(|| Self(path.to_owned()))
    }

    fn mount(path: &Path, options: &str) -> bool {
        let status = Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "tmpfs"])
            .arg(path)
            .stderr(Stdio::null())
            .status();
        status.is_ok_and(|status| status.success())
    }

    fn remount(&self, options: &str) {
        assert!(
            Self::mount(&self.0, &format!("remount,{options}")),
            "remount {options}"
        );
    }
}

impl Drop for Mounted {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

#[test]
fn a_disk_that_is_full_while_the_store_is_made_is_no_store_half_made() {
    for size in ["4k", "16k", "32k", "64k", "96k", "128k", "192k", "256k", "512k"] {
        let folder = world();
        let data = folder.path().join("disk/data");
        let Some(disk) = Mounted::at(&folder.path().join("disk"), &format!("size={size}")) else {
            return;
        };
        let output = run(folder.path(), &data, "unlimited", "0");
        let what = format!("a disk of {size}");
        if output.status.code() != Some(0) {
            is_plain(&output, &what);
            assert!(said(&output).contains("/disk/data"), "{what}: {}", said(&output));
        }
        disk.remount("size=256m");
        goes_on(folder.path(), &data, &what);
    }
}

#[test]
fn a_read_only_data_folder_is_named() {
    let folder = world();
    let data = folder.path().join("disk/data");
    let Some(disk) = Mounted::at(&folder.path().join("disk"), "size=256m") else {
        return;
    };
    disk.remount("ro");
    let output = run(folder.path(), &data, "unlimited", "0");
    is_plain(&output, "a new store on a read-only disk");
    assert_eq!(output.status.code(), Some(7));
    assert!(
        said(&output).contains("Read-only file system"),
        "{}",
        said(&output)
    );
    disk.remount("rw");
    goes_on(folder.path(), &data, "a new store");
    disk.remount("ro");
    let output = run(folder.path(), &data, "unlimited", "0");
    is_plain(&output, "a store on a read-only disk");
    assert_eq!(output.status.code(), Some(7));
    assert!(said(&output).contains("/disk/data"), "{}", said(&output));
    disk.remount("rw");
    goes_on(folder.path(), &data, "an old store");
}

#[test]
fn with_too_little_space_at_the_start_nothing_is_read() {
    let folder = world();
    let data = folder.path().join("data");
    let output = run(folder.path(), &data, "unlimited", "1073741824");
    assert_eq!(output.status.code(), Some(10), "{}", said(&output));
    for word in [
        "error: there is too little space for `",
        "/data/store`",
        " MiB are free, `store.free_min` wants 1073741824 MiB",
        "help: make space, or lower `store.free_min`",
    ] {
        assert!(said(&output).contains(word), "{word} in {}", said(&output));
    }
    assert_eq!(fs::read(folder.path().join("out")).unwrap_or_default(), b"");
    goes_on(folder.path(), &data, "too little space at the start");
}

/// A pipe that goes on for ever: the run ends by itself once somebody else filled the disk, and has decided, stored and
/// written all that it had begun.
#[test]
fn when_space_runs_short_the_run_ends_cleanly() {
    let folder = world();
    let data = folder.path().join("disk/data");
    let Some(disk) = Mounted::at(&folder.path().join("disk"), "size=512m") else {
        return;
    };
    let mut child = Command::new(env!("CARGO_BIN_EXE_doorward"))
        .args(["run", "--events", "-", "--decisions", "out", "--data"])
        .arg(&data)
        .current_dir(folder.path())
        .env_clear()
        .env("DOORWARD_STORE_FREE_MIN", "100")
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut pipe = child.stdin.take().expect("a pipe");
    let decided = || fs::read(folder.path().join("out")).map_or(0, |out| out.len());
    for number in 0..LOGINS {
        if number == 5 {
            while decided() == 0 {
                std::thread::sleep(Duration::from_millis(20));
            }
            fs::write(disk.0.join("filler"), vec![1; 420 << 20]).expect("space in memory");
        }
        if child.try_wait().expect("a child").is_some() {
            break;
        }
        // The pipe may close at any moment now.
        let _ = writeln!(pipe, "{}", login(number));
        std::thread::sleep(Duration::from_millis(50));
    }
    let output = child.wait_with_output().expect("a child");
    assert_eq!(output.status.code(), Some(10), "{}", said(&output));
    let undisturbed = undisturbed();
    let out = fs::read(folder.path().join("out")).expect("decisions");
    assert!(
        !out.is_empty() && undisturbed.starts_with(&out),
        "not a beginning"
    );
    assert!(out.len() < undisturbed.len(), "it read on to the end");
    fs::remove_file(disk.0.join("filler")).expect("the filler");
    goes_on(folder.path(), &data, "space ran short");
}
