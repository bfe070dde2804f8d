//! `doorward run`: events from files or a pipe into the store, decisions out.

use std::path::PathBuf;

use clap::Args;

const EXAMPLE: &str = "Example:
  doorward run --events logins.ndjson --decisions decisions.ndjson
  tail -F /var/log/logins.ndjson | doorward run --events - --data /var/lib/doorward

Events are JSON, one object a line. Decisions come out the same way. Start it again on the same input after any
interruption: nothing is lost and nothing is decided twice.";

/// Arguments of `doorward run`.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLE)]
pub struct RunArgs {
    /// Event file, `-` for standard input; several are merged by time
    #[arg(long, value_name = "FILE", required = true)]
    pub events: Vec<PathBuf>,
    /// Folder of the store, the mails and the dead letters
    #[arg(long, value_name = "DIR", default_value = "./doorward-data")]
    pub data: PathBuf,
    /// File that decisions are appended to [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub decisions: Option<PathBuf>,
    /// File that refused lines are appended to [default: dead-letters.ndjson in the data folder]
    #[arg(long, value_name = "FILE")]
    pub dead_letters: Option<PathBuf>,
    /// Tenant of events that name none
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub tenant: String,
}
