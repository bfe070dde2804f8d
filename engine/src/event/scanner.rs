//! The quick way through JSON (RFC 8259): a serde deserializer for text as nearly every sender writes it.
//!
//! It finds the ends of texts eight bytes at a time and lends them out; what is rarer (escapes, fractions, values that
//! are kept or passed over) it cuts out and hands to serde_json. It has no words for errors: whatever it does not take
//! is a [`GiveUp`], after which serde_json reads the whole again and says what is wrong. So it may give up on good
//! text, but must never read a text that serde_json refuses, or read it otherwise.

use serde::de::value::{BorrowedStrDeserializer, MapDeserializer};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::value::RawValue;
use std::fmt;
use std::iter::once;

/// The careful reader must look at this text.
#[derive(Debug)]
pub(super) struct GiveUp;

impl fmt::Display for GiveUp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("not read")
    }
}

impl std::error::Error for GiveUp {}

impl Error for GiveUp {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

/// Where we are in a text.
pub(super) struct Scanner<'de> {
    text: &'de str,
    at: usize,
}

impl<'de> Scanner<'de> {
    pub(super) const fn new(text: &'de str) -> Self {
        Self { text, at: 0 }
    }

    /// Whether only white space is left.
    pub(super) fn end(&mut self) -> Result<(), GiveUp> {
        match self.peek() {
            Err(GiveUp) => Ok(()),
            Ok(_) => Err(GiveUp),
        }
    }

    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte that is no white space, not taken yet.
    #[inline]
    fn peek(&mut self) -> Result<u8, GiveUp> {
        match self.byte() {
            Some(byte) if byte > b' ' => Ok(byte),
            _ => self.peek_behind_space(),
        }
    }

    #[cold]
    fn peek_behind_space(&mut self) -> Result<u8, GiveUp> {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.byte() {
            self.at += 1;
        }
        self.byte().ok_or(GiveUp)
    }

    /// Takes the byte that must come next, white space aside.
    #[inline]
    fn take(&mut self, wanted: u8) -> Result<(), GiveUp> {
        if self.peek()? != wanted {
            return Err(GiveUp);
        }
        self.at += 1;
        Ok(())
    }

    /// Takes two bytes if just they come next.
    #[inline(always)]
    fn took(&mut self, two: [u8; 2]) -> bool {
        let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
        let found = rest.first_chunk() == Some(&two);
        if found {
            self.at += 2;
        }
        found
    }

    /// What stands between `start` and where we are.
    #[inline]
    fn since(&self, start: usize) -> Result<&'de str, GiveUp> {
        self.text.get(start..self.at).ok_or(GiveUp)
    }

    /// A text, from behind its opening quote on.
    #[inline(always)]
    fn string<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, GiveUp> {
        let (start, bytes) = (self.at, self.text.as_bytes());
        let end = special(bytes, start).ok_or(GiveUp)?;
        if bytes.get(end) != Some(&b'"') {
            return self.escaped(visitor);
        }
        self.at = end + 1;
        visitor.visit_borrowed_str(self.text.get(start..end).ok_or(GiveUp)?)
    }

    /// A name with its colon, from behind its opening quote on.
    #[inline(always)]
    fn name<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, GiveUp> {
        let name = self.string(visitor)?;
        self.take(b':')?;
        Ok(name)
    }

    /// A text with escapes, from behind its opening quote on.
    #[cold]
    fn escaped<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, GiveUp> {
        let (quote, bytes) = (self.at.saturating_sub(1), self.text.as_bytes());
        self.at = special(bytes, self.at).ok_or(GiveUp)?;
        while self.byte() == Some(b'\\') {
            self.at = special(bytes, self.at + 2).ok_or(GiveUp)?;
        }
        // Quote or control character: serde_json takes no text that ends with the latter.
        self.at += 1;
        carefully(self.since(quote)?, visitor)
    }

    /// A number.
    #[inline(never)]
    fn number<V: Visitor<'de>>(&mut self, visitor: V) -> Result<V::Value, GiveUp> {
        let start = self.at;
        while let Some(b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E') = self.byte() {
            self.at += 1;
        }
        carefully(self.since(start)?, visitor)
    }

    /// Passes over `word`.
    fn word(&mut self, word: &str) -> Result<(), GiveUp> {
        let start = self.at;
        self.at += word.len();
        if self.since(start)? == word {
            Ok(())
        } else {
            Err(GiveUp)
        }
    }

    /// Passes over a value of any form.
    fn raw(&mut self) -> Result<&'de str, GiveUp> {
        let rest = self.text.get(self.at..).ok_or(GiveUp)?;
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<&RawValue>();
        let value = values.next().and_then(Result::ok).ok_or(GiveUp)?;
        self.at += values.byte_offset();
        Ok(value.get())
    }
}

