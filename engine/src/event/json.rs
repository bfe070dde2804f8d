//! A reader of JSON text (RFC 8259) that hands out one value at a time and borrows from the text.
//!
//! Not a library: it knows just what events need. It stands in place of serde_json because parsing is the largest cost
//! of an event, and because a refusal has to name the field; a property test holds it to serde_json's opinion on what
//! is JSON and what it says.

use super::limits::DEPTH_MAX;
use super::parse_error::{Reason, Refusal};
use std::borrow::Cow;

/// A place in a text.
pub(super) struct Input<'a> {
    text: &'a str,
    at: usize,
    /// Objects and lists that are open.
    depth: usize,
}

/// A number as JSON writes it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Number {
    /// Whole, not negative, and written without fraction and exponent.
    Count(u64),
    /// Any other; infinite if too large.
    Other(f64),
}

impl<'a> Input<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            depth: 0,
        }
    }

    /// The bytes from here on.
    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    #[inline]
    fn here(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte that is no white space; it stays the next.
    #[inline]
    pub(super) fn peek(&mut self) -> Option<u8> {
        loop {
            match self.here() {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                other => return other,
            }
        }
    }

    /// The text is no JSON, for this reason, at this place.
    #[cold]
    pub(super) fn no_json(&self, wanted: &str) -> Refusal {
        let found = if self.rest().is_empty() {
            ", but the text ends"
        } else {
            ""
        };
        Refusal::new(
            Reason::InvalidJson,
            format!(
                "is no JSON: expected {wanted} at byte {}{found}",
                self.at + 1
            ),
        )
    }

    /// Nothing but white space is left.
    pub(super) fn end(&mut self) -> Result<(), Refusal> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.no_json("the end")),
        }
    }

    /// Goes into the object or list that is next.
    pub(super) fn enter(&mut self) -> Result<(), Refusal> {
        self.at += 1;
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(Refusal::new(
                Reason::TooDeep,
                format!("nests deeper than {DEPTH_MAX} levels"),
            ));
        }
        Ok(())
    }

    #[inline]
    fn leave(&mut self) {
        self.at += 1;
        self.depth -= 1;
    }

    /// Whether the object that is open has another member, whose name's quote is then next; at its end it is left.
    /// `first` is true before the first.
    #[inline]
    pub(super) fn next_name(&mut self, first: &mut bool) -> Result<bool, Refusal> {
        match (self.peek(), std::mem::take(first)) {
            (Some(b'"'), true) => return Ok(true),
            (Some(b'}'), _) => {
                self.leave();
                return Ok(false);
            }
            (Some(b','), false) => self.at += 1,
            (_, true) => return Err(self.no_json("a name in quotes or `}`")),
            (_, false) => return Err(self.no_json("`,` or `}`")),
        }
        match self.peek() {
            Some(b'"') => Ok(true),
            _ => Err(self.no_json("a name in quotes")),
        }
    }

    /// Passes over the colon behind a name.
    #[inline]
    pub(super) fn colon(&mut self) -> Result<(), Refusal> {
        if self.peek() != Some(b':') {
            return Err(self.no_json("`:`"));
        }
        self.at += 1;
        Ok(())
    }

    /// The next key of the object that is open, or `None` at its end, which is left. `first` is true before the first.
    pub(super) fn next_key(&mut self, first: &mut bool) -> Result<Option<Cow<'a, str>>, Refusal> {
        if !self.next_name(first)? {
            return Ok(None);
        }
        let key = match self.plain_string() {
            Some(key) => Cow::Borrowed(key),
            None => Cow::Owned(self.escaped_string()?),
        };
        self.colon()?;
        Ok(Some(key))
    }

    /// Whether the list that is open has another member; at its end it is left. `first` is true before the first.
    pub(super) fn next_member(&mut self, first: &mut bool) -> Result<bool, Refusal> {
        match (self.peek(), std::mem::take(first)) {
            (Some(b']'), _) => {
                self.leave();
                return Ok(false);
            }
            (Some(b','), false) => {
                self.at += 1;
                if self.peek() == Some(b']') {
                    return Err(self.no_json("a value"));
                }
            }
            (_, true) => {}
            (_, false) => return Err(self.no_json("`,` or `]`")),
        }
        Ok(true)
    }

    /// One of the words `true`, `false` and `null`.
    pub(super) fn word(&mut self, word: &'static str) -> Result<(), Refusal> {
        if !self.rest().starts_with(word.as_bytes()) {
            return Err(self.no_json("a value"));
        }
        self.at += word.len();
        Ok(())
    }

    /// The text whose quote is next. `None`, and nothing is read, if it has escapes or is no text.
    #[inline]
    pub(super) fn plain_string(&mut self) -> Option<&'a str> {
        let start = self.at + 1;
        let length = plain_length(self.text.as_bytes().get(start..)?);
        // Both ends are next to an ASCII byte, so they are never inside a letter.
        let text = self.text.get(start..start + length)?;
        if self.text.as_bytes().get(start + length) != Some(&b'"') {
            return None;
        }
        self.at = start + length + 1;
        Some(text)
    }

    /// The text whose quote is next, with or without escapes.
    #[cold]
    pub(super) fn escaped_string(&mut self) -> Result<String, Refusal> {
        self.at += 1;
        let mut text = self.plain()?.to_owned();
        loop {
            match self.here() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(text);
                }
                Some(b'\\') => {
                    self.at += 1;
                    text.push(self.escape()?);
                    text.push_str(self.plain()?);
                }
                Some(_) => return Err(self.no_json("an escape in place of a control character")),
                None => return Err(self.no_json("a closing quote")),
            }
        }
    }

    /// What stands before the next quote, backslash or control character.
    fn plain(&mut self) -> Result<&'a str, Refusal> {
        let start = self.at;
        self.at += plain_length(self.rest());
        // Both ends are next to an ASCII byte or the end of the text, so they are never inside a letter.
        self.text
            .get(start..self.at)
            .ok_or_else(|| self.no_json("text"))
    }

    /// The letter of an escape, whose backslash is behind us.
    fn escape(&mut self) -> Result<char, Refusal> {
        let letter = match self.here() {
            Some(b'u') => {
                self.at += 1;
                return self.unicode_escape();
            }
            Some(plain @ (b'"' | b'\\' | b'/')) => char::from(plain),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            _ => return Err(self.no_json("an escape that exists")),
        };
        self.at += 1;
        Ok(letter)
    }

    /// The letter of `\uXXXX`, or of two of them where the first is half a letter.
    fn unicode_escape(&mut self) -> Result<char, Refusal> {
        let mut code = self.four_hex_digits()?;
        if (0xd800..0xdc00).contains(&code) && self.rest().starts_with(b"\\u") {
            self.at += 2;
            let low = self.four_hex_digits()?;
            if (0xdc00..0xe000).contains(&low) {
                code = 0x1_0000 + ((code - 0xd800) << 10) + (low - 0xdc00);
            }
        }
        char::from_u32(code).ok_or_else(|| self.no_json("a whole letter, not half of one,"))
    }

    fn four_hex_digits(&mut self) -> Result<u32, Refusal> {
        let digits = self
            .rest()
            .first_chunk::<4>()
            .filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.ok_or_else(|| self.no_json("four hexadecimal digits"))?;
        self.at += 4;
        Ok(digits.iter().fold(0, |code, &digit| {
            code * 16 + char::from(digit).to_digit(16).unwrap_or_default()
        }))
    }

    /// The number that is next.
    pub(super) fn number(&mut self) -> Result<Number, Refusal> {
        let start = self.at;
        let is_count = self.number_end()?;
        let text = self.text.get(start..self.at).unwrap_or_default();
        match text.parse() {
            Ok(count) if is_count => Ok(Number::Count(count)),
            _ => text
                .parse()
                .map(Number::Other)
                .map_err(|_| self.no_json("a number")),
        }
    }

    /// Passes over a number; whether it is whole and not negative.
    fn number_end(&mut self) -> Result<bool, Refusal> {
        let mut is_count = true;
        if self.here() == Some(b'-') {
            self.at += 1;
            is_count = false;
        }
        match self.here() {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if self.here() == Some(b'.') {
            self.at += 1;
            is_count = false;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.here() {
            self.at += 1;
            is_count = false;
            if let Some(b'+' | b'-') = self.here() {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(is_count)
    }

    /// Passes over one digit or more.
    fn digits(&mut self) -> Result<(), Refusal> {
        let count = self
            .rest()
            .iter()
            .take_while(|byte| byte.is_ascii_digit())
            .count();
        if count == 0 {
            return Err(self.no_json("a digit"));
        }
        self.at += count;
        Ok(())
    }

    /// The text of the value that is next, checked but not understood.
    pub(super) fn raw(&mut self) -> Result<&'a str, Refusal> {
        self.peek();
        let start = self.at;
        self.skip()?;
        self.text
            .get(start..self.at)
            .ok_or_else(|| self.no_json("a value"))
    }

    /// Passes over a value. Calls itself no deeper than the limit of depth.
    fn skip(&mut self) -> Result<(), Refusal> {
        let mut first = true;
        match self.peek() {
            Some(b'{') => {
                self.enter()?;
                while self.next_key(&mut first)?.is_some() {
                    self.skip()?;
                }
                Ok(())
            }
            Some(b'[') => {
                self.enter()?;
                while self.next_member(&mut first)? {
                    self.skip()?;
                }
                Ok(())
            }
            Some(b'"') => match self.plain_string() {
                Some(_) => Ok(()),
                None => self.escaped_string().map(drop),
            },
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'n') => self.word("null"),
            Some(b'-' | b'0'..=b'9') => self.number_end().map(drop),
            _ => Err(self.no_json("a value")),
        }
    }
}

/// How many bytes come before the first quote, backslash or control character. Eight at a time: most of an event is
/// text.
#[inline]
fn plain_length(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGHS: u64 = ONES << 7;
    let mut length = 0;
    let mut rest = bytes;
    while let Some((chunk, after)) = rest.split_first_chunk::<8>() {
        let word = u64::from_le_bytes(*chunk);
        let quote = word ^ (ONES * b'"' as u64);
        let backslash = word ^ (ONES * b'\\' as u64);
        // The highest bit of each byte that was below what is taken from it. A borrow reaches only bytes behind a
        // true one, and only the first counts.
        let below = |value: u64, limit: u64| value.wrapping_sub(ONES * limit) & !value;
        let found = (below(quote, 1) | below(backslash, 1) | below(word, 0x20)) & HIGHS;
        if found != 0 {
            return length + found.trailing_zeros() as usize / 8;
        }
        length += 8;
        rest = after;
    }
    length
        + rest
            .iter()
            .take_while(|&&byte| byte != b'"' && byte != b'\\' && byte >= 0x20)
            .count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::de::IgnoredAny;
    use serde_json::Value;

    fn read_text(written: &str) -> String {
        let mut input = Input::new(written);
        let plain = input.plain_string().map(str::to_owned);
        let escaped = Input::new(written).escaped_string().unwrap();
        assert!(plain.is_none_or(|plain| plain == escaped));
        escaped
    }

    fn checked(text: &str) -> Result<(), Reason> {
        let mut input = Input::new(text);
        input
            .raw()
            .and_then(|_| input.end())
            .map_err(|refusal| refusal.reason())
    }

    /// Ours is JSON for serde_json, and theirs for us. Their reader of unread values is the looser one of the two they
    /// have (half letters), the other the stricter one (the range of numbers); ours stands between.
    fn agrees(text: &str) {
        match checked(text) {
            Ok(()) => assert!(
                serde_json::from_str::<IgnoredAny>(text).is_ok(),
                "only we take {text:?}"
            ),
            Err(Reason::TooDeep) => {}
            Err(_) => assert!(
                serde_json::from_str::<Value>(text).is_err(),
                "only we refuse {text:?}"
            ),
        }
    }

    #[test]
    fn the_grammar_is_kept_at_its_corners() {
        for text in [
            "0",
            "-0",
            "-",
            "01",
            "1.",
            ".5",
            "1.5",
            "1e5",
            "1e",
            "1E+5",
            "1e-",
            "--1",
            "+1",
            "0x1",
            "1_0",
            "Infinity",
            "NaN",
            "true",
            "tru",
            "truex",
            "null",
            "nul",
            "\"",
            "\"a",
            "\"a\\",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\u00e9\"",
            "\"\\ud834\\udd1e\"",
            "\"\\ud834\"",
            "\"\\ud834\\u0041\"",
            "\"\\udd1e\"",
            "\"\t\"",
            "\"\u{7f}\"",
            "[]",
            "[",
            "]",
            "[,]",
            "[1,]",
            "[1 2]",
            "[1,,2]",
            "{}",
            "{",
            "}",
            "{,}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{a:1}",
            "{\"a\":1 \"b\":2}",
            "{\"a\" : [ 1 , { } ] }",
            "1 1",
            "",
            " ",
            "\u{feff}1",
            "[1}",
            "{\"a\":1]",
            "'a'",
            "/**/1",
            "\u{a0}1",
            "\u{c}1",
            "{1:2}",
            "[\"a\\/b\"]",
            "-1.5e+10",
            "1e400",
            "00",
            "-01",
        ] {
            agrees(text);
        }
    }

    proptest! {
            #[test]
            #[inline]
    fn plain_length_is_that_of_the_slow_way(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
                let slow = bytes.iter().take_while(|&&byte| byte != b'"' && byte != b'\\' && byte >= 0x20).count();
                prop_assert_eq!(plain_length(&bytes), slow);
                let high: Vec<u8> = bytes.iter().map(|byte| byte | 0x80).chain([b'"', 1]).collect();
                prop_assert_eq!(plain_length(&high), bytes.len());
            }

            #[test]
            fn texts_read_as_serde_json_reads_them(text in "\\PC{0,30}", escapes in "(\\\\[\"\\\\/bfnrtu]|[0-9a-fA-F]{1,4}|\\\\ud[89a-f][0-9]{2}){0,6}") {
                let written = serde_json::to_string(&text).unwrap();
                prop_assert_eq!(read_text(&written), text);
                let escaped = format!("\"{escapes}\"");
                match serde_json::from_str::<String>(&escaped) {
                    Ok(theirs) => prop_assert_eq!(read_text(&escaped), theirs),
                    Err(_) => prop_assert!(checked(&escaped).is_err(), "{}", escaped),
                }
            }

            #[test]
            fn numbers_read_as_serde_json_reads_them(text in "-?[0-9]{1,22}(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?") {
                let mut input = Input::new(&text);
                match (input.number().and_then(|number| input.end().map(|()| number)), serde_json::from_str::<Value>(&text)) {
                    (Ok(Number::Count(ours)), Ok(theirs)) => prop_assert_eq!(Some(ours), theirs.as_u64()),
                    // Theirs may be off in the last bit, ours is the nearest.
                    (Ok(Number::Other(ours)), Ok(theirs)) => prop_assert!((ours / theirs.as_f64().unwrap() - 1.0).abs() < 1e-15 || ours == 0.0),
                    (Err(_), Err(_)) => {}
                    (ours, theirs) => prop_assert!(false, "{}: {:?} {:?}", text, ours.is_ok(), theirs),
                }
            }

            #[test]
            fn what_is_json_is_agreed(text in "[\\[\\]{}:,\"\\\\ truefalsn0-9eE.+a-]{0,14}") {
                agrees(&text);
            }

            #[test]
            fn damaged_json_is_agreed(at in 0usize..4000, with in "[\\[\\]{}:,\"\\\\ a0.\u{1}]", cut in 0usize..4000) {
                let mut text = include_str!("testdata/full.json").replace('\n', "");
                let at = at % text.len();
                text.replace_range(at..=at, &with);
                agrees(&text);
                text.truncate(cut % text.len());
                agrees(&text);
            }
        }
}
