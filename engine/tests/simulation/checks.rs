//! The promises that hold at every moment.

use std::collections::{BTreeMap, HashSet};

use doorward::pipeline::batch::decode_decision;
use doorward::pipeline::journal::{self, Body};
use doorward::pipeline::keys;
use doorward::pipeline::ports::{Keyspace, Row, Seq, Store};
use doorward::pipeline::timers::{Timer, TimerKind};
use doorward::pipeline::user_rows::{UNNAMED_MAX, UserRows};
use doorward::risk::decision::{Decision, Id, LineStatus};

use crate::world::{Life, Place};

/// Devices of one user whose wrong passwords wait.
const QUIET_MAX: usize = 4;
/// Timers that one record may set before those that are too many fire.
const TIMERS_OF_A_RECORD: usize = 4;

/// What was looked at already.
#[derive(Default)]
pub struct Checked {
    head: Seq,
    now: Option<i64>,
    decided: HashSet<Id>,
    own: usize,
    refused: usize,
    activated: usize,
}

impl Checked {
    pub const fn head(&self) -> Seq {
        self.head
    }

    /// Versions that were put in force after the first one.
    pub const fn reloads(&self) -> usize {
        self.activated.saturating_sub(1)
    }

    /// Records of timers, and refused lines.
    pub const fn kinds(&self) -> (usize, usize) {
        (self.own, self.refused)
    }

    /// Looks at what is new in the store.
    pub fn after_a_commit(&mut self, place: &Place) {
        let head = place.store.head().expect("memory");
        assert!(head >= self.head, "the head went back");
        let from = keys::seq(self.head + 1);
        let scan = |keyspace| {
            place
                .store
                .scan(keyspace, &[], &from, usize::MAX)
                .expect("memory")
        };
        let journal = scan(Keyspace::Journal);
        assert!(
            journal
                .iter()
                .filter_map(|row| keys::read_seq(&row.key))
                .eq(self.head + 1..=head),
            "the journal has a gap, or more than the head says"
        );
        for row in journal {
            self.record(&row);
        }
        for row in scan(Keyspace::Decided) {
            let decision = decode_decision(&row.value).expect("a decision");
            assert_eq!(Some(decision.seq), keys::read_seq(&row.key));
            assert!(
                self.decided.insert(decision.id),
                "{} was decided twice",
                decision.event_id
            );
            adds_up(&decision);
        }
        self.head = head;
    }

    fn record(&mut self, row: &Row) {
        let record = journal::decode(&row.value).expect("a record");
        self.now = self.now.max(Some(record.now));
        match record.body {
            Body::Refused { .. } | Body::BackfilledRefused { .. } => self.refused += 1,
            Body::Own { .. }
            | Body::Told { .. }
            | Body::Settled
            | Body::Erased { .. }
            | Body::UserErased { .. } => self.own += 1,
            Body::Activated { .. } => self.activated += 1,
            Body::Event { .. } | Body::Backfilled { .. } => {}
        }
    }

    /// Looks at all that a start will find.
    pub fn after_an_end(&mut self, life: &Life, place: &Place) {
        self.after_a_commit(place);
        let timers: Vec<Timer> = place
            .rows(Keyspace::Timer)
            .iter()
            .map(|row| Timer::read(&row.key).expect("a timer"))
            .collect();
        assert!(timers.len() <= life.timers_max + TIMERS_OF_A_RECORD);
        let mut waiting: BTreeMap<(TimerKind, &[u8]), usize> = BTreeMap::new();
        for timer in &timers {
            *waiting.entry((timer.kind, about(timer))).or_default() += 1;
        }
        for ((kind, _), count) in &waiting {
            let most = match kind {
                TimerKind::Attempt | TimerKind::Digest => 1,
                TimerKind::Quiet => QUIET_MAX,
                TimerKind::Unnamed => UNNAMED_MAX,
            };
            assert!(
                *count <= most,
                "{count} timers of kind {kind:?} of one user or attempt"
            );
        }
        for row in place.rows(Keyspace::Attempt) {
            if keys::is_unnamed_attempts(&row.key) {
                let rows = UserRows::decode(None, None, Some(&row.value)).expect("attempts");
                assert!(rows.unnamed.len() <= UNNAMED_MAX);
            } else {
                let timer = waiting.get(&(TimerKind::Attempt, row.key.as_slice()));
                assert!(timer.is_some(), "an attempt that nothing will end");
            }
        }
    }
}

/// The user or attempt that a timer is about.
fn about(timer: &Timer) -> &[u8] {
    match timer.kind {
        TimerKind::Attempt | TimerKind::Digest => &timer.key,
        TimerKind::Unnamed | TimerKind::Quiet => timer
            .key
            .split_last_chunk::<16>()
            .map_or(timer.key.as_slice(), |(user, _)| user),
    }
}

/// Base and fired lines are the sum, in hundredths.
fn adds_up(decision: &Decision) {
    let Some(scored) = &decision.scored else { return };
    let fired = scored
        .ledger
        .iter()
        .filter(|line| line.status == LineStatus::Fired);
    let sum: i32 = fired.map(|line| line.points.hundredths()).sum();
    assert_eq!(
        scored.base.hundredths() + sum,
        scored.sum.hundredths(),
        "{}",
        decision.event_id
    );
}
