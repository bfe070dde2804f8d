//! The whole of `doorward run` over a topic, but for the disk: the store is in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use doorward::cli::assemble::{Assembly, run_limits};
use doorward::config::{Environment, Request, load};
use doorward::io::kafka::{KafkaSink, KafkaSource, Opening, Outlet, Publisher, Shared};
use doorward::io::memory::store::MemoryStore;
use doorward::pipeline::batch::ClosedBatch;
use doorward::pipeline::faults::Faults;
use doorward::pipeline::ports::{Sink, Store};
use doorward::pipeline::run::{Observer, Run, Sinks, run_messages};

use crate::clients::Failure;

/// Stops the run when so many records are committed.
struct Enough {
    left: AtomicU64,
    stop: Arc<AtomicBool>,
}

impl Observer for Enough {
    fn committed(&self, batch: &ClosedBatch) {
        let records = batch
            .outcomes
            .iter()
            .filter(|outcome| outcome.is_from_door())
            .count() as u64;
        let left = self.left.load(Ordering::Relaxed).saturating_sub(records);
        self.left.store(left, Ordering::Relaxed);
        if left == 0 {
            self.stop.store(true, Ordering::Relaxed);
        }
    }
}

pub fn decide(brokers: &str, from: &str, to: &str, events: u64) -> Result<(), Failure> {
    let environment = Environment::from_iter([
        ("DOORWARD_KAFKA_BROKERS", brokers),
        ("DOORWARD_KAFKA_TOPIC", from),
        ("DOORWARD_KAFKA_DECISIONS", to),
        ("DOORWARD_KAFKA_GROUP", "figures-memory"),
    ]);
    let settings = load(&Request::default(), &environment)?.settings;
    let assembly = Assembly::from_settings(&settings)?;
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
    let kafka = Arc::new(settings.kafka.clone());
    let opened = Opening {
        settings: &kafka,
        store: &*store,
        accept_gap: false,
        take_over: true,
        create_topics: false,
        outlets: &[to],
    }
    .open()?;
    let shared = Arc::new(Shared::new(1, Box::new(())));
    let source = KafkaSource::open(
        &kafka,
        &shared,
        0,
        opened.logs,
        settings.limits.event_bytes,
        false,
    )?;
    let stop = Arc::new(AtomicBool::new(false));
    let publisher = Publisher {
        settings: kafka,
        shared,
        stop: Arc::clone(&stop),
    };
    let sink: Box<dyn Sink> = Box::new(KafkaSink::open(&publisher, Outlet::Decisions, to, None)?);
    let observer = Enough {
        left: AtomicU64::new(events),
        stop: Arc::clone(&stop),
    };
    let run = Run {
        engine: Arc::clone(&assembly.engine),
        store,
        sources: Vec::new(),
        sinks: Sinks {
            decisions: Some(sink),
            ..Sinks::default()
        },
        door: &assembly.live_door(&settings, "default"),
        limits: run_limits(&settings),
        stop: &stop,
        settle: 0,
        observer: &observer,
        upkeep: None,
    };
    run_messages(run, vec![Box::new(source)], &Faults::default(), None)?;
    Ok(())
}
