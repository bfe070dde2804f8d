//! `doorward geoip info|lookup`: which databases of places and networks are in force, and what they say.

use std::net::IpAddr;

use clap::{Args, Subcommand};
use doorward_geoip::{DatabaseInfo, GeoDatabase, Network, Place};

use super::exit::{CliError, Exit};
use super::output::print;
use super::sources;
use crate::config::Settings;
use crate::telemetry::escape::escape;

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

/// Describes the databases, or asks them.
///
/// # Errors
/// Files that cannot be read or are refused; output that cannot be written.
pub fn run(args: &GeoipArgs, settings: &Settings) -> Result<Exit, CliError> {
    let database = sources::geo(&settings.geoip)?;
    let out = match &args.action {
        GeoipAction::Info => info(&database),
        GeoipAction::Lookup { addresses } => {
            let answers = addresses
                .iter()
                .map(|address| answer(*address, &database.lookup(*address)));
            answers.collect::<Vec<_>>().join("\n")
        }
    };
    print(&out)?;
    Ok(Exit::Done)
}

fn info(database: &GeoDatabase) -> String {
    if database.describe().is_empty() {
        return "no databases are configured in `[geoip]`: only the class of an address is known\n"
            .to_owned();
    }
    let mut out: String = database.describe().iter().map(file).collect();
    let hash: String = database
        .sha256()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    out.push_str(&format!("hash {hash}\n"));
    out
}

fn file(info: &DatabaseInfo) -> String {
    let built = info
        .built_at
        .and_then(|seconds| jiff::Timestamp::from_second(i64::try_from(seconds).ok()?).ok())
        .map_or_else(String::new, |built| {
            format!(", built {}", built.strftime("%Y-%m-%d"))
        });
    let addresses = match info.ip_version {
        Some(4) => ", IPv4 only",
        _ => "",
    };
    format!(
        "{}: {}\n  {}{built}{addresses}, {} entries, {} bytes\n",
        info.kind,
        escape(&info.name),
        escape(&info.database_type),
        info.entries,
        info.size
    )
}

/// What is known of one address, a line each; what is not known says so.
fn answer(address: IpAddr, network: &Network) -> String {
    let unknown = || "unknown".to_owned();
    let asn = network.asn.map_or_else(unknown, |asn| format!("AS{asn}"));
    let organisation = network
        .organisation
        .as_deref()
        .map_or_else(unknown, |name| escape(name).into_owned());
    let kind = network.kind.map_or("on no list", |kind| kind.as_str());
    let country = network
        .country
        .map_or_else(unknown, |country| country.as_str().to_owned());
    let place = network.place.as_ref().map_or_else(unknown, place);
    format!(
        "{address}\n  class         {}\n  kind          {kind}\n  network       {asn}\n  organisation  \
         {organisation}\n  country       {country}\n  place         {place}\n",
        network.class.as_str()
    )
}

fn place(place: &Place) -> String {
    let names = [place.city.as_deref(), place.region.as_deref()];
    let names: Vec<_> = names.into_iter().flatten().map(escape).collect();
    let degrees = |e4: i32| f64::from(e4) / 10_000.0;
    let coarse = if place.is_centroid {
        ", the middle of a country or region"
    } else {
        ""
    };
    let separator = if names.is_empty() { "" } else { ", " };
    format!(
        "{}{separator}{:.4} {:.4}, within {} km{coarse}",
        names.join(", "),
        degrees(place.latitude_e4),
        degrees(place.longitude_e4),
        place.radius_km
    )
}
