//! Looks at the topics from outside while readers read: how much waits, new partitions, partitions that stand still, and
//! whether another store came to use our group. Commits offsets for tools that show lag.
//!
//! A consumer that lives through the removal of its topic after a broker was started again stands still for ever, without
//! an error: the new topic's epochs begin below those that it knows. Only somebody with a fresh client sees that.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use rdkafka::TopicPartitionList;
use rdkafka::consumer::Consumer as _;
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::Offset;

use super::client::{Consumer, asker};
use super::fault::KafkaFault;
use super::opening::{Log, SHORT, check_group, commit, ends, partitions, positions};
use super::shared::{LogName, Reached, Shared};
use super::wall_clock_micros;
use crate::config::KafkaSettings;
use crate::pipeline::ports::Store;

/// How often it looks.
const ROUND: Duration = Duration::from_secs(2);
/// How long the end of a run waits for the last offsets to be committed.
const FAREWELL: Duration = Duration::from_secs(3);

/// The thread that looks. It ends with this.
pub struct Watch {
    over: Option<Sender<()>>,
    ended: Receiver<()>,
}

impl Watch {
    /// Starts it.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn start(
        settings: Arc<KafkaSettings>,
        shared: Arc<Shared>,
        store: Arc<dyn Store>,
        store_id: String,
    ) -> std::io::Result<Self> {
        let (over, until) = channel();
        let (told, ended) = channel();
        std::thread::Builder::new()
            .name("kafka-watch".to_owned())
            .spawn(move || {
                let mut looking = Looking {
                    settings,
                    shared,
                    store,
                    store_id,
                    asker: None,
                    stuck: BTreeMap::new(),
                    empty: BTreeMap::new(),
                    committed: BTreeMap::new(),
                };
                looking.run(&until);
                // Nobody waits any more only if it took too long.
                let _ = told.send(());
            })?;
        Ok(Self {
            over: Some(over),
            ended,
        })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.over.take());
        // Offsets that are not committed are only shown wrong until the next start.
        let _ = self.ended.recv_timeout(FAREWELL);
    }
}

struct Looking {
    settings: Arc<KafkaSettings>,
    shared: Arc<Shared>,
    store: Arc<dyn Store>,
    store_id: String,
    /// The client, and since when: it is made anew before its view of the topics can be an old one for long.
    asker: Option<(Consumer, Instant)>,
    /// Where partitions with unread messages stand, and since when.
    stuck: BTreeMap<LogName, (u64, Instant)>,
    /// From this message to that end of a partition there is nothing to read: transactions leave marks there.
    empty: BTreeMap<LogName, (u64, u64)>,
    /// What was committed last.
    committed: BTreeMap<LogName, u64>,
}

impl Looking {
    fn run(&mut self, until: &Receiver<()>) {
        while let Err(RecvTimeoutError::Timeout) = until.recv_timeout(ROUND) {
            self.round();
        }
        // Everything that is read is stored by now.
        if let Err(fault) = self.asker_now().map(|()| self.commit()) {
            tracing::debug!("kafka: {fault}");
        }
    }

    fn round(&mut self) {
        match self.look() {
            Ok(()) => {}
            Err(fault @ (KafkaFault::OtherStore { .. } | KafkaFault::Store(_))) => self.shared.fail(fault),
            Err(fault) => {
                // Brokers that are away, or a client that knows an old world.
                tracing::debug!("kafka: {fault}");
                self.shared.set_caught_up(false);
                self.asker = None;
            }
        }
    }

    fn stall(&self) -> Duration {
        Duration::from_secs(self.settings.stall_seconds.into())
    }

    fn asker_now(&mut self) -> Result<(), KafkaFault> {
        let is_old = self
            .asker
            .as_ref()
            .is_none_or(|(_, made)| made.elapsed() >= self.stall());
        if is_old {
            self.asker = Some((asker(&self.settings)?, Instant::now()));
        }
        Ok(())
    }

    fn look(&mut self) -> Result<(), KafkaFault> {
        self.asker_now()?;
        let Some((asker, made)) = self.asker.take() else {
            return Ok(());
        };
        self.look_with(&asker)?;
        self.asker = Some((asker, made));
        self.wake();
        self.commit();
        Ok(())
    }

