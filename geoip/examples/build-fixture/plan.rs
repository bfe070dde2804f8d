//! From the plan of test networks to the files Doorward reads.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use doorward_geoip::writer::{DatabaseWriter, Value, WriteError};
use doorward_geoip::{Country, NetworkKind};
use ipnet::IpNet;
use serde::{Deserialize, Deserializer};

/// `doorward-test.json`.
#[derive(Debug, Deserialize)]
pub struct Plan {
    /// What the database calls itself.
    pub database_type: String,
    /// Seconds since 1970 (UTC).
    pub build_epoch: u64,
    /// The networks, none within another.
    pub networks: Vec<PlannedNetwork>,
}

/// One network of the plan.
#[derive(Debug, Deserialize)]
pub struct PlannedNetwork {
    /// Its addresses.
    #[serde(deserialize_with = "prefix")]
    pub cidr: IpNet,
    /// Its autonomous system.
    pub asn: u32,
    /// Owner of the autonomous system.
    pub organisation: String,
    /// A kind of [`NetworkKind`], or what sort of ordinary network it is.
    pub kind: String,
    /// Two letters.
    pub country: String,
    /// State or province.
    pub region: Option<String>,
    /// None for the middle of a country.
    pub city: Option<String>,
    /// Degrees north.
    pub latitude: f64,
    /// Degrees east.
    pub longitude: f64,
    /// Accuracy in kilometres.
    pub radius_km: u16,
}

fn prefix<'de, D: Deserializer<'de>>(deserializer: D) -> Result<IpNet, D::Error> {
    String::deserialize(deserializer)?
        .parse()
        .map_err(serde::de::Error::custom)
}

/// The files made from a plan.
pub struct Built {
    /// `doorward-test-city.mmdb`: nested records as in GeoLite2-City.
    pub city: Vec<u8>,
    /// `doorward-test-asn.csv`: ranges.
    pub asn: String,
    /// `doorward-test-networks.list`: kinds.
    pub lists: String,
}

impl Plan {
    /// All files of the plan; the same bytes each time.
    pub fn build(&self) -> Result<Built, WriteError> {
        let mut writer = DatabaseWriter::new(&self.database_type, self.build_epoch);
        for network in &self.networks {
            writer.insert(network.cidr, network.record());
        }
        Ok(Built {
            city: writer.write()?,
            asn: self.asn_ranges(),
            lists: self.lists(),
        })
    }

    fn asn_ranges(&self) -> String {
        let mut networks: Vec<_> = self.networks.iter().collect();
        networks.sort_by_key(|network| network.cidr);
        let mut text = String::from("start,end,asn,organisation\n");
        for PlannedNetwork {
            cidr,
            asn,
            organisation,
            ..
        } in networks
        {
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "{},{},{asn},\"{organisation}\"",
                cidr.network(),
                cidr.broadcast()
            );
        }
        text
    }

    /// Mobile, hosting and satellite providers by AS number; VPN, relays and Tor by prefix.
    fn lists(&self) -> String {
        let mut text = String::from("# Kinds of the test networks.\n");
        for kind in NetworkKind::ALL {
            let _ = writeln!(text, "\nkind = {kind}");
            let by_asn = matches!(
                kind,
                NetworkKind::Mobile | NetworkKind::Hosting | NetworkKind::Satellite
            );
            let mut written = BTreeSet::new();
            for network in self
                .networks
                .iter()
                .filter(|network| network.kind == kind.as_str())
            {
                let organisation = &network.organisation;
                if !by_asn {
                    let _ = writeln!(text, "{}  # {organisation}", network.cidr);
                } else if written.insert(network.asn) {
                    let _ = writeln!(text, "AS{}  # {organisation}", network.asn);
                }
            }
        }
        text
    }
}

impl PlannedNetwork {
    fn record(&self) -> Value {
        let names = |name: &str| Value::map([("names", Value::map([("en", Value::text(name))]))]);
        let country = Country::from_code(&self.country).map(|country| country.to_string());
        let code = Value::Text(country.unwrap_or_default());
        let location = Value::map([
            ("accuracy_radius", Value::U16(self.radius_km)),
            ("latitude", Value::Double(self.latitude)),
            ("longitude", Value::Double(self.longitude)),
        ]);
        let mut entries = Vec::new();
        if let Some(city) = &self.city {
            entries.push(("city".to_owned(), names(city)));
        }
        entries.push(("country".to_owned(), Value::map([("iso_code", code)])));
        entries.push(("location".to_owned(), location));
        if let Some(region) = &self.region {
            entries.push(("subdivisions".to_owned(), Value::Array(vec![names(region)])));
        }
        Value::Map(entries)
    }
}
