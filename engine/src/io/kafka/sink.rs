//! Publishes to a topic: at least once, in order, with a cursor behind what the brokers have acknowledged (clause S9).
//!
//! Nothing waits for an acknowledgement while there is room for what waits. When there is none, the committer waits here,
//! and with it everything before it.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::client::OAuthToken;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer as _, ProducerContext, ThreadedProducer};

use super::client::{Ear, producer};
pub use super::envelope::Outlet;
use super::envelope::envelope;
use super::fault::KafkaFault;
use super::shared::Shared;
use crate::config::KafkaSettings;
use crate::io::sink_cursor::SinkCursor;
use crate::pipeline::ports::{Change, Record, Seq, Sink, SinkError};

/// How often a full queue is looked at again.
const FULL: Duration = Duration::from_millis(5);
/// How long a run that was asked to stop waits for brokers that do not answer.
const FAREWELL: Duration = Duration::from_secs(10);

/// Records that were sent between two acknowledgements of the committer.
#[derive(Debug, Default)]
struct Span {
    number: usize,
    in_flight: usize,
    /// Set once it is closed: when it is out, everything up to here is.
    up_to: Option<Seq>,
}

#[derive(Debug, Default)]
struct Sent {
    /// The open span is the last.
    spans: VecDeque<Span>,
    /// Everything up to here is acknowledged.
    out: Option<Seq>,
    failed: Option<String>,
}

impl Sent {
    fn delivered(&mut self, number: usize) {
        if let Some(span) = self.spans.iter_mut().find(|span| span.number == number) {
            span.in_flight = span.in_flight.saturating_sub(1);
        }
        self.drop_done();
    }

    /// Spans end in their order: one that is out behind one that is not says nothing yet.
    fn drop_done(&mut self) {
        while let Some(Span {
            in_flight: 0,
            up_to: Some(up_to),
            ..
        }) = self.spans.front()
        {
            self.out = Some(*up_to);
            self.spans.pop_front();
        }
    }

    fn in_flight(&self) -> usize {
        self.spans.iter().map(|span| span.in_flight).sum()
    }

    /// The open span.
    fn open(&mut self) -> &mut Span {
        let last = self.spans.pop_back();
        let number = last.as_ref().map_or(1, |span| span.number + 1);
        let (closed, open) = match last {
            Some(span) if span.up_to.is_none() => (None, span),
            last => (
                last,
                Span {
                    number,
                    ..Span::default()
                },
            ),
        };
        self.spans.extend(closed);
        self.spans.push_back_mut(open)
    }
}

/// What was sent and what came of it.
#[derive(Default)]
struct Progress {
    sent: Mutex<Sent>,
    moved: Condvar,
}

impl Progress {
    fn lock(&self) -> MutexGuard<'_, Sent> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Deliveries {
    ear: Ear,
    outlet: Outlet,
    progress: Arc<Progress>,
    shared: Arc<Shared>,
}

impl ClientContext for Deliveries {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = Ear::ENABLE_REFRESH_OAUTH_TOKEN;

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.ear.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.ear.error(error, reason);
    }

    fn generate_oauth_token(&self, config: Option<&str>) -> Result<OAuthToken, Box<dyn std::error::Error>> {
        self.ear.generate_oauth_token(config)
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, span: usize) {
        let mut sent = self.progress.lock();
        match result {
            Ok(_) => sent.delivered(span),
            Err((error, _)) => {
                sent.failed.get_or_insert_with(|| error.to_string());
            }
        }
        drop(sent);
        self.progress.moved.notify_all();
        self.shared.figures.published(self.outlet.name(), 1);
    }
}

/// What all sinks of a run have in common.
#[derive(Clone)]
pub struct Publisher {
    /// `[kafka]`.
    pub settings: Arc<KafkaSettings>,
    /// Hears figures.
    pub shared: Arc<Shared>,
    /// Set when the run was asked to stop.
    pub stop: Arc<AtomicBool>,
}

/// A topic.
pub struct KafkaSink {
    topic: String,
    outlet: Outlet,
    producer: ThreadedProducer<Deliveries>,
    progress: Arc<Progress>,
    cursor_key: Vec<u8>,
    published_up_to: Option<Seq>,
    stop: Arc<AtomicBool>,
}

impl KafkaSink {
    /// Key of the cursor in table `sink`.
    #[must_use]
    pub fn cursor_key(outlet: Outlet, topic: &str) -> Vec<u8> {
        format!("kafka:{}:{topic}", outlet.name()).into_bytes()
    }

    /// Publishes to `topic` behind `stored`, the row under [`KafkaSink::cursor_key`]; without it, from now on.
    ///
    /// # Errors
    /// When no client can be made, or the row cannot be read.
    pub fn open(
        publisher: &Publisher,
        outlet: Outlet,
        topic: &str,
        stored: Option<&[u8]>,
    ) -> Result<Self, KafkaFault> {
        let what = format!("topic `{topic}` cannot be published to");
        let cursor = stored.map(SinkCursor::decode).transpose();
        let cursor = cursor.map_err(|reason| KafkaFault::Refused {
            what: what.clone(),
            reason,
        })?;
        let progress = Arc::new(Progress::default());
        let context = Deliveries {
            ear: Ear::new(&publisher.settings),
            outlet,
            progress: Arc::clone(&progress),
            shared: Arc::clone(&publisher.shared),
        };
        let producer = producer(&publisher.settings)?
            .create_with_context(context)
            .map_err(|error| KafkaFault::refused(&what, &error, None))?;
        Ok(Self {
            topic: topic.to_owned(),
            outlet,
            producer,
            progress,
            cursor_key: Self::cursor_key(outlet, topic),
            published_up_to: cursor.map(|cursor| cursor.seq),
            stop: Arc::clone(&publisher.stop),
        })
    }

