//! Everything that a store holds about one user, as one document of JSON for people and programs.

use std::collections::BTreeMap;

use doorward_rules::{Slot, Slots};
use serde::Serialize;
use serde_json::value::RawValue;

use super::Exporting;
use crate::alerts::alert::Alert;
use crate::alerts::budget::Mailbox;
use crate::attempt::{Attempt, EventBytes};
use crate::cli::exit::CliError;
use crate::event::Timestamp;
use crate::history::UserHistory;
use crate::history::crowd::CrowdObservation;
use crate::history::failures::UserFailures;
use crate::pipeline::batch::{dead_letter_line, decision_line, decode_dead_letter, decode_decision};
use crate::pipeline::journal::{self, Body};
use crate::pipeline::keys;
use crate::pipeline::ports::{Keyspace, Seq, Store, StoreError};
use crate::pipeline::row_bytes::bad;
use crate::pipeline::timers::Timer;
use crate::pipeline::user_rows::{UserRows, decode_attempt};
use crate::pipeline::user_traces::{Rows, Traces, WantedUser};

#[derive(Serialize)]
struct Document<'a> {
    tenant: &'a str,
    user_id: &'a str,
    /// The last record of the store when it was written.
    seq: Seq,
    notes: [&'static str; 2],
    history: Option<UserHistory>,
    failures: Option<UserFailures>,
    mailbox: Option<Mailbox>,
    attempts: Vec<OpenAttempt>,
    timers: Vec<WaitingTimer>,
    decisions: Vec<Decided>,
    alerts: Vec<Alert>,
    mails: Vec<String>,
    events: Vec<JournaledEvent>,
    dead_letters: Vec<Box<RawValue>>,
}

const NOTES: [&str; 2] = [
    "times in `history` and `failures` are seconds since 1970-01-01T00:00:00Z, times of attempts, alerts and the \
     mailbox are microseconds; devices and addresses stand there as keyed hashes",
    "`crowd` is what counters across users took from an event: they count it under these keyed hashes for an hour, and \
     without the user for longer",
];

#[derive(Serialize)]
struct OpenAttempt {
    attempt: Attempt,
    last_event: Option<Box<RawValue>>,
}

#[derive(Serialize)]
struct WaitingTimer {
    due: String,
    kind: String,
}

#[derive(Serialize)]
struct Decided {
    decision: Box<RawValue>,
    /// What the rules saw.
    fields: BTreeMap<&'static str, Value>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Value {
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
}

#[derive(Serialize)]
struct JournaledEvent {
    seq: Seq,
    now: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alert: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    dead_letter: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    crowd: Option<Crowd>,
}

/// What counters across users took from an event; keyed hashes in hex.
#[derive(Serialize)]
struct Crowd {
    user: String,
    address: String,
    prefix: String,
    device: String,
    software: String,
    asn: u32,
    country: Option<String>,
}

impl From<CrowdObservation> for Crowd {
    fn from(seen: CrowdObservation) -> Self {
        let hex = |hash: u64| format!("{hash:016x}");
        Self {
            user: hex(seen.user),
            address: hex(seen.address),
            prefix: hex(seen.prefix),
            device: hex(seen.device),
            software: hex(seen.software),
            asn: seen.asn,
            country: (seen.country != 0)
                .then(|| String::from_utf8_lossy(&seen.country.to_be_bytes()).into_owned()),
        }
    }
}

/// The document about a user; `None` if nothing is known of them.
///
/// # Errors
/// When the store fails or a row does not decode.
pub fn document(
    store: &dyn Store,
    exporting: &Exporting<'_>,
    user: WantedUser,
) -> Result<Option<String>, CliError> {
    let mut traces = Traces::of(user);
    traces.look(store)?;
    let rows = traces.rows(store)?;
    if traces.is_empty() && rows.is_empty() {
        return Ok(None);
    }
    let alerts = alerts(store, &traces)?;
    let mut document = Document {
        tenant: &traces.user.tenant,
        user_id: &traces.user.id,
        seq: store.head()?,
        notes: NOTES,
        history: None,
        failures: None,
        mailbox: None,
        attempts: Vec::new(),
        timers: rows.timers.iter().filter_map(|row| timer(&row.key)).collect(),
        decisions: decisions(store, exporting, &traces)?,
        mails: mails(exporting, &alerts),
        alerts,
        events: events(store, &traces)?,
        dead_letters: dead_letters(store, &traces)?,
    };
    fill_rows(&mut document, &rows)?;
    let mut text =
        serde_json::to_string_pretty(&document).map_err(|error| CliError::Internal(error.to_string()))?;
    text.push('\n');
    Ok(Some(text))
}

fn fill_rows(document: &mut Document<'_>, rows: &Rows) -> Result<(), StoreError> {
    for (keyspace, row) in &rows.of_the_user {
        let value = Some(row.value.as_slice());
        match keyspace {
            Keyspace::User => document.history = UserRows::decode(value, None, None)?.history,
            Keyspace::Failures => document.failures = Some(UserRows::decode(None, value, None)?.failures),
            Keyspace::Mailbox => {
                let mailbox = Mailbox::decode(&row.value);
                document.mailbox = Some(mailbox.map_err(|error| bad(Keyspace::Mailbox, error.to_string()))?);
            }
            _ => {
                let unnamed = UserRows::decode(None, None, value)?.unnamed;
                document
                    .attempts
                    .extend(unnamed.into_iter().map(|(_, attempt)| open(*attempt)));
            }
        }
    }
    for row in &rows.attempts {
        document.attempts.push(open(decode_attempt(&row.value)?));
    }
    Ok(())
}

