//! The head file beside the store: what the store lost is refused with both numbers, told on request, and accepted only
//! by somebody who says so (clause S12).
#![cfg(feature = "store")]
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail loudly")]

use doorward::io::store::{FjallStore, Loss, StoreKind, StoreOptions, journal_gap};
use doorward::pipeline::ports::{Batch, Keyspace, Store, StoreError};
use std::fs;
use std::path::Path;

fn open(folder: &Path) -> Result<FjallStore, StoreError> {
    FjallStore::open(folder, StoreKind::Real, &StoreOptions::default())
}

fn losses(folder: &Path) -> Vec<Loss> {
    FjallStore::losses(folder, &StoreOptions::default()).unwrap()
}

/// Commits `records` journal records, each in a batch of its own.
fn commit(store: &FjallStore, records: u64) {
    for _ in 0..records {
        let head = store.head().unwrap();
        let mut batch = Batch {
            expected_head: head,
            new_head: head + 1,
            changes: Vec::new(),
        };
        for keyspace in [Keyspace::Journal, Keyspace::Decided] {
            batch.put(keyspace, (head + 1).to_be_bytes().to_vec(), vec![7; 200]);
        }
        store.commit(batch).unwrap();
    }
}

fn filled(records: u64) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    commit(&open(folder.path()).unwrap(), records);
    folder
}

