//! Attempts, failures and successes of one key in the last 10 minutes, hour, day and week, in one 64-byte line.
//!
//! Each window has two buckets, the current one and the one before, aligned to the window. A read adds to the current
//! bucket the part of the earlier one that the sliding window still covers, as if its events were spread evenly: the
//! error is at most the count of the earlier bucket, and none if the earlier bucket is empty. Buckets of 10 minutes
//! and an hour stop at 65,535, those of a day and a week at 16,777,215.
//!
//! The table is set-associative with eight lines a set. Where a set is full, the line touched longest ago goes.

use super::codec::CodecError;
use super::crowd_image::{Chunks, Entries, Section};
use super::time::{DAY, HOUR, Seconds};
use super::wire::{Reader, Writer};

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Counter {
    Attempts = 0,
    Failures = 1,
    Successes = 2,
}

/// The windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    /// 10 minutes.
    Minutes10,
    /// An hour.
    Hour,
    /// A day.
    Day,
    /// A week.
    Week,
}

impl Window {
    /// Length in seconds.
    #[must_use]
    pub const fn length(self) -> Seconds {
        match self {
            Self::Minutes10 => 600,
            Self::Hour => HOUR,
            Self::Day => DAY,
            Self::Week => 7 * DAY,
        }
    }
}

/// Counts of one key in one window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WindowCounts {
    /// Tries.
    pub attempts: u32,
    /// Those that failed.
    pub failures: u32,
    /// Those that got in.
    pub successes: u32,
}

const WAYS: usize = 8;
const COUNTERS: usize = 3;
type Narrow = [[u16; COUNTERS]; 2];
type Wide = [[[u8; 3]; COUNTERS]; 2];

/// 64 bytes; the first bucket of each window is the current one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(align(64))]
struct Line {
    /// Number of the 10 minutes in which it was last touched.
    slot: u32,
    minutes10: Narrow,
    hour: Narrow,
    day: Wide,
    week: Wide,
}

impl Line {
    /// Moves the buckets on to a later slot; an earlier one changes nothing.
    fn advance(&mut self, slot: u32) {
        if slot <= self.slot {
            return;
        }
        let before = std::mem::replace(&mut self.slot, slot);
        shift(&mut self.minutes10, steps(before, slot, 1));
        shift(&mut self.hour, steps(before, slot, 6));
        shift(&mut self.day, steps(before, slot, 144));
        shift(&mut self.week, steps(before, slot, 1_008));
    }

    fn add(&mut self, counter: Counter) {
        let index = counter as usize;
        for buckets in [&mut self.minutes10, &mut self.hour] {
            if let Some(cell) = buckets[0].get_mut(index) {
                *cell = cell.saturating_add(1);
            }
        }
        for buckets in [&mut self.day, &mut self.week] {
            if let Some(cell) = buckets[0].get_mut(index) {
                *cell = to_24(from_24(*cell).saturating_add(1));
            }
        }
    }

    /// Its slot, which cells hold a count, and those.
    fn write(&self, out: &mut Writer) {
        let narrow = self.minutes10.iter().chain(&self.hour).flatten();
        let wide = self.day.iter().chain(&self.week).flatten();
        let counts = || {
            let narrow = narrow.clone().map(|count| u32::from(*count));
            narrow.chain(wide.clone().map(|count| from_24(*count)))
        };
        let bits = counts().enumerate();
        let set = bits.fold(0, |set, (bit, count)| set | u64::from(count > 0) << bit);
        out.number(self.slot.into());
        out.number(set);
        for count in counts().filter(|count| *count > 0) {
            out.number(count.into());
        }
    }

    fn decode(reader: &mut Reader<'_>) -> Result<Self, CodecError> {
        const WRONG: &str = "count of a window";
        let mut line = Self {
            slot: reader.narrow("slot of a window")?,
            ..Self::default()
        };
        let mut set = reader.narrow::<u32>("cells of a window")?;
        let mut next = || {
            let bit = set & 1;
            set >>= 1;
            bit == 1
        };
        for count in line.minutes10.iter_mut().chain(&mut line.hour).flatten() {
            if next() {
                *count = reader.narrow(WRONG)?;
            }
        }
        for count in line.day.iter_mut().chain(&mut line.week).flatten() {
            if next() {
                *count = to_24(reader.narrow(WRONG)?);
            }
        }
        Ok(line)
    }

