//! Commands that read a store ask the running process when it has the store (`<data>/admin.sock`). They only read.

use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};

use super::exit::{CliError, Exit};
use super::explain::{self, ExplainArgs};
use super::output::print;
use super::store::check;
use super::user::{Asked, Exporting, erase};
use super::watch::Watch;
use crate::config::LogLevel;
use crate::event::UserKeyPolicy;
use crate::io::admin::{AdminSocket, Answer, Request, ask};
use crate::pipeline::engine::Engine;
use crate::pipeline::ports::{Store, StoreError};
use crate::pipeline::run::Wish;
use crate::pipeline::state_hash::state_hash;
use crate::telemetry::log::say;
use crate::telemetry::metrics::Metrics;

/// How often a table is read anew when a commit came in between.
const TRIES: usize = 5;

/// What the running process shows.
pub struct Shown {
    /// Its store.
    pub store: Arc<dyn Store>,
    /// What decides.
    pub engine: Arc<Engine>,
    /// Its figures.
    pub metrics: Metrics,
    /// What it counted since it started.
    pub watch: Arc<Watch>,
    /// Its folder.
    pub data: PathBuf,
    /// When two spellings of a user's id are one user.
    pub user_key: UserKeyPolicy,
    /// Where it is asked to do something.
    pub wishes: Mutex<Sender<Wish>>,
}

/// Listens in the data folder. A run goes on without, as on a file system that has no sockets.
#[must_use]
pub fn listen(data: &Path, shown: Shown) -> Option<AdminSocket> {
    match AdminSocket::start(data, Arc::new(move |request: &Request| shown.answer(request))) {
        Ok(socket) => Some(socket),
        Err(error) => {
            let data = data.display();
            tracing::warn!("other commands cannot ask this process: no socket in `{data}`: {error}");
            None
        }
    }
}

/// Opens a store to do `here`, or has the process that uses it answer `request`.
///
/// # Errors
/// See the table of exit codes.
pub fn here_or_there<S>(
    data: &Path,
    opened: Result<S, StoreError>,
    request: impl FnOnce() -> Request,
    here: impl FnOnce(S) -> Result<Exit, CliError>,
) -> Result<Exit, CliError> {
    match opened {
        Ok(store) => here(store),
        Err(locked @ StoreError::Locked { .. }) => match asked(data, &request())? {
            Some(exit) => Ok(exit),
            None => Err(locked.into()),
        },
        Err(error) => Err(error.into()),
    }
}

/// Asks the running process and prints what it says; `None` if none listens.
///
/// # Errors
/// When the conversation breaks off, or the answer cannot be printed.
pub fn asked(data: &Path, request: &Request) -> Result<Option<Exit>, CliError> {
    let Some((text, exit)) = answer(data, request)? else {
        return Ok(None);
    };
    print(&text)?;
    Ok(Some(exit))
}

/// Asks the running process, and passes on what went wrong there; `None` if none listens.
///
/// # Errors
/// When the conversation breaks off.
pub fn answer(data: &Path, request: &Request) -> Result<Option<(String, Exit)>, CliError> {
    let answer = ask(data, request).map_err(|source| CliError::Input {
        name: data.join(crate::io::admin::NAME).display().to_string(),
        source,
    })?;
    let Some(answer) = answer else { return Ok(None) };
    // Nobody may read it; the exit code says the same.
    if !answer.error.is_empty() {
        say(LogLevel::Error, &answer.error);
    }
    let exit = Exit::ALL.iter().find(|exit| exit.code() == answer.exit);
    Ok(Some((answer.text, exit.copied().unwrap_or(Exit::Internal))))
}

/// A request without arguments.
#[must_use]
pub fn plain(command: &str) -> Request {
    Request {
        command: command.to_owned(),
        args: serde_json::Value::Null,
    }
}

