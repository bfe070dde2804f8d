//! The records of MaxMind files, in the nested shape of GeoIP2 and in the flat shapes of free databases.
//! Which shape it is shows in the record itself; unknown keys are skipped.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::network_kind::NetworkKind;
use crate::scalar::{Scalar, skip_seq};
use crate::source::SourceKind;

/// A record that may have nothing to say.
pub(crate) trait Answer {
    /// Whether the record says anything this crate asks for.
    fn is_answer(&self) -> bool;
}

/// One sort of record: its shape, and what it is asked for.
pub(crate) trait RecordKind {
    /// The record, borrowing its text from the file.
    type Record<'a>: Deserialize<'a> + Answer;
    /// What a file of such records is given for.
    const SOURCE: SourceKind;
}

/// Records of places.
pub(crate) struct City;
/// Records of autonomous systems.
pub(crate) struct Asn;
/// Records of anonymisers.
pub(crate) struct Anonymous;

impl RecordKind for City {
    type Record<'a> = CityRecord<'a>;
    const SOURCE: SourceKind = SourceKind::City;
}

impl RecordKind for Asn {
    type Record<'a> = AsnRecord<'a>;
    const SOURCE: SourceKind = SourceKind::Asn;
}

impl RecordKind for Anonymous {
    type Record<'a> = AnonymousRecord;
    const SOURCE: SourceKind = SourceKind::Anonymous;
}

/// Something read from a map one key at a time. Values that are no map read as the default, but for
/// text, which `from_text` may use.
trait Fields<'de>: Default {
    fn read<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error>;

    fn from_text(_: &'de str) -> Self {
        Self::default()
    }

    /// The first of a list; by default a list says nothing.
    fn from_seq<A: SeqAccess<'de>>(seq: A) -> Result<Self, A::Error> {
        skip_seq(seq).map(|()| Self::default())
    }
}

struct FieldsVisitor<T>(PhantomData<T>);

macro_rules! visit_as_default {
    ($($visit:ident: $from:ty),*) => {
        $(fn $visit<E>(self, _: $from) -> Result<Self::Value, E> {
            Ok(T::default())
        })*
    };
}

impl<'de, T: Fields<'de>> Visitor<'de> for FieldsVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a record")
    }

    visit_as_default!(visit_u16: u16, visit_u32: u32, visit_u64: u64, visit_u128: u128, visit_i32: i32);
    visit_as_default!(visit_i64: i64, visit_f32: f32, visit_f64: f64, visit_bool: bool);
    visit_as_default!(visit_bytes: &[u8], visit_str: &str);

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<T, E> {
        Ok(T::from_text(value))
    }

    fn visit_unit<E>(self) -> Result<T, E> {
        Ok(T::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<T, A::Error> {
        T::from_seq(seq)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<T, A::Error> {
        let mut fields = T::default();
        while let Some(key) = map.next_key::<&str>()? {
            fields.read(key, &mut map)?;
        }
        Ok(fields)
    }
}

macro_rules! deserialize_fields {
    ($($name:ident $(<$life:lifetime>)?),*) => {
        $(impl<'de> Deserialize<'de> for $name $(<$life>)? {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(FieldsVisitor(PhantomData))
            }
        })*
    };
}

deserialize_fields!(
    CityRecord<'de>,
    AsnRecord<'de>,
    AnonymousRecord,
    Named<'de>,
    Names<'de>,
    Location
);

/// What a City, Country or flat record says.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct CityRecord<'a> {
    pub(crate) country: Option<&'a str>,
    pub(crate) city: Option<&'a str>,
    pub(crate) region: Option<&'a str>,
    pub(crate) latitude: Option<f64>,
    pub(crate) longitude: Option<f64>,
    pub(crate) radius_km: Option<f64>,
}

impl Answer for CityRecord<'_> {
    fn is_answer(&self) -> bool {
        self.country.is_some() || (self.latitude.is_some() && self.longitude.is_some())
    }
}

