//! `doorward run`: events from files, a pipe or Kafka into the store, decisions out.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use clap::Args;

use super::admin::{self, Shown};
use super::args::{Span, check_inputs, named_file};
use super::assemble::{Assembly, run_limits, upkeep, user_key_policy};
use super::exit::{CliError, Exit};
use super::faults;
use super::kafka::{self, Door, KafkaArgs, Outlet, Ready};
use super::reload::{Reloader, Watching};
use super::signals::{hangup_flag, stop_flag};
use super::user::erase::finish_pending;
use super::watch::{Tally, Watch};
use crate::config::{Loaded, LogLevel, Request, Settings};
use crate::io::files::{FileLines, FileSink, SinkKind, StdoutSink, input_key};
use crate::io::mail::{EmlSink, MailSender};
use crate::io::store::{FjallStore, StoreKind, StoreOptions};
use crate::pipeline::door::DoorPolicy;
use crate::pipeline::faults::Faults;
use crate::pipeline::ports::{Keyspace, LineSource, Sink, Store};
use crate::pipeline::run::{self as pipeline, Orders, Run, Sinks, Upkeep};
use crate::pipeline::sequencer::Counts;
use crate::pipeline::taken::Taken;
use crate::telemetry::log::say;
use crate::telemetry::metrics::Metrics;
use crate::telemetry::serve::MetricsServer;

const EXAMPLE: &str = "Example:
  doorward run --events logins.ndjson --decisions decisions.ndjson
  tail -F /var/log/logins.ndjson | doorward run --events - --data /var/lib/doorward

  DOORWARD_KAFKA_BROKERS=localhost:9092 doorward run | cat

Without --events the topics of [kafka] are read, and decisions, alerts and refused messages go to topics.
Events are JSON, one object a line. Decisions come out the same way. Start it again on the same input after any
interruption: nothing is lost and nothing is decided twice.";

/// Arguments of `doorward run`.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLE)]
pub struct RunArgs {
    /// Event file, `-` for standard input; several are merged by time [default: the topics of `[kafka]`]
    #[arg(long, value_name = "FILE")]
    pub events: Vec<PathBuf>,
    /// Folder of the store, the mails and the dead letters
    #[arg(long, value_name = "DIR", default_value = "./doorward-data")]
    pub data: PathBuf,
    /// File that decisions are appended to [default: the topic of `[kafka]`, else standard output]
    #[arg(long, value_name = "FILE")]
    pub decisions: Option<PathBuf>,
    /// File that refused lines are appended to [default: the topic of `[kafka]`, else dead-letters.ndjson in the data folder]
    #[arg(long, value_name = "FILE", value_parser = named_file())]
    pub dead_letters: Option<PathBuf>,
    /// File that alerts are appended to, due and held back [default: they stand in the decisions, and in the mails]
    #[arg(long, value_name = "FILE", value_parser = named_file())]
    pub alerts: Option<PathBuf>,
    /// Events happen as they arrive, as on a pipe that an application writes to; else their own times are the clock
    #[arg(long, conflicts_with = "backfill")]
    pub live: bool,
    /// Let attempts and mails that wait come to their end as if so much time passed after the last event, such as 24h
    #[arg(long, value_name = "TIME", default_value = "0s")]
    pub settle: Span,
    /// Tenant of events that name none
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub tenant: String,
    /// The events are old logs: learn from them, tell nobody of what is in them, and trust devices seen on three days
    #[arg(long, conflicts_with = "live")]
    pub backfill: bool,
    /// Kafka.
    #[command(flatten)]
    pub kafka: KafkaArgs,
}

/// Runs the events through the store.
///
/// # Errors
/// See the table of exit codes.
pub fn run(args: &RunArgs, loaded: &Loaded, request: Request) -> Result<Exit, CliError> {
    let settings = &loaded.settings;
    check_tenant(settings, &args.tenant)?;
    check_input(settings, &args.events)?;
    let assembly = Assembly::from_settings(settings)?;
    let metrics = Metrics::new()?;
    let listen = settings.metrics.listen;
    let _server = listen
        .map(|address| MetricsServer::start(address, metrics.clone()))
        .transpose()?;
    let stop = stop_flag()?;
    let faults = faults::of_process()?;
    let store = open_real_store(&args.data, settings, (&faults, &metrics))?;
    let (wish, wishes) = channel();
    let outlets = outlets(args, settings);
    let mut kafka = open_kafka(
        args,
        &Ready {
            settings,
            tenant: &args.tenant,
            store: &store,
            metrics: &metrics,
            stop: &stop,
            outlets: &outlets,
        },
    )?;
    let through = if kafka.is_some() { "kafka" } else { "files" };
    let watch = Arc::new(Watch::new(metrics.clone()).through(through));
    let _socket = admin::listen(
        &args.data,
        Shown {
            store: Arc::clone(&store),
            engine: Arc::clone(&assembly.engine),
            metrics: metrics.clone(),
            watch: Arc::clone(&watch),
            data: args.data.clone(),
            user_key: user_key_policy(settings),
            wishes: Mutex::new(wish),
        },
    );
    let reloader = Reloader::new(
        (request, loaded.file.clone()),
        settings.clone(),
        &args.tenant,
        &assembly,
    );
    let (_watching, reloads) = Watching::start(reloader, hangup_flag()?, metrics.clone())?;
    run_over_with(
        &Over {
            assembly: &assembly,
            settings,
            tenant: &args.tenant,
            stop: &stop,
            settle: args.settle.micros(),
            live: args.live,
            upkeep: Some(upkeep(settings)),
            backfill: args.backfill,
        },
        store,
        (&args.events, kafka.as_mut()),
        |store, kafka| sinks(args, store, kafka, (&outlets, settings, &metrics)),
        &watch,
        (&faults, Orders::of(reloads, wishes)),
    )?;
    if let Some(kafka) = kafka {
        kafka.close();
    }
    tell(&watch.tally(), letters_file(args, &outlets).as_deref());
    Ok(Exit::Done)
}

