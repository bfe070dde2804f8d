//! Reading typed values out of JSON while knowing where one is.
//!
//! serde_json does the syntax; a [`Reader`] says what one value must be. An error is noted in the [`Context`] where it
//! is met, and the path to it is gathered while the calls return: the good way pays nothing for it, and there is no
//! second parser that could disagree about what is good.

use super::limits::Limits;
use super::parse_error::{ParseError, Reason, quoted};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use smol_str::SmolStr;
use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

/// One step of the way from the event to a value.
pub(super) enum Step {
    Field(&'static str),
    Key(String),
    Index(usize),
}

/// What went wrong, if anything, and where; how deep we are, and what is too much.
pub(super) struct Context {
    limits: Limits,
    problem: Option<(Reason, String)>,
    /// Innermost step first.
    way: Vec<Step>,
    depth: usize,
}

impl Context {
    pub(super) const fn new(limits: Limits) -> Self {
        Self {
            limits,
            problem: None,
            way: Vec::new(),
            depth: 0,
        }
    }

    pub(super) const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Notes the problem; the error returned only ends the reading.
    pub(super) fn refuse<E: Error>(&mut self, reason: Reason, rest: impl Into<String>) -> E {
        self.problem.get_or_insert((reason, rest.into()));
        E::custom("refused")
    }

    /// Notes the problem of one field of the present object.
    pub(super) fn refuse_field<E: Error>(&mut self, field: &'static str, reason: Reason, rest: &str) -> E {
        self.way.push(Step::Field(field));
        self.refuse(reason, rest)
    }

    /// What was noted, with the path to it.
    pub(super) fn into_error(self) -> Option<ParseError> {
        let (reason, rest) = self.problem?;
        Some(ParseError::new(dotted(&self.way), reason, &rest))
    }

    /// The path to where the reading ended.
    pub(super) fn path(&self) -> String {
        dotted(&self.way)
    }

    /// Reads the value of a field, named with its bit among those `met`, into its slot. `null` and blank leave the slot
    /// empty, and are met all the same: of two readers of `"id":"a","id":null` one may take the first and one the last.
    pub(super) fn field<'de, R: Reader, A: MapAccess<'de>>(
        &mut self,
        (field, bit): (&'static str, u64),
        met: &mut u64,
        slot: &mut Option<R::Out>,
        map: &mut A,
    ) -> Result<(), A::Error> {
        let twice = *met & bit != 0;
        *met |= bit;
        match map.next_value_seed(Seed::<R>(self, PhantomData)) {
            Ok(_) if twice => Err(self.refuse_field(field, Reason::DuplicateField, "appears twice")),
            Ok(value) => {
                *slot = value;
                Ok(())
            }
            Err(error) => {
                self.way.push(Step::Field(field));
                Err(error)
            }
        }
    }

    /// Passes over the value of a field that we do not know.
    pub(super) fn skip<'de, A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let text = map.next_value::<&RawValue>()?.get();
        self.fits_in_depth(text)
            .inspect_err(|_| self.way.push(Step::Key(key.to_owned())))
    }

    /// Refuses a text of JSON that nests too deeply where we are.
    pub(super) fn fits_in_depth<E: Error>(&mut self, json: &str) -> Result<(), E> {
        if self.depth + nesting(json) > self.limits.depth {
            return Err(self.refuse_depth());
        }
        Ok(())
    }

    /// Goes into an object or list.
    fn enter<E: Error>(&mut self) -> Result<(), E> {
        self.depth += 1;
        if self.depth > self.limits.depth {
            return Err(self.refuse_depth());
        }
        Ok(())
    }

    fn refuse_depth<E: Error>(&mut self) -> E {
        let rest = format!("nests deeper than {} levels", self.limits.depth);
        self.refuse(Reason::TooDeep, rest)
    }

