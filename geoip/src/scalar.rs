//! Values of database records, read leniently: makers of databases disagree on the width of integers, on
//! whether a number is text, and on what is a map. Anything unexpected reads as "nothing", never as an error.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// One value, or nothing if it is a map, a list or bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) enum Scalar<'a> {
    #[default]
    Nothing,
    Flag(bool),
    Number(f64),
    Text(&'a str),
}

impl<'a> Scalar<'a> {
    /// Text that is not blank.
    pub(crate) fn text(self) -> Option<&'a str> {
        match self {
            Scalar::Text(text) => Some(text.trim()).filter(|text| !text.is_empty()),
            _ => None,
        }
    }

    /// A finite number, or the text of one.
    pub(crate) fn number(self) -> Option<f64> {
        let number = match self {
            Scalar::Number(number) => Some(number),
            Scalar::Text(text) => text.trim().parse().ok(),
            _ => None,
        };
        number.filter(|number| number.is_finite())
    }

    /// The number of an autonomous system: a number or its text, with or without `AS`. 0 is none.
    pub(crate) fn asn(self) -> Option<u32> {
        match self {
            Scalar::Text(text) => asn_from_text(text),
            Scalar::Number(number) => {
                let whole = number >= 1.0 && number <= f64::from(u32::MAX) && libm::trunc(number) == number;
                whole.then_some(number as u32)
            }
            _ => None,
        }
    }

    /// Whether a flag is set, however it is written.
    pub(crate) fn is_set(self) -> bool {
        match self {
            Scalar::Flag(flag) => flag,
            Scalar::Number(number) => number == 1.0,
            Scalar::Text(text) => matches!(text, "true" | "1" | "yes"),
            Scalar::Nothing => false,
        }
    }
}

/// The number of an autonomous system as people write it: `64500` or `AS64500`. 0 is none.
pub(crate) fn asn_from_text(text: &str) -> Option<u32> {
    let text = text.trim();
    let has_prefix = text
        .get(..2)
        .is_some_and(|prefix| prefix.eq_ignore_ascii_case("as"));
    let digits = if has_prefix { text.get(2..)? } else { text };
    // A sign would parse as well.
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok().filter(|asn| *asn != 0)
}

/// Reads what is left of a map, so that the reader stands behind it.
pub(crate) fn skip_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<(), A::Error> {
    while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}

/// Reads what is left of a list, so that the reader stands behind it.
pub(crate) fn skip_seq<'de, A: SeqAccess<'de>>(mut seq: A) -> Result<(), A::Error> {
    while seq.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

struct ScalarVisitor;

macro_rules! visit_numbers {
    ($($visit:ident: $from:ty),*) => {
        $(fn $visit<E>(self, value: $from) -> Result<Self::Value, E> {
            Ok(Scalar::Number(value as f64))
        })*
    };
}

impl<'de> Visitor<'de> for ScalarVisitor {
    type Value = Scalar<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    visit_numbers!(visit_u16: u16, visit_u32: u32, visit_u64: u64, visit_u128: u128);
    visit_numbers!(visit_i32: i32, visit_i64: i64, visit_f32: f32, visit_f64: f64);

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Scalar::Flag(value))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Self::Value, E> {
        Ok(Scalar::Text(value))
    }

    fn visit_str<E>(self, _: &str) -> Result<Self::Value, E> {
        Ok(Scalar::Nothing)
    }

    fn visit_bytes<E>(self, _: &[u8]) -> Result<Self::Value, E> {
        Ok(Scalar::Nothing)
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Scalar::Nothing)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        skip_map(map).map(|()| Scalar::Nothing)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        skip_seq(seq).map(|()| Scalar::Nothing)
    }
}

impl<'de> Deserialize<'de> for Scalar<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Scalar<'_> {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn numbers_come_in_many_shapes() {
        for json in ["12", "12.0", "\"12\"", "\" 12 \""] {
            assert_eq!(read(json).number(), Some(12.0), "{json}");
        }
        for json in [
            "\"\"",
            "\"NaN\"",
            "\"inf\"",
            "true",
            "null",
            "[1, [2]]",
            "{\"a\": {\"b\": 1}}",
        ] {
            assert_eq!(read(json).number(), None, "{json}");
        }
    }

    #[test]
    fn as_numbers_come_with_and_without_their_letters() {
        for json in ["64500", "64500.0", "\"64500\"", "\"AS64500\"", "\"as64500\""] {
            assert_eq!(read(json).asn(), Some(64500), "{json}");
        }
        for json in [
            "0",
            "-1",
            "4294967296",
            "1.5",
            "\"AS\"",
            "\"AS0\"",
            "\"+5\"",
            "\"É\"",
            "\"\"",
            "[64500]",
        ] {
            assert_eq!(read(json).asn(), None, "{json}");
        }
    }

    #[test]
    fn flags_come_as_booleans_numbers_and_words() {
        for json in ["true", "1", "\"true\"", "\"1\""] {
            assert!(read(json).is_set(), "{json}");
        }
        for json in ["false", "0", "\"false\"", "\"\"", "null", "{}"] {
            assert!(!read(json).is_set(), "{json}");
        }
    }
}