/// The store of real events, with what an earlier process left to be done.
fn open_real_store(
    data: &Path,
    settings: &Settings,
    (faults, metrics): (&Faults, &Metrics),
) -> Result<Arc<dyn Store>, CliError> {
    let store = open_store(data, StoreKind::Real, settings)?.watched_by(faults.clone());
    let head = i64::try_from(store.head()?).unwrap_or(i64::MAX);
    metrics.store_head.set(head);
    finish_pending(&store)?;
    Ok(Arc::new(store))
}

/// Kafka's topics are read where no files are named.
fn open_kafka(args: &RunArgs, ready: &Ready<'_>) -> Result<Option<Door>, CliError> {
    if args.events.is_empty() {
        kafka::open(&args.kafka, ready)
    } else {
        Ok(None)
    }
}

/// There must be something to read.
fn check_input(settings: &Settings, events: &[PathBuf]) -> Result<(), CliError> {
    check_inputs(events)?;
    if events.is_empty() && settings.kafka.brokers.is_empty() {
        return Err(CliError::Usage(
            "nothing to read: name files with `--events`, or brokers in `[kafka]`".to_owned(),
        ));
    }
    Ok(())
}

/// What goes to topics: all that no file is named for, if Kafka is read.
fn outlets(args: &RunArgs, settings: &Settings) -> Vec<Outlet> {
    if !args.events.is_empty() {
        return Vec::new();
    }
    [
        (Outlet::Decisions, &args.decisions),
        (Outlet::Alerts, &args.alerts),
        (Outlet::DeadLetters, &args.dead_letters),
    ]
    .into_iter()
    .filter(|(outlet, file)| file.is_none() && !kafka::topic_of(settings, *outlet).is_empty())
    .map(|(outlet, _)| outlet)
    .collect()
}

/// The file of the dead letters, unless they go to a topic.
fn letters_file(args: &RunArgs, outlets: &[Outlet]) -> Option<PathBuf> {
    (!outlets.contains(&Outlet::DeadLetters)).then(|| dead_letters(args))
}

fn dead_letters(args: &RunArgs) -> PathBuf {
    let named = args.dead_letters.clone();
    named.unwrap_or_else(|| args.data.join("dead-letters.ndjson"))
}

fn sinks(
    args: &RunArgs,
    store: &dyn Store,
    kafka: Option<&Door>,
    (outlets, settings, metrics): (&[Outlet], &Settings, &Metrics),
) -> Result<Sinks, CliError> {
    let topic = |outlet| match kafka.filter(|_| outlets.contains(&outlet)) {
        Some(kafka) => kafka.sink(store, outlet).map(Some),
        None => Ok(None),
    };
    let decisions = match topic(Outlet::Decisions)? {
        Some(topic) => topic,
        None => decisions_sink(store, args.decisions.as_deref())?,
    };
    let dead_letters = match topic(Outlet::DeadLetters)? {
        Some(topic) => topic,
        None => dead_letters_sink(store, &dead_letters(args), settings)?,
    };
    let alerts = match topic(Outlet::Alerts)? {
        Some(topic) => Some(topic),
        None => optional_sink(store, SinkKind::Alerts, args.alerts.as_deref())?,
    };
    Ok(Sinks {
        decisions: Some(decisions),
        dead_letters: Some(dead_letters),
        alerts,
        mail: Some(mail_sink(store, &args.data, settings, metrics)?),
    })
}

