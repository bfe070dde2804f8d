//! Keys of the tables (clause S13): tenant first, every part of known length, numbers big-endian so that byte order
//! is their order.

use crate::pipeline::ports::Seq;
use crate::risk::decision::Id;

/// How the user's id stands in a key. One byte, so that pseudonyms can come later without new tables.
const PLAIN_ID: u8 = 0;
/// Attempts that carry an id of the application's.
const NAMED_ATTEMPT: u8 = b'a';
/// Attempts of one user without an id.
const UNNAMED_ATTEMPTS: u8 = b'u';
/// Dead letters by id.
const DEAD_BY_ID: u8 = 0;
/// Dead letters by `seq`.
const DEAD_BY_SEQ: u8 = 1;
/// Erased ids.
const ERASED_BY_ID: u8 = 0;
/// The same by `seq`.
const ERASED_BY_SEQ: u8 = 1;

/// Key of the tables whose key is a journal position.
#[must_use]
pub fn seq(seq: Seq) -> Vec<u8> {
    seq.to_be_bytes().to_vec()
}

/// Reads back what [`seq`] wrote; also the position at the start of a longer key.
#[must_use]
pub fn read_seq(key: &[u8]) -> Option<Seq> {
    key.first_chunk().map(|bytes| Seq::from_be_bytes(*bytes))
}

/// Bytes of [`user`] before the user's id, beside those of the tenant: two lengths and the kind of id.
pub const BEFORE_USER: usize = 5;

/// Key of a user's rows. Tenant and user are at most 256 bytes each, by `event::Limits`.
#[must_use]
pub fn user(tenant: &str, user: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(tenant.len() + user.len() + 13);
    push(&mut key, tenant);
    key.push(PLAIN_ID);
    push(&mut key, user);
    key
}

/// Key of one event of a user, in order of `seq`; [`user`] is its prefix.
#[must_use]
pub fn by_user(tenant: &str, user_id: &str, seq: Seq) -> Vec<u8> {
    let mut key = user(tenant, user_id);
    key.extend_from_slice(&seq.to_be_bytes());
    key
}

/// Position in a key made by [`by_user`].
#[must_use]
pub fn read_by_user(key: &[u8]) -> Option<Seq> {
    key.last_chunk().map(|bytes| Seq::from_be_bytes(*bytes))
}

/// Key of an attempt that the application named.
#[must_use]
pub fn attempt(tenant: &str, attempt: &str) -> Vec<u8> {
    tagged(tenant, NAMED_ATTEMPT, attempt)
}

/// Prefix of the keys of all attempts of a tenant that the application named.
#[must_use]
pub fn named_attempts(tenant: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(tenant.len() + 3);
    push(&mut key, tenant);
    key.push(NAMED_ATTEMPT);
    key
}

/// Key of the open attempts without an id of the user whose [`user`] key is `row`.
#[must_use]
pub fn unnamed_attempts_of(row: &[u8], tenant_bytes: usize) -> Vec<u8> {
    let mut key = row.to_vec();
    if let Some(tag) = key.get_mut(tenant_bytes + 2) {
        *tag = UNNAMED_ATTEMPTS;
    }
    key
}

/// Key of a decision's position. The id is a digest over the tenant, so tenants cannot meet.
#[must_use]
pub fn decision(id: Id) -> Vec<u8> {
    id.0.to_vec()
}

/// Key of a dead letter's position.
#[must_use]
pub fn dead_by_id(id: &[u8; 32]) -> Vec<u8> {
    let mut key = vec![DEAD_BY_ID];
    key.extend_from_slice(id);
    key
}

/// Key of a dead letter, in order of `seq`.
#[must_use]
pub fn dead_by_seq(seq: Seq) -> Vec<u8> {
    let mut key = vec![DEAD_BY_SEQ];
    key.extend_from_slice(&seq.to_be_bytes());
    key
}

/// Prefix of all keys made by [`dead_by_id`]; the id is their end.
#[must_use]
pub const fn dead_id_prefix() -> &'static [u8] {
    &[DEAD_BY_ID]
}

/// Prefix of all keys made by [`dead_by_seq`].
#[must_use]
pub const fn dead_prefix() -> &'static [u8] {
    &[DEAD_BY_SEQ]
}

/// Position in a key made by [`dead_by_seq`].
#[must_use]
pub fn read_dead(key: &[u8]) -> Option<Seq> {
    read_by_user(key)
}

/// Key of what was erased, by the keyed hash of its id.
#[must_use]
pub fn erased_by_id(hash: u128) -> Vec<u8> {
    let mut key = vec![ERASED_BY_ID];
    key.extend_from_slice(&hash.to_be_bytes());
    key
}

/// Key of what was erased, in order of `seq`.
#[must_use]
pub fn erased_by_seq(seq: Seq, hash: u128) -> Vec<u8> {
    let mut key = vec![ERASED_BY_SEQ];
    key.extend_from_slice(&seq.to_be_bytes());
    key.extend_from_slice(&hash.to_be_bytes());
    key
}

/// Prefix of all keys made by [`erased_by_seq`].
#[must_use]
pub const fn erased_prefix() -> &'static [u8] {
    &[ERASED_BY_SEQ]
}

