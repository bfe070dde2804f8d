//! `doorward rules check|test`: whether rule files can be used, and whether they do what their tests say.

use std::path::PathBuf;

use clap::{Args, Subcommand};

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
