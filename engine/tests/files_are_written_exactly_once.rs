//! An output file holds each record once, whole, whatever happened in between, and is never mixed with another's.
#![cfg(feature = "files")]
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

use doorward::io::files::{FileSink, SinkKind, StdoutSink};
use doorward::io::sink_cursor::SinkCursor;
use doorward::pipeline::ports::{Keyspace, Record, Seq, Sink, SinkError};
use proptest::prelude::*;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

const KIND: SinkKind = SinkKind::Decisions;

fn record(seq: Seq, text: &str) -> Record {
    Record {
        seq,
        bytes: text.as_bytes().to_vec(),
    }
}

fn cursor_after(sink: &mut FileSink, up_to: Seq) -> Vec<u8> {
    let change = sink.acknowledge(up_to).unwrap().unwrap();
    assert_eq!(change.keyspace, Keyspace::Sink);
    change.value.unwrap()
}

/// A file with two lines that are acknowledged up to `seq` 2.
fn written(folder: &Path) -> (PathBuf, Vec<u8>) {
    let path = folder.join("decisions.ndjson");
    let mut sink = FileSink::open(KIND, &path, None).unwrap();
    sink.publish(&[record(1, "one"), record(2, "two")]).unwrap();
    let cursor = cursor_after(&mut sink, 2);
    (path, cursor)
}

fn append(path: &Path, bytes: &[u8]) {
    let mut file = OpenOptions::new().append(true).open(path).unwrap();
    file.write_all(bytes).unwrap();
}

fn refusal(result: Result<FileSink, SinkError>) -> String {
    result.err().unwrap().to_string()
}

#[test]
fn a_new_path_gets_records_from_now_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("decisions.ndjson");
    let mut sink = FileSink::open(KIND, &path, None).unwrap();
    assert_eq!(sink.published_up_to(), None);
    assert_eq!(sink.name(), path.to_str().unwrap());
    let cursor = SinkCursor::decode(&cursor_after(&mut sink, 41)).unwrap();
    assert_eq!((cursor.seq, cursor.length), (41, 0));
    sink.publish(&[record(42, "a")]).unwrap();
    sink.publish(&[]).unwrap();
    sink.publish(&[record(43, "b"), record(43, "c")]).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"a\nb\nc\n");
}

#[test]
fn what_does_not_fit_is_left_out_in_the_same_way_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("dead-letters.ndjson");
    let open = |cursor: Option<&[u8]>| FileSink::open(KIND, &path, cursor).unwrap().at_most(12);
    let records = [record(3, "three"), record(4, "four"), record(5, "5")];
    let mut sink = open(None);
    sink.publish(&[record(1, "one")]).unwrap();
    let cursor = cursor_after(&mut sink, 1);
    sink.publish(&records).unwrap();
    drop(sink);
    assert_eq!(fs::read(&path).unwrap(), b"one\nthree\n5\n");
    let mut sink = open(Some(&cursor));
    assert_eq!(fs::read(&path).unwrap(), b"one\n");
    sink.publish(&records).unwrap();
    let cursor = cursor_after(&mut sink, 5);
    sink.publish(&[record(6, "")]).unwrap();
    drop(sink);
    assert_eq!(fs::read(&path).unwrap(), b"one\nthree\n5\n", "twelve bytes");
    fs::remove_file(&path).unwrap();
    open(Some(&cursor)).publish(&[record(7, "seven")]).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"seven\n", "it was moved away");
}

#[test]
fn a_restart_goes_on_behind_the_cursor() {
    let folder = tempfile::tempdir().unwrap();
    let (path, cursor) = written(folder.path());
    let mut sink = FileSink::open(KIND, &path, Some(&cursor)).unwrap();
    assert_eq!(sink.published_up_to(), Some(2));
    sink.publish(&[record(3, "three")]).unwrap();
    let cursor = cursor_after(&mut sink, 3);
    drop(sink);
    assert_eq!(fs::read(&path).unwrap(), b"one\ntwo\nthree\n");
    assert_eq!(
        FileSink::open(KIND, &path, Some(&cursor))
            .unwrap()
            .published_up_to(),
        Some(3)
    );
}

#[test]
fn what_a_crash_left_behind_the_cursor_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let (path, cursor) = written(folder.path());
    for left in ["thr", "three\nfo", "three\n"] {
        append(&path, left.as_bytes());
        drop(FileSink::open(KIND, &path, Some(&cursor)).unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"one\ntwo\n");
    }
}

#[test]
fn a_crash_in_the_first_batch_is_cut_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("decisions.ndjson");
    let mut sink = FileSink::open(KIND, &path, None).unwrap();
    let cursor = cursor_after(&mut sink, 0);
    sink.publish(&[record(1, "one")]).unwrap();
    drop(sink);
    let sink = FileSink::open(KIND, &path, Some(&cursor)).unwrap();
    assert_eq!(sink.published_up_to(), Some(0));
    assert_eq!(fs::read(&path).unwrap(), b"");
}

#[test]
fn a_file_of_somebody_else_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = written(folder.path());
    let text = refusal(FileSink::open(KIND, &path, None));
    assert!(text.contains("not empty") && text.contains("ndjson"), "{text}");
    assert_eq!(fs::read(&path).unwrap(), b"one\ntwo\n");
    let empty = folder.path().join("empty");
    fs::write(&empty, "").unwrap();
    FileSink::open(KIND, &empty, None).unwrap();
}

