//! Rows older than `store.journal_days` and `store.decisions_days` go away, and nothing else changes: the store opens,
//! decides what it would have decided, and never decides an event twice.

#![expect(
    clippy::expect_used,
    reason = "a test that cannot prepare its world fails, as it should"
)]

#[path = "upkeep/world.rs"]
mod world;

use std::collections::BTreeSet;
use std::sync::Arc;

use doorward::cli::stored;
use doorward::config::Settings;
use doorward::generate::{EventBuilder, Plan};
use doorward::io::memory::sink::{MemorySink, Published};
use doorward::pipeline::batch::{decode_dead_letter, decode_decision};
use doorward::pipeline::ports::{Keyspace, Row, Seq, Store};
use doorward::pipeline::retention::{Removed, Upkeep};
use doorward::pipeline::run::Sinks;
use doorward::pipeline::{journal, keys};

use world::{Ending, OFTEN, feed, feed_to, life, memory, open, rows, settings};

const DAY: i64 = 86_400_000_000;
const DECISIONS_DAYS: i64 = 4;
const JOURNAL_DAYS: i64 = 2;

const TIDY: Upkeep = Upkeep {
    journal_days: JOURNAL_DAYS,
    ..OFTEN
};

fn short() -> Settings {
    let mut settings = settings();
    settings.store.decisions_days = u32::try_from(DECISIONS_DAYS).expect("a few");
    settings
}

/// Lines of two weeks, with one that is no event in every twenty.
fn two_weeks() -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    for (index, line) in life(110, 14).into_iter().enumerate() {
        lines.push(line);
        if index % 20 == 7 {
            lines.push(format!("no event, number {index}").into_bytes());
        }
    }
    lines
}

fn tidied() -> (Arc<dyn Store>, Vec<Vec<u8>>) {
    let (store, lines) = (memory(), two_weeks());
    for part in parts(&lines) {
        feed(&short(), &store, part, Some(TIDY)).expect("a run");
    }
    (store, lines)
}

/// Most lines, then a few at a time: what the last batches brought counts as published, and may go, only in the next
/// run, and each batch removes no more than its step.
fn parts(lines: &[Vec<u8>]) -> impl Iterator<Item = &[Vec<u8>]> {
    let (most, rest) = lines.split_at(lines.len() - 20);
    std::iter::once(most).chain(rest.chunks(5))
}

fn seqs(rows: &[Row]) -> Vec<Seq> {
    rows.iter().filter_map(|row| keys::read_seq(&row.key)).collect()
}

#[test]
fn the_journal_keeps_its_days_without_a_gap_and_decisions_theirs() {
    let (store, _) = tidied();
    let clock = open(&short(), &store).expect("a start").clock().expect("a clock");
    let head = store.head().expect("memory");
    let journal = seqs(&rows(&*store, Keyspace::Journal));
    let removed = Removed::read(&*store).expect("memory");
    assert!(
        journal.iter().copied().eq(removed.journal_from..=head),
        "{removed:?}"
    );
    assert!(
        removed.journal_from > removed.decided_from && removed.decided_from > 1,
        "{removed:?}"
    );

    let calm = memory();
    feed(&short(), &calm, &two_weeks(), None).expect("a run");
    for row in rows(&*calm, Keyspace::Decided) {
        let decision = decode_decision(&row.value).expect("a row");
        let kept = stored::decision_at(&*store, decision.seq).expect("memory");
        let age = clock - decision.now;
        if age <= (DECISIONS_DAYS + 1) * DAY {
            assert_eq!(kept.as_ref(), Some(&decision), "young enough");
        } else if age > (DECISIONS_DAYS + 2) * DAY {
            assert_eq!(kept, None, "of seq {}", decision.seq);
        }
    }
}

