//! What an address is by its number alone, from the registries of special-purpose addresses
//! (RFC 6890 and its updates). It needs no database.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde::{Deserialize, Serialize};

/// The class of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NetworkClass {
    /// Anything routed on the Internet.
    Public,
    /// Inside one organisation: RFC 1918, RFC 4193 (unique local), RFC 3879 (site-local), RFC 8215.
    Private,
    /// Shared by the customers of one provider: RFC 6598.
    Cgnat,
    /// For documentation: RFC 5737, RFC 3849, RFC 9637. Looked up like a public address.
    Documentation,
    /// The machine itself: RFC 1122, RFC 4291.
    Loopback,
    /// One link only: RFC 3927, RFC 4291.
    LinkLocal,
    /// Many receivers: RFC 5771, RFC 4291.
    Multicast,
    /// `0.0.0.0` and `::`.
    Unspecified,
    /// Reserved, benchmarking (RFC 2544, RFC 5180) and everything not given out. Looked up like a public
    /// address, because networks are given out now and then.
    Reserved,
}

impl NetworkClass {
    /// The class of an address. An IPv4 address mapped into IPv6 counts as IPv4.
    pub fn of(ip: IpAddr) -> NetworkClass {
        match ip.to_canonical() {
            IpAddr::V4(v4) => class_v4(v4),
            IpAddr::V6(v6) => class_v6(v6),
        }
    }

    /// Whether a database may know where such an address is.
    pub fn has_place(self) -> bool {
        matches!(
            self,
            NetworkClass::Public | NetworkClass::Documentation | NetworkClass::Reserved
        )
    }

    /// The name as it appears in output.
    pub fn as_str(self) -> &'static str {
        match self {
            NetworkClass::Public => "public",
            NetworkClass::Private => "private",
            NetworkClass::Cgnat => "cgnat",
            NetworkClass::Documentation => "documentation",
            NetworkClass::Loopback => "loopback",
            NetworkClass::LinkLocal => "link_local",
            NetworkClass::Multicast => "multicast",
            NetworkClass::Unspecified => "unspecified",
            NetworkClass::Reserved => "reserved",
        }
    }
}

impl fmt::Display for NetworkClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn class_v4(ip: Ipv4Addr) -> NetworkClass {
    match ip.octets() {
        [0, 0, 0, 0] => NetworkClass::Unspecified,
        [10, ..] | [172, 16..=31, ..] | [192, 168, ..] => NetworkClass::Private,
        [100, 64..=127, ..] => NetworkClass::Cgnat,
        [127, ..] => NetworkClass::Loopback,
        [169, 254, ..] => NetworkClass::LinkLocal,
        [192, 0, 2, _] | [198, 51, 100, _] | [203, 0, 113, _] => NetworkClass::Documentation,
        [224..=239, ..] => NetworkClass::Multicast,
        // "This network", protocol assignments, old 6to4 relays, benchmarking, future use and broadcast.
        [0, ..] | [192, 0, 0, _] | [192, 88, 99, _] | [198, 18..=19, ..] | [240..=255, ..] => {
            NetworkClass::Reserved
        }
        _ => NetworkClass::Public,
    }
}

fn class_v6(ip: Ipv6Addr) -> NetworkClass {
    if ip.is_unspecified() {
        return NetworkClass::Unspecified;
    }
    if ip.is_loopback() {
        return NetworkClass::Loopback;
    }
    match ip.segments() {
        [0xff00..=0xffff, ..] => NetworkClass::Multicast,
        [0xfe80..=0xfebf, ..] => NetworkClass::LinkLocal,
        [0xfc00..=0xfdff, ..] | [0xfec0..=0xfeff, ..] | [0x64, 0xff9b, 1, ..] => NetworkClass::Private,
        [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => NetworkClass::Documentation,
        // Benchmarking and identifiers that are no addresses (ORCHID).
        [0x2001, 2, 0, ..] | [0x2001, 0x10..=0x2f, ..] => NetworkClass::Reserved,
        // Global unicast, and IPv4 behind a translator (RFC 6052).
        [0x2000..=0x3fff, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => NetworkClass::Public,
        _ => NetworkClass::Reserved,
    }
}

#[cfg(test)]
mod tests {
    use super::NetworkClass::{self, *};

    /// The first and last addresses of the ranges, and their neighbours.
    const TABLE: [(NetworkClass, &str); 15] = [
        (
            Public,
            "1.1.1.1 9.255.255.255 11.0.0.0 172.15.255.255 172.32.0.0 100.63.255.255",
        ),
        (
            Public,
            "100.128.0.0 198.17.255.255 198.20.0.0 223.255.255.255 2a00::1 2000:: 2001::1",
        ),
        (
            Public,
            "2001:db7:ffff:: 2001:db9:: 3ffe:ffff:: 2002::1 64:ff9b::1.2.3.4 2001:3::",
        ),
        (
            Private,
            "10.0.0.0 10.255.255.255 172.16.0.0 172.31.255.255 192.168.0.0 192.168.255.255",
        ),
        (Private, "fc00:: fdff::1 fec0::1 64:ff9b:1::1 ::ffff:10.1.2.3"),
        (Cgnat, "100.64.0.0 100.127.255.255"),
        (
            Documentation,
            "192.0.2.0 198.51.100.255 203.0.113.9 ::ffff:192.0.2.1",
        ),
        (
            Documentation,
            "2001:db8:: 2001:db8:ffff::1 3fff:: 3fff:fff:ffff::",
        ),
        (Loopback, "127.0.0.1 127.255.255.255 ::1"),
        (LinkLocal, "169.254.0.0 169.254.255.255 fe80::1 febf:ffff::"),
        (Multicast, "224.0.0.0 239.255.255.255 ff02::1"),
        (Unspecified, "0.0.0.0 ::"),
        (
            Reserved,
            "0.0.0.1 192.0.0.1 192.88.99.1 198.18.0.0 198.19.255.255 240.0.0.0",
        ),
        (Reserved, "255.255.255.255 2001:2::1 2001:10::1 2001:2f::1 100::1"),
        (Reserved, "4000:: fe00:: ::2"),
    ];

    #[test]
    fn every_special_range_at_its_first_and_last_address() {
        for (class, addresses) in TABLE {
            for address in addresses.split(' ') {
                assert_eq!(NetworkClass::of(address.parse().unwrap()), class, "{address}");
            }
        }
    }

    #[test]
    fn the_last_block_of_global_unicast_is_public_behind_the_documentation_range() {
        assert_eq!(NetworkClass::of("3fff:1000::".parse().unwrap()), Public);
    }

    #[test]
    fn names_are_those_of_the_serialised_form() {
        for class in [
            Public,
            Private,
            Cgnat,
            Documentation,
            Loopback,
            LinkLocal,
            Multicast,
            Unspecified,
            Reserved,
        ] {
            assert_eq!(serde_json::to_string(&class).unwrap(), format!("\"{class}\""));
        }
    }
}
