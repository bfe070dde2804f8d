//! What a network is used for, as far as lists and databases say it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The kind of a network. Ordinary access networks have none. The order is the order of precedence: of two
/// kinds named with equal right, the one further up counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NetworkKind {
    /// An exit of the Tor network.
    Tor,
    /// A VPN or proxy for the public: hides where its users are.
    Vpn,
    /// A relay that hides the address but keeps the country, such as iCloud Private Relay.
    Relay,
    /// A hosting or cloud provider: machines, not people.
    Hosting,
    /// Satellite or in-flight access: the place says nothing.
    Satellite,
    /// A mobile network behind shared gateways: the place is that of the gateway.
    Mobile,
}

impl NetworkKind {
    /// All kinds, in order of precedence.
    pub const ALL: [NetworkKind; 6] = [
        NetworkKind::Tor,
        NetworkKind::Vpn,
        NetworkKind::Relay,
        NetworkKind::Hosting,
        NetworkKind::Satellite,
        NetworkKind::Mobile,
    ];

    /// The name as it appears in lists and output.
    pub fn as_str(self) -> &'static str {
        match self {
            NetworkKind::Tor => "tor",
            NetworkKind::Vpn => "vpn",
            NetworkKind::Relay => "relay",
            NetworkKind::Hosting => "hosting",
            NetworkKind::Satellite => "satellite",
            NetworkKind::Mobile => "mobile",
        }
    }

    /// The kind of this name, in lower case.
    pub fn from_name(name: &str) -> Option<NetworkKind> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

impl fmt::Display for NetworkKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
