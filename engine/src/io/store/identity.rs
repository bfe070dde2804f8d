//! Who a store is: the rows that it writes about itself into table `meta`.
//!
//! `store/id` 16 random bytes; `store/kind` 0 real, 1 demo; `store/head` the last committed `seq`, 8 bytes, little
//! end first; `store/format/<table>` 2 bytes, little end first; `store/commit`, see [`CommitRow`]. Each value begins
//! with a version byte, 1. The id tells stores apart in logs and beside the store; it never enters a decision.

use crate::pipeline::ports::{Keyspace, Seq};
use std::collections::BTreeMap;
use std::fmt;
use std::hash::{BuildHasher, RandomState};

/// What a store is used for. One kind never opens the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreKind {
    /// Real logins.
    Real,
    /// The demo's made-up logins.
    Demo,
}

impl fmt::Display for StoreKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Real => "real logins",
            Self::Demo => "the demo",
        })
    }
}

/// What the rows about the store say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) id: [u8; 16],
    pub(super) kind: StoreKind,
    pub(super) head: Seq,
    /// Batches written so far; `None` for a store from before there was a head file.
    pub(super) commits: Option<u64>,
}

/// The row that is part of every batch, so that a batch can be told from the one before it and the one behind it:
/// store id 16, commits 8, head 8, bound 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CommitRow {
    pub(super) store: [u8; 16],
    /// Number of the batch in the life of the store, from 1.
    pub(super) commits: u64,
    pub(super) head: Seq,
    /// The engine's sequence number of the batch is this or larger.
    pub(super) seqno_from: u64,
}

impl CommitRow {
    pub(super) const BYTES: usize = 41;

    pub(super) fn value(&self) -> Vec<u8> {
        let mut payload = self.store.to_vec();
        for number in [self.commits, self.head, self.seqno_from] {
            payload.extend_from_slice(&number.to_le_bytes());
        }
        value(&payload)
    }

    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let (version, rest) = bytes.split_first()?;
        let (store, rest) = rest.split_first_chunk()?;
        let (commits, rest) = rest.split_first_chunk()?;
        let (head, rest) = rest.split_first_chunk()?;
        let row = Self {
            store: *store,
            commits: u64::from_le_bytes(*commits),
            head: u64::from_le_bytes(*head),
            seqno_from: u64::from_le_bytes(rest.try_into().ok()?),
        };
        (*version == VERSION).then_some(row)
    }
}

pub(super) const ID: &[u8] = b"store/id";
pub(super) const KIND: &[u8] = b"store/kind";
pub(super) const HEAD: &[u8] = b"store/head";
pub(super) const FORMAT: &[u8] = b"store/format/";
pub(super) const COMMIT: &[u8; 12] = b"store/commit";
const VERSION: u8 = 1;

/// Newest format of a table's keys and values that this program reads; it reads all older ones.
pub(super) const fn format_of(_: Keyspace) -> u16 {
    1
}

impl Identity {
    /// A new store's.
    pub(super) fn new(kind: StoreKind) -> Self {
        Self {
            id: random_id(),
            kind,
            head: 0,
            commits: Some(0),
        }
    }

    /// Reads the rows, or says what is wrong with them. `None`: there are none, the store is new.
    pub(super) fn read(rows: &BTreeMap<Vec<u8>, Vec<u8>>) -> Result<Option<Self>, String> {
        if rows.is_empty() {
            return Ok(None);
        }
        check_formats(rows)?;
        let kind = match payload::<1>(rows, KIND)? {
            [0] => StoreKind::Real,
            [1] => StoreKind::Demo,
            [other] => return Err(format!("it is of kind {other}, which this program does not know")),
        };
        Ok(Some(Self {
            id: payload(rows, ID)?,
            kind,
            head: u64::from_le_bytes(payload(rows, HEAD)?),
            commits: read_commits(rows)?,
        }))
    }

    /// The rows of a new store that no later batch changes.
    pub(super) fn rows(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let kind = match self.kind {
            StoreKind::Real => 0,
            StoreKind::Demo => 1,
        };
        vec![(ID.to_vec(), value(&self.id)), (KIND.to_vec(), value(&[kind]))]
    }
}

/// Value of the head row.
pub(super) fn head_value(head: Seq) -> Vec<u8> {
    value(&head.to_le_bytes())
}

/// Row that names a table's format.
pub(super) fn format_row(keyspace: Keyspace) -> (Vec<u8>, Vec<u8>) {
    let mut key = FORMAT.to_vec();
    key.extend_from_slice(keyspace.name().as_bytes());
    (key, value(&format_of(keyspace).to_le_bytes()))
}

fn value(payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![VERSION];
    bytes.extend_from_slice(payload);
    bytes
}

