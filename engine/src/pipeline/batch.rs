//! What one batch of the sequencer holds, and its one commit (clause S4): journal, decisions, rows, dead letters,
//! positions, all or nothing. Encoding runs behind the deciding thread.

use crate::alerts::alert::Alert;
use crate::history::crowd::CrowdObservation;
use crate::pipeline::crowd_image::Snapshot;
use crate::pipeline::dead_letter::{DEAD_LETTER_VERSION, DeadLetter};
use crate::pipeline::erase::Erasing;
use crate::pipeline::journal::{self, Body, JournalRecord};
use crate::pipeline::keys;
use crate::pipeline::ports::{Batch, Change, Keyspace, Record, Seq, StoreError};
use crate::pipeline::retention::Kept;
use crate::pipeline::row_bytes;
use crate::pipeline::versions::{Current, Hashes, bounds_change};
use crate::risk::decision::{Decision, Id};
use crate::risk::json::write_decision;
use crate::risk::score::ScorePolicy;

/// Bytes of most stored decisions beside their slots.
const BESIDE_SLOTS: usize = 384;
/// Version of a stored decision.
pub const DECISION_VERSION: u8 = 1;

/// An event that was decided.
#[derive(Debug)]
pub struct DecidedEvent {
    /// As it came in, or as we wrote it.
    pub bytes: Vec<u8>,
    /// Whether it is an event of our own: nobody sent it, and folding the journal makes it again.
    pub own: bool,
    /// Whether it was read in from old logs.
    pub backfill: bool,
    /// What the counters across users saw.
    pub observation: Option<CrowdObservation>,
    /// The decision.
    pub decision: Decision,
    /// Who is told.
    pub alerts: Vec<Alert>,
}

/// One record of the journal with all that came of it.
#[derive(Debug)]
pub enum Outcome {
    /// An event.
    Decided(Box<DecidedEvent>),
    /// A refused line, with Doorward's clock.
    Refused(Box<DeadLetter>, i64),
    /// The same, read in from old logs.
    BackfilledRefused(Box<DeadLetter>, i64),
    /// Somebody is told of what happened before, when its time had come.
    Told(Box<ToldLater>),
    /// What was due after the last record fired.
    Settled(Settled),
    /// Other versions are in force from here on.
    Activated(Box<Activation>),
    /// A user is erased.
    UserErased(Erasure),
}

impl Outcome {
    /// Whether somebody sent what it is about, and no timer made it.
    #[must_use]
    pub const fn is_from_door(&self) -> bool {
        match self {
            Self::Decided(event) => !event.own,
            Self::Refused(..) | Self::BackfilledRefused(..) => true,
            Self::Told(_) | Self::Activated(_) | Self::Settled(_) | Self::UserErased(_) => false,
        }
    }

    /// Doorward's clock at the record.
    #[must_use]
    pub fn now(&self) -> i64 {
        match self {
            Self::Decided(event) => event.decision.now,
            Self::Refused(_, now) | Self::BackfilledRefused(_, now) => *now,
            Self::Told(told) => told.now,
            Self::Settled(settled) => settled.clock,
            Self::Activated(activation) => activation.now,
            Self::UserErased(erasure) => erasure.now,
        }
    }
}

/// Timers fired up to a time that the clock did not reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settled {
    /// Position in the journal.
    pub seq: Seq,
    /// Up to when.
    pub up_to: i64,
    /// Doorward's clock.
    pub clock: i64,
}

/// Other rules, lists, geo files or settings are in force (clause S11).
#[derive(Debug)]
pub struct Activation {
    /// Its record: from here on.
    pub seq: Seq,
    /// Doorward's clock.
    pub now: i64,
    /// The hash that decisions name.
    pub versions: Id,
    /// The hashes that it is made of.
    pub hashes: Hashes,
    /// What the archive did not have yet.
    pub archive: Vec<Change>,
    /// Bounds of the score.
    pub policy: ScorePolicy,
}

/// A user is erased, whom nothing here names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Erasure {
    /// Position in the journal.
    pub seq: Seq,
    /// Doorward's clock.
    pub now: i64,
    /// Keyed hash of tenant and user.
    pub user: [u8; 16],
    /// Records that were erased.
    pub records: u64,
}

/// An alert that a timer raised.
#[derive(Debug)]
pub struct ToldLater {
    /// The alert; its `seq` is that of the record.
    pub alert: Alert,
    /// Doorward's clock.
    pub now: i64,
}

