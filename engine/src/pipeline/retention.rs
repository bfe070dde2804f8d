//! How long rows are kept (clauses S5, S13), and their removal.
//!
//! What counts as gone is decided by the sequencer, from the clock alone: so it is the same in every run over the same
//! journal. The committer removes such rows later, in steps; until then nobody sees them. An event whose row is gone is
//! too old by its own time, so that it is never decided again: a row is kept for a day more than the setting says, and
//! no event is admitted that lies a day ahead of the clock. The table `meta` holds what was removed, so that a later
//! and longer setting does not let in what was decided and forgotten.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::alerts::alert::Alert;
use crate::pipeline::batch::{decode_dead_letter, decode_decision};
use crate::pipeline::crowd_image::ImagePolicy;
use crate::pipeline::keys;
use crate::pipeline::ports::{Change, Keyspace, Row, Seq, Store, StoreError};
use crate::pipeline::row_bytes::{self, bad};
use crate::risk::decision::Id;

const VERSION: u8 = 1;
/// Key in table `meta` of what was removed.
const REMOVED: &[u8] = b"retention";
const DAY_MICROS: i64 = 86_400_000_000;
/// Days whose beginning is remembered: more than the longest setting, a day of grace and today.
const DAYS_MAX: i64 = 3_652;
/// Records whose rows one commit removes, at least; twice what the last batch brought if that is more, so that removal
/// is never slower than arrival.
const STEP: u64 = 1_024;

/// What is done for later runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Upkeep {
    /// When images of the counters are taken.
    pub images: ImagePolicy,
    /// How long the journal is kept, in days; in any case back to the newest image.
    pub journal_days: i64,
}

/// At which record each day of the clock began.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    days: VecDeque<(i64, Seq)>,
}

impl Calendar {
    /// The record `seq` came when the clock showed `clock`, in microseconds. Records before the first one with a time
    /// belong to its day.
    pub fn note(&mut self, seq: Seq, clock: i64) {
        let day = clock.div_euclid(DAY_MICROS);
        match self.days.back() {
            Some((last, _)) if *last >= day => return,
            Some(_) => self.days.push_back((day, seq)),
            None => self.days.push_back((day, 1)),
        }
        while self
            .days
            .front()
            .is_some_and(|(first, _)| *first < day - DAYS_MAX)
        {
            self.days.pop_front();
        }
    }

    /// The first record that is kept when everything older than `days` goes: those before it are older than that by a
    /// day at least. 0 if no record has a time, [`Seq::MAX`] if all are older.
    #[must_use]
    pub fn first_kept(&self, clock: i64, days: i64) -> Seq {
        let oldest = clock.div_euclid(DAY_MICROS) - days - 1;
        if self.days.is_empty() {
            return 0;
        }
        let at = self.days.partition_point(|(day, _)| *day < oldest);
        self.days.get(at).map_or(Seq::MAX, |(_, seq)| *seq)
    }
}

/// First records of what is to be kept at the end of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// Of the journal.
    pub journal: Seq,
    /// Of decisions, alerts and dead letters.
    pub decided: Seq,
    /// An event before this time is too old to be admitted, microseconds.
    pub refused_before: i64,
}

/// What was removed from a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// First record that the journal still has.
    pub journal_from: Seq,
    /// First record whose decision, alerts and dead letter are still there.
    pub decided_from: Seq,
    /// Events before this time may have been decided and forgotten, microseconds.
    pub refused_before: i64,
}

impl Removed {
    /// Everything is still there.
    pub const NOTHING: Self = Self {
        journal_from: 1,
        decided_from: 1,
        refused_before: i64::MIN,
    };

    /// Reads it from a store.
    ///
    /// # Errors
    /// When the store fails, or the row does not decode.
    pub fn read(store: &dyn Store) -> Result<Self, StoreError> {
        let row = store.load_many(Keyspace::Meta, &[REMOVED.to_vec()])?.pop();
        row.flatten().map_or(Ok(Self::NOTHING), |row| {
            row_bytes::decode(Keyspace::Meta, VERSION, &row)
        })
    }

    /// The row after a loss that was accepted: the journal begins at `seq`, and what it folded to before is lost.
    ///
    /// # Errors
    /// As [`row_bytes::encode`].
    pub fn with_journal_from(self, seq: Seq) -> Result<Change, StoreError> {
        let removed = Self {
            journal_from: self.journal_from.max(seq),
            ..self
        };
        removed.change()
    }

