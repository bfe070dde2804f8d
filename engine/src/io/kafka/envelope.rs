//! What a message has beside its value: key and headers, taken from the line that is published.

use rdkafka::message::{Header, OwnedHeaders};
use serde::Deserialize;
use std::borrow::Cow;

/// Version of the values and headers of all topics. It grows when a reader has to know.
const SCHEMA: &str = "1";

/// What goes to a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outlet {
    /// Decisions.
    Decisions,
    /// Alerts, due and held back.
    Alerts,
    /// Refused messages.
    DeadLetters,
}

impl Outlet {
    /// Name in cursors and figures.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Decisions => "decisions",
            Self::Alerts => "alerts",
            Self::DeadLetters => "dead_letters",
        }
    }
}

#[derive(Deserialize)]
struct DecisionParts<'a> {
    #[serde(borrow)]
    decision_id: Cow<'a, str>,
    #[serde(borrow)]
    event_id: Cow<'a, str>,
    #[serde(borrow)]
    tenant: Cow<'a, str>,
    #[serde(borrow, default)]
    user_id: Option<Cow<'a, str>>,
    revision: u32,
    seq: u64,
    #[serde(borrow, default)]
    action: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct AlertParts<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    decision_id: Cow<'a, str>,
    #[serde(borrow)]
    tenant: Cow<'a, str>,
    #[serde(borrow, default)]
    user_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    status: Cow<'a, str>,
    seq: u64,
}

#[derive(Deserialize)]
struct LetterParts<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    seq: u64,
    #[serde(borrow)]
    reason: Cow<'a, str>,
    #[serde(borrow, default)]
    field: Option<Cow<'a, str>>,
    #[serde(borrow)]
    message: Cow<'a, str>,
    #[serde(borrow)]
    source: Cow<'a, str>,
    #[serde(default)]
    partition: Option<u32>,
    offset: u64,
    #[serde(borrow, default)]
    text: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    hex: Option<Cow<'a, str>>,
}

/// A message as it goes out.
#[derive(Debug)]
pub(super) struct Envelope<'a> {
    /// The user, so that all of one user stays in order; `None` where nobody is named.
    pub(super) key: Option<Cow<'a, str>>,
    pub(super) headers: OwnedHeaders,
    pub(super) value: Cow<'a, [u8]>,
}

/// The message for a line of `outlet`.
///
/// # Errors
/// Never in practice: the line is our own.
pub(super) fn envelope(outlet: Outlet, line: &[u8]) -> Result<Envelope<'_>, serde_json::Error> {
    match outlet {
        Outlet::Decisions => decision(line),
        Outlet::Alerts => alert(line),
        Outlet::DeadLetters => letter(line),
    }
}

fn with(headers: OwnedHeaders, key: &str, value: &str) -> OwnedHeaders {
    headers.insert(Header {
        key,
        value: Some(value),
    })
}

fn decision(line: &[u8]) -> Result<Envelope<'_>, serde_json::Error> {
    let parts: DecisionParts<'_> = serde_json::from_slice(line)?;
    let headers = OwnedHeaders::new_with_capacity(7);
    let headers = with(headers, "schema", SCHEMA);
    let headers = with(headers, "decision_id", &parts.decision_id);
    let headers = with(headers, "event_id", &parts.event_id);
    let headers = with(headers, "tenant", &parts.tenant);
    let headers = with(headers, "revision", &parts.revision.to_string());
    let headers = with(headers, "seq", &parts.seq.to_string());
    let headers = with(headers, "action", parts.action.as_deref().unwrap_or("none"));
    Ok(Envelope {
        key: parts.user_id,
        headers,
        value: Cow::Borrowed(line),
    })
}