/// Has serde_json read a piece that must be one value.
fn carefully<'de, V: Visitor<'de>>(piece: &'de str, visitor: V) -> Result<V::Value, GiveUp> {
    let mut careful = serde_json::Deserializer::from_str(piece);
    let value = careful.deserialize_any(visitor).map_err(|_| GiveUp)?;
    careful.end().map_err(|_| GiveUp)?;
    Ok(value)
}

/// Where the first byte from `at` on is that cannot stand in a text for itself: a quote, a backslash or a control.
#[inline(always)]
fn special(bytes: &[u8], mut at: usize) -> Option<usize> {
    /// A byte eight times.
    const fn each(byte: u8) -> u64 {
        u64::from_ne_bytes([byte; 8])
    }
    let mut rest = bytes.get(at..)?;
    while let Some((eight, behind)) = rest.split_first_chunk::<8>() {
        let eight = u64::from_le_bytes(*eight);
        // Taking `n` away borrows into the highest bit of a byte below `n`. The quote with its second bit changed lies
        // just above the controls, which stay below. A borrow may run on into higher bytes, which come later in the
        // text: the lowest that is marked is right.
        let quotes_and_controls = (eight ^ each(0x02)).wrapping_sub(each(0x21));
        let backslashes = (eight ^ each(b'\\')).wrapping_sub(each(1));
        let marked = (quotes_and_controls | backslashes) & !eight & each(0x80);
        if marked != 0 {
            return Some(at + marked.trailing_zeros() as usize / 8);
        }
        at += 8;
        rest = behind;
    }
    last_special(rest).map(|more| at + more)
}

/// The same in less than eight bytes, from the first on.
#[cold]
fn last_special(rest: &[u8]) -> Option<usize> {
    rest.iter()
        .position(|byte| matches!(byte, b'"' | b'\\' | 0..b' '))
}

impl<'de> Deserializer<'de> for &mut Scanner<'de> {
    type Error = GiveUp;

    #[inline(always)]
    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GiveUp> {
        match self.peek()? {
            b'"' => {
                self.at += 1;
                self.string(visitor)
            }
            b'{' => visitor.visit_map(Members::of(self, b'{')),
            b'[' => visitor.visit_seq(Members::of(self, b'[')),
            b't' => {
                self.word("true")?;
                visitor.visit_bool(true)
            }
            b'f' => {
                self.word("false")?;
                visitor.visit_bool(false)
            }
            b'n' => {
                self.word("null")?;
                visitor.visit_unit()
            }
            _ => self.number(visitor),
        }
    }

    /// The one newtype that is asked for is serde_json's [`RawValue`], which wants a map of its name to the text.
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, GiveUp> {
        self.peek()?;
        let text = BorrowedStrDeserializer::new(self.raw()?);
        visitor.visit_map(MapDeserializer::new(once((
            BorrowedStrDeserializer::new(name),
            text,
        ))))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct seq
        tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// The name of a member, from behind its opening quote on.
struct Name<'s, 'de>(&'s mut Scanner<'de>);

impl<'de> Deserializer<'de> for Name<'_, 'de> {
    type Error = GiveUp;

    #[inline(always)]
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GiveUp> {
        self.0.name(visitor)
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, GiveUp> {
        self.0.name(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char string bytes byte_buf option unit unit_struct seq
        newtype_struct tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// The members of an object or list.
struct Members<'s, 'de> {
    scanner: &'s mut Scanner<'de>,
    /// What must stand before the next member: the bracket, which comes next, or a comma.
    before: u8,
}

impl<'s, 'de> Members<'s, 'de> {
    #[inline(always)]
    const fn of(scanner: &'s mut Scanner<'de>, bracket: u8) -> Self {
        Self {
            scanner,
            before: bracket,
        }
    }

    /// Whether there is another member, with what stands before it taken; else the bracket `end` is.
    fn has_next(&mut self, end: u8) -> Result<bool, GiveUp> {
        let is_first = std::mem::replace(&mut self.before, b',') != b',';
        if is_first {
            self.scanner.at += 1;
        }
        let next = self.scanner.peek()?;
        if next == end || (next == b',' && !is_first) {
            self.scanner.at += 1;
            return Ok(next != end);
        }
        if is_first { Ok(true) } else { Err(GiveUp) }
    }
}

impl<'de> MapAccess<'de> for Members<'_, 'de> {
    type Error = GiveUp;

    #[inline(always)]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, GiveUp> {
        if self.scanner.took([self.before, b'"']) {
            self.before = b',';
        } else if self.has_next(b'}')? {
            self.scanner.take(b'"')?;
        } else {
            return Ok(None);
        }
        seed.deserialize(Name(self.scanner)).map(Some)
    }

    #[inline(always)]
    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, GiveUp> {
        seed.deserialize(&mut *self.scanner)
    }
}

impl<'de> SeqAccess<'de> for Members<'_, 'de> {
    type Error = GiveUp;

    #[inline(always)]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, GiveUp> {
        if !self.has_next(b']')? {
            return Ok(None);
        }
        seed.deserialize(&mut *self.scanner).map(Some)
    }
}
