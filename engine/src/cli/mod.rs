//! The command line: one file a command, each with its arguments and what it does with them.
//!
//! Only this folder wires the world (files, stores, sockets) to the engine, and only `exit.rs` turns errors into text.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the commands touch the world: files, clock, environment"
)]

#[cfg(feature = "run")]
pub mod admin;
pub mod args;
pub mod assemble;
pub mod config;
#[cfg(feature = "run")]
pub mod demo;
pub mod diff;
pub mod exit;
#[cfg(feature = "run")]
pub mod explain;
pub mod explanation;
#[cfg(feature = "run")]
pub mod faults;
pub mod geoip;
#[cfg(feature = "kafka")]
pub mod kafka;
#[cfg(all(feature = "run", not(feature = "kafka")))]
#[path = "without_kafka.rs"]
pub mod kafka;
pub mod output;
#[cfg(feature = "run")]
pub mod reload;
#[cfg(feature = "run")]
pub mod replay;
pub mod rules;
#[cfg(feature = "run")]
pub mod run;
#[cfg(feature = "run")]
pub mod signals;
pub mod sources;
#[cfg(feature = "run")]
pub mod split_users;
#[cfg(feature = "run")]
pub mod status;
#[cfg(feature = "run")]
pub mod store;
#[cfg(feature = "run")]
pub mod stored;
#[cfg(feature = "run")]
pub mod user;
pub mod version;
#[cfg(feature = "run")]
pub mod watch;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Environment, LogFormat, load};
use crate::telemetry::log;
use args::GlobalArgs;
use exit::{CliError, Exit};

const EXAMPLE: &str = "Example:
  doorward config check";

/// Risk-based login anomaly detection: login events in, a decision with its ledger and a mail out.
#[derive(Debug, Parser)]
#[command(name = "doorward", version, after_help = EXAMPLE)]
#[command(after_long_help = format!("{EXAMPLE}\n\n{}", exit::table()))]
pub struct Cli {
    /// Flags that every command takes.
    #[command(flatten)]
    pub global: GlobalArgs,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Decide events from files, a pipe or Kafka, into a store
    #[cfg(feature = "run")]
    Run(run::RunArgs),
    /// Decide events in memory: nothing stored, nothing mailed
    #[cfg(feature = "run")]
    Replay(replay::ReplayArgs),
    /// Show one decision line by line
    #[cfg(feature = "run")]
    Explain(explain::ExplainArgs),
    /// Play two weeks of made-up life with attacks in it
    #[cfg(feature = "run")]
    Demo(demo::DemoArgs),
    /// Compare two decision files
    Diff(diff::DiffArgs),
    /// Show or check the configuration
    Config(config::ConfigArgs),
    /// Ask the databases of places and networks
    Geoip(geoip::GeoipArgs),
    /// Check rule files, or run the tests inside them
    Rules(rules::RulesArgs),
    /// Check, hash or compact the store, or accept that something in it is lost
    #[cfg(feature = "run")]
    Store(store::StoreArgs),
    /// Show what is stored about one user
    #[cfg(feature = "run")]
    User(user::UserArgs),
    /// Show how far the running process is
    #[cfg(feature = "run")]
    Status(status::StatusArgs),
    /// Print the version and what this binary was built with
    Version(version::VersionArgs),
}

/// Reads the command line of this process, does what it says, and tells errors on stderr.
#[must_use]
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(answer) => return told_by_clap(&answer),
    };
    // What goes wrong before the settings are read is said in the form that the flag asks for.
    if cli.global.log.as_deref() == Some("json") {
        log::say_as(LogFormat::Json);
    }
    // The panic itself was told by the hook; what is left to do is an exit code of our table.
    let result = catch_unwind(AssertUnwindSafe(|| dispatch(&cli)));
    match result {
        Ok(Ok(exit)) => exit.into(),
        Ok(Err(error)) => {
            error.tell();
            error.exit().into()
        }
        Err(_) => Exit::Internal.into(),
    }
}

/// Help and version are no errors, but come the same way.
fn told_by_clap(answer: &clap::Error) -> ExitCode {
    let printed = answer.print();
    if answer.use_stderr() {
        return Exit::Usage.into();
    }
    match printed.map_err(|source| CliError::output("-", source)) {
        Ok(()) => Exit::Done.into(),
        Err(error) => error.exit().into(),
    }
}