/// Position and hash in a key made by [`erased_by_seq`].
#[must_use]
pub fn read_erased(key: &[u8]) -> Option<(Seq, u128)> {
    let (_, rest) = key.split_first()?;
    let (seq, rest) = rest.split_first_chunk()?;
    let hash = rest.first_chunk()?;
    Some((Seq::from_be_bytes(*seq), u128::from_be_bytes(*hash)))
}

/// Key of one row of the image of the state behind the record `seq`.
#[must_use]
pub fn image_row(seq: Seq, table: u8, row_key: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(9 + row_key.len());
    key.extend_from_slice(&seq.to_be_bytes());
    key.push(table);
    key.extend_from_slice(row_key);
    key
}

/// Table and key of a row in an image.
#[must_use]
pub fn read_image_row(key: &[u8]) -> Option<(u8, &[u8])> {
    let (_, rest) = key.split_first_chunk::<8>()?;
    rest.split_first().map(|(table, key)| (*table, key))
}

/// Key of one chunk of the image of the counters at a position.
#[must_use]
pub fn crowd_chunk(seq: Seq, number: u32) -> Vec<u8> {
    let mut key = seq.to_be_bytes().to_vec();
    key.extend_from_slice(&number.to_be_bytes());
    key
}

/// Key of the `index`-th alert that the record at `seq` raised.
#[must_use]
pub fn alert(seq: Seq, index: u16) -> Vec<u8> {
    let mut key = seq.to_be_bytes().to_vec();
    key.extend_from_slice(&index.to_be_bytes());
    key
}

/// Tenant, tag and name in a key of a user or an attempt, for messages.
#[must_use]
pub fn read_tagged(key: &[u8]) -> Option<(&str, u8, &str)> {
    let (tenant, rest) = pull(key)?;
    let (tag, rest) = rest.split_first()?;
    let (name, _) = pull(rest)?;
    Some((tenant, *tag, name))
}

/// Whether a key of table `attempt` holds the attempts of a user that have no id.
#[must_use]
pub fn is_unnamed_attempts(key: &[u8]) -> bool {
    read_tagged(key).is_some_and(|(_, tag, _)| tag == UNNAMED_ATTEMPTS)
}

fn pull(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    let (text, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
    Some((std::str::from_utf8(text).ok()?, rest))
}

fn tagged(tenant: &str, tag: u8, text: &str) -> Vec<u8> {
    let mut key = Vec::with_capacity(tenant.len() + text.len() + 5);
    push(&mut key, tenant);
    key.push(tag);
    push(&mut key, text);
    key
}

/// Key of a timer: in order of `due`, then kind, then what it is about.
#[must_use]
pub fn timer(due: i64, kind: u8, about: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(9 + about.len());
    // The sign bit turned round, so that times before the epoch come first.
    key.extend_from_slice(&(due ^ i64::MIN).to_be_bytes());
    key.push(kind);
    key.extend_from_slice(about);
    key
}

/// Reads back what [`timer`] wrote.
#[must_use]
pub fn read_timer(key: &[u8]) -> Option<(i64, u8, &[u8])> {
    let (due, rest) = key.split_first_chunk()?;
    let (kind, about) = rest.split_first()?;
    Some((i64::from_be_bytes(*due) ^ i64::MIN, *kind, about))
}

fn push(key: &mut Vec<u8>, text: &str) {
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    key.extend_from_slice(&length.to_be_bytes());
    key.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_tenants_never_share_a_key() {
        assert_ne!(user("a", "bc"), user("ab", "c"));
        assert_ne!(attempt("a", "x"), unnamed_attempts_of(&user("a", "x"), 1));
    }

    #[test]
    fn names_read_back_from_a_users_key() {
        let key = crate::pipeline::user_rows::UserKey::of_row(&user("ten", "anna")).expect("a key");
        assert_eq!(key.names(), ("ten".into(), "anna".into()));
    }

    #[test]
    fn one_users_key_is_no_prefix_of_anothers() {
        assert!(!user("a", "anna2").starts_with(&user("a", "anna")));
        assert!(by_user("a", "anna", 7).starts_with(&user("a", "anna")));
    }

    #[test]
    fn positions_sort_as_numbers_and_read_back() {
        assert!(seq(255) < seq(256));
        assert_eq!(read_seq(&seq(77)), Some(77));
        assert_eq!(read_by_user(&by_user("t", "u", 9)), Some(9));
        assert_eq!(read_dead(&dead_by_seq(12)), Some(12));
        assert_eq!(read_seq(&[1, 2]), None);
    }

    #[test]
    fn a_key_tells_its_tenant_and_its_name() {
        assert_eq!(
            read_tagged(&by_user("shop", "anna", 3)),
            Some(("shop", PLAIN_ID, "anna"))
        );
        assert_eq!(read_tagged(&user("shop", "anna")[..8]), None);
        assert!(is_unnamed_attempts(&unnamed_attempts_of(
            &user("shop", "anna"),
            4
        )));
        assert!(!is_unnamed_attempts(&attempt("shop", "login-1")));
    }
}