/// What every way of running has in common.
pub struct Over<'a> {
    /// Engine and enrichment.
    pub assembly: &'a Assembly,
    /// Settings.
    pub settings: &'a Settings,
    /// Tenant of events that name none.
    pub tenant: &'a str,
    /// Set to finish and leave.
    pub stop: &'a Arc<AtomicBool>,
    /// Lines happen as they arrive; else their own times are the clock.
    pub live: bool,
    /// How long after the last record timers still fire, microseconds.
    pub settle: i64,
    /// What is done for later runs, if the store lasts until then.
    pub upkeep: Option<Upkeep>,
    /// Whether the files are old logs.
    pub backfill: bool,
}

/// Runs files through a store and the sinks that `sinks` opens over it.
///
/// # Errors
/// See the table of exit codes.
pub fn run_over(
    over: &Over<'_>,
    store: Arc<dyn Store>,
    events: &[PathBuf],
    sinks: impl FnOnce(&dyn Store) -> Result<Sinks, CliError>,
    watch: &Watch,
) -> Result<Counts, CliError> {
    let sinks = |store: &dyn Store, _: Option<&Door>| sinks(store);
    run_over_with(
        over,
        store,
        (events, None),
        sinks,
        watch,
        (&Faults::default(), Orders::default()),
    )
}

/// The same, perhaps from Kafka; the faults hear of every place that is passed, and the orders are followed.
fn run_over_with(
    over: &Over<'_>,
    store: Arc<dyn Store>,
    (events, kafka): (&[PathBuf], Option<&mut Door>),
    sinks: impl FnOnce(&dyn Store, Option<&Door>) -> Result<Sinks, CliError>,
    watch: &Watch,
    (faults, orders): (&Faults, Orders),
) -> Result<Counts, CliError> {
    let sources = open_sources(&*store, events, over.settings, over.stop)?;
    let sinks = sinks(&*store, kafka.as_deref())?;
    let (live, files) = (Assembly::live_door, Assembly::file_door);
    let door = if over.live { live } else { files }(over.assembly, over.settings, over.tenant);
    let door = match &kafka {
        Some(kafka) => kafka.policy(door),
        None => door,
    };
    let door = DoorPolicy {
        backfill: over.backfill,
        ..door
    };
    let messages = kafka.map_or_else(Vec::new, Door::sources);
    let run = Run {
        engine: Arc::clone(&over.assembly.engine),
        store,
        sources,
        sinks,
        door: &door,
        limits: run_limits(over.settings),
        stop: over.stop,
        settle: over.settle,
        observer: watch,
        upkeep: over.upkeep,
    };
    Ok(pipeline::run_messages(run, messages, faults, orders)?)
}

/// The inputs, each where the store left it.
fn open_sources(
    store: &dyn Store,
    events: &[PathBuf],
    settings: &Settings,
    stop: &AtomicBool,
) -> Result<Vec<Box<dyn LineSource>>, CliError> {
    let mut sources: Vec<Box<dyn LineSource>> = Vec::with_capacity(events.len());
    for path in events {
        let unreadable = |source| CliError::Input {
            name: path.display().to_string(),
            source,
        };
        let Some(lines) = open_lines(path.clone(), settings.limits.event_bytes, stop) else {
            return Ok(Vec::new());
        };
        let mut lines = lines.map_err(unreadable)?;
        let row = load_one(store, Keyspace::Input, input_key(lines.identity()))?;
        let mut skipped = lines.resume(row.as_deref()).map_err(unreadable)?;
        // A position that is that of another file says nothing of this one.
        let key = Taken::key(&lines.identity().first_line);
        if (skipped > 0 || row.is_none())
            && let Some(taken) = load_one(store, Keyspace::Input, key)?
        {
            let taken = Taken::decode(&taken)?;
            skipped = lines.skip_taken(&taken, skipped).map_err(unreadable)?;
        }
        if skipped > 0 {
            tracing::debug!(input = %path.display(), lines = skipped, "goes on where it stopped");
        }
        sources.push(Box::new(lines));
    }
    Ok(sources)
}

/// Opens an input, which waits for its first line; `None` if the run was stopped before there was one.
fn open_lines(path: PathBuf, bytes_max: usize, stop: &AtomicBool) -> Option<std::io::Result<FileLines>> {
    let (answer, opened) = std::sync::mpsc::channel();
    // Left behind if the pipe stays silent: it ends with the process.
    std::thread::spawn(move || {
        // Nobody listens any more only after a stop.
        let _ = answer.send(FileLines::open(&path, bytes_max));
    });
    loop {
        match opened.recv_timeout(std::time::Duration::from_millis(50)) {
            Ok(lines) => return Some(lines),
            Err(_) if stop.load(std::sync::atomic::Ordering::Relaxed) => return None,
            Err(_) => {}
        }
    }
}

