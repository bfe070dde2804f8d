//! Erasing a user: on a folder that no process has, or as a wish that the running process fulfils between two batches.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};

use super::{Asked, unknown};
use crate::cli::assemble::{Assembly, run_limits};
use crate::cli::exit::CliError;
use crate::cli::stored::each_row;
use crate::config::Settings;
use crate::event::UserKeyPolicy;
use crate::io::files::{FileSink, SinkKind};
use crate::io::mail::{EmlSink, MailSender};
use crate::keyed_hash::KeyedHash;
use crate::pipeline::committer::{Committer, Sinks};
use crate::pipeline::erase::{self, Erased, Erasing};
use crate::pipeline::ports::{Batch, Keyspace, Sink, Store, StoreError};
use crate::pipeline::run::Wish;
use crate::pipeline::sequencer::Sequencer;
use crate::pipeline::user_traces::{Traces, WantedUser};
use crate::pipeline::versions::{self, Current};

/// Settings that must be those of the store: the names of users in the counters are made with them.
const OF_THE_STORE: [&str; 2] = ["security.", "crowd."];

/// Erases a user of a store that no other process has.
///
/// # Errors
/// When nothing is known of the user, the configuration is another one than the store's, or the store or a file fails.
pub fn here(
    store: &Arc<dyn Store>,
    data: &Path,
    asked: &Asked,
    (settings, user_key): (&Settings, UserKeyPolicy),
) -> Result<String, CliError> {
    let assembly = Assembly::from_settings(settings)?;
    is_of_the_store(&**store, settings)?;
    finish_pending(&**store)?;
    let traces = look(&**store, asked, user_key)?;
    let files = Files::open(&**store, Some(data))?;
    let (done, erased) = channel();
    let engine = &assembly.engine;
    let mut sequencer = Sequencer::open_as_it_was(
        Arc::clone(engine),
        Arc::clone(store),
        run_limits(settings).rows_kept,
    )?;
    let policy = *engine.risk.score_policy();
    let mut committer = Committer::open(Arc::clone(store), Sinks::default(), policy)?;
    committer.image_was_used(sequencer.last_image());
    let erasing = Box::new(Erasing {
        traces,
        hash: engine.hash,
        others: files.sinks,
        done,
    });
    if let Some(mut closed) = sequencer.erase(erasing)? {
        committer.erase(&mut closed)?;
    }
    committer.finish()?;
    finish(&**store)?;
    let erased = erased.try_recv().unwrap_or_default();
    Ok(page(&erased, &files.untouched))
}

/// Has the running process erase a user.
///
/// # Errors
/// When nothing is known of the user, or the process ends.
pub fn there(
    store: &dyn Store,
    asked: &Asked,
    (hash, user_key): (KeyedHash, UserKeyPolicy),
    wishes: &Sender<Wish>,
) -> Result<String, CliError> {
    let ended = || CliError::Usage("the process ends; ask again when it has ended".to_owned());
    let traces = look(store, asked, user_key)?;
    let files = Files::open(store, None)?;
    let (done, erased) = channel();
    let erasing = Box::new(Erasing {
        traces,
        hash,
        others: files.sinks,
        done,
    });
    wishes.send(Wish::Erase(erasing)).map_err(|_| ended())?;
    let erased = erased.recv().map_err(|_| ended())?;
    store.purge()?;
    // If it ends now, the next start finds that bytes may be left, and looks again.
    let _ = wishes.send(Wish::Note(erase::not_pending()));
    Ok(page(&erased, &files.untouched))
}

fn look(store: &dyn Store, asked: &Asked, user_key: UserKeyPolicy) -> Result<Traces, CliError> {
    let mut traces = Traces::of(WantedUser::new(&asked.tenant, &asked.id, user_key));
    traces.look(store)?;
    if traces.is_empty() && traces.rows(store)?.is_empty() {
        return Err(unknown(asked));
    }
    Ok(traces)
}

