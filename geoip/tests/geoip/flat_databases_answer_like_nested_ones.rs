//! Free databases are flat, come in one file for each family, and write numbers as they like.

use crate::fixture_files::look;
use doorward_geoip::writer::{DatabaseWriter, Value};
use doorward_geoip::{GeoDatabase, Source, Sources};

fn built(name: &str, networks: &[(&str, Value)]) -> Source {
    let mut writer = DatabaseWriter::new(name, 1_780_272_000);
    for (network, record) in networks {
        writer.insert(network.parse().unwrap(), record.clone());
    }
    Source {
        name: name.to_owned(),
        bytes: writer.write().unwrap(),
    }
}

fn flat_city(latitude: Value, longitude: Value) -> Value {
    Value::map([
        ("city", Value::text("Odense")),
        ("country_code", Value::text("DK")),
        ("latitude", latitude),
        ("longitude", longitude),
        ("postcode", Value::text("")),
        ("state1", Value::text("South Denmark")),
        ("state2", Value::text("")),
        ("timezone", Value::text("")),
    ])
}

#[test]
fn numbers_of_any_width_and_texts_are_read() {
    let files = [
        (Value::Double(55.0), Value::Double(10.0)),
        (Value::text("55"), Value::text("10.0")),
        (Value::U16(55), Value::U64(10)),
        (Value::U32(55), Value::U16(10)),
    ];
    for (latitude, longitude) in files {
        let city = vec![built(
            "flat-city",
            &[("192.0.2.0/24", flat_city(latitude, longitude))],
        )];
        let geo = GeoDatabase::load(Sources {
            city,
            ..Sources::default()
        })
        .unwrap();
        let network = look(&geo, "192.0.2.7");
        let place = network.place.unwrap();
        assert_eq!(network.country.unwrap().as_str(), "DK");
        assert_eq!(
            (place.latitude_e4, place.longitude_e4, place.radius_km),
            (550_000, 100_000, 50)
        );
        assert_eq!(
            (place.city.as_deref(), place.region.as_deref()),
            (Some("Odense"), Some("South Denmark"))
        );
    }
}

#[test]
fn an_empty_city_is_a_centroid_and_mobile_networks_are_wide() {
    let mut centroid = flat_city(Value::Double(56.0), Value::Double(10.0));
    if let Value::Map(entries) = &mut centroid {
        entries[0].1 = Value::text("");
    }
    let city = flat_city(Value::Double(55.0), Value::Double(10.0));
    let geo = GeoDatabase::load(Sources {
        city: vec![built(
            "flat-city",
            &[("192.0.2.0/24", centroid), ("198.51.100.0/24", city)],
        )],
        asn: vec![crate::fixture_files::text(
            "asn.csv",
            "198.51.100.0,198.51.100.255,64500,Mobil\n",
        )],
        lists: vec![crate::fixture_files::text(
            "mobile.list",
            "kind = mobile\nAS64500\n",
        )],
        ..Sources::default()
    });
    let geo = geo.unwrap();
    assert!(look(&geo, "192.0.2.1").place.unwrap().is_centroid);
    assert_eq!(look(&geo, "198.51.100.1").place.unwrap().radius_km, 200);
}

#[test]
fn the_first_file_with_an_answer_wins_and_families_may_be_apart() {
    let place = |code: &str| Value::map([("country_code", Value::text(code))]);
    let silent = Value::map([("country_code", Value::text(""))]);
    let v4 = built("v4", &[("192.0.2.0/25", place("DK")), ("192.0.2.128/25", silent)]);
    let v6 = built("v6", &[("2001:db8::/32", place("SE"))]);
    let all = built(
        "all",
        &[("192.0.2.0/24", place("NO")), ("2001:db8::/31", place("NO"))],
    );
    let geo = GeoDatabase::load(Sources {
        city: vec![v4, v6, all],
        ..Sources::default()
    })
    .unwrap();
    let table = [
        ("192.0.2.1", "DK"),
        ("192.0.2.200", "NO"),
        ("2001:db8::1", "SE"),
        ("2001:db9::1", "NO"),
    ];
    for (ip, country) in table {
        assert_eq!(look(&geo, ip).country.unwrap().as_str(), country, "{ip}");
    }
}

#[test]
fn flat_systems_are_read() {
    let named = Value::map([
        ("autonomous_system_number", Value::U32(64500)),
        ("autonomous_system_organization", Value::text("Umbra")),
    ]);
    let lettered = Value::map([
        ("asn", Value::text("AS64501")),
        ("as_name", Value::text("Burrow")),
    ]);
    let asn = vec![built(
        "flat-asn",
        &[("192.0.2.0/24", named), ("198.51.100.0/24", lettered)],
    )];
    let geo = GeoDatabase::load(Sources {
        asn,
        ..Sources::default()
    })
    .unwrap();
    for (ip, asn, organisation) in [("192.0.2.1", 64500, "Umbra"), ("198.51.100.1", 64501, "Burrow")] {
        let network = look(&geo, ip);
        assert_eq!(
            (network.asn, network.organisation.as_deref()),
            (Some(asn), Some(organisation))
        );
    }
}

#[test]
fn a_large_database_gets_records_of_28_bits() {
    let mut writer = DatabaseWriter::new("large", 1_780_272_000);
    let padding = "x".repeat(70_000);
    for third in 0..=255u32 {
        let record = Value::map([
            ("autonomous_system_number", Value::U32(third + 1)),
            ("padding", Value::text(&format!("{third}{padding}"))),
        ]);
        writer.insert(format!("192.0.{third}.0/24").parse().unwrap(), record);
    }
    let asn = vec![Source {
        name: "large".into(),
        bytes: writer.write().unwrap(),
    }];
    let geo = GeoDatabase::load(Sources {
        asn,
        ..Sources::default()
    })
    .unwrap();
    for third in [1u32, 128, 254, 255] {
        assert_eq!(look(&geo, &format!("192.0.{third}.9")).asn, Some(third + 1));
    }
}
