//! `[log]`: what is written to stderr.

use super::kind::{OneOf, named};
use super::section::section;

named! {
    /// The form of a log line.
    LogFormat {
        /// For people.
        Text = "text",
        /// One JSON object a line.
        Json = "json",
    }
}

named! {
    /// The least important messages that are written.
    LogLevel {
        /// Only what failed.
        Error = "error",
        /// And what may become a fault.
        Warn = "warn",
        /// And what the process does.
        Info = "info",
        /// And how.
        Debug = "debug",
        /// Everything.
        Trace = "trace",
    }
}

section! {
    /// Log lines on stderr.
    LogSettings in "log" {
        /// The form of a line.
        format: LogFormat = OneOf::<LogFormat>::names(), decides No;
        /// The least important messages that are written.
        level: LogLevel = OneOf::<LogLevel>::names(), decides No;
    }
}