    /// What an absent required field of the present object is.
    pub(super) fn required<E: Error, T>(&mut self, field: &'static str, slot: Option<T>) -> Result<T, E> {
        match slot {
            Some(value) => Ok(value),
            None => Err(self.refuse_field(field, Reason::MissingField, "is missing")),
        }
    }
}

/// `auth.enrolled[2].type`, from steps that start at the innermost. Keys of the sender are cleaned and cut.
fn dotted(way: &[Step]) -> String {
    let mut path = String::new();
    for step in way.iter().rev() {
        if !path.is_empty() && !matches!(step, Step::Index(_)) {
            path.push('.');
        }
        match step {
            Step::Field(name) => path.push_str(name),
            Step::Key(key) => path.push_str(quoted(key).trim_matches('`')),
            Step::Index(index) => path.push_str(&format!("[{index}]")),
        }
    }
    path
}

/// How many objects and lists are inside each other in this JSON text, which is known to be well formed.
pub(super) fn nesting(json: &str) -> usize {
    let (mut open, mut deepest) = (0_usize, 0);
    let (mut in_text, mut escaped) = (false, false);
    for byte in json.bytes() {
        if in_text {
            (in_text, escaped) = (escaped || byte != b'"', !escaped && byte == b'\\');
            continue;
        }
        match byte {
            b'"' => in_text = true,
            b'{' | b'[' => {
                open += 1;
                deepest = deepest.max(open);
            }
            b'}' | b']' => open = open.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// What one JSON value must be, and what becomes of it. Everything that a reader does not take is a wrong type.
/// `Ok(None)` means that the value counts as absent.
pub(super) trait Reader {
    /// What is made of the value.
    type Out;

    /// What the value must be, in the words of messages: "text", "a list".
    const WANTED: &'static str;

    /// The same for the reference, with limits.
    fn describe() -> String {
        Self::WANTED.to_owned()
    }

    /// What stands between the path of the value and the names of the fields inside.
    const WITHIN: &'static str = ".";

    /// The documented fields inside, where there are any.
    fn fields() -> &'static [FieldDoc] {
        &[]
    }

    #[inline(always)]
    fn read<'de, D: Deserializer<'de>>(
        context: &mut Context,
        input: D,
    ) -> Result<Option<Self::Out>, D::Error> {
        input.deserialize_any(Visit::<Self>(context, PhantomData))
    }

    fn text<E: Error>(context: &mut Context, _value: &str) -> Result<Option<Self::Out>, E> {
        Err(wrong_type::<Self, E>(context, "text"))
    }

    fn flag<E: Error>(context: &mut Context, _value: bool) -> Result<Option<Self::Out>, E> {
        Err(wrong_type::<Self, E>(context, "true or false"))
    }

    /// A whole number that is not negative.
    fn count<E: Error>(context: &mut Context, _value: u64) -> Result<Option<Self::Out>, E> {
        Err(wrong_type::<Self, E>(context, "a number"))
    }

    /// Any other number.
    fn number<E: Error>(context: &mut Context, _value: f64) -> Result<Option<Self::Out>, E> {
        Err(wrong_type::<Self, E>(context, "a number"))
    }

    fn list<'de, A: SeqAccess<'de>>(context: &mut Context, _list: A) -> Result<Option<Self::Out>, A::Error> {
        Err(wrong_type::<Self, A::Error>(context, "a list"))
    }

    fn object<'de, A: MapAccess<'de>>(context: &mut Context, _map: A) -> Result<Option<Self::Out>, A::Error> {
        Err(wrong_type::<Self, A::Error>(context, "an object"))
    }
}

fn wrong_type<R: Reader + ?Sized, E: Error>(context: &mut Context, given: &str) -> E {
    context.refuse(
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

    fn read_fields<'de, A: MapAccess<'de>>(context: &mut Context, map: A) -> Result<Self, A::Error>;
}

/// Hands the context down to where a value is read.
pub(super) struct Seed<'c, R: ?Sized>(pub(super) &'c mut Context, pub(super) PhantomData<R>);

impl<'de, R: Reader> DeserializeSeed<'de> for Seed<'_, R> {
    type Value = Option<R::Out>;

    #[inline(always)]
    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Self::Value, D::Error> {
        R::read(self.0, input)
    }
}

struct Visit<'c, R: ?Sized>(&'c mut Context, PhantomData<R>);

impl<'de, R: Reader + ?Sized> Visitor<'de> for Visit<'_, R> {
    type Value = Option<R::Out>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(R::WANTED)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        R::flag(self.0, value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        R::count(self.0, value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        R::number(self.0, value as f64)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        R::number(self.0, value)
    }

    #[inline(always)]
    fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
        if is_blank(value) {
            return Ok(None);
        }
        R::text(self.0, value)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Self::Value, A::Error> {
        self.0.enter()?;
        let value = R::list(self.0, list)?;
        self.0.depth -= 1;
        Ok(value)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        self.0.enter()?;
        let value = R::object(self.0, map)?;
        self.0.depth -= 1;
        Ok(value)
    }
}

/// Empty, or nothing but white space: a form sends it where it knows nothing, so it counts as absent.
pub(super) fn is_blank(text: &str) -> bool {
    match text.as_bytes().first() {
        Some(first) if first.is_ascii_graphic() => false,
        _ => text.trim().is_empty(),
    }
}

/// The members of a list, at most `max`. Members that count as absent are left out.
pub(super) fn members<'de, R: Reader, A: SeqAccess<'de>>(
    context: &mut Context,
    mut list: A,
    max: usize,
) -> Result<Box<[R::Out]>, A::Error> {
    let mut members = Vec::new();
    for index in 0.. {
        match list.next_element_seed(Seed::<R>(context, PhantomData)) {
            Ok(None) => break,
            Ok(Some(_)) if index >= max => {
                return Err(context.refuse(Reason::TooMany, format!("has more than {max} members")));
            }
            Ok(Some(None)) => {}
            Ok(Some(Some(member))) => {
                if members.is_empty() {
                    // Most lists have one member, for which a list would ask memory for four.
                    members.reserve_exact(1);
                }
                members.push(member);
            }
            Err(error) => {
                context.way.push(Step::Index(index));
                return Err(error);
            }
        }
    }
    Ok(members.into_boxed_slice())
}

/// What most maps have room in.
const ENTRIES_AT_FIRST: usize = 8;

/// Names with what was read of their values.
pub(super) type Entries<T> = Vec<(SmolStr, T)>;

/// The members of a map, at most `max` with names as long as an id, sorted by name.
pub(super) fn entries<'de, R: Reader, A: MapAccess<'de>>(
    context: &mut Context,
    mut map: A,
    max: usize,
) -> Result<Entries<R::Out>, A::Error> {
    let key_bytes_max = context.limits.id_bytes;
    let mut entries: Entries<R::Out> = Vec::with_capacity(ENTRIES_AT_FIRST);
    // Names of values that count as absent.
    let mut absent: Vec<SmolStr> = Vec::new();
    let mut count = 0;
    while let Some(key) = map.next_key_seed(Key)? {
        count += 1;
        if count > max {
            return Err(context.refuse(Reason::TooMany, format!("has more than {max} members")));
        }
        match map.next_value_seed(Seed::<R>(context, PhantomData)) {
            Ok(_) if key.len() > key_bytes_max => {
                return Err(context.refuse(
                    Reason::TooLong,
                    format!("has a name of more than {key_bytes_max} bytes"),
                ));
            }
            Ok(Some(value)) => entries.push((key.into(), value)),
            Ok(None) => absent.push(key.into()),
            Err(error) => {
                context.way.push(Step::Key(key.into_owned()));
                return Err(error);
            }
        }
    }
    entries.sort_by(|(one, _), (other, _)| one.cmp(other));
    if let Some(key) = twin(&entries, &mut absent) {
        context.way.push(Step::Key(key));
        return Err(context.refuse(Reason::DuplicateField, "appears twice"));
    }
    Ok(entries)
}

/// A name that appears twice among the entries, which are sorted, and those that are absent.
fn twin<T>(entries: &[(SmolStr, T)], absent: &mut [SmolStr]) -> Option<String> {
    absent.sort_unstable();
    let present = || {
        entries.windows(2).find_map(|pair| match pair {
            [(one, _), (other, _)] if one == other => Some(&**one),
            _ => None,
        })
    };
    let empty = || {
        absent.windows(2).find_map(|pair| match pair {
            [one, other] if one == other => Some(&**one),
            _ => None,
        })
    };
    let is_entry = |name: &str| entries.binary_search_by(|(key, _)| (**key).cmp(name)).is_ok();
    let both = || absent.iter().map(|name| &**name).find(|name| is_entry(name));
    present().or_else(empty).or_else(both).map(ToOwned::to_owned)
}

/// Reads the name of a member, borrowed unless it has escapes.
pub(super) struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    #[inline(always)]
    fn deserialize<D: Deserializer<'de>>(self, input: D) -> Result<Self::Value, D::Error> {
        input.deserialize_str(KeyVisit)
    }
}

struct KeyVisit;

impl<'de> Visitor<'de> for KeyVisit {
    type Value = Cow<'de, str>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a field name")
    }

    fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(name))
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nesting_does_not_count_brackets_in_text() {
        assert_eq!(nesting("1"), 0);
        assert_eq!(nesting("{}"), 1);
        assert_eq!(nesting(r#"{"a[[[":"\"[{\\","b":[{}]}"#), 3);
        assert_eq!(nesting("[[],[[]]]"), 3);
    }

    #[test]
    fn paths_read_from_the_outside() {
        let way = [
            Step::Field("type"),
            Step::Index(2),
            Step::Field("enrolled"),
            Step::Field("auth"),
        ];
        assert_eq!(dotted(&way), "auth.enrolled[2].type");
        assert_eq!(dotted(&[Step::Key("a\u{202e}`b".to_owned())]), "ab");
    }
}
