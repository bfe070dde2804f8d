//! Reads the engine's own journal files before the engine may: it cuts them off at the first byte that it does not
//! understand, and with that everything behind, without a word.
//!
//! What is checked is what its checksums leave open. A sum covers the rows of a batch, but not the batch's sequence
//! number, by which it is decided later which of two versions of a row is the newer one. So each of our batches holds a
//! row [`COMMIT`] with a running number and the smallest sequence number that the batch can have: numbers must follow
//! each other without a gap, and each batch's sequence number must lie between its own bound and the next one's.
//!
//! Left open: if the engine wrote table `meta` out by itself right behind the last commit, nothing here tells how much of
//! the journal other tables still need, and a journal cut just then could go unnoticed.
//!
//! Form (fjall 3): a batch is a start (tag 1, count u32, sequence number u64), its rows (tag 2, kind u8, compression
//! u8, table u64, key length u16, value length u32, stored length u32, key, value; or tag 4, table u64) and an end
//! (tag 3, checksum u64, four fixed bytes); numbers little end first. Behind the last batch there may be zeros.

use super::identity::{COMMIT, CommitRow};
use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read};
use std::path::{Path, PathBuf};

const ENDS_A_BATCH: [u8; 4] = *b"FJL\x03";
const COPY_BYTES: usize = 8 * 1024;

/// Where the journal files end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct JournalEnd {
    /// Last batch of ours in them, if there is one.
    pub(super) last: Option<CommitRow>,
    /// Where the newest file stops being readable, if it does: a batch that was never reported, or damage.
    pub(super) broken_at: Option<u64>,
}

/// Reads all journal files of the engine's folder.
///
/// # Errors
/// In plain words, when batches are missing between others, or have another order than they were written in.
pub(super) fn read(folder: &Path) -> Result<JournalEnd, String> {
    let files = files_in(folder).map_err(|error| error.to_string())?;
    let Some((newest, older)) = files.split_last() else {
        return Err("its journal files (`*.jnl`) are missing".to_owned());
    };
    let mut order = Order::default();
    for path in older {
        if let Some(at) = read_file(path, &mut order)? {
            return Err(format!("{} is damaged at byte {at}", name(path)));
        }
    }
    let broken_at = read_file(newest, &mut order)?;
    Ok(JournalEnd {
        last: order.last,
        broken_at,
    })
}

fn files_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let number = path
            .file_name()
            .and_then(|name| name.to_str()?.strip_suffix(".jnl")?.parse::<u64>().ok());
        files.extend(number.map(|number| (number, path)));
    }
    files.sort();
    Ok(files.into_iter().map(|(_, path)| path).collect())
}

fn name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str());
    format!("its journal file `{}`", name.display())
}

/// Reads one file to its end, or to where it breaks off.
fn read_file(path: &Path, order: &mut Order) -> Result<Option<u64>, String> {
    let said = |error: io::Error| format!("{} cannot be read: {error}", name(path));
    let mut reader = Batches {
        from: BufReader::with_capacity(256 * 1024, File::open(path).map_err(said)?),
        at: 0,
    };
    loop {
        let start = reader.at;
        match reader.next() {
            Ok(Some(batch)) => order
                .take(&batch)
                .map_err(|reason| format!("{} at byte {start}: {reason}", name(path)))?,
            Ok(None) => return Ok(None),
            Err(error) if matches!(error.kind(), ErrorKind::UnexpectedEof | ErrorKind::InvalidData) => {
                return Ok(Some(start));
            }
            Err(error) => return Err(said(error)),
        }
    }
}

/// What was read so far, and whether the next batch may follow it.
#[derive(Default)]
struct Order {
    seqno: Option<u64>,
    last: Option<CommitRow>,
}

