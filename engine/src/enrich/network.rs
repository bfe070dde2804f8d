//! The network and place of one event, as stored with attempts and handed to history and signals.

use std::net::IpAddr;
use std::sync::Arc;

use doorward_geoip::Network;
use serde::{Deserialize, Serialize};

pub use doorward_geoip::{NetworkClass, NetworkKind};

/// A place with its error circle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// Radius of the circle in km.
    pub radius_km: f64,
    /// City in English, if the database knows one.
    pub city: Option<Arc<str>>,
}

/// Everything that is known of an address without looking at any user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NetworkFacts {
    /// Canonical address; IPv4 in IPv6 is IPv4.
    pub ip: IpAddr,
    /// Class of the range, such as `public` or `private`.
    pub class: NetworkClass,
    /// Kind by lists, `None` if on none.
    pub kind: Option<NetworkKind>,
    /// Number of the autonomous system.
    pub asn: Option<u32>,
    /// Name of the autonomous system's owner.
    pub organisation: Option<Arc<str>>,
    /// ISO 3166-1 alpha-2.
    pub country: Option<[u8; 2]>,
    /// Place; `None` if unknown, or only the middle of a country or region.
    pub place: Option<Place>,
    /// Epoch of the geo files that said so.
    pub geo_epoch: u64,
}

impl NetworkFacts {
    /// What the databases of `geo_epoch` said of an address.
    #[must_use]
    pub fn new(ip: IpAddr, network: &Network, geo_epoch: u64) -> Self {
        let place = network.place.as_ref().filter(|place| !place.is_centroid);
        Self {
            ip,
            class: network.class,
            kind: network.kind,
            asn: network.asn,
            organisation: network.organisation.clone(),
            country: network.country.map(doorward_geoip::Country::bytes),
            place: place.map(|place| Place {
                latitude: place.coordinates().latitude(),
                longitude: place.coordinates().longitude(),
                radius_km: f64::from(place.radius_km),
                city: place.city.clone(),
            }),
            geo_epoch,
        }
    }

    /// Country as text.
    #[must_use]
    pub fn country_code(&self) -> Option<&str> {
        self.country
            .as_ref()
            .and_then(|code| std::str::from_utf8(code).ok())
    }
}
