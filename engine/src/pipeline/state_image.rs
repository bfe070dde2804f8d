//! The image of the state behind an erasure: from here the journal folds again, as what stood in the erased records can
//! no longer be folded (clauses S7 and S13).
//!
//! In it are the rows that later records change: histories, failures, attempts, timers, mailboxes, and the counters
//! across users. Decisions, alerts and dead letters never change, so those before it are read where they are. Its rows
//! are written first, without the user; the row of table `meta` that names it is part of the commit that erases, and
//! rows that nobody names are removed. It goes when the journal behind it goes.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::pipeline::crowd_image;
use crate::pipeline::journal;
use crate::pipeline::keys;
use crate::pipeline::ports::{Batch, Change, Keyspace, Row, Seq, Store, StoreError};
use crate::pipeline::row_bytes::{self, bad};
use crate::pipeline::versions;

const VERSION: u8 = 1;
/// Key in table `meta` of the row that names the image.
const NAMED: &[u8] = b"state/image";
const PAGE: usize = 4_096;
/// Rows that later records change.
const CHANGING: [Keyspace; 5] = [
    Keyspace::User,
    Keyspace::Failures,
    Keyspace::Attempt,
    Keyspace::Timer,
    Keyspace::Mailbox,
];

/// Table, key and value of a row.
pub type TableRow = (Keyspace, Vec<u8>, Vec<u8>);

/// The row that names an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateImage {
    /// Everything up to this record is in it.
    pub seq: Seq,
    rows: u64,
    sha256: [u8; 32],
}

impl StateImage {
    /// The image of a store, if it has one.
    ///
    /// # Errors
    /// When the store fails, or the row does not decode.
    pub fn read(store: &dyn Store) -> Result<Option<Self>, StoreError> {
        let row = store.load_many(Keyspace::Meta, &[NAMED.to_vec()])?.pop();
        row.flatten()
            .map(|row| row_bytes::decode(Keyspace::Meta, VERSION, &row))
            .transpose()
    }

    /// Writes the rows of an image that will be named at `seq`, without those that `is_left_out` names, and with
    /// `more`: rows as they will be at `seq`.
    ///
    /// # Errors
    /// When the store fails.
    pub fn write(
        store: &dyn Store,
        seq: Seq,
        is_left_out: impl Fn(Keyspace, &[u8]) -> bool,
        more: impl Iterator<Item = TableRow>,
    ) -> Result<Self, StoreError> {
        let mut writer = Writer::new(store, seq)?;
        for keyspace in CHANGING {
            each_page(store, keyspace, &[], |page| {
                let kept = page.into_iter().filter(|row| !is_left_out(keyspace, &row.key));
                kept.for_each(|row| writer.add(keyspace, &row.key, row.value));
                writer.commit()
            })?;
        }
        for (keyspace, key, value) in more {
            writer.add(keyspace, &key, value);
        }
        writer.commit()?;
        let mut sum = Sum::default();
        each_page(store, Keyspace::Image, &keys::seq(seq), |page| {
            page.iter().for_each(|row| sum.add(row));
            Ok(())
        })?;
        Ok(sum.image(seq))
    }

    /// The row that names it.
    ///
    /// # Errors
    /// As [`row_bytes::encode`].
    pub fn change(&self) -> Result<Change, StoreError> {
        Ok(Change {
            keyspace: Keyspace::Meta,
            key: NAMED.to_vec(),
            value: Some(row_bytes::encode(Keyspace::Meta, VERSION, self)?),
        })
    }

    /// The row that says that there is none.
    #[must_use]
    pub fn removal() -> Change {
        Change {
            keyspace: Keyspace::Meta,
            key: NAMED.to_vec(),
            value: None,
        }
    }

    /// Puts the state behind `seq` into an empty store.
    ///
    /// # Errors
    /// When a store fails, or the image is not what was written.
    pub fn load(&self, store: &dyn Store, into: &dyn Store) -> Result<(), StoreError> {
        let mut sum = Sum::default();
        each_page(store, Keyspace::Image, &keys::seq(self.seq), |page| {
            let mut batch = Batch::default();
            for row in page {
                sum.add(&row);
                let Some((keyspace, key)) = keys::read_image_row(&row.key).and_then(in_table) else {
                    return Err(bad(Keyspace::Image, "it is of no table that is known".into()));
                };
                batch.put(keyspace, key.to_vec(), row.value);
            }
            into.commit(batch).map(drop)
        })?;
        if sum.image(self.seq) != *self {
            return Err(bad(
                Keyspace::Image,
                "its rows are not those that were written".into(),
            ));
        }
        self.copy_unchanging(store, into)?;
        into.commit(Batch {
            new_head: self.seq,
            ..Batch::default()
        })
        .map(drop)
    }

    fn copy_unchanging(&self, store: &dyn Store, into: &dyn Store) -> Result<(), StoreError> {
        for keyspace in [
            Keyspace::Decided,
            Keyspace::Decision,
            Keyspace::ByUser,
            Keyspace::Alert,
            Keyspace::Dead,
            Keyspace::Erased,
        ] {
            each_page(store, keyspace, &[], |page| {
                let mut batch = Batch::default();
                for row in page {
                    if position(keyspace, &row).is_some_and(|seq| seq <= self.seq) {
                        batch.put(keyspace, row.key, row.value);
                    }
                }
                into.commit(batch).map(drop)
            })?;
        }
        Ok(())
    }
}

