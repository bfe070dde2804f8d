//! Reads decisions and alerts back from a store, for the commands that show them.

use crate::alerts::alert::Alert;
use crate::event::{Limits, LoginEvent, parse, parse_own};
use crate::pipeline::batch::decode_decision;
use crate::pipeline::journal::{self, Body};
use crate::pipeline::keys;
use crate::pipeline::ports::{Keyspace, Row, Seq, Store, StoreError};
use crate::pipeline::row_bytes::bad;
use crate::risk::decision::Decision;

const PAGE: usize = 4_096;
/// How long after an event a timer may still tell of it: a day, as digests do, and some room.
const TOLD_WITHIN: i64 = 2 * 24 * 3_600 * 1_000_000;

/// Every row of a table that starts with `prefix`, in the order of the keys.
///
/// # Errors
/// When the store fails, or `each` does.
pub fn each_row(
    store: &dyn Store,
    keyspace: Keyspace,
    prefix: &[u8],
    mut each: impl FnMut(&Row) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut from = prefix.to_vec();
    loop {
        let page = store.scan(keyspace, prefix, &from, PAGE)?;
        page.iter().try_for_each(&mut each)?;
        match page.last() {
            Some(last) if page.len() == PAGE => {
                from.clone_from(&last.key);
                from.push(0);
            }
            _ => return Ok(()),
        }
    }
}

/// All decisions, in the order of `seq`.
///
/// # Errors
/// When the store fails or a row does not decode.
pub fn decisions(store: &dyn Store) -> Result<Vec<Decision>, StoreError> {
    let mut all = Vec::new();
    each_row(store, Keyspace::Decided, &[], |row| {
        all.push(decode_decision(&row.value)?);
        Ok(())
    })?;
    Ok(all)
}

/// All alerts, in the order of `seq`.
///
/// # Errors
/// When the store fails or a row does not decode.
pub fn alerts(store: &dyn Store) -> Result<Vec<Alert>, StoreError> {
    let mut all = Vec::new();
    each_row(store, Keyspace::Alert, &[], |row| {
        all.push(Alert::decode(&row.value).map_err(|error| bad(Keyspace::Alert, error.to_string()))?);
        Ok(())
    })?;
    Ok(all)
}

/// The decision at one position.
///
/// # Errors
/// When the store fails or the row does not decode.
pub fn decision_at(store: &dyn Store, seq: Seq) -> Result<Option<Decision>, StoreError> {
    let row = store
        .load_many(Keyspace::Decided, &[keys::seq(seq)])?
        .pop()
        .flatten();
    row.as_deref().map(decode_decision).transpose()
}

/// The event at one position, as the journal has it; `None` if it is no event, or went with the old journal.
///
/// # Errors
/// When the store fails or the row does not decode.
pub fn event_at(store: &dyn Store, seq: Seq) -> Result<Option<LoginEvent>, StoreError> {
    let row = store
        .load_many(Keyspace::Journal, &[keys::seq(seq)])?
        .pop()
        .flatten();
    let Some(record) = row.as_deref().map(journal::decode).transpose()? else {
        return Ok(None);
    };
    // It was admitted, so it reads again, unless this program is stricter than the one of that day.
    Ok(match record.body {
        Body::Event { bytes, .. } | Body::Backfilled { bytes, .. } => parse(&bytes, &Limits::LARGEST).ok(),
        Body::Own { bytes, .. } => parse_own(&bytes, &Limits::LARGEST).ok(),
        _ => None,
    })
}

/// Alerts about a decision that a timer raised after it, oldest first.
///
/// # Errors
/// When the store fails or a row does not decode.
pub fn later_alerts(store: &dyn Store, decision: &Decision) -> Result<Vec<Alert>, StoreError> {
    let mut found = Vec::new();
    let mut from = keys::seq(decision.seq);
    loop {
        let page = store.scan(Keyspace::Alert, &[], &from, PAGE)?;
        for row in &page {
            let alert = Alert::decode(&row.value).map_err(|error| bad(Keyspace::Alert, error.to_string()))?;
            if alert.created > decision.now.saturating_add(TOLD_WITHIN) {
                return Ok(found);
            }
            if alert.decision == decision.id && alert.seq != decision.seq {
                found.push(alert);
            }
        }
        match page.last() {
            Some(last) if page.len() == PAGE => {
                from.clone_from(&last.key);
                from.push(0);
            }
            _ => return Ok(found),
        }
    }
}

/// The last `count` attempts of a user with a scored decision up to `last`, each by its last one, oldest first. Stages
/// of one attempt carry its id and lie at most `open` microseconds apart.
///
/// # Errors
/// When the store fails or a row does not decode.
pub fn last_logins(
    store: &dyn Store,
    (tenant, user): (&str, &str),
    last: Seq,
    (count, open): (usize, i64),
) -> Result<Vec<Decision>, StoreError> {
    let mut positions = Vec::new();
    each_row(store, Keyspace::ByUser, &keys::user(tenant, user), |row| {
        positions.extend(keys::read_by_user(&row.key).filter(|seq| *seq <= last));
        Ok(())
    })?;
    let mut logins: Vec<Decision> = Vec::new();
    let mut attempts: Vec<(Box<str>, i64)> = Vec::new();
    for seq in positions.into_iter().rev() {
        if logins.len() == count {
            break;
        }
        let Some(decision) = decision_at(store, seq)?.filter(|decision| decision.scored.is_some()) else {
            continue;
        };
        if let Some(attempt) = event_at(store, seq)?.and_then(|event| event.attempt.id) {
            let is_same =
                |(id, now): &(Box<str>, i64)| *id == attempt && now.saturating_sub(decision.now) <= open;
            if attempts.iter().any(is_same) {
                continue;
            }
            attempts.push((attempt, decision.now));
        }
        logins.push(decision);
    }
    logins.reverse();
    Ok(logins)
}
