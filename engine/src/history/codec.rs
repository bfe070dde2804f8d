//! A user's row as bytes. The first byte is the version of the format; a newer one is refused with both numbers.
//!
//! Times are stored as seconds before the latest granted login, networks and countries of recent logins once each,
//! flags together. Decoding what was encoded gives an equal row; damaged bytes give an error, never a panic.
//! Measured: an empty profile 8 bytes; two devices in three networks with 60 logins about 600 (a test prints it).

use thiserror::Error;

use super::limits::{
    COUNTRY_CELLS_MAX, DEVICES_MAX, FINE_CELLS_MAX, PAIRS_MAX, PLACES_MAX, PREFIX_CELLS_MAX, RECENT_MAX,
};
use super::network_key::{CellLevel, NetworkKey};
use super::software_name::SoftwareName;
use super::time::{Seconds, SettlingDays, Span};
use super::trust::{Credit, Credits, Maturing};
use super::user_history::{Cell, Device, Generation, KnownPlace, Pair, RecentLogin, Seen, UserHistory};
use super::weight::Weight;
use super::wire::{Reader, Writer};
use super::{codec_place, codec_profile};

/// The version that is written.
pub const VERSION: u8 = 1;

/// Why bytes are no row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CodecError {
    /// Written by a newer version.
    #[error("row has format {found}, this program reads up to {known}")]
    Newer {
        /// In the row.
        found: u8,
        /// The newest this program reads.
        known: u8,
    },
    /// The bytes end too early.
    #[error("row is cut short")]
    Short,
    /// Something in it cannot be.
    #[error("row is damaged: {0}")]
    Damaged(&'static str),
}

const LAPSED: u8 = 1;
const HAS_LAST_PLACE: u8 = 2;
const HAS_GRANTED: u8 = 4;

/// Encodes a row.
#[must_use]
pub fn encode(history: &UserHistory) -> Vec<u8> {
    let mut out = Writer::with_capacity(640);
    out.byte(VERSION);
    out.byte(
        flag(history.lapsed, LAPSED)
            | flag(history.last_place.is_some(), HAS_LAST_PLACE)
            | flag(history.granted.span.is_some(), HAS_GRANTED),
    );
    out.number(history.granted.count);
    let base = match history.granted.span {
        Some(span) => {
            out.signed(span.last);
            out.time(span.first, span.last);
            span.last
        }
        None => 0,
    };
    codec_profile::write(&mut out, &history.profile, base);
    if let Some(last) = &history.last_place {
        codec_place::write(&mut out, last, base);
    }
    out.number(history.devices.len() as u64);
    for device in &history.devices {
        write_device(&mut out, device, base);
    }
    out.number(history.pairs.len() as u64);
    for pair in &history.pairs {
        write_pair(&mut out, pair, base);
    }
    write_cells(&mut out, history, base);
    write_recent(&mut out, &history.recent, base);
    out.finish()
}

/// Decodes a row.
///
/// # Errors
/// [`CodecError`] says whether the row is from a newer version, cut short, or damaged.
pub fn decode(bytes: &[u8]) -> Result<UserHistory, CodecError> {
    let mut input = Reader::new(bytes);
    check_version(&mut input)?;
    let flags = input.byte()?;
    let mut history = UserHistory {
        lapsed: flags & LAPSED != 0,
        ..UserHistory::default()
    };
    history.granted.count = input.number()?;
    let mut base = 0;
    if flags & HAS_GRANTED != 0 {
        base = input.signed()?;
        let first = input.time(base)?;
        history.granted.span = Some(Span { first, last: base });
    }
    history.profile = codec_profile::read(&mut input, base)?;
    if flags & HAS_LAST_PLACE != 0 {
        history.last_place = Some(codec_place::read(&mut input, base)?);
    }
    let devices = input.count(DEVICES_MAX, "number of devices")?;
    history.devices.reserve_exact(devices);
    for _ in 0..devices {
        history.devices.push(read_device(&mut input, base)?);
    }
    let pairs = input.count(PAIRS_MAX, "number of pairs")?;
    history.pairs.reserve_exact(pairs);
    for _ in 0..pairs {
        history
            .pairs
            .push(read_pair(&mut input, base, history.devices.len())?);
    }
    read_cells(&mut input, &mut history, base)?;
    history.recent = read_recent(&mut input, base, history.devices.len())?;
    if input.is_empty() {
        Ok(history)
    } else {
        Err(CodecError::Damaged("bytes after the end"))
    }
}

