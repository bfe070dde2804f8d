//! One MaxMind file in memory: verified as a whole when loaded, then only read.

use std::net::IpAddr;

use maxminddb::{LookupResult, MaxMindDbError, Reader, WithinOptions};

use crate::error::LoadError;
use crate::record::{Answer, RecordKind};
use crate::source::{DatabaseInfo, Source, SourceKind};
use crate::writer::{METADATA_MARKER, Metadata};

/// How many records are looked at, at most, to see what a file holds.
const SAMPLE: usize = 4_096;

/// The metadata begins within so many bytes of the end (MaxMind DB format 2.0).
const METADATA_MAX_SIZE: usize = 128 * 1024;

/// A record that was verified and still could not be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Unreadable;

/// A MaxMind file whose tree and records have been verified.
pub(crate) struct MaxMindFile {
    name: String,
    size: u64,
    reader: Reader<Vec<u8>>,
}

impl MaxMindFile {
    /// Takes the bytes, verifies all of them, and looks whether they hold records of kind `K`.
    pub(crate) fn load<K: RecordKind>(source: Source) -> Result<MaxMindFile, LoadError> {
        let Source { name, bytes } = source;
        let size = bytes.len() as u64;
        match verified::<K>(bytes) {
            Ok((reader, true)) => Ok(MaxMindFile { name, size, reader }),
            Ok((reader, false)) => Err(LoadError::WrongContent {
                file: name,
                database_type: reader.metadata().database_type.clone(),
                expected: K::SOURCE,
            }),
            Err(error) => Err(LoadError::Broken {
                file: name,
                reason: error.to_string(),
            }),
        }
    }

    /// The record of the network that holds the address, if it says anything.
    pub(crate) fn get<K: RecordKind>(&self, ip: IpAddr) -> Result<Option<K::Record<'_>>, Unreadable> {
        self.find(ip)?.map_or(Ok(None), |found| found.read::<K>())
    }

    /// Where the record of the network stands that holds the address.
    pub(crate) fn find(&self, ip: IpAddr) -> Result<Option<Found<'_>>, Unreadable> {
        if ip.is_ipv6() && self.reader.metadata().ip_version == 4 {
            return Ok(None);
        }
        let result = self.reader.lookup(ip).map_err(|_| Unreadable)?;
        let offset = result.offset();
        Ok(offset.map(|offset| Found { result, offset }))
    }

    /// What the file says about itself.
    pub(crate) fn info(&self, kind: SourceKind) -> DatabaseInfo {
        let metadata = self.reader.metadata();
        DatabaseInfo {
            kind,
            name: self.name.clone(),
            database_type: metadata.database_type.clone(),
            built_at: Some(metadata.build_epoch),
            ip_version: Some(metadata.ip_version),
            entries: u64::from(metadata.node_count),
            size: self.size,
        }
    }
}

/// A record that was found and not read yet.
pub(crate) struct Found<'a> {
    result: LookupResult<'a, Vec<u8>>,
    /// Where it stands in its file. Networks share records.
    pub(crate) offset: usize,
}

impl<'a> Found<'a> {
    /// What it says, if it says anything.
    pub(crate) fn read<K: RecordKind>(&self) -> Result<Option<K::Record<'a>>, Unreadable> {
        let record = self.result.decode::<K::Record<'a>>();
        record
            .map(|record| record.filter(Answer::is_answer))
            .map_err(|_| Unreadable)
    }
}

/// Whether the bytes are a MaxMind file, by the mark near their end or by the name.
pub(crate) fn is_maxmind(source: &Source) -> bool {
    metadata_at(&source.bytes).is_some() || source.name.to_ascii_lowercase().ends_with(".mmdb")
}

/// Where the last mark of metadata begins.
fn metadata_at(bytes: &[u8]) -> Option<usize> {
    let tail_at = bytes.len().saturating_sub(METADATA_MAX_SIZE);
    let tail = bytes.get(tail_at..)?;
    let within = tail
        .windows(METADATA_MARKER.len())
        .rposition(|window| window == METADATA_MARKER)?;
    Some(tail_at + within)
}

/// A reader whose every record has been looked at, and whether one of the first says something.
fn verified<K: RecordKind>(bytes: Vec<u8>) -> Result<(Reader<Vec<u8>>, bool), MaxMindDbError> {
    let reader = Reader::from_source(with_description(bytes)?)?;
    reader.verify()?;
    let mut says_something = false;
    for found in reader.networks(WithinOptions::default())?.take(SAMPLE) {
        let record = found?.decode::<K::Record<'_>>()?;
        says_something = record.is_some_and(|record| record.is_answer());
        if says_something {
            break;
        }
    }
    Ok((reader, says_something))
}

/// The verification refuses a file without a description of itself, which the free databases of
/// ip-location-db are. Such a file gets new metadata that says the same and has a description.
fn with_description(mut bytes: Vec<u8>) -> Result<Vec<u8>, MaxMindDbError> {
    let given = Reader::from_source(bytes.as_slice())?.metadata().clone();
    if !given.description.is_empty() {
        return Ok(bytes);
    }
    if let Some(at) = metadata_at(&bytes) {
        let metadata = Metadata {
            database_type: &given.database_type,
            build_epoch: given.build_epoch,
            ip_version: given.ip_version,
            node_count: given.node_count,
            record_bits: given.record_size,
        };
        bytes.truncate(at);
        metadata.append_to(&mut bytes);
    }
    Ok(bytes)
}
