//! Slots: the values of all declared fields for one login.
//!
//! One array, reused from login to login; enumerated texts are `&'static str` and short ones lie in
//! the array, so filling it for an ordinary login allocates only for long names that come from
//! outside. The stored form is in `slots_codec.rs`.

use std::fmt;

use smol_str::SmolStr;

use crate::schema::{Field, FieldType};

/// A text value: an enumerated word, or one that came from outside.
#[derive(Clone, Debug)]
pub enum Text {
    /// A word of the program, for example a value of a domain.
    Word(&'static str),
    /// A text from the event or a database.
    Owned(SmolStr),
}

impl Text {
    /// The text.
    #[must_use]
    #[inline]
    pub fn as_str(&self) -> &str {
        match self {
            Text::Word(word) => word,
            Text::Owned(text) => text,
        }
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

/// The value of one field.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Slot {
    /// Nothing is known.
    #[default]
    NoData,
    /// A truth.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A finite number.
    Float(f64),
    /// A text.
    Text(Text),
}

impl Slot {
    /// Whether a value is known.
    #[must_use]
    #[inline]
    pub fn has_data(&self) -> bool {
        !matches!(self, Slot::NoData)
    }

    /// Whether this may stand in a field of that type; `NoData` always may.
    #[must_use]
    #[inline]
    pub fn fits(&self, field_type: FieldType) -> bool {
        match self {
            Slot::NoData => true,
            Slot::Bool(_) => field_type == FieldType::Bool,
            Slot::Int(_) => field_type == FieldType::Int,
            Slot::Float(_) => field_type == FieldType::Float,
            Slot::Text(_) => field_type == FieldType::Text,
        }
    }

    /// The text, if it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Slot::Text(text) => Some(text.as_str()),
            _ => None,
        }
    }

    /// The truth, if it is one.
    #[must_use]
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Slot::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// The whole number, if it is one.
    #[must_use]
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Slot::Int(value) => Some(*value),
            _ => None,
        }
    }

    /// The number, whole or not, if it is one.
    #[must_use]
    pub fn as_number(&self) -> Option<f64> {
        match self {
            #[expect(
                clippy::cast_precision_loss,
                reason = "the documented widening of int to float"
            )]
            Slot::Int(value) => Some(*value as f64),
            Slot::Float(value) => Some(*value),
            _ => None,
        }
    }
}

static NO_DATA: Slot = Slot::NoData;

/// Words that hold a bit for every field.
const WORDS: usize = Field::COUNT.div_ceil(64);

/// The values of every declared field for one login.
///
/// A setter given the wrong type for its field is a mistake in the calling program: debug builds
/// stop there, release builds leave the slot without data, so that it shows in the ledger.
#[derive(Clone)]
pub struct Slots {
    cells: [Slot; Field::COUNT],
    /// A bit for each field that has data. The cell of any other holds whatever an earlier login left there.
    known: [u64; WORDS],
    /// At least the bytes of all its texts: how much room its stored form needs.
    text_bytes: usize,
}

impl Default for Slots {
    fn default() -> Self {
        Self::new()
    }
}

impl PartialEq for Slots {
    fn eq(&self, other: &Self) -> bool {
        self.known == other.known && self.known().eq(other.known())
    }
}

impl Slots {
    /// Slots without any data.
    #[must_use]
    pub fn new() -> Self {
        Slots {
            cells: [const { Slot::NoData }; Field::COUNT],
            known: [0; WORDS],
            text_bytes: 0,
        }
    }

    /// Empties every slot, keeping the array.
    #[inline]
    pub fn clear(&mut self) {
        self.known = [0; WORDS];
        self.text_bytes = 0;
    }

    /// The value of `field`.
    #[must_use]
    #[inline]
    pub fn get(&self, field: Field) -> &Slot {
        let (word, bit) = place(field);
        match (self.known.get(word), self.cells.get(field as usize)) {
            (Some(known), Some(cell)) if known & bit != 0 => cell,
            _ => &NO_DATA,
        }
    }

    /// Sets any value that fits the type of the field.
    #[inline(always)]
    pub fn set(&mut self, field: Field, value: Slot) {
        let fits = value.fits(field.field_type());
        debug_assert!(fits, "`{field}` is no field for {value:?}");
        let finite = !matches!(value, Slot::Float(number) if !number.is_finite());
        if let Slot::Text(text) = &value {
            self.text_bytes += text.as_str().len();
        }
        let (word, bit) = place(field);
        let (Some(known), Some(cell)) = (self.known.get_mut(word), self.cells.get_mut(field as usize)) else {
            return;
        };
        if fits && finite && value.has_data() {
            *known |= bit;
            *cell = value;
        } else {
            *known &= !bit;
        }
    }

