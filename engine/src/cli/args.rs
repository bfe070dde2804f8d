//! Flags that every command takes.

use std::path::PathBuf;

use clap::Args;

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
