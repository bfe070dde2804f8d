//! The ports: what the pipeline asks of the world, batch-wise from the start.
//!
//! `io/*` implements these traits; nothing in here touches a disk, a socket or a clock. One round trip serves a
//! batch, not an event. The contract is written out in `ARCHITECTURE.md`, clauses S1 to S14.

use std::fmt;

use thiserror::Error;

use crate::terms::Id;
pub use crate::terms::Seq;

/// The tables of a store (clause S13). Every value starts with a version byte; every key holds its tenant, but for
/// tables whose key is a `Seq` or a digest over the tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Keyspace {
    /// `seq` -> journal record: the bytes that came in, `now`, the crowd observation.
    Journal,
    /// `seq` -> compact decision with its slots.
    Decided,
    /// decision id -> `seq`: the table of events already seen.
    Decision,
    /// tenant, user, `seq` -> nothing: the logins of one user in order.
    ByUser,
    /// tenant, user -> history.
    User,
    /// tenant, user -> the last failures; never part of the history.
    Failures,
    /// tenant, attempt -> a try to get in that has not ended.
    Attempt,
    /// due time, kind, key -> nothing: what is to happen at a time.
    Timer,
    /// tenant, user -> what was mailed and what was held back.
    Mailbox,
    /// `seq`, index -> alert.
    Alert,
    /// dead letter id -> `seq`, and `seq` -> dead letter.
    Dead,
    /// `seq` of an image, number -> chunk of the counters across users.
    Crowd,
    /// sink name -> cursor.
    Sink,
    /// input name -> how far it was read.
    Input,
    /// versions by hash: configuration, rule set, lists, geo files.
    Archive,
    /// store id, kind, formats, head.
    Meta,
    /// keyed hash of the id of an erased decision or dead letter -> its `seq`; and `seq`, hash -> nothing.
    Erased,
    /// `seq` of an erasure, table, key -> row of the state behind it, from which the journal folds again.
    Image,
}

impl Keyspace {
    /// All of them, in the order of the enum.
    pub const ALL: [Self; 18] = [
        Self::Journal,
        Self::Decided,
        Self::Decision,
        Self::ByUser,
        Self::User,
        Self::Failures,
        Self::Attempt,
        Self::Timer,
        Self::Mailbox,
        Self::Alert,
        Self::Dead,
        Self::Crowd,
        Self::Sink,
        Self::Input,
        Self::Archive,
        Self::Meta,
        Self::Erased,
        Self::Image,
    ];

    /// Name on disk and in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Journal => "journal",
            Self::Decided => "decided",
            Self::Decision => "decision",
            Self::ByUser => "by-user",
            Self::User => "user",
            Self::Failures => "failures",
            Self::Attempt => "attempt",
            Self::Timer => "timer",
            Self::Mailbox => "mailbox",
            Self::Alert => "alert",
            Self::Dead => "dead",
            Self::Crowd => "crowd",
            Self::Sink => "sink",
            Self::Input => "input",
            Self::Archive => "archive",
            Self::Meta => "meta",
            Self::Erased => "erased",
            Self::Image => "image",
        }
    }
}

impl fmt::Display for Keyspace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One row of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Key, without the table.
    pub key: Vec<u8>,
    /// Value, first byte its version.
    pub value: Vec<u8>,
}

/// A change of one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Table.
    pub keyspace: Keyspace,
    /// Key, without the table.
    pub key: Vec<u8>,
    /// New value, or `None` to delete the row.
    pub value: Option<Vec<u8>>,
}

/// What one commit writes, all or nothing (clause S4). At most one change a row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch {
    /// Head that the writer believes the store to have; another one is [`StoreError::Fenced`].
    pub expected_head: Seq,
    /// Head after the commit; equal to `expected_head` when a batch moves only cursors.
    pub new_head: Seq,
    /// The rows.
    pub changes: Vec<Change>,
}

impl Batch {
    /// Adds or replaces a row.
    pub fn put(&mut self, keyspace: Keyspace, key: Vec<u8>, value: Vec<u8>) {
        self.changes.push(Change {
            keyspace,
            key,
            value: Some(value),
        });
    }