    #[inline]
    fn read(&self, window: Window, now: Seconds) -> WindowCounts {
        let (mut buckets, slots) = match window {
            Window::Minutes10 => (narrow(&self.minutes10), 1),
            Window::Hour => (narrow(&self.hour), 6),
            Window::Day => (wide(&self.day), 144),
            Window::Week => (wide(&self.week), 1_008),
        };
        let slot = slot_of(now).max(self.slot);
        shift(&mut buckets, steps(self.slot, slot, slots));
        let [current, earlier] = buckets;
        let length = window.length() as u64;
        let covered = length - now.rem_euclid(window.length()) as u64;
        let part = |count: u32| (u64::from(count) * covered / length) as u32;
        let [attempts, failures, successes] = current;
        let [attempts_before, failures_before, successes_before] = earlier;
        WindowCounts {
            attempts: attempts + part(attempts_before),
            failures: failures + part(failures_before),
            successes: successes + part(successes_before),
        }
    }
}

fn steps(before: u32, after: u32, slots: u32) -> u32 {
    after / slots - before / slots
}

fn shift<T: Copy + Default>(buckets: &mut [T; 2], steps: u32) {
    *buckets = match steps {
        0 => return,
        1 => [T::default(), buckets[0]],
        _ => [T::default(); 2],
    };
}

#[inline]
fn narrow(buckets: &Narrow) -> [[u32; COUNTERS]; 2] {
    let [[a, b, c], [d, e, f]] = *buckets;
    [[a.into(), b.into(), c.into()], [d.into(), e.into(), f.into()]]
}

#[inline]
fn wide(buckets: &Wide) -> [[u32; COUNTERS]; 2] {
    let [[a, b, c], [d, e, f]] = *buckets;
    [
        [from_24(a), from_24(b), from_24(c)],
        [from_24(d), from_24(e), from_24(f)],
    ]
}

#[inline]
fn from_24(bytes: [u8; 3]) -> u32 {
    let [a, b, c] = bytes;
    u32::from_le_bytes([a, b, c, 0])
}

fn to_24(value: u32) -> [u8; 3] {
    let [a, b, c, _] = value.min(0x00ff_ffff).to_le_bytes();
    [a, b, c]
}

/// Windows of hashed keys in fixed memory: 72 bytes a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WindowTable {
    tags: Vec<[u64; WAYS]>,
    lines: Vec<[Line; WAYS]>,
}

impl WindowTable {
    /// For about this many keys, rounded up to a power of two of sets.
    pub(super) fn new(keys: usize) -> Self {
        let sets = keys.div_ceil(WAYS).max(1).next_power_of_two();
        Self {
            tags: vec![[0; WAYS]; sets],
            lines: vec![[Line::default(); WAYS]; sets],
        }
    }

    /// Counts in one window that ends at `now`.
    #[inline]
    pub(super) fn read(&self, key: u64, window: Window, now: Seconds) -> WindowCounts {
        let set = self.set_of(key);
        let way = self.tags.get(set).and_then(|tags| way_of(tags, key));
        let line = way.and_then(|way| self.lines.get(set)?.get(way));
        line.map_or_else(WindowCounts::default, |line| line.read(window, now))
    }

    /// Counts an event at `now`.
    pub(super) fn add(&mut self, key: u64, counters: impl Iterator<Item = Counter>, now: Seconds) {
        let set = self.set_of(key);
        let slot = slot_of(now);
        let (Some(tags), Some(lines)) = (self.tags.get_mut(set), self.lines.get_mut(set)) else {
            return;
        };
        let found = way_of(tags, key);
        let way = found.unwrap_or_else(|| way_for_new(tags, lines));
        let (Some(tag), Some(line)) = (tags.get_mut(way), lines.get_mut(way)) else {
            return;
        };
        if found.is_none() {
            *tag = key;
            *line = Line::default();
        }
        line.advance(slot);
        counters.for_each(|counter| line.add(counter));
    }