fn dispatch(cli: &Cli) -> Result<Exit, CliError> {
    if let Command::Version(args) = &cli.command {
        return version::run(args);
    }
    let loaded = load(&cli.global.request(), &Environment::of_process())?;
    log::start(&loaded.settings.log)?;
    match &cli.command {
        #[cfg(feature = "run")]
        Command::Run(args) => run::run(args, &loaded, cli.global.request()),
        #[cfg(feature = "run")]
        Command::Replay(args) => replay::run(args, &loaded.settings),
        #[cfg(feature = "run")]
        Command::Explain(args) => explain::run(args, &loaded.settings),
        #[cfg(feature = "run")]
        Command::Demo(args) => demo::run(args),
        Command::Diff(args) => diff::run(args),
        Command::Config(args) => config::run(args, &loaded),
        Command::Geoip(args) => geoip::run(args, &loaded.settings),
        Command::Rules(args) => rules::run(args, &loaded.settings),
        #[cfg(feature = "run")]
        Command::Store(args) => store::run(args, &loaded.settings),
        #[cfg(feature = "run")]
        Command::User(args) => user::run(args, &loaded.settings),
        #[cfg(feature = "run")]
        Command::Status(args) => status::run(args),
        Command::Version(args) => version::run(args),
    }
}

#[cfg(all(test, feature = "run"))]
mod tests {
    use super::*;
    use clap::{Args, CommandFactory};

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
        run::RunArgs::augment_args(clap::Command::new("run")).debug_assert();
        replay::ReplayArgs::augment_args(clap::Command::new("replay")).debug_assert();
        explain::ExplainArgs::augment_args(clap::Command::new("explain")).debug_assert();
        demo::DemoArgs::augment_args(clap::Command::new("demo")).debug_assert();
        diff::DiffArgs::augment_args(clap::Command::new("diff")).debug_assert();
        geoip::GeoipArgs::augment_args(clap::Command::new("geoip")).debug_assert();
        rules::RulesArgs::augment_args(clap::Command::new("rules")).debug_assert();
        store::StoreArgs::augment_args(clap::Command::new("store")).debug_assert();
        user::UserArgs::augment_args(clap::Command::new("user")).debug_assert();
    }

    fn parsed<A: Args>(name: &'static str, line: &str) -> Result<A, clap::Error> {
        let words = std::iter::once(name).chain(line.split_whitespace());
        let matches = A::augment_args(clap::Command::new(name)).try_get_matches_from(words)?;
        A::from_arg_matches(&matches)
    }

    #[test]
    fn run_takes_several_inputs_and_usual_folders() {
        let args: run::RunArgs = parsed("run", "--events a --events -").unwrap();
        assert_eq!(args.events, ["a", "-"].map(std::path::PathBuf::from));
        assert_eq!(args.data, std::path::Path::new("./doorward-data"));
        assert_eq!(args.tenant, "default");
        assert!(parsed::<run::RunArgs>("run", "").unwrap().events.is_empty());
    }

    #[test]
    fn explain_takes_events_or_a_folder_but_not_both() {
        let args = |line| parsed::<explain::ExplainArgs>("explain", line);
        assert!(args("--events a --events b --id x").is_ok());
        assert!(args("--data d --id x --width 100").is_ok());
        assert!(args("--id x").is_err());
        assert!(args("--events a --data d --id x").is_err());
        assert!(args("--data d --id x --width 10").is_err());
    }

    #[test]
    fn the_demo_has_bounds() {
        let args = |line| parsed::<demo::DemoArgs>("demo", line);
        assert_eq!(args("").unwrap().seed, 1);
        assert!(args("--users 0").is_err());
    }

    #[test]
    fn an_address_to_look_up_is_an_address() {
        let args = |line| parsed::<geoip::GeoipArgs>("geoip", line);
        assert!(args("lookup 192.0.2.1 2001:db8::1").is_ok());
        assert!(args("lookup example.org").is_err());
        assert!(args("lookup").is_err());
    }
}
