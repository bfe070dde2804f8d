//! Puts the Kafka door and its topics together for `doorward run`.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use clap::Args;

use super::assemble::wall_clock_micros;
use super::exit::CliError;
use crate::config::{KafkaTopic, Settings};
pub use crate::io::kafka::Outlet;
use crate::io::kafka::{Figures, KafkaSink, KafkaSource, Log, Opening, Publisher, Shared, Watch, inputs_of};
use crate::pipeline::door::DoorPolicy;
use crate::pipeline::messages::{InputScope, MessageSource};
use crate::pipeline::ports::{Keyspace, Sink, Store};
use crate::telemetry::metrics::Metrics;

/// A quiet Kafka ticks so long behind the wall clock: what was written just now may still be on its way.
const BEHIND_MICROS: i64 = 1_000_000;
/// How long the end of a run waits for clients.
const FAREWELL: Duration = Duration::from_secs(3);

/// Arguments of `doorward run` that are about Kafka.
#[derive(Debug, Clone, Default, Args)]
pub struct KafkaArgs {
    /// Make the topics of `[kafka]` that are not there
    #[arg(long, conflicts_with = "events")]
    pub create_topics: bool,
    /// Go on where messages were deleted before they were read, or a topic was made anew; leaves a dead letter
    #[arg(long, conflicts_with = "events")]
    pub accept_gap: bool,
    /// Go on although another store reads under the same `kafka.group`
    #[arg(long, conflicts_with = "events")]
    pub take_over: bool,
}

/// What the command has ready when it opens the door.
pub struct Ready<'a> {
    /// Settings.
    pub settings: &'a Settings,
    /// Tenant of events that name none.
    pub tenant: &'a str,
    /// Where positions are.
    pub store: &'a Arc<dyn Store>,
    /// Figures.
    pub metrics: &'a Metrics,
    /// Set when the run was asked to stop.
    pub stop: &'a Arc<AtomicBool>,
    /// Topics that are published to; absent ones go elsewhere.
    pub outlets: &'a [Outlet],
}

/// The open door.
pub struct Door {
    publisher: Publisher,
    scopes: Arc<[InputScope]>,
    sources: Vec<KafkaSource>,
    watch: Watch,
}

struct Counted(Metrics);

impl Figures for Counted {
    fn lag(&self, messages: u64, age_seconds: f64) {
        self.0.kafka_lag.set(i64::try_from(messages).unwrap_or(i64::MAX));
        self.0.kafka_age.set(age_seconds);
    }

    fn reopened(&self) {
        self.0.kafka_reopened.inc();
    }

    fn published(&self, outlet: &'static str, messages: u64) {
        self.0.kafka_published.add(outlet, messages);
    }
}

/// Opens the door if the settings name brokers.
///
/// # Errors
/// When topics, group or positions are not as they must be.
pub fn open(args: &KafkaArgs, ready: &Ready<'_>) -> Result<Option<Door>, CliError> {
    if ready.settings.kafka.brokers.is_empty() {
        return Ok(None);
    }
    let scopes = scopes(ready)?;
    check_topics(ready)?;
    let settings = Arc::new(ready.settings.kafka.clone());
    let topics: Vec<&str> = ready
        .outlets
        .iter()
        .map(|outlet| topic_of(ready.settings, *outlet))
        .collect();
    let opened = Opening {
        settings: &settings,
        store: &**ready.store,
        accept_gap: args.accept_gap,
        take_over: args.take_over,
        create_topics: args.create_topics,
        outlets: &topics,
    }
    .open()?;
    ready.metrics.show_kafka()?;
    let readers = settings.consumers.min(opened.logs.len());
    let (linger_ms, stall_seconds) = (settings.linger_ms, settings.stall_seconds);
    tracing::debug!(
        "Kafka is open: {} partitions, {readers} readers, messages wait up to {linger_ms} ms, a partition may stand still \
         for {stall_seconds} s",
        opened.logs.len()
    );
    let shared = Arc::new(Shared::new(readers, Box::new(Counted(ready.metrics.clone()))));
    let mut parts: Vec<Vec<Log>> = vec![Vec::new(); readers.max(1)];
    for log in opened.logs {
        if let Some(part) = parts.get_mut(shared.reader_of(log.partition)) {
            part.push(log);
        }
    }
    let event_bytes = ready.settings.limits.event_bytes;
    let sources = parts.into_iter().enumerate().map(|(number, logs)| {
        KafkaSource::open(&settings, &shared, number, logs, event_bytes, args.accept_gap)
    });
    let sources = sources.collect::<Result<_, _>>()?;
    let store = Arc::clone(ready.store);
    let watch = Watch::start(Arc::clone(&settings), Arc::clone(&shared), store, opened.store_id)
        .map_err(|error| CliError::Internal(format!("Kafka cannot be watched: {error}")))?;
    Ok(Some(Door {
        publisher: Publisher {
            settings,
            shared,
            stop: Arc::clone(ready.stop),
        },
        scopes: scopes.into(),
        sources,
        watch,
    }))
}