/// No encoded row is longer than this, as long as times are those of a calendar with four-digit years; cheap, for
/// skipping the exact length of ordinary rows.
#[must_use]
pub(super) fn longest(history: &UserHistory) -> usize {
    let hashes =
        |device: &Device| 16 * (usize::from(device.id.is_some()) + usize::from(device.key.is_some()));
    let text = |device: &Device| device.family.as_str().len() + device.os.as_str().len();
    let devices: usize = history
        .devices
        .iter()
        .map(|device| 110 + hashes(device) + text(device))
        .sum();
    let rest = |pair: &Pair| pair.rest.iter().filter(|weight| !weight.is_zero()).count();
    let pairs: usize = history.pairs.iter().map(|pair| 75 + 5 * rest(pair)).sum();
    300 + devices
        + pairs
        + 14 * history.cells.len()
        + 9 * history.places.len()
        + 17 * history.recent.len()
        + codec_profile::longest_text(&history.profile)
}

/// Reads the version byte of any row of this folder.
pub(super) fn check_version(input: &mut Reader<'_>) -> Result<(), CodecError> {
    match input.byte()? {
        VERSION => Ok(()),
        0 => Err(CodecError::Damaged("version")),
        found => Err(CodecError::Newer {
            found,
            known: VERSION,
        }),
    }
}

pub(super) const fn flag(set: bool, bit: u8) -> u8 {
    if set { bit } else { 0 }
}

const HAS_ID: u8 = 1;
const HAS_KEY: u8 = 2;
const HAS_MAJOR: u8 = 4;
const HAS_ATTRIBUTES: u8 = 8;
const HAS_GENERATION: u8 = 16;
const IS_COPY: u8 = 32;

fn write_device(out: &mut Writer, device: &Device, base: Seconds) {
    out.byte(
        flag(device.id.is_some(), HAS_ID)
            | flag(device.key.is_some(), HAS_KEY)
            | flag(device.major.is_some(), HAS_MAJOR)
            | flag(device.attribute_count > 0, HAS_ATTRIBUTES)
            | flag(device.generation.is_some(), HAS_GENERATION)
            | flag(device.copy, IS_COPY),
    );
    for hash in [device.id, device.key].into_iter().flatten() {
        out.wide(hash);
    }
    write_name(out, &device.family);
    write_name(out, &device.os);
    if let Some(major) = device.major {
        out.number(u64::from(major));
    }
    if device.attribute_count > 0 {
        out.number(u64::from(device.attribute_count));
        out.wide(device.attributes);
    }
    if let Some(generation) = device.generation {
        out.number(generation.number);
        out.time(generation.time, base);
    }
    out.byte(device.number);
    write_standing(out, &device.seen, &device.credits, base);
}

fn read_device(input: &mut Reader<'_>, base: Seconds) -> Result<Device, CodecError> {
    let flags = input.byte()?;
    let has = |bit: u8| flags & bit != 0;
    let mut device = Device {
        copy: has(IS_COPY),
        ..Device::default()
    };
    if has(HAS_ID) {
        device.id = Some(input.wide()?);
    }
    if has(HAS_KEY) {
        device.key = Some(input.wide()?);
    }
    device.family = read_name(input)?;
    device.os = read_name(input)?;
    if has(HAS_MAJOR) {
        device.major = Some(input.narrow("major version")?);
    }
    if has(HAS_ATTRIBUTES) {
        device.attribute_count = input.narrow("number of attributes")?;
        device.attributes = input.wide()?;
    }
    if has(HAS_GENERATION) {
        device.generation = Some(Generation {
            number: input.number()?,
            time: input.time(base)?,
        });
    }
    device.number = input.byte()?;
    (device.seen, device.credits) = read_standing(input, base)?;
    Ok(device)
}

