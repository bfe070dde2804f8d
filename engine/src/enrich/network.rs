//! The network and place of one event, as stored with attempts and handed to history and signals.

use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// What kind of network a list or database says an address belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub enum NetworkKind {
    /// Servers for rent.
    Hosting,
    /// A commercial or company VPN.
    Vpn,
    /// A relay that hides the address but not the country, such as iCloud Private Relay.
    Relay,
    /// An exit of the Tor network.
    Tor,
    /// Satellite access, planes and ships.
    Satellite,
    /// A mobile gateway, many people behind one address.
    Mobile,
}

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
    pub class: Arc<str>,
    /// Kind by lists, `None` if on none.
    pub kind: Option<NetworkKind>,
    /// Number of the autonomous system.
    pub asn: Option<u32>,
    /// Name of the autonomous system's owner.
    pub organisation: Option<Arc<str>>,
    /// ISO 3166-1 alpha-2.
    pub country: Option<[u8; 2]>,
    /// Place; `None` if unknown or only a country's centroid.
    pub place: Option<Place>,
    /// Epoch of the geo files that said so.
    pub geo_epoch: u64,
}
