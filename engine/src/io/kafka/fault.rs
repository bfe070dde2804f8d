//! What can be wrong with Kafka, and what to do then.

use rdkafka::error::KafkaError;
use thiserror::Error;

use crate::pipeline::ports::StoreError;

/// Why Kafka cannot be used, or not any more.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum KafkaFault {
    /// No broker answers.
    #[error("no broker of `{brokers}` answers: {reason}")]
    Unreachable {
        /// As configured.
        brokers: String,
        /// What the client heard.
        reason: String,
    },
    /// Topics that are not there.
    #[error("these topics are not there: {}", list(topics))]
    NoTopic {
        /// Their names.
        topics: Vec<String>,
    },
    /// A topic could not be made.
    #[error("topic `{topic}` cannot be made: {reason}")]
    NotMade {
        /// Its name.
        topic: String,
        /// What the brokers say.
        reason: String,
    },
    /// The log begins behind the position of the store.
    #[error(
        "messages {next} to {} of partition {partition} of topic `{topic}` were deleted before they were read: the store \
         goes on at {next}, the log begins at {low}", low - 1
    )]
    Gap {
        /// Topic.
        topic: String,
        /// Partition.
        partition: i32,
        /// The first message that was not read.
        next: u64,
        /// The first message that is there.
        low: u64,
    },
    /// The log is another one than that which was read.
    #[error(
        "topic `{topic}` was made anew: the store has read partition {partition} up to {next}, {}",
        found.map_or_else(|| "where another message stands now".to_owned(), |high| format!("which ends at {high} now"))
    )]
    MadeAnew {
        /// Topic.
        topic: String,
        /// Partition.
        partition: i32,
        /// The first message that was not read.
        next: u64,
        /// Where the log ends, if that is before `next`.
        found: Option<u64>,
    },
    /// Another store reads under the same group.
    #[error("another store reads under the group `{group}`: its id is {found}, ours is {ours}")]
    OtherStore {
        /// Group.
        group: String,
        /// Id in the committed offsets.
        found: String,
        /// Our id.
        ours: String,
    },
    /// A broker refuses us, or the client is set up in a way that it does not take.
    #[error("{what}: {reason}")]
    Refused {
        /// What was tried.
        what: String,
        /// What the client says.
        reason: String,
    },
    /// The binary does not have what the settings ask for.
    #[error("`{setting}` needs a binary with the feature `kafka-tls`")]
    WithoutTls {
        /// The setting.
        setting: &'static str,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl KafkaFault {
    /// The same after `what` was tried. `heard` is what the client heard from the brokers meanwhile.
    pub(super) fn refused(what: &str, error: &KafkaError, heard: Option<String>) -> Self {
        Self::Refused {
            what: what.to_owned(),
            reason: heard.unwrap_or_else(|| error.to_string()),
        }
    }

    /// What to do now.
    #[must_use]
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::Unreachable { .. } => {
                "check `kafka.brokers`, that a broker runs there, and the settings for TLS and SASL"
            }
            Self::NoTopic { .. } => {
                "make it, correct its name in `[kafka]`, or start once with `--create-topics`"
            }
            Self::NotMade { .. } => {
                "make it with the tools of your cluster, with as many partitions as you need"
            }
            Self::Gap { .. } => {
                "make the topic keep messages longer; `--accept-gap` goes on where the log begins and leaves a dead letter \
                 that names the gap"
            }
            Self::MadeAnew { .. } => {
                "if that is right, `--accept-gap` reads the topic from its beginning: what was decided before is not \
                 decided again"
            }
            Self::OtherStore { .. } => {
                "end the other process, or give each its own `kafka.group`; `--take-over` goes on with this store"
            }
            Self::Refused { .. } => "check the settings in `[kafka]` and what the brokers allow this user",
            Self::WithoutTls { .. } => "build it with `--features kafka-tls`, as the README says",
            Self::Store(_) => "check disk and space, then start again: it goes on after the last commit",
        }
    }
}

fn list(names: &[String]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}
