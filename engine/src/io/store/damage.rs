//! What the engine says when files are damaged, in words for people.

use crate::pipeline::ports::StoreError;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// A failure of the engine, or a panic inside it: on damaged files it asserts in places where it should refuse.
#[derive(Debug)]
pub(super) enum Failure {
    Refused(fjall::Error),
    Panicked(String),
}

/// Runs a call into the engine.
pub(super) fn guarded<T>(call: impl FnOnce() -> fjall::Result<T>) -> Result<T, Failure> {
    // Nothing of ours is half-way changed when this unwinds, and the caller gives up on the store.
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(answer) => answer.map_err(Failure::Refused),
        Err(panic) => Err(Failure::Panicked(message(&*panic))),
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no reason given")
        .to_owned()
}

impl Failure {
    /// The error for a store that did not open. `folder` is where the engine keeps its files.
    pub(super) fn on_open(&self, folder: &Path) -> StoreError {
        match self {
            Self::Refused(fjall::Error::Locked) => StoreError::Locked {
                path: folder.display().to_string(),
            },
            other => refused(folder, &other.reason()),
        }
    }

    /// The error for a store that fails while in use.
    pub(super) fn in_use(self) -> StoreError {
        match self {
            Self::Refused(error) if is_disk(&error) => StoreError::Engine(Box::new(error)),
            other => StoreError::Engine(other.reason().into()),
        }
    }

    fn reason(&self) -> String {
        match self {
            Self::Panicked(text) => format!("its files are damaged ({text})"),
            Self::Refused(error) => reason(error),
        }
    }
}

fn is_disk(error: &fjall::Error) -> bool {
    matches!(error, fjall::Error::Io(_))
}

fn reason(error: &fjall::Error) -> String {
    use fjall::Error;
    match error {
        Error::Io(source) => format!("the disk answered: {source}"),
        Error::InvalidVersion(Some(version)) => {
            format!("its files have format {}, this program reads 3", *version as u8)
        }
        Error::InvalidVersion(None) => "its file `version` is damaged".to_owned(),
        Error::Poisoned => "an earlier write failed, and nothing is written after that".to_owned(),
        Error::JournalRecovery(_) | Error::InvalidTag(_) | Error::InvalidTrailer => {
            format!("its journal files (`*.jnl`) are damaged: {error}")
        }
        Error::Storage(source) => format!("files of its tables are damaged: {source}"),
        other => format!("its files are damaged: {other}"),
    }
}

/// A store that must not be opened, and why.
pub(super) fn refused(folder: &Path, reason: &str) -> StoreError {
    StoreError::Refused {
        path: folder.display().to_string(),
        reason: reason.to_owned(),
    }
}
