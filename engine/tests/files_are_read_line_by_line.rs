//! An input file gives its lines whatever is in it, and a restart reads on only if it is still the same file.
#![cfg(feature = "files")]
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use doorward::io::files::{FileLines, input_key};
use doorward::io::memory::lines::MemoryLines;
use doorward::pipeline::ports::{Keyspace, LineSource, RawLine};
use proptest::prelude::*;
use sha2::{Digest, Sha256};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

const EVENT_BYTES_MAX: usize = 100;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, content: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }
}

fn open(path: &Path) -> FileLines {
    FileLines::open(path, EVENT_BYTES_MAX).unwrap()
}

fn read_all(source: &mut impl LineSource) -> Vec<RawLine> {
    let mut all = Vec::new();
    loop {
        let lines = source.next_lines(3).unwrap();
        assert!(lines.len() <= 3);
        if lines.is_empty() {
            return all;
        }
        all.extend(lines);
    }
}

fn texts(lines: &[RawLine]) -> Vec<String> {
    lines
        .iter()
        .map(|line| String::from_utf8_lossy(&line.bytes).into_owned())
        .collect()
}

/// Texts of a file with this content, read as a file and from memory.
fn lines_of(content: &[u8]) -> Vec<RawLine> {
    let folder = Folder::new();
    let mut file = open(&folder.write("events", content));
    let mut memory = MemoryLines::new("events", content.to_vec(), EVENT_BYTES_MAX).unwrap();
    assert_eq!(file.identity().first_line, memory.identity().first_line);
    let lines = read_all(&mut file);
    assert_eq!(lines, read_all(&mut memory));
    lines
}

/// Reads `count` lines and gives the row that a commit of them stores.
fn row_after(path: &Path, count: usize) -> Vec<u8> {
    let mut source = open(path);
    let lines = source.next_lines(count).unwrap();
    let last = lines.last().unwrap();
    let change = source.position(last.end, last.line).unwrap();
    assert_eq!(change.keyspace, Keyspace::Input);
    assert_eq!(change.key, input_key(source.identity()));
    change.value.unwrap()
}

fn resumed(path: &Path, row: &[u8]) -> (u64, Vec<RawLine>) {
    let mut source = open(path);
    let skipped = source.resume(Some(row)).unwrap();
    (skipped, read_all(&mut source))
}

#[test]
fn lines_know_their_number_and_their_place() {
    let lines = lines_of(b"one\n\nthree\n");
    assert_eq!(texts(&lines), ["one", "", "three"]);
    let places: Vec<_> = lines
        .iter()
        .map(|line| (line.line, line.offset, line.end))
        .collect();
    assert_eq!(places, [(1, 0, 4), (2, 4, 5), (3, 5, 11)]);
}

#[test]
fn both_kinds_of_line_ends_and_none_at_the_end_are_taken() {
    assert_eq!(texts(&lines_of(b"a\r\nb\nc")), ["a", "b", "c"]);
    assert_eq!(texts(&lines_of(b"a\rb\r\r\n")), ["a\rb\r"]);
    assert_eq!(texts(&lines_of(b"a\n\r\n")), ["a", ""]);
    assert!(lines_of(b"").is_empty());
}

#[test]
fn a_byte_order_mark_is_skipped_at_the_start_only() {
    let lines = lines_of(b"\xEF\xBB\xBFa\n\xEF\xBB\xBFb\n");
    assert_eq!(texts(&lines), ["a", "\u{feff}b"]);
    assert_eq!((lines[0].offset, lines[0].end, lines[1].offset), (3, 5, 5));
    assert!(lines_of(b"\xEF\xBB\xBF").is_empty());
}

#[test]
fn the_longest_line_is_whole_and_a_longer_one_is_cut() {
    for (length, kept) in [
        (99, 99),
        (100, 100),
        (101, 101),
        (102, 101),
        (103, 101),
        (5000, 101),
    ] {
        for end in ["\n", "\r\n", ""] {
            let content = format!("{}{end}", "x".repeat(length));
            let lines = lines_of(content.as_bytes());
            assert_eq!(lines.len(), 1);
            assert_eq!(lines[0].bytes.len(), kept, "{length} bytes and {end:?}");
            assert_eq!(lines[0].end, content.len() as u64);
        }
    }
}

