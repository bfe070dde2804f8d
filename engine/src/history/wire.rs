//! Numbers and text as bytes: LEB128 varints, zigzag for signed ones, lengths before text.

use super::codec::CodecError;

/// Appends to a row.
#[derive(Debug, Default)]
pub(super) struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(bytes),
        }
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.bytes
    }

    pub(super) const fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn byte(&mut self, value: u8) {
        self.bytes.push(value);
    }

    pub(super) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(super) fn number(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    /// The first `count` of some bytes. Copying all of them and cutting is cheaper than a copy of unknown length.
    pub(super) fn first_of<const N: usize>(&mut self, bytes: [u8; N], count: usize) {
        let end = self.bytes.len() + count;
        self.bytes.extend_from_slice(&bytes);
        self.bytes.truncate(end);
    }

    pub(super) fn signed(&mut self, value: i64) {
        self.number(((value << 1) ^ (value >> 63)) as u64);
    }

    /// How far before `base` a time is; exact for any two.
    pub(super) fn time(&mut self, value: i64, base: i64) {
        self.signed(base.wrapping_sub(value));
    }

    /// The low `count` bytes of a number, 1 to 8, the most significant first.
    pub(super) fn low_bytes(&mut self, value: u64, count: usize) {
        let unused = 64usize.saturating_sub(8 * count);
        self.first_of((value << (unused & 63)).to_be_bytes(), count);
    }

    pub(super) fn wide(&mut self, value: u128) {
        self.raw(&value.to_be_bytes());
    }

    pub(super) fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.raw(text.as_bytes());
    }
}

/// Reads a row; nothing it is given makes it panic.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(super) fn byte(&mut self) -> Result<u8, CodecError> {
        let (first, rest) = self.bytes.split_first().ok_or(CodecError::Short)?;
        self.bytes = rest;
        Ok(*first)
    }

    pub(super) fn raw(&mut self, count: usize) -> Result<&'a [u8], CodecError> {
        let (taken, rest) = self.bytes.split_at_checked(count).ok_or(CodecError::Short)?;
        self.bytes = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], CodecError> {
        let (taken, rest) = self.bytes.split_first_chunk::<N>().ok_or(CodecError::Short)?;
        self.bytes = rest;
        Ok(*taken)
    }

    pub(super) fn number(&mut self) -> Result<u64, CodecError> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let part = u64::from(byte & 0x7f);
            if shift == 63 && byte > 1 {
                break;
            }
            value |= part << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(CodecError::Damaged("number"))
    }

    pub(super) fn narrow<T: TryFrom<u64>>(&mut self, what: &'static str) -> Result<T, CodecError> {
        T::try_from(self.number()?).map_err(|_| CodecError::Damaged(what))
    }

    pub(super) fn signed(&mut self) -> Result<i64, CodecError> {
        let value = self.number()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    pub(super) fn time(&mut self, base: i64) -> Result<i64, CodecError> {
        Ok(base.wrapping_sub(self.signed()?))
    }

    /// A number of `count` bytes, 1 to 8, the most significant first.
    pub(super) fn low_bytes(&mut self, count: usize) -> Result<u64, CodecError> {
        let (taken, rest) = self.bytes.split_at_checked(count).ok_or(CodecError::Short)?;
        let value = match self.bytes.first_chunk::<8>() {
            Some(eight) => u64::from_be_bytes(*eight) >> (64usize.saturating_sub(8 * count) & 63),
            None => taken
                .iter()
                .fold(0, |sum: u64, byte| (sum << 8) | u64::from(*byte)),
        };
        self.bytes = rest;
        Ok(value)
    }

    pub(super) fn wide(&mut self) -> Result<u128, CodecError> {
        Ok(u128::from_be_bytes(self.array()?))
    }

    pub(super) fn text(&mut self) -> Result<&'a str, CodecError> {
        let length = self.narrow::<usize>("length of a text")?;
        std::str::from_utf8(self.raw(length)?).map_err(|_| CodecError::Damaged("text"))
    }

    /// A count of things, refused above `max`.
    pub(super) fn count(&mut self, max: usize, what: &'static str) -> Result<usize, CodecError> {
        let count = self.narrow::<usize>(what)?;
        if count > max {
            Err(CodecError::Damaged(what))
        } else {
            Ok(count)
        }
    }

    /// An index into a list of `length`.
    pub(super) fn index(&mut self, length: usize, what: &'static str) -> Result<u8, CodecError> {
        let index = self.byte()?;
        if usize::from(index) < length {
            Ok(index)
        } else {
            Err(CodecError::Damaged(what))
        }
    }
}