    /// Deletes a row.
    pub fn delete(&mut self, keyspace: Keyspace, key: Vec<u8>) {
        self.changes.push(Change {
            keyspace,
            key,
            value: None,
        });
    }
}

/// Why a store did not do what it was asked. After any of these the process ends; nothing is tried again (S4).
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Somebody else wrote: this writer must stop.
    #[error("the store's head is {found}, not {expected} as expected: another process wrote to it")]
    Fenced {
        /// Head the writer expected.
        expected: Seq,
        /// Head the store has.
        found: Seq,
    },
    /// The folder is used by another process.
    #[error("the store `{path}` is in use by another process")]
    Locked {
        /// Folder of the store.
        path: String,
    },
    /// The folder holds something this program must not open.
    #[error("the store `{path}` cannot be opened: {reason}")]
    Refused {
        /// Folder of the store.
        path: String,
        /// Why, in plain words.
        reason: String,
    },
    /// The disk of the data folder is about to be full.
    #[error(
        "there is too little space for `{path}`: {} MiB are free, `store.free_min` wants {} MiB",
        free >> 20,
        wanted >> 20
    )]
    RoomShort {
        /// Folder of the store.
        path: String,
        /// Bytes that are free.
        free: u64,
        /// Bytes that should be.
        wanted: u64,
    },
    /// The folder cannot be written: no space, no right, a read-only disk.
    #[error("the store `{path}` cannot be written: {source}")]
    Unwritable {
        /// Folder of the store.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A row does not decode: its format is newer, or it is damaged.
    #[error("a row of table `{keyspace}` cannot be read: {reason}")]
    BadRow {
        /// Table.
        keyspace: Keyspace,
        /// Why, in plain words.
        reason: String,
    },
    /// The disk or the storage engine failed.
    #[error("the store failed: {0}")]
    Engine(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// A place for rows. Single writer; reads may come from any thread.
pub trait Store: Send + Sync {
    /// Last committed `seq`, 0 for an empty store.
    ///
    /// # Errors
    /// When the storage engine fails.
    fn head(&self) -> Result<Seq, StoreError>;

    /// The values of `keys` in their order, `None` where there is no row.
    ///
    /// # Errors
    /// When the storage engine fails.
    fn load_many(&self, keyspace: Keyspace, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError>;

    /// Writes a batch and returns its new head once it is on disk.
    ///
    /// # Errors
    /// [`StoreError::Fenced`] when the head moved; nothing is written then.
    fn commit(&self, batch: Batch) -> Result<Seq, StoreError>;

    /// Rows with `from <= key`, that start with `prefix`, in ascending byte order of their keys, at most `limit`.
    ///
    /// # Errors
    /// When the storage engine fails.
    fn scan(
        &self,
        keyspace: Keyspace,
        prefix: &[u8],
        from: &[u8],
        limit: usize,
    ) -> Result<Vec<Row>, StoreError>;

    /// Writes rows anew without what was overwritten or deleted, so that no byte of it is left. Others may go on reading
    /// and writing.
    ///
    /// # Errors
    /// When the storage engine fails.
    fn purge(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// Whether there is room for more. Asked after each commit: an answer costs nothing, as a store may look less often.
    ///
    /// # Errors
    /// [`StoreError::RoomShort`] when it is time to stop reading, while what was begun can still be stored.
    fn has_room(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// The last `limit` rows that start with `prefix`, in descending byte order of their keys.
    ///
    /// # Errors
    /// When the storage engine fails.
    fn scan_back(&self, keyspace: Keyspace, prefix: &[u8], limit: usize) -> Result<Vec<Row>, StoreError>;
}

/// What a sink gets: one line of a file, one message, or one mail to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Journal position that made it; ascending, several records may share one.
    pub seq: Seq,
    /// What to publish. Files: one line without its newline. Mail: an encoded alert.
    pub bytes: Vec<u8>,
}

/// Why a sink could not publish.
#[derive(Debug, Error)]
#[error("`{sink}` cannot be written: {source}")]
pub struct SinkError {
    /// Name of the sink, a path for files.
    pub sink: String,
    /// What the system said.
    #[source]
    pub source: std::io::Error,
}

/// A way out. Gets records only after their commit (S4), in ascending `seq`.
///
/// A sink with a cursor is exactly once (S9): [`Sink::acknowledge`] makes durable what was published and returns the
/// cursor row, which the pipeline puts into its next commit. After a crash the sink takes back what came behind its
/// cursor, and the pipeline publishes again from [`Sink::published_up_to`].
pub trait Sink: Send {
    /// Name for messages and metrics.
    fn name(&self) -> &str;

    /// `seq` of the last record known to be out, when the sink was opened. `None`: everything from now on.
    fn published_up_to(&self) -> Option<Seq>;

    /// Publishes in order.
    ///
    /// # Errors
    /// When the world refuses; the process then ends, and the next start goes on from the cursor.
    fn publish(&mut self, records: &[Record]) -> Result<(), SinkError>;

    /// Makes durable what was published so far. `up_to`: everything up to this `seq` has been offered to the sink.
    ///
    /// # Errors
    /// As [`Sink::publish`].
    fn acknowledge(&mut self, up_to: Seq) -> Result<Option<Change>, SinkError>;

    /// The cursor row of a sink that makes durable by itself what it is given, if the row moved. Asked after each batch, so it
    /// must cost nothing. `up_to` as in [`Sink::acknowledge`].
    fn moved(&mut self, _up_to: Seq) -> Option<Change> {
        None
    }

    /// The run ends: waits until what was published is out, if that happens elsewhere. A sink that gives up here keeps
    /// its cursor where it is, and the next start publishes the rest.
    ///
    /// # Errors
    /// As [`Sink::publish`].
    fn settle(&mut self) -> Result<(), SinkError> {
        Ok(())
    }

    /// Prepares that nothing of an erased user is left in what was published. What was published must be acknowledged.
    /// The cursor that comes back goes into the commit that erases; then [`Sink::forgot`] follows. A crash in between
    /// is made good when the sink is opened again.
    ///
    /// # Errors
    /// As [`Sink::publish`].
    fn forget(&mut self, _user: &Forgotten<'_>) -> Result<Forgot, SinkError> {
        Ok(Forgot::default())
    }

    /// Takes back what was published of alerts that are too old to be kept, before their rows go; what was picked up is
    /// not Doorward's any more.
    ///
    /// # Errors
    /// As [`Sink::publish`].
    fn expire(&mut self, _alerts: &[Id]) -> Result<(), SinkError> {
        Ok(())
    }

    /// The commit that erases is on disk.
    ///
    /// # Errors
    /// As [`Sink::publish`].
    fn forgot(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}

/// What of a sink is about an erased user.
pub struct Forgotten<'a> {
    /// Whether a line is.
    pub line: &'a dyn Fn(&[u8]) -> bool,
    /// Whether the alert of this id is.
    pub alert: &'a dyn Fn(&str) -> bool,
}

/// What a sink forgets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Forgot {
    /// Lines or mails.
    pub removed: u64,
    /// The cursor after it, if it is another one.
    pub cursor: Option<Change>,
}

/// One line as a door reads it, before anybody looks into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawLine {
    /// Bytes without the newline, cut at `limits.event_bytes` + 1 so that an endless line costs no memory.
    pub bytes: Vec<u8>,
    /// Number of the line, 1 for the first.
    pub line: u64,
    /// Bytes of the input before this line.
    pub offset: u64,
    /// Bytes of the input up to the end of this line, its newline included: where to read on.
    pub end: u64,
}

/// Who an input is (S9), so that dead letters have stable ids and a restart reads on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputIdentity {
    /// Name for people: the path, or `-` for standard input.
    pub name: String,
    /// SHA-256 of the first line, at most 4 KiB of it.
    pub first_line: [u8; 32],
}

/// A way in that gives lines in order. Its position is stored in the commit that holds what was read (S9).
pub trait LineSource: Send {
    /// Who it is. Known once it is open.
    fn identity(&self) -> &InputIdentity;

    /// Up to `max` further lines; empty at the end. Blank lines are among them.
    ///
    /// # Errors
    /// When reading fails.
    fn next_lines(&mut self, max: usize) -> Result<Vec<RawLine>, std::io::Error>;

    /// Row to store when everything up to `end` was committed, or `None` for inputs always read from their start.
    fn position(&mut self, end: u64, line: u64) -> Option<Change>;
}