#[test]
fn a_shorter_or_changed_file_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let (path, cursor) = written(folder.path());
    fs::write(&path, "one\n").unwrap();
    let text = refusal(FileSink::open(KIND, &path, Some(&cursor)));
    assert!(
        text.contains("4 bytes") && text.contains("8 were written"),
        "{text}"
    );
    for content in ["one\nTWO\n", "somebody's own notes\n"] {
        fs::write(&path, content).unwrap();
        let text = refusal(FileSink::open(KIND, &path, Some(&cursor)));
        assert!(text.contains("not what was written"), "{text}");
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
    }
}

#[test]
fn a_file_taken_away_is_begun_anew_behind_the_cursor() {
    let folder = tempfile::tempdir().unwrap();
    let (path, cursor) = written(folder.path());
    fs::remove_file(&path).unwrap();
    let mut sink = FileSink::open(KIND, &path, Some(&cursor)).unwrap();
    assert_eq!(sink.published_up_to(), Some(2));
    let cursor = cursor_after(&mut sink, 2);
    sink.publish(&[record(3, "three")]).unwrap();
    drop(sink);
    drop(FileSink::open(KIND, &path, Some(&cursor)).unwrap());
    assert_eq!(fs::read(&path).unwrap(), b"");
}

#[test]
fn a_file_has_one_writer() {
    let folder = tempfile::tempdir().unwrap();
    let (path, cursor) = written(folder.path());
    let first = FileSink::open(KIND, &path, Some(&cursor)).unwrap();
    let text = refusal(FileSink::open(SinkKind::DeadLetters, &path, None));
    assert!(text.contains("being written"), "{text}");
    drop(first);
    FileSink::open(KIND, &path, Some(&cursor)).unwrap();
}

#[test]
fn one_file_has_one_cursor_however_it_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("sub")).unwrap();
    let key = |kind, name: &str| FileSink::cursor_key(kind, &folder.path().join(name)).unwrap();
    let plain = key(KIND, "file");
    assert_eq!(key(KIND, "sub/../file"), plain);
    assert_eq!(key(KIND, "./file"), plain);
    assert_ne!(key(KIND, "sub/file"), plain);
    assert_ne!(key(SinkKind::DeadLetters, "file"), plain);
    assert!(plain.starts_with(b"decisions:/"));
    assert_ne!(StdoutSink::cursor_key(KIND), plain);
    assert!(FileSink::cursor_key(KIND, &folder.path().join("missing/file")).is_err());
    assert!(FileSink::cursor_key(KIND, Path::new("/")).is_err());
}

#[test]
fn a_newer_or_damaged_cursor_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (path, _) = written(folder.path());
    for cursor in [&[2_u8, 0][..], &[1], &[]] {
        let text = refusal(FileSink::open(KIND, &path, Some(cursor)));
        assert!(text.contains("row"), "{text}");
    }
    assert_eq!(fs::read(&path).unwrap(), b"one\ntwo\n");
}

/// What is no file cannot be cut, so it has no cursor.
#[cfg(unix)]
#[test]
fn a_device_is_written_without_a_cursor() {
    let mut sink = FileSink::open(KIND, Path::new("/dev/null"), None).unwrap();
    sink.publish(&[record(1, "one")]).unwrap();
    assert_eq!(sink.acknowledge(1).unwrap(), None);
}

/// A disk that is full is an error, and the next start cuts what it took of the batch.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told() {
    let mut sink = FileSink::open(KIND, Path::new("/dev/full"), None).unwrap();
    let error = sink.publish(&[record(1, "one")]).unwrap_err();
    assert!(error.to_string().contains("/dev/full"), "{error}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// Batches published and now and then acknowledged; after each crash the pipeline publishes again from the
    /// cursor. The file is what an uninterrupted run would have written.
    #[test]
    fn crashes_anywhere_leave_no_trace(
        lengths in proptest::collection::vec(0..3000_usize, 1..30),
        fates in proptest::collection::vec((1..5_usize, any::<bool>(), any::<bool>(), 0..5000_usize), 1..20),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("decisions.ndjson");
        let records: Vec<_> = (1..).zip(&lengths).map(|(seq, length)| record(seq, &"y".repeat(*length))).collect();
        let mut sink = FileSink::open(KIND, &path, None).unwrap();
        let mut stored = cursor_after(&mut sink, 0);
        let mut next = 0;
        for (count, acknowledges, crashes, torn) in fates {
            let batch = &records[next..(next + count).min(records.len())];
            sink.publish(batch).unwrap();
            next += batch.len();
            if acknowledges {
                stored = cursor_after(&mut sink, next as Seq);
            }
            if crashes {
                drop(sink);
                append(&path, &vec![b'z'; torn]);
                sink = FileSink::open(KIND, &path, Some(&stored)).unwrap();
                next = usize::try_from(sink.published_up_to().unwrap()).unwrap();
            }
        }
        sink.publish(&records[next..]).unwrap();
        let whole: String = lengths.iter().map(|length| "y".repeat(*length) + "\n").collect();
        prop_assert!(fs::read_to_string(&path).unwrap() == whole);
    }
}
