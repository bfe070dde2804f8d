//! Clients with our settings, and what they hear.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, ConsumerContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::fault::KafkaFault;
use crate::config::{KafkaSasl, KafkaSettings};

/// How long the same reason is not told again.
const QUIET: Duration = Duration::from_secs(30);
/// How long a token out of a file is believed, until the file is read again.
const TOKEN_MS: i64 = 300_000;
const TOKEN_BYTES_MAX: usize = 65_536;

/// What a client hears beside its answers. A wrong password or certificate shows only here.
#[derive(Debug, Default)]
pub(super) struct Ear {
    heard: Mutex<Option<(String, Instant)>>,
    principal: String,
    token_file: Option<std::path::PathBuf>,
}

impl Ear {
    pub(super) fn new(settings: &KafkaSettings) -> Self {
        let user = if settings.user.is_empty() {
            "doorward"
        } else {
            &settings.user
        };
        Self {
            heard: Mutex::default(),
            principal: user.to_owned(),
            token_file: settings.token_file.clone(),
        }
    }

    /// The last reason.
    pub(super) fn reason(&self) -> Option<String> {
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.as_ref().map(|(reason, _)| reason.clone())
    }
}

impl ClientContext for Ear {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = cfg!(feature = "kafka-tls");

    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            RDKafkaLogLevel::Emerg
            | RDKafkaLogLevel::Alert
            | RDKafkaLogLevel::Critical
            | RDKafkaLogLevel::Error
            | RDKafkaLogLevel::Warning => tracing::debug!(facility, "kafka: {message}"),
            _ => tracing::trace!(facility, "kafka: {message}"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        // That all are down is a consequence; the reason came before it.
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AllBrokersDown) && heard.is_some() {
            return;
        }
        let is_told = heard
            .as_ref()
            .is_some_and(|(before, told)| before == reason && told.elapsed() < QUIET);
        if !is_told {
            tracing::warn!("kafka: {reason}");
            *heard = Some((reason.to_owned(), Instant::now()));
        }
    }

    fn generate_oauth_token(&self, _: Option<&str>) -> Result<OAuthToken, Box<dyn std::error::Error>> {
        let path = self
            .token_file
            .as_deref()
            .ok_or("`kafka.token_file` is not set")?;
        Ok(OAuthToken {
            token: read_token(path)?,
            principal_name: self.principal.clone(),
            lifetime_ms: super::wall_clock_micros() / 1_000 + TOKEN_MS,
        })
    }
}

impl ConsumerContext for Ear {}

fn read_token(path: &Path) -> Result<String, Box<dyn std::error::Error>> {
    let token = std::fs::read_to_string(path)
        .map_err(|error| format!("the token in `{}` cannot be read: {error}", path.display()))?;
    let token = token.trim();
    if token.is_empty() || token.len() > TOKEN_BYTES_MAX {
        return Err(format!("`{}` holds no token", path.display()).into());
    }
    Ok(token.to_owned())
}

/// A client that reads, or only looks.
pub(super) type Consumer = BaseConsumer<Ear>;

/// A client for reading partitions.
pub(super) fn reader(settings: &KafkaSettings) -> Result<Consumer, KafkaFault> {
    let mut config = consumer(settings)?;
    config
        // The default waits a second once the queue is full, which costs four fifths of the throughput.
        .set("fetch.queue.backoff.ms", "10")
        .set("queued.max.messages.kbytes", "16384")
        .set("check.crcs", "true");
    create(&config, settings)
}

/// A client for questions, which gives up soon. It says when it comes to the end of a partition.
pub(super) fn asker(settings: &KafkaSettings) -> Result<Consumer, KafkaFault> {
    let mut config = consumer(settings)?;
    config
        .set("socket.timeout.ms", "3000")
        .set("enable.partition.eof", "true");
    create(&config, settings)
}

fn create(config: &ClientConfig, settings: &KafkaSettings) -> Result<Consumer, KafkaFault> {
    config
        .create_with_context(Ear::new(settings))
        .map_err(|error| KafkaFault::refused("the Kafka client cannot be made", &error, None))
}

fn consumer(settings: &KafkaSettings) -> Result<ClientConfig, KafkaFault> {
    let mut config = base(settings)?;
    config
        .set("group.id", &settings.group)
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        // A position that the log does not have is an error, and never a jump.
        .set("auto.offset.reset", "error")
        .set("session.timeout.ms", "10000")
        .set("max.poll.interval.ms", "60000")
        .set("allow.auto.create.topics", "false");
    Ok(config)
}

/// A client for publishing: in order, and without repeats but after a crash.
pub(super) fn producer(settings: &KafkaSettings) -> Result<ClientConfig, KafkaFault> {
    let mut config = base(settings)?;
    config
        .set("enable.idempotence", "true")
        .set("acks", "all")
        .set("linger.ms", settings.linger_ms.to_string())
        .set("compression.type", "lz4")
        // As the Java client does, so that one user's decisions and events are split alike.
        .set("partitioner", "murmur2_random")
        // A broker that is away is waited for; what waits is bounded, and then the doors wait.
        .set("message.timeout.ms", "0")
        .set("queue.buffering.max.messages", "100000")
        .set("queue.buffering.max.kbytes", "65536")
        .set("allow.auto.create.topics", "false");
    Ok(config)
}

/// Where the brokers are and who we are.
pub(super) fn base(settings: &KafkaSettings) -> Result<ClientConfig, KafkaFault> {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &settings.brokers)
        .set("client.id", "doorward")
        // Flows again 0.4 to 0.9 s after a broker is back, instead of up to 7 s.
        .set("reconnect.backoff.max.ms", "1000")
        .set("statistics.interval.ms", "0");
    let protocol = match (settings.tls, settings.sasl) {
        (false, KafkaSasl::None) => return Ok(config),
        (true, KafkaSasl::None) => "ssl",
        (false, _) => "sasl_plaintext",
        (true, _) => "sasl_ssl",
    };
    if !cfg!(feature = "kafka-tls") {
        let setting = if settings.tls { "kafka.tls" } else { "kafka.sasl" };
        return Err(KafkaFault::WithoutTls { setting });
    }
    config.set("security.protocol", protocol);
    for (name, file) in [
        ("ssl.ca.location", &settings.ca_file),
        ("ssl.certificate.location", &settings.cert_file),
        ("ssl.key.location", &settings.key_file),
    ] {
        if let Some(file) = file {
            config.set(name, file.display().to_string());
        }
    }
    let mechanism = match settings.sasl {
        KafkaSasl::None => return Ok(config),
        KafkaSasl::Plain => "PLAIN",
        KafkaSasl::Scram256 => "SCRAM-SHA-256",
        KafkaSasl::Scram512 => "SCRAM-SHA-512",
        KafkaSasl::OauthBearer => "OAUTHBEARER",
    };
    config.set("sasl.mechanism", mechanism);
    if settings.sasl != KafkaSasl::OauthBearer {
        config
            .set("sasl.username", &settings.user)
            .set("sasl.password", settings.password.reveal());
    }
    Ok(config)
}
