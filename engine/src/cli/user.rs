//! `doorward user export|erase`: everything that a store holds about one user, shown or erased.

pub mod erase;
pub mod export;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::{Args, Subcommand};

use super::admin::{self, here_or_there};
use super::assemble::{score_policy, user_key_policy};
use super::exit::{CliError, Exit};
use super::output::{print, write_file};
use super::run::{check_tenant, store_options};
use crate::config::Settings;
use crate::event::UserKeyPolicy;
use crate::io::admin::Request;
use crate::io::store::FjallStore;
use crate::pipeline::ports::{Store, StoreError};
use crate::pipeline::user_traces::WantedUser;
use crate::risk::score::ScorePolicy;

const EXAMPLE: &str = "Example:
  doorward user export anna --data ./doorward-data";

const EXPORT_EXAMPLE: &str = "Example:
  doorward user export anna --data ./doorward-data
  doorward user export anna --tenant default --out anna.json

One document of JSON. Exit code 1 if nothing is known of the user. A running process answers for its own folder.";

const ERASE_EXAMPLE: &str = "Example:
  doorward user erase anna --data ./doorward-data

Journal, decisions, alerts, mails, refused lines, history and what waits; lines in the files that this store wrote. The
store is written anew, so that no byte is left in its files. Events that were erased are not decided again when they are
delivered once more; later ones begin a new history. Exit code 1 if nothing is known of the user.";

/// Arguments of `doorward user`.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLE)]
pub struct UserArgs {
    /// What to do.
    #[command(subcommand)]
    pub action: UserAction,
}

/// What to do with what is stored of a user.
#[derive(Debug, Clone, Subcommand)]
pub enum UserAction {
    /// Print everything that the store holds about one user
    #[command(after_help = EXPORT_EXAMPLE)]
    Export(ExportArgs),
    /// Erase everything that the store and its files hold about one user
    #[command(after_help = ERASE_EXAMPLE)]
    Erase(Named),
}

/// Who is meant, and where the store is.
#[derive(Debug, Clone, Args)]
pub struct Named {
    /// Id of the user, as applications send it
    #[arg(value_name = "ID")]
    pub id: String,
    /// Tenant of the user
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub tenant: String,
    /// Folder of the store
    #[arg(long, value_name = "DIR", default_value = "./doorward-data")]
    pub data: PathBuf,
}

/// Arguments of `doorward user export`.
#[derive(Debug, Clone, Args)]
pub struct ExportArgs {
    /// Who.
    #[command(flatten)]
    pub named: Named,
    /// File to write it to [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// What the process that has the store is asked.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
pub struct Asked {
    /// Id of the user, as applications send it.
    pub id: String,
    /// Tenant of the user.
    pub tenant: String,
}

/// Does it.
///
/// # Errors
/// See the table of exit codes.
pub fn run(args: &UserArgs, settings: &Settings) -> Result<Exit, CliError> {
    match &args.action {
        UserAction::Export(args) => export(args, settings),
        UserAction::Erase(named) => erase(named, settings),
    }
}

fn erase(named: &Named, settings: &Settings) -> Result<Exit, CliError> {
    check_tenant(settings, &named.tenant)?;
    here_or_there(
        &named.data,
        FjallStore::open_existing(&named.data, &store_options(settings)),
        || request("user erase", named),
        |store| {
            let store: Arc<dyn Store> = Arc::new(store);
            let keys = (settings, user_key_policy(settings));
            print(&erase::here(&store, &named.data, &named.asked(), keys)?).map(|()| Exit::Done)
        },
    )
}

fn export(args: &ExportArgs, settings: &Settings) -> Result<Exit, CliError> {
    let named = &args.named;
    check_tenant(settings, &named.tenant)?;
    let say = |text: &str| match &args.out {
        Some(path) => {
            write_file(path, text.as_bytes())?;
            print(&format!("written to {}\n", path.display()))
        }
        None => print(text),
    };
    match FjallStore::open_existing(&named.data, &store_options(settings)) {
        Ok(store) => {
            let exporting = Exporting {
                data: &named.data,
                user_key: user_key_policy(settings),
                policy: score_policy(settings),
            };
            say(&exporting.document(&store, &named.asked())?)?;
            Ok(Exit::Done)
        }
        Err(locked @ StoreError::Locked { .. }) => {
            let Some((text, exit)) = admin::answer(&named.data, &request("user export", named))? else {
                return Err(locked.into());
            };
            if exit == Exit::Done {
                say(&text)?;
            }
            Ok(exit)
        }
        Err(error) => Err(error.into()),
    }
}

impl Named {
    fn asked(&self) -> Asked {
        Asked {
            id: self.id.clone(),
            tenant: self.tenant.clone(),
        }
    }
}

fn request(command: &str, named: &Named) -> Request {
    Request {
        command: command.to_owned(),
        // Two texts are always JSON.
        args: serde_json::to_value(named.asked()).unwrap_or_default(),
    }
}

/// What an export needs besides the store.
#[derive(Debug, Clone, Copy)]
pub struct Exporting<'a> {
    /// Folder of the store, where the mails are.
    pub data: &'a Path,
    /// When two spellings are one user.
    pub user_key: UserKeyPolicy,
    /// Bounds of the score.
    pub policy: ScorePolicy,
}

impl Exporting<'_> {
    /// The document about a user.
    ///
    /// # Errors
    /// When nothing is known of the user, or the store fails.
    pub fn document(&self, store: &dyn Store, asked: &Asked) -> Result<String, CliError> {
        let user = WantedUser::new(&asked.tenant, &asked.id, self.user_key);
        export::document(store, self, user)?.ok_or_else(|| unknown(asked))
    }
}

/// Nothing is stored of the user.
#[must_use]
pub fn unknown(asked: &Asked) -> CliError {
    CliError::UnknownUser {
        id: asked.id.clone(),
        tenant: asked.tenant.clone(),
    }
}
