//! `doorward replay`: the same as `run`, in memory, nothing stored and nothing mailed.

use std::path::PathBuf;

use clap::Args;

const EXAMPLE: &str = "Example:
  doorward replay --events logins.ndjson --decisions replayed.ndjson

The same events give the same bytes, on every run and as `doorward run` would write them.";

/// Arguments of `doorward replay`.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLE)]
pub struct ReplayArgs {
    /// Event file, `-` for standard input; several are merged by time
    #[arg(long, value_name = "FILE", required = true)]
    pub events: Vec<PathBuf>,
    /// File that decisions are written to, `-` for standard output
    #[arg(long, value_name = "FILE")]
    pub decisions: PathBuf,
    /// File that refused lines are written to [default: they are only counted]
    #[arg(long, value_name = "FILE")]
    pub dead_letters: Option<PathBuf>,
    /// Tenant of events that name none
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub tenant: String,
}
