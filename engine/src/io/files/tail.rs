//! The up to 4 KiB before a place in a file, which tell whether it is still the same file.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};

/// Bytes before a place that are compared.
pub(super) const TAIL_BYTES: usize = 4096;

/// Reads the up to 4 KiB before `end`; moves the file's own place. Fewer bytes than that if the file is shorter.
pub(super) fn read_before(file: &mut File, end: u64) -> io::Result<Vec<u8>> {
    let length = end.min(TAIL_BYTES as u64);
    file.seek(SeekFrom::Start(end - length))?;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    Ok(bytes)
}
