//! Damaged and hostile files: an error that names the file, or sound answers; never a panic, never a hang.

use std::fs;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use crate::fixture_files::{doorward_test, folder, maxmind, source};
use doorward_geoip::{GeoDatabase, LoadError, Source, Sources};
use proptest::prelude::*;

fn given_as_each(source: &Source) -> [Sources; 3] {
    let only = || vec![source.clone()];
    [
        Sources {
            city: only(),
            ..Sources::default()
        },
        Sources {
            asn: only(),
            ..Sources::default()
        },
        Sources {
            anonymous: only(),
            ..Sources::default()
        },
    ]
}

fn sample_addresses() -> Vec<IpAddr> {
    let texts = [
        "0.0.0.1",
        "1.1.1.1",
        "81.2.69.160",
        "175.16.199.1",
        "255.255.255.255",
        "2001:220::1",
        "ffff::1",
        "1::",
    ];
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[test]
fn every_broken_file_of_maxminds_names_itself_in_its_refusal() {
    let mut seen = 0;
    for entry in fs::read_dir(folder().join("maxmind/broken")).unwrap() {
        let file = entry.unwrap().file_name().into_string().unwrap();
        let source = source(&format!("maxmind/broken/{file}"));
        for sources in given_as_each(&source) {
            let started = Instant::now();
            let loaded = GeoDatabase::load(sources);
            assert!(
                started.elapsed() < Duration::from_secs(20),
                "{file} took {:?}",
                started.elapsed()
            );
            let error = loaded.expect_err(&file).to_string();
            assert!(error.contains(&file), "{error}");
            // Most of these files lack a description; that must not hide what is really wrong with them.
            assert!(!error.contains("description"), "{error}");
        }
        seen += 1;
    }
    assert!(seen > 30, "only {seen} files");
}

#[test]
fn what_is_wrong_is_said_apart_from_what_it_was_given_for() {
    let table = [
        ("GeoIP2-City-Test-Invalid-Node-Count", true),
        ("GeoIP2-City-Test-Broken-Double-Format", true),
        ("libmaxminddb-deep-nesting", true),
        ("MaxMind-DB-test-broken-search-tree-24", true),
        ("MaxMind-DB-test-payload-amplification-dos-worst-case", false),
    ];
    for (name, is_broken) in table {
        let city = vec![source(&format!("maxmind/broken/{name}.mmdb"))];
        let error = GeoDatabase::load(Sources {
            city,
            ..Sources::default()
        })
        .unwrap_err();
        assert_eq!(matches!(error, LoadError::Broken { .. }), is_broken, "{error}");
    }
}

#[test]
fn a_file_without_a_description_is_verified_like_any_other() {
    let mut bare = source("doorward-test-city.mmdb");
    let described = b"description\xe1\x42en\x52Doorward-Test-City";
    let at = bare
        .bytes
        .windows(described.len())
        .position(|window| window == described)
        .unwrap();
    bare.bytes.splice(at..at + described.len(), *b"description\xe0");

    let sources = |city: Source| Sources {
        city: vec![city],
        ..Sources::default()
    };
    let geo = GeoDatabase::load(sources(bare.clone())).unwrap();
    let network = crate::fixture_files::look(&geo, "198.18.0.1");
    assert_eq!(network.place.unwrap().city.as_deref(), Some("Copenhagen"));
    assert_eq!(geo.describe()[0].database_type, "Doorward-Test-City");
    assert_eq!(geo.describe()[0].built_at, Some(1_780_272_000));
    let whole = GeoDatabase::load(sources(source("doorward-test-city.mmdb"))).unwrap();
    assert_ne!(geo.epoch(), whole.epoch());

    let length_of_copenhagen = bare
        .bytes
        .windows(11)
        .position(|window| window == b"\x4aCopenhagen")
        .unwrap();
    bare.bytes[length_of_copenhagen] = 0xff;
    let error = GeoDatabase::load(sources(bare)).unwrap_err();
    assert!(matches!(error, LoadError::Broken { .. }), "{error}");
}

#[test]
fn a_file_cut_at_any_length_is_refused() {
    let whole = maxmind("GeoLite2-ASN-Test");
    for len in (0..whole.bytes.len()).step_by(97) {
        let cut = Source {
            name: whole.name.clone(),
            bytes: whole.bytes[..len].to_vec(),
        };
        let error = GeoDatabase::load(Sources {
            asn: vec![cut],
            ..Sources::default()
        })
        .unwrap_err();
        assert!(error.to_string().contains("GeoLite2-ASN-Test.mmdb"), "{error}");
    }
}

#[test]
fn a_text_file_given_as_a_database_is_refused() {
    let city = vec![crate::fixture_files::text("places.mmdb", "not a database")];
    let error = GeoDatabase::load(Sources {
        city,
        ..Sources::default()
    })
    .unwrap_err()
    .to_string();
    assert!(
        error.starts_with("`places.mmdb` is not a sound MaxMind database: "),
        "{error}"
    );
    let asn = vec![crate::fixture_files::text("asn.mmdb", "192.0.2.0,192.0.2.1,1,A")];
    assert!(matches!(
        GeoDatabase::load(Sources {
            asn,
            ..Sources::default()
        }),
        Err(LoadError::Broken { .. })
    ));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn changed_bytes_never_panic_and_never_hang(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        file in 0usize..3,
        addresses in prop::collection::vec(any::<IpAddr>(), 8),
    ) {
        let mut source = match file {
            0 => source("doorward-test-city.mmdb"),
            1 => maxmind("GeoLite2-ASN-Test"),
            _ => maxmind("GeoIP2-Anonymous-IP-Test"),
        };
        for (at, byte) in changes {
            let at = at.index(source.bytes.len());
            source.bytes[at] = byte;
        }
        for sources in given_as_each(&source) {
            if let Ok(geo) = GeoDatabase::load(sources) {
                for ip in addresses.iter().copied().chain(sample_addresses()) {
                    geo.lookup(ip);
                }
            }
        }
    }

    #[test]
    fn changed_text_never_panics(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut sources = doorward_test();
        for (at, byte) in changes {
            for source in sources.asn.iter_mut().chain(&mut sources.lists) {
                let at = at.index(source.bytes.len());
                source.bytes[at] = byte;
            }
        }
        if let Ok(geo) = GeoDatabase::load(sources) {
            sample_addresses().into_iter().for_each(|ip| drop(geo.lookup(ip)));
        }
    }

    #[test]
    fn any_bytes_as_text_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let file = || vec![Source { name: "x.csv".into(), bytes: bytes.clone() }];
        let _ = GeoDatabase::load(Sources { asn: file(), ..Sources::default() });
        let _ = GeoDatabase::load(Sources { lists: file(), ..Sources::default() });
    }

    #[test]
    fn lines_of_likely_words_never_panic(text in "((kind ?= ?(vpn|tor)|AS[0-9]{1,11}|[0-9a-f:./]{1,20}|\"?,?#?)\n?){0,20}") {
        let file = || vec![crate::fixture_files::text("x.csv", &text)];
        let _ = GeoDatabase::load(Sources { asn: file(), ..Sources::default() });
        let _ = GeoDatabase::load(Sources { lists: file(), ..Sources::default() });
    }
}