/// Usual names are their code plus 1; 0 is followed by the text.
fn write_name(out: &mut Writer, name: &SoftwareName) {
    match name {
        SoftwareName::Usual(code) => out.byte(code.saturating_add(1)),
        SoftwareName::Other(text) => {
            out.byte(0);
            out.text(text);
        }
    }
}

fn read_name(input: &mut Reader<'_>) -> Result<SoftwareName, CodecError> {
    match input.byte()?.checked_sub(1) {
        None => Ok(SoftwareName::Other(input.text()?.into())),
        Some(code) => SoftwareName::from_code(code).ok_or(CodecError::Damaged("software name")),
    }
}

const SEEN: u8 = 1;
const DAYS_AS_SEEN: u8 = 2;
const DAYS_OWN: u8 = 4;
const DAY_BETWEEN: u8 = 8;
const HALF: u8 = 16;
const FULL: u8 = 32;

fn write_standing(out: &mut Writer, seen: &Seen, credits: &Credits, base: Seconds) {
    let own_days = seen.days.filter(|days| Some(days.span) != seen.span);
    out.byte(
        flag(seen.span.is_some(), SEEN)
            | flag(seen.days.is_some() && own_days.is_none(), DAYS_AS_SEEN)
            | flag(own_days.is_some(), DAYS_OWN)
            | flag(seen.days.is_some_and(|days| days.between), DAY_BETWEEN)
            | flag(credits.half.is_some(), HALF)
            | flag(credits.full.is_some(), FULL),
    );
    for span in [seen.span, own_days.map(|days| days.span)].into_iter().flatten() {
        out.time(span.last, base);
        out.time(span.first, span.last);
    }
    for credit in [credits.half, credits.full].into_iter().flatten() {
        write_credit(out, &credit, base);
    }
}

fn read_standing(input: &mut Reader<'_>, base: Seconds) -> Result<(Seen, Credits), CodecError> {
    let flags = input.byte()?;
    let has = |bit: u8| flags & bit != 0;
    let span = if has(SEEN) {
        Some(read_span(input, base)?)
    } else {
        None
    };
    let days_span = if has(DAYS_OWN) {
        Some(read_span(input, base)?)
    } else if has(DAYS_AS_SEEN) {
        span
    } else {
        None
    };
    let days = days_span.map(|span| SettlingDays {
        span,
        between: has(DAY_BETWEEN),
    });
    let half = if has(HALF) {
        Some(read_credit(input, base)?)
    } else {
        None
    };
    let full = if has(FULL) {
        Some(read_credit(input, base)?)
    } else {
        None
    };
    Ok((Seen { span, days }, Credits { half, full }))
}

fn read_span(input: &mut Reader<'_>, base: Seconds) -> Result<Span, CodecError> {
    let last = input.time(base)?;
    let first = input.time(last)?;
    Ok(Span { first, last })
}

fn write_credit(out: &mut Writer, credit: &Credit, base: Seconds) {
    out.number(credit.seq);
    match credit.maturing {
        Maturing::AtOnce => out.byte(0),
        Maturing::From(at) => {
            out.byte(1);
            out.time(at, base);
        }
        Maturing::Days { counted, last } => {
            out.byte(counted.saturating_add(2));
            out.signed(last);
        }
    }
}

fn read_credit(input: &mut Reader<'_>, base: Seconds) -> Result<Credit, CodecError> {
    let seq = input.number()?;
    let maturing = match input.byte()? {
        0 => Maturing::AtOnce,
        1 => Maturing::From(input.time(base)?),
        counted @ 2..=5 => Maturing::Days {
            counted: counted - 2,
            last: input.signed()?,
        },
        _ => return Err(CodecError::Damaged("credit")),
    };
    Ok(Credit { seq, maturing })
}