#[test]
fn every_table_that_belongs_to_a_decision_loses_the_same_rows() {
    let (store, _) = tidied();
    let decided = rows(&*store, Keyspace::Decided);
    let from = Removed::read(&*store).expect("memory").decided_from;
    let mut ids = BTreeSet::new();
    let mut users = BTreeSet::new();
    for row in &decided {
        let decision = decode_decision(&row.value).expect("a row");
        assert!(decision.seq >= from);
        ids.insert(keys::decision(decision.id));
        users.extend(
            decision
                .user_id
                .map(|user| keys::by_user(&decision.tenant, &user, decision.seq)),
        );
    }
    let keys_of = |keyspace| rows(&*store, keyspace).into_iter().map(|row| row.key).collect();
    let (found_ids, found_users): (BTreeSet<_>, BTreeSet<_>) =
        (keys_of(Keyspace::Decision), keys_of(Keyspace::ByUser));
    assert!(found_ids == ids && found_users == users && !ids.is_empty() && !users.is_empty());

    let alerts = seqs(&rows(&*store, Keyspace::Alert));
    assert!(alerts.iter().all(|seq| *seq >= from) && !alerts.is_empty());
    let dead: Vec<Row> = rows(&*store, Keyspace::Dead);
    let (by_seq, by_id): (Vec<&Row>, Vec<&Row>) = dead
        .iter()
        .partition(|row| row.key.starts_with(keys::dead_prefix()));
    let mut letters = BTreeSet::new();
    for row in by_seq {
        let letter = decode_dead_letter(&row.value).expect("a row");
        assert!(letter.seq >= from);
        letters.insert(keys::dead_by_id(&letter.id));
    }
    assert!(by_id.iter().map(|row| row.key.clone()).eq(letters) && !by_id.is_empty());
}

#[test]
fn what_was_decided_and_forgotten_is_too_old_and_never_decided_again() {
    let (store, lines) = tidied();
    let kept = rows(&*store, Keyspace::Decided);
    let again = feed(&short(), &store, &lines, Some(TIDY)).expect("the same lines once more");
    assert_eq!(again.decided, 0);
    assert!(again.refused > 300 && again.repeated > 300, "{again:?}");
    assert_eq!(rows(&*store, Keyspace::Decided), kept);
    let mut too_old = 0;
    stored::each_row(&*store, Keyspace::Dead, keys::dead_prefix(), |row| {
        too_old += u64::from(&*decode_dead_letter(&row.value)?.refusal.reason == "too_old");
        Ok(())
    })
    .expect("memory");
    assert!(too_old > 300, "{too_old}");

    let calm = memory();
    for part in parts(&lines) {
        feed(&short(), &calm, part, None).expect("a run");
    }
    let untidied = feed(&short(), &calm, &lines, None).expect("the same lines once more");
    assert_eq!(
        untidied, again,
        "what was removed already, and what only counts as gone, is the same"
    );
}

#[test]
fn a_longer_setting_later_does_not_let_in_what_was_forgotten() {
    let (store, lines) = tidied();
    let longer = settings();
    assert!(i64::from(longer.store.decisions_days) > DECISIONS_DAYS);
    let again = feed(&longer, &store, &lines, Some(TIDY)).expect("the same lines once more");
    assert_eq!(again.decided, 0);
    assert!(again.refused > 300, "{again:?}");
}

#[test]
fn a_store_that_was_tidied_and_reopened_decides_like_one_that_never_was() {
    let (settings, lines) = (short(), two_weeks());
    let (tidy, calm) = (memory(), memory());
    for part in lines.chunks(lines.len().div_ceil(6)) {
        feed(&settings, &tidy, part, Some(TIDY)).expect("a run");
        feed(&settings, &calm, part, None).expect("a run");
    }
    let (kept, all) = (rows(&*tidy, Keyspace::Decided), rows(&*calm, Keyspace::Decided));
    assert!(kept.len() < all.len() && all.ends_with(&kept));
    assert_eq!(
        open(&settings, &tidy).expect("a start").snapshot(),
        open(&settings, &calm).expect("a start").snapshot()
    );
    for keyspace in [
        Keyspace::User,
        Keyspace::Failures,
        Keyspace::Mailbox,
        Keyspace::Attempt,
    ] {
        assert_eq!(rows(&*tidy, keyspace), rows(&*calm, keyspace), "{keyspace}");
    }
}

