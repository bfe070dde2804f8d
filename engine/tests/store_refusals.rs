//! A store that must not be opened says so, names the place and the reason, and is left as it was.
#![cfg(feature = "store")]
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test may fail loudly"
)]

use doorward::io::store::{FjallStore, StoreKind, StoreOptions};
use doorward::pipeline::ports::{Batch, Keyspace, Store, StoreError};
use fjall::{Database, KeyspaceCreateOptions};
use std::fs;
use std::path::{Path, PathBuf};

fn open(folder: &Path) -> Result<FjallStore, StoreError> {
    FjallStore::open(folder, StoreKind::Real, &StoreOptions::default())
}

/// A store with some rows, closed.
fn filled() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path()).unwrap();
    for head in 0..20_u64 {
        let mut batch = Batch {
            expected_head: head,
            new_head: head + 1,
            changes: Vec::new(),
        };
        for keyspace in [Keyspace::Journal, Keyspace::User] {
            batch.put(keyspace, (head + 1).to_be_bytes().to_vec(), vec![7; 200]);
        }
        store.commit(batch).unwrap();
    }
    folder
}

/// Changes a row of the store about itself, as another version would have written it.
fn write_own_row(folder: &Path, key: &str, value: Option<&[u8]>) {
    let database = Database::builder(folder.join("store")).open().unwrap();
    let meta = database.keyspace("meta", KeyspaceCreateOptions::default).unwrap();
    match value {
        Some(value) => meta.insert(key, value).unwrap(),
        None => meta.remove(key).unwrap(),
    }
    database.persist(fjall::PersistMode::SyncAll).unwrap();
}

fn reason(result: Result<FjallStore, StoreError>) -> String {
    match result.map(|store| store.kind()) {
        Err(StoreError::Refused { path, reason }) => {
            assert!(path.ends_with("store"), "{path}");
            reason
        }
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn a_second_opening_is_told_that_the_store_is_in_use() {
    let folder = filled();
    let first = open(folder.path()).unwrap();
    let error = open(folder.path()).err().unwrap();
    assert!(matches!(error, StoreError::Locked { .. }), "{error}");
    assert!(error.to_string().contains(folder.path().to_str().unwrap()));
    drop(first);
    assert_eq!(open(folder.path()).unwrap().head().unwrap(), 20);
}

#[test]
fn the_demo_and_real_logins_never_share_a_store() {
    let real = filled();
    let as_demo = FjallStore::open(real.path(), StoreKind::Demo, &StoreOptions::default());
    let text = reason(as_demo);
    assert!(
        text.contains("real logins") && text.contains("not the demo"),
        "{text}"
    );

    let demo = tempfile::tempdir().unwrap();
    drop(FjallStore::open(demo.path(), StoreKind::Demo, &StoreOptions::default()).unwrap());
    let text = reason(open(demo.path()));
    assert!(
        text.contains("the demo") && text.contains("not real logins"),
        "{text}"
    );
    let look = FjallStore::open_existing(demo.path(), &StoreOptions::default()).unwrap();
    assert_eq!(look.kind(), StoreKind::Demo);
}

#[test]
fn the_id_stays_and_differs_between_stores() {
    let (one, other) = (filled(), filled());
    let id = open(one.path()).unwrap().id();
    assert_eq!(open(one.path()).unwrap().id(), id);
    assert_ne!(open(other.path()).unwrap().id(), id);
}

#[test]
fn a_look_makes_no_store() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("mistyped");
    let text = reason(FjallStore::open_existing(&data, &StoreOptions::default()));
    assert!(text.contains("no store"), "{text}");
    assert!(!data.exists());
}

#[test]
fn a_newer_format_is_refused_with_both_versions() {
    let folder = filled();
    write_own_row(folder.path(), "store/format/user", Some(&[1, 2, 0]));
    let text = reason(open(folder.path()));
    assert!(
        text.contains("`user` has format 2") && text.contains("up to 1"),
        "{text}"
    );
}

#[test]
fn rows_without_the_rows_about_the_store_are_refused() {
    let folder = filled();
    for row in ["store/id", "store/kind", "store/head", "store/commit"] {
        write_own_row(folder.path(), row, None);
    }
    let text = reason(open(folder.path()));
    assert!(text.contains("missing"), "{text}");
    for keyspace in Keyspace::ALL {
        write_own_row(folder.path(), &format!("store/format/{keyspace}"), None);
    }
    let text = reason(open(folder.path()));
    assert!(text.contains("`journal` has rows"), "{text}");
}

#[test]
fn a_lost_table_is_not_made_anew() {
    let folder = filled();
    let database = Database::builder(folder.path().join("store")).open().unwrap();
    let user = database.keyspace("user", KeyspaceCreateOptions::default).unwrap();
    let files = user.path().to_owned();
    drop((user, database));
    fs::remove_dir_all(files).unwrap();
    let text = reason(open(folder.path()));
    assert!(text.contains("`user`"), "{text}");
}

#[test]
fn a_file_or_a_strange_folder_in_its_place_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "text").unwrap();
    reason(open(&file));

    let folder = filled();
    fs::create_dir(folder.path().join("store/keyspaces/lost+found")).unwrap();
    let text = reason(open(folder.path()));
    assert!(text.contains("lost+found"), "{text}");
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(files_in(&path));
        } else if path.file_name().is_some_and(|name| name != "lock") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Writes the rows of table `user` from the journal into a file of their own, and gives that table's folder.
fn write_out_users(folder: &Path) -> PathBuf {
    let database = Database::builder(folder.join("store")).open().unwrap();
    let user = database.keyspace("user", KeyspaceCreateOptions::default).unwrap();
    user.rotate_memtable_and_wait().unwrap();
    user.path().to_owned()
}

fn damages_of(whole: &[u8]) -> Vec<Vec<u8>> {
    let mut damages = vec![Vec::new(), whole[..whole.len() / 2].to_vec()];
    for part in 0..4 {
        let mut flipped = whole.to_vec();
        if let Some(byte) = flipped.get_mut(whole.len() * part / 4 + part) {
            *byte ^= 1 << part;
            damages.push(flipped);
        }
    }
    damages
}

/// A damaged file makes an error or goes unnoticed by the engine (the next line of defence is not here); it never
/// ends the process.
#[test]
fn a_damaged_file_never_panics() {
    let folder = filled();
    let users = write_out_users(folder.path());
    let store = folder.path().join("store");
    let mut files = files_in(&store.join("keyspaces/0"));
    files.extend(files_in(&users));
    files.extend([store.join("0.jnl"), store.join("version")]);
    let mut refusals = 0;
    for file in files {
        let whole = fs::read(&file).unwrap();
        for damaged in damages_of(&whole) {
            fs::write(&file, damaged).unwrap();
            refusals += usize::from(is_noticed(folder.path()));
        }
        fs::write(&file, &whole).unwrap();
    }
    assert!(refusals > 20, "only {refusals} refusals");
    assert_eq!(open(folder.path()).unwrap().head().unwrap(), 20);
}

/// Opens and reads a copy of a damaged store.
fn is_noticed(folder: &Path) -> bool {
    let copy = tempfile::tempdir().unwrap();
    copy_folder(folder, copy.path());
    match open(copy.path()) {
        Ok(store) => Keyspace::ALL
            .into_iter()
            .any(|keyspace| store.scan(keyspace, &[], &[], usize::MAX).is_err()),
        Err(error) => {
            let text = error.to_string();
            assert!(text.contains(copy.path().to_str().unwrap()), "{text}");
            true
        }
    }
}

fn copy_folder(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            fs::create_dir(&target).unwrap();
            copy_folder(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}
