//! What the engine says when files are damaged, in words for people.

use crate::pipeline::ports::StoreError;
use std::any::Any;
use std::io::{self, ErrorKind};
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
            Self::Refused(error) => match unwritable(error) {
                Some(source) => StoreError::Unwritable {
                    path: folder.display().to_string(),
                    source,
                },
                None => refused(folder, &self.reason()),
            },
            Self::Panicked(_) => refused(folder, &self.reason()),
        }
    }

    /// The error for a store that fails while in use.
    pub(super) fn in_use(&self, folder: &Path) -> StoreError {
        StoreError::Engine(format!("`{}`: {}", folder.display(), self.reason()).into())
    }

    fn reason(&self) -> String {
        match self {
            Self::Panicked(text) => format!("its files are damaged ({text})"),
            Self::Refused(error) => reason(error),
        }
    }
}

/// What the system said, if it was the system that refused.
fn disk(error: &fjall::Error) -> Option<&io::Error> {
    match error {
        fjall::Error::Io(source) | fjall::Error::Storage(fjall::LsmError::Io(source)) => Some(source),
        _ => None,
    }
}

/// What the system said, if it is about space or rights and not about damage.
fn unwritable(error: &fjall::Error) -> Option<io::Error> {
    let source = disk(error)?;
    let is_so = matches!(
        source.kind(),
        ErrorKind::StorageFull
            | ErrorKind::QuotaExceeded
            | ErrorKind::FileTooLarge
            | ErrorKind::ReadOnlyFilesystem
            | ErrorKind::PermissionDenied
    );
    // Errors of the system cannot be copied, but the number tells all.
    is_so.then(|| {
        source
            .raw_os_error()
            .map_or_else(|| source.kind().into(), io::Error::from_raw_os_error)
    })
}

fn reason(error: &fjall::Error) -> String {
    use fjall::Error;
    if let Some(source) = disk(error) {
        return format!("the disk answered: {source}");
    }
    match error {
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