impl Door {
    /// The readers; once.
    pub fn sources(&mut self) -> Vec<Box<dyn MessageSource>> {
        std::mem::take(&mut self.sources)
            .into_iter()
            .map(|source| -> Box<dyn MessageSource> { Box::new(source) })
            .collect()
    }

    /// After the run: commits the last offsets, for tools, and waits for the clients to be gone.
    pub fn close(self) {
        drop(self.watch);
        let began = Instant::now();
        while !self.publisher.shared.is_deserted() && began.elapsed() < FAREWELL {
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// What the door lets in, for a door of files. Its clock runs by itself only while nothing waits to be read: what is
    /// read later happened before.
    #[must_use]
    pub fn policy(&self, door: DoorPolicy) -> DoorPolicy {
        let shared = Arc::clone(&self.publisher.shared);
        DoorPolicy {
            arrival: Some(Arc::new(move || {
                if shared.is_caught_up() {
                    wall_clock_micros().saturating_sub(BEHIND_MICROS)
                } else {
                    i64::MIN
                }
            })),
            scopes: Arc::clone(&self.scopes),
            ..door
        }
    }

    /// The topic of `outlet` as a way out.
    ///
    /// # Errors
    /// When no client can be made.
    pub fn sink(&self, store: &dyn Store, outlet: Outlet) -> Result<Box<dyn Sink>, CliError> {
        let settings = &self.publisher.settings;
        let topic = match outlet {
            Outlet::Decisions => &settings.decisions,
            Outlet::Alerts => &settings.alerts,
            Outlet::DeadLetters => &settings.dead_letters,
        };
        let key = KafkaSink::cursor_key(outlet, topic);
        let row = store.load_many(Keyspace::Sink, &[key])?.pop().flatten();
        let sink = KafkaSink::open(&self.publisher, outlet, topic, row.as_deref())?;
        Ok(Box::new(sink))
    }
}

/// The topic of an outlet; empty = none.
#[must_use]
pub fn topic_of(settings: &Settings, outlet: Outlet) -> &str {
    match outlet {
        Outlet::Decisions => &settings.kafka.decisions,
        Outlet::Alerts => &settings.kafka.alerts,
        Outlet::DeadLetters => &settings.kafka.dead_letters,
    }
}

/// What is published to a topic that is read would come in again.
fn check_topics(ready: &Ready<'_>) -> Result<(), CliError> {
    let read = &ready.settings.kafka.topic;
    for outlet in ready.outlets {
        let topic = topic_of(ready.settings, *outlet);
        if read.iter().any(|read| read.name == topic) {
            return Err(CliError::Usage(format!(
                "topic `{topic}` is read, so nothing can be published to it: give `kafka.{}` another one",
                outlet.name()
            )));
        }
    }
    Ok(())
}

/// Who may speak through which topic.
fn scopes(ready: &Ready<'_>) -> Result<Vec<InputScope>, CliError> {
    let allowed = &ready.settings.tenants.allowed;
    let known = |topic: &KafkaTopic, tenant: &str| {
        if allowed.iter().any(|allowed| allowed == tenant) {
            return Ok(());
        }
        Err(CliError::Usage(format!(
            "tenant `{tenant}` of topic `{}` is not in `tenants.allowed`",
            topic.name
        )))
    };
    let scope = |topic: &KafkaTopic| {
        let only = match topic.tenants.as_slice() {
            [only] => Some(only.as_str()),
            _ => None,
        };
        let tenant = topic.tenant.as_deref().or(only).unwrap_or(ready.tenant);
        known(topic, tenant)?;
        topic.tenants.iter().try_for_each(|tenant| known(topic, tenant))?;
        let boxed = |names: &[String]| names.iter().map(|name| name.as_str().into()).collect();
        Ok(InputScope {
            inputs: inputs_of(&topic.name).into(),
            tenant: tenant.into(),
            tenants: (!topic.tenants.is_empty()).then(|| boxed(&topic.tenants)),
            sources: boxed(&topic.sources),
        })
    };
    ready.settings.kafka.topic.iter().map(scope).collect()
}