/// Opens the embedded store in a folder, which is made if it is not there.
///
/// # Errors
/// When it is in use, damaged, newer or of another kind.
pub fn open_store(data: &Path, kind: StoreKind, settings: &Settings) -> Result<FjallStore, CliError> {
    std::fs::create_dir_all(data).map_err(|source| CliError::Output {
        name: data.display().to_string(),
        source,
    })?;
    Ok(FjallStore::open(data, kind, &store_options(settings))?)
}

/// How much memory the store may take.
#[must_use]
pub fn store_options(settings: &Settings) -> StoreOptions {
    StoreOptions {
        cache_bytes: settings.store.cache_mib << 20,
        free_min_bytes: settings.store.free_min << 20,
        ..StoreOptions::default()
    }
}

/// Decisions to a file, or to standard output.
///
/// # Errors
/// When the file cannot be written, or is not what the store's cursor says.
pub fn decisions_sink(store: &dyn Store, path: Option<&Path>) -> Result<Box<dyn Sink>, CliError> {
    match path {
        Some(path) if path != Path::new("-") => file_sink(store, SinkKind::Decisions, path),
        _ => {
            let row = load_one(store, Keyspace::Sink, StdoutSink::cursor_key(SinkKind::Decisions))?;
            Ok(Box::new(StdoutSink::open(SinkKind::Decisions, row.as_deref())?))
        }
    }
}

/// A file that is written exactly once.
///
/// # Errors
/// When the file cannot be written, or is not what the store's cursor says.
pub fn file_sink(store: &dyn Store, kind: SinkKind, path: &Path) -> Result<Box<dyn Sink>, CliError> {
    let row = load_one(store, Keyspace::Sink, FileSink::cursor_key(kind, path)?)?;
    Ok(Box::new(FileSink::open(kind, path, row.as_deref())?))
}

/// The file of dead letters: senders decide how much goes into it, so it has a limit.
fn dead_letters_sink(store: &dyn Store, path: &Path, settings: &Settings) -> Result<Box<dyn Sink>, CliError> {
    let kind = SinkKind::DeadLetters;
    let row = load_one(store, Keyspace::Sink, FileSink::cursor_key(kind, path)?)?;
    let sink = FileSink::open(kind, path, row.as_deref())?;
    Ok(Box::new(sink.at_most(settings.limits.dead_letters_mib << 20)))
}

/// The same, if a file is named.
///
/// # Errors
/// As [`file_sink`].
pub fn optional_sink(
    store: &dyn Store,
    kind: SinkKind,
    path: Option<&Path>,
) -> Result<Option<Box<dyn Sink>>, CliError> {
    path.map(|path| file_sink(store, kind, path)).transpose()
}

/// Mails as files in the data folder, counted in `metrics`.
///
/// # Errors
/// When the folder cannot be written.
pub fn mail_sink(
    store: &dyn Store,
    data: &Path,
    settings: &Settings,
    metrics: &Metrics,
) -> Result<Box<dyn Sink>, CliError> {
    let sender = MailSender {
        name: settings.mail.site_name.clone(),
        address: settings.mail.from.clone(),
    };
    let row = load_one(store, Keyspace::Sink, EmlSink::cursor_key(data)?)?;
    let written = metrics.mails_written.clone();
    let sink = EmlSink::open(data, sender, row.as_deref())?;
    Ok(Box::new(sink.with_each(move || written.inc())))
}

fn load_one(store: &dyn Store, keyspace: Keyspace, key: Vec<u8>) -> Result<Option<Vec<u8>>, CliError> {
    Ok(store.load_many(keyspace, &[key])?.pop().flatten())
}

/// Refuses a tenant that the configuration does not know, before anything is decided for it.
///
/// # Errors
/// [`CliError::Usage`].
pub fn check_tenant(settings: &Settings, tenant: &str) -> Result<(), CliError> {
    if settings.tenants.allowed.iter().any(|allowed| allowed == tenant) {
        return Ok(());
    }
    Err(CliError::Usage(format!(
        "tenant `{tenant}` is not in `tenants.allowed`"
    )))
}

/// The short word on standard error.
pub fn tell(tally: &Tally, dead_letters: Option<&Path>) {
    let mut words = format!("doorward: {} decided", count(tally.events, "event"));
    if tally.repeated > 0 {
        let _ = write!(words, ", {} were there before", tally.repeated);
    }
    if tally.refused_lines() > 0 {
        let reasons: Vec<String> = tally
            .refused
            .iter()
            .map(|(reason, lines)| format!("{reason} {lines}"))
            .collect();
        let lines = count(tally.refused_lines(), "line");
        let _ = write!(words, "; {lines} refused ({})", reasons.join(", "));
        if let Some(path) = dead_letters {
            let _ = write!(words, ", see {}", path.display());
        }
    }
    words.push('\n');
    say(LogLevel::Info, &words);
}

fn count(number: u64, thing: &str) -> String {
    if number == 1 {
        format!("1 {thing}")
    } else {
        format!("{number} {thing}s")
    }
}
