//! Exit codes and errors of the command line: the one place where an error becomes words and a number.

use std::fmt::Write as _;
use std::io;
use std::process::ExitCode;

use thiserror::Error;

use crate::config::{ConfigError, LogLevel};
#[cfg(feature = "kafka")]
use crate::io::kafka::KafkaFault;
use crate::pipeline::door::DoorError;
use crate::pipeline::ports::{SinkError, StoreError};
use crate::pipeline::run::RunError;
use crate::telemetry::escape::{escape, lines_escaped};
use crate::telemetry::log::{LogError, say};
use crate::telemetry::metrics::MetricsError;
#[cfg(feature = "metrics")]
use crate::telemetry::serve::ServeError;

/// Declares the table of exit codes once: number and meaning.
macro_rules! exits {
    ($($(#[$meta:meta])* $name:ident = $code:literal, $meaning:literal;)*) => {
        /// How a command ends.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Exit { $($(#[$meta])* $name = $code,)* }

        impl Exit {
            /// All of them, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The number that the shell sees.
            #[must_use]
            pub const fn code(self) -> u8 {
                self as u8
            }

            /// What it means.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)* }
            }
        }
    };
}

exits! {
    /// Done.
    Done = 0, "done";
    /// The command's own check says no.
    CheckFailed = 1, "the command's own check failed, such as a rule's test or the bounds of the demo, or nothing is known of a user";
    /// The command line is wrong.
    Usage = 2, "the command line is wrong";
    /// The configuration is wrong.
    Configuration = 3, "the configuration is wrong";
    /// An input cannot be read.
    Input = 4, "an input cannot be read";
    /// The store cannot be opened.
    StoreRefused = 5, "the store is in use, damaged, newer than this program or of another kind";
    /// The store failed while it was in use.
    StoreFailed = 6, "the store failed while running; what was committed is safe, start again";
    /// An output cannot be written.
    Output = 7, "an output cannot be written";
    /// Rules, lists or geo files are refused.
    FilesRefused = 8, "rules, lists or geo files are refused";
    /// An address cannot be listened on.
    Listen = 9, "an address or port cannot be listened on";
    /// The disk is about to be full.
    RoomShort = 10, "the disk is about to be full; everything that was begun is stored, start again with more space";
    /// A fault of the program.
    Internal = 70, "a fault of the program itself";
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// The table of exit codes, as `doorward --help` prints it.
#[must_use]
pub fn table() -> String {
    let mut out = String::from("Exit codes:\n");
    for exit in Exit::ALL {
        // Writing to a string cannot fail.
        let _ = writeln!(out, "  {:>2}  {}", exit.code(), exit.meaning());
    }
    out
}

/// Why a command could not do what it was asked.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CliError {
    /// Arguments that contradict each other or the world.
    #[error("{0}")]
    Usage(String),
    /// The configuration is wrong.
    #[error("the configuration is wrong")]
    Config(#[from] ConfigError),
    /// An input cannot be read.
    #[error("`{name}` cannot be read: {source}")]
    Input {
        /// Its path, or `-` for standard input.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// The store did not open, or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A sink of the pipeline failed.
    #[error(transparent)]
    Sink(#[from] SinkError),
    /// A file or standard output cannot be written.
    #[error("`{name}` cannot be written: {source}")]
    Output {
        /// Its path, or `-` for standard output.
        name: String,
        /// What the system said.
        source: io::Error,
    },
    /// Whoever read our output has seen enough, as in `doorward config show | head`: no error to speak of.
    #[error("the reader of the output is gone")]
    ReaderGone,
    /// Rules, lists or geo files are refused.
    #[error("{what} cannot be used")]
    FilesRefused {
        /// What, such as "the rules in `rules/`".
        what: String,
        /// Why, each with its place.
        problems: Vec<String>,
    },
    /// Kafka cannot be used.
    #[cfg(feature = "kafka")]
    #[error(transparent)]
    Kafka(#[from] KafkaFault),
    /// Figures cannot be served.
    #[cfg(feature = "metrics")]
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// Figures cannot be made.
    #[error(transparent)]
    Metrics(#[from] MetricsError),
    /// Log lines cannot be set up.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The store holds nothing about a user.
    #[error("nothing is stored about user `{id}` of tenant `{tenant}`")]
    UnknownUser {
        /// As it was given.
        id: String,
        /// Tenant.
        tenant: String,
    },
    /// A fault of the program.
    #[error("{0}")]
    Internal(String),
}

impl From<RunError> for CliError {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Store(error) => Self::Store(error),
            RunError::Sink(error) if error.source.kind() == io::ErrorKind::BrokenPipe => Self::ReaderGone,
            RunError::Sink(error) => Self::Sink(error),
            RunError::Door(error) => Self::door(error),
        }
    }
}

impl CliError {
    #[cfg(feature = "kafka")]
    fn door(error: DoorError) -> Self {
        match error.source.downcast::<KafkaFault>() {
            Ok(KafkaFault::Store(error)) => Self::Store(error),
            Ok(fault) => Self::Kafka(fault),
            Err(source) => Self::Input {
                name: error.name,
                source,
            },
        }
    }

    #[cfg(not(feature = "kafka"))]
    fn door(error: DoorError) -> Self {
        Self::Input {
            name: error.name,
            source: error.source,
        }
    }

    /// An output that cannot be written, or whose reader is gone. `name` is a path, or `-` for standard output.
    #[must_use]
    pub fn output(name: &str, source: io::Error) -> Self {
        if source.kind() == io::ErrorKind::BrokenPipe {
            Self::ReaderGone
        } else {
            Self::Output {
                name: name.to_owned(),
                source,
            }
        }
    }

    /// The exit code it stands for.
    #[must_use]
    pub const fn exit(&self) -> Exit {
        match self {
            Self::Usage(_) => Exit::Usage,
            Self::Config(_) => Exit::Configuration,
            Self::Input { .. } => Exit::Input,
            #[cfg(feature = "kafka")]
            Self::Kafka(KafkaFault::WithoutTls { .. }) => Exit::Usage,
            #[cfg(feature = "kafka")]
            Self::Kafka(KafkaFault::NotMade { .. }) => Exit::Output,
            #[cfg(feature = "kafka")]
            Self::Kafka(KafkaFault::Store(_)) => Exit::StoreFailed,
            #[cfg(feature = "kafka")]
            Self::Kafka(_) => Exit::Input,
            // A row that cannot be read is damage or a newer format: to start again does not help.
            Self::Store(
                StoreError::Locked { .. } | StoreError::Refused { .. } | StoreError::BadRow { .. },
            ) => Exit::StoreRefused,
            Self::Store(StoreError::RoomShort { .. }) => Exit::RoomShort,
            Self::Store(StoreError::Unwritable { .. }) => Exit::Output,
            Self::Store(_) => Exit::StoreFailed,
            Self::Sink(_) | Self::Output { .. } => Exit::Output,
            Self::ReaderGone => Exit::Done,
            Self::UnknownUser { .. } => Exit::CheckFailed,
            Self::FilesRefused { .. } => Exit::FilesRefused,
            #[cfg(feature = "metrics")]
            Self::Serve(ServeError::Listen { .. }) => Exit::Listen,
            #[cfg(feature = "metrics")]
            Self::Serve(ServeError::Thread(_)) => Exit::Internal,
            Self::Metrics(_) | Self::Log(_) | Self::Internal(_) => Exit::Internal,
        }
    }

    /// The single problems below the headline.
    fn details(&self) -> Vec<String> {
        match self {
            Self::Config(error) => error.problems.iter().map(ToString::to_string).collect(),
            Self::FilesRefused { problems, .. } => problems.clone(),
            _ => Vec::new(),
        }
    }

    /// What to do now.
    const fn advice(&self) -> &'static str {
        if matches!(self, Self::Store(StoreError::Refused { .. })) {
            return "name another folder with `--data`, or restore a backup of the whole folder, `head` and `store`";
        }
        if matches!(self, Self::Store(StoreError::BadRow { .. })) {
            return "`doorward store check` names every such row; restore a backup, or use the newer program";
        }
        #[cfg(feature = "kafka")]
        if let Self::Kafka(fault) = self {
            return fault.advice();
        }
        match self.exit() {
            Exit::Done => "",
            Exit::CheckFailed => {
                "check the id and `--tenant`; `[user] key` says which spellings are one user"
            }
            Exit::Usage => "`doorward --help` shows what there is",
            Exit::Configuration => {
                "correct the places named above; `doorward config reference` explains every setting"
            }
            Exit::Input => "check the path and whether you may read it",
            Exit::StoreRefused => "end the other process, or name another folder with `--data`",
            Exit::StoreFailed => "check disk and space, then start again: it goes on after the last commit",
            Exit::Output => "check the folder, its free space and whether you may write there",
            Exit::FilesRefused => "correct the files named above; nothing was decided with them",
            Exit::Listen => "choose another port in `[metrics] listen`, or leave it empty",
            Exit::RoomShort => {
                "make space, or lower `store.free_min`, then start again: it goes on after the last commit"
            }
            Exit::Internal => "please report it with this text",
        }
    }

    /// The whole message: what was wrong, where, what to do. Empty when there is nothing to say. Without control
    /// characters but line feeds, as it may quote strangers.
    #[must_use]
    pub fn message(&self) -> String {
        if matches!(self, Self::ReaderGone) {
            return String::new();
        }
        let mut out = format!("error: {}\n", escape(&self.to_string()));
        for detail in self.details() {
            for line in detail.lines() {
                // Writing to a string cannot fail.
                let _ = writeln!(out, "  {}", lines_escaped(line));
            }
        }
        let _ = writeln!(out, "help: {}", self.advice());
        out
    }

    /// Says it on stderr.
    pub(super) fn tell(&self) {
        let message = self.message();
        if !message.is_empty() {
            say(LogLevel::Error, &message);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::ports::Keyspace;

    fn io_error(kind: io::ErrorKind) -> io::Error {
        io::Error::from(kind)
    }

    fn of_the_store() -> Vec<(CliError, u8)> {
        let path = || "x".to_owned();
        vec![
            (StoreError::Locked { path: path() }.into(), 5),
            (
                StoreError::Refused {
                    path: path(),
                    reason: path(),
                }
                .into(),
                5,
            ),
            (
                StoreError::Fenced {
                    expected: 1,
                    found: 2,
                }
                .into(),
                6,
            ),
            (
                StoreError::BadRow {
                    keyspace: Keyspace::User,
                    reason: path(),
                }
                .into(),
                5,
            ),
            (StoreError::Engine("disk".into()).into(), 6),
            (
                StoreError::RoomShort {
                    path: path(),
                    free: 1,
                    wanted: 2,
                }
                .into(),
                10,
            ),
            (
                StoreError::Unwritable {
                    path: path(),
                    source: io_error(io::ErrorKind::ReadOnlyFilesystem),
                }
                .into(),
                7,
            ),
        ]
    }

    #[test]
    fn every_error_has_its_row_in_the_table() {
        let path = || "x".to_owned();
        let mut rows: Vec<(CliError, u8)> = vec![
            (CliError::Usage(path()), 2),
            (CliError::Config(ConfigError { problems: Vec::new() }), 3),
            (
                CliError::Input {
                    name: path(),
                    source: io_error(io::ErrorKind::NotFound),
                },
                4,
            ),
            (
                SinkError {
                    sink: path(),
                    source: io_error(io::ErrorKind::StorageFull),
                }
                .into(),
                7,
            ),
            (CliError::output("-", io_error(io::ErrorKind::StorageFull)), 7),
            (CliError::output("-", io_error(io::ErrorKind::BrokenPipe)), 0),
            (
                CliError::FilesRefused {
                    what: path(),
                    problems: Vec::new(),
                },
                8,
            ),
            (
                CliError::UnknownUser {
                    id: path(),
                    tenant: path(),
                },
                1,
            ),
            (CliError::Internal(path()), 70),
        ];
        rows.extend(of_the_store());
        for (error, code) in rows {
            assert_eq!(error.exit().code(), code, "{error:?}");
            assert_eq!(error.message().is_empty(), code == 0, "{error:?}");
        }
    }

    #[test]
    fn numbers_are_unique_and_listed() {
        let codes: Vec<_> = Exit::ALL.iter().map(|exit| exit.code()).collect();
        assert!(codes.is_sorted_by(|a, b| a < b), "{codes:?}");
        let table = table();
        assert!(Exit::ALL.iter().all(|exit| table.contains(exit.meaning())));
    }

    #[test]
    fn a_message_quotes_strangers_without_their_control_characters() {
        let error = CliError::Usage("a\u{1b}[2Jb\nc".to_owned());
        assert!(error.message().starts_with("error: a\\u001b[2Jb\\u000ac\nhelp: "));
    }
}
