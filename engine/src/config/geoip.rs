//! `[geoip]`: the databases of places and networks. Their contents enter decisions by their own hash, not by name.

use std::path::PathBuf;

use super::kind::{FileList, Whole};
use super::section::section;

section! {
    /// Databases of places and networks; each may be empty, one file or several.
    GeoipSettings in "geoip" {
        /// Cities or countries (`.mmdb`); the first that knows an address counts.
        city: Vec<PathBuf> = FileList, decides No;
        /// Networks and their owners (`.mmdb`, or `.csv` of ranges).
        asn: Vec<PathBuf> = FileList, decides No;
        /// MaxMind Anonymous-IP (`.mmdb`).
        anonymous: Vec<PathBuf> = FileList, decides No;
        /// Lists of prefixes and AS numbers.
        lists: Vec<PathBuf> = FileList, decides No;
        /// Looked-up addresses kept by each thread.
        cache_entries: usize = Whole::<usize>::of(1, 16_777_216, "addresses"), decides No;
    }
}
