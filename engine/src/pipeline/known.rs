//! What counts as known (clause S5): decided or refused, and not older than what is kept.

use crate::enrich::EnrichedLogin;
use crate::event::Timestamp;
use crate::pipeline::dead_letter::Refusal;
use crate::pipeline::erase::erased_key;
use crate::pipeline::journal;
use crate::pipeline::keys;
use crate::pipeline::ports::{Keyspace, Seq, Store, StoreError};
use crate::pipeline::retention::Kept;
use crate::pipeline::sequencer::Sequencer;

const DAY_MICROS: i64 = 86_400_000_000;

impl Sequencer {
    /// Whether an event or dead letter is in a batch that is not committed yet.
    pub(super) fn is_uncommitted(&self, id: &[u8; 32]) -> bool {
        let mut batches = self.uncommitted.iter().rev();
        let seq = batches.find_map(|(_, ids)| ids.get(id));
        seq.is_some_and(|seq| self.counts_still(*seq))
    }

    /// Whether a line at the same place of an input with the same beginning is a dead letter already: two names of one
    /// file, say. Lines refused by their time are few, so each is asked for by itself.
    pub(super) fn was_refused(&self, id: &[u8; 32]) -> Result<bool, StoreError> {
        if self.is_uncommitted(id) {
            return Ok(true);
        }
        let row = self
            .store
            .load_many(Keyspace::Dead, &[keys::dead_by_id(id)])?
            .pop();
        let mut row = row.flatten();
        if row.is_none() && self.has_erased {
            let key = erased_key(&self.engine.hash, id);
            row = self.store.load_many(Keyspace::Erased, &[key])?.pop().flatten();
        }
        let seq = row.and_then(|row| keys::read_seq(&row));
        Ok(seq.is_some_and(|seq| self.counts_still(seq)))
    }

    /// Whether what was decided or refused at `seq` counts as known now. What is older may be there still, or gone.
    pub(super) fn counts_still(&self, seq: Seq) -> bool {
        seq >= self.first_decision(self.clock)
    }

    /// First record whose decision and dead letter count at `clock`.
    pub(super) fn first_decision(&self, clock: i64) -> Seq {
        let kept = self.calendar.first_kept(clock, self.engine.decisions_days);
        kept.max(self.removed.decided_from)
    }

    /// Events before this are too old at `clock`.
    fn oldest(&self, clock: i64) -> i64 {
        let days = self.engine.decisions_days.saturating_mul(DAY_MICROS);
        clock.saturating_sub(days).max(self.removed.refused_before)
    }

    /// What is kept after the open batch.
    pub(super) fn kept(&self) -> Option<Kept> {
        let days = self.journal_days?;
        Some(Kept {
            journal: self.calendar.first_kept(self.clock, days).min(self.head),
            decided: self.first_decision(self.clock).min(self.head),
            refused_before: self.oldest(self.clock),
        })
    }

    /// Clause S5: what is older than the table of seen events cannot be told from a repeat.
    pub(super) fn not_too_old(
        &self,
        login: Box<EnrichedLogin>,
        now: i64,
    ) -> Result<Box<EnrichedLogin>, Refusal> {
        let clock = self.clock.max(now);
        let oldest = self.oldest(clock);
        let days = clock.saturating_sub(oldest) / DAY_MICROS;
        if login.event.time < Timestamp::from_micros(oldest) {
            return Err(Refusal::too_old(login.event.time, days));
        }
        Ok(login)
    }
}

/// `now` of the last record of the journal that came from a door, and whether it was read in from old logs.
pub(super) fn last_admitted(store: &dyn Store) -> Result<Option<(i64, bool)>, StoreError> {
    let mut limit = 64;
    loop {
        let rows = store.scan_back(Keyspace::Journal, &[], limit)?;
        for row in &rows {
            let record = journal::decode(&row.value)?;
            if record.body.is_from_door() {
                return Ok(Some((record.now, record.body.is_backfill())));
            }
        }
        if rows.len() < limit {
            return Ok(None);
        }
        limit *= 8;
    }
}
