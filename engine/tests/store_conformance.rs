//! Every store keeps one contract: the same suite runs over the memory twin and the embedded store.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use doorward::io::memory::store::MemoryStore;
use doorward::pipeline::ports::{Batch, Keyspace, Row, Store, StoreError};
use proptest::prelude::*;
use std::cell::RefCell;
use std::collections::BTreeMap;

/// A store under test, and how to open it anew.
trait Subject {
    type Store: Store;
    fn store(&self) -> &Self::Store;
    /// Closes and opens; a twin has nothing to close.
    fn reopen(self) -> Self;
}

struct Memory(MemoryStore);

impl Subject for Memory {
    type Store = MemoryStore;
    fn store(&self) -> &MemoryStore {
        &self.0
    }
    fn reopen(self) -> Self {
        self
    }
}

fn memory() -> Memory {
    Memory(MemoryStore::new())
}

#[cfg(feature = "store")]
mod embedded {
    use super::Subject;
    use doorward::io::store::{FjallStore, StoreKind, StoreOptions};

    pub struct Embedded(Option<FjallStore>, tempfile::TempDir);

    pub fn embedded() -> Embedded {
        let folder = tempfile::tempdir().unwrap();
        Embedded(Some(open(&folder)), folder)
    }

    fn open(folder: &tempfile::TempDir) -> FjallStore {
        FjallStore::open(folder.path(), StoreKind::Real, &StoreOptions::default()).unwrap()
    }

    impl Subject for Embedded {
        type Store = FjallStore;
        fn store(&self) -> &FjallStore {
            self.0.as_ref().unwrap()
        }
        fn reopen(mut self) -> Self {
            drop(self.0.take());
            self.0 = Some(open(&self.1));
            self
        }
    }
}

