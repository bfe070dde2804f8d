//! Whether one person can have been at both places.

use doorward_geoip::{Coordinates, NetworkKind, distance_km};
use doorward_rules::{Field, Slots};

use super::{LoginContext, Signal};
use crate::enrich::network::Place;

/// A minute: two logins closer in time than this are taken to be this far apart.
const SHORTEST_MICROS: i64 = 60_000_000;

/// How fast would the user have travelled since the last place?
pub struct TravelSignal;

impl Signal for TravelSignal {
    fn question(&self) -> &'static str {
        "how fast would the user have travelled since the last place?"
    }

    fn fields(&self) -> &'static [Field] {
        &[
            Field::TravelDistanceKm,
            Field::TravelSpeedKmh,
            Field::TravelComparable,
            Field::TravelPairNew,
        ]
    }

    fn read(&self, context: &LoginContext<'_>, slots: &mut Slots) {
        let Some(history) = context.history else { return };
        let (Some(last), Some(here)) = (context.last_place, &context.network.place) else {
            return;
        };
        let there = &last.place;
        let Some(distance) = gap_km(there, here) else {
            return;
        };
        let time = context.login.event.time.as_micros();
        let elapsed = time.saturating_sub(crate::history::time::micros(last.time));
        let hours = elapsed.saturating_abs().max(SHORTEST_MICROS) as f64 / 3_600e6;
        let comparable = last.comparable && says_where(last.kind) && says_where(context.network.kind);
        slots.set_float(Field::TravelDistanceKm, distance);
        slots.set_float(Field::TravelSpeedKmh, distance / hours);
        slots.set_bool(Field::TravelComparable, comparable);
        slots.set_bool(
            Field::TravelPairNew,
            !history.knows_places(there, here, context.now),
        );
    }
}

/// Longer than a degree of any great circle.
const DEGREE_KM_MAX: f64 = 111.4;

/// Distance between the edges of two circles, 0 if they meet; `None` for coordinates that are none.
fn gap_km(a: &Place, b: &Place) -> Option<f64> {
    let from = Coordinates::from_degrees(a.latitude, a.longitude)?;
    let to = Coordinates::from_degrees(b.latitude, b.longitude)?;
    // Along a meridian and then a parallel is never shorter; so most logins, near the last one, need no trigonometry.
    let around = ((a.latitude - b.latitude).abs() + (a.longitude - b.longitude).abs()) * DEGREE_KM_MAX;
    if around <= a.radius_km + b.radius_km {
        return Some(0.0);
    }
    Some((distance_km(from, to) - a.radius_km - b.radius_km).max(0.0))
}

/// Whether an address on such a network tells where its user is. A mobile gateway does not: its place is its own.
fn says_where(kind: Option<NetworkKind>) -> bool {
    match kind {
        None | Some(NetworkKind::Tor) => true,
        Some(
            NetworkKind::Vpn
            | NetworkKind::Relay
            | NetworkKind::Hosting
            | NetworkKind::Satellite
            | NetworkKind::Mobile,
        ) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(latitude: f64, longitude: f64, radius_km: f64) -> Place {
        Place {
            latitude,
            longitude,
            radius_km,
            city: None,
        }
    }

    #[test]
    fn circles_that_meet_are_no_distance_apart() {
        let copenhagen = at(55.68, 12.57, 50.0);
        assert_eq!(gap_km(&copenhagen, &at(55.60, 13.00, 50.0)), Some(0.0));
        let gap = gap_km(&copenhagen, &at(40.42, -3.70, 50.0)).expect("real places");
        assert!((1_900.0..2_100.0).contains(&gap), "{gap}");
        assert_eq!(gap_km(&copenhagen, &at(f64::NAN, 0.0, 1.0)), None);
    }

    #[test]
    fn tunnels_and_gateways_say_nothing_of_a_place() {
        assert!(says_where(None));
        assert!(!says_where(Some(NetworkKind::Vpn)) && !says_where(Some(NetworkKind::Mobile)));
    }
}
