//! The declared fields: everything a condition, a text or a test may name.
//!
//! The table itself is in `fields.rs`, one entry a field. What a field's value *is* for a given
//! login is the engine's business; this crate only knows names, types and what they mean.

use std::fmt;

pub use crate::fields::Field;

/// The type of a field's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FieldType {
    /// `true` or `false`.
    Bool,
    /// A whole number of 64 bits.
    Int,
    /// A 64 bit floating point number, always finite.
    Float,
    /// A text; one of [`FieldInfo::domain`] if that is not empty.
    Text,
}

impl fmt::Display for FieldType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            FieldType::Bool => "bool",
            FieldType::Int => "int",
            FieldType::Float => "float",
            FieldType::Text => "text",
        })
    }
}

/// What is declared about one field.
#[derive(Debug, PartialEq)]
pub struct FieldInfo {
    /// The number that stands for the field in stored slots. Never reused, never changed.
    pub number: u16,
    /// The dotted name rules use, for example `device.state`.
    pub name: &'static str,
    /// The type of its value.
    pub field_type: FieldType,
    /// The unit of a number, for example `km/h`; empty where there is none.
    pub unit: &'static str,
    /// The closed list of values of an enumerated text; empty for everything else.
    pub domain: &'static [&'static str],
    /// What the value says, and when it is missing.
    pub meaning: &'static str,
    /// A value as it would be written in a condition.
    pub example: &'static str,
}

impl Field {
    /// How many fields there are.
    pub const COUNT: usize = Field::ALL.len();

    /// The dotted name.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.info().name
    }

    /// The type of its value.
    #[must_use]
    #[inline]
    pub fn field_type(self) -> FieldType {
        self.info().field_type
    }

    /// The closed list of values, empty if the field is not an enumerated text.
    #[must_use]
    #[inline]
    pub fn domain(self) -> &'static [&'static str] {
        self.info().domain
    }

    /// The field of this name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Field> {
        Field::ALL.iter().copied().find(|field| field.name() == name)
    }

    /// The field with this stored number.
    #[must_use]
    pub fn by_number(number: u16) -> Option<Field> {
        Field::ALL
            .iter()
            .copied()
            .find(|field| field.info().number == number)
    }

    /// The declared field whose name is most like `name`, if one is like it at all.
    #[must_use]
    pub fn suggest(name: &str) -> Option<Field> {
        let names = Field::ALL.iter().map(|field| field.name());
        closest(name, names).and_then(Field::by_name)
    }

    /// The domain's own copy of `value`, so that it can be kept without allocating.
    #[must_use]
    #[inline]
    pub fn domain_value(self, value: &str) -> Option<&'static str> {
        self.domain().iter().copied().find(|known| *known == value)
    }
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The candidate most like `word`, if any is at least 60 % alike; the first of equals.
#[must_use]
pub fn closest<'a>(word: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const ALIKE_MIN: f64 = 0.6;
    // A word longer than any name cannot be a slip of the finger, and comparing it is quadratic.
    if word.len() > 80 {
        return None;
    }
    let mut best: Option<(&str, f64)> = None;
    for candidate in candidates {
        let alike = strsim::normalized_damerau_levenshtein(word, candidate);
        if alike >= ALIKE_MIN && best.is_none_or(|(_, most)| alike > most) {
            best = Some((candidate, alike));
        }
    }
    best.map(|(candidate, _)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_and_numbers_are_unique_and_found() {
        let names: BTreeSet<_> = Field::ALL.iter().map(|f| f.name()).collect();
        let numbers: BTreeSet<_> = Field::ALL.iter().map(|f| f.info().number).collect();
        assert_eq!(names.len(), Field::COUNT);
        assert_eq!(numbers.len(), Field::COUNT);
        for field in Field::ALL {
            assert_eq!(Field::by_name(field.name()), Some(*field));
            assert_eq!(Field::by_number(field.info().number), Some(*field));
        }
    }

    #[test]
    fn only_texts_have_domains_and_examples_fit_the_type() {
        for field in Field::ALL {
            let info = field.info();
            let example = info.example;
            match info.field_type {
                FieldType::Bool => assert!(example.parse::<bool>().is_ok(), "{field}"),
                FieldType::Int => assert!(example.parse::<i64>().is_ok(), "{field}"),
                FieldType::Float => assert!(example.parse::<f64>().is_ok(), "{field}"),
                FieldType::Text => {
                    let fits = info.domain.is_empty() || info.domain.contains(&example);
                    assert!(fits, "{field}: `{example}` is not in its domain");
                }
            }
            assert!(
                info.field_type == FieldType::Text || info.domain.is_empty(),
                "{field}"
            );
            assert!(info.meaning.ends_with('.'), "{field}: the meaning is a sentence");
        }
    }

    #[test]
    fn suggests_a_near_name_and_nothing_far() {
        assert_eq!(Field::suggest("device.stat"), Some(Field::DeviceState));
        assert_eq!(Field::suggest("network.knid"), Some(Field::NetworkKind));
        assert_eq!(Field::suggest("quite.something.else.entirely"), None);
        assert_eq!(Field::suggest(&"x".repeat(5_000)), None);
    }
}