impl<'de> Fields<'de> for CityRecord<'de> {
    fn read<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "country" => {
                let country: Named<'_> = map.next_value()?;
                // A flat `country` may be the code or, beside `country_code`, the name.
                let code = country.code.or(country.text.filter(|text| text.len() == 2));
                self.country = self.country.or(code);
            }
            "country_code" => {
                let code: Scalar<'_> = map.next_value()?;
                self.country = code.text().or(self.country);
            }
            "city" => {
                let city: Named<'_> = map.next_value()?;
                self.city = city.name.or(city.text);
            }
            "subdivisions" | "state1" | "region" | "subdivision" => {
                let region: Named<'_> = map.next_value()?;
                self.region = self.region.or(region.name).or(region.text);
            }
            "location" => {
                let location: Location = map.next_value()?;
                self.latitude = location.latitude.or(self.latitude);
                self.longitude = location.longitude.or(self.longitude);
                self.radius_km = location.radius_km.or(self.radius_km);
            }
            "latitude" | "lat" => self.latitude = map.next_value::<Scalar<'_>>()?.number(),
            "longitude" | "lng" | "lon" => self.longitude = map.next_value::<Scalar<'_>>()?.number(),
            "accuracy_radius" => self.radius_km = map.next_value::<Scalar<'_>>()?.number(),
            _ => drop(map.next_value::<IgnoredAny>()?),
        }
        Ok(())
    }
}

/// `location` of a nested record.
#[derive(Default)]
struct Location {
    latitude: Option<f64>,
    longitude: Option<f64>,
    radius_km: Option<f64>,
}

impl<'de> Fields<'de> for Location {
    fn read<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let value: Scalar<'_> = map.next_value()?;
        match key {
            "latitude" => self.latitude = value.number(),
            "longitude" => self.longitude = value.number(),
            "accuracy_radius" => self.radius_km = value.number(),
            _ => {}
        }
        Ok(())
    }
}

/// Something with a code and names, plain text instead of it, or the first of a list of such.
#[derive(Default)]
struct Named<'a> {
    code: Option<&'a str>,
    name: Option<&'a str>,
    text: Option<&'a str>,
}

impl<'de> Fields<'de> for Named<'de> {
    fn read<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        match key {
            "iso_code" => self.code = map.next_value::<Scalar<'_>>()?.text(),
            "names" => self.name = map.next_value::<Names<'_>>()?.0,
            _ => drop(map.next_value::<IgnoredAny>()?),
        }
        Ok(())
    }

    fn from_text(text: &'de str) -> Self {
        Named {
            text: Scalar::Text(text).text(),
            ..Named::default()
        }
    }

    fn from_seq<A: SeqAccess<'de>>(mut seq: A) -> Result<Self, A::Error> {
        let first = seq.next_element::<Named<'_>>()?.unwrap_or_default();
        skip_seq(seq).map(|()| first)
    }
}

/// Names by language: English if there, else the first.
#[derive(Default)]
struct Names<'a>(Option<&'a str>);

impl<'de> Fields<'de> for Names<'de> {
    fn read<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        if key == "en" || self.0.is_none() {
            let name: Scalar<'_> = map.next_value()?;
            self.0 = name.text().or(self.0);
        } else {
            map.next_value::<IgnoredAny>()?;
        }
        Ok(())
    }
}

/// What an ASN, ISP or flat record says.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct AsnRecord<'a> {
    pub(crate) asn: Option<u32>,
    pub(crate) organisation: Option<&'a str>,
}

impl Answer for AsnRecord<'_> {
    fn is_answer(&self) -> bool {
        self.asn.is_some()
    }
}

impl<'de> Fields<'de> for AsnRecord<'de> {
    fn read<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let value: Scalar<'_> = map.next_value()?;
        match key {
            "autonomous_system_number" | "asn" => self.asn = value.asn().or(self.asn),
            "autonomous_system_organization" | "as_organization" | "as_name" | "organization" => {
                self.organisation = self.organisation.or(value.text());
            }
            _ => {}
        }
        Ok(())
    }
}

/// What the flags of an Anonymous-IP record come to.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct AnonymousRecord {
    has_flags: bool,
    is_anonymous: bool,
    flagged: Option<NetworkKind>,
}

impl AnonymousRecord {
    /// The kind that says most among the flags set. Proxies for the public, home connections rented out, and
    /// "anonymous" without more words hide their users as a VPN does.
    pub(crate) fn kind(&self) -> Option<NetworkKind> {
        self.flagged.or(self.is_anonymous.then_some(NetworkKind::Vpn))
    }
}

