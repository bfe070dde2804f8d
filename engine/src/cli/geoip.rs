//! `doorward geoip info|lookup`: which databases of places and networks are in force, and what they say.

use std::net::IpAddr;

use clap::{Args, Subcommand};

const EXAMPLE: &str = "Example:
  doorward geoip info
  doorward geoip lookup 192.0.2.1 2001:db8::1";

const INFO_EXAMPLE: &str = "Example:
  doorward geoip info";

const LOOKUP_EXAMPLE: &str = "Example:
  doorward geoip lookup 192.0.2.1 2001:db8::1";

/// Arguments of `doorward geoip`.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLE)]
pub struct GeoipArgs {
    /// What to ask the databases.
    #[command(subcommand)]
    pub action: GeoipAction,
}

/// What to ask the databases.
#[derive(Debug, Clone, Subcommand)]
pub enum GeoipAction {
    /// Print which files are read, their kind, age, size and hash
    #[command(after_help = INFO_EXAMPLE)]
    Info,
    /// Print place and network of addresses
    #[command(after_help = LOOKUP_EXAMPLE)]
    Lookup {
        /// IPv4 or IPv6 addresses
        #[arg(value_name = "IP", required = true)]
        addresses: Vec<IpAddr>,
    },
}
