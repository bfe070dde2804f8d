//! The real program over Kafka: topics of its own for each test, a producer that says when a message was written, and a
//! reader of everything in a topic.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use rdkafka::TopicPartitionList;
use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Headers as _, Message as _};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::topic_partition_list::Offset;

/// Long enough for a busy machine; what hangs never ends.
pub const PATIENCE: Duration = Duration::from_secs(120);

/// Waits until `ready` gives something, or fails.
pub fn until<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = ready() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "{what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The topics of one test, and how its program is set up.
pub struct World {
    pub brokers: String,
    pub name: String,
    pub settings: Vec<(String, String)>,
}

/// A name that no other test has, also not one of another run on the same brokers.
fn unique() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let millis = since.expect("after 1970").as_millis();
    format!(
        "t{}-{millis}-{}",
        std::process::id(),
        NEXT.fetch_add(1, Ordering::Relaxed)
    )
}

impl World {
    pub fn on(brokers: &str) -> Self {
        let small = [
            // Small counters, so that a debug build starts quickly.
            ("DOORWARD_CROWD_SKETCH_LINES", "1024"),
            ("DOORWARD_CROWD_KEYS_MAX", "1024"),
        ];
        Self {
            brokers: brokers.to_owned(),
            name: unique(),
            settings: small
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .to_vec(),
        }
    }

    pub fn set(mut self, key: &str, value: &str) -> Self {
        self.settings.push((key.to_owned(), value.to_owned()));
        self
    }

    pub fn topic(&self, part: &str) -> String {
        format!("{}-{part}", self.name)
    }

    /// `doorward` in `folder`, set up for these topics.
    pub fn program(&self, folder: &Path) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_doorward"));
        command
            .current_dir(folder)
            .env_clear()
            .env("DOORWARD_KAFKA_BROKERS", &self.brokers)
            .env("DOORWARD_KAFKA_TOPIC", self.topic("events"))
            .env("DOORWARD_KAFKA_DECISIONS", self.topic("decisions"))
            .env("DOORWARD_KAFKA_ALERTS", self.topic("alerts"))
            .env("DOORWARD_KAFKA_DEAD_LETTERS", self.topic("letters"))
            .env("DOORWARD_KAFKA_GROUP", self.topic("group"))
            .envs(self.settings.iter().cloned());
        command
    }

    /// Starts `doorward run` with its store in `folder/data`.
    pub fn start(&self, folder: &Path, flags: &[&str]) -> Running {
        let log = folder.join(format!("log-{}", unique()));
        let mut command = self.program(folder);
        command.args(["run", "--data", "data"]).args(flags);
        let file = fs::File::create(&log).expect("a log");
        let child = command
            .stdout(Stdio::null())
            .stderr(file)
            .spawn()
            .expect("the binary runs");
        Running { child, log }
    }

    /// Runs `doorward run` to its end.
    pub fn run(&self, folder: &Path, flags: &[&str]) -> (Option<i32>, String) {
        let mut running = self.start(folder, flags);
        let status = until("the run did not end", || {
            running.child.try_wait().expect("a child")
        });
        (status.code(), running.log())
    }

    /// Runs another command on the store in `folder/data`, and gives what it prints.
    pub fn ask(&self, folder: &Path, words: &[&str]) -> String {
        let output = self
            .program(folder)
            .args(words)
            .args(["--data", "data"])
            .output()
            .expect("the binary runs");
        assert!(output.status.success(), "{words:?}: {output:?}");
        String::from_utf8(output.stdout).expect("text")
    }

    pub fn producer(&self) -> Sender {
        self.producer_to(&self.topic("events"))
    }

    pub fn producer_to(&self, topic: &str) -> Sender {
        let producer = ClientConfig::new()
            .set("bootstrap.servers", &self.brokers)
            .set("partitioner", "murmur2_random")
            .set("reconnect.backoff.max.ms", "1000")
            .set("enable.idempotence", "true")
            .set("message.timeout.ms", "0")
            .create()
            .expect("a producer");
        Sender {
            producer,
            topic: topic.to_owned(),
        }
    }

    pub fn consumer_of(&self, group: &str) -> BaseConsumer {
        ClientConfig::new()
            .set("bootstrap.servers", &self.brokers)
            .set("group.id", group)
            .set("enable.auto.commit", "false")
            .set("auto.offset.reset", "earliest")
            .set("reconnect.backoff.max.ms", "1000")
            .create()
            .expect("a consumer")
    }

    /// A reader of a whole topic of ours.
    pub fn reader(&self, part: &str) -> Reader {
        self.reader_of(&self.topic(part))
    }

    /// A reader of a whole topic.
    pub fn reader_of(&self, topic: &str) -> Reader {
        let consumer = self.consumer_of(&self.topic("reader"));
        let partitions = until("the topic is not there", || {
            let metadata = consumer
                .fetch_metadata(Some(topic), Duration::from_secs(5))
                .ok()?;
            let found = metadata.topics().first()?.partitions().len();
            (found > 0).then_some(found)
        });
        let mut list = TopicPartitionList::new();
        for partition in 0..i32::try_from(partitions).expect("few") {
            list.add_partition_offset(topic, partition, Offset::Beginning)
                .expect("a partition");
        }
        consumer.assign(&list).expect("assigned");
        Reader {
            consumer,
            read: Vec::new(),
        }
    }
}

