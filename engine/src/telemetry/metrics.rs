//! The figures of one process, each name in one place.
//!
//! Labels are `&'static str`: they come from our own code, so an event cannot put its words or ever more values into
//! them. What a figure counts is its help text below. Not here: the HTTP side, which is `serve.rs`.

use prometheus::core::Collector;
use prometheus::{
    Gauge, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, Registry, TextEncoder,
};
use thiserror::Error;

/// Why figures cannot be made or written.
#[derive(Debug, Error)]
#[error("figures cannot be made: {0}")]
pub struct MetricsError(#[from] prometheus::Error);

/// Bounds of the histogram of batch sizes, in records.
const RECORDS: [f64; 8] = [1.0, 4.0, 16.0, 64.0, 256.0, 1024.0, 4096.0, 16_384.0];

/// Bounds of the histogram of commits, in seconds: from an idle disk to one that others keep busy.
const COMMIT_SECONDS: [f64; 16] = [
    0.000_5, 0.001, 0.002, 0.004, 0.008, 0.012, 0.016, 0.024, 0.032, 0.048, 0.064, 0.128, 0.256, 0.512, 1.0,
    4.0,
];

/// A counter for each value of one label.
#[derive(Debug, Clone)]
pub struct CounterBy(IntCounterVec);

impl CounterBy {
    /// Adds one.
    pub fn inc(&self, label: &'static str) {
        self.add(label, 1);
    }

    /// Adds `count`.
    pub fn add(&self, label: &'static str, count: u64) {
        self.0.with_label_values(&[label]).inc_by(count);
    }

    /// What was counted so far.
    #[must_use]
    pub fn get(&self, label: &'static str) -> u64 {
        self.0.with_label_values(&[label]).get()
    }
}

/// A counter for each pair of values of two labels.
#[derive(Debug, Clone)]
pub struct CounterByTwo(IntCounterVec);

impl CounterByTwo {
    /// Adds one.
    pub fn inc(&self, first: &'static str, second: &'static str) {
        self.0.with_label_values(&[first, second]).inc();
    }

    /// What was counted so far.
    #[must_use]
    pub fn get(&self, first: &'static str, second: &'static str) -> u64 {
        self.0.with_label_values(&[first, second]).get()
    }
}

/// Every figure of the process. Clones count into the same figures.
#[derive(Debug, Clone)]
pub struct Metrics {
    registry: Registry,
    /// Events that came in and were not there before, refused ones too, by door (`files`, `kafka`).
    pub events: CounterBy,
    /// Decisions, by action (`allow`, `step_up`, `hold`, `deny`; `none` for what is not scored).
    pub decisions: CounterBy,
    /// Events that were refused, by reason.
    pub refused: CounterBy,
    /// Events that had been decided before.
    pub duplicates: IntCounter,
    /// Alerts, by kind and status (`due`, `held_back`).
    pub alerts: CounterByTwo,
    /// How often files were read again, by result (`taken`, `same`, `broken`).
    pub reloads: CounterBy,
    /// Mails that this process wrote.
    pub mails_written: IntCounter,
    /// Records in a batch.
    pub batch_records: Histogram,
    /// Seconds from a closed batch that is taken up to its rows on disk and its lines published.
    pub commit_seconds: Histogram,
    /// The last `seq` that was committed.
    pub store_head: IntGauge,
    /// The clock of the engine: seconds since 1970, UTC; 0 before the first commit of the process.
    pub clock_seconds: IntGauge,
    /// Messages in Kafka that wait to be read.
    pub kafka_lag: IntGauge,
    /// How long ago the oldest of them was written, at least: seconds.
    pub kafka_age: Gauge,
    /// Readers opened anew because a partition with unread messages gave none.
    pub kafka_reopened: IntCounter,
    /// Messages that the brokers acknowledged, by outlet (`decisions`, `alerts`, `dead_letters`).
    pub kafka_published: CounterBy,
    /// Events that came through another partition than the one before of the same user.
    pub split_users: IntCounter,
}

impl Metrics {
    /// All figures at zero, in a registry of their own.
    ///
    /// # Errors
    /// A name that is taken or not allowed: a fault of the program, which a test would show.
    pub fn new() -> Result<Self, MetricsError> {
        let make = Maker(Registry::new());
        Ok(Self {
            events: make.counter_by(
                "events_total",
                "Events that came in and were not there before.",
                "door",
            )?,
            decisions: make.counter_by("decisions_total", "Decisions made.", "action")?,
            refused: make.counter_by("refused_total", "Events that were refused.", "reason")?,
            duplicates: make.counter("duplicates_total", "Events that were decided before.")?,
            alerts: make.counter_by_two("alerts_total", "Alerts raised.", ["kind", "status"])?,
            reloads: make.counter_by("reloads_total", "Times that files were read again.", "result")?,
            mails_written: make.counter("mails_written_total", "Mails written.")?,
            batch_records: make.histogram("batch_records", "Records in a batch.", &RECORDS)?,
            commit_seconds: make.histogram(
                "commit_seconds",
                "Time to store and publish a batch.",
                &COMMIT_SECONDS,
            )?,
            store_head: make.gauge("store_head", "Last committed number of the journal.")?,
            clock_seconds: make.gauge(
                "clock_seconds",
                "Clock of the engine, Unix time; 0 before a commit.",
            )?,
            kafka_lag: IntGauge::with_opts(Maker::options(
                "kafka_lag_messages",
                "Messages in Kafka that wait to be read.",
            ))?,
            kafka_age: Gauge::with_opts(Maker::options(
                "kafka_age_seconds",
                "Age of the oldest message that waits, at least.",
            ))?,
            kafka_reopened: IntCounter::with_opts(Maker::options(
                "kafka_reopened_total",
                "Readers opened anew as a partition stood still.",
            ))?,
            kafka_published: CounterBy(IntCounterVec::new(
                Maker::options("kafka_published_total", "Messages that the brokers acknowledged."),
                &["outlet"],
            )?),
            split_users: IntCounter::with_opts(Maker::options(
                "kafka_split_users_total",
                "Events that came through another partition than the user's last one.",
            ))?,
            registry: make.0,
        })
    }

    /// From now on the figures of Kafka are shown as well.
    ///
    /// # Errors
    /// When they are shown already.
    pub fn show_kafka(&self) -> Result<(), MetricsError> {
        let figures: [Box<dyn Collector>; 5] = [
            Box::new(self.kafka_lag.clone()),
            Box::new(self.kafka_age.clone()),
            Box::new(self.kafka_reopened.clone()),
            Box::new(self.kafka_published.0.clone()),
            Box::new(self.split_users.clone()),
        ];
        for figure in figures {
            self.registry.register(figure)?;
        }
        Ok(())
    }

    /// All figures in the Prometheus text form, version 0.0.4.
    ///
    /// # Errors
    /// A figure without a value: a fault of the program.
    pub fn text(&self) -> Result<String, MetricsError> {
        Ok(TextEncoder::new().encode_to_string(&self.registry.gather())?)
    }
}

struct Maker(Registry);

impl Maker {
    fn options(name: &str, help: &str) -> Opts {
        Opts::new(name, help).namespace("doorward")
    }

    fn register<C: Collector + Clone + 'static>(&self, figure: C) -> Result<C, MetricsError> {
        self.0.register(Box::new(figure.clone()))?;
        Ok(figure)
    }

    fn counter(&self, name: &str, help: &str) -> Result<IntCounter, MetricsError> {
        self.register(IntCounter::with_opts(Self::options(name, help))?)
    }

    fn counter_by(&self, name: &str, help: &str, label: &str) -> Result<CounterBy, MetricsError> {
        let figure = IntCounterVec::new(Self::options(name, help), &[label])?;
        self.register(figure).map(CounterBy)
    }

    fn counter_by_two(
        &self,
        name: &str,
        help: &str,
        labels: [&str; 2],
    ) -> Result<CounterByTwo, MetricsError> {
        let figure = IntCounterVec::new(Self::options(name, help), &labels)?;
        self.register(figure).map(CounterByTwo)
    }

    fn gauge(&self, name: &str, help: &str) -> Result<IntGauge, MetricsError> {
        self.register(IntGauge::with_opts(Self::options(name, help))?)
    }

    fn histogram(&self, name: &str, help: &str, to: &[f64]) -> Result<Histogram, MetricsError> {
        let options = HistogramOpts::new(name, help)
            .namespace("doorward")
            .buckets(to.to_vec());
        self.register(Histogram::with_opts(options)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_come_out_in_the_text_form() {
        let metrics = Metrics::new().unwrap();
        metrics.events.add("files", 3);
        metrics.alerts.inc("unknown_device_in", "held_back");
        metrics.batch_records.observe(5.0);
        metrics.clone().store_head.set(42);
        let text = metrics.text().unwrap();
        for line in [
            "# TYPE doorward_events_total counter",
            "doorward_events_total{door=\"files\"} 3",
            "doorward_alerts_total{kind=\"unknown_device_in\",status=\"held_back\"} 1",
            "doorward_batch_records_bucket{le=\"16\"} 1",
            "doorward_store_head 42",
            "doorward_duplicates_total 0",
        ] {
            assert!(text.lines().any(|have| have == line), "{line} in\n{text}");
        }
    }

    #[test]
    fn two_processes_in_one_do_not_share_figures() {
        let (one, two) = (Metrics::new().unwrap(), Metrics::new().unwrap());
        one.decisions.inc("allow");
        assert_eq!(one.decisions.get("allow"), 1);
        assert_eq!(two.decisions.get("allow"), 0);
    }
}
