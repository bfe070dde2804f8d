//! `doorward version`: which program this is, and what it was built with.

use clap::Args;

use super::exit::{CliError, Exit};
use super::output::print;

const EXAMPLE: &str = "Example:
  doorward version";

/// Arguments of `doorward version`.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLE)]
pub struct VersionArgs {}

/// Features and whether they are built in.
const FEATURES: [(&str, bool, &str); 6] = [
    ("store", cfg!(feature = "store"), "the embedded store in a folder"),
    (
        "files",
        cfg!(feature = "files"),
        "event files in, decision files out",
    ),
    (
        "mail",
        cfg!(feature = "mail"),
        "mails to account owners, as .eml files",
    ),
    (
        "metrics",
        cfg!(feature = "metrics"),
        "figures for Prometheus over HTTP",
    ),
    (
        "kafka",
        cfg!(feature = "kafka"),
        "events from Kafka, decisions to Kafka",
    ),
    ("kafka-tls", cfg!(feature = "kafka-tls"), "TLS and SASL for Kafka"),
];

/// Prints version and features.
///
/// # Errors
/// Output cannot be written.
pub fn run(_: &VersionArgs) -> Result<Exit, CliError> {
    let mut out = format!("doorward {}\n", env!("CARGO_PKG_VERSION"));
    for (name, built_in, what) in FEATURES {
        let state = if built_in { "built in" } else { "left out" };
        out.push_str(&format!("  {name:<9} {state}: {what}\n"));
    }
    print(&out)?;
    Ok(Exit::Done)
}