/// A running `doorward`.
pub struct Running {
    pub child: Child,
    log: PathBuf,
}

impl Running {
    /// What it said.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).expect("a log")
    }

    /// Asks it to stop, and waits.
    pub fn stop(mut self) -> (ExitStatus, String) {
        let sent = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status()
            .expect("kill");
        assert!(sent.success(), "it had ended before: {}", self.log());
        let status = until("it did not stop", || self.child.try_wait().expect("a child"));
        (status, self.log())
    }

    /// Stops it, and it must have nothing to complain of.
    pub fn stop_well(self) {
        let (status, log) = self.stop();
        assert!(status.success(), "{status}: {log}");
    }

    /// kill -9. Whether it was still running.
    pub fn kill(mut self) -> bool {
        let ran = self.child.try_wait().expect("a child").is_none();
        self.child.kill().expect("a child");
        self.child.wait().expect("a child");
        ran
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Only what a failed test left running.
        if let Ok(None) = self.child.try_wait() {
            drop(self.child.kill());
        }
    }
}

/// Writes to the topic of events.
pub struct Sender {
    producer: BaseProducer,
    topic: String,
}

impl Sender {
    /// One message. `written_ms`: when, or now.
    pub fn send(&self, key: Option<&str>, value: Option<&[u8]>, written_ms: Option<i64>) {
        self.send_to(None, key, value, written_ms);
    }

    pub fn send_to(
        &self,
        partition: Option<i32>,
        key: Option<&str>,
        value: Option<&[u8]>,
        written_ms: Option<i64>,
    ) {
        loop {
            let mut record: BaseRecord<'_, str, [u8]> = BaseRecord::to(&self.topic);
            record.partition = partition;
            record.key = key;
            record.payload = value;
            record.timestamp = written_ms;
            match self.producer.send(record) {
                Ok(()) => break,
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
                    self.producer.poll(Duration::from_millis(10));
                }
                Err((error, _)) => panic!("{error}"),
            }
        }
        self.producer.poll(Duration::ZERO);
    }

    pub fn flush(&self) {
        self.producer.flush(PATIENCE).expect("all sent");
    }
}

/// One message that was read.
#[derive(Debug, Clone)]
pub struct Read {
    pub partition: i32,
    pub key: Option<String>,
    pub value: Vec<u8>,
    pub headers: BTreeMap<String, String>,
}

impl Read {
    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or_else(|| panic!("no header `{name}`: {self:?}"), String::as_str)
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.value).expect("JSON")
    }
}

/// Reads a topic from its beginning.
pub struct Reader {
    consumer: BaseConsumer,
    pub read: Vec<Read>,
}

impl Reader {
    /// Reads until `enough`, and gives everything so far.
    pub fn until(&mut self, what: &str, mut enough: impl FnMut(&[Read]) -> bool) -> &[Read] {
        let began = Instant::now();
        while !enough(&self.read) {
            assert!(
                began.elapsed() < PATIENCE,
                "{what}: {} messages were read",
                self.read.len()
            );
            self.poll(Duration::from_millis(100));
        }
        &self.read
    }

    /// Reads until nothing came for a while: what else could have come is there.
    pub fn rest(&mut self) -> &[Read] {
        while self.poll(Duration::from_millis(1_500)) {}
        &self.read
    }

    fn poll(&mut self, wait: Duration) -> bool {
        let Some(Ok(message)) = self.consumer.poll(wait) else {
            return false;
        };
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
        let headers = message.headers().into_iter().flat_map(|headers| headers.iter());
        let read = Read {
            partition: message.partition(),
            key: message.key().map(text),
            value: message.payload().unwrap_or_default().to_vec(),
            headers: headers
                .map(|header| (header.key.to_owned(), text(header.value.unwrap_or_default())))
                .collect(),
        };
        self.read.push(read);
        true
    }
}

/// The different values of a header, each with how often it came.
pub fn counted(read: &[Read], header: &str) -> BTreeMap<String, usize> {
    let mut counted = BTreeMap::new();
    for message in read {
        *counted.entry(message.header(header).to_owned()).or_default() += 1;
    }
    counted
}

impl World {
    /// Whether all events of the topic are behind what `group` has committed.
    pub fn is_at_end(&self, group: &str) -> bool {
        let (consumer, topic) = (self.consumer_of(group), self.topic("events"));
        let patience = Duration::from_secs(5);
        let at_end = || {
            let metadata = consumer.fetch_metadata(Some(&topic), patience).ok()?;
            let partitions = i32::try_from(metadata.topics().first()?.partitions().len()).ok()?;
            let mut list = TopicPartitionList::new();
            list.add_partition_range(&topic, 0, partitions - 1);
            let committed = consumer.committed_offsets(list, patience).ok()?;
            let is_at_end = |partition, offset: Offset| {
                let ends = consumer.fetch_watermarks(&topic, partition, patience);
                ends.is_ok_and(|(_, high)| offset.to_raw() == Some(high))
            };
            let elements = committed.elements();
            Some(
                elements
                    .iter()
                    .all(|element| is_at_end(element.partition(), element.offset())),
            )
        };
        at_end().unwrap_or(false)
    }
}
