//! `doorward rules check|test`: whether rule files can be used, and whether they do what their tests say.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::{Args, Subcommand};
use doorward_rules::{RuleSet, run_tests};

use super::exit::{CliError, Exit};
use super::output::print;
use super::sources;
use crate::config::Settings;
use crate::telemetry::escape::lines_escaped;

const EXAMPLE: &str = "Example:
  doorward rules check
  doorward rules test";

const CHECK_EXAMPLE: &str = "Example:
  doorward rules check";

const TEST_EXAMPLE: &str = "Example:
  doorward rules test";

/// Arguments of `doorward rules`.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLE)]
pub struct RulesArgs {
    /// What to do with the rules.
    #[command(subcommand)]
    pub action: RulesAction,
}

/// What to do with the rules.
#[derive(Debug, Clone, Subcommand)]
pub enum RulesAction {
    /// Read and type-check rule files; tells all problems at once
    #[command(after_help = CHECK_EXAMPLE)]
    Check {
        /// Folder of packs [default: `[rules] folder`, else the packs inside the binary]
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
    /// Run the tests inside the rule files
    #[command(after_help = TEST_EXAMPLE)]
    Test {
        /// Folder of packs [default: `[rules] folder`, else the packs inside the binary]
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
}

/// Checks rules, or runs their tests.
///
/// # Errors
/// Rules that cannot be read or are refused; output that cannot be written.
pub fn run(args: &RulesArgs, settings: &Settings) -> Result<Exit, CliError> {
    let (RulesAction::Check { folder } | RulesAction::Test { folder }) = &args.action;
    let folder = folder.as_deref().or(settings.rules.folder.as_deref());
    let rules = sources::rules(folder)?;
    match args.action {
        RulesAction::Check { .. } => print(&checked(&rules)).map(|()| Exit::Done),
        RulesAction::Test { .. } => test(&rules),
    }
}

/// How many rules of each status there are, and the hash that decisions name.
fn checked(rules: &RuleSet) -> String {
    let mut by_status: BTreeMap<String, usize> = BTreeMap::new();
    for rule in rules.rules() {
        *by_status.entry(rule.status.to_string()).or_default() += 1;
    }
    let parts: Vec<_> = by_status
        .iter()
        .map(|(status, count)| format!("{count} {status}"))
        .collect();
    let hash: String = rules.hash().iter().map(|byte| format!("{byte:02x}")).collect();
    format!(
        "rules in order: {} ({})\nhash {hash}\n",
        rules.rules().len(),
        parts.join(", ")
    )
}

fn test(rules: &RuleSet) -> Result<Exit, CliError> {
    let outcomes = run_tests(rules);
    let failed: Vec<_> = outcomes.iter().filter(|outcome| !outcome.passed()).collect();
    let mut out: String = failed
        .iter()
        .map(|outcome| format!("{}\n", lines_escaped(&outcome.to_string())))
        .collect();
    let (tests, rules) = (outcomes.len(), rules.rules().len());
    out.push_str(&match failed.len() {
        0 => format!("tests passed: {tests}, of rules: {rules}\n"),
        failed => format!("tests failed: {failed} of {tests}, of rules: {rules}\n"),
    });
    print(&out)?;
    Ok(if failed.is_empty() {
        Exit::Done
    } else {
        Exit::CheckFailed
    })
}