#[test]
fn an_endless_line_costs_no_memory_and_the_next_one_is_read() {
    let mut content = vec![b'x'; 10 * 1024 * 1024];
    content.extend_from_slice(b"\nafter\n");
    let lines = lines_of(&content);
    assert_eq!(lines.len(), 2);
    assert!(lines[0].bytes.capacity() < 1024);
    assert_eq!(lines[1].bytes, b"after");
    assert_eq!(lines[1].offset, 10 * 1024 * 1024 + 1);
}

#[test]
fn bytes_that_are_no_text_are_passed_on() {
    let lines = lines_of(b"\0\xff\xfe\n\x80\n");
    assert_eq!(lines[0].bytes, b"\0\xff\xfe");
    assert_eq!(lines[1].bytes, b"\x80");
}

#[test]
fn the_identity_is_the_first_line_up_to_4_kib() {
    let folder = Folder::new();
    let identity = |content: &[u8]| open(&folder.write("x", content)).identity().first_line;
    let abc: [u8; 32] = Sha256::digest(b"abc").into();
    for content in ["abc\n", "abc\r\ndef", "abc", "\u{feff}abc\n"] {
        assert_eq!(identity(content.as_bytes()), abc, "{content:?}");
    }
    assert_ne!(identity(b"abcd\n"), abc);
    let long = "y".repeat(5000);
    let cut: [u8; 32] = Sha256::digest(&long.as_bytes()[..4096]).into();
    assert_eq!(identity(long.as_bytes()), cut);
}

#[test]
fn a_restart_reads_on() {
    let folder = Folder::new();
    let path = folder.write("events", b"one\ntwo\nthree\n");
    for count in 1..=3 {
        let row = row_after(&path, count);
        let (skipped, rest) = resumed(&path, &row);
        assert_eq!(skipped, count as u64);
        assert_eq!(rest, read_all(&mut open(&path))[count..]);
    }
    let mut fresh = open(&path);
    assert_eq!(fresh.resume(None).unwrap(), 0);
    assert_eq!(read_all(&mut fresh).len(), 3);
}

/// Doors read ahead of the commit: the position is that of the commit.
#[test]
fn a_position_behind_what_was_read_is_stored() {
    let folder = Folder::new();
    let path = folder.write("events", b"one\ntwo\nthree\n");
    let mut source = open(&path);
    let lines = read_all(&mut source);
    let row = source
        .position(lines[0].end, lines[0].line)
        .unwrap()
        .value
        .unwrap();
    assert_eq!(texts(&resumed(&path, &row).1), ["two", "three"]);
}

#[test]
fn a_grown_file_is_read_on_also_under_another_name() {
    let folder = Folder::new();
    let path = folder.write("events", b"one\ntwo\n");
    let row = row_after(&path, 2);
    let other = folder.write("other", b"one\ntwo\nthree\n");
    let (skipped, rest) = resumed(&other, &row);
    assert_eq!((skipped, texts(&rest)), (2, vec!["three".to_owned()]));
    assert_eq!((rest[0].line, rest[0].offset), (3, 8));
}

#[test]
fn a_torn_last_line_is_read_again_when_it_has_grown() {
    let folder = Folder::new();
    let path = folder.write("events", b"one\ntwo\nthr");
    let row = row_after(&path, 3);
    let unchanged = resumed(&path, &row).1;
    assert_eq!(
        (texts(&unchanged), unchanged[0].line),
        (vec!["thr".to_owned()], 3)
    );
    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"ee\nfour\n").unwrap();
    let (skipped, rest) = resumed(&path, &row);
    assert_eq!(skipped, 2);
    assert_eq!(texts(&rest), ["three", "four"]);
    assert_eq!((rest[0].line, rest[0].offset), (3, 8));
}

#[test]
fn a_file_that_grows_while_it_is_read_gives_no_half_lines() {
    let folder = Folder::new();
    let path = folder.write("events", b"one\ntw");
    let mut source = open(&path);
    assert_eq!(texts(&source.next_lines(9).unwrap()), ["one", "tw"]);
    let mut file = OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"o\nthree\n").unwrap();
    assert!(source.next_lines(9).unwrap().is_empty());
}

