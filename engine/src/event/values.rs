//! The readers of single values, lists and maps: what each kind of field takes.

use super::limits::{KEPT_OBJECT_BYTES_MAX, Limits, NOTE_BYTES_MAX};
use super::parse_error::{Reason, quoted, unknown_name};
use super::reader::{Context, FieldDoc, Fields, Reader, entries, members};
use super::timestamp::{TimeError, Timestamp};
use super::vocabulary::{AuthMethod, EventType, Vocabulary};
use serde::de::{Deserializer, Error, MapAccess, SeqAccess};
use serde_json::value::RawValue;
use smol_str::SmolStr;
use std::marker::PhantomData;
use std::net::{IpAddr, Ipv6Addr};

/// How many bytes a kind of text may have.
pub(super) trait Length {
    fn bytes_max(limits: &Limits) -> usize;
}

/// Text that is not too long.
pub(super) struct Text<L>(PhantomData<L>);
/// An id, a name or a header value.
pub(super) type Name = Text<OfName>;
/// A user agent.
pub(super) type UserAgent = Text<OfUserAgent>;
/// A note.
pub(super) type Note = Text<OfNote>;

pub(super) struct OfName;
pub(super) struct OfUserAgent;
pub(super) struct OfNote;

impl Length for OfName {
    fn bytes_max(limits: &Limits) -> usize {
        limits.id_bytes
    }
}

impl Length for OfUserAgent {
    fn bytes_max(limits: &Limits) -> usize {
        limits.user_agent_bytes
    }
}

impl Length for OfNote {
    fn bytes_max(_limits: &Limits) -> usize {
        NOTE_BYTES_MAX
    }
}

impl<L: Length> Reader for Text<L> {
    type Out = Box<str>;
    const WANTED: &'static str = "text";

    fn describe() -> String {
        format!("text, at most {} bytes", L::bytes_max(&Limits::DEFAULT))
    }

    #[inline(always)]
    fn text<E: Error>(context: &mut Context, value: &str) -> Result<Option<Box<str>>, E> {
        let max = L::bytes_max(context.limits());
        short_enough(context, value, max).map(|()| Some(value.into()))
    }
}

/// Refuses a text of more than `max` bytes.
fn short_enough<E: Error>(context: &mut Context, value: &str, max: usize) -> Result<(), E> {
    if value.len() > max {
        return Err(context.refuse(
            Reason::TooLong,
            format!("has {} bytes, at most {max} are taken", value.len()),
        ));
    }
    Ok(())
}

/// `true` or `false`.
pub(super) struct Flag;

impl Reader for Flag {
    type Out = bool;
    const WANTED: &'static str = "true or false";

    fn flag<E: Error>(_context: &mut Context, value: bool) -> Result<Option<bool>, E> {
        Ok(Some(value))
    }
}

/// A whole number from `MIN` to `MAX`.
pub(super) struct Whole<const MIN: u64, const MAX: u64>;
/// A counter or a size.
pub(super) type Count = Whole<0, { u64::MAX }>;

impl<const MIN: u64, const MAX: u64> Reader for Whole<MIN, MAX> {
    type Out = u64;
    const WANTED: &'static str = "a whole number";

    fn describe() -> String {
        if MAX == u64::MAX {
            format!("whole number from {MIN}")
        } else {
            format!("whole number from {MIN} to {MAX}")
        }
    }

    fn count<E: Error>(context: &mut Context, value: u64) -> Result<Option<u64>, E> {
        if (MIN..=MAX).contains(&value) {
            return Ok(Some(value));
        }
        Err(context.refuse(
            Reason::OutOfRange,
            format!("is {value}, but must be from {MIN} to {MAX}"),
        ))
    }

    fn number<E: Error>(context: &mut Context, value: f64) -> Result<Option<u64>, E> {
        // `-0` is read as a number with a sign.
        if value == 0.0 && value.is_sign_negative() {
            return Self::count(context, 0);
        }
        if value < 0.0 && value.fract() == 0.0 {
            return Err(context.refuse(
                Reason::OutOfRange,
                format!("is {value}, but must not be negative"),
            ));
        }
        Err(context.refuse(
            Reason::WrongType,
            "must be a whole number, but has a fraction or is too large",
        ))
    }
}

/// Milliseconds, with a fraction if the sender likes.
pub(super) struct Milliseconds;

impl Reader for Milliseconds {
    type Out = f64;
    const WANTED: &'static str = "a number of milliseconds";

    fn describe() -> String {
        "number of milliseconds, not negative".to_owned()
    }

    fn count<E: Error>(_context: &mut Context, value: u64) -> Result<Option<f64>, E> {
        Ok(Some(value as f64))
    }

