//! Reads partitions: the door of Kafka. Back-pressure is that nobody polls.

use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::TopicPartitionList;
use rdkafka::consumer::Consumer as _;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message as _};
use rdkafka::topic_partition_list::Offset;
use sha2::{Digest, Sha256};

use super::client::{Consumer, asker, reader};
use super::fault::KafkaFault;
use super::opening::{Log, SHORT, begun_anew, ends, partitions, resume};
use super::shared::{Alive, Reached, Shared};
use super::{inputs_of, wall_clock_micros};
use crate::config::KafkaSettings;
use crate::io::partition_position::{Mark, Position, mark};
use crate::pipeline::dead_letter::Refusal;
use crate::pipeline::messages::{Message, MessageChunk, MessageSource};
use crate::pipeline::ports::InputIdentity;

/// How long one look for messages waits.
const WAIT: Duration = Duration::from_millis(50);
/// How often a reader that could not be opened anew tries again.
const AGAIN: Duration = Duration::from_secs(1);

/// One reader of some partitions.
pub struct KafkaSource {
    name: String,
    settings: Arc<KafkaSettings>,
    shared: Arc<Shared>,
    number: usize,
    consumer: Consumer,
    logs: Vec<OpenLog>,
    /// Bytes of a value that are kept: one more than an event may have.
    bytes_max: usize,
    accept_gap: bool,
    reopened: Option<Instant>,
    /// What is to be done before more is read: only then is everything handed on that was taken.
    pending: Option<Pending>,
    _alive: Alive,
}

/// What a reader found out in the middle of reading.
enum Pending {
    /// A position is not in its log any more.
    Check,
    /// Another message stands where one was read.
    MadeAnew(KafkaFault),
}

/// A partition that is read.
struct OpenLog {
    log: Log,
    key: Vec<u8>,
    input: Arc<InputIdentity>,
    /// The message before `next` comes once more, to show that it is still the same.
    proves: Option<Mark>,
    /// When the last message was written, milliseconds.
    written_ms: Option<i64>,
    gathered: Vec<Message>,
    noted: bool,
}

impl OpenLog {
    fn new(log: Log) -> Self {
        let name = format!("{}{}", inputs_of(&log.topic), log.partition);
        let first_line = Sha256::digest(name.as_bytes()).into();
        Self {
            key: Position::key(&log.topic, log.partition),
            input: Arc::new(InputIdentity { name, first_line }),
            proves: log.mark.filter(|_| log.next > log.low),
            written_ms: None,
            gathered: Vec::new(),
            noted: log.note.is_none(),
            log,
        }
    }

    /// Where to begin to read: with the message that proves the rest, if there is one.
    const fn begin(&self) -> u64 {
        if self.proves.is_some() {
            self.log.next.saturating_sub(1)
        } else {
            self.log.next
        }
    }

    fn position(&self) -> Position {
        Position {
            next: self.log.next,
            mark: self.log.mark,
        }
    }

    /// Takes a message. An error if it is another one than that which was read before.
    fn take(&mut self, message: &BorrowedMessage<'_>, bytes_max: usize, wall: i64) -> Result<(), KafkaFault> {
        let offset = u64::try_from(message.offset()).unwrap_or_default();
        let value = message.payload().unwrap_or_default();
        let value = value.get(..bytes_max).unwrap_or(value);
        let written_ms = message.timestamp().to_millis();
        if offset < self.log.next {
            let proof = self.proves.take().filter(|_| offset + 1 == self.log.next);
            if proof.is_some_and(|wanted| mark(written_ms.unwrap_or_default(), value) != wanted) {
                return Err(KafkaFault::MadeAnew {
                    topic: self.log.topic.clone(),
                    partition: self.log.partition,
                    next: self.log.next,
                    found: None,
                });
            }
            return Ok(());
        }
        self.proves = None;
        self.written_ms = written_ms;
        self.log.next = offset + 1;
        self.gathered.push(Message {
            bytes: value.to_vec(),
            offset,
            now: written_ms.map_or(wall, |written| written.saturating_mul(1_000).min(wall)),
            refused: None,
        });
        Ok(())
    }