    fn look_with(&mut self, asker: &Consumer) -> Result<(), KafkaFault> {
        let mut names = BTreeSet::new();
        for topic in &self.settings.topic {
            for partition in partitions(asker, &self.settings, &topic.name)? {
                names.insert((topic.name.clone(), partition));
            }
        }
        let reached = self.shared.reached().clone();
        let (mut waiting, mut oldest_ms) = (0, None);
        for name in &names {
            let (low, high) = ends(asker, &self.settings, (&name.0, name.1), SHORT)?;
            let Some(reached) = reached.get(name) else {
                self.shared.begin(name, low);
                continue;
            };
            let lag = self.waiting(name, *reached, high)?;
            if lag > 0 {
                oldest_ms = oldest_ms.into_iter().chain(reached.written_ms).min();
            }
            waiting += lag;
        }
        check_group(
            asker,
            &self.settings,
            &names.into_iter().collect::<Vec<_>>(),
            &self.store_id,
            false,
        )?;
        let age = oldest_ms.map_or(0.0, |oldest| {
            (wall_clock_micros() / 1_000 - oldest).max(0) as f64 / 1_000.0
        });
        self.shared.figures.lag(waiting, age);
        self.shared.set_caught_up(waiting == 0 && self.stuck.is_empty());
        Ok(())
    }

    /// How many messages of a partition wait. Notes since when it stands still, if it does.
    fn waiting(&mut self, name: &LogName, reached: Reached, high: u64) -> Result<u64, KafkaFault> {
        let lag = high.saturating_sub(reached.next);
        if high == reached.next || self.empty.get(name) == Some(&(reached.next, high)) {
            self.stuck.remove(name);
            return Ok(0);
        }
        if self.shared.is_away(self.shared.reader_of(name.1)) {
            self.stuck.remove(name);
            return Ok(lag);
        }
        let stood = self
            .stuck
            .get(name)
            .is_some_and(|(next, _)| *next == reached.next);
        if !stood {
            self.stuck.insert(name.clone(), (reached.next, Instant::now()));
        } else if lag > 0 && is_empty(&self.settings, name, reached.next)? {
            tracing::debug!(
                topic = name.0,
                partition = name.1,
                "only marks of transactions are left"
            );
            self.empty.insert(name.clone(), (reached.next, high));
            self.stuck.remove(name);
            return Ok(0);
        }
        Ok(lag)
    }

    /// Has the readers of partitions opened anew that stand still.
    fn wake(&mut self) {
        let stall = self.stall();
        let still = self
            .stuck
            .iter()
            .filter(|(_, (_, since))| since.elapsed() >= stall);
        let readers: BTreeSet<usize> = still.map(|(name, _)| self.shared.reader_of(name.1)).collect();
        for reader in &readers {
            if let Some(reader) = self.shared.readers.get(*reader) {
                reader.reopen.store(true, Ordering::Relaxed);
            }
        }
        if !readers.is_empty() {
            self.stuck
                .retain(|(_, partition), _| !readers.contains(&self.shared.reader_of(*partition)));
        }
    }

    /// Commits what is stored.
    fn commit(&mut self) {
        let Some((asker, _)) = &self.asker else { return };
        let names: Vec<LogName> = self.shared.reached().keys().cloned().collect();
        let stored = match positions(&*self.store, &names) {
            Ok(stored) => stored,
            Err(fault) => return self.shared.fail(fault),
        };
        let moved: BTreeMap<LogName, u64> = names
            .into_iter()
            .zip(stored)
            .filter_map(|(name, position)| Some((name, position?.next)))
            .filter(|(name, next)| self.committed.get(name) != Some(next))
            .collect();
        let reached = moved.iter().map(|(name, next)| (name.0.as_str(), name.1, *next));
        match commit(asker, reached, &self.store_id) {
            Ok(()) => self.committed.extend(moved),
            Err(error) => tracing::debug!("kafka: offsets are not committed: {error}"),
        }
    }
}

/// Whether a fresh client comes to the end of a partition without a message.
fn is_empty(settings: &KafkaSettings, (topic, partition): &LogName, next: u64) -> Result<bool, KafkaFault> {
    let asker = asker(settings)?;
    let mut list = TopicPartitionList::new();
    let from = Offset::Offset(i64::try_from(next).unwrap_or(i64::MAX));
    let assigned = list
        .add_partition_offset(topic, *partition, from)
        .and_then(|()| asker.assign(&list));
    assigned.map_err(|error| KafkaFault::refused("a partition cannot be looked at", &error, None))?;
    let began = Instant::now();
    while began.elapsed() < SHORT {
        match asker.poll(SHORT) {
            Some(Ok(_)) => return Ok(false),
            Some(Err(KafkaError::PartitionEOF(_))) => return Ok(true),
            Some(Err(_)) | None => {}
        }
    }
    Ok(false)
}

impl Shared {
    /// Has a partition read from its beginning that came up while we ran.
    fn begin(&self, (topic, partition): &LogName, low: u64) {
        let Some(reader) = self.readers.get(self.reader_of(*partition)) else {
            return;
        };
        let mut added = reader.added.lock().unwrap_or_else(PoisonError::into_inner);
        if added
            .iter()
            .any(|log| log.topic == *topic && log.partition == *partition)
        {
            return;
        }
        added.push(Log {
            topic: topic.clone(),
            partition: *partition,
            next: low,
            mark: None,
            low,
            note: None,
        });
    }
}
