//! The files in `fixtures/geoip`, as sources.

use std::fs;
use std::path::PathBuf;

use doorward_geoip::{GeoDatabase, Network, Source, Sources};

/// The folder of the fixtures.
pub fn folder() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/geoip"))
}

/// One file of the fixtures.
pub fn source(name: &str) -> Source {
    Source {
        name: name.to_owned(),
        bytes: fs::read(folder().join(name)).unwrap(),
    }
}

/// A sound file of MaxMind's.
pub fn maxmind(name: &str) -> Source {
    source(&format!("maxmind/good/{name}.mmdb"))
}

/// The test database of our own.
pub fn doorward_test() -> Sources {
    Sources {
        city: vec![source("doorward-test-city.mmdb")],
        asn: vec![source("doorward-test-asn.csv")],
        lists: vec![source("doorward-test-networks.list")],
        ..Sources::default()
    }
}

/// A text file of the given content.
pub fn text(name: &str, content: &str) -> Source {
    Source {
        name: name.to_owned(),
        bytes: content.as_bytes().to_vec(),
    }
}

/// A look-up of an address as people write it.
pub fn look(geo: &GeoDatabase, ip: &str) -> Network {
    geo.lookup(ip.parse().unwrap())
}
