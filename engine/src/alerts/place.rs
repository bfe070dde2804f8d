//! What may be said of where a sign-in came from. A wrong town teaches people to ignore the mail, so a town is named
//! only if it is likely to be right; else the country, and why no town.

use serde::{Deserialize, Serialize};

use super::country;
use crate::enrich::network::{NetworkFacts, NetworkKind};

/// A town is named up to this error circle.
const TOWN_RADIUS_KM_MAX: f64 = 50.0;

/// Where, as far as it can be said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    /// A town and its country in English; the country is empty if unknown.
    Town {
        /// Name of the town.
        town: Box<str>,
        /// Name of the country.
        country: Box<str>,
    },
    /// Only the country.
    Country {
        /// Name of the country.
        country: Box<str>,
        /// Why no town.
        why: NoTown,
    },
    /// Nothing, such as for a private address.
    Unknown,
}

/// Why no town is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum NoTown {
    /// Many people share a mobile gateway, and it stands anywhere in the country.
    Mobile,
    /// A relay hides the town.
    Relay,
    /// A VPN hides the town.
    Vpn,
    /// The address belongs to a data centre.
    Hosting,
    /// Satellite access, a plane or a ship.
    Satellite,
    /// An exit of the Tor network.
    Tor,
    /// No database knows it closely enough.
    Imprecise,
}

impl Place {
    /// By what is known of the network.
    #[must_use]
    pub fn of(network: &NetworkFacts) -> Self {
        let country = network.country.map(country::name);
        let town = network
            .place
            .as_ref()
            .filter(|place| place.radius_km <= TOWN_RADIUS_KM_MAX);
        match (
            network.kind.map(NoTown::of),
            town.and_then(|place| place.city.as_deref()),
            country,
        ) {
            (None, Some(town), country) if !town.is_empty() => Self::Town {
                town: town.into(),
                country: country.unwrap_or_default(),
            },
            (why, _, Some(country)) => Self::Country {
                country,
                why: why.unwrap_or(NoTown::Imprecise),
            },
            (_, _, None) => Self::Unknown,
        }
    }
}

impl NoTown {
    const fn of(kind: NetworkKind) -> Self {
        match kind {
            NetworkKind::Hosting => Self::Hosting,
            NetworkKind::Vpn => Self::Vpn,
            NetworkKind::Relay => Self::Relay,
            NetworkKind::Tor => Self::Tor,
            NetworkKind::Satellite => Self::Satellite,
            NetworkKind::Mobile => Self::Mobile,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::enrich::network;

    fn network(radius_km: f64, city: Option<&str>) -> NetworkFacts {
        NetworkFacts {
            ip: "198.51.100.7".parse().unwrap(),
            class: doorward_geoip::NetworkClass::Public,
            kind: None,
            asn: None,
            organisation: None,
            country: Some(*b"DK"),
            place: Some(network::Place {
                latitude: 56.1,
                longitude: 10.2,
                radius_km,
                city: city.map(Into::into),
            }),
            geo_epoch: 1,
        }
    }

    fn town() -> Place {
        Place::Town {
            town: "Aarhus".into(),
            country: "Denmark".into(),
        }
    }

    fn only_country(why: NoTown) -> Place {
        Place::Country {
            country: "Denmark".into(),
            why,
        }
    }

    #[test]
    fn a_town_needs_a_small_circle_and_an_ordinary_network() {
        assert_eq!(Place::of(&network(50.0, Some("Aarhus"))), town());
        assert_eq!(
            Place::of(&network(50.1, Some("Aarhus"))),
            only_country(NoTown::Imprecise)
        );
        assert_eq!(Place::of(&network(10.0, None)), only_country(NoTown::Imprecise));
        assert_eq!(
            Place::of(&network(f64::NAN, Some("Aarhus"))),
            only_country(NoTown::Imprecise)
        );
        let kinds = [
            (NetworkKind::Mobile, NoTown::Mobile),
            (NetworkKind::Relay, NoTown::Relay),
            (NetworkKind::Vpn, NoTown::Vpn),
            (NetworkKind::Hosting, NoTown::Hosting),
            (NetworkKind::Satellite, NoTown::Satellite),
            (NetworkKind::Tor, NoTown::Tor),
        ];
        for (kind, why) in kinds {
            let network = NetworkFacts {
                kind: Some(kind),
                ..network(5.0, Some("Aarhus"))
            };
            assert_eq!(Place::of(&network), only_country(why));
        }
    }

    #[test]
    fn a_private_address_is_not_a_foreign_country() {
        let private = NetworkFacts {
            country: None,
            place: None,
            ..network(0.0, None)
        };
        assert_eq!(Place::of(&private), Place::Unknown);
        let no_country = NetworkFacts {
            country: None,
            ..network(5.0, Some("Aarhus"))
        };
        assert_eq!(
            Place::of(&no_country),
            Place::Town {
                town: "Aarhus".into(),
                country: "".into()
            }
        );
        let relay = NetworkFacts {
            kind: Some(NetworkKind::Relay),
            ..no_country
        };
        assert_eq!(Place::of(&relay), Place::Unknown);
    }
}
