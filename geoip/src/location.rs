//! Where an address is: country and place.

use std::fmt;
use std::sync::Arc;

use crate::distance::Coordinates;
use crate::network_kind::NetworkKind;
use crate::record::CityRecord;

/// Radius of a city whose record names none, in kilometres.
const CITY_RADIUS_KM: u16 = 50;
/// Radius of an address of a mobile network whose record names none, in kilometres.
const MOBILE_RADIUS_KM: u16 = 200;
/// Radius of a country's centroid whose record names none, in kilometres.
const CENTROID_RADIUS_KM: u16 = 1_000;

/// A country by its two capital letters (ISO 3166-1 alpha-2).
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Country([u8; 2]);

impl Country {
    /// From two letters of either case; `None` for anything else.
    pub fn from_code(code: &str) -> Option<Country> {
        match code.as_bytes() {
            [a, b] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => {
                Some(Country([a.to_ascii_uppercase(), b.to_ascii_uppercase()]))
            }
            _ => None,
        }
    }

    /// The two capital letters as bytes.
    pub fn bytes(self) -> [u8; 2] {
        self.0
    }

    /// The two capital letters.
    pub fn as_str(&self) -> &str {
        // Only ASCII letters ever get in, so the fallback is never seen.
        std::str::from_utf8(&self.0).unwrap_or("")
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The place a database gives for an address.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// Ten-thousandths of a degree north, -900,000 to 900,000.
    pub latitude_e4: i32,
    /// Ten-thousandths of a degree east, -1,800,000 to 1,800,000.
    pub longitude_e4: i32,
    /// How far off the address may be, in kilometres: as the record says, else 50 for a city, 200 for a
    /// mobile network, 1,000 for a centroid.
    pub radius_km: u16,
    /// Name of the city, in English where there is a choice.
    pub city: Option<Arc<str>>,
    /// Name of the region (state, province), in English where there is a choice.
    pub region: Option<Arc<str>>,
    /// The middle of a country or region rather than a city: too coarse for distances.
    pub is_centroid: bool,
}

impl Place {
    /// The middle of the place.
    pub fn coordinates(&self) -> Coordinates {
        Coordinates {
            latitude_e4: self.latitude_e4,
            longitude_e4: self.longitude_e4,
        }
    }

    /// The place a record gives, if it gives one.
    pub(crate) fn from_record(record: &CityRecord<'_>, kind: Option<NetworkKind>) -> Option<Place> {
        let (latitude, longitude) = (record.latitude?, record.longitude?);
        let is_centroid = record.city.is_none();
        // Free databases write 0, 0 where they know no place; nobody lives there.
        if is_centroid && latitude == 0.0 && longitude == 0.0 {
            return None;
        }
        let point = Coordinates::from_degrees(latitude, longitude)?;
        let usual_radius_km = match kind {
            _ if is_centroid => CENTROID_RADIUS_KM,
            Some(NetworkKind::Mobile) => MOBILE_RADIUS_KM,
            _ => CITY_RADIUS_KM,
        };
        Some(Place {
            latitude_e4: point.latitude_e4,
            longitude_e4: point.longitude_e4,
            radius_km: record.radius_km.and_then(radius_from).unwrap_or(usual_radius_km),
            city: record.city.map(clean),
            region: record.region.map(clean),
            is_centroid,
        })
    }
}

fn radius_from(km: f64) -> Option<u16> {
    // Half the Earth's circumference: a larger radius, or none, says nothing.
    (km > 0.0 && km <= 20_016.0).then(|| libm::ceil(km) as u16)
}

/// A name from a database, fit to be passed on: no control characters, at most 200 characters.
pub(crate) fn clean(name: &str) -> Arc<str> {
    const MAX_CHARS: usize = 200;
    if name.len() <= MAX_CHARS && !name.chars().any(char::is_control) {
        return Arc::from(name);
    }
    name.chars()
        .filter(|c| !c.is_control())
        .take(MAX_CHARS)
        .collect::<String>()
        .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record<'a>(city: Option<&'a str>, radius_km: Option<f64>) -> CityRecord<'a> {
        CityRecord {
            city,
            radius_km,
            latitude: Some(55.0),
            longitude: Some(12.0),
            ..CityRecord::default()
        }
    }

    fn radius(city: Option<&str>, radius_km: Option<f64>, kind: Option<NetworkKind>) -> u16 {
        Place::from_record(&record(city, radius_km), kind)
            .unwrap()
            .radius_km
    }

    #[test]
    fn the_radius_of_the_record_wins_over_the_usual_ones() {
        assert_eq!(radius(Some("Odense"), Some(5.0), Some(NetworkKind::Mobile)), 5);
        assert_eq!(radius(Some("Odense"), None, Some(NetworkKind::Mobile)), 200);
        assert_eq!(radius(Some("Odense"), None, None), 50);
        assert_eq!(radius(None, None, None), 1_000);
        assert_eq!(radius(Some("Odense"), Some(-1.0), None), 50);
        assert_eq!(radius(Some("Odense"), Some(f64::NAN), None), 50);
    }

    #[test]
    fn without_a_city_it_is_a_centroid_and_null_island_is_no_place() {
        assert!(Place::from_record(&record(None, None), None).unwrap().is_centroid);
        assert!(
            !Place::from_record(&record(Some("Odense"), None), None)
                .unwrap()
                .is_centroid
        );
        let nowhere = CityRecord {
            latitude: Some(0.0),
            longitude: Some(0.0),
            ..CityRecord::default()
        };
        assert_eq!(Place::from_record(&nowhere, None), None);
        let half = CityRecord {
            latitude: Some(1.0),
            ..CityRecord::default()
        };
        assert_eq!(Place::from_record(&half, None), None);
    }

    #[test]
    fn a_country_is_two_letters() {
        assert_eq!(Country::from_code("dk").unwrap().as_str(), "DK");
        assert_eq!(Country::from_code("DK").unwrap().bytes(), *b"DK");
        for wrong in ["", "D", "DNK", "D1", "É", "--"] {
            assert_eq!(Country::from_code(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn names_lose_control_characters_and_length() {
        assert_eq!(&*clean("Aar\u{0}hus\r\n"), "Aarhus");
        assert_eq!(clean(&"ø".repeat(500)).chars().count(), 200);
        assert_eq!(&*clean("Málaga"), "Málaga");
    }
}