    fn number<E: Error>(context: &mut Context, value: f64) -> Result<Option<f64>, E> {
        if value < 0.0 {
            return Err(context.refuse(Reason::OutOfRange, "must not be negative"));
        }
        Ok(Some(value))
    }
}

/// A date and time of RFC 3339.
pub(super) struct Moment;

impl Reader for Moment {
    type Out = Timestamp;
    const WANTED: &'static str = "a time as text";

    fn describe() -> String {
        "RFC 3339 time, 1970 to 2199".to_owned()
    }

    fn text<E: Error>(context: &mut Context, value: &str) -> Result<Option<Timestamp>, E> {
        let refused = |error: TimeError| {
            context.refuse(Reason::BadTime, format!("is {}, which {error}", quoted(value)))
        };
        Timestamp::parse(value).map(Some).map_err(refused)
    }
}

/// An address; an IPv4 address written as IPv6 becomes IPv4, so that one client has one address.
pub(super) struct Address;

impl Reader for Address {
    type Out = IpAddr;
    const WANTED: &'static str = "an IP address as text";

    fn describe() -> String {
        "IPv4 or IPv6 address, without port and zone".to_owned()
    }

    fn text<E: Error>(context: &mut Context, value: &str) -> Result<Option<IpAddr>, E> {
        match value.parse::<IpAddr>() {
            Ok(address) => Ok(Some(address.to_canonical())),
            Err(_) => {
                let rest = format!(
                    "is {}, which is no IP address{}",
                    quoted(value),
                    address_hint(value)
                );
                Err(context.refuse(Reason::BadAddress, rest))
            }
        }
    }
}

/// What is too much in a text that would otherwise be an address.
fn address_hint(value: &str) -> &'static str {
    let without_zone = value
        .split_once('%')
        .and_then(|(address, _)| address.parse::<Ipv6Addr>().ok());
    if without_zone.is_some() {
        "; leave out the zone"
    } else if value.parse::<std::net::SocketAddr>().is_ok() {
        "; leave out the port"
    } else if value.contains(',') {
        "; a single one is wanted, not a list"
    } else {
        ""
    }
}

/// One name of a closed vocabulary.
pub(super) struct OneOf<T>(PhantomData<T>);

impl<T: Vocabulary> Reader for OneOf<T> {
    type Out = T;
    const WANTED: &'static str = "text";

    fn describe() -> String {
        format!("one of `{}`", T::NAMES.join("`, `"))
    }

    fn text<E: Error>(context: &mut Context, value: &str) -> Result<Option<T>, E> {
        match T::from_name(value) {
            Some(known) => Ok(Some(known)),
            None => Err(context.refuse(Reason::UnknownValue, unknown_name(value, T::NAMES))),
        }
    }
}

/// The type of an event, whose refusal has a code of its own: a newer sender is told from a wrong one.
pub(super) struct TypeOfEvent;

impl Reader for TypeOfEvent {
    type Out = EventType;
    const WANTED: &'static str = "text";

    fn describe() -> String {
        "one of the types below".to_owned()
    }

    fn text<E: Error>(context: &mut Context, value: &str) -> Result<Option<EventType>, E> {
        match EventType::from_name(value) {
            Some(known) => Ok(Some(known)),
            None => Err(context.refuse(Reason::UnknownType, unknown_name(value, EventType::NAMES))),
        }
    }
}

/// A method of RFC 8176; the registry is open.
pub(super) struct Method;

impl Reader for Method {
    type Out = AuthMethod;
    const WANTED: &'static str = "text";

    fn describe() -> String {
        "name of RFC 8176, others count as nothing".to_owned()
    }

    fn text<E: Error>(_context: &mut Context, value: &str) -> Result<Option<AuthMethod>, E> {
        Ok(Some(AuthMethod::from_name(value).unwrap_or(AuthMethod::Other)))
    }
}

/// A text, number, or truth value, kept as text: what applications collect has no common types.
pub(super) struct Scalar;

impl Reader for Scalar {
    type Out = SmolStr;
    const WANTED: &'static str = "text, a number, or true or false";

    fn text<E: Error>(context: &mut Context, value: &str) -> Result<Option<SmolStr>, E> {
        let max = context.limits().id_bytes;
        short_enough(context, value, max).map(|()| Some(value.into()))
    }

    fn flag<E: Error>(_context: &mut Context, value: bool) -> Result<Option<SmolStr>, E> {
        Ok(Some(if value { "true".into() } else { "false".into() }))
    }

    fn count<E: Error>(_context: &mut Context, value: u64) -> Result<Option<SmolStr>, E> {
        Ok(Some(value.to_string().into()))
    }

    fn number<E: Error>(context: &mut Context, value: f64) -> Result<Option<SmolStr>, E> {
        Self::text(context, &value.to_string())
    }
}

/// A list of at most `MAX` members.
pub(super) struct List<R, const MAX: usize>(PhantomData<R>);

