//! Rows that the deciding thread keeps decoded. Rows changed since the last commit are pinned, and so are those that
//! the lines at hand need; a result never depends on what happens to be in here (a test runs with capacity 1).
//!
//! Two generations, each of half the capacity: what was not used while so many other rows were is forgotten. No order of a hash map reaches
//! anybody, for only whole unpinned rows are dropped.

use std::collections::hash_map::Entry;

use foldhash::HashMap;

/// A row and the batch that changed it last.
#[derive(Debug)]
struct Kept<V> {
    /// `None` while it is borrowed out.
    value: Option<V>,
    dirty: bool,
    /// Whether the store will have a row when all that was drained is on disk. Taken to have one where nobody knows.
    stored: bool,
    batch: u64,
    /// The last group of lines that needs it.
    needed: u64,
    /// The generation in which it was used last.
    generation: u64,
}

/// Decoded rows by key. Large values belong behind a pointer: they move when the table grows.
#[derive(Debug)]
pub struct RowCache<V> {
    rows: HashMap<Vec<u8>, Kept<V>>,
    /// How many rows are of the present generation.
    young: usize,
    generation: u64,
    /// Rows of one generation.
    capacity: usize,
    /// Size at which the young become the old: half the capacity, or more while more are pinned.
    age_at: usize,
    committed: u64,
    group: u64,
    changed: Vec<Vec<u8>>,
    /// Filled for the group at hand alone.
    passing: Vec<Vec<u8>>,
}

impl<V> RowCache<V> {
    /// An empty cache of at most `capacity` rows, and those that an open batch pins.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self {
            rows: HashMap::default(),
            young: 0,
            generation: 0,
            capacity: capacity.div_ceil(2).max(1),
            age_at: capacity.div_ceil(2).max(1),
            committed: 0,
            group: 0,
            changed: Vec::new(),
            passing: Vec::new(),
        }
    }

    /// Begins with another group of lines: the rows that only the last one needed may be forgotten again, and those that
    /// were passing are, unless they changed.
    pub fn begin_group(&mut self) {
        self.group += 1;
        for key in self.passing.drain(..) {
            if let Entry::Occupied(entry) = self.rows.entry(key)
                && entry.get().batch == 0
            {
                let gone = entry.remove();
                self.young -= usize::from(gone.generation == self.generation);
            }
        }
    }

    /// Forgets all rows. None of them differs from the store.
    pub fn clear(&mut self) {
        self.rows.clear();
        self.young = 0;
        self.changed.clear();
    }

    /// Whether the row is here, be it as "there is none". If so, it stays until the next group of lines.
    pub fn need(&mut self, key: &[u8]) -> bool {
        let entry = self.rows.get_mut(key);
        entry.map(|entry| entry.needed = self.group).is_some()
    }

    /// Puts in what the store said, until the next group of lines at least. A row that is here already is newer and
    /// stays.
    pub fn fill(&mut self, key: Vec<u8>, value: V) {
        self.make_room();
        let (generation, group) = (self.generation, self.group);
        if let Entry::Vacant(gap) = self.rows.entry(key) {
            gap.insert(Kept {
                value: Some(value),
                dirty: false,
                stored: true,
                batch: 0,
                needed: group,
                generation,
            });
            self.young += 1;
        }
    }

    /// As [`RowCache::fill`], for a row that says "there is none": unless it changes, it is forgotten with its group.
    /// Else names that somebody invents would take the place of people's rows.
    pub fn fill_passing(&mut self, key: Vec<u8>, value: V) {
        self.passing.push(key.clone());
        self.fill_absent(key, value);
    }

    /// As [`RowCache::fill`], where the store has no row.
    pub fn fill_absent(&mut self, key: Vec<u8>, value: V) {
        let is_new = !self.rows.contains_key(&key);
        self.fill(key.clone(), value);
        if let Some(entry) = self.rows.get_mut(&key).filter(|_| is_new) {
            entry.stored = false;
        }
    }

    /// Reads a row.
    pub fn get(&mut self, key: &[u8]) -> Option<&V> {
        self.used(key)?.value.as_ref()
    }

    /// Reads a row in order to change it in batch `batch`: pins it and lists it for [`RowCache::drain_changed`].
    pub fn change(&mut self, key: &[u8], batch: u64) -> Option<&mut V> {
        let Self { rows, changed, .. } = self;
        let entry = rows.get_mut(key)?;
        pin(entry, key, batch, changed);
        entry.value.as_mut()
    }

    /// Moves a row out, for a change that needs the cache's owner as well. [`RowCache::give_back`] must follow.
    pub fn borrow_out(&mut self, key: &[u8]) -> Option<V> {
        self.used(key)?.value.take()
    }

    /// Puts back what was moved out; `batch` says in which batch it was changed, if it was.
    pub fn give_back(&mut self, key: &[u8], value: V, batch: Option<u64>) {
        let Self { rows, changed, .. } = self;
        let Some(entry) = rows.get_mut(key) else {
            self.fill(key.to_vec(), value);
            if let Some(batch) = batch {
                self.change(key, batch);
            }
            return;
        };
        entry.value = Some(value);
        if let Some(batch) = batch {
            pin(entry, key, batch, changed);
        }
    }

    /// Every row changed since the last call, once, in the order of their first change.
    pub fn drain_changed(&mut self, mut each: impl FnMut(&[u8], &mut V)) {
        self.drain_changed_in_store(|key, value, _| {
            each(key, value);
            true
        });
    }

    /// The same; says whether the store has the row, and is told whether it will have it: what came and went between two
    /// commits need not be removed.
    pub fn drain_changed_in_store(&mut self, mut each: impl FnMut(&[u8], &mut V, bool) -> bool) {
        for key in self.changed.drain(..) {
            if let Some(entry) = self.rows.get_mut(&key) {
                entry.dirty = false;
                if let Some(value) = &mut entry.value {
                    entry.stored = each(&key, value, entry.stored);
                }
            }
        }
    }

    /// Batch `batch` and all before it are on disk: their rows need no pin any more.
    pub fn committed(&mut self, batch: u64) {
        self.committed = batch;
    }

    /// The row, which is of the present generation from now on.
    fn used(&mut self, key: &[u8]) -> Option<&mut Kept<V>> {
        self.make_room();
        let entry = self.rows.get_mut(key)?;
        if entry.generation != self.generation {
            entry.generation = self.generation;
            self.young += 1;
        }
        Some(entry)
    }

    /// Begins another generation when the present one is full; what was in neither is forgotten.
    fn make_room(&mut self) {
        if self.young < self.age_at {
            return;
        }
        let (committed, group, generation) = (self.committed, self.group, self.generation);
        let mut pinned = 0;
        self.rows.retain(|_, entry| {
            let stays = entry.dirty || entry.batch > committed || entry.needed == group;
            let old = entry.generation != generation;
            pinned += usize::from(old && stays);
            !old || stays || entry.value.is_none()
        });
        self.generation += 1;
        self.young = 0;
        // Else every further row would look at all that are pinned once more.
        self.age_at = self.capacity.max(pinned);
    }
}

