//! The last place of a row as bytes.

use std::net::IpAddr;

use crate::enrich::network::NetworkKind;

use super::codec::{CodecError, flag};
use super::time::Seconds;
use super::user_history::LastPlace;
use super::wire::{Reader, Writer};

const CITY: u8 = 1;
const COUNTRY: u8 = 2;
const ASN: u8 = 4;
const V6: u8 = 8;

/// Position in this list plus 1 is the code of a kind; append only, at most 14.
const KINDS: [NetworkKind; 6] = [
    NetworkKind::Hosting,
    NetworkKind::Vpn,
    NetworkKind::Relay,
    NetworkKind::Tor,
    NetworkKind::Satellite,
    NetworkKind::Mobile,
];

pub(super) fn write(out: &mut Writer, last: &LastPlace, base: Seconds) {
    let kind = (1u8..).zip(KINDS).find(|(_, kind)| Some(*kind) == last.kind);
    out.byte(
        flag(last.city.is_some(), CITY)
            | flag(last.country.is_some(), COUNTRY)
            | flag(last.asn.is_some(), ASN)
            | flag(last.prefix.is_ipv6(), V6)
            | (kind.map_or(0, |(code, _)| code) << 4),
    );
    out.time(last.time, base);
    out.signed(i64::from(last.latitude));
    out.signed(i64::from(last.longitude));
    out.number(u64::from(last.radius_km));
    out.number(last.geo_epoch);
    if let Some(city) = &last.city {
        out.text(city);
    }
    if let Some(country) = &last.country {
        out.first_of(*country, 2);
    }
    if let Some(asn) = last.asn {
        out.number(u64::from(asn));
    }
    match last.prefix {
        IpAddr::V4(ip) => out.low_bytes(u64::from(ip.to_bits() >> 8), 3),
        IpAddr::V6(ip) => out.low_bytes((ip.to_bits() >> 80) as u64, 6),
    }
}

pub(super) fn read(input: &mut Reader<'_>, base: Seconds) -> Result<LastPlace, CodecError> {
    let flags = input.byte()?;
    let has = |bit: u8| flags & bit != 0;
    let kind = match (flags >> 4).checked_sub(1) {
        None => None,
        Some(code) => Some(
            *KINDS
                .get(usize::from(code))
                .ok_or(CodecError::Damaged("kind of the last place"))?,
        ),
    };
    let degrees = |value: i64| i32::try_from(value).map_err(|_| CodecError::Damaged("degrees"));
    Ok(LastPlace {
        kind,
        time: input.time(base)?,
        latitude: degrees(input.signed()?)?,
        longitude: degrees(input.signed()?)?,
        radius_km: input.narrow("radius")?,
        geo_epoch: input.number()?,
        city: if has(CITY) {
            Some(input.text()?.into())
        } else {
            None
        },
        country: if has(COUNTRY) { Some(input.array()?) } else { None },
        asn: if has(ASN) {
            Some(input.narrow("network of the last place")?)
        } else {
            None
        },
        prefix: if has(V6) {
            IpAddr::V6((u128::from(input.low_bytes(6)?) << 80).into())
        } else {
            IpAddr::V4(((input.low_bytes(3)? as u32) << 8).into())
        },
    })
}