fn write_pair(out: &mut Writer, pair: &Pair, base: Seconds) {
    let rest_mask = (0u8..)
        .zip(&pair.rest)
        .fold(0, |mask, (bit, weight)| mask | flag(!weight.is_zero(), 1 << bit));
    let kind = match pair.network {
        NetworkKey::Asn(_) => 0u8,
        NetworkKey::V4(_) => 1,
        NetworkKey::V6(_) => 2,
    };
    out.byte(pair.device);
    out.byte(rest_mask | (kind << 6));
    match pair.network {
        NetworkKey::Asn(asn) => out.number(u64::from(asn)),
        NetworkKey::V4(prefix) => out.low_bytes(u64::from(prefix), 3),
        NetworkKey::V6(prefix) => out.low_bytes(prefix, 6),
    }
    out.low_bytes(pair.logins.to_bits40(), 5);
    for weight in pair.rest.iter().filter(|weight| !weight.is_zero()) {
        out.low_bytes(weight.to_bits40(), 5);
    }
    write_standing(out, &pair.seen, &pair.credits, base);
}

fn read_pair(input: &mut Reader<'_>, base: Seconds, devices: usize) -> Result<Pair, CodecError> {
    let device = input.index(devices, "device of a pair")?;
    let mask = input.byte()?;
    let network = match mask >> 6 {
        0 => NetworkKey::Asn(input.narrow("number of an autonomous system")?),
        1 => NetworkKey::V4(input.low_bytes(3)? as u32),
        2 => NetworkKey::V6(input.low_bytes(6)?),
        _ => return Err(CodecError::Damaged("network of a pair")),
    };
    let logins = read_weight(input)?;
    let mut rest = [Weight::ZERO; 6];
    for (bit, weight) in (0u8..).zip(&mut rest) {
        if mask & (1 << bit) != 0 {
            *weight = read_weight(input)?;
        }
    }
    let (seen, credits) = read_standing(input, base)?;
    Ok(Pair {
        device,
        network,
        logins,
        rest,
        seen,
        credits,
    })
}

fn read_weight(input: &mut Reader<'_>) -> Result<Weight, CodecError> {
    Weight::from_bits40(input.low_bytes(5)?).ok_or(CodecError::Damaged("weight"))
}

/// One byte holds the level (3 bits) and the pair (5 bits).
fn write_cells(out: &mut Writer, history: &UserHistory, base: Seconds) {
    out.number(history.cells.len() as u64);
    for cell in &history.cells {
        let value_bytes = cell.level.value_bytes();
        let head = ((cell.level as u8) << 5) | (cell.pair & 31);
        let logins = u128::from(cell.logins.to_bits40());
        let all = (u128::from(head) << 120)
            | (u128::from(cell.value) << (120 - 8 * value_bytes))
            | (logins << (80 - 8 * value_bytes));
        out.first_of(all.to_be_bytes(), 6 + value_bytes);
    }
    out.number(history.places.len() as u64);
    for place in &history.places {
        out.byte(place.pair);
        out.low_bytes(u64::from(place.cell), 2);
        out.time(place.last, base);
    }
}

fn read_cells(input: &mut Reader<'_>, history: &mut UserHistory, base: Seconds) -> Result<(), CodecError> {
    let pairs = history.pairs.len();
    let most = FINE_CELLS_MAX + PREFIX_CELLS_MAX + COUNTRY_CELLS_MAX;
    let cells = input.count(most, "number of counts")?;
    history.cells.reserve_exact(cells);
    for _ in 0..cells {
        let head = input.byte()?;
        let pair = head & 31;
        let level = CellLevel::from_code(head >> 5).ok_or(CodecError::Damaged("level"))?;
        if usize::from(pair) >= pairs {
            return Err(CodecError::Damaged("pair of a count"));
        }
        history.cells.push(Cell {
            pair,
            level,
            value: input.low_bytes(level.value_bytes())?,
            logins: read_weight(input)?,
        });
    }
    let places = input.count(PLACES_MAX, "number of places")?;
    history.places.reserve_exact(places);
    for _ in 0..places {
        history.places.push(KnownPlace {
            pair: input.index(pairs, "pair of a place")?,
            cell: input.low_bytes(2)? as u16,
            last: input.time(base)?,
        });
    }
    Ok(())
}

