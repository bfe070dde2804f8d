//! All databases as one, and the one question they answer.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};

use crate::asn::{AsnFile, AutonomousSystem};
use crate::error::LoadError;
use crate::lists::NetworkLists;
use crate::location::{Country, Place};
use crate::network_class::NetworkClass;
use crate::network_kind::NetworkKind;
use crate::place_memory::{PlaceKey, PlaceMemory};
use crate::reader::{MaxMindFile, Unreadable};
use crate::record::{Anonymous, City};
use crate::source::{DatabaseInfo, Source, SourceKind, Sources};

/// What is known about the network of an address. What no database knows is `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// What the address is by its number alone.
    pub class: NetworkClass,
    /// What the network is used for; ordinary access networks have no kind.
    pub kind: Option<NetworkKind>,
    /// Number of the autonomous system, never 0.
    pub asn: Option<u32>,
    /// Owner of the autonomous system.
    pub organisation: Option<Arc<str>>,
    /// Where the address is.
    pub place: Option<Place>,
    /// The country of the address; may be known without a place.
    pub country: Option<Country>,
}

/// Databases of addresses in memory, verified, never changed after loading.
pub struct GeoDatabase {
    city: Vec<MaxMindFile>,
    asn: Vec<AsnFile>,
    anonymous: Vec<MaxMindFile>,
    lists: NetworkLists,
    infos: Vec<DatabaseInfo>,
    /// SHA-256 of each file, in the order of `infos`.
    file_hashes: Vec<[u8; 32]>,
    sha256: [u8; 32],
    unreadable: AtomicU64,
}

impl GeoDatabase {
    /// Reads and verifies all files. The first that cannot be used refuses the whole, with its name and,
    /// for text, its line. No files at all make a database that knows only classes.
    pub fn load(sources: Sources) -> Result<GeoDatabase, LoadError> {
        let sha256 = digest(&sources);
        let file_hashes = hashes(&sources);
        let city = sources
            .city
            .into_iter()
            .map(MaxMindFile::load::<City>)
            .collect::<Result<Vec<_>, _>>()?;
        let asn = sources
            .asn
            .into_iter()
            .map(AsnFile::load)
            .collect::<Result<Vec<_>, _>>()?;
        let anonymous = sources.anonymous.into_iter().map(MaxMindFile::load::<Anonymous>);
        let anonymous = anonymous.collect::<Result<Vec<_>, _>>()?;
        let (lists, counts) = NetworkLists::load(&sources.lists)?;
        let infos = city
            .iter()
            .map(|file| file.info(SourceKind::City))
            .chain(asn.iter().map(AsnFile::info))
            .chain(anonymous.iter().map(|file| file.info(SourceKind::Anonymous)))
            .chain(
                sources
                    .lists
                    .iter()
                    .zip(counts)
                    .map(|(source, count)| list_info(source, count)),
            )
            .collect();
        Ok(GeoDatabase {
            city,
            asn,
            anonymous,
            lists,
            infos,
            file_hashes,
            sha256,
            unreadable: AtomicU64::new(0),
        })
    }

    /// What is known about the network of an address. An IPv4 address mapped into IPv6 counts as IPv4.
    pub fn lookup(&self, ip: IpAddr) -> Network {
        self.lookup_with(ip, &mut PlaceMemory::new(0))
    }

    /// The same, with the places of records that were read before.
    pub(crate) fn lookup_with(&self, ip: IpAddr, places: &mut PlaceMemory) -> Network {
        let ip = ip.to_canonical();
        let class = NetworkClass::of(ip);
        let listed = self.lists.by_prefix(ip);
        let nothing = Network {
            class,
            kind: listed,
            asn: None,
            organisation: None,
            place: None,
            country: None,
        };
        if !class.has_place() {
            return nothing;
        }
        let (asn, organisation) = self.system(ip).unzip();
        let kind = listed
            .or_else(|| self.anonymous_kind(ip))
            .or_else(|| asn.and_then(|asn| self.lists.by_asn(asn)));
        let (country, place) = self.place(ip, kind, places);
        Network {
            kind,
            asn,
            organisation: organisation.flatten(),
            place,
            country,
            ..nothing
        }
    }