impl<R: Reader, const MAX: usize> Reader for List<R, MAX> {
    type Out = Box<[R::Out]>;
    const WANTED: &'static str = "a list";
    const WITHIN: &'static str = "[].";

    fn describe() -> String {
        match R::fields() {
            [] => format!("list of at most {MAX}: {}", R::describe()),
            _ => format!("list of at most {MAX} objects"),
        }
    }

    fn fields() -> &'static [FieldDoc] {
        R::fields()
    }

    fn list<'de, A: SeqAccess<'de>>(context: &mut Context, list: A) -> Result<Option<Self::Out>, A::Error> {
        members::<R, A>(context, list, MAX).map(Some)
    }
}

/// Names with values, as the application sends them: sorted by name, each name once. Most are short and lie in place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct TextMap(Vec<(SmolStr, SmolStr)>);

impl TextMap {
    /// The value of this name.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.binary_search_by(|(key, _)| (**key).cmp(name)).ok()?;
        self.0.get(found).map(|(_, value)| &**value)
    }

    /// Names and values in the order of the names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value))
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(Box<str>, Box<str>)> for TextMap {
    fn from_iter<I: IntoIterator<Item = (Box<str>, Box<str>)>>(entries: I) -> Self {
        let short = entries
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()));
        let sorted: std::collections::BTreeMap<_, _> = short.collect();
        Self(sorted.into_iter().collect())
    }
}

/// A map of at most `MAX` scalars.
pub(super) struct Map<const MAX: usize>;

impl<const MAX: usize> Reader for Map<MAX> {
    type Out = TextMap;
    const WANTED: &'static str = "an object";

    fn describe() -> String {
        let bytes = Limits::DEFAULT.id_bytes;
        format!(
            "object of at most {MAX} texts, numbers or truth values, names and values at most {bytes} bytes"
        )
    }

    fn object<'de, A: MapAccess<'de>>(context: &mut Context, map: A) -> Result<Option<TextMap>, A::Error> {
        entries::<Scalar, A>(context, map, MAX).map(|entries| Some(TextMap(entries)))
    }
}

/// An object with known fields.
pub(super) struct Object<T>(PhantomData<T>);

impl<T: Fields> Reader for Object<T> {
    type Out = T;
    const WANTED: &'static str = "an object";

    fn describe() -> String {
        "object".to_owned()
    }

    fn fields() -> &'static [FieldDoc] {
        T::FIELDS
    }

    fn object<'de, A: MapAccess<'de>>(context: &mut Context, map: A) -> Result<Option<T>, A::Error> {
        T::read_fields(context, map).map(Some)
    }
}

/// The same as `R`, put behind a pointer because few events have it.
pub(super) struct Rare<R>(PhantomData<R>);

impl<R: Reader> Reader for Rare<R> {
    type Out = Box<R::Out>;
    const WANTED: &'static str = R::WANTED;
    const WITHIN: &'static str = R::WITHIN;

    fn describe() -> String {
        R::describe()
    }

    fn fields() -> &'static [FieldDoc] {
        R::fields()
    }

    fn read<'de, D: Deserializer<'de>>(
        context: &mut Context,
        input: D,
    ) -> Result<Option<Self::Out>, D::Error> {
        Ok(R::read(context, input)?.map(Box::new))
    }
}

/// An object that nothing reads yet: its JSON text, well formed, of bounded size and depth.
pub(super) struct Kept;

impl Reader for Kept {
    type Out = Box<str>;
    const WANTED: &'static str = "an object";

    fn describe() -> String {
        format!("object, at most {KEPT_OBJECT_BYTES_MAX} bytes, kept as sent")
    }

    fn read<'de, D: Deserializer<'de>>(
        context: &mut Context,
        input: D,
    ) -> Result<Option<Box<str>>, D::Error> {
        let text = <&RawValue as serde::Deserialize>::deserialize(input)?.get();
        if !text.starts_with('{') {
            return match text {
                "null" => Ok(None),
                _ => Err(context.refuse(
                    Reason::WrongType,
                    format!("must be an object, but is {}", kind_of(text)),
                )),
            };
        }
        if text.len() > KEPT_OBJECT_BYTES_MAX {
            let rest = format!(
                "has {} bytes, at most {KEPT_OBJECT_BYTES_MAX} are taken",
                text.len()
            );
            return Err(context.refuse(Reason::TooLarge, rest));
        }
        context.fits_in_depth(text)?;
        Ok(Some(text.into()))
    }
}

/// What a well-formed JSON text holds.
fn kind_of(json: &str) -> &'static str {
    match json.as_bytes().first() {
        Some(b'"') => "text",
        Some(b'[') => "a list",
        Some(b't' | b'f') => "true or false",
        _ => "a number",
    }
}
