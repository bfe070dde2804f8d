//! The counters across users as bytes (clause S7): chunks of at most 64 KiB, each readable by itself, and back.
//!
//! A chunk is a version, a section, and entries in ascending order of their keys, each key as the distance to the one
//! before. Cells that hold nothing cost nothing. Reading gives counters that are equal to those written, ages and
//! generations included; damaged bytes, missing chunks and other limits give an error, never a panic.

use thiserror::Error;

use super::codec::CodecError;
use super::crowd::{Crowd, CrowdLimits};
use super::wire::{Reader, Writer};

/// The version that is written.
pub const VERSION: u8 = 1;

/// A chunk takes no further entry from here on. The largest entry has about 12 KiB.
const CHUNK_FULL: usize = 48 * 1024;

/// Why chunks are no counters of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ImageError {
    /// The counters were kept under other limits, so their cells mean other keys.
    #[error("it was kept with {name} = {found}, and now {configured} is configured")]
    OtherLimits {
        /// Name of the limit.
        name: &'static str,
        /// In the image.
        found: u64,
        /// In force.
        configured: u64,
    },
    /// Damaged, cut short, or newer.
    #[error(transparent)]
    Codec(#[from] CodecError),
}

/// What the entries of a chunk are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Section {
    /// Limits; the first chunk.
    Limits = 0,
    /// Totals by tenant.
    Tenants = 1,
    /// Logins by tenant and network.
    Networks = 2,
    /// Lines of the sketch.
    Sketch = 3,
    /// Lines of the windows.
    Windows = 4,
    /// When the generations of users changed.
    Rotation = 5,
    /// Users of the young generation.
    Young = 6,
    /// Users of the old one.
    Old = 7,
    /// How many entries there were; the last chunk.
    End = 8,
}

impl Section {
    const ALL: [Self; 9] = [
        Self::Limits,
        Self::Tenants,
        Self::Networks,
        Self::Sketch,
        Self::Windows,
        Self::Rotation,
        Self::Young,
        Self::Old,
        Self::End,
    ];

    fn of(code: u8) -> Result<Self, CodecError> {
        let known = Self::ALL.get(usize::from(code)).copied();
        known.ok_or(CodecError::Damaged("section of an image"))
    }
}

/// Fills chunks with entries.
pub(super) struct Chunks {
    full: Vec<Vec<u8>>,
    open: Writer,
    section: Section,
    key: u64,
    entries: u64,
}

impl Chunks {
    fn new() -> Self {
        Self {
            full: Vec::new(),
            open: Writer::default(),
            section: Section::Limits,
            key: 0,
            entries: 0,
        }
    }

    /// What follows belongs to `section`; its keys start again from 0.
    pub(super) fn section(&mut self, section: Section) {
        self.close();
        self.section = section;
    }

    /// Where the entry of a key is written; keys of a section never fall.
    pub(super) fn entry(&mut self, key: u64) -> &mut Writer {
        if self.open.len() >= CHUNK_FULL {
            self.close();
        }
        if self.open.len() == 0 {
            self.open.byte(VERSION);
            self.open.byte(self.section as u8);
        }
        self.open.number(key.wrapping_sub(self.key));
        self.key = key;
        self.entries += 1;
        &mut self.open
    }

    fn close(&mut self) {
        if self.open.len() > 0 {
            self.full.push(std::mem::take(&mut self.open).finish());
        }
        self.key = 0;
    }

    fn finish(mut self) -> Vec<Vec<u8>> {
        self.section(Section::End);
        let entries = self.entries;
        self.entry(0).number(entries);
        self.close();
        self.full
    }
}

/// Reads the entries of one chunk.
pub(super) struct Entries<'a> {
    reader: Reader<'a>,
    key: u64,
    read: u64,
}

impl<'a> Entries<'a> {
    /// The next entry's key, and where its value is read; `None` at the end of the chunk.
    pub(super) fn next(&mut self) -> Result<Option<(u64, &mut Reader<'a>)>, CodecError> {
        if self.reader.is_empty() {
            return Ok(None);
        }
        let step = self.reader.number()?;
        let key = self.key.checked_add(step);
        self.key = key.ok_or(CodecError::Damaged("key of an image"))?;
        self.read += 1;
        Ok(Some((self.key, &mut self.reader)))
    }

