use super::*;

/// A batch as the engine writes it; `rows` are key and value.
fn batch(seqno: u64, rows: &[(&[u8], &[u8])]) -> Vec<u8> {
    let mut bytes = vec![1];
    bytes.extend(u32::try_from(rows.len()).unwrap().to_le_bytes());
    bytes.extend(seqno.to_le_bytes());
    for (key, value) in rows {
        bytes.extend([2, 0, 0]);
        bytes.extend(14_u64.to_le_bytes());
        bytes.extend(u16::try_from(key.len()).unwrap().to_le_bytes());
        let length = u32::try_from(value.len()).unwrap().to_le_bytes();
        bytes.extend(length);
        bytes.extend(length);
        bytes.extend(*key);
        bytes.extend(*value);
    }
    bytes.push(3);
    bytes.extend(0_u64.to_le_bytes());
    bytes.extend(ENDS_A_BATCH);
    bytes
}

fn commit_row(commits: u64, seqno_from: u64) -> CommitRow {
    CommitRow {
        store: [1; 16],
        commits,
        head: commits * 100,
        seqno_from,
    }
}

/// The `commits`-th batch of a store, at `seqno`, when the engine's counter was at `seqno_from`.
fn commit(commits: u64, seqno: u64, seqno_from: u64) -> Vec<u8> {
    let row = commit_row(commits, seqno_from).value();
    batch(
        seqno,
        &[(b"anna", b"history"), (COMMIT, &row), (b"12 bytes key", b"x")],
    )
}

fn folder_with(files: &[&[u8]]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (number, bytes) in files.iter().enumerate() {
        std::fs::write(folder.path().join(format!("{number}.jnl")), bytes).unwrap();
    }
    folder
}

fn read_files(files: &[&[u8]]) -> Result<JournalEnd, String> {
    read(folder_with(files).path())
}

#[test]
fn whole_files_end_with_their_last_commit() {
    let one = [commit(1, 5, 5), commit(2, 6, 6)].concat();
    let other = [commit(3, 9, 7), vec![0; 20_000]].concat();
    let end = read_files(&[&one, &other]).unwrap();
    assert_eq!(end.last, Some(commit_row(3, 7)));
    assert_eq!(end.broken_at, None);
    assert_eq!(read_files(&[&[]]).unwrap(), JournalEnd::default());
}

#[test]
fn a_batch_that_stops_half_way_is_no_part_of_the_journal() {
    let whole = commit(1, 5, 5);
    let torn = commit(2, 6, 6);
    for length in 1..torn.len() {
        let file = [&whole, &torn[..length]].concat();
        let end = read_files(&[&file]).unwrap();
        assert_eq!(end.last, Some(commit_row(1, 5)), "{length} bytes");
        assert_eq!(end.broken_at, Some(whole.len() as u64), "{length} bytes");
    }
}

#[test]
fn an_older_file_is_whole_or_refused() {
    let one = commit(1, 5, 5);
    let text = read_files(&[&one[..one.len() - 3], &commit(2, 6, 6)]).unwrap_err();
    assert!(text.contains("`0.jnl`") && text.contains("byte 0"), "{text}");
}

#[test]
fn a_missing_batch_between_others_is_refused_with_both_numbers() {
    let file = [commit(1, 5, 5), commit(3, 9, 8)].concat();
    let text = read_files(&[&file]).unwrap_err();
    assert!(text.contains("commit 1 is followed by commit 3"), "{text}");
}

#[test]
fn every_wrong_number_that_changes_which_row_is_newer_is_refused() {
    // Three batches at 20, 24 and 29; the middle one is changed by every bit. Between 21 and 28 nothing is reordered.
    for bit in 0..64 {
        let seqno = 24 ^ (1 << bit);
        let file = [commit(1, 20, 20), commit(2, seqno, 23), commit(3, 29, 29)].concat();
        let result = read_files(&[&file]);
        assert_eq!(result.is_ok(), (23..29).contains(&seqno), "bit {bit}: {result:?}");
    }
}

#[test]
fn a_store_without_journal_files_is_refused() {
    assert!(read_files(&[]).unwrap_err().contains("missing"));
}

proptest::proptest! {
    #[test]
    fn any_bytes_are_read_to_an_end(bytes: Vec<u8>, before in 0..2_usize) {
        let file = [commit(1, 5, 5).repeat(before), bytes].concat();
        let _ = read_files(&[&file]);
    }
}
