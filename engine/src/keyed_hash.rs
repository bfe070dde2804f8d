//! Keyed hashes of values that senders choose, so that nobody can aim at a collision.
//!
//! SipHash-1-3 (Aumasson and Bernstein, 2012). The key comes from the configuration and not from the store, so that
//! two stores with one configuration decide alike. Not for secrets: tokens and ids of decisions use SHA-256.

use std::hash::Hasher as _;

use siphasher::sip::SipHasher13;
use siphasher::sip128::SipHasher13 as SipHasher13x128;

/// Kinds of values, so that equal texts of different kinds have different hashes. Stored: never reuse a number.
pub mod domain {
    /// `device.id`.
    pub const DEVICE_ID: u8 = 1;
    /// Thumbprint of a device-bound key.
    pub const DEVICE_KEY: u8 = 2;
    /// Full text of the user agent.
    pub const AGENT: u8 = 3;
    /// All device attributes in the order of their names.
    pub const ATTRIBUTES: u8 = 4;
    /// Browser family and operating system.
    pub const SOFTWARE: u8 = 5;
    /// Address of a client.
    pub const ADDRESS: u8 = 7;
}

/// A 128-bit key and the two widths of hash made with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyedHash {
    k0: u64,
    k1: u64,
}

impl KeyedHash {
    /// From the 16 bytes of `security.hash_key`.
    #[must_use]
    pub fn new(key: [u8; 16]) -> Self {
        let (low, high) = key.split_at(8);
        let word = |part: &[u8]| {
            part.iter()
                .rev()
                .fold(0, |sum: u64, byte| (sum << 8) | u64::from(*byte))
        };
        Self {
            k0: word(low),
            k1: word(high),
        }
    }

    /// 64 bits, for counters where a collision only blurs a count. `domain` keeps kinds of values apart.
    #[must_use]
    pub fn short(&self, domain: u8, parts: &[&[u8]]) -> u64 {
        let hasher = SipHasher13::new_with_keys(self.k0, self.k1);
        with_bytes(domain, parts, |bytes| hasher.hash(bytes))
    }

    /// 64 bits of numbers and then texts, for counters: less work than [`KeyedHash::short`]. Each domain has its own count
    /// of numbers, and where it has several texts the lengths of all but the last are among them.
    #[must_use]
    #[inline]
    pub fn counter(&self, domain: u8, numbers: &[u64], texts: &[&str]) -> u64 {
        let mut hasher = SipHasher13::new_with_keys(self.k0, self.k1);
        hasher.write_u64(domain.into());
        numbers.iter().for_each(|number| hasher.write_u64(*number));
        texts.iter().for_each(|text| hasher.write(text.as_bytes()));
        hasher.finish()
    }

    /// Hash of an application's device id, also where a factor says which device it lives on.
    #[must_use]
    pub fn device_id(&self, id: &str) -> u128 {
        self.wide(domain::DEVICE_ID, &[id.as_bytes()])
    }

    /// 128 bits, where equality decides something.
    #[must_use]
    pub fn wide(&self, domain: u8, parts: &[&[u8]]) -> u128 {
        let hasher = SipHasher13x128::new_with_keys(self.k0, self.k1);
        with_bytes(domain, parts, |bytes| hasher.hash(bytes).as_u128())
    }
}

/// Values up to so many bytes with their lengths are hashed without asking for memory.
const ON_STACK: usize = 192;

/// Domain and parts in a row, every part preceded by its length, so that `ab`, `c` and `a`, `bc` differ. One piece is
/// hashed in half the time of many.
fn with_bytes<T>(domain: u8, parts: &[&[u8]], hash: impl Fn(&[u8]) -> T) -> T {
    let mut on_stack = [domain; ON_STACK];
    let mut length = 1;
    for part in parts {
        let end = length + 8 + part.len();
        let room = on_stack.get_mut(length..end);
        let Some((size, value)) = room.and_then(|room| room.split_first_chunk_mut::<8>()) else {
            return hash(&in_a_row(domain, parts));
        };
        *size = (part.len() as u64).to_le_bytes();
        value.copy_from_slice(part);
        length = end;
    }
    hash(on_stack.get(..length).unwrap_or_default())
}

#[cold]
fn in_a_row(domain: u8, parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(parts.iter().fold(1, |sum, part| sum + 8 + part.len()));
    bytes.push(domain);
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u64).to_le_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_do_not_run_into_each_other() {
        let hash = KeyedHash::new([7; 16]);
        assert_ne!(hash.wide(1, &[b"ab", b"c"]), hash.wide(1, &[b"a", b"bc"]));
        assert_ne!(hash.short(1, &[b"a"]), hash.short(2, &[b"a"]));
    }

    /// Rows in stores hold these hashes: they must never change.
    #[test]
    fn hashes_are_those_of_one_stream() {
        let long = [7_u8; 300];
        for parts in [&[b"a".as_slice(), b"bc"][..], &[&long]] {
            let mut hasher = SipHasher13::new_with_keys(0x0707_0707_0707_0707, 0x0707_0707_0707_0707);
            hasher.write(&[3]);
            for part in parts {
                hasher.write(&(part.len() as u64).to_le_bytes());
                hasher.write(part);
            }
            assert_eq!(KeyedHash::new([7; 16]).short(3, parts), hasher.finish());
        }
    }

    #[test]
    fn the_key_changes_every_hash() {
        assert_ne!(
            KeyedHash::new([7; 16]).short(1, &[b"a"]),
            KeyedHash::new([8; 16]).short(1, &[b"a"])
        );
    }
}
