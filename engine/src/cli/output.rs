//! Writing to standard output: a reader that is gone ends the command quietly, anything else is an error.

use std::io::{self, Write};
use std::path::Path;

use super::exit::CliError;

/// Writes a text to standard output, at once.
///
/// # Errors
/// [`CliError::ReaderGone`] when nobody reads any more, else [`CliError::Output`].
pub fn print(text: &str) -> Result<(), CliError> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|source| CliError::output("-", source))
}

/// Writes a file, in the place of what is there.
///
/// # Errors
/// When it cannot be written.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    std::fs::write(path, bytes).map_err(|source| CliError::output(&path.display().to_string(), source))
}
