//! What is in force is a record of the journal, and what stood in it is in the archive (clause S11).

#![expect(
    clippy::expect_used,
    reason = "a test that cannot prepare its world fails, as it should"
)]

#[expect(dead_code, reason = "it is made for tests of upkeep too")]
#[path = "upkeep/world.rs"]
mod world;

use std::path::Path;
use std::sync::Arc;

use doorward::cli::assemble::Assembly;
use doorward::cli::stored;
use doorward::config::Settings;
use doorward::pipeline::journal::{self, Body};
use doorward::pipeline::keys;
use doorward::pipeline::ports::{Batch, Keyspace, Store};
use doorward::pipeline::versions::{Current, archived};
use doorward::risk::decision::Id;

use world::{feed, life, memory, rows, settings};

/// Position and versions of every activation.
fn activations(store: &dyn Store) -> Vec<(u64, Id)> {
    let records = rows(store, Keyspace::Journal).into_iter();
    records
        .filter_map(|row| {
            let seq = keys::read_seq(&row.key).expect("a position");
            match journal::decode(&row.value).expect("a record").body {
                Body::Activated { versions, .. } => Some((seq, versions)),
                _ => None,
            }
        })
        .collect()
}

fn versions(settings: &Settings) -> Id {
    let assembly = Assembly::from_settings(settings).expect("built-in rules");
    assembly.engine.in_force.versions
}

fn stricter(mut settings: Settings) -> Settings {
    settings.score.base = "12".parse().expect("points");
    settings
}

#[test]
fn a_new_store_begins_with_what_is_in_force() {
    let (store, settings) = (memory(), settings());
    feed(&settings, &store, &life(3, 2), None).expect("a run");
    assert_eq!(activations(&*store), [(1, versions(&settings))]);
    let decided = rows(&*store, Keyspace::Decided);
    assert_eq!(
        keys::read_seq(&decided[0].key),
        Some(2),
        "an activation has no decision"
    );
}

#[test]
fn a_restart_with_the_same_files_adds_no_record() {
    let (store, settings) = (memory(), settings());
    let lines = life(3, 2);
    let (first, second) = lines.split_at(lines.len() / 2);
    feed(&settings, &store, first, None).expect("a run");
    let archive = rows(&*store, Keyspace::Archive);
    feed(&settings, &store, second, None).expect("a run");
    feed(&settings, &store, second, None).expect("a run");
    assert_eq!(activations(&*store).len(), 1);
    assert_eq!(rows(&*store, Keyspace::Archive), archive);
}

#[test]
fn other_settings_are_a_record_and_decisions_name_those_of_their_time() {
    let (store, before) = (memory(), settings());
    let after = stricter(before.clone());
    let lines = life(3, 2);
    let (first, second) = lines.split_at(lines.len() / 2);
    feed(&before, &store, first, None).expect("a run");
    let rows_before = rows(&*store, Keyspace::Archive).len();
    feed(&after, &store, second, None).expect("a run");
    let found = activations(&*store);
    let (seq, _) = *found.last().expect("two");
    assert_eq!(found, [(1, versions(&before)), (seq, versions(&after))]);
    let mut seen = [0, 0];
    for decision in stored::decisions(&*store).expect("decisions") {
        let late = usize::from(decision.seq > seq);
        assert_eq!(decision.versions, found[late].1, "seq {}", decision.seq);
        seen[late] += 1;
    }
    assert!(seen[0] > 0 && seen[1] > 0, "{seen:?}");
    // One list of parts and one text of settings; the rules are the same and kept once.
    assert_eq!(rows(&*store, Keyspace::Archive).len(), rows_before + 2);
    let current = Current::read(&*store).expect("memory").expect("a row");
    assert_eq!((current.seq, current.versions), (seq, versions(&after)));
}

#[test]
fn going_back_to_earlier_files_is_a_record_and_archives_nothing() {
    let (store, one) = (memory(), settings());
    let other = stricter(one.clone());
    feed(&one, &store, &[], None).expect("a run");
    feed(&other, &store, &[], None).expect("a run");
    let archive = rows(&*store, Keyspace::Archive);
    feed(&one, &store, &[], None).expect("a run");
    let found: Vec<Id> = activations(&*store).into_iter().map(|(_, id)| id).collect();
    assert_eq!(found, [versions(&one), versions(&other), versions(&one)]);
    assert_eq!(rows(&*store, Keyspace::Archive), archive);
}

#[test]
fn the_archive_gives_back_rules_settings_and_names_of_geo_files() {
    let (store, mut settings) = (memory(), settings());
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures");
    let list = fixtures.join("geoip/doorward-test-networks.list");
    settings.geoip.lists = vec![list.clone()];
    feed(&settings, &store, &[], None).expect("a run");
    let assembly = Assembly::from_settings(&settings).expect("built-in rules");
    let found = archived(&*store, assembly.engine.in_force.versions)
        .expect("memory")
        .expect("what is in force");
    assert_eq!(found.manifest, assembly.engine.in_force.manifest);
    let rules = found.rules.expect("all rule files");
    assert_eq!(rules.hash(), assembly.engine.risk.rules().hash());
    assert_eq!(found.settings, Some(settings.decides_text()));
    let last = found.manifest.parts.last().expect("parts");
    assert_eq!(*last.name, *list.display().to_string());
    assert!(archived(&*store, Id([9; 16])).expect("memory").is_none());
}

#[test]
fn an_activation_does_not_move_the_clock_nor_the_age_of_the_store() {
    let (one, two, settings) = (memory(), memory(), settings());
    let lines = life(3, 2);
    feed(&settings, &one, &[], None).expect("a run");
    feed(&settings, &one, &lines, None).expect("a run");
    feed(&settings, &two, &lines, None).expect("a run");
    for table in [
        Keyspace::Journal,
        Keyspace::Decided,
        Keyspace::User,
        Keyspace::Alert,
    ] {
        assert_eq!(rows(&*one, table), rows(&*two, table), "{table}");
    }
}

#[test]
fn a_part_of_the_archive_that_is_gone_or_changed_is_told() {
    let (store, settings) = (memory(), settings());
    feed(&settings, &store, &[], None).expect("a run");
    let id = versions(&settings);
    let part = |store: &Arc<dyn Store>| {
        let rows = rows(&**store, Keyspace::Archive).into_iter();
        rows.rev().find(|row| row.key.len() == 32).expect("a part")
    };
    let row = part(&store);
    let mut damaged = row.value.clone();
    damaged[1] ^= 1;
    let write = |value: Option<Vec<u8>>| {
        let head = store.head().expect("memory");
        let mut batch = Batch {
            expected_head: head,
            new_head: head,
            ..Batch::default()
        };
        match value {
            Some(value) => batch.put(Keyspace::Archive, row.key.clone(), value),
            None => batch.delete(Keyspace::Archive, row.key.clone()),
        }
        store.commit(batch).expect("memory");
    };
    write(Some(damaged));
    let error = archived(&*store, id).expect_err("another hash").to_string();
    assert!(error.contains("archive") && error.contains("hash"), "{error}");
    write(None);
    let found = archived(&*store, id).expect("memory").expect("the list of parts");
    assert!(found.rules.is_none() || found.settings.is_none());
}