    /// What was taken since the last time.
    fn chunk(&mut self) -> Option<MessageChunk> {
        if let Some(note) = self.log.note.as_ref().filter(|_| !self.noted) {
            self.noted = true;
            let message = Message {
                bytes: note.clone().into_bytes(),
                offset: self.log.low,
                // It happened at no time that the log tells.
                now: 0,
                refused: Some(Refusal::log_gap(note.clone())),
            };
            self.gathered.insert(0, message);
        }
        let last = self.gathered.last()?;
        if last.refused.is_none() {
            self.log.mark = Some(mark(self.written_ms.unwrap_or_default(), &last.bytes));
        }
        Some(MessageChunk {
            input: Arc::clone(&self.input),
            messages: std::mem::take(&mut self.gathered),
            position: self.position().change(&self.key),
        })
    }
}

impl KafkaSource {
    /// A reader of `logs`, the one with this number. Values are kept up to `event_bytes_max` and one byte.
    ///
    /// # Errors
    /// When no client can be made.
    pub fn open(
        settings: &Arc<KafkaSettings>,
        shared: &Arc<Shared>,
        number: usize,
        logs: Vec<Log>,
        event_bytes_max: usize,
        accept_gap: bool,
    ) -> Result<Self, KafkaFault> {
        let source = Self {
            name: format!("kafka:{}", settings.brokers),
            consumer: reader(settings)?,
            settings: Arc::clone(settings),
            shared: Arc::clone(shared),
            number,
            logs: logs.into_iter().map(OpenLog::new).collect(),
            bytes_max: event_bytes_max.saturating_add(1),
            accept_gap,
            reopened: None,
            pending: None,
            _alive: Alive::new(shared),
        };
        source.assign()?;
        for log in &source.logs {
            source.tell(log);
        }
        Ok(source)
    }

    fn assign(&self) -> Result<(), KafkaFault> {
        let assigned = || {
            let mut list = TopicPartitionList::new();
            for open in &self.logs {
                let from = Offset::Offset(i64::try_from(open.begin()).unwrap_or(i64::MAX));
                list.add_partition_offset(&open.log.topic, open.log.partition, from)?;
            }
            self.consumer.assign(&list)
        };
        assigned().map_err(|error| KafkaFault::refused("partitions cannot be read", &error, None))
    }

    fn tell(&self, open: &OpenLog) {
        let name = (open.log.topic.clone(), open.log.partition);
        let reached = Reached {
            next: open.log.next,
            written_ms: open.written_ms,
        };
        self.shared.reached().insert(name, reached);
    }

    /// Does what the watch asks for.
    fn obey(&mut self) -> Result<(), KafkaFault> {
        let shared = Arc::clone(&self.shared);
        let Some(reader) = shared.readers.get(self.number) else {
            return Ok(());
        };
        shared.is_at_its_log(reader);
        if let Some(fault) = shared.take_fatal() {
            return Err(fault);
        }
        let added = std::mem::take(&mut *reader.added.lock().unwrap_or_else(PoisonError::into_inner));
        if !added.is_empty() {
            for log in added {
                let open = OpenLog::new(log);
                tracing::info!(input = open.input.name, "a new partition is read");
                self.tell(&open);
                self.logs.push(open);
            }
            self.reopen()?;
        }
        self.settle()?;
        let is_due = self.reopened.is_none_or(|before| before.elapsed() >= AGAIN);
        if is_due && reader.reopen.load(Ordering::Relaxed) {
            self.reopened = Some(Instant::now());
            let checked = self.check_logs();
            // Brokers that are away are waited for.
            if matches!(checked, Err(KafkaFault::Unreachable { .. })) {
                return Ok(());
            }
            tracing::warn!(
                "a partition gave no messages although there were some: its reader is opened anew"
            );
            reader.reopen.store(false, Ordering::Relaxed);
            shared.figures.reopened();
            checked?;
            self.reopen()?;
        }
        Ok(())
    }

    /// Does what was found out in the middle of reading.
    fn settle(&mut self) -> Result<(), KafkaFault> {
        match self.pending.take() {
            None => Ok(()),
            Some(Pending::MadeAnew(fault)) => self.was_made_anew(fault),
            Some(Pending::Check) => match self.check_logs() {
                // Brokers that are away are waited for.
                Err(KafkaFault::Unreachable { .. }) => {
                    self.pending = Some(Pending::Check);
                    Ok(())
                }
                checked => checked.and_then(|()| self.reopen()),
            },
        }
    }

