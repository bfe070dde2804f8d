//! `doorward diff`: two decision files held against each other, for whoever changed a rule and wants to see what that
//! does before it is in force.

mod compare;
mod page;
mod read;

use std::path::PathBuf;

use clap::Args;

use super::exit::{CliError, Exit};
use super::output::print;

const EXAMPLE: &str = "Example:
  doorward diff decisions.ndjson replayed.ndjson
  doorward diff decisions.ndjson replayed.ndjson --json

The files are those that `doorward run` and `doorward replay` write. A decision is known by tenant, source and id of its
event; its highest revision counts. Not compared: positions, versions and ids of decisions.";

/// Arguments of `doorward diff`.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLE)]
pub struct DiffArgs {
    /// Decisions before
    #[arg(value_name = "A")]
    pub a: PathBuf,
    /// Decisions after
    #[arg(value_name = "B")]
    pub b: PathBuf,
    /// Most examples and users to name
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(0..=1000))]
    pub examples: u16,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// End with exit code 1 if anything differs or cannot be read
    #[arg(long)]
    pub expect_equal: bool,
}

/// Compares two files.
///
/// # Errors
/// See the table of exit codes.
pub fn run(args: &DiffArgs) -> Result<Exit, CliError> {
    let mut names = read::Names::default();
    let a = read::file(&args.a, &mut names)?;
    let b = read::file(&args.b, &mut names)?;
    let found = compare::compare(&a, &b, &names, args.examples.into());
    if args.json {
        let json =
            serde_json::to_string_pretty(&found).map_err(|error| CliError::Internal(error.to_string()))?;
        print(&format!("{json}\n"))?;
    } else {
        print(&page::page(&found))?;
    }
    Ok(if args.expect_equal && !found.is_equal() {
        Exit::CheckFailed
    } else {
        Exit::Done
    })
}
