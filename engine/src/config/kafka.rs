//! `[kafka]` and `[[kafka.topic]]`: where events come from and decisions go to. Nothing of it can change a decision: what a
//! door refuses is in the journal.

use std::fmt;
use std::path::{Path, PathBuf};

use super::kind::{Flag, Kind, Line, OneOf, SettingValue, Whole, is_one_line, named};
use super::raw::{Raw, quoted};
use super::section::section;

/// Longest name of a topic that Kafka takes.
const TOPIC_BYTES_MAX: usize = 249;
const TOPICS_MAX: usize = 64;
const NAMES_MAX: usize = 10_000;
const NAME_BYTES_MAX: usize = 256;

named! {
    /// Where a store begins that never read the topic.
    KafkaStart {
        /// With the oldest message that is there.
        Earliest = "earliest",
        /// With what comes from now on.
        Latest = "latest",
    }
}

named! {
    /// How to say who we are.
    KafkaSasl {
        /// Not at all, or by a certificate.
        None = "none",
        /// Name and password as they are.
        Plain = "plain",
        /// Name and a proof of the password, SHA-256.
        Scram256 = "scram-sha-256",
        /// Name and a proof of the password, SHA-512.
        Scram512 = "scram-sha-512",
        /// A token out of a file.
        OauthBearer = "oauthbearer",
    }
}

section! {
    /// Kafka.
    KafkaSettings in "kafka" {
        /// `host:port`, several separated by commas; empty = no Kafka.
        brokers: String = Line { bytes_max: 4_096 }, decides No;
        /// Topics that events come from.
        topic: Vec<KafkaTopic> = Topics, decides No;
        /// Group under which offsets are committed for tools that show lag.
        group: String = NAME, decides No;
        /// Where a store begins that never read the topics.
        start: KafkaStart = OneOf::<KafkaStart>::names(), decides No;
        /// Topic of decisions; empty = none.
        decisions: String = TopicName, decides No;
        /// Topic of alerts; empty = none.
        alerts: String = TopicName, decides No;
        /// Topic of refused messages; empty = the file.
        dead_letters: String = TopicName, decides No;
        /// Partitions of a topic that `--create-topics` makes.
        partitions: u32 = Whole::<u32>::of(1, 10_000, "partitions"), decides No;
        /// Replicas of a topic that `--create-topics` makes.
        replication: u32 = Whole::<u32>::of(1, 9, "replicas"), decides No;
        /// Threads that read, each with a part of the partitions.
        consumers: usize = Whole::<usize>::of(1, 64, "threads"), decides No;
        /// How long a message waits for others to be sent with.
        linger_ms: u32 = Whole::<u32>::of(0, 1_000, "milliseconds"), decides No;
        /// A partition with unread messages that gives none for so long is opened anew.
        stall_seconds: u32 = Whole::<u32>::of(2, 3_600, "seconds"), decides No;
        /// Whether to speak TLS.
        tls: bool = Flag, decides No;
        /// Certificates of who signed the brokers' (PEM); none = those of the system.
        ca_file: Option<PathBuf> = OneFile, decides No;
        /// Our certificate (PEM).
        cert_file: Option<PathBuf> = OneFile, decides No;
        /// The key of our certificate (PEM).
        key_file: Option<PathBuf> = OneFile, decides No;
        /// How to say who we are.
        sasl: KafkaSasl = OneOf::<KafkaSasl>::names(), decides No;
        /// Our name.
        user: String = NAME, decides No;
        /// Our password.
        password: Password = PasswordText, decides No;
        /// File with a token, read again before it ends.
        token_file: Option<PathBuf> = OneFile, decides No;
    }
}

const NAME: Line = Line {
    bytes_max: NAME_BYTES_MAX,
};

/// One `[[kafka.topic]]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KafkaTopic {
    /// Its name.
    pub name: String,
    /// Tenant of events that name none; `None` = that of `--tenant`.
    pub tenant: Option<String>,
    /// Tenants that its events may name; empty = all of `tenants.allowed`.
    pub tenants: Vec<String>,
    /// Values of `source` that its events may have; empty = any.
    pub sources: Vec<String>,
}

struct Topics;

impl Kind for Topics {
    type Value = Vec<KafkaTopic>;

    fn parse(&self, raw: &Raw, _: &Path) -> Option<Vec<KafkaTopic>> {
        let items = match raw {
            Raw::List(items) => items.iter().map(topic).collect::<Option<Vec<_>>>()?,
            one => vec![topic(one)?],
        };
        let is_twice = |index: usize, topic: &KafkaTopic| {
            items.iter().take(index).any(|before| before.name == topic.name)
        };
        let once = !items
            .iter()
            .enumerate()
            .any(|(index, topic)| is_twice(index, topic));
        (once && !items.is_empty() && items.len() <= TOPICS_MAX).then_some(items)
    }

    fn allowed(&self) -> String {
        format!(
            "1 to {TOPICS_MAX} different topics, each with a `name` and perhaps `tenant`, `tenants` and `sources`"
        )
    }
}

