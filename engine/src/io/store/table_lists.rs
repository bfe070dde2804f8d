//! Checks the engine's lists of table files before the engine may open them: it writes a checksum of each list and never
//! reads it, and it deletes every file that a list does not name.
//!
//! Form (fjall 3): `keyspaces/<number>/current` holds the list's number u64, its XXH3 u128, a kind of checksum u8, little
//! end first; the list is the file `v<number>` beside it. Number 0 names the other tables.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;
use xxhash_rust::xxh3::xxh3_128;

/// Checks the lists of all tables in the engine's folder.
///
/// # Errors
/// In plain words, with the file, when one is damaged or missing.
pub(super) fn check(folder: &Path) -> Result<(), String> {
    let keyspaces = folder.join("keyspaces");
    let mut names_missing = !keyspaces.join("0").join("current").is_file();
    let entries = match fs::read_dir(&keyspaces) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        entries => entries.map_err(|error| said(&keyspaces, &error))?,
    };
    let mut tables = 0;
    for entry in entries {
        let path = entry.map_err(|error| said(&keyspaces, &error))?.path();
        if path.is_dir() {
            check_one(&path)?;
            tables += 1;
        }
    }
    // A store that was made and stopped in that moment has neither.
    names_missing &= tables > 1;
    if names_missing {
        return Err(format!(
            "`{}` is missing, the names of its tables",
            keyspaces.join("0/current").display()
        ));
    }
    Ok(())
}

fn check_one(table: &Path) -> Result<(), String> {
    let current = table.join("current");
    let pointer = match fs::read(&current) {
        Err(error) if error.kind() == ErrorKind::NotFound => return check_unused(table),
        read => read.map_err(|error| said(&current, &error))?,
    };
    let Some((number, sum)) = parse(&pointer) else {
        return Err(format!("`{}` is damaged", current.display()));
    };
    let list = table.join(format!("v{number}"));
    let bytes = fs::read(&list).map_err(|error| said(&list, &error))?;
    if xxh3_128(&bytes) != sum {
        return Err(format!("`{}` is damaged", list.display()));
    }
    Ok(())
}

/// A table without a pointer was never used; the engine deletes it.
fn check_unused(table: &Path) -> Result<(), String> {
    let has_files = fs::read_dir(table.join("tables")).is_ok_and(|mut files| files.next().is_some());
    if has_files {
        return Err(format!("`{}` is missing", table.join("current").display()));
    }
    Ok(())
}

fn parse(pointer: &[u8]) -> Option<(u64, u128)> {
    let (number, rest) = pointer.split_first_chunk()?;
    let (sum, rest) = rest.split_first_chunk()?;
    (rest == [0]).then_some((u64::from_le_bytes(*number), u128::from_le_bytes(*sum)))
}

fn said(path: &Path, error: &io::Error) -> String {
    format!("`{}` cannot be read: {error}", path.display())
}
