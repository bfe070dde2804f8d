//! The test database of our own is what its JSON says, byte for byte and answer by answer.

use std::net::IpAddr;

use crate::fixture_files::{doorward_test, look, source};
use crate::plan::{Plan, PlannedNetwork};
use doorward_geoip::{Coordinates, GeoDatabase, Network, NetworkClass, NetworkKind, Sources};

fn plan() -> Plan {
    serde_json::from_slice(&source("doorward-test.json").bytes).unwrap()
}

#[test]
fn the_built_files_are_those_in_the_folder() {
    let built = plan().build().unwrap();
    let advice = "run `cargo run -p doorward-geoip --example build-fixture`";
    assert!(built.city == source("doorward-test-city.mmdb").bytes, "{advice}");
    assert_eq!(
        built.asn.as_bytes(),
        source("doorward-test-asn.csv").bytes,
        "{advice}"
    );
    assert_eq!(
        built.lists.as_bytes(),
        source("doorward-test-networks.list").bytes,
        "{advice}"
    );
}

fn check(network: &Network, planned: &PlannedNetwork, ip: IpAddr) {
    assert_eq!(network.asn, Some(planned.asn), "{ip}");
    assert_eq!(
        network.organisation.as_deref(),
        Some(planned.organisation.as_str()),
        "{ip}"
    );
    assert_eq!(network.kind, NetworkKind::from_name(&planned.kind), "{ip}");
    assert_eq!(network.country.unwrap().as_str(), planned.country, "{ip}");
    let place = network.place.as_ref().unwrap();
    assert_eq!(place.city.as_deref(), planned.city.as_deref(), "{ip}");
    assert_eq!(place.region.as_deref(), planned.region.as_deref(), "{ip}");
    assert_eq!(
        Some(place.coordinates()),
        Coordinates::from_degrees(planned.latitude, planned.longitude),
        "{ip}"
    );
    assert_eq!(place.radius_km, planned.radius_km, "{ip}");
    assert_eq!(place.is_centroid, planned.city.is_none(), "{ip}");
}

#[test]
fn every_network_answers_as_planned_from_its_first_to_its_last_address() {
    let geo = GeoDatabase::load(doorward_test()).unwrap();
    let plan = plan();
    for planned in &plan.networks {
        for ip in [planned.cidr.network(), planned.cidr.broadcast()] {
            let network = geo.lookup(ip);
            check(&network, planned, ip);
            assert!(
                matches!(
                    network.class,
                    NetworkClass::Documentation | NetworkClass::Reserved
                ),
                "{ip}"
            );
        }
    }
    assert_eq!(geo.unreadable_records(), 0);
}

#[test]
fn planned_networks_do_not_overlap_and_all_kinds_are_there() {
    let plan = plan();
    for (index, one) in plan.networks.iter().enumerate() {
        for other in plan.networks.iter().skip(index + 1) {
            let overlap = one.cidr.contains(&other.cidr) || other.cidr.contains(&one.cidr);
            assert!(!overlap, "{} and {}", one.cidr, other.cidr);
        }
    }
    for kind in NetworkKind::ALL {
        assert!(
            plan.networks.iter().any(|network| network.kind == kind.as_str()),
            "{kind}"
        );
    }
}

#[test]
fn addresses_outside_the_plan_are_unknown_and_private_ones_have_no_place() {
    let geo = GeoDatabase::load(doorward_test()).unwrap();
    for ip in [
        "203.0.113.224",
        "203.0.113.255",
        "8.8.8.8",
        "2001:db8:ffff::1",
        "198.19.255.1",
    ] {
        let network = look(&geo, ip);
        assert_eq!(
            (network.asn, network.country, network.place, network.kind),
            (None, None, None, None),
            "{ip}"
        );
    }
    for ip in [
        "10.0.0.1",
        "100.64.0.1",
        "127.0.0.1",
        "169.254.1.1",
        "fe80::1",
        "::1",
        "fd00::1",
        "224.0.0.1",
    ] {
        let network = look(&geo, ip);
        assert_eq!((network.asn, network.place), (None, None), "{ip}");
    }
}

#[test]
fn the_epoch_follows_the_bytes_and_not_the_names() {
    let load = |sources: Sources| GeoDatabase::load(sources).unwrap();
    let epoch = load(doorward_test()).epoch();
    let mut renamed = doorward_test();
    renamed.city[0].name = "elsewhere.mmdb".into();
    assert_eq!(load(renamed).epoch(), epoch);
    let mut changed = doorward_test();
    changed.lists[0].bytes.extend(b"# a word more\n");
    assert_ne!(load(changed).epoch(), epoch);
    let mut moved = doorward_test();
    moved.asn.clear();
    assert_ne!(load(moved).epoch(), epoch);
    let first: [u8; 8] = load(doorward_test()).sha256()[..8].try_into().unwrap();
    assert_eq!(u64::from_be_bytes(first), epoch);
}