/// A batch that is closed and waits for its commit.
#[derive(Debug, Default)]
pub struct ClosedBatch {
    /// Number of the batch, from 1.
    pub number: u64,
    /// Head of the store before it.
    pub expected_head: Seq,
    /// Head after it.
    pub new_head: Seq,
    /// In order of `seq`.
    pub outcomes: Vec<Outcome>,
    /// Rows of users, attempts and mailboxes.
    pub rows: Vec<Change>,
    /// How far each input was read.
    pub positions: Vec<Change>,
    /// A copy of the counters across users at `new_head`, when an image is due.
    pub image: Option<Box<Snapshot>>,
    /// What is kept after it, if the store is to be tidied at all.
    pub kept: Option<Kept>,
    /// A user to be erased; then there is nothing else in it.
    pub erasing: Option<Box<Erasing>>,
}

/// What leaves after the commit.
#[derive(Debug, Default)]
pub struct Outgoing {
    /// Compact decisions as JSON lines.
    pub decisions: Vec<Record>,
    /// Dead letters as JSON lines.
    pub dead_letters: Vec<Record>,
    /// Alerts that are due, encoded.
    pub alerts: Vec<Record>,
    /// All alerts as JSON lines.
    pub alert_lines: Vec<Record>,
}

/// Makes the bytes of a batch: rows for the store, lines for the sinks. Rows and positions move out of it. `policy` is
/// what was in force before it, and becomes what is in force after it.
///
/// # Errors
/// Only if a value cannot be encoded at all.
pub fn encode(closed: &mut ClosedBatch, policy: &mut ScorePolicy) -> Result<(Batch, Outgoing), StoreError> {
    let mut batch = Batch {
        expected_head: closed.expected_head,
        new_head: closed.new_head,
        changes: Vec::with_capacity(closed.outcomes.len() * 4 + closed.rows.len() + closed.positions.len()),
    };
    let mut outgoing = Outgoing::default();
    for outcome in &mut closed.outcomes {
        match outcome {
            Outcome::Decided(event) => encode_decided(event, policy, &mut batch, &mut outgoing)?,
            Outcome::Refused(letter, now) => {
                let body = Body::Refused {
                    reason: letter.refusal.reason.clone(),
                    dead_letter: letter.id,
                };
                encode_refused(letter, body, *now, &mut batch, &mut outgoing)?;
            }
            Outcome::BackfilledRefused(letter, now) => {
                let body = Body::BackfilledRefused {
                    reason: letter.refusal.reason.clone(),
                    dead_letter: letter.id,
                };
                encode_refused(letter, body, *now, &mut batch, &mut outgoing)?;
            }
            Outcome::Told(told) => encode_told(told, &mut batch, &mut outgoing)?,
            Outcome::Settled(settled) => encode_settled(settled, &mut batch)?,
            Outcome::Activated(activation) => {
                encode_activated(activation, &mut batch)?;
                *policy = activation.policy;
            }
            Outcome::UserErased(erasure) => encode_erasure(erasure, &mut batch)?,
        }
    }
    batch.changes.append(&mut closed.rows);
    batch.changes.append(&mut closed.positions);
    Ok((batch, outgoing))
}

fn encode_decided(
    event: &DecidedEvent,
    policy: &ScorePolicy,
    batch: &mut Batch,
    outgoing: &mut Outgoing,
) -> Result<(), StoreError> {
    let decision = &event.decision;
    let seq = decision.seq;
    let (tenant, bytes, observation) = (decision.tenant.clone(), Bytes(&event.bytes), event.observation);
    let record = JournalRecord {
        now: decision.now,
        body: if event.own {
            Body::Own {
                tenant,
                bytes,
                observation,
            }
        } else if event.backfill {
            Body::Backfilled {
                tenant,
                bytes,
                observation,
            }
        } else {
            Body::Event {
                tenant,
                bytes,
                observation,
            }
        },
    };
    batch.put(
        Keyspace::Journal,
        keys::seq(seq),
        journal::encode(&record, event.bytes.len())?,
    );
    batch.put(Keyspace::Decided, keys::seq(seq), encode_decision(decision)?);
    batch.put(
        Keyspace::Decision,
        keys::decision(decision.id),
        seq.to_be_bytes().to_vec(),
    );
    if let Some(user) = decision.user_id.as_deref() {
        batch.put(
            Keyspace::ByUser,
            keys::by_user(&decision.tenant, user, seq),
            Vec::new(),
        );
    }
    for (index, alert) in (0..).zip(&event.alerts) {
        put_alert(alert, index, batch, outgoing);
    }
    outgoing.decisions.push(Record {
        seq,
        bytes: decision_line(decision, policy),
    });
    Ok(())
}

fn put_alert(alert: &Alert, index: u16, batch: &mut Batch, outgoing: &mut Outgoing) {
    let (seq, bytes) = (alert.seq, alert.encode());
    if alert.held_back.is_none() {
        outgoing.alerts.push(Record {
            seq,
            bytes: bytes.clone(),
        });
    }
    outgoing.alert_lines.push(Record {
        seq,
        bytes: alert.to_json(),
    });
    batch.put(Keyspace::Alert, keys::alert(seq, index), bytes);
}

