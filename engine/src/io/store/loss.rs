//! What a store can have lost, in words for people: each is refused until somebody accepts it.

use crate::pipeline::ports::{Keyspace, Seq, Store, StoreError};
use std::fmt;

/// Rows of the journal looked at in one go.
const PAGE: usize = 4_096;

/// Something that was there once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Loss {
    /// The store ends before what was once committed.
    End {
        /// Last `seq` of the store.
        head: Seq,
        /// Last `seq` that the head file tells of.
        told: Seq,
        /// Batches that are gone.
        commits: u64,
    },
    /// Rows are missing in the journal table.
    Journal {
        /// First `seq` that is missing.
        from: Seq,
        /// Last one that is missing, in one piece or with others between.
        to: Seq,
    },
    /// The head file tells nothing of this store, so nobody knows whether its end is there.
    Witness(&'static str),
}

impl fmt::Display for Loss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::End { head, told, commits } if head == told => write!(
                f,
                "it ends at seq {head} like the file `head` beside it says, but its last commits are missing: \
                 {commits}, which moved cursors only"
            ),
            Self::End { head, told, .. } => write!(
                f,
                "it ends at seq {head}, but the file `head` beside it says that it was at seq {told}: {} records \
                 and what came of them are missing",
                told.saturating_sub(*head)
            ),
            Self::Journal { from, to } => {
                write!(f, "its journal has rows missing between seq {from} and seq {to}")
            }
            Self::Witness(what) => write!(
                f,
                "the file `head` beside it {what}, so it cannot be told whether the end of the store is there"
            ),
        }
    }
}

/// What is missing between the first row of the journal and the store's head: the journal must be in one piece.
/// Reads the whole table.
///
/// # Errors
/// When the store fails.
pub fn journal_gap(store: &dyn Store) -> Result<Option<Loss>, StoreError> {
    let mut from = Vec::new();
    let mut next = None;
    let mut gap: Option<(Seq, Seq)> = None;
    let mut note = |first: Seq, last: Seq| {
        gap = Some((gap.map_or(first, |(first, _)| first), last));
    };
    loop {
        let page = store.scan(Keyspace::Journal, &[], &from, PAGE)?;
        let Some(last) = page.last() else { break };
        from.clone_from(&last.key);
        from.push(0);
        for row in &page {
            let Some(seq) = crate::pipeline::keys::read_seq(&row.key) else {
                continue;
            };
            if let Some(next) = next
                && next < seq
            {
                note(next, seq - 1);
            }
            next = Some(seq.saturating_add(1));
        }
    }
    let head = store.head()?;
    if let Some(next) = next.filter(|next| *next <= head) {
        note(next, head);
    }
    Ok(gap.map(|(from, to)| Loss::Journal { from, to }))
}
