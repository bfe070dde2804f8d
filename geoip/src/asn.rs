//! Which autonomous system an address belongs to.

use std::net::IpAddr;
use std::sync::Arc;

use crate::asn_csv::AsnRanges;
use crate::error::LoadError;
use crate::location::clean;
use crate::reader::{MaxMindFile, Unreadable, is_maxmind};
use crate::record::Asn;
use crate::source::{DatabaseInfo, Source, SourceKind};

/// One file of autonomous systems, in either form.
pub(crate) enum AsnFile {
    MaxMind(MaxMindFile),
    Ranges {
        name: String,
        size: u64,
        table: AsnRanges,
    },
}

/// Number and owner of an autonomous system.
pub(crate) type AutonomousSystem = (u32, Option<Arc<str>>);

impl AsnFile {
    /// Reads a file in the form it is in.
    pub(crate) fn load(source: Source) -> Result<AsnFile, LoadError> {
        if is_maxmind(&source) {
            return MaxMindFile::load::<Asn>(source).map(AsnFile::MaxMind);
        }
        let table = AsnRanges::load(&source)?;
        Ok(AsnFile::Ranges {
            size: source.bytes.len() as u64,
            name: source.name,
            table,
        })
    }

    /// The system that holds the address.
    pub(crate) fn get(&self, ip: IpAddr) -> Result<Option<AutonomousSystem>, Unreadable> {
        match self {
            AsnFile::MaxMind(file) => {
                let record = file.get::<Asn>(ip)?;
                Ok(record.and_then(|record| Some((record.asn?, record.organisation.map(clean)))))
            }
            AsnFile::Ranges { table, .. } => Ok(table.get(ip)),
        }
    }

    /// What the file says about itself.
    pub(crate) fn info(&self) -> DatabaseInfo {
        match self {
            AsnFile::MaxMind(file) => file.info(SourceKind::Asn),
            AsnFile::Ranges { name, size, table } => DatabaseInfo {
                kind: SourceKind::Asn,
                name: name.clone(),
                database_type: "csv of ranges".to_owned(),
                built_at: None,
                ip_version: None,
                entries: table.len() as u64,
                size: *size,
            },
        }
    }
}
