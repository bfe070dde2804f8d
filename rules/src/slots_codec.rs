//! The stored form of slots: version byte, count, then number, type and value of each field that
//! has data. Fields are told by their stable numbers, so a newer table reads older bytes: a number
//! that is gone is skipped, a field that was added later has no data.

use crate::schema::{Field, FieldType};
use crate::slots::{Slot, Slots};

/// First byte of the stored form.
pub const SLOTS_VERSION: u8 = 1;

/// The longest text that is decoded, in bytes. Every input of Doorward is limited below it.
const TEXT_BYTES_MAX: usize = 64 * 1024;

/// Most bytes of one field beside those of its text: a key of two and a number of ten.
const FIELD_BYTES_MAX: usize = 12;

const TAG_FALSE: u64 = 0;
const TAG_TRUE: u64 = 1;
const TAG_INT: u64 = 2;
const TAG_FLOAT: u64 = 3;
const TAG_TEXT: u64 = 4;

/// Why bytes are not stored slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes end too early.
    #[error("stored slots end too early")]
    Truncated,
    /// There are bytes after the last field.
    #[error("stored slots have bytes after their end")]
    TrailingBytes,
    /// Written by a version that this one does not know.
    #[error("stored slots have version {0}, this program reads version {SLOTS_VERSION}")]
    UnknownVersion(u8),
    /// A number, type or text that nothing writes.
    #[error("stored slots are damaged")]
    Damaged,
    /// A field that holds a value of another type than declared.
    #[error("stored slots hold a value of another type for the field with number {0}")]
    WrongType(u16),
}

impl Slots {
    /// Appends the stored form to `out`. Equal slots give equal bytes.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let start = out.len();
        let bytes_max = FIELD_BYTES_MAX * (1 + self.known_count()) + self.text_bytes();
        out.resize(start + bytes_max, 0);
        let room = out.get_mut(start..).unwrap_or_default();
        let room = put(room, [SLOTS_VERSION]);
        let room = put_varint(room, self.known_count() as u64);
        let unused = self.known().fold(room, put_field).len();
        out.truncate(start + bytes_max - unused);
    }

    /// Reads the stored form; all of `bytes` has to be it.
    ///
    /// # Errors
    /// [`DecodeError`] for anything that [`Slots::encode`] of this or an earlier table did not write.
    pub fn decode(bytes: &[u8]) -> Result<Slots, DecodeError> {
        let mut reader = Reader { rest: bytes };
        let version = reader.byte()?;
        if version != SLOTS_VERSION {
            return Err(DecodeError::UnknownVersion(version));
        }
        let mut slots = Slots::new();
        for _ in 0..reader.varint()? {
            let key = reader.varint()?;
            let number = u16::try_from(key >> 3).map_err(|_| DecodeError::Damaged)?;
            decode_value(&mut reader, key & 7, number, &mut slots)?;
        }
        if reader.rest.is_empty() {
            Ok(slots)
        } else {
            Err(DecodeError::TrailingBytes)
        }
    }
}

