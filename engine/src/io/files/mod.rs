//! Files: events in, decisions and dead letters out, one line each.
//!
//! An input reads on where its committed position says, and from its start where it is another one. An output is
//! exactly once: it is cut to its committed length when it is opened. Neither parses what it carries.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "it reads and writes files and standard streams"
)]

mod file_sink;
mod input_row;
mod line_source;
mod rewrite;
mod stdout_sink;
mod tail;

use crate::pipeline::taken::{self, Taken};

pub use file_sink::FileSink;
pub use line_source::{FileLines, input_key};
pub use stdout_sink::StdoutSink;

/// Whether a row of table `input` can be read; else what is wrong, in plain words.
///
/// # Errors
/// When it is newer or damaged.
pub fn check_input_row(value: &[u8]) -> Result<(), String> {
    if value.first() == Some(&taken::VERSION) {
        return Taken::decode(value).map(drop).map_err(|error| error.to_string());
    }
    input_row::InputRow::decode(value).map(|_| ())
}

/// What a sink carries. Each kind has a cursor of its own, also in the same file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SinkKind {
    /// Decisions.
    Decisions,
    /// Refused lines.
    DeadLetters,
    /// Alerts, due and held back.
    Alerts,
}

impl SinkKind {
    /// Kind and path in a key of a cursor; `None` for standard output, and for other sinks.
    #[cfg(unix)]
    #[must_use]
    pub fn read_cursor_key(key: &[u8]) -> Option<(Self, std::path::PathBuf)> {
        use std::os::unix::ffi::OsStrExt as _;
        let kinds = [Self::Decisions, Self::DeadLetters, Self::Alerts];
        let (kind, place) = kinds.into_iter().find_map(|kind| {
            let place = key.strip_prefix(kind.cursor_key(b"").as_slice())?;
            Some((kind, place))
        })?;
        (place != b"-").then(|| (kind, std::ffi::OsStr::from_bytes(place).into()))
    }

    /// Key of the cursor in table `sink`: the kind, `:`, and the absolute path or `-`.
    fn cursor_key(self, place: &[u8]) -> Vec<u8> {
        let kind: &[u8] = match self {
            Self::Decisions => b"decisions:",
            Self::DeadLetters => b"dead:",
            Self::Alerts => b"alerts:",
        };
        [kind, place].concat()
    }
}