fn topic(raw: &Raw) -> Option<KafkaTopic> {
    let mut topic = KafkaTopic {
        name: String::new(),
        tenant: None,
        tenants: Vec::new(),
        sources: Vec::new(),
    };
    match raw {
        Raw::Text(name) => topic.name.clone_from(name),
        Raw::Table(pairs) => {
            for (key, value) in pairs {
                match (key.as_str(), value) {
                    ("name", Raw::Text(name)) => topic.name.clone_from(name),
                    ("tenant", Raw::Text(name)) if is_name(name) => topic.tenant = Some(name.clone()),
                    ("tenants", value) => topic.tenants = names(value)?,
                    ("sources", value) => topic.sources = names(value)?,
                    _ => return None,
                }
            }
        }
        _ => return None,
    }
    is_topic(&topic.name).then_some(topic)
}

fn names(raw: &Raw) -> Option<Vec<String>> {
    let Raw::List(items) = raw else { return None };
    let name = |item: &Raw| match item {
        Raw::Text(name) if is_name(name) => Some(name.clone()),
        _ => None,
    };
    (items.len() <= NAMES_MAX).then(|| items.iter().map(name).collect())?
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.len() <= NAME_BYTES_MAX && is_one_line(name)
}

/// What Kafka takes as the name of a topic.
fn is_topic(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=TOPIC_BYTES_MAX).contains(&name.len()) && name != "." && name != ".." && name.bytes().all(plain)
}

impl SettingValue for Vec<KafkaTopic> {
    fn toml(&self) -> Option<String> {
        let list = |names: &[String]| {
            names
                .iter()
                .map(|name| quoted(name))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let topic = |topic: &KafkaTopic| {
            let mut parts = vec![format!("name = {}", quoted(&topic.name))];
            parts.extend(
                topic
                    .tenant
                    .iter()
                    .map(|name| format!("tenant = {}", quoted(name))),
            );
            for (key, names) in [("tenants", &topic.tenants), ("sources", &topic.sources)] {
                if !names.is_empty() {
                    parts.push(format!("{key} = [{}]", list(names)));
                }
            }
            format!("{{ {} }}", parts.join(", "))
        };
        Some(format!(
            "[{}]",
            self.iter().map(topic).collect::<Vec<_>>().join(", ")
        ))
    }
}

/// The name of a topic; empty = none.
struct TopicName;

impl Kind for TopicName {
    type Value = String;

    fn parse(&self, raw: &Raw, _: &Path) -> Option<String> {
        match raw {
            Raw::Text(text) if text.is_empty() || is_topic(text) => Some(text.clone()),
            _ => None,
        }
    }

    fn allowed(&self) -> String {
        format!("a topic of at most {TOPIC_BYTES_MAX} letters, digits, `.`, `_` and `-`, or `\"\"` for none")
    }
}

/// A file; `""` = none.
struct OneFile;

impl Kind for OneFile {
    type Value = Option<PathBuf>;

    fn parse(&self, raw: &Raw, folder: &Path) -> Option<Option<PathBuf>> {
        match raw {
            Raw::Text(text) if !text.contains('\0') => Some((!text.is_empty()).then(|| folder.join(text))),
            _ => None,
        }
    }

    fn allowed(&self) -> String {
        "a file, or `\"\"` for none".to_owned()
    }
}

/// A password. Never shown: not by `Debug`, not by `config show`.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(String);

impl Password {
    /// The text, for the one who sends it only.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(secret)")
    }
}

impl SettingValue for Password {
    fn toml(&self) -> Option<String> {
        None
    }
}

struct PasswordText;

impl Kind for PasswordText {
    type Value = Password;

    fn parse(&self, raw: &Raw, _: &Path) -> Option<Password> {
        match raw {
            Raw::Text(text) if text.len() <= 1_024 && !text.contains('\0') => Some(Password(text.clone())),
            _ => None,
        }
    }

    fn allowed(&self) -> String {
        "text, or `{ file = \"...\" }` or `{ env = \"...\" }` where it stands".to_owned()
    }

    fn secret(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Environment, Request, load};
    use super::*;

    fn topics(text: &str) -> Option<Vec<KafkaTopic>> {
        let environment = Environment::from_iter([("DOORWARD_KAFKA_TOPIC", text)]);
        load(&Request::default(), &environment)
            .ok()
            .map(|loaded| loaded.settings.kafka.topic)
    }

    #[test]
    fn a_topic_names_who_may_speak() {
        let read =
            topics("[{ name = \"a\", tenant = \"t\", tenants = [\"t\", \"u\"], sources = [\"shop/web\"] }]");
        let read = read.expect("a topic");
        assert_eq!(read[0].tenants, ["t", "u"]);
        let again = topics(&read.toml().expect("shown"));
        assert_eq!(again, Some(read));
    }

    #[test]
    fn what_is_no_topic_is_refused() {
        for text in [
            "[]",
            "[{ name = \"a/b\" }]",
            "[{ name = \"a\" }, { name = \"a\" }]",
            "[{ name = \"a\", tenat = \"t\" }]",
            "[{ tenants = [\"t\"] }]",
            "[{ name = \"a\", sources = \"x\" }]",
        ] {
            assert_eq!(topics(text), None, "{text}");
        }
        assert_eq!(topics("other").map(|read| read.len()), Some(1));
    }
}