/// Network and country of a recent login in one number, for comparing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Whence(u64);

const WHENCE_ASN: u64 = 1 << 48;
const WHENCE_COUNTRY: u64 = 1 << 49;

impl Whence {
    fn of(login: &RecentLogin) -> Self {
        let asn = login.asn.map_or(0, |asn| WHENCE_ASN | u64::from(asn));
        let country = login.country.map_or(0, |letters| {
            WHENCE_COUNTRY | (u64::from(u16::from_be_bytes(letters)) << 32)
        });
        Self(asn | country)
    }

    fn asn(self) -> Option<u32> {
        (self.0 & WHENCE_ASN != 0).then_some(self.0 as u32)
    }

    fn country(self) -> Option<[u8; 2]> {
        (self.0 & WHENCE_COUNTRY != 0).then_some(((self.0 >> 32) as u16).to_be_bytes())
    }
}

const LEVEL_BITS: u8 = 3;
const CARRIED: u8 = 4;
const HAS_DEVICE: u8 = 8;

/// Networks and countries once each, then the logins.
fn write_recent(out: &mut Writer, recent: &[RecentLogin], base: Seconds) {
    let mut table: Vec<Whence> = Vec::with_capacity(8);
    for login in recent {
        let whence = Whence::of(login);
        if !table.contains(&whence) {
            table.push(whence);
        }
    }
    out.number(table.len() as u64);
    for whence in &table {
        let (asn, country) = (whence.asn(), whence.country());
        out.byte(flag(asn.is_some(), 1) | flag(country.is_some(), 2));
        if let Some(asn) = asn {
            out.number(u64::from(asn));
        }
        if let Some(country) = country {
            out.first_of(country, 2);
        }
    }
    out.number(recent.len() as u64);
    let mut before = base;
    for login in recent.iter().rev() {
        out.time(login.time, before);
        before = login.time;
        let flags = (login.level & LEVEL_BITS)
            | flag(login.carried_identity, CARRIED)
            | flag(login.device.is_some(), HAS_DEVICE);
        let whence = Whence::of(login);
        let entry = (0u8..).zip(&table).find(|(_, known)| **known == whence);
        let entry = entry.map_or(0, |(entry, _)| entry);
        out.first_of([flags, login.device.unwrap_or(0), entry], 3);
    }
}

fn read_recent(
    input: &mut Reader<'_>,
    base: Seconds,
    devices: usize,
) -> Result<Vec<RecentLogin>, CodecError> {
    let networks = input.count(RECENT_MAX, "number of networks")?;
    let mut table: Vec<(Option<u32>, Option<[u8; 2]>)> = Vec::with_capacity(networks);
    for _ in 0..networks {
        let flags = input.byte()?;
        let asn = if flags & 1 == 0 {
            None
        } else {
            Some(input.narrow("network of a login")?)
        };
        let country = if flags & 2 == 0 {
            None
        } else {
            Some(input.array()?)
        };
        table.push((asn, country));
    }
    let logins = input.count(RECENT_MAX, "number of logins")?;
    let mut recent = Vec::with_capacity(RECENT_MAX.min(logins + 1));
    let mut before = base;
    for _ in 0..logins {
        let time = input.time(before)?;
        before = time;
        let [flags, device, entry] = input.array()?;
        let device = (flags & HAS_DEVICE != 0).then_some(device);
        if device.is_some_and(|device| usize::from(device) >= devices) {
            return Err(CodecError::Damaged("device of a login"));
        }
        let (asn, country) = *table
            .get(usize::from(entry))
            .ok_or(CodecError::Damaged("network of a login"))?;
        recent.push(RecentLogin {
            time,
            level: flags & LEVEL_BITS,
            carried_identity: flags & CARRIED != 0,
            device,
            asn,
            country,
        });
    }
    recent.reverse();
    Ok(recent)
}
