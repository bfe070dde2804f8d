//! Bytes to [`LoginEvent`], or to a [`ParseError`] that names the field.
//!
//! The rules, in the order in which they bite: size, UTF-8, JSON and each field in the order sent, a field absent from
//! its object, then what the type of event requires. Unknown fields are passed over at any depth; a known field of a
//! wrong type is an error. `null` and blank text count as absent. A known field that appears twice is refused, whatever its
//! values, because two readers of such a line would not read the same event.

use super::limits::Limits;
use super::login_event::LoginEvent;
use super::parse_error::{ParseError, Reason};
use super::reader::{Context, Seed};
use super::required::lacking;
use super::scanner::Scanner;
use super::values::Object;
use serde::Deserialize;
use serde::de::DeserializeSeed;
use serde_json::value::RawValue;
use std::marker::PhantomData;

/// The source of events that Doorward makes itself.
pub const OWN_SOURCE: &str = "doorward";

/// Who wrote the bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Writer {
    Sender,
    Doorward,
}

/// Reads one event of a sender. A CloudEvents 1.0 envelope is accepted around it; then the envelope's own attributes
/// are not looked at, and fields are named `data.…`.
pub fn parse(bytes: &[u8], limits: &Limits) -> Result<LoginEvent, ParseError> {
    read_line(bytes, limits, Writer::Sender)
}

/// The same without the reserved source being refused: for events of our own, read back from a journal.
pub fn parse_own(bytes: &[u8], limits: &Limits) -> Result<LoginEvent, ParseError> {
    read_line(bytes, limits, Writer::Doorward)
}

fn read_line(bytes: &[u8], limits: &Limits, writer: Writer) -> Result<LoginEvent, ParseError> {
    let whole = |reason, rest: &str| Err(ParseError::new(String::new(), reason, rest));
    if bytes.len() > limits.event_bytes {
        // How many more, a door does not know: it stopped reading.
        let rest = format!("has more than {} bytes, which are the limit", limits.event_bytes);
        return whole(Reason::TooLarge, &rest);
    }
    match simdutf8::compat::from_utf8(bytes) {
        Ok(text) => read_event(text, limits, writer),
        Err(error) => whole(
            Reason::InvalidUtf8,
            &format!("is no UTF-8 from byte {} on", error.valid_up_to() + 1),
        ),
    }
}

/// An event, or one in an envelope.
fn read_event(text: &str, limits: &Limits, writer: Writer) -> Result<LoginEvent, ParseError> {
    match read_bare(text, limits, writer) {
        Ok(event) => Ok(event),
        // The envelope has fields of the same names and other meanings, so it is only looked for after an error.
        Err(error) => match Envelope::read(text) {
            Some(envelope) => envelope.event(limits, writer),
            None => Err(error),
        },
    }
}

/// An event without envelope.
fn read_bare(text: &str, limits: &Limits, writer: Writer) -> Result<LoginEvent, ParseError> {
    let event = match read_quickly(text, limits) {
        Some(event) => event,
        None => read_carefully(text, limits)?,
    };
    // Whoever could send in our name could grant attempts.
    if writer == Writer::Sender && event.source.trim().eq_ignore_ascii_case(OWN_SOURCE) {
        let rest = format!("is `{OWN_SOURCE}`, which is reserved for events of our own");
        return Err(ParseError::new(
            "source".to_owned(),
            Reason::ReservedSource,
            &rest,
        ));
    }
    match lacking(&event) {
        None => Ok(event),
        Some(field) => {
            let rest = format!("is missing; `{}` requires it", event.event_type);
            Err(ParseError::new(
                field.path().to_owned(),
                Reason::MissingField,
                &rest,
            ))
        }
    }
}

/// The event, if it has nothing wrong or unusual in it.
pub(super) fn read_quickly(text: &str, limits: &Limits) -> Option<LoginEvent> {
    let mut context = Context::new(*limits);
    let mut input = Scanner::new(text);
    let read = Seed::<Object<LoginEvent>>(&mut context, PhantomData).deserialize(&mut input);
    let event = read.and_then(|event| input.end().map(|()| event)).ok()??;
    // Tests and the fuzzer hold the two ways against each other with every event they read.
    debug_assert_eq!(read_carefully(text, limits).as_ref(), Ok(&event));
    Some(event)
}

/// The event, or what is wrong with it.
pub(super) fn read_carefully(text: &str, limits: &Limits) -> Result<LoginEvent, ParseError> {
    let mut context = Context::new(*limits);
    let mut input = serde_json::Deserializer::from_str(text);
    let read = Seed::<Object<LoginEvent>>(&mut context, PhantomData).deserialize(&mut input);
    match read.and_then(|event| input.end().map(|()| event)) {
        Ok(Some(event)) => Ok(event),
        Ok(None) => Err(ParseError::new(
            String::new(),
            Reason::WrongType,
            "must be an object, but is nothing",
        )),
        Err(error) => {
            let field = context.path();
            Err(context.into_error().unwrap_or_else(|| unreadable(&error, field)))
        }
    }
}

/// What serde_json does not read: no JSON, or a value that JSON can write and that we cannot hold.
fn unreadable(error: &serde_json::Error, field: String) -> ParseError {
    let text = error.to_string();
    let what = text.split(" at line ").next().unwrap_or_default();
    let place = match error.line() {
        0 | 1 => format!("column {}", error.column()),
        line => format!("line {line}, column {}", error.column()),
    };
    match what {
        "number out of range" => {
            let rest = format!("is a number that is too large, at {place}");
            ParseError::new(field, Reason::OutOfRange, &rest)
        }
        "lone leading surrogate in hex escape" | "unexpected end of hex escape" => {
            let rest = format!("has half of a character (a lone surrogate), at {place}");
            ParseError::new(field, Reason::InvalidUtf8, &rest)
        }
        _ => {
            let rest = format!("is no JSON: {what} at {place}");
            ParseError::new(String::new(), Reason::InvalidJson, &rest)
        }
    }
}

/// What we read of a CloudEvents 1.0 envelope.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    specversion: Option<&'a RawValue>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

impl<'a> Envelope<'a> {
    /// The envelope, if this is one.
    fn read(text: &'a str) -> Option<Self> {
        serde_json::from_str::<Self>(text)
            .ok()
            .filter(|envelope| envelope.specversion.is_some())
    }

    fn event(&self, limits: &Limits, writer: Writer) -> Result<LoginEvent, ParseError> {
        match self.specversion.map(RawValue::get) {
            Some("\"1.0\"") => {}
            _ => {
                let rest = "is a version of CloudEvents that we do not know; `1.0` is taken";
                return Err(ParseError::new(
                    "specversion".to_owned(),
                    Reason::UnknownValue,
                    rest,
                ));
            }
        }
        let Some(data) = self.data else {
            let rest = "is missing; the event is taken from there";
            return Err(ParseError::new("data".to_owned(), Reason::MissingField, rest));
        };
        read_bare(data.get(), limits, writer).map_err(|error| match error.field.as_str() {
            "" => ParseError {
                field: "data".to_owned(),
                ..error
            },
            field => ParseError {
                message: error.message.replacen('`', "`data.", 1),
                field: format!("data.{field}"),
                ..error
            },
        })
    }
}