impl Answer for AnonymousRecord {
    fn is_answer(&self) -> bool {
        self.has_flags
    }
}

impl<'de> Fields<'de> for AnonymousRecord {
    fn read<A: MapAccess<'de>>(&mut self, key: &str, map: &mut A) -> Result<(), A::Error> {
        let value: Scalar<'_> = map.next_value()?;
        let kind = match key {
            "is_tor_exit_node" | "is_tor" => NetworkKind::Tor,
            "is_anonymous_vpn" | "is_vpn" | "is_public_proxy" | "is_residential_proxy" => NetworkKind::Vpn,
            "is_relay" => NetworkKind::Relay,
            "is_hosting_provider" | "is_hosting" => NetworkKind::Hosting,
            "is_anonymous" => {
                self.has_flags = true;
                self.is_anonymous = value.is_set();
                return Ok(());
            }
            _ => return Ok(()),
        };
        self.has_flags = true;
        if value.is_set() {
            self.flagged = Some(self.flagged.map_or(kind, |known| known.min(kind)));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_and_flat_records_say_the_same() {
        let nested = r#"{"city": {"names": {"da": "København", "en": "Copenhagen", "fr": "Copenhague"}},
            "continent": {"code": "EU"}, "country": {"iso_code": "DK", "names": {"en": "Denmark"}},
            "location": {"accuracy_radius": 20, "latitude": 55.7, "longitude": 12.6, "time_zone": "Europe/Copenhagen"},
            "subdivisions": [{"iso_code": "84", "names": {"en": "Capital Region"}}, {"names": {"en": "Inner"}}]}"#;
        let flat = r#"{"city": "Copenhagen", "country_code": "DK", "country": "Denmark", "latitude": "55.7",
            "longitude": 12.6, "accuracy_radius": "20", "state1": "Capital Region", "state2": "", "postcode": 1000}"#;
        let expected = CityRecord {
            country: Some("DK"),
            city: Some("Copenhagen"),
            region: Some("Capital Region"),
            latitude: Some(55.7),
            longitude: Some(12.6),
            radius_km: Some(20.0),
        };
        assert_eq!(serde_json::from_str::<CityRecord<'_>>(nested).unwrap(), expected);
        assert_eq!(serde_json::from_str::<CityRecord<'_>>(flat).unwrap(), expected);
    }

    #[test]
    fn a_field_of_an_unexpected_type_is_only_missing() {
        let odd = r#"{"city": 7, "country": ["DK"], "location": "here", "latitude": [1], "longitude": null,
            "subdivisions": {"names": []}, "country_code": "SE"}"#;
        let record: CityRecord<'_> = serde_json::from_str(odd).unwrap();
        assert_eq!(
            record,
            CityRecord {
                country: Some("SE"),
                ..CityRecord::default()
            }
        );
        assert_eq!(
            serde_json::from_str::<CityRecord<'_>>("[1, 2]").unwrap(),
            CityRecord::default()
        );
        assert_eq!(
            serde_json::from_str::<AsnRecord<'_>>("12").unwrap(),
            AsnRecord::default()
        );
    }

    #[test]
    fn of_several_flags_the_one_that_says_most_counts() {
        let kind = |json: &str| serde_json::from_str::<AnonymousRecord>(json).unwrap().kind();
        assert_eq!(
            kind(r#"{"is_hosting_provider": true, "is_tor_exit_node": true}"#),
            Some(NetworkKind::Tor)
        );
        assert_eq!(
            kind(r#"{"is_hosting_provider": true, "is_anonymous_vpn": 1}"#),
            Some(NetworkKind::Vpn)
        );
        assert_eq!(
            kind(r#"{"is_hosting_provider": true, "is_anonymous_vpn": false}"#),
            Some(NetworkKind::Hosting)
        );
        assert_eq!(kind(r#"{"is_hosting_provider": false}"#), None);
        assert_eq!(kind(r#"{"is_anonymous": true}"#), Some(NetworkKind::Vpn));
        assert_eq!(
            kind(r#"{"is_anonymous": true, "is_hosting_provider": true}"#),
            Some(NetworkKind::Hosting)
        );
    }
}
