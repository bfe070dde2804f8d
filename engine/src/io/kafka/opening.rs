//! Before anything is read: the topics are there, nobody else reads under our group, and each partition can be read on
//! where the store says (clause S14).

use std::collections::BTreeSet;
use std::time::Duration;

use rdkafka::TopicPartitionList;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::consumer::{CommitMode, Consumer as _};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::topic_partition_list::Offset;

use super::client::{Consumer, Ear, asker, base};
use super::fault::KafkaFault;
use crate::config::{KafkaSettings, KafkaStart};
use crate::io::partition_position::{Mark, Position};
use crate::pipeline::ports::{Batch, Keyspace, Store, StoreError};

/// How long brokers may take to answer a question at the start.
const PATIENCE: Duration = Duration::from_secs(15);
/// And while we run.
pub(super) const SHORT: Duration = Duration::from_secs(3);

/// A partition and where to read on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// Topic.
    pub topic: String,
    /// Partition.
    pub partition: i32,
    /// The first message that was not read.
    pub next: u64,
    /// The message before it, if one was read.
    pub mark: Option<Mark>,
    /// The first message that is there.
    pub low: u64,
    /// What is to be noted before the first message: messages that were lost, and by whose leave.
    pub note: Option<String>,
}

/// What to open, and what to put up with.
pub struct Opening<'a> {
    /// `[kafka]`.
    pub settings: &'a KafkaSettings,
    /// Where positions are.
    pub store: &'a dyn Store,
    /// Go on where messages were lost, or a topic was made anew.
    pub accept_gap: bool,
    /// Go on although another store read under the group.
    pub take_over: bool,
    /// Make topics that are not there.
    pub create_topics: bool,
    /// Topics that are published to.
    pub outlets: &'a [&'a str],
}

/// What was found.
pub struct Opened {
    /// The partitions of all topics that are read.
    pub logs: Vec<Log>,
    /// Id of the store, as it stands beside committed offsets.
    pub store_id: String,
}

