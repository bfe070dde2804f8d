//! `doorward replay`: the same as `run`, in memory, nothing stored and nothing mailed.

pub mod journal;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::args::{Span, check_inputs, named_file};
use super::assemble::Assembly;
use super::exit::{CliError, Exit};
use super::run::{Over, check_tenant, decisions_sink, optional_sink, run_over, tell};
use super::signals::stop_flag;
use super::watch::Watch;
use crate::config::Settings;
use crate::io::files::SinkKind;
use crate::io::memory::store::MemoryStore;
use crate::pipeline::run::Sinks;
use crate::telemetry::metrics::Metrics;

const EXAMPLE: &str = "Example:
  doorward replay --events logins.ndjson --decisions replayed.ndjson
  doorward replay --journal --data ./doorward-data

The same events give the same bytes, on every run and as `doorward run` would write them. With --journal the journal of a
store is folded again and compared with what is stored: exit code 1 if they differ. With other rules or settings than
those of its decisions they may differ, and `doorward diff` shows how.";

/// Arguments of `doorward replay`.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLE)]
pub struct ReplayArgs {
    /// Event file, `-` for standard input; several are merged by time
    #[arg(long, value_name = "FILE", required_unless_present = "journal")]
    pub events: Vec<PathBuf>,
    /// Fold the journal of a store again instead
    #[arg(long, requires = "data", conflicts_with_all = ["events", "settle", "tenant"])]
    pub journal: bool,
    /// Folder of the store whose journal is folded; nothing is written there
    #[arg(long, value_name = "DIR", requires = "journal")]
    pub data: Option<PathBuf>,
    /// File that decisions are written to, `-` for standard output
    #[arg(long, value_name = "FILE", required_unless_present = "journal")]
    pub decisions: Option<PathBuf>,
    /// File that refused lines are written to [default: they are only counted]
    #[arg(long, value_name = "FILE", value_parser = named_file())]
    pub dead_letters: Option<PathBuf>,
    /// File that alerts are written to, due and held back [default: they stand in the decisions]
    #[arg(long, value_name = "FILE", value_parser = named_file())]
    pub alerts: Option<PathBuf>,
    /// Let attempts and mails that wait come to their end as if so much time passed after the last event, such as 24h
    #[arg(long, value_name = "TIME", default_value = "0s")]
    pub settle: Span,
    /// Tenant of events that name none
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub tenant: String,
}

/// Decides the events in memory.
///
/// # Errors
/// See the table of exit codes.
pub fn run(args: &ReplayArgs, settings: &Settings) -> Result<Exit, CliError> {
    if let Some(data) = args.data.as_deref().filter(|_| args.journal) {
        return journal::run(args, data, settings);
    }
    check_tenant(settings, &args.tenant)?;
    check_inputs(&args.events)?;
    spare_inputs(args)?;
    let assembly = Assembly::from_settings(settings)?;
    let stop = stop_flag()?;
    let watch = Watch::new(Metrics::new()?);
    let outputs = args
        .decisions
        .iter()
        .chain(&args.dead_letters)
        .chain(&args.alerts);
    outputs.map(PathBuf::as_path).try_for_each(start_anew)?;
    run_over(
        &Over {
            assembly: &assembly,
            settings,
            tenant: &args.tenant,
            stop: &stop,
            settle: args.settle.micros(),
            live: false,
            upkeep: None,
            backfill: false,
        },
        Arc::new(MemoryStore::new()),
        &args.events,
        |store| {
            let letters = args.dead_letters.as_deref();
            Ok(Sinks {
                decisions: Some(decisions_sink(store, args.decisions.as_deref())?),
                dead_letters: optional_sink(store, SinkKind::DeadLetters, letters)?,
                alerts: optional_sink(store, SinkKind::Alerts, args.alerts.as_deref())?,
                mail: None,
            })
        },
        &watch,
    )?;
    tell(&watch.tally(), args.dead_letters.as_deref());
    Ok(Exit::Done)
}

/// An output named like an input would be removed before it is read.
fn spare_inputs(args: &ReplayArgs) -> Result<(), CliError> {
    let outputs = args
        .decisions
        .iter()
        .chain(&args.dead_letters)
        .chain(&args.alerts);
    for output in outputs {
        if args.events.iter().any(|input| is_same_file(input, output)) {
            return Err(CliError::Usage(format!(
                "`{}` is an input; name another file for the output",
                output.display()
            )));
        }
    }
    Ok(())
}

/// What does not exist is no file yet, so it is none of the others.
fn is_same_file(one: &Path, other: &Path) -> bool {
    match (one.canonicalize(), other.canonicalize()) {
        (Ok(one), Ok(other)) => one == other,
        _ => false,
    }
}

/// A replay writes its files from their start; what an earlier one left is replaced. Only plain files are.
pub(super) fn start_anew(path: &Path) -> Result<(), CliError> {
    if path == Path::new("-") || !path.is_file() {
        return Ok(());
    }
    match fs::remove_file(path) {
        Err(source) if source.kind() != ErrorKind::NotFound => Err(CliError::Output {
            name: path.display().to_string(),
            source,
        }),
        _ => Ok(()),
    }
}