impl Order {
    fn take(&mut self, batch: &FoundBatch) -> Result<(), String> {
        if self.seqno.is_some_and(|before| batch.seqno <= before) {
            return Err("a batch is numbered below the one before it".to_owned());
        }
        if let Some(row) = batch.commit {
            if batch.seqno < row.seqno_from || self.seqno.is_some_and(|before| before >= row.seqno_from) {
                return Err("a batch has a number that it cannot have".to_owned());
            }
            if let Some(before) = self.last
                && before.commits + 1 != row.commits
            {
                return Err(format!(
                    "commit {} is followed by commit {}",
                    before.commits, row.commits
                ));
            }
            self.last = Some(row);
        }
        self.seqno = Some(batch.seqno);
        Ok(())
    }
}

/// One whole batch.
#[derive(Debug)]
struct FoundBatch {
    seqno: u64,
    commit: Option<CommitRow>,
}

/// The batches of one file.
struct Batches<R> {
    from: R,
    at: u64,
}

impl<R: Read> Batches<R> {
    /// The next batch; `None` at a clean end.
    fn next(&mut self) -> io::Result<Option<FoundBatch>> {
        match self.first_tag()? {
            Some(1) => {}
            Some(0) => return self.only_zeros().map(|()| None),
            Some(_) => return Err(not_understood()),
            None => return Ok(None),
        }
        let count = u32::from_le_bytes(self.bytes()?);
        let mut batch = FoundBatch {
            seqno: u64::from_le_bytes(self.bytes()?),
            commit: None,
        };
        for _ in 0..count {
            match self.bytes()? {
                [2] => batch.commit = self.row()?.or(batch.commit),
                [4] => drop(self.bytes::<8>()?),
                _ => return Err(not_understood()),
            }
        }
        let [tag] = self.bytes()?;
        self.bytes::<8>()?;
        if tag != 3 || self.bytes()? != ENDS_A_BATCH {
            return Err(not_understood());
        }
        Ok(Some(batch))
    }

    fn first_tag(&mut self) -> io::Result<Option<u8>> {
        match self.bytes() {
            Ok([tag]) => Ok(Some(tag)),
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// A row, of which only ours about the commit is kept.
    fn row(&mut self) -> io::Result<Option<CommitRow>> {
        let [kind, compression] = self.bytes()?;
        // Kinds: value, deletion, weak deletion. Nothing of ours is compressed.
        if kind > 2 || compression != 0 {
            return Err(not_understood());
        }
        self.bytes::<8>()?;
        let key_length = u16::from_le_bytes(self.bytes()?);
        self.bytes::<4>()?;
        let value_length = u32::from_le_bytes(self.bytes()?);
        if usize::from(key_length) != COMMIT.len() {
            self.skip(u64::from(key_length) + u64::from(value_length))?;
            return Ok(None);
        }
        let key: [u8; COMMIT.len()] = self.bytes()?;
        if key != *COMMIT || value_length as usize != CommitRow::BYTES {
            self.skip(value_length.into())?;
            return Ok(None);
        }
        Ok(CommitRow::read(&self.bytes::<{ CommitRow::BYTES }>()?))
    }

    fn bytes<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.from.read_exact(&mut bytes)?;
        self.at += N as u64;
        Ok(bytes)
    }

    fn skip(&mut self, length: u64) -> io::Result<()> {
        let skipped = io::copy(&mut self.from.by_ref().take(length), &mut io::sink())?;
        self.at += skipped;
        if skipped < length {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        Ok(())
    }

    fn only_zeros(&mut self) -> io::Result<()> {
        let mut page = vec![0; COPY_BYTES];
        loop {
            let length = self.from.read(&mut page)?;
            match page.get(..length) {
                Some([]) | None => return Ok(()),
                Some(read) if read.iter().any(|byte| *byte != 0) => return Err(not_understood()),
                Some(_) => {}
            }
        }
    }
}

fn not_understood() -> io::Error {
    ErrorKind::InvalidData.into()
}

#[cfg(test)]
mod tests;
