//! `[security]`: the key of the hashes over values that senders choose.

use std::fmt;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::kind::{Kind, SettingValue};
use super::raw::Raw;
use super::section::section;

/// The key that the built-in defaults carry. Everybody can read it, so it protects nobody.
const PUBLISHED: [u8; 16] = [
    0xd0, 0x02, 0x3a, 0x2d, 0x5f, 0x1c, 0x4e, 0x88, 0x9b, 0x60, 0x71, 0xe4, 0x3d, 0xaa, 0x56, 0x0f,
];

/// 16 secret bytes. Never shown: not by `Debug`, not by `config show`; in the configuration's hash only as SHA-256.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct HashKey([u8; 16]);

impl HashKey {
    /// From 16 bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes, for [`crate::keyed_hash::KeyedHash::new`] only.
    #[must_use]
    pub const fn reveal(&self) -> [u8; 16] {
        self.0
    }

    /// Whether this is the key of the built-in defaults, with which an attacker can aim at collisions.
    #[must_use]
    pub fn is_published(&self) -> bool {
        self.0 == PUBLISHED
    }
}

impl fmt::Debug for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashKey(secret)")
    }
}

impl SettingValue for HashKey {
    fn toml(&self) -> Option<String> {
        None
    }

    fn canonical(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(b"doorward security.hash_key\0");
        hash.update(self.0);
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

struct HexKey;

impl Kind for HexKey {
    type Value = HashKey;

    fn parse(&self, raw: &Raw, _: &Path) -> Option<HashKey> {
        let Raw::Text(text) = raw else { return None };
        let digits = text.as_bytes();
        if digits.len() != 32 || !digits.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        let number = u128::from_str_radix(text, 16).ok()?;
        Some(HashKey(number.to_be_bytes()))
    }

    fn allowed(&self) -> String {
        "32 hexadecimal digits, or `{ file = \"...\" }` or `{ env = \"...\" }` where they stand".to_owned()
    }

    fn secret(&self) -> bool {
        true
    }
}

section! {
    /// Secrets.
    SecuritySettings in "security" {
        /// Key of the hashes over values that senders choose.
        hash_key: HashKey = HexKey, decides Yes;
    }
}
