//! What one value of an event must be, and how a refusal learns where it happened.
//!
//! A [`Reader`] says what is made of a value; whoever calls it adds its own step to a refusal on the way out. So the good
//! way pays nothing for paths, and there is no second parser that could disagree about what is good.

use super::json::{Input, Number};
use super::parse_error::{Reason, Refusal, Step};

/// What one JSON value must be, and what becomes of it. Everything that a reader does not take is a wrong type.
/// `Ok(None)` means that the value counts as absent.
pub(super) trait Reader {
    /// What is made of the value.
    type Out;

    /// What the value must be, in the words of messages: "text", "a list".
    const WANTED: &'static str;

    /// What stands between the path of the value and the names of the fields inside.
    const WITHIN: &'static str = ".";

    /// What the value must be in the words of the reference, with limits.
    fn describe() -> String {
        Self::WANTED.to_owned()
    }

    /// The documented fields inside, where there are any.
    fn fields() -> &'static [FieldDoc] {
        &[]
    }

    /// Reads the value that is next.
    fn read(input: &mut Input<'_>) -> Result<Option<Self::Out>, Refusal> {
        match input.peek() {
            Some(b'"') => match input.plain_string() {
                Some(text) => text_or_absent::<Self>(text),
                None => input
                    .escaped_string()
                    .and_then(|text| text_or_absent::<Self>(&text)),
            },
            Some(b'{') => Self::object(input),
            Some(b'[') => Self::list(input),
            Some(b't') => input.word("true").and_then(|()| Self::flag(true)),
            Some(b'f') => input.word("false").and_then(|()| Self::flag(false)),
            Some(b'n') => input.word("null").map(|()| None),
            Some(b'-' | b'0'..=b'9') => input.number().and_then(Self::number),
            _ => Err(input.no_json("a value")),
        }
    }

    /// Text that is not blank.
    fn text(_value: &str) -> Result<Option<Self::Out>, Refusal> {
        Err(wrong_type::<Self>("text"))
    }

    fn flag(_value: bool) -> Result<Option<Self::Out>, Refusal> {
        Err(wrong_type::<Self>("true or false"))
    }

    fn number(_value: Number) -> Result<Option<Self::Out>, Refusal> {
        Err(wrong_type::<Self>("a number"))
    }

    /// The list whose bracket is next.
    fn list(_input: &mut Input<'_>) -> Result<Option<Self::Out>, Refusal> {
        Err(wrong_type::<Self>("a list"))
    }

    /// The object whose brace is next.
    fn object(_input: &mut Input<'_>) -> Result<Option<Self::Out>, Refusal> {
        Err(wrong_type::<Self>("an object"))
    }
}

fn text_or_absent<R: Reader + ?Sized>(text: &str) -> Result<Option<R::Out>, Refusal> {
    if is_blank(text) {
        Ok(None)
    } else {
        R::text(text)
    }
}

#[cold]
fn wrong_type<R: Reader + ?Sized>(given: &str) -> Refusal {
    Refusal::new(
        Reason::WrongType,
        format!("must be {}, but is {given}", R::WANTED),
    )
}

/// One line of the reference.
pub struct FieldDoc {
    /// The name in JSON.
    pub key: &'static str,
    /// Whether the object is refused without it.
    pub required: bool,
    /// What it means.
    pub meaning: &'static [&'static str],
    /// Its type and limits.
    pub describe: fn() -> String,
    /// What stands between its path and the names of the fields inside.
    pub within: &'static str,
    /// The fields inside.
    pub fields: fn() -> &'static [FieldDoc],
}

/// An object with known fields, written by the macro `object!`.
pub(super) trait Fields: Sized {
    const FIELDS: &'static [FieldDoc];

    /// The object whose brace is next.
    fn read_fields(input: &mut Input<'_>) -> Result<Self, Refusal>;
}

/// The name of the next field of the object that is open, or `None` at its end. One that is written with escapes is
/// found among the known ones, or else passed over under no name.
#[inline]
pub(super) fn next_field<'a, T: Fields>(
    input: &mut Input<'a>,
    first: &mut bool,
) -> Result<Option<&'a str>, Refusal> {
    if !input.next_name(first)? {
        return Ok(None);
    }
    let name = match input.plain_string() {
        Some(name) => name,
        None => known_field(T::FIELDS, &input.escaped_string()?),
    };
    input.colon()?;
    Ok(Some(name))
}