fn reason(folder: &Path) -> String {
    match open(folder).map(|store| store.kind()) {
        Err(StoreError::Refused { reason, .. }) => reason,
        other => panic!("not refused: {other:?}"),
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy_folder(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// A store at 20 whose engine was put back to where it was at 12: a disk that forgot, or half a backup.
fn put_back() -> tempfile::TempDir {
    let folder = filled(12);
    let earlier = tempfile::tempdir().unwrap();
    copy_folder(&folder.path().join("store"), earlier.path());
    commit(&open(folder.path()).unwrap(), 8);
    fs::remove_dir_all(folder.path().join("store")).unwrap();
    copy_folder(earlier.path(), &folder.path().join("store"));
    folder
}

fn cut_journal(folder: &Path) {
    let path = folder.join("store/0.jnl");
    let whole = fs::read(&path).unwrap();
    let used = whole.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    fs::write(&path, whole.get(..used - 500).unwrap()).unwrap();
}

#[test]
fn a_store_below_its_witness_is_refused_with_both_numbers_and_advice() {
    let folder = put_back();
    let text = reason(folder.path());
    assert!(text.contains("seq 12") && text.contains("seq 20"), "{text}");
    assert!(text.contains("doorward store accept-loss --data"), "{text}");
}

#[test]
fn a_journal_that_was_cut_is_refused_and_not_cut_further() {
    let folder = filled(20);
    cut_journal(folder.path());
    let before = fs::read(folder.path().join("store/0.jnl")).unwrap();
    let text = reason(folder.path());
    assert!(text.contains("seq 19") && text.contains("seq 20"), "{text}");
    assert_eq!(losses(folder.path()).len(), 1);
    let after = fs::read(folder.path().join("store/0.jnl")).unwrap();
    assert_eq!(before, after, "a refusal changed the store");
}

#[test]
fn a_loss_is_told_exactly_and_goes_on_only_once_accepted() {
    let folder = put_back();
    let told = [Loss::End {
        head: 12,
        told: 20,
        commits: 8,
    }];
    assert_eq!(losses(folder.path()), told);
    assert_eq!(losses(folder.path()), told, "telling changed something");
    let store = FjallStore::accept_losses(folder.path(), &StoreOptions::default()).unwrap();
    assert_eq!(store.head().unwrap(), 12);
    commit(&store, 3);
    drop(store);
    assert_eq!(losses(folder.path()), []);
    assert_eq!(open(folder.path()).unwrap().head().unwrap(), 15);
}

/// A machine that dies keeps what was synced: the store to its end, the head file as it was up to a second before.
#[test]
fn a_store_ahead_of_its_witness_opens_and_the_witness_follows() {
    let folder = filled(5);
    let head = folder.path().join("head");
    let earlier = fs::read(&head).unwrap();
    commit(&open(folder.path()).unwrap(), 4);
    let newest = fs::read(&head).unwrap();
    fs::write(&head, &earlier).unwrap();
    assert_eq!(open(folder.path()).unwrap().head().unwrap(), 9);
    assert_ne!(fs::read(&head).unwrap(), earlier);
    // It is the whole truth again: a store that falls back behind it is refused.
    fs::write(&head, newest).unwrap();
    cut_journal(folder.path());
    assert!(reason(folder.path()).contains("seq 9"));
}

#[test]
fn a_missing_witness_is_refused_and_can_be_accepted() {
    let folder = filled(5);
    fs::remove_file(folder.path().join("head")).unwrap();
    let text = reason(folder.path());
    assert!(text.contains("`head`") && text.contains("missing"), "{text}");
    drop(FjallStore::accept_losses(folder.path(), &StoreOptions::default()).unwrap());
    assert_eq!(open(folder.path()).unwrap().head().unwrap(), 5);
}

#[test]
fn a_witness_without_a_whole_slot_is_refused_by_name() {
    let folder = filled(5);
    fs::write(folder.path().join("head"), vec![0; 5_000]).unwrap();
    let text = reason(folder.path());
    assert!(text.contains("`head`") && text.contains("damaged"), "{text}");
}

#[test]
fn a_witness_of_another_store_is_refused_by_name() {
    let (one, other) = (filled(5), filled(9));
    fs::copy(other.path().join("head"), one.path().join("head")).unwrap();
    let text = reason(one.path());
    assert!(text.contains("belongs to another store"), "{text}");
}

#[test]
fn a_store_that_is_gone_is_not_made_anew_beside_its_witness() {
    let folder = filled(5);
    fs::remove_dir_all(folder.path().join("store")).unwrap();
    let text = reason(folder.path());
    assert!(text.contains("missing") && text.contains("seq 5"), "{text}");
    assert!(!folder.path().join("store").exists());
    fs::remove_file(folder.path().join("head")).unwrap();
    assert_eq!(open(folder.path()).unwrap().head().unwrap(), 0);
}

#[test]
fn a_gap_in_the_journal_table_is_found_and_accepting_keeps_what_is_behind_it() {
    let folder = filled(20);
    let store = open(folder.path()).unwrap();
    let mut batch = Batch {
        expected_head: 20,
        new_head: 20,
        changes: Vec::new(),
    };
    batch.delete(Keyspace::Journal, 7_u64.to_be_bytes().to_vec());
    batch.delete(Keyspace::Journal, 9_u64.to_be_bytes().to_vec());
    store.commit(batch).unwrap();
    assert_eq!(
        journal_gap(&store).unwrap(),
        Some(Loss::Journal { from: 7, to: 9 })
    );
    drop(store);
    assert_eq!(losses(folder.path()), [Loss::Journal { from: 7, to: 9 }]);
    let store = FjallStore::accept_losses(folder.path(), &StoreOptions::default()).unwrap();
    let rows = store.scan(Keyspace::Journal, &[], &[], usize::MAX).unwrap();
    assert_eq!(rows.len(), 11, "records 10 to 20");
    assert_eq!(journal_gap(&store).unwrap(), None);
    assert_eq!(store.scan(Keyspace::Decided, &[], &[], 100).unwrap().len(), 20);
}

#[test]
fn a_journal_that_ends_before_the_head_is_refused_when_opened() {
    let folder = filled(20);
    let store = open(folder.path()).unwrap();
    let mut batch = Batch {
        expected_head: 20,
        new_head: 20,
        changes: Vec::new(),
    };
    batch.delete(Keyspace::Journal, 20_u64.to_be_bytes().to_vec());
    store.commit(batch).unwrap();
    drop(store);
    let text = reason(folder.path());
    assert!(text.contains("seq 20"), "{text}");
}

#[test]
fn lists_of_table_files_that_changed_are_refused_by_name() {
    let folder = filled(5);
    let mut found = 0;
    for entry in fs::read_dir(folder.path().join("store/keyspaces")).unwrap() {
        let current = entry.unwrap().path().join("current");
        let number = u64::from_le_bytes(*fs::read(&current).unwrap().first_chunk().unwrap());
        for path in [current.with_file_name(format!("v{number}")), current] {
            let whole = fs::read(&path).unwrap();
            let mut damaged = whole.clone();
            *damaged.get_mut(whole.len() / 2).unwrap() ^= 4;
            fs::write(&path, damaged).unwrap();
            let text = reason(folder.path());
            assert!(text.contains("keyspaces"), "{text}");
            fs::write(&path, whole).unwrap();
            found += 1;
        }
    }
    assert!(found >= 2 * Keyspace::ALL.len(), "only {found} files");
    assert_eq!(open(folder.path()).unwrap().head().unwrap(), 5);
}

/// Where the sequence numbers of the engine's batches lie in its journal: behind the end of the one before, a tag and a
/// count.
fn places_of_sequence_numbers(journal: &[u8]) -> Vec<usize> {
    let end = *b"FJL\x03\x01";
    let ends = journal.windows(end.len()).enumerate();
    ends.filter(|(_, bytes)| *bytes == end)
        .map(|(at, _)| at + end.len() + 4)
        .collect()
}

/// The engine's checksums leave out the number by which it tells an older version of a row from a newer one: a batch
/// that was numbered back would bring an old history to life again, with the journal complete and the head right.
#[test]
fn a_batch_that_was_numbered_anew_is_refused_or_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    for head in 0..9 {
        let mut batch = Batch {
            expected_head: head,
            new_head: head + 1,
            changes: Vec::new(),
        };
        batch.put(Keyspace::Journal, (head + 1).to_be_bytes().to_vec(), vec![7]);
        batch.put(Keyspace::User, b"anna".to_vec(), head.to_be_bytes().to_vec());
        store.commit(batch).unwrap();
    }
    drop(store);
    let history = |store: &FjallStore| store.load_many(Keyspace::User, &[b"anna".to_vec()]).unwrap();
    let before = history(&open(folder.path()).unwrap());
    let journal = folder.path().join("store/0.jnl");
    let whole = fs::read(&journal).unwrap();
    let places = places_of_sequence_numbers(&whole);
    assert!(places.len() >= 9, "{places:?}");
    let mut refused = 0;
    for place in places.iter().rev().take(3) {
        for bit in 0..64 {
            let mut damaged = whole.clone();
            *damaged.get_mut(place + bit / 8).unwrap() ^= 1 << (bit % 8);
            fs::write(&journal, damaged).unwrap();
            match open(folder.path()) {
                Ok(store) => assert_eq!(history(&store), before, "bit {bit} at {place}"),
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused > 2 * 64, "only {refused} of 192 refused");
}