    /// The next entry's key as an index.
    pub(super) fn next_index(&mut self) -> Result<Option<(usize, &mut Reader<'a>)>, CodecError> {
        let Some((key, reader)) = self.next()? else {
            return Ok(None);
        };
        let index = usize::try_from(key).map_err(|_| CodecError::Damaged("index of an image"))?;
        Ok(Some((index, reader)))
    }
}

/// The counters as chunks; equal counters give equal bytes.
#[must_use]
pub fn encode(crowd: &Crowd) -> Vec<Vec<u8>> {
    let mut chunks = Chunks::new();
    let limits = chunks.entry(0);
    for (_, limit) in named(crowd.limits()) {
        limits.number(limit);
    }
    crowd.write(&mut chunks);
    chunks.finish()
}

/// Reads all chunks of an image, in any order but for the first and the last.
///
/// # Errors
/// [`ImageError::OtherLimits`] when it was kept under other limits than `limits`; [`ImageError::Codec`] when chunks are
/// damaged or missing.
pub fn decode<B: AsRef<[u8]>>(limits: CrowdLimits, chunks: &[B]) -> Result<Crowd, ImageError> {
    let mut chunks = chunks.iter().map(AsRef::as_ref);
    let (section, mut entries) = open(chunks.next().ok_or(CodecError::Short)?)?;
    if section != Section::Limits {
        return Err(CodecError::Damaged("first chunk of an image").into());
    }
    check_limits(limits, &mut entries)?;
    let mut crowd = Crowd::new(limits);
    let mut read = entries.read;
    for chunk in chunks.by_ref() {
        let (section, mut entries) = open(chunk)?;
        match section {
            Section::Limits => return Err(CodecError::Damaged("second beginning of an image").into()),
            Section::End => {
                check_end(&mut entries, read)?;
                return match chunks.next() {
                    Some(_) => Err(CodecError::Damaged("chunks after the end of an image").into()),
                    None => Ok(crowd),
                };
            }
            section => crowd.read(section, &mut entries)?,
        }
        read += entries.read;
    }
    Err(CodecError::Short.into())
}

fn open(chunk: &[u8]) -> Result<(Section, Entries<'_>), CodecError> {
    let mut reader = Reader::new(chunk);
    let found = reader.byte()?;
    if found != VERSION {
        return Err(CodecError::Newer {
            found,
            known: VERSION,
        });
    }
    let section = Section::of(reader.byte()?)?;
    let entries = Entries {
        reader,
        key: 0,
        read: 0,
    };
    Ok((section, entries))
}

fn check_limits(limits: CrowdLimits, entries: &mut Entries<'_>) -> Result<(), ImageError> {
    let (_, reader) = entries.next()?.ok_or(CodecError::Short)?;
    for (name, configured) in named(limits) {
        let found = reader.number()?;
        if found != configured {
            return Err(ImageError::OtherLimits {
                name,
                found,
                configured,
            });
        }
    }
    nothing_left(entries)
}

fn check_end(entries: &mut Entries<'_>, read: u64) -> Result<(), ImageError> {
    let (_, reader) = entries.next()?.ok_or(CodecError::Short)?;
    if reader.number()? != read {
        return Err(CodecError::Damaged("chunks of an image are missing").into());
    }
    nothing_left(entries)
}

fn nothing_left(entries: &mut Entries<'_>) -> Result<(), ImageError> {
    match entries.next()? {
        Some(_) => Err(CodecError::Damaged("entry of an image").into()),
        None => Ok(()),
    }
}

/// All limits with the names under which they are told.
fn named(limits: CrowdLimits) -> [(&'static str, u64); 7] {
    [
        ("crowd.sketch_lines", limits.sketch_lines as u64),
        ("crowd.keys_max", limits.window_keys as u64),
        ("user_keys_max", limits.user_keys_max as u64),
        ("users_max", limits.users_max as u64),
        ("crowd.users_per_key_max", limits.users_per_key_max as u64),
        ("networks_max", limits.networks_max as u64),
        ("tenants_max", limits.tenants_max as u64),
    ]
}
