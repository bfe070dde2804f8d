//! The networks that the life is lived on: those of the test database, so that what is generated can be located
//! without any other file. Providers are invented; addresses are for documentation and benchmarks only.

use super::GenerateError;
use super::random::Random;
use ipnet::IpNet;
use serde::Deserialize;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// The source of the test database; building the database is the business of `geoip`.
const PLAN: &str = include_str!("../../../fixtures/geoip/doorward-test.json");

/// What a network is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NetworkKind {
    /// Homes.
    Residential,
    /// Gateways that many phones share.
    Mobile,
    /// A café's Wi-Fi.
    Cafe,
    /// A hotel's Wi-Fi.
    Hotel,
    /// An organisation's own network.
    Office,
    /// An airport's Wi-Fi.
    Airport,
    /// Rented servers.
    Hosting,
    /// Exits of a VPN service.
    Vpn,
    /// Exits of a privacy relay that keeps the country.
    Relay,
    /// Exits of Tor.
    Tor,
    /// Planes, ships and remote homes.
    Satellite,
}

/// One prefix and whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Network {
    /// The prefix, IPv4 or IPv6.
    pub prefix: IpNet,
    /// Number of the autonomous system.
    pub asn: u32,
    /// What it is used for.
    pub kind: NetworkKind,
    /// ISO 3166-1 alpha-2.
    pub country: String,
    /// The city; `None` where only the country is known.
    pub city: Option<String>,
}

#[derive(Deserialize)]
struct RawPlan {
    networks: Vec<RawNetwork>,
}

#[derive(Deserialize)]
struct RawNetwork {
    cidr: String,
    asn: u32,
    kind: NetworkKind,
    country: String,
    city: Option<String>,
}

/// All networks of the plan, in its order.
#[derive(Debug, Clone)]
pub struct NetworkPlan {
    networks: Vec<Arc<Network>>,
}

impl NetworkPlan {
    /// The plan that is built in.
    ///
    /// # Errors
    /// [`GenerateError::Networks`] if the plan that was built in cannot be read.
    pub fn embedded() -> Result<Self, GenerateError> {
        Self::from_json(PLAN)
    }

    fn from_json(text: &str) -> Result<Self, GenerateError> {
        let raw: RawPlan =
            serde_json::from_str(text).map_err(|error| GenerateError::Networks(error.to_string()))?;
        let read = |raw: RawNetwork| {
            let prefix = raw
                .cidr
                .parse()
                .map_err(|_| GenerateError::Networks(raw.cidr.clone()))?;
            Ok(Arc::new(Network {
                prefix,
                asn: raw.asn,
                kind: raw.kind,
                country: raw.country,
                city: raw.city,
            }))
        };
        let networks: Result<Vec<_>, _> = raw.networks.into_iter().map(read).collect();
        Ok(Self { networks: networks? })
    }

    /// Every network.
    pub fn all(&self) -> &[Arc<Network>] {
        &self.networks
    }

    /// The network that an address lies in; the narrowest if several do.
    #[must_use]
    pub fn find(&self, address: IpAddr) -> Option<&Arc<Network>> {
        let holding = self
            .networks
            .iter()
            .filter(|network| network.prefix.contains(&address));
        holding.max_by_key(|network| network.prefix.prefix_len())
    }

    /// The IPv4 networks of a kind that pass a test, each with its size as a weight.
    pub fn v4(&self, kind: NetworkKind, test: impl Fn(&Network) -> bool) -> Vec<(Arc<Network>, f64)> {
        let fitting = self
            .networks
            .iter()
            .filter(|network| network.kind == kind && network.is_v4());
        let fitting = fitting.filter(|network| test(network));
        fitting
            .map(|network| (Arc::clone(network), network.size()))
            .collect()
    }

    /// One IPv4 network of a kind that passes a test, large ones more often.
    pub fn draw(
        &self,
        kind: NetworkKind,
        random: &mut Random,
        test: impl Fn(&Network) -> bool,
    ) -> Option<Arc<Network>> {
        random.weighted(&self.v4(kind, test)).cloned()
    }