fn encode_told(told: &ToldLater, batch: &mut Batch, outgoing: &mut Outgoing) -> Result<(), StoreError> {
    let record: JournalRecord<Bytes<'_>> = JournalRecord {
        now: told.now,
        body: Body::Told { alert: told.alert.id },
    };
    batch.put(
        Keyspace::Journal,
        keys::seq(told.alert.seq),
        journal::encode(&record, 0)?,
    );
    put_alert(&told.alert, 0, batch, outgoing);
    Ok(())
}

fn encode_settled(settled: &Settled, batch: &mut Batch) -> Result<(), StoreError> {
    let record: JournalRecord<Bytes<'_>> = JournalRecord {
        now: settled.up_to,
        body: Body::Settled,
    };
    let row = journal::encode(&record, 0)?;
    batch.put(Keyspace::Journal, keys::seq(settled.seq), row);
    Ok(())
}

fn encode_activated(activation: &mut Activation, batch: &mut Batch) -> Result<(), StoreError> {
    let (seq, versions) = (activation.seq, activation.versions);
    let record: JournalRecord<Bytes<'_>> = JournalRecord {
        now: activation.now,
        body: Body::Activated {
            versions,
            hashes: activation.hashes,
        },
    };
    batch.put(Keyspace::Journal, keys::seq(seq), journal::encode(&record, 0)?);
    batch.changes.push(Current { versions, seq }.change()?);
    batch.changes.push(bounds_change(versions, &activation.policy)?);
    batch.changes.append(&mut activation.archive);
    Ok(())
}

fn encode_erasure(erasure: &Erasure, batch: &mut Batch) -> Result<(), StoreError> {
    let record: JournalRecord<Bytes<'_>> = JournalRecord {
        now: erasure.now,
        body: Body::UserErased {
            user: erasure.user,
            records: erasure.records,
        },
    };
    let row = journal::encode(&record, 0)?;
    batch.put(Keyspace::Journal, keys::seq(erasure.seq), row);
    Ok(())
}

fn encode_refused(
    letter: &DeadLetter,
    body: Body<Bytes<'_>>,
    now: i64,
    batch: &mut Batch,
    outgoing: &mut Outgoing,
) -> Result<(), StoreError> {
    let seq = letter.seq;
    let record = JournalRecord { now, body };
    batch.put(Keyspace::Journal, keys::seq(seq), journal::encode(&record, 0)?);
    batch.put(
        Keyspace::Dead,
        keys::dead_by_id(&letter.id),
        seq.to_be_bytes().to_vec(),
    );
    let row = row_bytes::encode(Keyspace::Dead, DEAD_LETTER_VERSION, letter)?;
    batch.put(Keyspace::Dead, keys::dead_by_seq(seq), row);
    outgoing.dead_letters.push(Record {
        seq,
        bytes: dead_letter_line(letter)?,
    });
    Ok(())
}

/// A decision as it is streamed.
#[must_use]
pub fn decision_line(decision: &Decision, policy: &ScorePolicy) -> Vec<u8> {
    let mut line = Vec::with_capacity(1_024);
    write_decision(&mut line, decision, policy);
    line
}

/// A dead letter as it is written.
///
/// # Errors
/// Never in practice: the form is plain JSON.
pub fn dead_letter_line(letter: &DeadLetter) -> Result<Vec<u8>, StoreError> {
    letter
        .to_json()
        .map_err(|error| row_bytes::bad(Keyspace::Dead, error.to_string()))
}

/// A decision as it is stored.
///
/// # Errors
/// As [`row_bytes::encode`].
pub fn encode_decision(decision: &Decision) -> Result<Vec<u8>, StoreError> {
    // Ledger and advice come on top: one request for memory is enough for most.
    let bytes = decision.slots.len() + BESIDE_SLOTS;
    row_bytes::encode_sized(Keyspace::Decided, DECISION_VERSION, decision, bytes)
}

/// Reads a stored decision.
///
/// # Errors
/// As [`row_bytes::decode`].
pub fn decode_decision(bytes: &[u8]) -> Result<Decision, StoreError> {
    row_bytes::decode(Keyspace::Decided, DECISION_VERSION, bytes)
}

/// Reads a stored dead letter.
///
/// # Errors
/// As [`row_bytes::decode`].
pub fn decode_dead_letter(bytes: &[u8]) -> Result<DeadLetter, StoreError> {
    row_bytes::decode(Keyspace::Dead, DEAD_LETTER_VERSION, bytes)
}

/// Bytes that are written at once and not number by number; reads back as `Vec<u8>`.
#[derive(Debug)]
struct Bytes<'a>(&'a [u8]);

impl serde::Serialize for Bytes<'_> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}