    fn change(&self) -> Result<Change, StoreError> {
        Ok(Change {
            keyspace: Keyspace::Meta,
            key: REMOVED.to_vec(),
            value: Some(row_bytes::encode(Keyspace::Meta, VERSION, self)?),
        })
    }
}

/// What may go now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// What the clock says.
    pub kept: Kept,
    /// The newest whole image; the journal is needed behind it.
    pub image: Seq,
    /// Every sink durably has everything up to here.
    pub published: Seq,
    /// Records in the last batch.
    pub records: usize,
}

/// Removes rows, oldest first, so that what is left has no gaps.
#[derive(Debug)]
pub struct Retention {
    removed: Removed,
    /// Alerts whose rows the last step removes.
    alerts: Vec<Id>,
}

impl Retention {
    /// Goes on where the last run over this store stopped.
    ///
    /// # Errors
    /// As [`Removed::read`].
    pub fn open(store: &dyn Store) -> Result<Self, StoreError> {
        Ok(Self {
            removed: Removed::read(store)?,
            alerts: Vec::new(),
        })
    }

    /// Alerts whose rows the last step removes: their mails go before them.
    #[must_use]
    pub fn alerts(&self) -> &[Id] {
        &self.alerts
    }

    /// First record that the journal keeps.
    #[must_use]
    pub const fn journal_from(&self) -> Seq {
        self.removed.journal_from
    }

    /// What the next commit removes; nothing if all that may go is gone.
    ///
    /// # Errors
    /// When the store fails, or a row to remove does not decode.
    pub fn next_step(&mut self, store: &dyn Store, bounds: &Bounds) -> Result<Vec<Change>, StoreError> {
        let step = STEP.max(2 * bounds.records as u64);
        let before = self.removed;
        self.alerts.clear();
        let journal_to = bounds.kept.journal.min(bounds.image.saturating_add(1));
        let decided_to = bounds.kept.decided.min(bounds.published.saturating_add(1));
        let journal = before.journal_from..journal_to.min(before.journal_from.saturating_add(step));
        let decided = before.decided_from..decided_to.min(before.decided_from.saturating_add(step));
        if journal.is_empty() && decided.is_empty() {
            return Ok(Vec::new());
        }
        let mut changes = Vec::new();
        if !decided.is_empty() {
            remove_decided(store, decided.start, decided.end, &mut changes)?;
            remove_dead(store, decided.start, decided.end, &mut changes)?;
            self.alerts = remove_alerts(store, decided.start, decided.end, &mut changes)?;
            remove_erased(store, decided.start, decided.end, &mut changes)?;
        }
        changes.extend(
            journal
                .clone()
                .map(|seq| removal(Keyspace::Journal, keys::seq(seq))),
        );
        self.removed = Removed {
            journal_from: before.journal_from.max(journal.end),
            decided_from: before.decided_from.max(decided.end),
            refused_before: before.refused_before.max(bounds.kept.refused_before),
        };
        changes.push(self.removed.change()?);
        Ok(changes)
    }
}

fn removal(keyspace: Keyspace, key: Vec<u8>) -> Change {
    Change {
        keyspace,
        key,
        value: None,
    }
}

/// Decisions, their ids, and the lists of their users.
fn remove_decided(
    store: &dyn Store,
    from: Seq,
    to: Seq,
    changes: &mut Vec<Change>,
) -> Result<(), StoreError> {
    let mut ids = Vec::new();
    each(
        store,
        Keyspace::Decided,
        &[],
        (keys::seq(from), keys::seq(to)),
        |row| {
            let decision = decode_decision(&row.value)?;
            if let Some(user) = decision.user_id.as_deref() {
                let key = keys::by_user(&decision.tenant, user, decision.seq);
                changes.push(removal(Keyspace::ByUser, key));
            }
            ids.push((keys::decision(decision.id), decision.seq));
            changes.push(removal(Keyspace::Decided, row.key));
            Ok(())
        },
    )?;
    remove_positions(store, Keyspace::Decision, ids, changes)
}

fn remove_dead(store: &dyn Store, from: Seq, to: Seq, changes: &mut Vec<Change>) -> Result<(), StoreError> {
    let mut ids = Vec::new();
    let range = (keys::dead_by_seq(from), keys::dead_by_seq(to));
    each(store, Keyspace::Dead, keys::dead_prefix(), range, |row| {
        let letter = decode_dead_letter(&row.value)?;
        ids.push((keys::dead_by_id(&letter.id), letter.seq));
        changes.push(removal(Keyspace::Dead, row.key));
        Ok(())
    })?;
    remove_positions(store, Keyspace::Dead, ids, changes)
}

