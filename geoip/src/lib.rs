//! Where an address is and what kind of network it belongs to.
//!
//! This crate turns the bytes of address databases into a [`GeoDatabase`] and answers one question about
//! an address: its [`Network`], that is class, kind, autonomous system, country and place. It reads no
//! files, follows no clock and knows nothing of logins; whoever calls it reads the files and says what
//! they are called, so that messages can name them.
//!
//! # What can be read
//!
//! | [`Sources`] | forms |
//! |---|---|
//! | `city` | MaxMind City, Country and Enterprise; flat records with `country_code`, `city`, `state1`, `latitude`, `longitude` (DB-IP Lite and others as packaged by ip-location-db), v4 and v6 in one file or apart |
//! | `asn` | MaxMind ASN and ISP; flat records with `autonomous_system_number` or `asn`; text files of ranges, see below |
//! | `anonymous` | MaxMind Anonymous-IP and databases with the same flags |
//! | `lists` | text files of prefixes and AS numbers of one kind, see below |
//!
//! Several files of one sort are asked in the order given; the first that has an answer wins. Files are
//! held in memory and verified as a whole before the first look-up: a broken one is refused with its name
//! (and its line, if it is text).
//!
//! # Ranges of AS numbers
//!
//! One range a line, `start,end,asn,organisation`, IPv4 and IPv6, both ends included. Addresses may also be
//! decimal numbers (up to 4294967295 IPv4, above IPv6), IPv4 mapped into IPv6 counts as IPv4, the number may carry `AS` in front, a field with
//! commas stands in double quotes, a first line that begins with `start` is a heading, and AS 0 ("not
//! routed") is skipped. The order of lines is free. A range whose start lies behind its end is refused.
//! Ranges that overlap are not, because the free files have a few: the one that starts last counts, and of
//! those the shortest; of equal ones the system that the file names first.
//!
//! # Lists of networks
//!
//! ```text
//! # comments reach to the end of the line
//! kind = vpn                # for all lines below, up to the next kind
//! 203.0.113.0/24
//! 2001:db8:5::/48
//! 203.0.113.7               # one address
//! AS64500
//! kind = hosting
//! AS64501
//! ```
//!
//! The kinds are those of [`NetworkKind`]. A longer prefix wins over a shorter one, any prefix wins over an
//! Anonymous-IP database, and that wins over an AS number. If the same prefix or AS number is listed under
//! several kinds, in one file or in several, the kind that says most counts: Tor, VPN, relay, hosting,
//! satellite, mobile, in this order. A listed prefix also names the kind of private addresses, such as the
//! pool of one's own VPN.
//!
//! # Example
//!
//! ```
//! use doorward_geoip::{GeoDatabase, NetworkKind, Source, Sources};
//!
//! let asn = Source { name: "asn.csv".into(), bytes: b"198.51.100.0,198.51.100.255,64500,Umbra".to_vec() };
//! let list = Source { name: "vpn.list".into(), bytes: b"kind = vpn\nAS64500\n".to_vec() };
//! let geo = GeoDatabase::load(Sources { asn: vec![asn], lists: vec![list], ..Sources::default() })?;
//!
//! let network = geo.lookup("198.51.100.7".parse().unwrap());
//! assert_eq!(network.asn, Some(64500));
//! assert_eq!(network.kind, Some(NetworkKind::Vpn));
//! # Ok::<(), doorward_geoip::LoadError>(())
//! ```

#![cfg_attr(
    not(test),
    deny(
        clippy::disallowed_methods,
        clippy::disallowed_types,
        clippy::disallowed_macros
    )
)]

mod asn;
mod asn_csv;
mod cache;
mod distance;
mod error;
mod lists;
mod location;
mod lookup;
mod network_class;
mod network_kind;
mod place_memory;
mod ranges;
mod reader;
mod record;
mod reload;
mod scalar;
mod source;
pub mod writer;

pub use cache::LookupCache;
pub use distance::{Coordinates, distance_km, gap_km};
pub use error::{LineProblem, LoadError};
pub use location::{Country, Place};
pub use lookup::{GeoDatabase, Network};
pub use network_class::NetworkClass;
pub use network_kind::NetworkKind;
pub use reload::CurrentDatabase;
pub use source::{DatabaseInfo, Source, SourceKind, Sources};