    /// The lines in use: place, key, counts.
    pub(super) fn write(&self, chunks: &mut Chunks) {
        chunks.section(Section::Windows);
        let lines = self.tags.iter().flatten().zip(self.lines.iter().flatten());
        for (place, (tag, line)) in (0u64..).zip(lines) {
            if *tag != 0 {
                let out = chunks.entry(place);
                out.low_bytes(*tag, 8);
                line.write(out);
            }
        }
    }

    pub(super) fn decode(&mut self, entries: &mut Entries<'_>) -> Result<(), CodecError> {
        while let Some((place, reader)) = entries.next_index()? {
            let key = reader.low_bytes(8)?;
            let read = Line::decode(reader)?;
            let (set, way) = (place / WAYS, place % WAYS);
            let belongs = key != 0 && self.set_of(key) == set;
            let tag = self.tags.get_mut(set).and_then(|tags| tags.get_mut(way));
            let line = self.lines.get_mut(set).and_then(|lines| lines.get_mut(way));
            match (tag, line) {
                (Some(tag), Some(line)) if belongs && *tag == 0 => (*tag, *line) = (key, read),
                _ => return Err(CodecError::Damaged("line of the windows")),
            }
        }
        Ok(())
    }

    fn set_of(&self, key: u64) -> usize {
        (key >> 20) as usize & (self.tags.len() - 1)
    }
}

fn way_of(tags: &[u64; WAYS], key: u64) -> Option<usize> {
    tags.iter().position(|tag| *tag == key)
}

/// A free way, or the one touched longest ago; the first of equals.
fn way_for_new(tags: &[u64; WAYS], lines: &[Line; WAYS]) -> usize {
    let age = |way: &usize| {
        let free = tags.get(*way) == Some(&0);
        (!free, lines.get(*way).map_or(0, |line| line.slot))
    };
    (0..WAYS).min_by_key(age).unwrap_or(0)
}

fn slot_of(now: Seconds) -> u32 {
    u32::try_from(now.div_euclid(600).max(0)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Seconds = 1_700_000_400;

    fn table_with(times: &[Seconds]) -> WindowTable {
        let mut table = WindowTable::new(64);
        for time in times {
            table.add(9, [Counter::Attempts, Counter::Failures].into_iter(), *time);
        }
        table
    }

    #[test]
    fn one_line_holds_all_windows_in_64_bytes() {
        assert_eq!(std::mem::size_of::<Line>(), 64);
    }

    #[test]
    fn a_burst_is_counted_in_every_window_and_leaves_each_in_its_time() {
        let start = NOW - NOW.rem_euclid(7 * DAY);
        let table = table_with(&[start; 5]);
        let failures = |window: Window, after: Seconds| table.read(9, window, start + after).failures;
        assert_eq!(failures(Window::Minutes10, 0), 5);
        assert_eq!(failures(Window::Minutes10, 1_200), 0);
        assert_eq!(failures(Window::Hour, 3_599), 5);
        assert_eq!(failures(Window::Hour, 2 * HOUR), 0);
        assert_eq!(failures(Window::Day, DAY + DAY / 2), 2);
        assert_eq!(failures(Window::Week, 13 * DAY), 0);
        assert_eq!(failures(Window::Week, 6 * DAY), 5);
    }

    #[test]
    fn a_full_set_forgets_the_key_touched_longest_ago() {
        let mut table = WindowTable::new(8);
        for key in 1..=9u64 {
            table.add(key, [Counter::Attempts].into_iter(), NOW + 600 * key as Seconds);
        }
        let attempts = |key| table.read(key, Window::Day, NOW + 6_000).attempts;
        assert_eq!(attempts(1), 0);
        assert_eq!((2..=9).map(attempts).sum::<u32>(), 8);
    }

    #[test]
    fn time_that_stands_still_or_goes_back_loses_nothing() {
        let table = table_with(&[NOW, NOW - 5_000, NOW]);
        assert_eq!(table.read(9, Window::Day, NOW).attempts, 3);
    }
}