/// The ids of the alerts that are removed.
fn remove_alerts(
    store: &dyn Store,
    from: Seq,
    to: Seq,
    changes: &mut Vec<Change>,
) -> Result<Vec<Id>, StoreError> {
    let range = (keys::seq(from), keys::seq(to));
    let mut ids = Vec::new();
    each(store, Keyspace::Alert, &[], range, |row| {
        let alert = Alert::decode(&row.value);
        ids.push(alert.map_err(|error| bad(Keyspace::Alert, error.to_string()))?.id);
        changes.push(removal(Keyspace::Alert, row.key));
        Ok(())
    })?;
    Ok(ids)
}

/// What was erased need not be known for longer than if it had stayed.
fn remove_erased(store: &dyn Store, from: Seq, to: Seq, changes: &mut Vec<Change>) -> Result<(), StoreError> {
    let range = (keys::erased_by_seq(from, 0), keys::erased_by_seq(to, 0));
    let mut ids = Vec::new();
    each(store, Keyspace::Erased, keys::erased_prefix(), range, |row| {
        if let Some((seq, hash)) = keys::read_erased(&row.key) {
            ids.push((keys::erased_by_id(hash), seq));
        }
        changes.push(removal(Keyspace::Erased, row.key));
        Ok(())
    })?;
    remove_positions(store, Keyspace::Erased, ids, changes)
}

/// Removes rows id -> position, unless the id has a later position meanwhile.
fn remove_positions(
    store: &dyn Store,
    keyspace: Keyspace,
    ids: Vec<(Vec<u8>, Seq)>,
    changes: &mut Vec<Change>,
) -> Result<(), StoreError> {
    let (keys, positions): (Vec<Vec<u8>>, Vec<Seq>) = ids.into_iter().unzip();
    let found = store.load_many(keyspace, &keys)?;
    for ((key, seq), row) in keys.into_iter().zip(positions).zip(found) {
        if row.and_then(|row| keys::read_seq(&row)) == Some(seq) {
            changes.push(removal(keyspace, key));
        }
    }
    Ok(())
}

/// Rows with `from <= key < to`, in pages.
fn each(
    store: &dyn Store,
    keyspace: Keyspace,
    prefix: &[u8],
    (mut from, to): (Vec<u8>, Vec<u8>),
    mut each: impl FnMut(Row) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    loop {
        let page = store.scan(keyspace, prefix, &from, STEP as usize)?;
        let Some(last) = page.last() else { return Ok(()) };
        from.clone_from(&last.key);
        from.push(0);
        for row in page {
            if row.key >= to {
                return Ok(());
            }
            each(row)?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 20_000 * DAY_MICROS + DAY_MICROS / 2;

    #[test]
    fn a_record_goes_when_it_is_older_than_the_setting_by_a_day_at_least() {
        let mut calendar = Calendar::default();
        for (seq, day) in (1..).zip([0, 0, 1, 1, 5, 6]) {
            calendar.note(seq, NOON + day * DAY_MICROS);
        }
        let kept = |day: i64, days| calendar.first_kept(NOON + day * DAY_MICROS, days);
        assert_eq!(kept(6, 30), 1);
        assert_eq!(kept(6, 5), 1);
        assert_eq!(kept(6, 4), 3);
        assert_eq!(kept(6, 3), 5, "days without records");
        assert_eq!(kept(6, 0), 5);
        assert_eq!(kept(9, 1), Seq::MAX);
    }

    #[test]
    fn records_before_the_first_time_go_with_its_day() {
        let mut calendar = Calendar::default();
        assert_eq!(calendar.first_kept(NOON, 1), 0);
        calendar.note(7, NOON);
        assert_eq!(calendar.first_kept(NOON, 1), 1);
    }

    #[test]
    fn days_of_a_thousand_years_take_the_memory_of_ten() {
        let mut calendar = Calendar::default();
        for day in 0..365_000 {
            calendar.note(day as Seq + 1, day * DAY_MICROS);
        }
        assert!(calendar.days.len() as i64 <= DAYS_MAX + 1);
        assert_eq!(calendar.first_kept(364_999 * DAY_MICROS, 3_650), 365_000 - 3_651);
    }
}
