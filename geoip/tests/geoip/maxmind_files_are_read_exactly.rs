//! MaxMind's own test databases give the values of their sources, in every size of record.

use crate::fixture_files::{look, maxmind};
use std::sync::Arc;

use doorward_geoip::{GeoDatabase, Network, NetworkClass, NetworkKind, SourceKind, Sources};

/// Country, city, region, latitude and longitude in ten-thousandths of a degree, radius, centroid or not.
fn written(network: &Network) -> String {
    let place = network.place.as_ref().unwrap();
    let name = |name: &Option<Arc<str>>| name.as_deref().unwrap_or("-").to_owned();
    format!(
        "{} | {} | {} | {} {} | {} km | {}",
        network.country.unwrap(),
        name(&place.city),
        name(&place.region),
        place.latitude_e4,
        place.longitude_e4,
        place.radius_km,
        if place.is_centroid { "centroid" } else { "city" },
    )
}

#[test]
fn cities_of_geoip2() {
    let city = vec![maxmind("GeoIP2-City-Test")];
    let geo = GeoDatabase::load(Sources {
        city,
        ..Sources::default()
    })
    .unwrap();
    let london = "GB | London | England | 515142 -931 | 100 km | city";
    let table = [
        ("81.2.69.160", london),
        ("81.2.69.191", london),
        ("::ffff:81.2.69.160", london),
        (
            "216.160.83.56",
            "US | Milton | Washington | 472513 -1223149 | 22 km | city",
        ),
        (
            "89.160.20.112",
            "SE | Linköping | Östergötland County | 584167 156167 | 76 km | city",
        ),
        ("202.196.224.1", "PH | - | - | 130000 1220000 | 121 km | centroid"),
        ("2001:218::1", "JP | - | - | 356854 1397531 | 100 km | centroid"),
    ];
    for (ip, expected) in table {
        assert_eq!(written(&look(&geo, ip)), expected, "{ip}");
    }
    let nowhere = look(&geo, "1.1.1.1");
    assert_eq!(
        (nowhere.class, nowhere.country, nowhere.place),
        (NetworkClass::Public, None, None)
    );
    assert_eq!(geo.unreadable_records(), 0);
}

#[test]
fn a_place_may_have_no_country_and_a_country_no_place() {
    let geo = GeoDatabase::load(Sources {
        city: vec![maxmind("GeoIP2-City-Test")],
        ..Sources::default()
    })
    .unwrap();
    let network = look(&geo, "2a02:d500::1");
    assert_eq!(network.country, None);
    assert_eq!(network.place.unwrap().latitude_e4, 486_910);

    for name in ["GeoIP2-Country-Test", "GeoLite2-Country-Test"] {
        let geo = GeoDatabase::load(Sources {
            city: vec![maxmind(name)],
            ..Sources::default()
        })
        .unwrap();
        let network = look(&geo, "81.2.69.160");
        assert_eq!(network.country.unwrap().as_str(), "GB");
        assert_eq!(network.place, None);
        assert_eq!(look(&geo, "2a02:d500::1").country, None);
    }
}

#[test]
fn autonomous_systems() {
    for name in ["GeoLite2-ASN-Test", "GeoIP2-ISP-Test"] {
        let geo = GeoDatabase::load(Sources {
            asn: vec![maxmind(name)],
            ..Sources::default()
        })
        .unwrap();
        let system = |ip| {
            let network = look(&geo, ip);
            (network.asn, network.organisation)
        };
        let (asn, organisation) = system("1.128.0.0");
        assert_eq!(
            (asn, organisation.as_deref()),
            (Some(1221), Some("Telstra Pty Ltd")),
            "{name}"
        );
        let (asn, organisation) = system("2600:6000::1");
        assert_eq!(
            (asn, organisation.as_deref()),
            (Some(237), Some("Merit Network Inc.")),
            "{name}"
        );
        assert_eq!(system("12.81.128.0").0, Some(7018), "{name}");
        assert_eq!(system("8.8.8.8"), (None, None), "{name}");
    }
}

