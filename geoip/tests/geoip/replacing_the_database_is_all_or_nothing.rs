//! A fresh database is seen whole or not at all, and a cache never mixes two.

use std::net::IpAddr;

use crate::fixture_files::{doorward_test, look, text};
use doorward_geoip::{CurrentDatabase, GeoDatabase, LookupCache, Sources};
use proptest::prelude::*;

#[test]
fn a_broken_file_leaves_the_old_database_in_use() {
    let current = CurrentDatabase::new(GeoDatabase::load(doorward_test()).unwrap());
    let (held, epoch) = (current.get(), current.get().epoch());
    let mut broken = doorward_test();
    broken.city[0].bytes.truncate(1_000);
    let error = current.replace(broken).unwrap_err().to_string();
    assert!(
        error.starts_with("`doorward-test-city.mmdb` is not a sound"),
        "{error}"
    );
    assert_eq!(current.get().epoch(), epoch);

    let replaced = current.replace(Sources::default()).unwrap();
    assert_eq!(replaced.epoch(), epoch);
    assert_ne!(current.get().epoch(), epoch);
    assert_eq!(look(&current.get(), "198.18.0.1").asn, None);
    assert_eq!(look(&held, "198.18.0.1").asn, Some(64496));
}

#[test]
fn a_cache_forgets_at_a_new_epoch() {
    let asn = |number: u32| Sources {
        asn: vec![text("asn.csv", &format!("192.0.2.0,192.0.2.255,{number},A\n"))],
        ..Sources::default()
    };
    let (one, two) = (
        GeoDatabase::load(asn(1)).unwrap(),
        GeoDatabase::load(asn(2)).unwrap(),
    );
    let mut cache = LookupCache::new(100);
    let ip: IpAddr = "192.0.2.1".parse().unwrap();
    for (geo, expected) in [(&one, 1), (&two, 2), (&two, 2), (&one, 1)] {
        assert_eq!(cache.get(geo, ip).asn, Some(expected));
        assert_eq!(cache.len(), 1);
    }
    assert_eq!(cache.get(&one, "::ffff:192.0.2.1".parse().unwrap()).asn, Some(1));
    assert_eq!(cache.len(), 1);
}

fn addresses() -> impl Strategy<Value = IpAddr> {
    prop_oneof![
        any::<IpAddr>(),
        (0xC612_0000u32..0xC614_0000).prop_map(|bits| IpAddr::V4(bits.into())),
        (0u8..=255).prop_map(|last| IpAddr::from([203, 0, 113, last])),
        (0u8..=255).prop_map(|last| IpAddr::from([198, 51, 100, last])),
        (0u16..0x2000).prop_map(|third| IpAddr::from([0x2001, 0xdb8, third, 0, 0, 0, 0, 1])),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 30, ..ProptestConfig::default() })]

    #[test]
    fn a_cache_of_any_size_never_changes_an_answer_and_stays_bounded(
        capacity in 0usize..40,
        addresses in prop::collection::vec(addresses(), 1..400),
    ) {
        let geo = GeoDatabase::load(doorward_test()).unwrap();
        let mut cache = LookupCache::new(capacity);
        for ip in addresses.iter().chain(&addresses) {
            prop_assert_eq!(cache.get(&geo, *ip), geo.lookup(*ip));
            prop_assert!(cache.len() <= capacity, "{} of {}", cache.len(), capacity);
        }
        prop_assert_eq!(geo.unreadable_records(), 0);
    }
}