    /// Empties one slot.
    #[inline(always)]
    pub fn unset(&mut self, field: Field) {
        self.set(field, Slot::NoData);
    }

    /// Sets a truth.
    #[inline(always)]
    pub fn set_bool(&mut self, field: Field, value: bool) {
        self.set(field, Slot::Bool(value));
    }

    /// Sets a whole number.
    #[inline(always)]
    pub fn set_int(&mut self, field: Field, value: i64) {
        self.set(field, Slot::Int(value));
    }

    /// Sets a number; NaN and infinities leave the slot without data.
    #[inline(always)]
    pub fn set_float(&mut self, field: Field, value: f64) {
        self.set(field, Slot::Float(value));
    }

    /// Sets an enumerated word without allocating. It has to be one of the field's domain, if the
    /// field has one (checked in debug builds).
    #[inline(always)]
    pub fn set_text(&mut self, field: Field, word: &'static str) {
        debug_assert!(
            field.domain().is_empty() || field.domain().contains(&word),
            "`{word}` is not in the domain of `{field}`"
        );
        self.set(field, Slot::Text(Text::Word(word)));
    }

    /// Sets a text from outside. A word of the field's domain is stored without allocating.
    #[inline(always)]
    pub fn set_owned(&mut self, field: Field, text: impl Into<SmolStr> + AsRef<str>) {
        let text = match field.domain_value(text.as_ref()) {
            Some(word) => Text::Word(word),
            None => Text::Owned(text.into()),
        };
        self.set(field, Slot::Text(text));
    }

    /// Every field with its value, in the order of the table, `NoData` included.
    pub fn iter(&self) -> impl Iterator<Item = (Field, &Slot)> {
        Field::ALL.iter().map(|field| (*field, self.get(*field)))
    }

    /// The fields that have data with their values, in the order of the table.
    #[inline]
    pub fn known(&self) -> impl Iterator<Item = (Field, &Slot)> {
        let words = (0..).step_by(64).zip(self.known);
        words.flat_map(move |(first, word)| {
            let places = Ones(word).map(move |place| first + place as usize);
            places.filter_map(|place| Some((*Field::ALL.get(place)?, self.cells.get(place)?)))
        })
    }

    /// At least the bytes of all texts together.
    pub(crate) fn text_bytes(&self) -> usize {
        self.text_bytes
    }

    /// How many fields have data.
    #[must_use]
    pub fn known_count(&self) -> usize {
        self.known.iter().map(|word| word.count_ones() as usize).sum()
    }
}

/// The word that holds a field's bit, and the bit.
#[inline]
const fn place(field: Field) -> (usize, u64) {
    (field as usize / 64, 1 << (field as u32 % 64))
}

/// The places of the bits that are set, from the lowest.
struct Ones(u64);

impl Iterator for Ones {
    type Item = u32;

    #[inline]
    fn next(&mut self) -> Option<u32> {
        let place = self.0.trailing_zeros();
        self.0 = self.0.checked_sub(1)? & self.0;
        Some(place)
    }
}

impl fmt::Debug for Slots {
    /// Only the fields that have data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.known().map(|(field, slot)| (field.name(), slot)))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_fits_and_empties_again() {
        let mut slots = Slots::new();
        slots.set_text(Field::DeviceState, "known");
        slots.set_owned(Field::NetworkCity, "Århus");
        slots.set_int(Field::UserLogins, 40);
        slots.set_float(Field::AddressFamiliarity, f64::NAN);
        assert_eq!(slots.get(Field::DeviceState).as_str(), Some("known"));
        assert_eq!(slots.get(Field::NetworkCity).as_str(), Some("Århus"));
        assert_eq!(slots.get(Field::UserLogins).as_number(), Some(40.0));
        assert_eq!(slots.get(Field::AddressFamiliarity), &Slot::NoData);
        slots.clear();
        assert_eq!(slots, Slots::new());
    }

    #[test]
    fn words_of_a_domain_are_never_allocated() {
        let mut slots = Slots::new();
        slots.set_owned(Field::NetworkKind, String::from("hosting"));
        assert!(matches!(
            slots.get(Field::NetworkKind),
            Slot::Text(Text::Word("hosting"))
        ));
    }

    #[test]
    #[should_panic(expected = "is no field for")]
    fn a_wrong_type_is_a_mistake_of_the_program() {
        Slots::new().set_int(Field::DeviceState, 3);
    }
}