#[cold]
fn known_field(fields: &'static [FieldDoc], name: &str) -> &'static str {
    fields
        .iter()
        .find(|field| field.key == name)
        .map_or("…", |field| field.key)
}

/// Reads the value of a known field into its slot. `null` and blank leave the slot empty.
pub(super) fn read_field<R: Reader>(
    field: &'static str,
    slot: &mut Option<R::Out>,
    input: &mut Input<'_>,
) -> Result<(), Refusal> {
    match R::read(input) {
        Ok(None) => Ok(()),
        Ok(value) if slot.is_none() => {
            *slot = value;
            Ok(())
        }
        Ok(_) => Err(twice().at(Step::Field(field))),
        Err(refusal) => Err(refusal.at(Step::Field(field))),
    }
}

#[cold]
fn twice() -> Refusal {
    Refusal::new(Reason::DuplicateField, "appears twice")
}

/// Passes over the value of a field that we do not know.
pub(super) fn skip_field(key: &str, input: &mut Input<'_>) -> Result<(), Refusal> {
    input
        .raw()
        .map(drop)
        .map_err(|refusal| refusal.at(Step::Key(key.to_owned())))
}

/// The value of a field without which its object is refused.
pub(super) fn needed<T>(field: &'static str, slot: Option<T>) -> Result<T, Refusal> {
    slot.ok_or_else(|| Refusal::new(Reason::MissingField, "is missing").at(Step::Field(field)))
}

/// Empty, or nothing but white space: a form sends it where it knows nothing, so it counts as absent.
fn is_blank(text: &str) -> bool {
    match text.as_bytes().first() {
        Some(first) if first.is_ascii_graphic() => false,
        _ => text.trim().is_empty(),
    }
}

#[cold]
fn too_many(max: usize) -> Refusal {
    Refusal::new(Reason::TooMany, format!("has more than {max} members"))
}

/// The members of a list, at most `max`. Members that count as absent are left out.
pub(super) fn members<R: Reader>(
    input: &mut Input<'_>,
    max: usize,
) -> Result<Box<[R::Out]>, Refusal> {
    let mut members = Vec::new();
    input.enter()?;
    let (mut first, mut index) = (true, 0);
    while input.next_member(&mut first)? {
        if index == max {
            return Err(too_many(max));
        }
        if let Some(member) = R::read(input).map_err(|refusal| refusal.at(Step::Index(index)))? {
            // Most lists have one member: then the list is as long as its memory, and needs no copy at the end.
            members.reserve_exact(usize::from(members.is_empty()));
            members.push(member);
        }
        index += 1;
    }
    Ok(members.into_boxed_slice())
}

/// Names with what was read of their values.
pub(super) type Entries<T> = Vec<(Box<str>, T)>;

/// The members of a map, at most `max`, sorted by key.
pub(super) fn entries<R: Reader>(
    input: &mut Input<'_>,
    max: usize,
    key_bytes_max: usize,
) -> Result<Entries<R::Out>, Refusal> {
    let mut entries: Entries<R::Out> = Vec::new();
    input.enter()?;
    let (mut first, mut count) = (true, 0);
    while let Some(key) = input.next_key(&mut first)? {
        count += 1;
        if count > max {
            return Err(too_many(max));
        }
        if key.len() > key_bytes_max {
            return Err(Refusal::new(
                Reason::TooLong,
                format!("has a name of more than {key_bytes_max} bytes"),
            ));
        }
        match R::read(input) {
            Ok(Some(value)) => entries.push((key.into(), value)),
            Ok(None) => {}
            Err(refusal) => return Err(refusal.at(Step::Key(key.into_owned()))),
        }
    }
    entries.sort_by(|(one, _), (other, _)| one.cmp(other));
    let twin = entries
        .windows(2)
        .find(|pair| matches!(pair, [(one, _), (other, _)] if one == other));
    match twin {
        Some([(key, _), _]) => Err(twice().at(Step::Key(key.to_string()))),
        _ => Ok(entries),
    }
}