fn payload<const N: usize>(rows: &BTreeMap<Vec<u8>, Vec<u8>>, key: &[u8]) -> Result<[u8; N], String> {
    let name = String::from_utf8_lossy(key);
    match rows.get(key).map(Vec::as_slice) {
        Some([VERSION, payload @ ..]) => payload
            .try_into()
            .map_err(|_| format!("its row `{name}` has a wrong length: the store is damaged")),
        Some([version, ..]) => Err(format!(
            "its row `{name}` has version {version}, this program reads {VERSION}"
        )),
        _ => Err(format!("its row `{name}` is missing: the store is damaged")),
    }
}

fn read_commits(rows: &BTreeMap<Vec<u8>, Vec<u8>>) -> Result<Option<u64>, String> {
    if !rows.contains_key(COMMIT.as_slice()) {
        return Ok(None);
    }
    let bytes: [u8; CommitRow::BYTES - 1] = payload(rows, COMMIT)?;
    let row = CommitRow::read(&value(&bytes));
    Ok(row.map(|row| row.commits))
}

fn check_formats(rows: &BTreeMap<Vec<u8>, Vec<u8>>) -> Result<(), String> {
    for key in rows.keys() {
        let Some(name) = key.strip_prefix(FORMAT) else {
            continue;
        };
        let table = String::from_utf8_lossy(name);
        let Some(keyspace) = Keyspace::ALL
            .into_iter()
            .find(|keyspace| keyspace.name() == table)
        else {
            return Err(format!(
                "it has a table `{table}` that this program does not know: a newer version wrote it"
            ));
        };
        let found = u16::from_le_bytes(payload(rows, key)?);
        let known = format_of(keyspace);
        if found > known {
            return Err(format!(
                "table `{table}` has format {found}, this program reads up to {known}: a newer version wrote it"
            ));
        }
    }
    Ok(())
}

/// 128 bits from the keys that the standard library draws from the system for its hash tables.
fn random_id() -> [u8; 16] {
    let half = || RandomState::new().hash_one("store id");
    let mut id = [0; 16];
    for (to, from) in id
        .iter_mut()
        .zip(half().to_le_bytes().into_iter().chain(half().to_le_bytes()))
    {
        *to = from;
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> BTreeMap<Vec<u8>, Vec<u8>> {
        let mut rows: BTreeMap<_, _> = Identity::new(StoreKind::Demo).rows().into_iter().collect();
        rows.insert(HEAD.to_vec(), head_value(0));
        rows.extend(Keyspace::ALL.map(format_row));
        rows
    }

    #[test]
    fn what_was_written_is_read() {
        let read = Identity::read(&rows()).unwrap().unwrap();
        assert_eq!((read.kind, read.head), (StoreKind::Demo, 0));
        assert_eq!(Identity::read(&BTreeMap::new()), Ok(None));
    }

    #[test]
    fn a_commit_row_is_read_as_it_was_written() {
        let row = CommitRow {
            store: [3; 16],
            commits: 9,
            head: 70_000,
            seqno_from: 12,
        };
        assert_eq!(row.value().len(), CommitRow::BYTES);
        assert_eq!(CommitRow::read(&row.value()), Some(row));
        let mut rows = rows();
        rows.insert(COMMIT.to_vec(), row.value());
        assert_eq!(Identity::read(&rows).unwrap().unwrap().commits, Some(9));
        rows.insert(COMMIT.to_vec(), vec![1, 2, 3]);
        assert!(Identity::read(&rows).unwrap_err().contains("store/commit"));
    }

    #[test]
    fn two_stores_have_two_ids() {
        assert_ne!(random_id(), random_id());
    }

    #[test]
    fn a_newer_format_is_refused_with_both_versions() {
        let mut rows = rows();
        rows.insert(b"store/format/user".to_vec(), vec![1, 7, 0]);
        let text = Identity::read(&rows).unwrap_err();
        assert!(
            text.contains("`user` has format 7") && text.contains("up to 1"),
            "{text}"
        );
    }

    #[test]
    fn a_table_of_a_newer_program_is_refused_by_name() {
        let mut rows = rows();
        rows.insert(b"store/format/weather".to_vec(), vec![1, 1, 0]);
        assert!(Identity::read(&rows).unwrap_err().contains("`weather`"));
    }

    #[test]
    fn damaged_rows_are_refused_by_name() {
        for (key, value) in [
            (ID, vec![1, 2]),
            (HEAD, vec![]),
            (HEAD, vec![9, 0]),
            (KIND, vec![1, 5]),
        ] {
            let mut rows = rows();
            rows.insert(key.to_vec(), value);
            assert!(Identity::read(&rows).is_err(), "{}", String::from_utf8_lossy(key));
        }
        let mut rows = rows();
        rows.remove(HEAD);
        assert!(Identity::read(&rows).unwrap_err().contains("store/head"));
    }
}