#[test]
fn a_system_may_have_no_name() {
    let geo = GeoDatabase::load(Sources {
        asn: vec![maxmind("GeoLite2-ASN-Test")],
        ..Sources::default()
    })
    .unwrap();
    let network = look(&geo, "12.81.128.0");
    assert_eq!((network.asn, network.organisation), (Some(7018), None));
}

#[test]
fn anonymisers() {
    let geo = GeoDatabase::load(Sources {
        anonymous: vec![
            maxmind("GeoIP2-Anonymous-IP-Test"),
            maxmind("GeoIP-Anonymous-Plus-Test"),
        ],
        ..Sources::default()
    });
    let geo = geo.unwrap();
    let table = [
        ("1.2.0.1", Some(NetworkKind::Vpn)),
        ("1.124.213.1", Some(NetworkKind::Tor)),
        ("65.0.0.1", Some(NetworkKind::Tor)),
        ("71.160.223.9", Some(NetworkKind::Hosting)),
        ("186.30.236.1", Some(NetworkKind::Vpn)),
        ("6.1.0.4", Some(NetworkKind::Vpn)),
        ("81.2.69.160", Some(NetworkKind::Tor)),
        ("2001:480:3a::7", Some(NetworkKind::Vpn)),
        ("1.1.1.1", None),
    ];
    for (ip, kind) in table {
        assert_eq!(look(&geo, ip).kind, kind, "{ip}");
    }
}

#[test]
fn a_sound_file_given_for_the_wrong_thing_is_refused() {
    let asn = Sources {
        city: vec![maxmind("GeoLite2-ASN-Test")],
        ..Sources::default()
    };
    let error = GeoDatabase::load(asn).unwrap_err().to_string();
    let expected = "`maxmind/good/GeoLite2-ASN-Test.mmdb` (GeoLite2-ASN) was given as `city`, but holds no countries or places";
    assert_eq!(error, expected);

    let city = Sources {
        asn: vec![maxmind("GeoIP2-City-Test")],
        ..Sources::default()
    };
    let error = GeoDatabase::load(city).unwrap_err().to_string();
    assert!(
        error.ends_with("was given as `asn`, but holds no numbers of autonomous systems"),
        "{error}"
    );

    let city = Sources {
        anonymous: vec![maxmind("GeoIP2-City-Test")],
        ..Sources::default()
    };
    assert!(
        GeoDatabase::load(city)
            .unwrap_err()
            .to_string()
            .ends_with("but holds no flags of anonymous networks")
    );

    // Files that show the format but hold neither.
    for name in [
        "MaxMind-DB-test-ipv4-24",
        "MaxMind-DB-test-decoder",
        "MaxMind-DB-string-value-entries",
    ] {
        let other = Sources {
            city: vec![maxmind(name)],
            ..Sources::default()
        };
        let error = GeoDatabase::load(other).unwrap_err().to_string();
        assert!(
            error.contains(name) && error.contains("was given as `city`"),
            "{error}"
        );
    }
}

#[test]
fn a_database_says_what_it_is_made_of() {
    let sources = Sources {
        city: vec![maxmind("GeoLite2-City-Test")],
        asn: vec![crate::fixture_files::source("doorward-test-asn.csv")],
        lists: vec![crate::fixture_files::source("doorward-test-networks.list")],
        ..Sources::default()
    };
    let size = sources.city[0].bytes.len() as u64;
    let geo = GeoDatabase::load(sources).unwrap();
    let [city, asn, list] = geo.describe() else {
        panic!("three files")
    };
    assert_eq!(
        (city.kind, city.database_type.as_str()),
        (SourceKind::City, "GeoLite2-City")
    );
    assert_eq!((city.ip_version, city.size), (Some(6), size));
    assert!(city.built_at > Some(1_500_000_000) && city.entries > 1_000);
    assert_eq!(
        (asn.kind, asn.database_type.as_str(), asn.entries),
        (SourceKind::Asn, "csv of ranges", 124)
    );
    assert_eq!(
        (list.kind, list.built_at, list.ip_version),
        (SourceKind::List, None, None)
    );
    assert!(list.entries > 20);
}