    /// The rules of a start, for positions that were handed on since.
    fn check_logs(&mut self) -> Result<(), KafkaFault> {
        let asker = asker(&self.settings)?;
        for topic in &self.settings.topic {
            partitions(&asker, &self.settings, &topic.name)?;
        }
        for open in &mut self.logs {
            let found = ends(
                &asker,
                &self.settings,
                (&open.log.topic, open.log.partition),
                SHORT,
            )?;
            let name = (open.log.topic.as_str(), open.log.partition);
            let log = resume(name, open.position(), found, self.accept_gap)?;
            *open = OpenLog::new(log);
        }
        Ok(())
    }

    /// A new client with the same partitions.
    fn reopen(&mut self) -> Result<(), KafkaFault> {
        self.consumer = reader(&self.settings)?;
        for open in &mut self.logs {
            open.proves = open.log.mark.filter(|_| open.log.next > open.log.low);
        }
        self.assign()
    }

    /// What an error means for the partitions: most pass by themselves.
    fn hear(&mut self, error: &KafkaError) -> Result<(), KafkaFault> {
        match error.rdkafka_error_code() {
            // The position is not in the log any more: the rules say what that means.
            Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange) => {
                self.pending = Some(Pending::Check);
                Ok(())
            }
            Some(
                code @ (RDKafkaErrorCode::TopicAuthorizationFailed
                | RDKafkaErrorCode::GroupAuthorizationFailed
                | RDKafkaErrorCode::ClusterAuthorizationFailed
                | RDKafkaErrorCode::SaslAuthenticationFailed),
            ) => Err(KafkaFault::Refused {
                what: "partitions cannot be read".to_owned(),
                reason: code.to_string(),
            }),
            _ if matches!(error, KafkaError::MessageConsumptionFatal(_)) => {
                Err(KafkaFault::refused("partitions cannot be read", error, None))
            }
            _ => {
                tracing::debug!("kafka: {error}");
                Ok(())
            }
        }
    }

    /// Takes what waits, about `max` messages.
    fn gather(&mut self, max: usize) -> Result<(), KafkaFault> {
        let (mut wait, mut wall) = (WAIT, None);
        for _ in 0..max {
            if self.pending.is_some() {
                break;
            }
            let Some(polled) = self.consumer.poll(wait) else {
                break;
            };
            wait = Duration::ZERO;
            match polled {
                Ok(message) => {
                    let wall = *wall.get_or_insert_with(wall_clock_micros);
                    let place = (message.topic(), message.partition());
                    let open = self.logs.iter_mut().find(|open| open.log.is_at(place));
                    let taken = open.map_or(Ok(()), |open| open.take(&message, self.bytes_max, wall));
                    self.pending = taken.err().map(Pending::MadeAnew);
                }
                Err(error) => self.hear(&error)?,
            }
        }
        Ok(())
    }

    /// The messages behind the position are not those that were expected.
    fn was_made_anew(&mut self, fault: KafkaFault) -> Result<(), KafkaFault> {
        let KafkaFault::MadeAnew { topic, partition, .. } = &fault else {
            return Err(fault);
        };
        let open = self.logs.iter_mut();
        let open = open
            .filter(|_| self.accept_gap)
            .find(|open| open.log.is_at((topic, *partition)));
        let Some(open) = open else { return Err(fault) };
        let found =
            asker(&self.settings).and_then(|asker| ends(&asker, &self.settings, (topic, *partition), SHORT));
        match found {
            Ok((low, _)) => {
                *open = OpenLog::new(begun_anew(topic.clone(), *partition, low, &fault));
                self.reopen()
            }
            // Brokers that are away are waited for.
            Err(KafkaFault::Unreachable { .. }) => {
                self.pending = Some(Pending::MadeAnew(fault));
                Ok(())
            }
            Err(other) => Err(other),
        }
    }
}

impl Log {
    fn is_at(&self, (topic, partition): (&str, i32)) -> bool {
        self.partition == partition && self.topic == topic
    }
}

impl MessageSource for KafkaSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn next_chunks(&mut self, max: usize) -> Result<Vec<MessageChunk>, std::io::Error> {
        self.obey()
            .and_then(|()| self.gather(max))
            .map_err(std::io::Error::other)?;
        let mut chunks = Vec::new();
        for open in &mut self.logs {
            let Some(chunk) = open.chunk() else { continue };
            chunks.push(chunk);
            let name = (open.log.topic.clone(), open.log.partition);
            let reached = Reached {
                next: open.log.next,
                written_ms: open.written_ms,
            };
            self.shared.reached().insert(name, reached);
        }
        Ok(chunks)
    }
}
