//! Clients with the settings that Doorward uses, and the plain loop that is the limit.

use std::error::Error;
use std::time::Duration;

use doorward::event::Timestamp;
use doorward_benches::logins::Logins;
use rdkafka::TopicPartitionList;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message as _;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::topic_partition_list::Offset;

/// Whatever goes wrong ends it.
pub type Failure = Box<dyn Error>;

pub const PATIENCE: Duration = Duration::from_secs(120);

/// Seconds of CPU that this process has taken.
pub fn cpu_seconds() -> Result<f64, Failure> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit_once(") ").ok_or("stat")?.1.split(' ').collect();
    let ticks = |index: usize| -> Result<f64, Failure> { Ok(fields.get(index).ok_or("stat")?.parse()?) };
    Ok((ticks(11)? + ticks(12)?) / 100.0)
}

pub fn producer(brokers: &str) -> Result<BaseProducer, Failure> {
    Ok(ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("enable.idempotence", "true")
        .set("linger.ms", "5")
        .set("compression.type", "lz4")
        .set("partitioner", "murmur2_random")
        .create()?)
}

/// Reads all partitions of a topic, from their beginning or from their end.
pub fn reader(brokers: &str, topic: &str, from: Offset) -> Result<BaseConsumer, Failure> {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "figures")
        .set("enable.auto.commit", "false")
        .set("fetch.queue.backoff.ms", "10")
        .set("queued.max.messages.kbytes", "16384")
        .set("check.crcs", "true")
        .create()?;
    let metadata = consumer.fetch_metadata(Some(topic), PATIENCE)?;
    let partitions = metadata.topics().first().ok_or("no topic")?.partitions().len();
    let mut list = TopicPartitionList::new();
    for partition in 0..i32::try_from(partitions)? {
        list.add_partition_offset(topic, partition, from)?;
    }
    consumer.assign(&list)?;
    Ok(consumer)
}

pub fn send(producer: &BaseProducer, topic: &str, key: Option<&[u8]>, value: &[u8]) -> Result<(), Failure> {
    loop {
        let mut record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(topic).payload(value);
        record.key = key;
        match producer.send(record) {
            Ok(()) => return Ok(()),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
                producer.poll(Duration::from_millis(5));
            }
            Err((error, _)) => return Err(error.into()),
        }
    }
}

/// Visits of users in turn, their times a moment ago.
pub fn fill(brokers: &str, topic: &str, events: u64, users: u64) -> Result<(), Failure> {
    let (producer, logins) = (producer(brokers)?, Logins::new()?);
    let start = now()?.plus_seconds(-3_600);
    let (mut lines, mut sent, mut visit) = (Vec::new(), 0, 0_u64);
    while sent < events {
        let (user, turn) = (visit % users, visit / users);
        let time = start.plus_micros(i64::try_from(visit)? * 100);
        logins.visit(user, turn, time, &mut lines);
        let key = format!("user-{user}");
        for line in lines.drain(..).take(usize::try_from(events - sent)?) {
            send(&producer, topic, Some(key.as_bytes()), &line.bytes)?;
            sent += 1;
        }
        producer.poll(Duration::ZERO);
        visit += 1;
    }
    Ok(producer.flush(PATIENCE)?)
}

pub fn now() -> Result<Timestamp, Failure> {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?;
    Ok(Timestamp::from_micros(i64::try_from(since.as_micros())?))
}

/// Copies messages from one topic to another: nothing can be faster that reads and publishes.
pub fn copy(brokers: &str, from: &str, to: &str, events: u64) -> Result<(), Failure> {
    let (consumer, producer) = (reader(brokers, from, Offset::Beginning)?, producer(brokers)?);
    let mut copied = 0;
    while copied < events {
        let message = match consumer.poll(PATIENCE) {
            Some(message) => message?,
            None => return Err("no messages".into()),
        };
        send(
            &producer,
            to,
            message.key(),
            message.payload().unwrap_or_default(),
        )?;
        copied += 1;
        if copied % 256 == 0 {
            producer.poll(Duration::ZERO);
        }
    }
    Ok(producer.flush(PATIENCE)?)
}
