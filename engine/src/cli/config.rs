//! `doorward config show|check|reference`: what is in force, whether it can be, and what there is to set.

use clap::{Args, Subcommand};

use super::exit::{CliError, Exit};
use super::output::print;
use crate::config::{ConfigError, DEFAULTS, Loaded, Origin, show};
use crate::telemetry::escape::escape;

const EXAMPLE: &str = "Example:
  doorward config show --origin
  doorward config check";

const SHOW_EXAMPLE: &str = "Example:
  doorward config show
  DOORWARD_SCORE_BASE=12 doorward config show --origin";

const CHECK_EXAMPLE: &str = "Example:
  doorward config check
  doorward --config doorward.toml config check";

const REFERENCE_EXAMPLE: &str = "Example:
  doorward config reference";

/// Arguments of `doorward config`.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLE)]
pub struct ConfigArgs {
    /// What to do with the configuration.
    #[command(subcommand)]
    pub action: ConfigAction,
}

/// What to do with the configuration.
#[derive(Debug, Clone, Subcommand)]
pub enum ConfigAction {
    /// Print all settings in force, as TOML; secrets are left out
    #[command(after_help = SHOW_EXAMPLE)]
    Show {
        /// Say behind each setting where its value was written
        #[arg(long)]
        origin: bool,
    },
    /// Check the configuration and that the files it names can be opened; tells all problems at once
    #[command(after_help = CHECK_EXAMPLE)]
    Check,
    /// Print every setting with its default, unit and meaning
    #[command(after_help = REFERENCE_EXAMPLE)]
    Reference,
}

/// Shows or checks what was loaded. A configuration that does not load was refused before.
///
/// # Errors
/// Output cannot be written; or, for `check`, a file that a setting names cannot be opened.
pub fn run(args: &ConfigArgs, loaded: &Loaded) -> Result<Exit, CliError> {
    match args.action {
        ConfigAction::Show { origin } => {
            let origins = origin.then_some(&loaded.origins);
            print(&show(&loaded.settings, origins))?;
        }
        ConfigAction::Reference => print(DEFAULTS)?,
        ConfigAction::Check => {
            let problems = loaded.missing_files();
            if !problems.is_empty() {
                return Err(ConfigError { problems }.into());
            }
            print(&summary(loaded))?;
        }
    }
    Ok(Exit::Done)
}

fn summary(loaded: &Loaded) -> String {
    let mut out = match &loaded.file {
        Some(file) => format!("`{}` is in order", escape(&file.to_string_lossy())),
        None => "no configuration file, and none is needed".to_owned(),
    };
    let written = |wanted: fn(&Origin) -> bool| {
        let origins = loaded.origins.values();
        origins.filter(|origin| wanted(origin)).count()
    };
    out.push_str(&format!(
        ": {} settings, {} from the file, {} from the environment, {} from flags\n",
        loaded.origins.len(),
        written(|origin| matches!(origin, Origin::File { .. })),
        written(|origin| matches!(origin, Origin::Environment(_))),
        written(|origin| matches!(origin, Origin::Flag(_))),
    ));
    if loaded.settings.security.hash_key.is_published() {
        out.push_str(
            "note: `security.hash_key` is the published one; make your own before the first event\n",
        );
    }
    out
}
