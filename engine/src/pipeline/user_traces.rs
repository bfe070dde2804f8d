//! Where a store names one user: positions and keys, for whoever shows or erases them.
//!
//! Journal, alerts and dead letters have no index by user, so they are read from their beginning, once: what was found
//! up to a record stays found, and a later look goes on behind it. So a running process looks while it decides, and has
//! little left to do at the moment of the erasure.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use crate::alerts::alert::Alert;
use crate::event::UserKeyPolicy;
use crate::pipeline::batch::decode_dead_letter;
use crate::pipeline::journal::{self, Body};
use crate::pipeline::keys;
use crate::pipeline::ports::{Keyspace, Row, Seq, Store, StoreError};
use crate::pipeline::row_bytes::bad;
use crate::pipeline::timers::{Timer, TimerKind};
use crate::pipeline::user_rows::{UserKey, decode_attempt};
use crate::risk::decision::Id;

const PAGE: usize = 4_096;
/// Bytes of a device at the end of a timer's key.
const DEVICE_BYTES: usize = 16;

/// Why a line is refused whose tenant is not known here.
const FOREIGN_TENANT: &str = "foreign_tenant";

/// Who is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WantedUser {
    /// Tenant.
    pub tenant: Box<str>,
    /// The id in the form that keys are made of.
    pub id: Box<str>,
    policy: UserKeyPolicy,
}

impl WantedUser {
    /// A user by the id that a sender gives.
    #[must_use]
    pub fn new(tenant: &str, id: &str, policy: UserKeyPolicy) -> Self {
        Self {
            tenant: tenant.into(),
            id: policy.canonical(id).into(),
            policy,
        }
    }

    /// Keys of the user's rows.
    #[must_use]
    pub fn key(&self) -> UserKey {
        UserKey::new(&self.tenant, &self.id)
    }

    fn is(&self, id: &str) -> bool {
        *self.policy.canonical(id) == *self.id
    }
}

/// What was found of one user.
#[derive(Debug, Clone)]
pub struct Traces {
    /// Whose.
    pub user: WantedUser,
    /// Positions of journal records: events, refused lines, alerts that a timer raised.
    pub records: BTreeSet<Seq>,
    /// Positions of decisions.
    pub decisions: BTreeSet<Seq>,
    /// Keys of alerts, and their ids.
    pub alerts: BTreeMap<Vec<u8>, Id>,
    /// Dead letters: position and id.
    pub letters: BTreeMap<Seq, [u8; 32]>,
    attempts: BTreeSet<Box<str>>,
    /// Addresses and devices of the user, as the user's events say them.
    signs: BTreeSet<Box<str>>,
    /// The first record that was not looked at.
    next: Seq,
}

/// Rows that change with every login, so they are only looked for when nothing is decided in between.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rows {
    /// History, failures, mailbox and attempts without an id, as far as there are any.
    pub of_the_user: Vec<(Keyspace, Row)>,
    /// Open attempts with an id.
    pub attempts: Vec<Row>,
    /// Timers.
    pub timers: Vec<Row>,
}

impl Rows {
    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.of_the_user.is_empty() && self.attempts.is_empty() && self.timers.is_empty()
    }
}

impl Traces {
    /// Nothing was looked at yet.
    #[must_use]
    pub const fn of(user: WantedUser) -> Self {
        Self {
            user,
            records: BTreeSet::new(),
            decisions: BTreeSet::new(),
            alerts: BTreeMap::new(),
            letters: BTreeMap::new(),
            attempts: BTreeSet::new(),
            signs: BTreeSet::new(),
            next: 0,
        }
    }