#[test]
fn another_shorter_or_changed_file_is_read_from_its_start() {
    let folder = Folder::new();
    let path = folder.write("events", b"one\ntwo\nthree\n");
    let row = row_after(&path, 2);
    for content in ["one\ntwo", "one\nTWO\nthree\n", "ONE\ntwo\nthree\n", "one\n", ""] {
        let path = folder.write("changed", content.as_bytes());
        let (skipped, lines) = resumed(&path, &row);
        assert_eq!(skipped, 0, "{content:?}");
        assert_eq!(lines, read_all(&mut open(&path)), "{content:?}");
    }
}

#[test]
fn a_change_far_before_the_place_is_not_seen() {
    let folder = Folder::new();
    let mut content = b"first\n".to_vec();
    for number in 0..1000 {
        content.extend_from_slice(format!("line {number}\n").as_bytes());
    }
    let row = row_after(&folder.write("events", &content), 900);
    content[10] = b'?';
    assert_eq!(resumed(&folder.write("events", &content), &row).0, 900);
}

#[test]
fn a_newer_or_damaged_row_is_refused() {
    let folder = Folder::new();
    let path = folder.write("events", b"one\n");
    for row in [&[2_u8, 0][..], &[1, 2, 3], &[]] {
        let error = open(&path).resume(Some(row)).unwrap_err();
        assert!(error.to_string().contains("row"), "{error}");
    }
}

#[test]
fn a_missing_file_and_a_folder_are_errors() {
    let folder = Folder::new();
    assert!(FileLines::open(&folder.0.path().join("missing"), 10).is_err());
    assert!(FileLines::open(folder.0.path(), 10).is_err());
}

/// What is no regular file has no position.
#[cfg(unix)]
#[test]
fn a_pipe_is_read_from_its_start_and_gives_what_it_has() {
    let folder = Folder::new();
    let path = folder.0.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&path).status().unwrap();
    assert!(made.success());
    let (tell, told) = std::sync::mpsc::channel();
    let writer = std::thread::spawn({
        let path = path.clone();
        move || {
            let mut pipe = OpenOptions::new().write(true).open(path).unwrap();
            pipe.write_all(b"one\ntwo\nthr").unwrap();
            // Waits until the reader has the first two.
            told.recv().unwrap();
            pipe.write_all(b"ee\n").unwrap();
        }
    });
    let mut source = open(&path);
    let mut lines = source.next_lines(9).unwrap();
    while lines.len() < 2 {
        lines.extend(source.next_lines(9).unwrap());
    }
    assert_eq!(texts(&lines), ["one", "two"]);
    assert_eq!(source.position(4, 1), None);
    tell.send(()).unwrap();
    assert_eq!(texts(&read_all(&mut source)), ["three"]);
    writer.join().unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Stopped behind any line and started again, a file gives each line once, but for an unended last one.
    #[test]
    fn stopping_anywhere_loses_and_repeats_nothing(
        content in proptest::collection::vec(prop_oneof![4 => Just(b'x'), 1 => Just(b'\n'), 1 => Just(b'\r'), 1 => any::<u8>()], 0..600),
        stop in 1..40_usize,
    ) {
        let folder = Folder::new();
        let path = folder.write("events", &content);
        let all = read_all(&mut open(&path));
        let mut source = open(&path);
        let head = source.next_lines(stop).unwrap();
        let Some(last) = head.last() else { return Ok(()) };
        let row = source.position(last.end, last.line).unwrap().value.unwrap();
        let rest = resumed(&path, &row).1;
        let is_unended = last.end == content.len() as u64 && content.last() != Some(&b'\n');
        let kept = head.len() - usize::from(is_unended);
        prop_assert_eq!([&head[..kept], &rest].concat(), all);
    }

    #[test]
    fn lines_and_what_ends_them_are_the_whole_file(content: Vec<u8>) {
        let lines = lines_of(&content);
        let mut end = if content.starts_with(b"\xEF\xBB\xBF") { 3 } else { 0 };
        for line in &lines {
            prop_assert_eq!(line.offset, end);
            end = line.end;
            let raw = &content[usize::try_from(line.offset).unwrap()..usize::try_from(line.end).unwrap()];
            let text = raw.strip_suffix(b"\n").unwrap_or(raw);
            let text = text.strip_suffix(b"\r").unwrap_or(text);
            prop_assert_eq!(&line.bytes, &text[..text.len().min(EVENT_BYTES_MAX + 1)]);
        }
        prop_assert_eq!(end, content.len() as u64);
    }
}
