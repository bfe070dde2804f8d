//! Listed prefix before Anonymous-IP before listed AS number.

use crate::fixture_files::{look, maxmind, text};
use doorward_geoip::{GeoDatabase, NetworkClass, NetworkKind, Sources};

#[test]
fn prefixes_win_over_flags_and_flags_over_systems() {
    let list = "kind = hosting\nAS64500\nkind = relay\n65.0.0.128/25\n65.0.0.200\n10.8.0.0/16\nkind = mobile\n65.0.0.200\n";
    let geo = GeoDatabase::load(Sources {
        asn: vec![text("asn.csv", "64.0.0.0,65.0.255.255,64500,A\n")],
        anonymous: vec![maxmind("GeoIP2-Anonymous-IP-Test")],
        lists: vec![text("networks.list", list)],
        ..Sources::default()
    });
    let geo = geo.unwrap();
    let table = [
        ("65.0.0.129", Some(NetworkKind::Relay)),
        ("65.0.0.200", Some(NetworkKind::Relay)),
        ("65.0.0.1", Some(NetworkKind::Tor)),
        ("64.0.0.1", Some(NetworkKind::Hosting)),
        ("66.0.0.1", None),
    ];
    for (ip, kind) in table {
        assert_eq!(look(&geo, ip).kind, kind, "{ip}");
    }
    let pool = look(&geo, "10.8.1.1");
    assert_eq!(
        (pool.class, pool.kind, pool.place),
        (NetworkClass::Private, Some(NetworkKind::Relay), None)
    );
}
