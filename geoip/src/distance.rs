//! Distances on the globe.

use serde::{Deserialize, Serialize};

use crate::location::Place;

/// Mean radius of the Earth in kilometres (IUGG).
const EARTH_RADIUS_KM: f64 = 6_371.008_8;

/// A point on the globe in ten-thousandths of a degree (about 11 m), so that it can be compared and stored
/// exactly. North and east are positive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Coordinates {
    /// -900,000 to 900,000.
    pub latitude_e4: i32,
    /// -1,800,000 to 1,800,000.
    pub longitude_e4: i32,
}

impl Coordinates {
    /// From degrees; `None` unless both are numbers within their ranges.
    pub fn from_degrees(latitude: f64, longitude: f64) -> Option<Coordinates> {
        let in_range = latitude.abs() <= 90.0 && longitude.abs() <= 180.0;
        // The ranges fit an i32, and NaN is in no range.
        in_range.then(|| Coordinates {
            latitude_e4: libm::round(latitude * 1e4) as i32,
            longitude_e4: libm::round(longitude * 1e4) as i32,
        })
    }

    /// Degrees north.
    pub fn latitude(self) -> f64 {
        f64::from(self.latitude_e4) / 1e4
    }

    /// Degrees east.
    pub fn longitude(self) -> f64 {
        f64::from(self.longitude_e4) / 1e4
    }
}

/// Great-circle distance in kilometres by the haversine formula, 0 to about 20,015.
pub fn distance_km(a: Coordinates, b: Coordinates) -> f64 {
    let (lat_a, lat_b) = (a.latitude().to_radians(), b.latitude().to_radians());
    let half_lat = libm::sin((lat_b - lat_a) / 2.0);
    let half_lon = libm::sin((b.longitude() - a.longitude()).to_radians() / 2.0);
    let h = half_lat * half_lat + libm::cos(lat_a) * libm::cos(lat_b) * half_lon * half_lon;
    // Rounding can lift h just above 1 for opposite points.
    2.0 * EARTH_RADIUS_KM * libm::asin(libm::sqrt(h.clamp(0.0, 1.0)))
}

/// The least distance in kilometres that lies between two places: the great-circle distance less both radii,
/// never below 0.
pub fn gap_km(a: &Place, b: &Place) -> f64 {
    let radii = f64::from(a.radius_km) + f64::from(b.radius_km);
    (distance_km(a.coordinates(), b.coordinates()) - radii).max(0.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(latitude: f64, longitude: f64) -> Coordinates {
        Coordinates::from_degrees(latitude, longitude).unwrap()
    }

    fn place(coordinates: Coordinates, radius_km: u16) -> Place {
        Place {
            latitude_e4: coordinates.latitude_e4,
            longitude_e4: coordinates.longitude_e4,
            radius_km,
            city: None,
            region: None,
            is_centroid: false,
        }
    }

    #[test]
    fn known_distances() {
        let (copenhagen, malaga, jakarta) =
            (at(55.6761, 12.5683), at(36.7202, -4.4203), at(-6.2146, 106.8451));
        // Expected values by the vector formula, which shares nothing with the haversine.
        assert!((distance_km(copenhagen, malaga) - 2_465.574).abs() < 0.01);
        assert!((distance_km(copenhagen, jakarta) - 10_845.885).abs() < 0.01);
        // A quarter and half of a great circle; across the date line.
        assert!((distance_km(at(0.0, 0.0), at(90.0, 0.0)) - 10_007.557).abs() < 0.001);
        assert!((distance_km(at(0.0, -90.0), at(0.0, 90.0)) - 20_015.115).abs() < 0.001);
        assert!((distance_km(at(0.0, 179.5), at(0.0, -179.5)) - 111.195).abs() < 0.001);
    }

    #[test]
    fn a_gap_is_what_both_radii_leave() {
        let (a, b) = (place(at(0.0, 179.5), 50), place(at(0.0, -179.5), 20));
        assert!((gap_km(&a, &b) - 41.195).abs() < 0.001);
        let wide = place(at(0.0, -179.5), 200);
        assert_eq!(gap_km(&a, &wide), 0.0);
    }

    #[test]
    fn degrees_outside_the_globe_are_no_point() {
        for (latitude, longitude) in [(90.1, 0.0), (0.0, 180.1), (f64::NAN, 0.0), (0.0, f64::INFINITY)] {
            assert_eq!(Coordinates::from_degrees(latitude, longitude), None);
        }
    }

    proptest! {
        #[test]
        fn distance_is_symmetric_bounded_and_zero_only_at_home(
            a in (-900_000i32..=900_000, -1_800_000i32..=1_800_000),
            b in (-900_000i32..=900_000, -1_800_000i32..=1_800_000),
        ) {
            let a = Coordinates { latitude_e4: a.0, longitude_e4: a.1 };
            let b = Coordinates { latitude_e4: b.0, longitude_e4: b.1 };
            let there = distance_km(a, b);
            prop_assert!((there - distance_km(b, a)).abs() < 1e-6);
            prop_assert!((0.0..=20_015.2).contains(&there));
            prop_assert_eq!(distance_km(a, a), 0.0);
        }
    }
}