impl Opening<'_> {
    /// Looks at topics, group and positions. The positions of partitions that are read for the first time are stored, so
    /// that the next start begins there as well.
    ///
    /// # Errors
    /// When brokers do not answer, something is not there, or messages would be lost.
    pub fn open(&self) -> Result<Opened, KafkaFault> {
        let asker = asker(self.settings)?;
        self.check_topics(&asker)?;
        let store_id = store_id(self.store)?;
        let mut names = Vec::new();
        for topic in &self.settings.topic {
            for partition in partitions(&asker, self.settings, &topic.name)? {
                names.push((topic.name.clone(), partition));
            }
        }
        check_group(&asker, self.settings, &names, &store_id, self.take_over)?;
        let positions = positions(self.store, &names)?;
        let known: BTreeSet<&str> = names
            .iter()
            .zip(&positions)
            .filter(|(_, position)| position.is_some())
            .map(|((topic, _), _)| topic.as_str())
            .collect();
        let (mut logs, mut first) = (Vec::with_capacity(names.len()), Batch::default());
        for ((topic, partition), position) in names.iter().zip(&positions) {
            let (low, high) = ends(&asker, self.settings, (topic, *partition), PATIENCE)?;
            let is_new = !known.contains(topic.as_str()) && self.settings.start == KafkaStart::Latest;
            let log = match position {
                Some(position) => resume((topic, *partition), *position, (low, high), self.accept_gap)?,
                // A partition that a known topic gained is read from its beginning.
                None => Log {
                    topic: topic.clone(),
                    partition: *partition,
                    next: if is_new { high } else { low },
                    mark: None,
                    low,
                    note: None,
                },
            };
            if position.is_none() {
                let row = Position {
                    next: log.next,
                    mark: None,
                };
                first.changes.push(row.change(&Position::key(topic, *partition)));
            }
            logs.push(log);
        }
        if !first.changes.is_empty() {
            let head = self.store.head()?;
            (first.expected_head, first.new_head) = (head, head);
            self.store.commit(first)?;
        }
        let reached = logs
            .iter()
            .map(|log| (log.topic.as_str(), log.partition, log.next));
        commit(&asker, reached, &store_id)
            .map_err(|error| KafkaFault::refused("offsets cannot be committed", &error, reason(&asker)))?;
        Ok(Opened { logs, store_id })
    }

    fn check_topics(&self, asker: &Consumer) -> Result<(), KafkaFault> {
        let read = self.settings.topic.iter().map(|topic| topic.name.as_str());
        let all: BTreeSet<&str> = read.chain(self.outlets.iter().copied()).collect();
        let mut missing = Vec::new();
        for topic in all {
            if partitions_or_none(asker, self.settings, topic)?.is_empty() {
                missing.push(topic.to_owned());
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        if !self.create_topics {
            return Err(KafkaFault::NoTopic { topics: missing });
        }
        create(self.settings, &missing)?;
        for topic in &missing {
            wait_for(asker, self.settings, topic)?;
        }
        Ok(())
    }
}

/// Makes topics.
fn create(settings: &KafkaSettings, topics: &[String]) -> Result<(), KafkaFault> {
    let not_made = |topic: &str, reason: String| KafkaFault::NotMade {
        topic: topic.to_owned(),
        reason,
    };
    let all = topics.join(", ");
    let admin: AdminClient<Ear> = base(settings)?
        .create_with_context(Ear::new(settings))
        .map_err(|error| not_made(&all, error.to_string()))?;
    let partitions = i32::try_from(settings.partitions).unwrap_or(i32::MAX);
    let replication = i32::try_from(settings.replication).unwrap_or(i32::MAX);
    let new: Vec<NewTopic<'_>> = topics
        .iter()
        .map(|topic| NewTopic::new(topic, partitions, TopicReplication::Fixed(replication)))
        .collect();
    let options = AdminOptions::new().operation_timeout(Some(PATIENCE));
    let made = tokio::runtime::Builder::new_current_thread()
        .build()
        .map_err(|error| not_made(&all, error.to_string()))?
        .block_on(admin.create_topics(&new, &options))
        .map_err(|error| not_made(&all, error.to_string()))?;
    for result in made {
        match result {
            Ok(topic) => tracing::info!(topic, "topic was made"),
            Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((topic, code)) => return Err(not_made(&topic, code.to_string())),
        }
    }
    Ok(())
}

/// A topic that was just made is known to all brokers a moment later.
fn wait_for(asker: &Consumer, settings: &KafkaSettings, topic: &str) -> Result<(), KafkaFault> {
    let began = std::time::Instant::now();
    while began.elapsed() < PATIENCE {
        if !partitions_or_none(asker, settings, topic)?.is_empty() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    Err(KafkaFault::NoTopic {
        topics: vec![topic.to_owned()],
    })
}

/// What the client heard from the brokers; it is told only when somebody polls.
fn reason(asker: &Consumer) -> Option<String> {
    for _ in 0..10 {
        drop(asker.poll(Duration::from_millis(5)));
    }
    asker.client().context().reason()
}

/// The partitions of a topic, in their order.
pub(super) fn partitions(
    asker: &Consumer,
    settings: &KafkaSettings,
    topic: &str,
) -> Result<Vec<i32>, KafkaFault> {
    let found = partitions_or_none(asker, settings, topic)?;
    if found.is_empty() {
        return Err(KafkaFault::NoTopic {
            topics: vec![topic.to_owned()],
        });
    }
    Ok(found)
}

fn partitions_or_none(
    asker: &Consumer,
    settings: &KafkaSettings,
    topic: &str,
) -> Result<Vec<i32>, KafkaFault> {
    let metadata = asker
        .fetch_metadata(Some(topic), PATIENCE)
        .map_err(|error| KafkaFault::Unreachable {
            brokers: settings.brokers.clone(),
            reason: reason(asker).unwrap_or_else(|| error.to_string()),
        })?;
    let found = metadata
        .topics()
        .iter()
        .filter(|found| found.name() == topic && found.error().is_none());
    let mut partitions: Vec<i32> = found
        .flat_map(|found| {
            found
                .partitions()
                .iter()
                .map(rdkafka::metadata::MetadataPartition::id)
        })
        .collect();
    partitions.sort_unstable();
    Ok(partitions)
}

/// The first message that is there, and the first that is not yet. A partition that has no leader, as one that was just
/// made, gets `patience`.
pub(super) fn ends(
    asker: &Consumer,
    settings: &KafkaSettings,
    (topic, partition): (&str, i32),
    patience: Duration,
) -> Result<(u64, u64), KafkaFault> {
    let began = std::time::Instant::now();
    loop {
        let error = match asker.fetch_watermarks(topic, partition, patience) {
            Ok((low, high)) => {
                let offset = |offset: i64| u64::try_from(offset).unwrap_or_default();
                return Ok((offset(low), offset(high)));
            }
            Err(error) => error,
        };
        let is_without_leader = matches!(
            error.rdkafka_error_code(),
            Some(
                RDKafkaErrorCode::NotLeaderForPartition
                    | RDKafkaErrorCode::LeaderNotAvailable
                    | RDKafkaErrorCode::UnknownTopicOrPartition
                    | RDKafkaErrorCode::UnknownPartition
            )
        );
        if !is_without_leader || began.elapsed() >= patience {
            return Err(KafkaFault::Unreachable {
                brokers: settings.brokers.clone(),
                reason: reason(asker).unwrap_or_else(|| error.to_string()),
            });
        }
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// Where to read on in a log from `low` to `high` that was read before.
pub(super) fn resume(
    (topic, partition): (&str, i32),
    Position { next, mark }: Position,
    (low, high): (u64, u64),
    accept_gap: bool,
) -> Result<Log, KafkaFault> {
    let topic = topic.to_owned();
    let fault = if next < low {
        KafkaFault::Gap {
            topic: topic.clone(),
            partition,
            next,
            low,
        }
    } else if next > high {
        KafkaFault::MadeAnew {
            topic: topic.clone(),
            partition,
            next,
            found: Some(high),
        }
    } else {
        return Ok(Log {
            topic,
            partition,
            next,
            mark,
            low,
            note: None,
        });
    };
    if accept_gap {
        Ok(begun_anew(topic, partition, low, &fault))
    } else {
        Err(fault)
    }
}

/// A log that is read from where it begins now, which somebody accepted.
pub(super) fn begun_anew(topic: String, partition: i32, low: u64, fault: &KafkaFault) -> Log {
    Log {
        topic,
        partition,
        next: low,
        mark: None,
        low,
        note: Some(format!(
            "{fault}; accepted by --accept-gap, reading goes on at {low}"
        )),
    }
}

/// What the store says of these partitions.
pub(super) fn positions(
    store: &dyn Store,
    names: &[(String, i32)],
) -> Result<Vec<Option<Position>>, KafkaFault> {
    let keys: Vec<Vec<u8>> = names
        .iter()
        .map(|(topic, partition)| Position::key(topic, *partition))
        .collect();
    let rows = store.load_many(Keyspace::Input, &keys)?;
    let position = |row: Option<Vec<u8>>| {
        let bad = |reason| StoreError::BadRow {
            keyspace: Keyspace::Input,
            reason,
        };
        row.as_deref().map(Position::decode).transpose().map_err(bad)
    };
    Ok(rows.into_iter().map(position).collect::<Result<_, _>>()?)
}

/// The id of the store, as hexadecimal digits; of a store without one, zeros.
fn store_id(store: &dyn Store) -> Result<String, StoreError> {
    let row = store
        .load_many(Keyspace::Meta, &[b"store/id".to_vec()])?
        .pop()
        .flatten();
    // A version byte, then 16 of the id.
    let id = row.as_deref().and_then(|row| row.get(1..)).unwrap_or_default();
    Ok(format!(
        "{:0>32}",
        id.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    ))
}

fn offsets<'a>(
    reached: impl Iterator<Item = (&'a str, i32, u64)>,
    metadata: &str,
) -> rdkafka::error::KafkaResult<TopicPartitionList> {
    let mut list = TopicPartitionList::new();
    for (topic, partition, next) in reached {
        let mut element = list.add_partition(topic, partition);
        element.set_offset(Offset::Offset(i64::try_from(next).unwrap_or(i64::MAX)))?;
        element.set_metadata(metadata);
    }
    Ok(list)
}

/// Tells tools how far we are, and others that it is us.
pub(super) fn commit<'a>(
    asker: &Consumer,
    reached: impl Iterator<Item = (&'a str, i32, u64)>,
    store_id: &str,
) -> rdkafka::error::KafkaResult<()> {
    let list = offsets(reached, store_id)?;
    if list.count() == 0 {
        return Ok(());
    }
    asker.commit(&list, CommitMode::Sync)
}

/// Refuses a group under which another store reads.
pub(super) fn check_group(
    asker: &Consumer,
    settings: &KafkaSettings,
    names: &[(String, i32)],
    ours: &str,
    take_over: bool,
) -> Result<(), KafkaFault> {
    let mut list = TopicPartitionList::new();
    for (topic, partition) in names {
        list.add_partition(topic, *partition);
    }
    let committed = asker
        .committed_offsets(list, PATIENCE)
        .map_err(|error| KafkaFault::refused("committed offsets cannot be read", &error, reason(asker)))?;
    let elements = committed.elements();
    let other = elements
        .iter()
        .map(rdkafka::topic_partition_list::TopicPartitionListElem::metadata)
        .find(|metadata| !metadata.is_empty() && *metadata != ours);
    match other {
        Some(found) if take_over => {
            tracing::warn!(found, ours, "the group is taken over from another store");
            Ok(())
        }
        Some(found) => Err(KafkaFault::OtherStore {
            group: settings.group.clone(),
            found: found.to_owned(),
            ours: ours.to_owned(),
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Position = Position {
        next: 10,
        mark: Some([1; 16]),
    };

    #[test]
    fn a_log_is_read_on_only_where_nothing_is_missing() {
        let log = resume(("t", 0), AT, (10, 10), false).unwrap();
        assert_eq!((log.next, log.mark), (10, Some([1; 16])));
        let gap = resume(("t", 0), AT, (11, 20), false).unwrap_err();
        assert!(
            matches!(
                gap,
                KafkaFault::Gap {
                    next: 10,
                    low: 11,
                    ..
                }
            ),
            "{gap}"
        );
        let anew = resume(("t", 0), AT, (0, 9), false).unwrap_err();
        assert!(
            matches!(anew, KafkaFault::MadeAnew { found: Some(9), .. }),
            "{anew}"
        );
    }

    #[test]
    fn an_accepted_gap_is_noted() {
        let log = resume(("t", 3), AT, (15, 20), true).unwrap();
        assert_eq!((log.next, log.mark), (15, None));
        let note = log.note.unwrap();
        assert!(
            note.starts_with("messages 10 to 14 of partition 3 of topic `t`"),
            "{note}"
        );
    }
}
