//! Log lines: set up once, at the start of a command, to stderr.
//!
//! Words of strangers may stand in a message, so every control character but the final line feed is escaped, in both
//! forms: a line in the log is one message, and it changes no colour on a terminal.

#![expect(clippy::disallowed_methods, reason = "log lines go to stderr")]

use std::io::{self, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use thiserror::Error;
use tracing::Subscriber;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::{SubscriberInitExt, TryInitError};

use super::escape::escape;
use crate::config::{LogFormat, LogLevel, LogSettings};

/// Log lines were set up before.
#[derive(Debug, Error)]
#[error("log lines are set up already: {0}")]
pub struct LogError(#[from] TryInitError);

/// Whether what is said on stderr is JSON.
static AS_JSON: AtomicBool = AtomicBool::new(false);

/// From now on everything that is said on stderr is said in this form.
pub fn say_as(format: LogFormat) {
    AS_JSON.store(format == LogFormat::Json, Ordering::Relaxed);
}

/// Says something that is no log line, but stands among them: the last word of a command, or why it failed. No level
/// hides it. `level` is that of the JSON object; as text it is written as it is.
pub fn say(level: LogLevel, text: &str) {
    let line = if AS_JSON.load(Ordering::Relaxed) {
        object(level, text)
    } else {
        text.to_owned()
    };
    // Nobody may read it; that is no reason to fail.
    let _ = io::stderr().write_all(line.as_bytes());
}

/// In the form of the other lines, and escaped like them.
fn object(level: LogLevel, text: &str) -> String {
    let level = match level {
        LogLevel::Error => "ERROR",
        LogLevel::Warn => "WARN",
        LogLevel::Info => "INFO",
        LogLevel::Debug => "DEBUG",
        LogLevel::Trace => "TRACE",
    };
    let object = serde_json::json!({
        "timestamp": jiff::Timestamp::now().to_string(),
        "level": level,
        "message": text.trim_end(),
        "target": "doorward",
    });
    format!("{}\n", escape(&object.to_string()))
}

/// Sends the process's log lines to stderr.
///
/// # Errors
/// When it was done before in this process.
pub fn start(settings: &LogSettings) -> Result<(), LogError> {
    say_as(settings.format);
    match settings.format {
        LogFormat::Text => text(settings.level, io::stderr).try_init()?,
        LogFormat::Json => json(settings.level, io::stderr).try_init()?,
    }
    Ok(())
}

/// Our own messages from `level` on; of the libraries at most warnings, unless everything is asked for.
fn filter(level: LogLevel) -> Targets {
    let own = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let others = if level == LogLevel::Trace {
        own
    } else {
        own.min(LevelFilter::WARN)
    };
    Targets::new().with_default(others).with_target("doorward", own)
}

fn text<W>(level: LogLevel, to: W) -> impl Subscriber
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let layer = tracing_subscriber::fmt::layer()
        .with_ansi(false)
        .with_target(false)
        .with_writer(Escaping(to));
    tracing_subscriber::registry().with(filter(level)).with(layer)
}

fn json<W>(level: LogLevel, to: W) -> impl Subscriber
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let layer = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_writer(Escaping(to));
    tracing_subscriber::registry().with(filter(level)).with(layer)
}

/// Makes writers that escape what another writer gets.
struct Escaping<M>(M);

impl<'a, M: MakeWriter<'a>> MakeWriter<'a> for Escaping<M> {
    type Writer = EscapingWriter<M::Writer>;

    fn make_writer(&'a self) -> Self::Writer {
        EscapingWriter(self.0.make_writer())
    }
}

/// Expects one whole line in each call, which is how `tracing_subscriber` writes.
struct EscapingWriter<W>(W);

impl<W: Write> Write for EscapingWriter<W> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(line);
        let (body, end) = match text.strip_suffix('\n') {
            Some(body) => (body, "\n"),
            None => (text.as_ref(), ""),
        };
        self.0.write_all(format!("{}{end}", escape(body)).as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Kept {
        fn lines(&self) -> Vec<String> {
            let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
            text.lines().map(str::to_owned).collect()
        }
    }

    fn say_it() {
        tracing::warn!(agent = "x\u{1b}[2J\u{202e}", "first\nsecond\u{9b}");
        tracing::debug!("too small");
        tracing::info!(target: "hyper", "somebody else's");
    }

    #[test]
    fn text_is_one_line_without_control_characters() {
        let kept = Kept::default();
        let writer = kept.clone();
        let subscriber = text(LogLevel::Info, move || writer.clone());
        tracing::subscriber::with_default(subscriber, say_it);
        let lines = kept.lines();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains("WARN first\\u000asecond"), "{lines:?}");
        assert!(
            !lines[0].chars().any(crate::telemetry::escape::is_unsafe),
            "{lines:?}"
        );
    }

    #[test]
    fn what_is_said_beside_log_lines_is_an_object_too() {
        let line = object(LogLevel::Error, "error: `x\u{9b}\u{202e}`\nhelp: look\n");
        assert_eq!(line.matches('\n').count(), 1);
        assert!(
            !line.trim_end().chars().any(crate::telemetry::escape::is_unsafe),
            "{line:?}"
        );
        let object: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(object["message"], "error: `x\u{9b}\u{202e}`\nhelp: look");
        assert_eq!(object["level"], "ERROR");
    }

    #[test]
    fn json_is_one_object_a_line_and_still_json() {
        let kept = Kept::default();
        let writer = kept.clone();
        let subscriber = json(LogLevel::Info, move || writer.clone());
        tracing::subscriber::with_default(subscriber, say_it);
        let lines = kept.lines();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(
            !lines[0].chars().any(crate::telemetry::escape::is_unsafe),
            "{lines:?}"
        );
        let object: serde_json::Value = serde_json::from_str(&lines[0]).unwrap();
        assert_eq!(object["agent"], "x\u{1b}[2J\u{202e}");
        assert_eq!(object["level"], "WARN");
    }
}