    /// Changes whenever any byte of any file, or their order, does: the first eight bytes of [`Self::sha256`].
    pub fn epoch(&self) -> u64 {
        let first = self.sha256.first_chunk::<8>().copied().unwrap_or_default();
        u64::from_be_bytes(first)
    }

    /// SHA-256 over what each file was given for and its content, in order. Names do not count.
    pub fn sha256(&self) -> [u8; 32] {
        self.sha256
    }

    /// The files in use, in the order they are asked: city, asn, anonymous, lists.
    pub fn describe(&self) -> &[DatabaseInfo] {
        &self.infos
    }

    /// The same files, each with the SHA-256 of its content.
    pub fn files(&self) -> impl Iterator<Item = (&DatabaseInfo, &[u8; 32])> {
        self.infos.iter().zip(&self.file_hashes)
    }

    /// How many records could not be read since loading; each counted as "no answer". Above 0 means that a
    /// file is damaged in a way its verification does not see.
    pub fn unreadable_records(&self) -> u64 {
        self.unreadable.load(Ordering::Relaxed)
    }

    fn system(&self, ip: IpAddr) -> Option<AutonomousSystem> {
        self.asn.iter().find_map(|file| self.readable(file.get(ip)))
    }

    fn anonymous_kind(&self, ip: IpAddr) -> Option<NetworkKind> {
        self.anonymous
            .iter()
            .find_map(|file| self.readable(file.get::<Anonymous>(ip))?.kind())
    }

    fn place(
        &self,
        ip: IpAddr,
        kind: Option<NetworkKind>,
        places: &mut PlaceMemory,
    ) -> (Option<Country>, Option<Place>) {
        let said = (0..).zip(&self.city).find_map(|(file, city)| {
            let found = self.readable(city.find(ip))?;
            let key = PlaceKey {
                file,
                offset: found.offset,
                is_mobile: kind == Some(NetworkKind::Mobile),
            };
            let read = || {
                let record = found.read::<City>()?;
                Ok(record.map(|record| {
                    let country = record.country.and_then(Country::from_code);
                    (country, Place::from_record(&record, kind))
                }))
            };
            self.readable(places.get(key, read))
        });
        said.unwrap_or_default()
    }

    fn readable<T>(&self, answer: Result<Option<T>, Unreadable>) -> Option<T> {
        answer.unwrap_or_else(|Unreadable| {
            self.unreadable.fetch_add(1, Ordering::Relaxed);
            None
        })
    }
}

impl fmt::Debug for GeoDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GeoDatabase")
            .field("files", &self.infos)
            .finish_non_exhaustive()
    }
}

fn list_info(source: &Source, entries: u64) -> DatabaseInfo {
    DatabaseInfo {
        kind: SourceKind::List,
        name: source.name.clone(),
        database_type: "list of networks".to_owned(),
        built_at: None,
        ip_version: None,
        entries,
        size: source.bytes.len() as u64,
    }
}

/// In the order in which files describe themselves.
fn hashes(sources: &Sources) -> Vec<[u8; 32]> {
    let Sources {
        city,
        asn,
        anonymous,
        lists,
    } = sources;
    let files = city.iter().chain(asn).chain(anonymous).chain(lists);
    files.map(|file| Sha256::digest(&file.bytes).into()).collect()
}

fn digest(sources: &Sources) -> [u8; 32] {
    let sorts = [
        (SourceKind::City, &sources.city),
        (SourceKind::Asn, &sources.asn),
        (SourceKind::Anonymous, &sources.anonymous),
        (SourceKind::List, &sources.lists),
    ];
    let mut all = Sha256::new();
    for (kind, files) in sorts {
        for file in files {
            // The length keeps the end of one file apart from the start of the next.
            all.update(kind.as_str().as_bytes());
            all.update([0]);
            all.update((file.bytes.len() as u64).to_be_bytes());
            all.update(&file.bytes);
        }
    }
    all.finalize().into()
}