/// The record that a row belongs to.
fn position(keyspace: Keyspace, row: &Row) -> Option<Seq> {
    match keyspace {
        Keyspace::Decision => keys::read_seq(&row.value),
        Keyspace::ByUser => keys::read_by_user(&row.key),
        Keyspace::Dead if row.key.starts_with(keys::dead_prefix()) => keys::read_dead(&row.key),
        Keyspace::Dead => keys::read_seq(&row.value),
        Keyspace::Erased if row.key.starts_with(keys::erased_prefix()) => {
            keys::read_erased(&row.key).map(|(seq, _)| seq)
        }
        Keyspace::Erased => keys::read_seq(&row.value),
        _ => keys::read_seq(&row.key),
    }
}

fn in_table((table, key): (u8, &[u8])) -> Option<(Keyspace, &[u8])> {
    let keyspace = Keyspace::ALL.get(usize::from(table))?;
    Some((*keyspace, key))
}

/// Rows that say where a state goes on: what is in force, and the last record that a door gave.
///
/// # Errors
/// When the store fails, or a row does not decode.
pub fn bearings(store: &dyn Store) -> Result<Vec<TableRow>, StoreError> {
    let mut rows = Vec::new();
    if let Some(Change {
        keyspace,
        key,
        value: Some(value),
    }) = versions::Current::read(store)?
        .map(|current| current.change())
        .transpose()?
    {
        rows.push((keyspace, key, value));
    }
    let mut limit = 64;
    loop {
        let last = store.scan_back(Keyspace::Journal, &[], limit)?;
        let read = last.len();
        for row in last {
            let mut record = journal::decode(&row.value)?;
            if record.body.is_from_door() {
                // Only where it stands and when it was is needed.
                record.body = record.body.erased();
                rows.push((Keyspace::Journal, row.key, journal::encode(&record, 0)?));
                return Ok(rows);
            }
        }
        if read < limit {
            return Ok(rows);
        }
        limit *= 8;
    }
}

/// The rows of a snapshot of the counters, as an image of them has them.
///
/// # Errors
/// Only if a row cannot be encoded at all.
pub fn counters(
    snapshot: &crowd_image::Snapshot,
) -> Result<impl Iterator<Item = TableRow> + use<>, StoreError> {
    let (chunks, named) = crowd_image::rows(snapshot)?;
    let Row { key, value } = named;
    let seq = snapshot.seq;
    let chunks = (0..)
        .zip(chunks)
        .map(move |(number, chunk)| (Keyspace::Crowd, keys::crowd_chunk(seq, number), chunk));
    Ok(chunks.chain(std::iter::once((Keyspace::Meta, key, value))))
}

/// Removes rows that no image names, in steps.
///
/// # Errors
/// When the store fails.
pub fn remove_unnamed(store: &dyn Store) -> Result<(), StoreError> {
    let named = StateImage::read(store)?.map(|image| image.seq);
    let head = store.head()?;
    let mut from = Vec::new();
    loop {
        let page = store.scan(Keyspace::Image, &[], &from, PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        from.clone_from(&last.key);
        from.push(0);
        let mut batch = Batch {
            expected_head: head,
            new_head: head,
            changes: Vec::new(),
        };
        for row in page {
            let seq = keys::read_seq(&row.key);
            if seq.is_some() && seq == named {
                // What is named need not be read: what follows it is looked at next.
                from = keys::seq(seq.unwrap_or_default().saturating_add(1));
                break;
            }
            batch.delete(Keyspace::Image, row.key);
        }
        store.commit(batch)?;
    }
}

/// Writes rows in pages.
struct Writer<'a> {
    store: &'a dyn Store,
    seq: Seq,
    head: Seq,
    changes: Vec<Change>,
}

impl<'a> Writer<'a> {
    fn new(store: &'a dyn Store, seq: Seq) -> Result<Self, StoreError> {
        Ok(Self {
            store,
            seq,
            head: store.head()?,
            changes: Vec::new(),
        })
    }

    fn add(&mut self, keyspace: Keyspace, key: &[u8], value: Vec<u8>) {
        let key = keys::image_row(self.seq, keyspace as u8, key);
        self.changes.push(Change {
            keyspace: Keyspace::Image,
            key,
            value: Some(value),
        });
    }

    fn commit(&mut self) -> Result<(), StoreError> {
        let batch = Batch {
            expected_head: self.head,
            new_head: self.head,
            changes: std::mem::take(&mut self.changes),
        };
        self.store.commit(batch).map(drop)
    }
}

/// Number and digest of rows in the order of their keys.
#[derive(Default)]
struct Sum {
    rows: u64,
    hash: Sha256,
}

impl Sum {
    fn add(&mut self, row: &Row) {
        self.rows += 1;
        for part in [&row.key, &row.value] {
            self.hash.update((part.len() as u64).to_be_bytes());
            self.hash.update(part);
        }
    }

    fn image(self, seq: Seq) -> StateImage {
        StateImage {
            seq,
            rows: self.rows,
            sha256: self.hash.finalize().into(),
        }
    }
}

fn each_page(
    store: &dyn Store,
    keyspace: Keyspace,
    prefix: &[u8],
    mut each: impl FnMut(Vec<Row>) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut from = prefix.to_vec();
    loop {
        let page = store.scan(keyspace, prefix, &from, PAGE)?;
        let Some(last) = page.last() else { return Ok(()) };
        from.clone_from(&last.key);
        from.push(0);
        each(page)?;
    }
}