fn open(mut attempt: Attempt) -> OpenAttempt {
    let event = attempt
        .last
        .as_mut()
        .map(|last| std::mem::replace(&mut last.event, EventBytes(Box::default())));
    OpenAttempt {
        last_event: event.map(|event| json(&event.0)),
        attempt,
    }
}

fn timer(key: &[u8]) -> Option<WaitingTimer> {
    let timer = Timer::read(key)?;
    Some(WaitingTimer {
        due: time(timer.due),
        kind: format!("{:?}", timer.kind).to_lowercase(),
    })
}

fn decisions(
    store: &dyn Store,
    exporting: &Exporting<'_>,
    traces: &Traces,
) -> Result<Vec<Decided>, StoreError> {
    let positions = traces.decisions.union(&traces.records);
    let mut decisions = Vec::new();
    for row in positions.map(|seq| keys::seq(*seq)) {
        let row = store.load_many(Keyspace::Decided, &[row])?.pop().flatten();
        let Some(decision) = row.as_deref().map(decode_decision).transpose()? else {
            continue;
        };
        decisions.push(Decided {
            fields: fields(&decision.slots),
            decision: json(&decision_line(&decision, &exporting.policy)),
        });
    }
    Ok(decisions)
}

fn fields(slots: &[u8]) -> BTreeMap<&'static str, Value> {
    let slots = if slots.is_empty() {
        Slots::new()
    } else {
        Slots::decode(slots).unwrap_or_default()
    };
    let known = slots.iter().filter_map(|(field, slot)| {
        let value = match slot {
            Slot::NoData => return None,
            Slot::Bool(value) => Value::Bool(*value),
            Slot::Int(value) => Value::Int(*value),
            Slot::Float(value) => Value::Float(*value),
            Slot::Text(text) => Value::Text(text.as_str().to_owned()),
        };
        Some((field.name(), value))
    });
    known.collect()
}

fn alerts(store: &dyn Store, traces: &Traces) -> Result<Vec<Alert>, StoreError> {
    let keys: Vec<Vec<u8>> = traces.alerts.keys().cloned().collect();
    let rows = store.load_many(Keyspace::Alert, &keys)?;
    let alerts = rows.iter().flatten().map(|row| Alert::decode(row));
    alerts
        .collect::<Result<_, _>>()
        .map_err(|error| bad(Keyspace::Alert, error.to_string()))
}

/// Paths of the mails that were not picked up.
fn mails(exporting: &Exporting<'_>, alerts: &[Alert]) -> Vec<String> {
    let paths = alerts
        .iter()
        .map(|alert| exporting.data.join("mail").join(format!("{}.eml", alert.id)));
    paths
        .filter(|path| path.is_file())
        .map(|path| path.display().to_string())
        .collect()
}

fn events(store: &dyn Store, traces: &Traces) -> Result<Vec<JournaledEvent>, StoreError> {
    let mut events = Vec::new();
    for seq in &traces.records {
        let row = store
            .load_many(Keyspace::Journal, &[keys::seq(*seq)])?
            .pop()
            .flatten();
        let Some(record) = row.as_deref().map(journal::decode).transpose()? else {
            continue;
        };
        let crowd = record.body.observation().map(Crowd::from);
        let mut entry = JournaledEvent {
            seq: *seq,
            now: time(record.now),
            event: None,
            alert: None,
            dead_letter: None,
            crowd,
        };
        match record.body {
            Body::Event { bytes, .. } | Body::Own { bytes, .. } | Body::Backfilled { bytes, .. } => {
                entry.event = Some(json(&bytes));
            }
            Body::Told { alert } => entry.alert = Some(alert.to_string()),
            Body::Refused { dead_letter, .. } | Body::BackfilledRefused { dead_letter, .. } => {
                entry.dead_letter = Some(dead_letter.iter().map(|byte| format!("{byte:02x}")).collect());
            }
            Body::Activated { .. } | Body::Settled | Body::Erased { .. } | Body::UserErased { .. } => {}
        }
        events.push(entry);
    }
    Ok(events)
}

fn dead_letters(store: &dyn Store, traces: &Traces) -> Result<Vec<Box<RawValue>>, StoreError> {
    let mut letters = Vec::new();
    for seq in traces.letters.keys() {
        let row = store
            .load_many(Keyspace::Dead, &[keys::dead_by_seq(*seq)])?
            .pop()
            .flatten();
        if let Some(letter) = row.as_deref().map(decode_dead_letter).transpose()? {
            letters.push(json(&dead_letter_line(&letter)?));
        }
    }
    Ok(letters)
}

/// Bytes as the JSON that they are, or as a text.
fn json(bytes: &[u8]) -> Box<RawValue> {
    let text = String::from_utf8_lossy(bytes).into_owned();
    RawValue::from_string(text.clone())
        .or_else(|_| serde_json::value::to_raw_value(&text))
        // A text is always JSON.
        .unwrap_or_else(|_| RawValue::NULL.to_owned())
}

fn time(micros: i64) -> String {
    Timestamp::from_micros(micros).to_string()
}