impl Shown {
    fn answer(&self, request: &Request) -> Answer {
        let said = match request.command.as_str() {
            "status" => self.status(),
            "explain" => self.explain(request),
            "store hash" => self.hash(),
            "store check" => self.check(),
            "user export" => self.export(request),
            "user erase" => self.erase(request),
            _ => Err(CliError::Usage(
                "the running process answers `status`, `explain`, `store hash`, `store check`, `user export` and \
                 `user erase`"
                    .to_owned(),
            )),
        };
        match said {
            Ok((text, exit)) => Answer {
                exit: exit.code(),
                text,
                error: String::new(),
            },
            Err(error) => Answer {
                exit: error.exit().code(),
                text: String::new(),
                error: error.message(),
            },
        }
    }

    fn status(&self) -> Result<(String, Exit), CliError> {
        let tally = self.watch.tally();
        let text = format!(
            "head      {}\nclock     {}\ndecided   {} since the start\nrefused   {}\nrepeated  {}\n",
            self.store.head()?,
            clock(self.metrics.clock_seconds.get()),
            tally.events,
            tally.refused_lines(),
            tally.repeated
        );
        Ok((text, Exit::Done))
    }

    fn explain(&self, request: &Request) -> Result<(String, Exit), CliError> {
        let args: ExplainArgs = arguments(request)?;
        let text = explain::explained(&args, &*self.store, &self.engine, false)?;
        Ok((text, Exit::Done))
    }

    fn export(&self, request: &Request) -> Result<(String, Exit), CliError> {
        let asked: Asked = arguments(request)?;
        let exporting = Exporting {
            data: &self.data,
            user_key: self.user_key,
            policy: *self.engine.risk.score_policy(),
        };
        self.unmoved(|store| Ok((exporting.document(store, &asked)?, Exit::Done)))
    }

    /// One at a time: each opens the files that earlier runs wrote.
    fn erase(&self, request: &Request) -> Result<(String, Exit), CliError> {
        let asked: Asked = arguments(request)?;
        let wishes = self.wishes.lock().unwrap_or_else(PoisonError::into_inner);
        let keys = (self.engine.hash, self.user_key);
        let text = erase::there(&*self.store, &asked, keys, &wishes)?;
        tracing::info!("a user was erased");
        Ok((text, Exit::Done))
    }

    fn hash(&self) -> Result<(String, Exit), CliError> {
        self.unmoved(|store| Ok((hash_line(store)?, Exit::Done)))
    }

    fn check(&self) -> Result<(String, Exit), CliError> {
        self.unmoved(check_page)
    }

    /// Tables are read one after the other; a commit in between would make them disagree.
    fn unmoved(
        &self,
        read: impl Fn(&dyn Store) -> Result<(String, Exit), CliError>,
    ) -> Result<(String, Exit), CliError> {
        for _ in 0..TRIES {
            let head = self.store.head()?;
            let said = read(&*self.store)?;
            if self.store.head()? == head {
                return Ok(said);
            }
        }
        Err(CliError::Usage(
            "the store changes faster than it can be read; ask when the process has less to do, or end it"
                .to_owned(),
        ))
    }
}

fn arguments<T: serde::de::DeserializeOwned>(request: &Request) -> Result<T, CliError> {
    serde_json::from_value(request.args.clone())
        .map_err(|error| CliError::Usage(format!("the request cannot be read: {error}")))
}

fn clock(seconds: i64) -> String {
    if seconds == 0 {
        return "none since the start".to_owned();
    }
    crate::event::Timestamp::from_micros(seconds.saturating_mul(1_000_000)).to_string()
}

/// The hash of a store, and where it is.
///
/// # Errors
/// When the store fails.
pub fn hash_line(store: &dyn Store) -> Result<String, StoreError> {
    let hash = state_hash(store)?;
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{hex} at seq {}\n", store.head()?))
}

/// What a check finds.
///
/// # Errors
/// When the store fails.
pub fn check_page(store: &dyn Store) -> Result<(String, Exit), CliError> {
    let report = check::check(store);
    let exit = if report.is_whole() {
        Exit::Done
    } else {
        Exit::StoreRefused
    };
    Ok((check::page(&report, store.head()?), exit))
}