    /// Whether nothing was found.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
            && self.decisions.is_empty()
            && self.alerts.is_empty()
            && self.letters.is_empty()
    }

    /// Looks at what came since the last look.
    ///
    /// # Errors
    /// When the store fails or a row does not decode.
    pub fn look(&mut self, store: &dyn Store) -> Result<(), StoreError> {
        let end = store.head()?;
        let from = self.next;
        each_until(store, Keyspace::Alert, &[], keys::seq(from), |row| {
            self.look_at_alert(row, end)
        })?;
        each_until(store, Keyspace::Journal, &[], keys::seq(from), |row| {
            self.look_at_record(row, end)
        })?;
        each_until(
            store,
            Keyspace::Dead,
            keys::dead_prefix(),
            keys::dead_by_seq(from),
            |row| self.look_at_letter(row, end),
        )?;
        let key = self.user.key();
        let from = [key.row.as_slice(), &from.to_be_bytes()].concat();
        each_until(store, Keyspace::ByUser, &key.row, from, |row| {
            self.decisions.extend(keys::read_by_user(&row.key));
            Ok(true)
        })?;
        self.next = end.saturating_add(1);
        Ok(())
    }

    fn look_at_alert(&mut self, row: &Row, end: Seq) -> Result<bool, StoreError> {
        let alert = Alert::decode(&row.value).map_err(|error| bad(Keyspace::Alert, error.to_string()))?;
        if alert.seq > end {
            return Ok(false);
        }
        if alert.tenant == self.user.tenant && alert.user_id.as_ref() == Some(&self.user.id) {
            self.alerts.insert(row.key.clone(), alert.id);
        }
        Ok(true)
    }

    fn look_at_letter(&mut self, row: &Row, end: Seq) -> Result<bool, StoreError> {
        let letter = decode_dead_letter(&row.value)?;
        if letter.seq > end {
            return Ok(false);
        }
        if self.is_named_in(&letter.bytes, &letter.refusal.reason) {
            self.letters.insert(letter.seq, letter.id);
            self.records.insert(letter.seq);
        }
        Ok(true)
    }

    /// Whether a line that went out is about the user: a decision, an alert or a refused line.
    #[must_use]
    pub fn is_about(&self, line: &[u8]) -> bool {
        let Ok(line) = serde_json::from_slice::<Published>(line) else {
            return false;
        };
        let named = line.user_id.as_deref() == Some(&*self.user.id)
            && line.tenant.as_deref() == Some(&*self.user.tenant);
        let text = line
            .text
            .map(String::into_bytes)
            .or_else(|| line.hex.as_deref().and_then(from_hex));
        let position = line.seq.filter(|_| line.decision_id.is_some());
        named
            || text.is_some_and(|text| self.is_named_in(&text, line.reason.as_deref().unwrap_or_default()))
            || position.is_some_and(|seq| self.decisions.contains(&seq) || self.records.contains(&seq))
    }

    /// A line that was refused says its tenant or not. Where it does not say its user, the id in quotes is enough, or
    /// something else that the user's own events say.
    fn is_named_in(&self, line: &[u8], reason: &str) -> bool {
        let names = Names::read(line).unwrap_or_default();
        if let Some(user) = names.user.filter(|user| !user.trim().is_empty()) {
            // A tenant that was refused is none of another user here.
            let of_another = |tenant: Box<str>| *tenant != *self.user.tenant && reason != FOREIGN_TENANT;
            return self.user.is(&user) && !names.tenant.is_some_and(of_another);
        }
        let says = |text: &str| {
            let quoted = format!("\"{text}\"");
            line.windows(quoted.len()).any(|part| part == quoted.as_bytes())
        };
        says(&self.user.id) || self.signs.iter().any(|sign| says(sign))
    }

    fn look_at_record(&mut self, row: &Row, end: Seq) -> Result<bool, StoreError> {
        let Some(seq) = keys::read_seq(&row.key).filter(|seq| *seq <= end) else {
            return Ok(false);
        };
        let found = match journal::decode(&row.value)?.body {
            Body::Event { tenant, bytes, .. }
            | Body::Own { tenant, bytes, .. }
            | Body::Backfilled { tenant, bytes, .. } => self.is_of_the_user(&tenant, &bytes),
            Body::Told { alert } => self.alerts.values().any(|known| *known == alert),
            // Refused lines are known by their dead letters.
            Body::Refused { .. }
            | Body::BackfilledRefused { .. }
            | Body::Activated { .. }
            | Body::Settled
            | Body::Erased { .. }
            | Body::UserErased { .. } => false,
        };
        if found {
            self.records.insert(seq);
        }
        Ok(true)
    }

    /// `attempt.closed` need not name the user: its attempt does.
    fn is_of_the_user(&mut self, tenant: &str, bytes: &[u8]) -> bool {
        if *tenant != *self.user.tenant {
            return false;
        }
        let names = Names::read(bytes).unwrap_or_default();
        match (names.user, names.attempt) {
            (Some(user), attempt) if self.user.is(&user) => {
                self.attempts.extend(attempt);
                self.signs.extend(names.signs);
                true
            }
            (None, Some(attempt)) => self.attempts.contains(&attempt),
            _ => false,
        }
    }

    /// The rows that change with every login.
    ///
    /// # Errors
    /// When the store fails or a row does not decode.
    pub fn rows(&self, store: &dyn Store) -> Result<Rows, StoreError> {
        let key = self.user.key();
        let mut rows = Rows::default();
        for (keyspace, row_key) in [
            (Keyspace::User, key.row.clone()),
            (Keyspace::Failures, key.row.clone()),
            (Keyspace::Mailbox, key.row.clone()),
            (Keyspace::Attempt, key.unnamed()),
        ] {
            let value = store.load_many(keyspace, std::slice::from_ref(&row_key))?.pop();
            if let Some(value) = value.flatten() {
                rows.of_the_user.push((keyspace, Row { key: row_key, value }));
            }
        }
        let named = keys::named_attempts(&self.user.tenant);
        each_until(store, Keyspace::Attempt, &named, named.clone(), |row| {
            if decode_attempt(&row.value)?.user.as_ref() == Some(&self.user.id) {
                rows.attempts.push(row.clone());
            }
            Ok(true)
        })?;
        let mut timers = Vec::new();
        each_until(store, Keyspace::Timer, &[], Vec::new(), |row| {
            if Timer::read(&row.key).is_some_and(|timer| is_about(&timer, &key, &rows.attempts)) {
                timers.push(row.clone());
            }
            Ok(true)
        })?;
        rows.timers = timers;
        Ok(rows)
    }
}

