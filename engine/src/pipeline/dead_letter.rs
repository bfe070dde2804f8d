//! Lines that were refused: nothing is lost, every one says what is wrong and where it stood.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::event::{ParseError, Reason, Timestamp};
use crate::pipeline::ports::Seq;

/// Version of the stored form.
pub const DEAD_LETTER_VERSION: u8 = 1;

/// Why a line is no event of ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// Stable code, such as `missing_field`.
    pub reason: Box<str>,
    /// Dotted path of the field, empty for the whole line.
    pub field: Box<str>,
    /// What is wrong, in a sentence.
    pub message: Box<str>,
}

impl Refusal {
    /// A refusal that does not come from parsing.
    #[must_use]
    pub fn new(reason: &str, field: &str, message: String) -> Self {
        Self {
            reason: reason.into(),
            field: field.into(),
            message: message.into_boxed_str(),
        }
    }

    /// `event.time` jumps ahead, and the next line does not confirm it (clause S3).
    #[must_use]
    pub fn time_jump(time: Timestamp) -> Self {
        Self::new(
            "time_jump",
            "time",
            format!("`{time}` is far ahead of the lines around it; the clock of the file was not moved"),
        )
    }

    /// `event.time` lies ahead of the wall clock (clause S3).
    #[must_use]
    pub fn time_in_future(time: Timestamp, minutes: i64) -> Self {
        Self::new(
            "time_in_future",
            "time",
            format!("`{time}` is more than {minutes} minutes in the future"),
        )
    }

    /// Older than the table of seen events (clause S5).
    #[must_use]
    pub fn too_old(time: Timestamp, days: i64) -> Self {
        Self::new(
            "too_old",
            "time",
            format!("`{time}` is older than {days} days, so it cannot be told whether it was decided before"),
        )
    }

    /// A tenant that this door may not speak for.
    #[must_use]
    pub fn foreign_tenant(tenant: &str) -> Self {
        Self::new(
            "foreign_tenant",
            "tenant",
            format!("tenant `{tenant}` is not allowed at this door"),
        )
    }

    /// A source that this door is not for.
    #[must_use]
    pub fn foreign_source(source: &str) -> Self {
        Self::new(
            "foreign_source",
            "source",
            format!("source `{source}` is not allowed at this door"),
        )
    }

    /// Messages of a log that were gone before they were read, and that somebody accepted to lose.
    #[must_use]
    pub fn log_gap(message: String) -> Self {
        Self::new("log_gap", "", message)
    }
}

impl From<ParseError> for Refusal {
    fn from(error: ParseError) -> Self {
        Self::new(error.reason.as_str(), &error.field, error.message)
    }
}

/// A refused line with the place it stood.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// SHA-256 of first-line hash, offset and bytes (clause S9).
    pub id: [u8; 32],
    /// Position in the journal.
    pub seq: Seq,
    /// Name of the input, as given.
    pub source: Box<str>,
    /// Number of the line, 1 for the first.
    pub line: u64,
    /// Bytes of the input before it.
    pub offset: u64,
    /// Why.
    pub refusal: Refusal,
    /// The line, cut at the limit for events.
    pub bytes: Vec<u8>,
}

/// The id of a dead letter: the same line at the same place of the same file has the same one.
#[must_use]
pub fn dead_letter_id(first_line: &[u8; 32], offset: u64, bytes: &[u8]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(first_line);
    hash.update(offset.to_be_bytes());
    hash.update(bytes);
    hash.finalize().into()
}

#[derive(Serialize)]
struct Line<'a> {
    id: String,
    seq: Seq,
    reason: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    field: &'a str,
    message: &'a str,
    source: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    partition: Option<u32>,
    offset: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hex: Option<String>,
}

impl DeadLetter {
    /// The line for the dead-letter file. What is no UTF-8 is given as hex, so that nothing is lost.
    ///
    /// # Errors
    /// Never in practice: the form is plain JSON.
    pub fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        let text = std::str::from_utf8(&self.bytes).ok();
        // Lines count from 1; a message of a log has none, and its input is named `LOG/PARTITION`.
        let line = (self.line > 0).then_some(self.line);
        let log = line.is_none().then(|| self.source.rsplit_once('/')).flatten();
        let (source, partition) = log.map_or((&*self.source, None), |(source, part)| (source, Some(part)));
        serde_json::to_vec(&Line {
            id: hex(&self.id),
            seq: self.seq,
            reason: &self.refusal.reason,
            field: &self.refusal.field,
            message: &self.refusal.message,
            source,
            line,
            partition: partition.and_then(|partition| partition.parse().ok()),
            offset: self.offset,
            text,
            hex: text.is_none().then(|| hex(&self.bytes)),
        })
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Codes that [`Refusal`] adds to those of parsing, for metrics and documentation.
#[must_use]
pub fn reasons() -> Vec<&'static str> {
    let own = ["time_jump", "time_in_future", "too_old", "foreign_tenant"];
    Reason::ALL
        .iter()
        .map(|reason| reason.as_str())
        .chain(own)
        .collect()
}

/// Codes that only messages of a log have, and no line of a file.
pub const OF_MESSAGES: [&str; 2] = ["foreign_source", "log_gap"];

#[cfg(test)]
mod tests {
    use super::*;

    fn letter(bytes: &[u8]) -> DeadLetter {
        DeadLetter {
            id: dead_letter_id(&[1; 32], 10, bytes),
            seq: 3,
            source: "events.ndjson".into(),
            line: 2,
            offset: 10,
            refusal: Refusal::new("missing_field", "user.id", "`user.id` is missing".into()),
            bytes: bytes.to_vec(),
        }
    }

    #[test]
    fn the_line_names_reason_field_source_line_and_offset() {
        let json = letter(b"{}").to_json().expect("plain");
        let value: serde_json::Value = serde_json::from_slice(&json).expect("valid");
        assert_eq!(value["reason"], "missing_field");
        assert_eq!(value["field"], "user.id");
        assert_eq!(value["source"], "events.ndjson");
        assert_eq!((&value["line"], &value["offset"]), (&2.into(), &10.into()));
        assert_eq!(value["text"], "{}");
    }

    #[test]
    fn bytes_that_are_no_text_are_kept_as_hex() {
        let json = letter(&[0xff, 0x00]).to_json().expect("plain");
        let value: serde_json::Value = serde_json::from_slice(&json).expect("valid");
        assert_eq!(value["hex"], "ff00");
        assert!(value.get("text").is_none());
    }

    #[test]
    fn the_same_text_at_another_place_is_another_letter() {
        assert_ne!(
            dead_letter_id(&[1; 32], 10, b"x"),
            dead_letter_id(&[1; 32], 11, b"x")
        );
        assert_ne!(
            dead_letter_id(&[1; 32], 10, b"x"),
            dead_letter_id(&[2; 32], 10, b"x")
        );
    }
}