macro_rules! over_every_store {
    ($($sentence:ident),* $(,)?) => {
        mod the_memory_store {
            $(#[test] fn $sentence() { super::$sentence(super::memory()); })*
        }
        #[cfg(feature = "store")]
        mod the_embedded_store {
            $(#[test] fn $sentence() { super::$sentence(super::embedded::embedded()); })*
        }
    };
}

over_every_store!(
    is_empty_at_first,
    loads_what_was_committed_also_after_a_restart,
    overwrites_and_deletes,
    scans_in_the_order_of_bytes,
    scans_a_prefix_from_a_key_up_to_a_limit,
    scans_back_from_the_last,
    sees_writes_between_scans,
    writes_many_tables_at_once,
    refuses_a_moved_head_and_writes_nothing,
    refuses_what_no_store_could_keep,
    moves_only_cursors_without_moving_the_head,
    keeps_empty_and_large_values,
    keeps_ten_thousand_rows,
    is_read_while_it_is_written,
    agrees_with_a_sorted_map,
);

/// A table read in order, one looked up by key, one that is both.
const TABLES: [Keyspace; 3] = [Keyspace::Journal, Keyspace::User, Keyspace::ByUser];

fn batch(store: &impl Store, by: u64) -> Batch {
    let head = store.head().unwrap();
    Batch {
        expected_head: head,
        new_head: head + by,
        changes: Vec::new(),
    }
}

fn put(store: &impl Store, keyspace: Keyspace, rows: &[(&[u8], &[u8])]) {
    let mut batch = batch(store, 1);
    for (key, value) in rows {
        batch.put(keyspace, key.to_vec(), value.to_vec());
    }
    store.commit(batch).unwrap();
}

fn get(store: &impl Store, keyspace: Keyspace, key: &[u8]) -> Option<Vec<u8>> {
    let mut values = store.load_many(keyspace, &[key.to_vec()]).unwrap();
    assert_eq!(values.len(), 1);
    values.remove(0)
}

fn keys(rows: &[Row]) -> Vec<&[u8]> {
    rows.iter().map(|row| row.key.as_slice()).collect()
}

fn is_empty_at_first(subject: impl Subject) {
    let store = subject.store();
    assert_eq!(store.head().unwrap(), 0);
    for keyspace in Keyspace::ALL {
        assert_eq!(get(store, keyspace, b"x"), None);
        // The store's own rows lie in `meta`.
        if keyspace != Keyspace::Meta {
            assert!(store.scan(keyspace, &[], &[], 10).unwrap().is_empty());
            assert!(store.scan_back(keyspace, &[], 10).unwrap().is_empty());
        }
    }
    assert!(store.load_many(Keyspace::User, &[]).unwrap().is_empty());
}

fn loads_what_was_committed_also_after_a_restart(mut subject: impl Subject) {
    for keyspace in TABLES {
        put(subject.store(), keyspace, &[(b"a", b"1"), (b"b", b"2")]);
    }
    for round in 0..2 {
        let store = subject.store();
        assert_eq!(store.head().unwrap(), 3, "round {round}");
        for keyspace in TABLES {
            let wanted = [b"b".to_vec(), b"?".to_vec(), b"a".to_vec(), b"b".to_vec()];
            let values = store.load_many(keyspace, &wanted).unwrap();
            let two = Some(b"2".to_vec());
            assert_eq!(values, [two.clone(), None, Some(b"1".to_vec()), two]);
        }
        subject = subject.reopen();
    }
}

fn overwrites_and_deletes(mut subject: impl Subject) {
    for keyspace in TABLES {
        let store = subject.store();
        put(store, keyspace, &[(b"kept", b"1"), (b"gone", b"1")]);
        let mut next = batch(store, 1);
        next.put(keyspace, b"kept".to_vec(), b"2".to_vec());
        next.delete(keyspace, b"gone".to_vec());
        next.delete(keyspace, b"never there".to_vec());
        store.commit(next).unwrap();
        subject = subject.reopen();
        let store = subject.store();
        assert_eq!(get(store, keyspace, b"kept"), Some(b"2".to_vec()));
        assert_eq!(get(store, keyspace, b"gone"), None);
        assert_eq!(keys(&store.scan(keyspace, &[], &[], 9).unwrap()), [b"kept"]);
        put(store, keyspace, &[(b"gone", b"back")]);
        assert_eq!(get(store, keyspace, b"gone"), Some(b"back".to_vec()));
    }
}

fn scans_in_the_order_of_bytes(subject: impl Subject) {
    let store = subject.store();
    let rows: [(&[u8], &[u8]); 6] = [
        (b"b", b""),
        (b"\xff", b""),
        (b"a\0", b""),
        (b"a", b""),
        (b"\0", b""),
        (b"aa", b""),
    ];
    let sorted: [&[u8]; 6] = [b"\0", b"a", b"a\0", b"aa", b"b", b"\xff"];
    for keyspace in TABLES {
        put(store, keyspace, &rows);
        let rows = store.scan(keyspace, &[], &[], 100).unwrap();
        assert_eq!(keys(&rows), sorted);
        let mut rows = store.scan_back(keyspace, &[], 100).unwrap();
        rows.reverse();
        assert_eq!(keys(&rows), sorted);
    }
}

fn scans_a_prefix_from_a_key_up_to_a_limit(subject: impl Subject) {
    let store = subject.store();
    let rows: [(&[u8], &[u8]); 6] = [
        (b"a", b"1"),
        (b"t\x01", b"2"),
        (b"t\x02", b"3"),
        (b"t\x03", b"4"),
        (b"t\xff\xff", b"5"),
        (b"u", b"6"),
    ];
    for keyspace in TABLES {
        put(store, keyspace, &rows);
        let scan = |prefix: &[u8], from: &[u8], limit| -> String {
            let rows = store.scan(keyspace, prefix, from, limit).unwrap();
            rows.into_iter()
                .flat_map(|row| row.value)
                .map(char::from)
                .collect()
        };
        assert_eq!(scan(b"t", b"", 9), "2345");
        assert_eq!(scan(b"t", b"", 2), "23");
        assert_eq!(scan(b"t", b"", 0), "");
        assert_eq!(scan(b"t", b"t\x02", 9), "345");
        assert_eq!(scan(b"t", b"t\x02\0", 9), "45");
        assert_eq!(scan(b"t", b"a", 9), "2345");
        assert_eq!(scan(b"t", b"u", 9), "");
        assert_eq!(scan(b"t\xff", b"", 9), "5");
        assert_eq!(scan(b"", b"t\xff", usize::MAX), "56");
        assert_eq!(scan(b"nothing", b"", 9), "");
    }
}

fn scans_back_from_the_last(subject: impl Subject) {
    let store = subject.store();
    for keyspace in TABLES {
        put(
            store,
            keyspace,
            &[(b"a1", b""), (b"a2", b""), (b"a3", b""), (b"b1", b"")],
        );
        let last = |prefix: &[u8], limit| store.scan_back(keyspace, prefix, limit).unwrap();
        assert_eq!(keys(&last(b"a", 2)), [b"a3", b"a2"]);
        assert_eq!(keys(&last(b"", 1)), [b"b1"]);
        assert!(last(b"a", 0).is_empty());
        assert!(last(b"c", 5).is_empty());
    }
}

fn sees_writes_between_scans(subject: impl Subject) {
    let store = subject.store();
    for keyspace in TABLES {
        for count in 1..20_u8 {
            // Falling keys, so that each lies before what a scan has seen.
            put(store, keyspace, &[(&[100 - count], &[count])]);
            let rows = store.scan(keyspace, &[], &[], 100).unwrap();
            assert_eq!(rows.len(), usize::from(count));
            assert_eq!(rows[0].value, [count]);
            assert_eq!(get(store, keyspace, &[100 - count]), Some(vec![count]));
        }
    }
}

fn writes_many_tables_at_once(mut subject: impl Subject) {
    let mut all = batch(subject.store(), 7);
    for keyspace in Keyspace::ALL {
        all.put(keyspace, b"key".to_vec(), keyspace.name().as_bytes().to_vec());
    }
    assert_eq!(subject.store().commit(all).unwrap(), 7);
    subject = subject.reopen();
    let store = subject.store();
    assert_eq!(store.head().unwrap(), 7);
    for keyspace in Keyspace::ALL {
        let value = get(store, keyspace, b"key");
        assert_eq!(value.as_deref(), Some(keyspace.name().as_bytes()));
    }
}

fn refuses_a_moved_head_and_writes_nothing(mut subject: impl Subject) {
    put(subject.store(), Keyspace::User, &[(b"a", b"1")]);
    for expected_head in [0, 2] {
        let mut late = Batch {
            expected_head,
            new_head: 9,
            changes: Vec::new(),
        };
        late.put(Keyspace::User, b"a".to_vec(), b"2".to_vec());
        late.put(Keyspace::Decided, b"d".to_vec(), b"2".to_vec());
        let error = subject.store().commit(late).unwrap_err();
        assert!(
            matches!(error, StoreError::Fenced { expected, found: 1 } if expected == expected_head),
            "{error}"
        );
    }
    subject = subject.reopen();
    let store = subject.store();
    assert_eq!(store.head().unwrap(), 1);
    assert_eq!(get(store, Keyspace::User, b"a"), Some(b"1".to_vec()));
    assert_eq!(get(store, Keyspace::Decided, b"d"), None);
}

fn refuses_what_no_store_could_keep(subject: impl Subject) {
    let store = subject.store();
    put(store, Keyspace::User, &[(b"a", b"1")]);
    for (keyspace, key) in [
        (Keyspace::User, Vec::new()),
        (Keyspace::User, vec![1; 65_536]),
        (Keyspace::Meta, b"store/head".to_vec()),
    ] {
        let mut bad = batch(store, 1);
        bad.put(Keyspace::User, b"a".to_vec(), b"2".to_vec());
        bad.put(keyspace, key, b"x".to_vec());
        assert!(matches!(store.commit(bad), Err(StoreError::Engine(_))));
    }
    let back = Batch {
        expected_head: 1,
        new_head: 0,
        changes: Vec::new(),
    };
    assert!(matches!(store.commit(back), Err(StoreError::Engine(_))));
    assert_eq!(get(store, Keyspace::User, b"a"), Some(b"1".to_vec()));
    put(store, Keyspace::User, &[(&[1; 65_535], b"longest")]);
    assert_eq!(
        get(store, Keyspace::User, &[1; 65_535]),
        Some(b"longest".to_vec())
    );
    assert_eq!(get(store, Keyspace::User, b""), None);
}

fn moves_only_cursors_without_moving_the_head(mut subject: impl Subject) {
    put(subject.store(), Keyspace::User, &[(b"a", b"1")]);
    let mut cursor = batch(subject.store(), 0);
    cursor.put(Keyspace::Sink, b"file".to_vec(), b"9".to_vec());
    assert_eq!(subject.store().commit(cursor).unwrap(), 1);
    assert_eq!(subject.store().commit(batch(subject.store(), 0)).unwrap(), 1);
    assert_eq!(subject.store().commit(batch(subject.store(), 4)).unwrap(), 5);
    subject = subject.reopen();
    let store = subject.store();
    assert_eq!(store.head().unwrap(), 5);
    assert_eq!(get(store, Keyspace::Sink, b"file"), Some(b"9".to_vec()));
}

fn keeps_empty_and_large_values(mut subject: impl Subject) {
    let large = vec![0xA5; 1024 * 1024];
    for keyspace in TABLES {
        put(subject.store(), keyspace, &[(b"empty", b""), (b"large", &large)]);
    }
    subject = subject.reopen();
    for keyspace in TABLES {
        assert_eq!(get(subject.store(), keyspace, b"empty"), Some(Vec::new()));
        assert!(get(subject.store(), keyspace, b"large").as_ref() == Some(&large));
    }
}

fn keeps_ten_thousand_rows(mut subject: impl Subject) {
    for chunk in 0..10_u64 {
        let mut next = batch(subject.store(), 1000);
        for seq in chunk * 1000 + 1..=chunk * 1000 + 1000 {
            let value = seq.to_le_bytes().to_vec();
            let user = seq.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes().to_vec();
            next.put(Keyspace::Journal, seq.to_be_bytes().to_vec(), value.clone());
            next.put(Keyspace::User, user, value);
        }
        subject.store().commit(next).unwrap();
    }
    subject = subject.reopen();
    let store = subject.store();
    assert_eq!(store.head().unwrap(), 10_000);
    let mut from = Vec::new();
    let mut seen = 0_u64;
    loop {
        let rows = store.scan(Keyspace::Journal, &[], &from, 777).unwrap();
        let Some(last) = rows.last() else { break };
        from = last.key.clone();
        from.push(0);
        for row in &rows {
            seen += 1;
            assert_eq!(row.key, seen.to_be_bytes());
            assert_eq!(row.value, seen.to_le_bytes());
        }
    }
    assert_eq!(seen, 10_000);
    let users = store.scan(Keyspace::User, &[], &[], usize::MAX).unwrap();
    assert_eq!(users.len(), 10_000);
    assert!(users.windows(2).all(|pair| pair[0].key < pair[1].key));
}

/// What a batch wrote is there as soon as the head says so.
fn is_read_while_it_is_written(subject: impl Subject) {
    let store = subject.store();
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut head = 0;
            while head < 200 {
                head = store.head().unwrap();
                let key = head.to_be_bytes().to_vec();
                if head > 0 {
                    assert_eq!(get(store, Keyspace::Decided, &key), Some(key.clone()));
                    assert!(get(store, Keyspace::User, b"user").unwrap() >= key);
                }
            }
        });
        for seq in 1..=200_u64 {
            let mut next = batch(store, 1);
            let key = seq.to_be_bytes().to_vec();
            next.put(Keyspace::Decided, key.clone(), key.clone());
            next.put(Keyspace::User, b"user".to_vec(), key);
            store.commit(next).unwrap();
        }
        reader.join().unwrap();
    });
}