    fn failed(&self, reason: String) -> SinkError {
        let heard = self.producer.client().context().ear.reason();
        let reason = heard
            .filter(|heard| *heard != reason)
            .map_or(reason.clone(), |heard| format!("{reason} ({heard})"));
        SinkError {
            sink: format!("kafka:{}", self.topic),
            source: io::Error::other(reason),
        }
    }

    fn check(&self) -> Result<(), SinkError> {
        let failed = self.progress.lock().failed.clone();
        failed.map_or(Ok(()), |reason| Err(self.failed(reason)))
    }

    fn publish_one(&self, record: &Record) -> Result<(), SinkError> {
        let message = envelope(self.outlet, &record.bytes).map_err(|error| self.failed(error.to_string()))?;
        let number = {
            let mut sent = self.progress.lock();
            let span = sent.open();
            span.in_flight += 1;
            span.number
        };
        let mut to_send = BaseRecord::with_opaque_to(&self.topic, number)
            .payload(message.value.as_ref())
            .headers(message.headers);
        if let Some(key) = &message.key {
            to_send = to_send.key(key.as_ref());
        }
        let mut patience = Patience::new(&self.stop);
        loop {
            match self.producer.send(to_send) {
                Ok(()) => return Ok(()),
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), again)) => {
                    self.check()?;
                    to_send = again;
                    let before = self.progress.lock();
                    // Woken by the next acknowledgement, or to look whether the run was stopped.
                    let _ = self.progress.moved.wait_timeout(before, FULL);
                    if patience.is_over() {
                        return Err(
                            self.failed("the brokers do not answer; the next start goes on here".to_owned())
                        );
                    }
                }
                Err((error, _)) => return Err(self.failed(error.to_string())),
            }
        }
    }
}

/// Waits as long as the run goes on, and a while after it was asked to stop.
struct Patience<'a> {
    stop: &'a AtomicBool,
    stopped: Option<Instant>,
}

impl<'a> Patience<'a> {
    const fn new(stop: &'a AtomicBool) -> Self {
        Self { stop, stopped: None }
    }

    fn is_over(&mut self) -> bool {
        if self.stop.load(Ordering::Relaxed) {
            let stopped = *self.stopped.get_or_insert_with(Instant::now);
            return stopped.elapsed() >= FAREWELL;
        }
        false
    }
}

impl Sink for KafkaSink {
    fn name(&self) -> &str {
        &self.topic
    }

    fn published_up_to(&self) -> Option<Seq> {
        self.published_up_to
    }

    fn publish(&mut self, records: &[Record]) -> Result<(), SinkError> {
        self.check()?;
        records.iter().try_for_each(|record| self.publish_one(record))
    }

    /// The cursor moves to what is out by now, which may be behind `up_to`: nothing waits.
    fn acknowledge(&mut self, up_to: Seq) -> Result<Option<Change>, SinkError> {
        self.check()?;
        let mut sent = self.progress.lock();
        sent.open().up_to = Some(up_to);
        sent.drop_done();
        // Also when it did not move: the committer may have forgotten what it was told before.
        let out = sent.out.or(self.published_up_to);
        drop(sent);
        let Some(out) = out else { return Ok(None) };
        self.published_up_to = Some(out);
        Ok(Some(SinkCursor::new(out, 0, &[]).change(&self.cursor_key)))
    }

    fn moved(&mut self, up_to: Seq) -> Option<Change> {
        let before = self.published_up_to;
        let mut sent = self.progress.lock();
        sent.open().up_to = Some(up_to);
        sent.drop_done();
        let out = sent.out.filter(|out| Some(*out) != before)?;
        drop(sent);
        self.published_up_to = Some(out);
        Some(SinkCursor::new(out, 0, &[]).change(&self.cursor_key))
    }

    /// Waits until everything is out; brokers that do not answer are given up after a while.
    fn settle(&mut self) -> Result<(), SinkError> {
        let began = Instant::now();
        loop {
            self.check()?;
            let sent = self.progress.lock();
            let left = sent.in_flight();
            if left == 0 {
                return Ok(());
            }
            if began.elapsed() >= FAREWELL {
                tracing::warn!(
                    topic = self.topic,
                    left,
                    "the brokers do not answer: the next start publishes what is left"
                );
                return Ok(());
            }
            drop(self.progress.moved.wait_timeout(sent, FULL));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cursor_stands_behind_what_is_out_and_not_behind_what_came_later() {
        let mut sent = Sent::default();
        sent.open().in_flight = 2;
        sent.open().up_to = Some(10);
        sent.open().in_flight = 1;
        sent.open().up_to = Some(20);
        sent.delivered(2);
        assert_eq!(sent.out, None, "the first span is still on its way");
        sent.delivered(1);
        assert_eq!(sent.out, None);
        sent.delivered(1);
        assert_eq!(sent.out, Some(20));
        assert_eq!(sent.in_flight(), 0);
    }

    #[test]
    fn an_empty_span_is_out_at_once() {
        let mut sent = Sent::default();
        sent.open().up_to = Some(3);
        sent.drop_done();
        assert_eq!(sent.out, Some(3));
    }
}
