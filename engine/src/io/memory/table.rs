//! One table of the memory store, in one of two shapes.
//!
//! Rows that are looked up one by one lie in a hash table; a sorted list of their keys is made when somebody scans.
//! Rows that are written once and read in order, if at all, are appended to a list and sorted when somebody reads.
//! Either way a put costs no search through a tree, and hash order is never seen.

use crate::io::key_range::KeyRange;
use crate::pipeline::ports::{Keyspace, Row};
use foldhash::fast::RandomState;
use std::collections::{BTreeMap, HashMap};
use std::ops::{Bound, RangeBounds};

/// Rows of one keyspace.
pub(super) enum Table {
    Points(Points),
    Log(Log),
}

/// Rows looked up by key.
#[derive(Default)]
pub(super) struct Points {
    rows: HashMap<Vec<u8>, Vec<u8>, RandomState>,
    /// Sorted keys of `rows`, unless `unsorted`.
    keys: Vec<Vec<u8>>,
    unsorted: bool,
}

/// Rows appended and seldom read.
#[derive(Default)]
pub(super) struct Log {
    sorted: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Changes since `sorted` was last read, oldest first.
    recent: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl Table {
    /// The shape that suits how the pipeline uses `keyspace`.
    pub(super) fn new(keyspace: Keyspace) -> Self {
        match keyspace {
            Keyspace::Journal | Keyspace::Decided | Keyspace::ByUser | Keyspace::Alert | Keyspace::Dead => {
                Self::Log(Log::default())
            }
            _ => Self::Points(Points::default()),
        }
    }

    pub(super) fn change(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) {
        match self {
            Self::Points(points) => points.change(key, value),
            Self::Log(log) => log.recent.push((key, value)),
        }
    }

    /// Whether [`Table::get`] sees everything.
    pub(super) fn can_get(&self) -> bool {
        match self {
            Self::Points(_) => true,
            Self::Log(log) => log.recent.is_empty(),
        }
    }

    /// Whether [`Table::range`] sees everything.
    pub(super) fn can_scan(&self) -> bool {
        match self {
            Self::Points(points) => !points.unsorted,
            Self::Log(log) => log.recent.is_empty(),
        }
    }

    /// Makes [`Table::get`] and [`Table::range`] see everything.
    pub(super) fn sort(&mut self) {
        match self {
            Self::Points(points) => points.sort(),
            Self::Log(log) => log.sort(),
        }
    }

    pub(super) fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        match self {
            Self::Points(points) => points.rows.get(key).cloned(),
            Self::Log(log) => log.sorted.get(key).cloned(),
        }
    }

    /// The first rows of `range`, or the last ones in falling order if `back`.
    pub(super) fn range(&self, range: KeyRange, back: bool, limit: usize) -> Vec<Row> {
        match self {
            Self::Points(points) => take(points.range(&range), back, limit),
            Self::Log(log) => take(log.sorted.range(range), back, limit),
        }
    }
}

impl Points {
    fn change(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) {
        match value {
            Some(value) => match self.rows.entry(key) {
                std::collections::hash_map::Entry::Occupied(mut row) => {
                    row.insert(value);
                }
                std::collections::hash_map::Entry::Vacant(gap) => {
                    gap.insert(value);
                    self.unsorted = true;
                }
            },
            None => self.unsorted |= self.rows.remove(&key).is_some(),
        }
    }

    fn sort(&mut self) {
        if self.unsorted {
            self.keys = self.rows.keys().cloned().collect();
            self.keys.sort_unstable();
            self.unsorted = false;
        }
    }

    fn range<'a>(
        &'a self,
        range: &KeyRange,
    ) -> impl DoubleEndedIterator<Item = (&'a Vec<u8>, &'a Vec<u8>)> + use<'a> {
        let start = match range.start_bound() {
            Bound::Included(lower) => self.keys.partition_point(|key| key < lower),
            Bound::Excluded(lower) => self.keys.partition_point(|key| key <= lower),
            Bound::Unbounded => 0,
        };
        let end = match range.end_bound() {
            Bound::Included(upper) => self.keys.partition_point(|key| key <= upper),
            Bound::Excluded(upper) => self.keys.partition_point(|key| key < upper),
            Bound::Unbounded => self.keys.len(),
        };
        let keys = self.keys.get(start..end).unwrap_or_default();
        keys.iter().filter_map(|key| self.rows.get_key_value(key))
    }
}

impl Log {
    fn sort(&mut self) {
        for (key, value) in self.recent.drain(..) {
            match value {
                Some(value) => self.sorted.insert(key, value),
                None => self.sorted.remove(&key),
            };
        }
    }
}

fn take<'a>(
    rows: impl DoubleEndedIterator<Item = (&'a Vec<u8>, &'a Vec<u8>)>,
    back: bool,
    limit: usize,
) -> Vec<Row> {
    let row = |(key, value): (&Vec<u8>, &Vec<u8>)| Row {
        key: key.clone(),
        value: value.clone(),
    };
    if back {
        rows.rev().take(limit).map(row).collect()
    } else {
        rows.take(limit).map(row).collect()
    }
}
