//! Rows that the deciding thread keeps decoded. Rows changed since the last commit are pinned, and so are those that
//! the lines at hand need; a result never depends on what happens to be in here (a test runs with capacity 1).
//!
//! Two generations: what was not used while `capacity` other rows were is forgotten. No order of a hash map reaches
//! anybody, for only whole unpinned rows are dropped.

use foldhash::HashMap;

/// A row and the batch that changed it last.
#[derive(Debug)]
struct Entry<V> {
    value: V,
    dirty: bool,
    batch: u64,
    /// The last group of lines that needs it.
    needed: u64,
}

/// Decoded rows by key.
#[derive(Debug)]
pub struct RowCache<V> {
    young: HashMap<Vec<u8>, Entry<V>>,
    old: HashMap<Vec<u8>, Entry<V>>,
    capacity: usize,
    /// Size at which the young become the old: the capacity, or more while more are pinned.
    age_at: usize,
    committed: u64,
    group: u64,
    changed: Vec<Vec<u8>>,
}

impl<V> RowCache<V> {
    /// An empty cache of about `capacity` rows, and those that an open batch pins.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            young: HashMap::default(),
            old: HashMap::default(),
            capacity: capacity.max(1),
            age_at: capacity.max(1),
            committed: 0,
            group: 0,
            changed: Vec::new(),
        }
    }

    /// Begins with another group of lines: the rows that only the last one needed may be forgotten again.
    pub fn begin_group(&mut self) {
        self.group += 1;
    }

    /// Forgets all rows. None of them differs from the store.
    pub fn clear(&mut self) {
        self.young.clear();
        self.old.clear();
        self.changed.clear();
    }

    /// Whether the row is here, be it as "there is none". If so, it stays until the next group of lines.
    pub fn need(&mut self, key: &[u8]) -> bool {
        let group = self.group;
        let entry = match self.young.get_mut(key) {
            Some(entry) => Some(entry),
            None => self.old.get_mut(key),
        };
        entry.map(|entry| entry.needed = group).is_some()
    }

    fn contains(&self, key: &[u8]) -> bool {
        self.young.contains_key(key) || self.old.contains_key(key)
    }

    /// Puts in what the store said, until the next group of lines at least. A row that is here already is newer and
    /// stays.
    pub fn fill(&mut self, key: Vec<u8>, value: V) {
        if !self.contains(&key) {
            self.insert(
                key,
                Entry {
                    value,
                    dirty: false,
                    batch: 0,
                    needed: self.group,
                },
            );
        }
    }

    /// Reads a row.
    pub fn get(&mut self, key: &[u8]) -> Option<&V> {
        self.rejuvenate(key);
        self.young.get(key).map(|entry| &entry.value)
    }

    /// Reads a row in order to change it in batch `batch`: pins it and lists it for [`RowCache::drain_changed`].
    pub fn change(&mut self, key: &[u8], batch: u64) -> Option<&mut V> {
        self.rejuvenate(key);
        let entry = self.young.get_mut(key)?;
        if !entry.dirty {
            entry.dirty = true;
            self.changed.push(key.to_vec());
        }
        entry.batch = batch;
        Some(&mut entry.value)
    }

    /// Moves a row out, for a change that needs the cache's owner as well. [`RowCache::give_back`] must follow.
    pub fn borrow_out(&mut self, key: &[u8]) -> Option<V>
    where
        V: Default,
    {
        self.rejuvenate(key);
        self.young
            .get_mut(key)
            .map(|entry| std::mem::take(&mut entry.value))
    }

    /// Puts back what was moved out; `batch` says in which batch it was changed, if it was.
    pub fn give_back(&mut self, key: &[u8], value: V, batch: Option<u64>) {
        if !self.contains(key) {
            self.insert(
                key.to_vec(),
                Entry {
                    value,
                    dirty: false,
                    batch: 0,
                    needed: self.group,
                },
            );
        } else if let Some(entry) = self.young.get_mut(key) {
            entry.value = value;
        }
        if let Some(batch) = batch {
            self.change(key, batch);
        }
    }

    /// Every row changed since the last call, once, in the order of their first change.
    pub fn drain_changed(&mut self, mut each: impl FnMut(&[u8], &mut V)) {
        for key in std::mem::take(&mut self.changed) {
            let entry = match self.young.get_mut(&key) {
                Some(entry) => Some(entry),
                None => self.old.get_mut(&key),
            };
            if let Some(entry) = entry {
                entry.dirty = false;
                each(&key, &mut entry.value);
            }
        }
    }

    /// Batch `batch` and all before it are on disk: their rows need no pin any more.
    pub fn committed(&mut self, batch: u64) {
        self.committed = batch;
    }

    fn rejuvenate(&mut self, key: &[u8]) {
        if self.young.contains_key(key) {
            return;
        }
        if let Some((key, entry)) = self.old.remove_entry(key) {
            self.insert(key, entry);
        }
    }

    fn insert(&mut self, key: Vec<u8>, entry: Entry<V>) {
        if self.young.len() >= self.age_at {
            self.age();
        }
        self.young.insert(key, entry);
    }

    fn age(&mut self) {
        let (committed, group) = (self.committed, self.group);
        let pinned = |entry: &Entry<V>| entry.dirty || entry.batch > committed || entry.needed == group;
        let mut before = std::mem::replace(&mut self.old, std::mem::take(&mut self.young));
        before.retain(|_, entry| pinned(entry));
        // Else every further row would move all that are pinned once more.
        self.age_at = self.capacity.max(before.len());
        self.old.extend(before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_an_open_batch_are_never_forgotten() {
        let mut cache = RowCache::new(1);
        cache.fill(vec![0], 10);
        *cache.change(&[0], 1).expect("filled") += 1;
        for other in 1..50 {
            cache.fill(vec![other], 0);
        }
        assert_eq!(cache.get(&[0]), Some(&11));
    }

    #[test]
    fn committed_rows_are_forgotten_when_others_are_used() {
        let mut cache = RowCache::new(2);
        cache.fill(vec![0], 10);
        cache.change(&[0], 1);
        cache.drain_changed(|_, _| {});
        cache.committed(1);
        for other in 1..50 {
            cache.begin_group();
            cache.fill(vec![other], 0);
        }
        assert!(!cache.contains(&[0]));
        assert!(cache.young.len() + cache.old.len() <= 5);
    }

    #[test]
    fn what_the_lines_at_hand_need_is_never_forgotten() {
        let mut cache = RowCache::new(1);
        cache.fill(vec![0], 10);
        cache.begin_group();
        assert!(cache.need(&[0]) && !cache.need(&[1]));
        for other in 1..50 {
            cache.fill(vec![other], other);
        }
        assert!((1..50).all(|other| cache.get(&[other]) == Some(&other)));
        assert_eq!(cache.get(&[0]), Some(&10));
        for other in 100..250 {
            cache.begin_group();
            cache.fill(vec![other], other);
        }
        assert!(
            cache.young.len() + cache.old.len() < 60,
            "too little was forgotten"
        );
    }

    #[test]
    fn a_row_changed_twice_is_written_once_with_its_last_value() {
        let mut cache = RowCache::new(4);
        cache.fill(vec![0], 1);
        *cache.change(&[0], 1).expect("filled") = 2;
        *cache.change(&[0], 1).expect("filled") = 3;
        let mut written = Vec::new();
        cache.drain_changed(|key, value| written.push((key.to_vec(), *value)));
        assert_eq!(written, [(vec![0], 3)]);
        cache.drain_changed(|_, _| panic!("nothing changed since"));
    }

    #[test]
    fn what_the_store_said_never_replaces_a_newer_row() {
        let mut cache = RowCache::new(4);
        cache.fill(vec![0], 1);
        *cache.change(&[0], 1).expect("filled") = 2;
        cache.fill(vec![0], 1);
        assert_eq!(cache.get(&[0]), Some(&2));
    }
}
