//! An address as people write it (RFC 5952 for IPv6), made without asking for memory. It stands in the fields of every
//! login, and the standard library's way through the machinery of formatting costs ten times this.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The longest text: eight groups of four digits.
const LONGEST: usize = 39;

/// What `Display` of an address shows.
pub(super) struct AddressText {
    bytes: [u8; LONGEST],
    length: usize,
}

impl AddressText {
    pub(super) fn of(ip: IpAddr) -> Self {
        let mut text = Self {
            bytes: [0; LONGEST],
            length: 0,
        };
        match ip {
            IpAddr::V4(ip) => text.put_v4(ip),
            IpAddr::V6(ip) => text.put_v6(ip),
        }
        text
    }

    pub(super) fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..self.length).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }

    fn put_v4(&mut self, ip: Ipv4Addr) {
        for (at, octet) in ip.octets().into_iter().enumerate() {
            if at > 0 {
                self.put(b'.');
            }
            for unit in [100, 10, 1] {
                if octet >= unit || unit == 1 {
                    self.put(b'0' + octet / unit % 10);
                }
            }
        }
    }

    fn put_v6(&mut self, ip: Ipv6Addr) {
        if let Some(mapped) = ip.to_ipv4_mapped() {
            b"::ffff:".iter().for_each(|byte| self.put(*byte));
            return self.put_v4(mapped);
        }
        let zeros = longest_zeros(ip.segments());
        for (at, group) in ip.segments().into_iter().enumerate() {
            if zeros.contains(&at) {
                if at == zeros.start {
                    self.put(b':');
                    self.put(b':');
                }
                continue;
            }
            if at > 0 && at != zeros.end {
                self.put(b':');
            }
            for shift in [12, 8, 4, 0] {
                if group >> shift > 0 || shift == 0 {
                    self.put(hex((group >> shift & 15) as u8));
                }
            }
        }
    }

    fn put(&mut self, byte: u8) {
        if let Some(free) = self.bytes.get_mut(self.length) {
            *free = byte;
            self.length += 1;
        }
    }
}

const fn hex(nibble: u8) -> u8 {
    nibble + if nibble < 10 { b'0' } else { b'a' - 10 }
}

/// The first of the longest runs of groups that are zero; empty and at the front if none has two.
fn longest_zeros(groups: [u16; 8]) -> std::ops::Range<usize> {
    let mut longest = 0..0;
    let mut start = 0;
    for (at, group) in groups.into_iter().enumerate() {
        if group != 0 {
            start = at + 1;
        } else if at + 1 - start > longest.len().max(1) {
            longest = start..at + 1;
        }
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn groups() -> impl Strategy<Value = [u16; 8]> {
        proptest::array::uniform8(prop_oneof![Just(0u16), Just(0), any::<u16>(), 0..300u16])
    }

    proptest! {
        #[test]
        fn it_reads_like_the_standard_library(v4 in any::<u32>(), groups in groups()) {
            for ip in [IpAddr::V4(v4.into()), IpAddr::V6(groups.into())] {
                let text = AddressText::of(ip);
                prop_assert_eq!(text.as_str(), ip.to_string());
            }
        }
    }

    #[test]
    fn odd_addresses_too() {
        for odd in [
            "::",
            "::1",
            "1::",
            "::ffff:1.2.3.4",
            "::ffff:0:0",
            "::1.2.3.4",
            "0.0.0.0",
            "64:ff9b::102:304",
        ] {
            let ip: IpAddr = odd.parse().expect("an address");
            assert_eq!(AddressText::of(ip).as_str(), ip.to_string());
        }
    }
}
