//! A bounded memory of recent look-ups. One worker owns it; it never changes an answer.

use std::fmt;
use std::net::IpAddr;

use quick_cache::unsync::Cache;

use crate::lookup::{GeoDatabase, Network};
use crate::place_memory::PlaceMemory;

/// Answers to the addresses a worker met last, for the database it met last.
pub struct LookupCache {
    /// The database the answers are from; none before the first.
    sha256: Option<[u8; 32]>,
    answers: Cache<IpAddr, Network>,
    places: PlaceMemory,
}

impl LookupCache {
    /// A cache of at most `capacity` addresses. 0 remembers nothing.
    pub fn new(capacity: usize) -> LookupCache {
        LookupCache {
            sha256: None,
            answers: Cache::new(capacity),
            places: PlaceMemory::new(capacity),
        }
    }

    /// What [`GeoDatabase::lookup`] says, from memory if this database was asked before. Another database
    /// empties the cache.
    pub fn get(&mut self, database: &GeoDatabase, ip: IpAddr) -> Network {
        if self.sha256 != Some(database.sha256()) {
            self.answers.clear();
            self.places.clear();
            self.sha256 = Some(database.sha256());
        }
        let ip = ip.to_canonical();
        if let Some(network) = self.answers.get(&ip) {
            return network.clone();
        }
        let network = database.lookup_with(ip, &mut self.places);
        self.answers.insert(ip, network.clone());
        network
    }

    /// Addresses remembered now.
    pub fn len(&self) -> usize {
        self.answers.len()
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.answers.is_empty()
    }
}

impl fmt::Debug for LookupCache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LookupCache")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}
