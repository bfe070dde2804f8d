//! `doorward explain`: one decision, line by line, for a person.

use std::path::PathBuf;

use clap::{ArgGroup, Args};

const EXAMPLE: &str = "Example:
  doorward explain --events logins.ndjson --id login-1
  doorward explain --data ./doorward-demo --id login-1 --width 100";

/// Arguments of `doorward explain`.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLE)]
#[command(group(ArgGroup::new("from").required(true).args(["events", "data"])))]
pub struct ExplainArgs {
    /// Event file to replay; several are merged by time
    #[arg(long, value_name = "FILE")]
    pub events: Vec<PathBuf>,
    /// Folder of the store that holds the decision
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// Id of the event
    #[arg(long, value_name = "EVENT_ID")]
    pub id: String,
    /// Source of the event, where several sources use this id
    #[arg(long, value_name = "SOURCE")]
    pub source: Option<String>,
    /// Tenant of the event
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub tenant: String,
    /// Columns of the output [default: those of the terminal, else 100]
    #[arg(long, value_name = "COLUMNS", value_parser = clap::value_parser!(u16).range(60..=400))]
    pub width: Option<u16>,
}