/// Notes that a row differs from the store.
fn pin<V>(entry: &mut Kept<V>, key: &[u8], batch: u64, changed: &mut Vec<Vec<u8>>) {
    if !entry.dirty {
        entry.dirty = true;
        changed.push(key.to_vec());
    }
    entry.batch = batch;
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
        assert!(!cache.rows.contains_key(&[0][..]));
        assert!(cache.rows.len() <= 5);
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
        assert!(cache.rows.len() < 60, "too little was forgotten");
    }

    #[test]
    fn a_row_that_says_there_is_none_is_forgotten_with_its_group_unless_it_changed() {
        let mut cache = RowCache::new(1_000);
        for number in 0..100 {
            cache.begin_group();
            cache.fill_passing(vec![number], 0);
            assert!(cache.need(&[number]));
            if number % 10 == 0 {
                *cache.change(&[number], 1).expect("filled") += 1;
            }
        }
        cache.begin_group();
        assert_eq!((cache.rows.len(), cache.young), (10, 10));
        assert!((0..100).all(|number| cache.need(&[number]) == (number % 10 == 0)));
        // One that is here already is somebody's.
        cache.fill(vec![1], 5);
        cache.fill_passing(vec![10], 7);
        cache.begin_group();
        assert_eq!(cache.get(&[1]), Some(&5));
        assert_eq!(cache.get(&[10]), Some(&1));
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
    fn what_the_store_has_is_known_as_far_as_it_was_told() {
        let mut cache = RowCache::new(4);
        cache.fill(vec![0], Some(1));
        cache.fill_absent(vec![1], Some(1));
        cache.fill_absent(vec![0], None);
        let drained = |cache: &mut RowCache<Option<i32>>| {
            let mut said = Vec::new();
            for key in [0, 1] {
                cache.change(&[key], 1).expect("filled");
            }
            cache.drain_changed_in_store(|_, value, stored| {
                said.push(stored);
                value.take().is_some()
            });
            said
        };
        assert_eq!(drained(&mut cache), [true, false]);
        assert_eq!(drained(&mut cache), [true, true]);
        assert_eq!(drained(&mut cache), [false, false]);
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