/// Files that this store wrote, and those of them that are out of reach.
struct Files {
    sinks: Vec<Box<dyn Sink>>,
    untouched: Vec<String>,
}

impl Files {
    /// Opens them; with a data folder its mails too. Those that this process has open already are passed over.
    fn open(store: &dyn Store, data: Option<&Path>) -> Result<Self, CliError> {
        let mut files = Self {
            sinks: Vec::new(),
            untouched: Vec::new(),
        };
        each_row(store, Keyspace::Sink, &[], |row| {
            match SinkKind::read_cursor_key(&row.key) {
                Some((kind, path)) => files.add(kind, &path, &row.value),
                None if row.key.ends_with(b":-") => files
                    .untouched
                    .push("standard output, which was read already".to_owned()),
                None => {}
            }
            Ok(())
        })?;
        if let Some(data) = data {
            // Nothing is written, only removed.
            let sender = MailSender {
                name: String::new(),
                address: String::new(),
            };
            files.sinks.push(Box::new(EmlSink::open(data, sender, None)?));
        }
        Ok(files)
    }

    fn add(&mut self, kind: SinkKind, path: &Path, row: &[u8]) {
        if !path.exists() {
            self.untouched
                .push(format!("`{}`, which was moved away", path.display()));
            return;
        }
        match FileSink::open(kind, path, Some(row)) {
            Ok(sink) => self.sinks.push(Box::new(sink)),
            Err(error) if error.source.kind() == std::io::ErrorKind::ResourceBusy => {}
            Err(error) => self.untouched.push(error.to_string()),
        }
    }
}

/// The names of users in the counters, and of what was erased, are hashes with the key of the configuration.
fn is_of_the_store(store: &dyn Store, settings: &Settings) -> Result<(), CliError> {
    let Some(current) = Current::read(store)? else {
        return Ok(());
    };
    let archived = versions::archived(store, current.versions)?;
    let Some(stored) = archived.and_then(|archived| archived.settings) else {
        return Ok(());
    };
    let ours = settings.decides_text();
    let of_the_store = |text: &str| -> Vec<String> {
        text.lines()
            .filter(|line| OF_THE_STORE.iter().any(|section| line.starts_with(section)))
            .map(str::to_owned)
            .collect()
    };
    if of_the_store(&stored) == of_the_store(&ours) {
        return Ok(());
    }
    Err(CliError::Usage(
        "the store was made with another `security.hash_key` or other `[crowd]` limits; name its configuration with \
         `--config`"
            .to_owned(),
    ))
}

/// Finishes an erasure that a crash left half-way: files take their new names, and erased bytes go.
///
/// # Errors
/// When the store fails.
pub fn finish_pending(store: &dyn Store) -> Result<(), CliError> {
    if !erase::is_pending(store)? {
        return Ok(());
    }
    tracing::info!("an earlier erasure was not finished; its bytes are removed now");
    // To open them is to finish them.
    drop(Files::open(store, None)?);
    finish(store).map_err(CliError::from)
}

fn finish(store: &dyn Store) -> Result<(), StoreError> {
    store.purge()?;
    let head = store.head()?;
    let batch = Batch {
        expected_head: head,
        new_head: head,
        changes: vec![erase::not_pending()],
    };
    store.commit(batch).map(drop)
}

fn page(erased: &Erased, untouched: &[String]) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        out,
        "erased at seq {}: {} records of the journal, {} decisions, {} alerts, {} dead letters, {} rows",
        erased.seq, erased.records, erased.decisions, erased.alerts, erased.letters, erased.rows
    );
    for (name, count) in &erased.published {
        let _ = writeln!(out, "`{name}`: {count} removed");
    }
    for what in untouched {
        let _ = writeln!(out, "not touched: {what}");
    }
    out.push_str("input files, logs and backups are not Doorward's, and may still name the user\n");
    out
}
