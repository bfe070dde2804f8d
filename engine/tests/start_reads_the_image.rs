//! A start reads the newest whole image of the counters and folds only the journal after it; wherever a process ended,
//! the counters are those of a fold of the whole journal.

#![expect(
    clippy::expect_used,
    reason = "a test that cannot prepare its world fails, as it should"
)]

#[path = "upkeep/world.rs"]
mod world;

use std::sync::Arc;

use doorward::config::Settings;
use doorward::history::crowd::{Crowd, CrowdLimits, CrowdObservation, CrowdOutcome};
use doorward::io::memory::store::MemoryStore;
use doorward::pipeline::crowd_image::{self, ImagePolicy, Images, Snapshot};
use doorward::pipeline::keys;
use doorward::pipeline::ports::{Batch, Change, Keyspace, Store};
use doorward::pipeline::retention::Upkeep;

use world::{BATCH, Ending, OFTEN, feed, life, memory, open, rows, settings};

/// No image in a run, and one at its end.
const AT_END: Upkeep = Upkeep {
    images: ImagePolicy {
        records: u64::MAX,
        clock: 0,
        records_at_end: 1,
    },
    journal_days: 35,
};

/// What a start finds if there is nothing but the journal.
fn folded_from_the_journal(settings: &Settings, store: &dyn Store) -> Snapshot {
    let copy = MemoryStore::new();
    let rows = store
        .scan(Keyspace::Journal, &[], &[], usize::MAX)
        .expect("memory");
    let changes = rows.into_iter().map(|row| Change {
        keyspace: Keyspace::Journal,
        key: row.key,
        value: Some(row.value),
    });
    copy.commit(Batch {
        expected_head: 0,
        new_head: store.head().expect("memory"),
        changes: changes.collect(),
    })
    .expect("memory");
    let copy: Arc<dyn Store> = Arc::new(copy);
    open(settings, &copy).expect("a whole journal").snapshot()
}

/// Commits changes that belong to no record, as damage does.
fn change(store: &dyn Store, keyspace: Keyspace, key: Vec<u8>, value: Option<Vec<u8>>) {
    let head = store.head().expect("memory");
    let changes = vec![Change { keyspace, key, value }];
    let batch = Batch {
        expected_head: head,
        new_head: head,
        changes,
    };
    store.commit(batch).expect("memory");
}

#[test]
fn only_the_records_after_the_image_are_folded() {
    let (settings, store, lines) = (settings(), memory(), life(150, 9));
    feed(&settings, &store, &lines, Some(OFTEN)).expect("a run");
    let head = store.head().expect("memory");
    let image = rows(&*store, Keyspace::Crowd)
        .first()
        .and_then(|row| keys::read_seq(&row.key));
    let image = image.expect("an image");
    assert!(head > 1_000 && image >= 1_000, "{head} records, image of {image}");
    let start = open(&settings, &store).expect("a start");
    assert_eq!(start.folded(), head - image);
    assert!(start.folded() < 100 + BATCH as u64);
    assert_eq!(start.snapshot(), folded_from_the_journal(&settings, &*store));
}

#[test]
fn after_a_clean_end_nothing_is_folded_and_only_one_image_is_kept() {
    let (settings, store, lines) = (settings(), memory(), life(150, 9));
    for part in lines.chunks(lines.len().div_ceil(3)) {
        feed(&settings, &store, part, Some(AT_END)).expect("a run");
        let start = open(&settings, &store).expect("a start");
        assert_eq!(start.folded(), 0);
        assert_eq!(start.snapshot(), folded_from_the_journal(&settings, &*store));
        let head = store.head().expect("memory");
        assert!(
            rows(&*store, Keyspace::Crowd)
                .iter()
                .all(|row| keys::read_seq(&row.key) == Some(head))
        );
    }
    let chunks = rows(&*store, Keyspace::Crowd);
    assert_eq!(
        feed(&settings, &store, &lines, Some(AT_END))
            .expect("only repeats")
            .decided,
        0
    );
    assert_eq!(
        rows(&*store, Keyspace::Crowd),
        chunks,
        "nothing new, so no new image"
    );
}

