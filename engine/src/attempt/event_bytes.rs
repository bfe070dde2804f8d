//! Bytes of an event inside a stored row, written at once and not number by number.

use std::fmt;

use serde::de::{Error, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

/// The name of the field with the account's factors, as JSON writes it.
const ENROLLED: &[u8] = b"\"enrolled\"";

/// An event as it came in, with the factors that an earlier stage of its attempt told if it tells none.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct EventBytes(pub Box<[u8]>);

impl EventBytes {
    /// Whether it may tell which factors the account has: a quick look, which may be wrong in saying yes.
    #[must_use]
    pub fn tells_enrolled(&self) -> bool {
        self.0.windows(ENROLLED.len()).any(|window| window == ENROLLED)
    }

    /// The event `bytes` with the `auth.enrolled` of this one; `None` if either cannot be read.
    #[must_use]
    pub fn lend_enrolled(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        let mut from: Value = serde_json::from_slice(&self.0).ok()?;
        let mut to: Value = serde_json::from_slice(bytes).ok()?;
        let enrolled = bare(&mut from).get_mut("auth")?.get_mut("enrolled")?.take();
        let auth = bare(&mut to).as_object_mut()?.entry("auth");
        let auth = auth.or_insert(Value::Null);
        if auth.is_null() {
            *auth = Value::Object(Map::new());
        }
        auth.as_object_mut()?.insert("enrolled".into(), enrolled);
        serde_json::to_vec(&to).ok()
    }
}

/// The event inside a CloudEvents envelope, or the event.
fn bare(event: &mut Value) -> &mut Value {
    if event.get("specversion").is_some() && event.get("data").is_some() {
        return &mut event["data"];
    }
    event
}

impl fmt::Debug for EventBytes {
    /// Its length: the text is somebody's.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

impl Serialize for EventBytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&self.0)
    }
}

impl<'de> Deserialize<'de> for EventBytes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(BytesVisitor)
    }
}

struct BytesVisitor;

impl<'de> Visitor<'de> for BytesVisitor {
    type Value = EventBytes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bytes of an event")
    }

    fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<EventBytes, E> {
        Ok(EventBytes(bytes.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<EventBytes, A::Error> {
        let mut bytes = Vec::new();
        while let Some(byte) = list.next_element()? {
            bytes.push(byte);
        }
        Ok(EventBytes(bytes.into()))
    }
}