fn decode_value(
    reader: &mut Reader<'_>,
    tag: u64,
    number: u16,
    slots: &mut Slots,
) -> Result<(), DecodeError> {
    let field = Field::by_number(number);
    let value = match tag {
        TAG_FALSE => Slot::Bool(false),
        TAG_TRUE => Slot::Bool(true),
        TAG_INT => Slot::Int(unzigzag(reader.varint()?)),
        TAG_FLOAT => Slot::Float(reader.float()?),
        TAG_TEXT => {
            let text = reader.text()?;
            return match field {
                Some(field) if field.field_type() == crate::FieldType::Text => {
                    slots.set_owned(field, text);
                    Ok(())
                }
                Some(_) => Err(DecodeError::WrongType(number)),
                None => Ok(()),
            };
        }
        _ => return Err(DecodeError::Damaged),
    };
    match field {
        Some(field) if value.fits(field.field_type()) => slots.set(field, value),
        Some(_) => return Err(DecodeError::WrongType(number)),
        None => {}
    }
    Ok(())
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let (head, rest) = self.rest.split_at_checked(count).ok_or(DecodeError::Truncated)?;
        self.rest = rest;
        Ok(head)
    }

    fn byte(&mut self) -> Result<u8, DecodeError> {
        self.take(1)?.first().copied().ok_or(DecodeError::Truncated)
    }

    fn varint(&mut self) -> Result<u64, DecodeError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                return Err(DecodeError::Damaged);
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(DecodeError::Damaged)
    }

    fn float(&mut self) -> Result<f64, DecodeError> {
        let bytes: [u8; 8] = self.take(8)?.try_into().map_err(|_| DecodeError::Truncated)?;
        let value = f64::from_le_bytes(bytes);
        if value.is_finite() {
            Ok(value)
        } else {
            Err(DecodeError::Damaged)
        }
    }

    fn text(&mut self) -> Result<&'a str, DecodeError> {
        let length = usize::try_from(self.varint()?).map_err(|_| DecodeError::Damaged)?;
        if length > TEXT_BYTES_MAX {
            return Err(DecodeError::Damaged);
        }
        std::str::from_utf8(self.take(length)?).map_err(|_| DecodeError::Damaged)
    }
}

// The writers below fill the front of the room they are given, which is made large enough for all fields, and return the
// rest of it: no field asks for more memory.

#[inline(always)]
fn put_field<'a>(room: &'a mut [u8], (field, slot): (Field, &Slot)) -> &'a mut [u8] {
    let Some(key) = Field::KEYS.get(field as usize) else {
        return room;
    };
    match slot {
        Slot::NoData => room,
        Slot::Bool(value) => key.put(room, u8::from(*value)),
        Slot::Int(value) => key.put_with(room, zigzag(*value)),
        Slot::Float(value) => put(key.put(room, 0), value.to_le_bytes()),
        Slot::Text(text) => {
            let text = text.as_str().as_bytes();
            match key
                .put_with(room, text.len() as u64)
                .split_at_mut_checked(text.len())
            {
                Some((front, rest)) => {
                    copy(front, text);
                    rest
                }
                None => &mut [],
            }
        }
    }
}

/// Number and tag of a field as a varint of two bytes, or of one if that is below 0x80. The tag is that of `false` for
/// truths.
pub(crate) struct Key([u8; 2]);

impl Key {
    pub(crate) const fn new(number: u16, field_type: FieldType) -> Self {
        assert!(number < 2_048, "a key would need more than two bytes");
        let tag = match field_type {
            FieldType::Bool => TAG_FALSE,
            FieldType::Int => TAG_INT,
            FieldType::Float => TAG_FLOAT,
            FieldType::Text => TAG_TEXT,
        };
        let key = number << 3 | tag as u16;
        Self(if key < 0x80 {
            [key as u8, 0]
        } else {
            [key as u8 | 0x80, (key >> 7) as u8]
        })
    }

    #[inline(always)]
    fn put<'a>(&self, room: &'a mut [u8], bit: u8) -> &'a mut [u8] {
        let Self([low, high]) = *self;
        if low < 0x80 {
            put(room, [low | bit])
        } else {
            put(room, [low | bit, high])
        }
    }

    /// With a number, which most often is small: then in one piece.
    #[inline(always)]
    fn put_with<'a>(&self, room: &'a mut [u8], value: u64) -> &'a mut [u8] {
        let Self([low, high]) = *self;
        if low >= 0x80 && value < 0x80 {
            put(room, [low, high, value as u8])
        } else {
            put_varint(self.put(room, 0), value)
        }
    }
}

/// Copies a text of the same length. Most have four to sixteen bytes: both halves, which may overlap, are then less work
/// than a call.
#[inline(always)]
fn copy(to: &mut [u8], from: &[u8]) {
    match from.len() {
        4..8 => copy_ends::<4>(to, from),
        8..=16 => copy_ends::<8>(to, from),
        _ => to.copy_from_slice(from),
    }
}

