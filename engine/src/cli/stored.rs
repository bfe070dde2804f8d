//! Reads decisions and alerts back from a store, for the commands that show them.

use crate::alerts::alert::Alert;
use crate::pipeline::batch::decode_decision;
use crate::pipeline::keys;
use crate::pipeline::ports::{Keyspace, Row, Seq, Store, StoreError};
use crate::pipeline::row_bytes::bad;
use crate::risk::decision::Decision;

const PAGE: usize = 4_096;

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

/// The last `count` scored decisions on logins of a user, up to `last`, oldest first.
///
/// # Errors
/// When the store fails or a row does not decode.
pub fn last_logins(
    store: &dyn Store,
    (tenant, user): (&str, &str),
    last: Seq,
    count: usize,
) -> Result<Vec<Decision>, StoreError> {
    let mut positions = Vec::new();
    each_row(store, Keyspace::ByUser, &keys::user(tenant, user), |row| {
        positions.extend(keys::read_by_user(&row.key).filter(|seq| *seq <= last));
        Ok(())
    })?;
    let mut logins = Vec::new();
    for seq in positions.into_iter().rev() {
        if logins.len() == count {
            break;
        }
        logins.extend(decision_at(store, seq)?.filter(|decision| decision.scored.is_some()));
    }
    logins.reverse();
    Ok(logins)
}