#[test]
fn a_store_that_ends_with_its_process_gets_no_image() {
    let (settings, store) = (settings(), memory());
    feed(&settings, &store, &life(150, 9), None).expect("a run");
    assert!(rows(&*store, Keyspace::Crowd).is_empty());
}

#[test]
fn wherever_the_process_ends_the_counters_and_decisions_are_those_of_a_calm_run() {
    let (settings, lines) = (settings(), life(110, 7));
    let calm = memory();
    feed(&settings, &calm, &lines, None).expect("a calm run");
    let wanted = rows(&*calm, Keyspace::Decided);
    let (mut ended, mut from_an_image) = (0, 0);
    for commits in (0..).step_by(2) {
        let store = memory();
        let first = feed(&settings, &Ending::after(commits, &store), &lines, Some(OFTEN));
        let start = open(&settings, &store).expect("a start");
        assert_eq!(
            start.snapshot(),
            folded_from_the_journal(&settings, &*store),
            "ended after {commits} commits"
        );
        from_an_image += u32::from(start.folded() < start.head());
        feed(&settings, &store, &lines, Some(OFTEN)).expect("a second run");
        assert_eq!(
            rows(&*store, Keyspace::Decided),
            wanted,
            "ended after {commits} commits"
        );
        if first.is_ok() {
            break;
        }
        ended += 1;
    }
    assert!(
        ended > 5 && from_an_image > 3,
        "{ended} ended, {from_an_image} from an image"
    );
}

/// Counters with so many keys that their image takes several commits.
fn large(seq: u64) -> Snapshot {
    let limits = CrowdLimits::default();
    let mut crowd = Crowd::new(limits);
    let outcome = CrowdOutcome {
        attempt: true,
        failure: true,
        success: false,
        granted: false,
    };
    for step in 0..40_000u64 {
        let mut seen = CrowdObservation::default();
        seen.tenant = 1;
        seen.user = step + 1;
        seen.address = (step + seq).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        seen.prefix = step.wrapping_mul(0xc2b2_ae3d_27d4_eb4f);
        crowd.observe(&seen.with(outcome), 1_700_000_000_000_000);
    }
    Snapshot {
        seq,
        clock: 1_700_000_000_000_000,
        crowd,
        ..Snapshot::empty(limits)
    }
}

fn commit(store: &dyn Store, changes: Vec<Change>) {
    let head = store.head().expect("memory");
    let batch = Batch {
        expected_head: head,
        new_head: head.max(20),
        changes,
    };
    store.commit(batch).expect("memory");
}

#[test]
fn an_image_half_written_is_ignored_and_removed_at_the_next_start() {
    let store = memory();
    let older = large(10);
    let mut steps = 0;
    let (mut images, none) = Images::open(&*store).expect("memory");
    assert!(none.is_empty());
    images.begin(&older).expect("an image");
    loop {
        let step = images.next_step().expect("a step");
        if step.is_empty() {
            break;
        }
        commit(&*store, step);
        steps += 1;
    }
    let whole = rows(&*store, Keyspace::Crowd);
    assert!(steps > 1, "an image of one step shows nothing");
    for written in 1..steps {
        images.begin(&large(20)).expect("an image");
        for _ in 0..written {
            commit(&*store, images.next_step().expect("a step"));
        }
        assert!(rows(&*store, Keyspace::Crowd).len() > whole.len());
        let found = crowd_image::start(&*store, CrowdLimits::default()).expect("a start");
        assert_eq!(found, older);
        let (after, leftovers) = Images::open(&*store).expect("memory");
        commit(&*store, leftovers);
        assert_eq!(rows(&*store, Keyspace::Crowd), whole);
        images = after;
    }
}

