//! `doorward replay --journal`: the journal of a store folded again, into memory (clause S1).

use std::fmt::Write as _;

use std::path::Path;
use std::sync::Arc;

use crate::cli::assemble::{Assembly, run_limits};
use crate::cli::exit::{CliError, Exit};
use crate::cli::output::print;
use crate::cli::replay::{ReplayArgs, start_anew};
use crate::cli::run::{decisions_sink, file_sink, store_options, tell};
use crate::cli::stored::each_row;
use crate::cli::watch::Watch;
use crate::config::{LogLevel, Settings};
use crate::io::files::SinkKind;
use crate::io::memory::store::MemoryStore;
use crate::io::store::FjallStore;
use crate::pipeline::batch::decode_decision;
use crate::pipeline::keys;
use crate::pipeline::ports::{Keyspace, Seq, Store, StoreError};
use crate::pipeline::refold::{Refold, Refolded, refold};
use crate::pipeline::retention::Removed;
use crate::pipeline::run::Sinks;
use crate::pipeline::state_hash::state_hash;
use crate::pipeline::state_image::StateImage;
use crate::risk::decision::Id;
use crate::telemetry::log;
use crate::telemetry::metrics::Metrics;

/// Folds the journal in `data` with what is in force now, and compares what comes out with what is stored.
///
/// # Errors
/// See the table of exit codes.
pub fn run(args: &ReplayArgs, data: &Path, settings: &Settings) -> Result<Exit, CliError> {
    let assembly = Assembly::from_settings(settings)?;
    let store = FjallStore::open_existing(data, &store_options(settings))?;
    let image = StateImage::read(&store)?;
    let from = image.map_or(0, |image| image.seq);
    is_whole(&store, data, from)?;
    let foreign = foreign(&store, assembly.engine.in_force.versions, from)?;
    let outputs = [args.decisions.as_deref(), args.dead_letters.as_deref()];
    outputs.into_iter().flatten().try_for_each(start_anew)?;
    let into: Arc<dyn Store> = Arc::new(MemoryStore::new());
    if let Some(image) = image {
        image.load(&store, &*into)?;
    }
    let watch = Watch::new(Metrics::new()?);
    let folded = refold(Refold {
        engine: Arc::clone(&assembly.engine),
        journal: &store,
        sinks: sinks(args, &*into)?,
        into: Arc::clone(&into),
        from,
        door: &assembly.file_door(settings, &args.tenant),
        rows_kept: run_limits(settings).rows_kept,
        observer: &watch,
    })?;
    tell(&watch.tally(), args.dead_letters.as_deref());
    let outcome = Comparison {
        folded,
        from,
        foreign,
        ours: (state_hash(&*into)?, into.head()?),
        stored: (state_hash(&store)?, store.head()?),
    };
    say(args, &outcome.page())?;
    Ok(outcome.exit())
}

fn sinks(args: &ReplayArgs, store: &dyn Store) -> Result<Sinks, CliError> {
    let decisions = args.decisions.as_deref();
    let letters = args.dead_letters.as_deref();
    Ok(Sinks {
        alerts: None,
        decisions: decisions
            .map(|path| decisions_sink(store, Some(path)))
            .transpose()?,
        dead_letters: letters
            .map(|path| file_sink(store, SinkKind::DeadLetters, path))
            .transpose()?,
        mail: None,
    })
}

/// Only a journal from its first record, or from an image of the state on, can be folded: what was learned before its
/// beginning is not in it.
fn is_whole(store: &FjallStore, data: &Path, image: Seq) -> Result<(), CliError> {
    let head = store.head()?;
    let removed = Removed::read(store)?;
    let first = store.scan(Keyspace::Journal, &[], &[], 1)?;
    let first = first.first().and_then(|row| keys::read_seq(&row.key));
    let from = first.unwrap_or(head + 1).max(removed.journal_from);
    let refused = |what: &str, from| {
        Err(StoreError::Refused {
            path: data.display().to_string(),
            reason: format!(
                "{what} begins at seq {from} of {head}, and only a whole journal can be folded again; what is older \
                 went by the settings `store.journal_days` and `store.decisions_days`"
            ),
        }
        .into())
    };
    if from > image + 1 && head > 0 {
        return refused("its journal", from);
    }
    if removed.decided_from > image + 1 {
        return refused("its table of decisions", removed.decided_from);
    }
    Ok(())
}

/// How many decisions name other versions than those in force, and how many there are.
fn foreign(store: &dyn Store, versions: Id, from: Seq) -> Result<(u64, u64), StoreError> {
    let (mut foreign, mut all) = (0, 0);
    each_row(store, Keyspace::Decided, &[], |row| {
        let decision = decode_decision(&row.value)?;
        if decision.seq > from {
            all += 1;
            foreign += u64::from(decision.versions != versions);
        }
        Ok(())
    })?;
    Ok((foreign, all))
}

type StateAt = ([u8; 32], u64);

struct Comparison {
    folded: Refolded,
    /// The record behind which it began; 0 for the beginning.
    from: Seq,
    /// Decisions made by others than those in force, and all.
    foreign: (u64, u64),
    ours: StateAt,
    stored: StateAt,
}

impl Comparison {
    fn is_equal(&self) -> bool {
        self.ours == self.stored && self.folded.differs_at.is_none()
    }

    fn exit(&self) -> Exit {
        if self.is_equal() || self.foreign.0 > 0 {
            Exit::Done
        } else {
            Exit::CheckFailed
        }
    }

    fn page(&self) -> String {
        let mut out = String::new();
        if self.from > 0 {
            // Writing to a string cannot fail.
            let _ = writeln!(
                out,
                "the fold began with the state behind seq {}, where a user was erased",
                self.from
            );
        }
        // Writing to a string cannot fail.
        let _ = writeln!(out, "folded  {} at seq {}", hex(&self.ours.0), self.ours.1);
        let _ = writeln!(out, "stored  {} at seq {}", hex(&self.stored.0), self.stored.1);
        let (foreign, all) = self.foreign;
        if foreign > 0 {
            let _ = writeln!(
                out,
                "{foreign} of {all} decisions were made with other rules, geo files or settings than those in force"
            );
        }
        out.push_str(match (self.is_equal(), foreign) {
            (true, _) => "equal: the journal gives what is stored\n",
            (false, 0) => "different: the journal does not give what is stored\n",
            (false, _) => "so the two were not compared; `doorward diff` compares files of decisions\n",
        });
        if let (false, Some(seq)) = (self.is_equal(), self.folded.differs_at) {
            let records = self.folded.records;
            let _ = writeln!(
                out,
                "the first record that came out as another kind: seq {seq} of {records}"
            );
        }
        out
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Where decisions go to standard output, the page goes beside it.
fn say(args: &ReplayArgs, page: &str) -> Result<(), CliError> {
    if args.decisions.as_deref() != Some(Path::new("-")) {
        return print(page);
    }
    log::say(LogLevel::Info, page);
    Ok(())
}