/// Whether a timer is about a user or one of these attempts.
fn is_about(timer: &Timer, key: &UserKey, attempts: &[Row]) -> bool {
    match timer.kind {
        TimerKind::Attempt => attempts.iter().any(|row| row.key == timer.key),
        TimerKind::Unnamed | TimerKind::Quiet => timer
            .key
            .split_last_chunk::<DEVICE_BYTES>()
            .is_some_and(|(row, _)| row == key.row),
        TimerKind::Digest => timer.key == key.row,
    }
}

/// Rows of a table that start with `prefix`, from a key on, until `each` has seen enough.
fn each_until(
    store: &dyn Store,
    keyspace: Keyspace,
    prefix: &[u8],
    mut from: Vec<u8>,
    mut each: impl FnMut(&Row) -> Result<bool, StoreError>,
) -> Result<(), StoreError> {
    loop {
        let page = store.scan(keyspace, prefix, &from, PAGE)?;
        for row in &page {
            if !each(row)? {
                return Ok(());
            }
        }
        match page.last() {
            Some(last) if page.len() == PAGE => {
                from.clone_from(&last.key);
                from.push(0);
            }
            _ => return Ok(()),
        }
    }
}

/// A line of one of the files that go out.
#[derive(Deserialize)]
struct Published {
    tenant: Option<String>,
    user_id: Option<String>,
    decision_id: Option<String>,
    seq: Option<Seq>,
    reason: Option<String>,
    text: Option<String>,
    hex: Option<String>,
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes().chunks(2).map(|pair| {
        let pair = std::str::from_utf8(pair).ok()?;
        u8::from_str_radix(pair, 16).ok()
    });
    digits.collect()
}

/// Who is named in an event, as far as it reads.
#[derive(Debug, Default, PartialEq, Eq)]
struct Names {
    tenant: Option<Box<str>>,
    user: Option<Box<str>>,
    attempt: Option<Box<str>>,
    /// Addresses of contacts, and the device.
    signs: Vec<Box<str>>,
}

#[derive(Deserialize)]
struct Outside {
    device: Option<Value>,
    tenant: Option<Value>,
    user: Option<Value>,
    attempt: Option<Value>,
    data: Option<Value>,
}

impl Names {
    /// `None` if it is no object of JSON.
    fn read(bytes: &[u8]) -> Option<Self> {
        let outside: Outside = serde_json::from_slice(bytes).ok()?;
        // An event may come as the data of a CloudEvents envelope.
        let inside = |name| outside.data.as_ref().and_then(|data| data.get(name)).cloned();
        let text = |value: &Value| value.as_str().map(Box::from);
        let id = |value: Option<Value>| value.and_then(|value| value.get("id").and_then(text));
        let user = outside.user.or_else(|| inside("user"));
        let contacts = user.as_ref().and_then(|user| user.get("contacts")?.as_array());
        let addresses = contacts
            .into_iter()
            .flatten()
            .filter_map(|contact| contact.get("address"));
        let device = id(outside.device.or_else(|| inside("device")));
        Some(Self {
            signs: addresses.filter_map(text).chain(device).collect(),
            tenant: outside
                .tenant
                .or_else(|| inside("tenant"))
                .as_ref()
                .and_then(text),
            attempt: id(outside.attempt.or_else(|| inside("attempt"))),
            user: id(user),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(line: &str) -> Option<Names> {
        Names::read(line.as_bytes())
    }

    #[test]
    fn users_and_attempts_are_read_as_far_as_the_line_reads() {
        let anna = Names {
            user: Some("anna".into()),
            ..Names::default()
        };
        assert_eq!(
            names(r#"{"user":{"id":"anna"},"attempt":{"id":"a-1"},"type":7}"#)
                .and_then(|names| names.attempt),
            Some("a-1".into())
        );
        assert_eq!(
            names(r#"{"specversion":"1.0","data":{"user":{"id":"anna"}}}"#),
            Some(anna)
        );
        assert_eq!(names(r#"{"user":"anna"}"#), Some(Names::default()));
        assert_eq!(names(r#"{"user":{"id":"anna""#), None);
    }

    #[test]
    fn a_line_that_is_no_json_names_the_user_in_quotes() {
        let traces = Traces::of(WantedUser::new("default", "anna", UserKeyPolicy::Exact));
        let named = |line: &str, reason| traces.is_named_in(line.as_bytes(), reason);
        assert!(named(r#"{"user":{"id":"anna""#, "invalid_json"));
        assert!(!named(r#"{"user":{"id":"anna2""#, "invalid_json"));
        assert!(!named(
            r#"{"tenant":"other","user":{"id":"anna"}}"#,
            "missing_field"
        ));
        assert!(named(
            r#"{"tenant":"other","user":{"id":"anna"}}"#,
            FOREIGN_TENANT
        ));
        assert!(named(
            r#"{"tenant":"default","user":{"id":"anna"},"type":1}"#,
            "unknown_type"
        ));
    }
}
