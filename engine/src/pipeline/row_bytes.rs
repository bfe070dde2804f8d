//! Bytes of stored rows: a version, then postcard. A newer version is refused with both numbers, never guessed at.

use postcard::ser_flavors::Flavor;
use serde::{Serialize, de::DeserializeOwned};

use crate::pipeline::ports::{Keyspace, StoreError};

/// Bytes of most rows.
const USUAL_BYTES: usize = 512;

/// Writes a row.
///
/// # Errors
/// Only if the type cannot be serialised at all, which a test of each type would show.
pub fn encode<T: Serialize + ?Sized>(
    keyspace: Keyspace,
    version: u8,
    row: &T,
) -> Result<Vec<u8>, StoreError> {
    encode_sized(keyspace, version, row, USUAL_BYTES)
}

/// Writes a row of about `bytes` bytes: a hint, so that its memory is asked for once.
///
/// # Errors
/// As [`encode`].
pub fn encode_sized<T: Serialize + ?Sized>(
    keyspace: Keyspace,
    version: u8,
    row: &T,
    bytes: usize,
) -> Result<Vec<u8>, StoreError> {
    let mut out = Vec::with_capacity(bytes.saturating_add(1));
    out.push(version);
    postcard::serialize_with_flavor(row, Row(out)).map_err(|error| bad(keyspace, error.to_string()))
}

/// Where a row is written to; unlike the library's own, it copies texts at once and grows by one request.
struct Row(Vec<u8>);

impl Flavor for Row {
    type Output = Vec<u8>;

    #[inline]
    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }

    #[inline]
    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<Vec<u8>> {
        Ok(self.0)
    }
}

/// Reads a row of `version`.
///
/// # Errors
/// [`StoreError::BadRow`] for another version, for damaged bytes and for bytes left over.
pub fn decode<T: DeserializeOwned>(keyspace: Keyspace, version: u8, bytes: &[u8]) -> Result<T, StoreError> {
    let (found, body) = bytes
        .split_first()
        .ok_or_else(|| bad(keyspace, "it is empty".into()))?;
    if *found != version {
        return Err(bad(
            keyspace,
            format!("it has format {found}, and this program reads format {version}"),
        ));
    }
    match postcard::take_from_bytes(body) {
        Ok((row, [])) => Ok(row),
        Ok((_, rest)) => Err(bad(keyspace, format!("{} bytes are left over", rest.len()))),
        Err(error) => Err(bad(keyspace, format!("damaged: {error}"))),
    }
}

/// The error of a row that does not decode.
#[must_use]
pub fn bad(keyspace: Keyspace, reason: String) -> StoreError {
    StoreError::BadRow { keyspace, reason }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_round_trip_and_nothing_else_decodes() {
        let bytes = encode(Keyspace::Meta, 3, &(7_u32, "x".to_owned())).expect("plain types");
        assert_eq!(
            decode::<(u32, String)>(Keyspace::Meta, 3, &bytes).expect("own bytes"),
            (7, "x".into())
        );
        let newer = decode::<(u32, String)>(Keyspace::Meta, 2, &bytes).expect_err("another version");
        assert!(newer.to_string().contains("format 3") && newer.to_string().contains("format 2"));
        let mut long = bytes.clone();
        long.push(0);
        assert!(decode::<(u32, String)>(Keyspace::Meta, 3, &long).is_err());
        assert!(decode::<(u32, String)>(Keyspace::Meta, 3, &bytes[..2]).is_err());
        assert!(decode::<(u32, String)>(Keyspace::Meta, 3, &[]).is_err());
    }
}
