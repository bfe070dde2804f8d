//! A count-min sketch (Cormode, Muthukrishnan, 2005) with conservative update (Estan, Varghese, 2002), blocked: all
//! cells of a key lie in one 64-byte line, so that a count costs one cache miss.
//!
//! It never counts too little. It counts too much where keys share all four of their cells; with one cell for every
//! counted key and level that is rare, and memory never grows.

use super::codec::CodecError;
use super::crowd_image::{Chunks, Entries, Section};

const CELLS_PER_LINE: usize = 16;
const CELLS_PER_KEY: u32 = 4;

/// Counts of hashed keys in fixed memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sketch {
    lines: Vec<Line>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(align(64))]
struct Line([u32; CELLS_PER_LINE]);

impl Sketch {
    /// With this many lines of 64 bytes, rounded up to a power of two.
    pub(super) fn new(lines: usize) -> Self {
        Self {
            lines: vec![Line([0; CELLS_PER_LINE]); lines.max(1).next_power_of_two()],
        }
    }

    /// How often a key was counted, at least.
    pub(super) fn count(&self, key: u64) -> u64 {
        let line = self.lines.get(self.line_of(key));
        line.map_or(0, |line| u64::from(line.least(key)))
    }

    /// Counts a key once more; returns the count before.
    pub(super) fn add(&mut self, key: u64) -> u64 {
        let at = self.line_of(key);
        let Some(line) = self.lines.get_mut(at) else {
            return 0;
        };
        let before = line.least(key);
        let after = before.saturating_add(1);
        for cell in cells_of(key) {
            if let Some(cell) = line.0.get_mut(cell) {
                *cell = (*cell).max(after);
            }
        }
        u64::from(before)
    }

    /// The lines that hold a count: which cells, then their counts.
    pub(super) fn write(&self, chunks: &mut Chunks) {
        chunks.section(Section::Sketch);
        for (index, line) in (0u64..).zip(&self.lines) {
            let set = bits_of(&line.0);
            if set != 0 {
                let out = chunks.entry(index);
                out.number(set);
                for count in line.0.iter().filter(|count| **count > 0) {
                    out.number((*count).into());
                }
            }
        }
    }

    pub(super) fn read(&mut self, entries: &mut Entries<'_>) -> Result<(), CodecError> {
        while let Some((index, reader)) = entries.next_index()? {
            let line = self.lines.get_mut(index);
            let line = line.filter(|line| bits_of(&line.0) == 0);
            let line = line.ok_or(CodecError::Damaged("line of the sketch"))?;
            let set = reader.narrow::<u16>("cells of the sketch")?;
            for (bit, cell) in line.0.iter_mut().enumerate() {
                if set >> bit & 1 == 1 {
                    *cell = reader.narrow("count of the sketch")?;
                }
            }
        }
        Ok(())
    }

    fn line_of(&self, key: u64) -> usize {
        (key >> 16) as usize & (self.lines.len() - 1)
    }
}

/// A bit for every cell that is not 0.
fn bits_of(cells: &[u32; CELLS_PER_LINE]) -> u64 {
    let bits = cells.iter().enumerate();
    bits.fold(0, |set, (bit, count)| set | u64::from(*count > 0) << bit)
}

impl Line {
    fn least(&self, key: u64) -> u32 {
        let counts = cells_of(key).filter_map(|cell| self.0.get(cell));
        counts.copied().min().unwrap_or(0)
    }
}

/// Four cells, one in each quarter of the line, from the low bits of the key.
fn cells_of(key: u64) -> impl Iterator<Item = usize> {
    (0..CELLS_PER_KEY).map(move |row| ((row * 4) as usize) | ((key >> (row * 2)) & 3) as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::crowd::mix;
    use std::collections::BTreeMap;

    #[test]
    fn it_never_counts_too_little_and_rarely_too_much() {
        let mut sketch = Sketch::new(1 << 10);
        let mut exact = BTreeMap::new();
        for step in 0u64..20_000 {
            let key = mix(step % 3_000, 1);
            assert_eq!(sketch.count(key), sketch.add(key));
            *exact.entry(key).or_insert(0u64) += 1;
        }
        let wrong = exact.iter().filter(|(key, count)| {
            assert!(sketch.count(**key) >= **count);
            sketch.count(**key) > **count
        });
        assert!(
            wrong.count() < 600,
            "more than a fifth of 3,000 keys is counted too high"
        );
    }
}