#[inline(always)]
fn copy_ends<const N: usize>(to: &mut [u8], from: &[u8]) {
    if let (Some(to), Some(from)) = (to.first_chunk_mut::<N>(), from.first_chunk::<N>()) {
        *to = *from;
    }
    if let (Some(to), Some(from)) = (to.last_chunk_mut::<N>(), from.last_chunk::<N>()) {
        *to = *from;
    }
}

fn put_varint(mut room: &mut [u8], mut value: u64) -> &mut [u8] {
    while value >= 0x80 {
        room = put(room, [value as u8 | 0x80]);
        value >>= 7;
    }
    put(room, [value as u8])
}

#[inline(always)]
fn put<const N: usize>(room: &mut [u8], bytes: [u8; N]) -> &mut [u8] {
    match room.split_first_chunk_mut::<N>() {
        Some((front, rest)) => {
            *front = bytes;
            rest
        }
        None => &mut [],
    }
}

fn zigzag(value: i64) -> u64 {
    (value.cast_unsigned() << 1) ^ (value >> 63).cast_unsigned()
}

fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::FieldType;
    use proptest::prelude::*;

    fn any_value(field: Field) -> BoxedStrategy<(Field, Slot)> {
        let value = match field.field_type() {
            FieldType::Bool => any::<bool>().prop_map(Slot::Bool).boxed(),
            FieldType::Int => any::<i64>().prop_map(Slot::Int).boxed(),
            FieldType::Float => (-1e12..1e12).prop_map(Slot::Float).boxed(),
            FieldType::Text => ".{0,40}"
                .prop_map(|text| Slot::Text(crate::Text::Owned(text.into())))
                .boxed(),
        };
        value.prop_map(move |value| (field, value)).boxed()
    }

    fn any_slots() -> impl Strategy<Value = Slots> {
        let entry = prop::sample::select(Field::ALL).prop_flat_map(any_value);
        prop::collection::vec(entry, 0..40).prop_map(|entries| {
            let mut slots = Slots::new();
            for (field, value) in entries {
                slots.set(field, value);
            }
            slots
        })
    }

    proptest! {
        #[test]
        fn what_is_stored_is_read_back(slots in any_slots()) {
            let mut bytes = Vec::new();
            slots.encode(&mut bytes);
            prop_assert_eq!(Slots::decode(&bytes), Ok(slots));
        }

        #[test]
        fn foreign_bytes_never_stop_the_reader(mut bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Slots::decode(&bytes);
            if let Some(first) = bytes.first_mut() {
                *first = SLOTS_VERSION;
            }
            let _ = Slots::decode(&bytes);
        }
    }

    /// Bytes written by the first version; they have to be read for ever.
    #[test]
    fn the_first_version_is_still_read() {
        let stored = b"\x01\x04\xa4\x01\x03new\x62\x50\xeb\x03\x00\x00\x00\x00\x00\x20\x30\x40\xc1\x04";
        let mut expected = Slots::new();
        expected.set_text(Field::DeviceState, "new");
        expected.set_int(Field::UserLogins, 40);
        expected.set_float(Field::AddressFamiliarity, 16.125);
        expected.set_bool(Field::TravelComparable, true);
        assert_eq!(Slots::decode(stored), Ok(expected));
    }

    #[test]
    fn a_field_that_is_gone_is_skipped() {
        // Number 8,000 was never declared: a text, then a known field.
        let stored = b"\x01\x02\x84\xf4\x03\x02hi\x62\x02";
        let slots = Slots::decode(stored).unwrap();
        assert_eq!(slots.get(Field::UserLogins), &Slot::Int(1));
    }

    #[test]
    fn damage_is_told_apart() {
        assert_eq!(Slots::decode(b""), Err(DecodeError::Truncated));
        assert_eq!(Slots::decode(b"\x07\x00"), Err(DecodeError::UnknownVersion(7)));
        assert_eq!(Slots::decode(b"\x01\x00\x00"), Err(DecodeError::TrailingBytes));
        assert_eq!(Slots::decode(b"\x01\x01\x61"), Err(DecodeError::WrongType(12)));
        assert_eq!(Slots::decode(b"\x01\x01\x67"), Err(DecodeError::Damaged));
    }
}