    /// The IPv6 network of the same provider, kind and city.
    #[must_use]
    pub fn v6_of(&self, other: &Network) -> Option<Arc<Network>> {
        let same = |network: &&Arc<Network>| {
            !network.is_v4()
                && network.asn == other.asn
                && network.kind == other.kind
                && network.city == other.city
        };
        self.networks.iter().find(same).cloned()
    }
}

impl Network {
    /// Whether its addresses are of IPv4.
    #[must_use]
    pub fn is_v4(&self) -> bool {
        matches!(self.prefix, IpNet::V4(_))
    }

    fn size(&self) -> f64 {
        libm::exp2(f64::from(self.prefix.max_prefix_len() - self.prefix.prefix_len()))
    }

    /// Its host of this number, counted round and round; never its first and last address.
    #[must_use]
    pub fn host(&self, number: u64) -> IpAddr {
        match self.prefix {
            IpNet::V4(prefix) => {
                let room = (1_u64 << (32 - prefix.prefix_len())).saturating_sub(2).max(1);
                let offset = u32::try_from(1 + number % room).unwrap_or(1);
                IpAddr::V4(Ipv4Addr::from(u32::from(prefix.network()).wrapping_add(offset)))
            }
            IpNet::V6(prefix) => {
                IpAddr::V6(Ipv6Addr::from(u128::from(prefix.network()) | u128::from(number)))
            }
        }
    }

    /// Any host.
    pub fn any_host(&self, random: &mut Random) -> IpAddr {
        self.host(random.next_u64())
    }

    /// A customer's own /56 in an IPv6 network, as its first address; in an IPv4 network one host.
    pub fn own_prefix(&self, random: &mut Random) -> IpAddr {
        match self.prefix {
            IpNet::V4(_) => self.any_host(random),
            IpNet::V6(prefix) => {
                let room = 1_u64 << 56_u8.saturating_sub(prefix.prefix_len()).min(63);
                let number = u128::from(random.below(room)) << 72;
                IpAddr::V6(Ipv6Addr::from(u128::from(prefix.network()) | number))
            }
        }
    }
}

/// A device's address in the first /64 of a customer's prefix, with a suffix of its own (RFC 8981). An IPv4 address
/// stays as it is.
#[must_use]
pub fn with_suffix(own_prefix: IpAddr, suffix: u64) -> IpAddr {
    match own_prefix {
        IpAddr::V4(_) => own_prefix,
        IpAddr::V6(prefix) => IpAddr::V6(Ipv6Addr::from(u128::from(prefix) | u128::from(suffix.max(1)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lie_in_the_network_that_gave_them() {
        let plan = NetworkPlan::embedded().unwrap();
        let mut random = Random::new(5);
        assert!(plan.all().len() > 90);
        for network in plan.all() {
            for _ in 0..50 {
                let own = with_suffix(network.own_prefix(&mut random), random.next_u64());
                let host = network.any_host(&mut random);
                for address in [own, host] {
                    assert!(
                        network.prefix.contains(&address),
                        "{address} in {}",
                        network.prefix
                    );
                }
            }
        }
    }

    #[test]
    fn every_kind_is_there_and_a_broken_plan_is_refused() {
        let plan = NetworkPlan::embedded().unwrap();
        for kind in [
            NetworkKind::Residential,
            NetworkKind::Mobile,
            NetworkKind::Cafe,
            NetworkKind::Hotel,
            NetworkKind::Office,
            NetworkKind::Airport,
            NetworkKind::Hosting,
            NetworkKind::Vpn,
            NetworkKind::Relay,
            NetworkKind::Satellite,
        ] {
            assert!(!plan.v4(kind, |_| true).is_empty(), "{kind:?}");
        }
        assert!(NetworkPlan::from_json("{}").is_err());
        let bad = r#"{"networks":[{"cidr":"300.1.1.1/8","asn":1,"kind":"cafe","country":"DK","city":null}]}"#;
        assert!(NetworkPlan::from_json(bad).is_err());
    }
}