type Changes = Vec<(usize, Vec<u8>, Option<u8>)>;
type Look = (usize, Vec<u8>, Vec<u8>, usize);
type Model = BTreeMap<(usize, Vec<u8>), Vec<u8>>;

fn agrees_with_a_sorted_map(subject: impl Subject) {
    let bytes = |length| proptest::collection::vec(prop_oneof![Just(0_u8), Just(7), Just(255)], length);
    let changes = proptest::collection::vec(
        (0..3_usize, bytes(1..4), proptest::option::of(any::<u8>())),
        0..20,
    );
    let look = (0..3_usize, bytes(0..3), bytes(1..4), 0..9_usize);
    let model = RefCell::new(Model::new());
    let store = subject.store();
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig {
        cases: 40,
        // A case builds on the ones before it, so a smaller one would be another one.
        max_shrink_iters: 0,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let case = |(changes, look): (Changes, Look)| {
        let mut model = model.borrow_mut();
        change_both(store, &mut model, changes);
        compare(store, &model, look)
    };
    runner.run(&(changes, look), case).unwrap();
}

fn change_both(store: &impl Store, model: &mut Model, changes: Changes) {
    let mut next = batch(store, 1);
    let distinct: BTreeMap<_, _> = changes
        .into_iter()
        .map(|(table, key, value)| ((table, key), value))
        .collect();
    for ((table, key), value) in distinct {
        match value {
            Some(value) => {
                next.put(TABLES[table], key.clone(), vec![value]);
                model.insert((table, key), vec![value]);
            }
            None => {
                next.delete(TABLES[table], key.clone());
                model.remove(&(table, key));
            }
        }
    }
    store.commit(next).unwrap();
}

fn compare(
    store: &impl Store,
    model: &Model,
    (table, prefix, from, limit): Look,
) -> Result<(), TestCaseError> {
    let rows: Vec<Row> = model
        .iter()
        .filter(|((in_table, key), _)| *in_table == table && key.starts_with(&prefix))
        .map(|((_, key), value)| Row {
            key: key.clone(),
            value: value.clone(),
        })
        .collect();
    let forward: Vec<Row> = rows
        .iter()
        .filter(|row| row.key >= from)
        .take(limit)
        .cloned()
        .collect();
    let back: Vec<Row> = rows.iter().rev().take(limit).cloned().collect();
    let keyspace = TABLES[table];
    prop_assert_eq!(store.scan(keyspace, &prefix, &from, limit).unwrap(), forward);
    prop_assert_eq!(store.scan_back(keyspace, &prefix, limit).unwrap(), back);
    let value = model.get(&(table, from.clone())).cloned();
    prop_assert_eq!(get(store, keyspace, &from), value);
    Ok(())
}