#[test]
fn wherever_the_process_ends_while_rows_go_the_next_run_goes_on() {
    let (settings, lines) = (short(), two_weeks());
    let calm = memory();
    feed(&settings, &calm, &lines, None).expect("a calm run");
    let all = rows(&*calm, Keyspace::Decided);
    let journal_of_calm: Vec<(Seq, bool)> = rows(&*calm, Keyspace::Journal)
        .iter()
        .map(|row| {
            let record = journal::decode(&row.value).expect("own bytes");
            (
                keys::read_seq(&row.key).expect("a position"),
                !record.body.is_from_door(),
            )
        })
        .collect();
    let mut pruned = 0;
    for commits in (20..).step_by(9) {
        let store = memory();
        let first = feed(&settings, &Ending::after(commits, &store), &lines, Some(TIDY));
        pruned += u32::from(Removed::read(&*store).expect("memory").journal_from > 1);
        let journal = seqs(&rows(&*store, Keyspace::Journal));
        let from = Removed::read(&*store).expect("memory").journal_from;
        assert!(journal.iter().copied().eq(from..=store.head().expect("memory")));
        let head = store.head().expect("memory");
        open(&settings, &store).expect("a start");
        // Its input goes on behind the last line that is stored, as a file does.
        let sent = journal_of_calm.iter().filter(|(seq, own)| *seq <= head && !own);
        let rest: Vec<Vec<u8>> = lines.iter().skip(sent.count()).cloned().collect();
        feed(&settings, &store, &rest, Some(TIDY)).expect("a second run");
        let kept = rows(&*store, Keyspace::Decided);
        assert!(
            all.ends_with(&kept) && !kept.is_empty(),
            "ended after {commits} commits"
        );
        if first.is_ok() {
            break;
        }
    }
    assert!(pruned > 1, "no run ended after it had removed something");
}

#[test]
fn without_an_image_the_whole_journal_stays() {
    let (store, lines) = (memory(), two_weeks());
    let mut upkeep = TIDY;
    upkeep.images.records = u64::MAX;
    for part in lines.chunks(lines.len().div_ceil(3)) {
        feed(&short(), &store, part, Some(upkeep)).expect("a run");
    }
    let removed = Removed::read(&*store).expect("memory");
    assert!(
        removed.journal_from == 1 && removed.decided_from > 1,
        "{removed:?}"
    );
    assert_eq!(
        open(&short(), &store).expect("a start").folded(),
        store.head().expect("memory")
    );
}

/// A sink over what was published, behind the cursor in the store.
fn sinks(store: &dyn Store, published: &Published) -> Sinks {
    let row = store
        .load_many(Keyspace::Sink, &[MemorySink::cursor_key("decisions")])
        .expect("memory")
        .pop();
    let sink = MemorySink::open("decisions", published, row.flatten().as_deref()).expect("its own cursor");
    Sinks {
        decisions: Some(Box::new(sink)),
        ..Sinks::default()
    }
}

#[test]
fn what_a_sink_may_still_have_to_publish_again_stays() {
    // One batch is more than a week, and decisions are kept for days: all of it is old before a cursor moves.
    let lines: Vec<Vec<u8>> = (0..4_000)
        .map(|number| {
            let time = Plan::default()
                .start
                .plus_days(-700)
                .plus_seconds(number * 3 * 3_600);
            let event = EventBuilder::login(&number.to_string(), "t", "anna").at(time);
            event.address("198.51.100.9").line()
        })
        .collect();
    let mut settings = settings();
    settings.store.decisions_days = 1;
    let (calm, wanted) = (memory(), Published::default());
    feed_to(&settings, &calm, &lines, None, sinks(&*calm, &wanted)).expect("a calm run");
    assert_eq!(wanted.records().len(), lines.len());
    let mut removed = 0;
    for commits in (3..).step_by(16) {
        let (store, published) = (memory(), Published::default());
        let ending = Ending::after(commits, &store);
        let first = feed_to(&settings, &ending, &lines, Some(TIDY), sinks(&*store, &published));
        removed += u32::from(Removed::read(&*store).expect("memory").decided_from > 1);
        let head = usize::try_from(store.head().expect("memory")).expect("small");
        // The first record is no line: it says what is in force.
        let rest: Vec<Vec<u8>> = lines.iter().skip(head.saturating_sub(1)).cloned().collect();
        feed_to(&settings, &store, &rest, Some(TIDY), sinks(&*store, &published)).expect("a second run");
        assert!(
            published.bytes() == wanted.bytes(),
            "ended after {commits} commits"
        );
        if first.is_ok() {
            break;
        }
    }
    assert!(removed > 1, "no run ended after it had removed something");
}
