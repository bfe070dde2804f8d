//! Flags that every command takes.

use std::path::PathBuf;
use std::str::FromStr;

use clap::Args;
use clap::builder::{PathBufValueParser, TypedValueParser as _};

use super::exit::CliError;
use crate::config::Request;

/// Flags that every command takes.
#[derive(Debug, Clone, Default, Args)]
pub struct GlobalArgs {
    /// Configuration file [default: doorward.toml, if it is there]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Form of log lines on stderr [default: as configured]
    #[arg(long, global = true, value_name = "FORMAT", value_parser = ["text", "json"])]
    pub log: Option<String>,
    /// Least important log lines that are written [default: as configured]
    #[arg(
        long,
        global = true,
        value_name = "LEVEL",
        value_parser = ["error", "warn", "info", "debug", "trace"]
    )]
    pub log_level: Option<String>,
}

/// A path that cannot be `-`: only decisions go to standard output.
#[must_use]
pub fn named_file() -> impl clap::builder::TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| {
        if path.as_os_str() == "-" {
            Err("only decisions can go to standard output; name a file")
        } else {
            Ok(path)
        }
    })
}

/// Standard input can be read once.
///
/// # Errors
/// [`CliError::Usage`] if it is named twice.
pub fn check_inputs(events: &[PathBuf]) -> Result<(), CliError> {
    if events.iter().filter(|path| path.as_os_str() == "-").count() > 1 {
        let text = "standard input (`--events -`) is named twice, but can be read only once";
        return Err(CliError::Usage(text.to_owned()));
    }
    Ok(())
}

/// A span of time on the command line: a whole number with its unit, `90s`, `15m`, `24h` or `7d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    seconds: u32,
}

impl Span {
    /// So many seconds.
    #[must_use]
    pub const fn seconds(seconds: u32) -> Self {
        Self { seconds }
    }

    /// In microseconds.
    #[must_use]
    pub fn micros(self) -> i64 {
        i64::from(self.seconds) * 1_000_000
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong =
            || format!("`{text}` is no span of time; write a whole number and s, m, h or d, such as 24h");
        let digits = text.trim_end_matches(|letter: char| letter.is_ascii_lowercase());
        let unit = match text.get(digits.len()..) {
            Some("s") => 1,
            Some("m") => 60,
            Some("h") => 3_600,
            Some("d") => 86_400,
            _ => return Err(wrong()),
        };
        let number: u32 = digits.parse().map_err(|_| wrong())?;
        let seconds = number
            .checked_mul(unit)
            .ok_or_else(|| format!("`{text}` is too long"))?;
        Ok(Self { seconds })
    }
}

impl GlobalArgs {
    /// What they ask of the configuration.
    #[must_use]
    pub fn request(&self) -> Request {
        let flags = [
            ("--log", "log.format", &self.log),
            ("--log-level", "log.level", &self.log_level),
        ];
        let given = flags
            .into_iter()
            .filter_map(|(flag, key, value)| Some((flag, key, value.clone()?)));
        Request {
            file: self.config.clone(),
            flags: given.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_a_number_and_a_unit() {
        for (text, seconds) in [
            ("0s", 0),
            ("90s", 90),
            ("15m", 900),
            ("24h", 86_400),
            ("7d", 604_800),
        ] {
            assert_eq!(text.parse(), Ok(Span::seconds(seconds)));
        }
        for text in ["", "24", "h", "-1h", "1.5h", "1w", "1 h", "99999999d", "24hh"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }
}
