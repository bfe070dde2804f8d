//! `doorward store check|accept-loss|compact|hash`: what is in a store, whether it is whole, and the only way on when
//! it is not (clause S12).

pub mod check;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::admin::{check_page, hash_line, here_or_there, plain};
use super::exit::{CliError, Exit};
use super::output::print;
use super::user::erase::finish_pending;
use crate::config::Settings;
use crate::io::store::{FjallStore, Loss, StoreOptions};
use crate::pipeline::ports::{Keyspace, Store};

const EXAMPLE: &str = "Example:
  doorward store check --data ./doorward-data
  doorward store hash --data ./doorward-data";

const CHECK_EXAMPLE: &str = "Example:
  doorward store check --data ./doorward-data

Reads every row of every table. Exit code 5 and a line for everything that is wrong.";

const ACCEPT_EXAMPLE: &str = "Example:
  doorward store accept-loss --data ./doorward-data
  doorward store accept-loss --data ./doorward-data --yes

Try a backup first. Events that were lost can be sent again: what the store does not know is decided then.";

const COMPACT_EXAMPLE: &str = "Example:
  doorward store compact --data ./doorward-data";

const HASH_EXAMPLE: &str = "Example:
  doorward store hash --data ./doorward-data

The same events in the same order give the same hash, on every machine.";

/// Arguments of `doorward store`.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLE)]
pub struct StoreArgs {
    /// What to do with the store.
    #[command(subcommand)]
    pub action: StoreAction,
}

/// What to do with the store.
#[derive(Debug, Clone, Subcommand)]
pub enum StoreAction {
    /// Read every row, and say what does not fit
    #[command(after_help = CHECK_EXAMPLE)]
    Check(Folder),
    /// Say what the store lost; with --yes go on without it
    #[command(after_help = ACCEPT_EXAMPLE)]
    AcceptLoss {
        /// Where the store is.
        #[command(flatten)]
        folder: Folder,
        /// Go on without what is lost
        #[arg(long)]
        yes: bool,
    },
    /// Give back the space of what was overwritten and deleted
    #[command(after_help = COMPACT_EXAMPLE)]
    Compact(Folder),
    /// Print one SHA-256 over all that was decided and learned
    #[command(after_help = HASH_EXAMPLE)]
    Hash(Folder),
}

/// Where a store is.
#[derive(Debug, Clone, Args)]
pub struct Folder {
    /// Folder of the store
    #[arg(long, value_name = "DIR", default_value = "./doorward-data")]
    pub data: PathBuf,
}

/// Does it.
///
/// # Errors
/// See the table of exit codes.
pub fn run(args: &StoreArgs, settings: &Settings) -> Result<Exit, CliError> {
    let options = StoreOptions {
        cache_bytes: settings.store.cache_mib << 20,
        ..StoreOptions::default()
    };
    match &args.action {
        StoreAction::Check(folder) => here_or_there(
            &folder.data,
            FjallStore::open_existing(&folder.data, &options),
            || plain("store check"),
            |store| {
                let (page, exit) = check_page(&store)?;
                print(&page).map(|()| exit)
            },
        ),
        StoreAction::AcceptLoss { folder, yes } => accept_loss(&folder.data, *yes, &options),
        StoreAction::Compact(folder) => compact(&FjallStore::open_existing(&folder.data, &options)?),
        StoreAction::Hash(folder) => here_or_there(
            &folder.data,
            FjallStore::open_existing(&folder.data, &options),
            || plain("store hash"),
            |store| print(&hash_line(&store)?).map(|()| Exit::Done),
        ),
    }
}

fn accept_loss(data: &Path, yes: bool, options: &StoreOptions) -> Result<Exit, CliError> {
    let losses = FjallStore::losses(data, options)?;
    if losses.is_empty() {
        return print("nothing is missing, so there is nothing to accept\n").map(|()| Exit::Done);
    }
    let mut out = told(&losses);
    if !yes {
        out.push_str("nothing was changed; `--yes` goes on without what is missing\n");
        print(&out)?;
        return Ok(Exit::StoreRefused);
    }
    let store = FjallStore::accept_losses(data, options)?;
    let head = store.head()?;
    let _ = writeln!(
        out,
        "accepted: the store now ends at seq {head}, and its head file says so"
    );
    print(&out).map(|()| Exit::Done)
}

/// What is missing, and what that means.
fn told(losses: &[Loss]) -> String {
    let mut out = String::new();
    for loss in losses {
        let meaning = match loss {
            Loss::End { .. } => {
                "what was decided, learned and mailed there is unknown to the store; files and mails that went out stay"
            }
            Loss::Journal { .. } => {
                "decisions and histories stay; the journal is kept only behind the gap, so counters across users \
                 begin there, and what is before it can no longer be folded again"
            }
            Loss::Witness(_) => "if the end of the store is missing too, nobody will notice",
        };
        // Writing to a string cannot fail.
        let _ = writeln!(out, "missing: {loss}\n  so: {meaning}");
    }
    out
}

fn compact(store: &FjallStore) -> Result<Exit, CliError> {
    let (before, journal_before) = store.bytes()?;
    finish_pending(store)?;
    store.compact()?;
    let (after, journal_after) = store.bytes()?;
    let mut out = format!("{:<14}{:>14}{:>14}\n", "bytes", "before", "after");
    let mut line = |name: &str, before: u64, after: u64| {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "{name:<14}{before:>14}{after:>14}");
    };
    for ((keyspace, before), (_, after)) in before.iter().zip(&after) {
        line(keyspace.name(), *before, *after);
    }
    line("journal files", journal_before, journal_after);
    let sum = |tables: &[(Keyspace, u64)]| tables.iter().map(|(_, bytes)| bytes).sum::<u64>();
    line("all", sum(&before) + journal_before, sum(&after) + journal_after);
    print(&out).map(|()| Exit::Done)
}