fn alert(line: &[u8]) -> Result<Envelope<'_>, serde_json::Error> {
    let parts: AlertParts<'_> = serde_json::from_slice(line)?;
    let headers = OwnedHeaders::new_with_capacity(7);
    let headers = with(headers, "schema", SCHEMA);
    let headers = with(headers, "alert_id", &parts.id);
    let headers = with(headers, "decision_id", &parts.decision_id);
    let headers = with(headers, "tenant", &parts.tenant);
    let headers = with(headers, "kind", &parts.kind);
    let headers = with(headers, "status", &parts.status);
    let headers = with(headers, "seq", &parts.seq.to_string());
    Ok(Envelope {
        key: parts.user_id,
        headers,
        value: Cow::Borrowed(line),
    })
}

/// A dead letter is the message as it came; what is said of it stands in the headers.
fn letter(line: &[u8]) -> Result<Envelope<'_>, serde_json::Error> {
    let parts: LetterParts<'_> = serde_json::from_slice(line)?;
    let topic = parts
        .source
        .strip_prefix(super::INPUT_PREFIX)
        .unwrap_or(&parts.source);
    let headers = OwnedHeaders::new_with_capacity(9);
    let headers = with(headers, "schema", SCHEMA);
    let headers = with(headers, "letter_id", &parts.id);
    let headers = with(headers, "reason", &parts.reason);
    let headers = with(headers, "field", parts.field.as_deref().unwrap_or_default());
    let headers = with(headers, "message", &parts.message);
    let headers = with(headers, "topic", topic);
    let partition = parts.partition.unwrap_or_default().to_string();
    let headers = with(headers, "partition", &partition);
    let headers = with(headers, "offset", &parts.offset.to_string());
    let headers = with(headers, "seq", &parts.seq.to_string());
    let value = match (parts.text, parts.hex) {
        (Some(text), _) => text.into_owned().into_bytes(),
        (None, hex) => from_hex(&hex.unwrap_or_default()),
    };
    Ok(Envelope {
        key: None,
        headers,
        value: Cow::Owned(value),
    })
}

fn from_hex(hex: &str) -> Vec<u8> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16).unwrap_or_default();
    let byte = |pair: &[u8]| {
        pair.iter()
            .fold(0_u32, |byte, half| byte * 16 + digit(half))
            .to_le_bytes()
            .first()
            .copied()
    };
    hex.as_bytes().chunks(2).filter_map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rdkafka::message::Headers as _;

    fn header<'a>(envelope: &'a Envelope<'_>, key: &str) -> &'a str {
        let headers = envelope.headers.as_borrowed();
        let found = headers.iter().find(|header| header.key == key).expect("a header");
        std::str::from_utf8(found.value.expect("a value")).expect("text")
    }

    #[test]
    fn a_decision_is_keyed_by_its_user() {
        let line = br#"{"decision_id":"d1","revision":0,"event_id":"e\"1","source":"s","tenant":"t","user_id":"an na","seq":7,"action":"step_up","ledger":[]}"#;
        let envelope = envelope(Outlet::Decisions, line).unwrap();
        assert_eq!(envelope.key.as_deref(), Some("an na"));
        assert_eq!(envelope.value.as_ref(), line.as_slice());
        for (key, value) in [
            ("event_id", "e\"1"),
            ("tenant", "t"),
            ("action", "step_up"),
            ("revision", "0"),
            ("schema", "1"),
            ("seq", "7"),
        ] {
            assert_eq!(header(&envelope, key), value);
        }
    }

    #[test]
    fn a_dead_letter_is_what_came_with_where_it_stood() {
        let line = br#"{"id":"i","seq":3,"reason":"not_utf8","message":"m","source":"kafka:logins","partition":2,"offset":9,"hex":"ff00"}"#;
        let envelope = envelope(Outlet::DeadLetters, line).unwrap();
        assert_eq!(envelope.value.as_ref(), [0xff, 0x00]);
        assert_eq!(envelope.key, None);
        for (key, value) in [
            ("topic", "logins"),
            ("partition", "2"),
            ("offset", "9"),
            ("reason", "not_utf8"),
        ] {
            assert_eq!(header(&envelope, key), value);
        }
    }
}
