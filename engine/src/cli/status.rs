//! `doorward status`: how far the running process is.

use clap::Args;

use super::admin::{asked, plain};
use super::exit::{CliError, Exit};
use super::store::Folder;

const EXAMPLE: &str = "Example:
  doorward status --data ./doorward-data

Asks the `doorward run` that uses the folder, through the socket `admin.sock` in it.";

/// Arguments of `doorward status`.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLE)]
pub struct StatusArgs {
    /// Where the store is.
    #[command(flatten)]
    pub folder: Folder,
}

/// Prints it.
///
/// # Errors
/// See the table of exit codes.
pub fn run(args: &StatusArgs) -> Result<Exit, CliError> {
    let data = &args.folder.data;
    asked(data, &plain("status"))?.map_or_else(|| print_none(data), Ok)
}

fn print_none(data: &std::path::Path) -> Result<Exit, CliError> {
    super::output::print(&format!("no process uses `{}`\n", data.display())).map(|()| Exit::Done)
}