/// A store with an image and some records after it.
fn with_image() -> Arc<dyn Store> {
    let (settings, store, lines) = (settings(), memory(), life(60, 6));
    let (before, after) = lines.split_at(lines.len() - 50);
    feed(&settings, &store, before, Some(AT_END)).expect("a run");
    feed(&settings, &store, after, None).expect("a run that ends without an image");
    store
}

fn without_first_record(store: &dyn Store) {
    change(store, Keyspace::Journal, keys::seq(1), None);
}

#[test]
fn a_damaged_image_is_not_used_and_without_a_whole_journal_the_start_is_refused() {
    let (settings, store) = (settings(), with_image());
    let head = store.head().expect("memory");
    let mut row = rows(&*store, Keyspace::Crowd).pop().expect("an image");
    let last = row.value.len() - 1;
    row.value[last] ^= 1;
    change(&*store, Keyspace::Crowd, row.key.clone(), Some(row.value));
    let start = open(&settings, &store).expect("folded anew");
    assert_eq!(start.folded(), head);
    assert_eq!(start.snapshot(), folded_from_the_journal(&settings, &*store));
    change(&*store, Keyspace::Crowd, row.key, None);
    assert_eq!(open(&settings, &store).expect("folded anew").folded(), head);
    without_first_record(&*store);
    let error = open(&settings, &store).err().expect("no start").to_string();
    assert!(
        error.contains("`crowd`") && error.contains("does not reach back"),
        "{error}"
    );
}

#[test]
fn other_limits_fold_the_whole_journal_and_are_refused_by_name_without_one() {
    let store = with_image();
    let mut settings = settings();
    settings.crowd.keys_max = 2_048;
    let start = open(&settings, &store).expect("folded anew");
    assert_eq!(start.folded(), store.head().expect("memory"));
    assert_eq!(start.snapshot(), folded_from_the_journal(&settings, &*store));
    without_first_record(&*store);
    let error = open(&settings, &store).err().expect("no start").to_string();
    for part in ["crowd.keys_max = 1024", "2048", "does not reach back"] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn an_image_under_the_limits_of_now_replaces_one_of_others_at_the_same_record() {
    let (mut settings, store, lines) = (settings(), memory(), life(150, 9));
    feed(&settings, &store, &lines, Some(AT_END)).expect("a run");
    settings.crowd.keys_max = 2_048;
    feed(&settings, &store, &lines, Some(AT_END)).expect("only repeats");
    let start = open(&settings, &store).expect("a start");
    assert_eq!(start.folded(), 0);
    assert_eq!(start.snapshot(), folded_from_the_journal(&settings, &*store));
}

#[test]
fn a_record_missing_after_the_image_refuses_the_start_with_its_number() {
    let (settings, store) = (settings(), with_image());
    let head = store.head().expect("memory");
    change(&*store, Keyspace::Journal, keys::seq(head - 1), None);
    let error = open(&settings, &store).err().expect("no start").to_string();
    assert!(
        error.contains(&format!("record {} is missing", head - 1)),
        "{error}"
    );
}

#[test]
fn an_image_of_a_record_that_the_store_does_not_have_is_not_used() {
    let (settings, store) = (settings(), memory());
    let lines = life(150, 9);
    feed(&settings, &store, &lines, Some(AT_END)).expect("a run");
    let shorter = memory();
    feed(&settings, &shorter, &lines[..500], None).expect("a run");
    for keyspace in [Keyspace::Crowd, Keyspace::Meta] {
        for row in rows(&*store, keyspace) {
            change(&*shorter, keyspace, row.key, Some(row.value));
        }
    }
    let start = open(&settings, &shorter).expect("folded anew");
    assert_eq!(start.folded(), start.head());
    assert_eq!(start.snapshot(), folded_from_the_journal(&settings, &*shorter));
}
