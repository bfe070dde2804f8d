//! Images of the counters across users in the store (clause S7): a start reads the newest one and folds only the
//! journal records after it.
//!
//! The deciding thread copies its counters when a batch closes; the committer encodes the copy and writes it in steps,
//! so that no commit waits long. The row of table `meta` that names an image is written last, together with the end of
//! the older image: after a crash in between the older one is still whole, and what was begun is removed.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::history::crowd::{Crowd, CrowdLimits};
use crate::history::crowd_image;
use crate::pipeline::keys;
use crate::pipeline::ports::{Change, Keyspace, Row, Seq, Store, StoreError};
use crate::pipeline::retention::Calendar;
use crate::pipeline::row_bytes::{self, bad};
use crate::pipeline::state_image::StateImage;

const VERSION: u8 = 1;
/// Key in table `meta` of the row that names the whole image.
const NEWEST: &[u8] = b"crowd/image";
/// Chunks in one commit: about 3 MiB.
const CHUNKS_IN_STEP: usize = 64;
/// Rows read at once in search of chunks that no image names.
const LEFTOVERS_PAGE: usize = 16;

/// When an image is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImagePolicy {
    /// Records since the last image, at least.
    pub records: u64,
    /// Clock since the last image, microseconds, at least.
    pub clock: i64,
    /// Records since the last image that make one worth while at the end of a run.
    pub records_at_end: u64,
}

impl Default for ImagePolicy {
    /// A file of old events moves the clock by weeks in a second, so records are counted too. Measured: an image has
    /// about 7 MB for 100,000 addresses, and its copy holds the deciding thread for 50 to 100 ms; 200,000 records have
    /// more than ten times those bytes in journal and decisions.
    fn default() -> Self {
        Self {
            records: 200_000,
            clock: 60_000_000,
            records_at_end: 1_000,
        }
    }
}

/// What the journal up to `seq` folds to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// Last record that is in it; 0 for none.
    pub seq: Seq,
    /// Running maximum of `now`.
    pub clock: i64,
    /// `now` of the first record that had a time.
    pub first_now: Option<i64>,
    /// At which record each day began.
    pub calendar: Calendar,
    /// Counters across users.
    pub crowd: Crowd,
}

impl Snapshot {
    /// Before the first record.
    #[must_use]
    pub fn empty(limits: CrowdLimits) -> Self {
        Self {
            seq: 0,
            clock: i64::MIN,
            first_now: None,
            calendar: Calendar::default(),
            crowd: Crowd::new(limits),
        }
    }
}

/// The row that names an image, and says that it is whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Newest {
    seq: Seq,
    clock: i64,
    first_now: Option<i64>,
    calendar: Calendar,
    chunks: u32,
    sha256: [u8; 32],
}

fn chunk_keys(seq: Seq, chunks: u32) -> impl Iterator<Item = Vec<u8>> {
    (0..chunks).map(move |number| keys::crowd_chunk(seq, number))
}

fn digest<B: AsRef<[u8]>>(chunks: &[B]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for chunk in chunks {
        hash.update((chunk.as_ref().len() as u64).to_be_bytes());
        hash.update(chunk);
    }
    hash.finalize().into()
}

/// Chunks of an image, and the row of table `meta` that names it.
///
/// # Errors
/// Only if a row cannot be encoded at all.
pub fn rows(snapshot: &Snapshot) -> Result<(Vec<Vec<u8>>, Row), StoreError> {
    let chunks = crowd_image::encode(&snapshot.crowd);
    let named = Row {
        key: NEWEST.to_vec(),
        value: row_bytes::encode(Keyspace::Meta, VERSION, &Newest::of(snapshot, &chunks)?)?,
    };
    Ok((chunks, named))
}

impl Newest {
    fn of(snapshot: &Snapshot, chunks: &[Vec<u8>]) -> Result<Self, StoreError> {
        let count = u32::try_from(chunks.len());
        Ok(Self {
            seq: snapshot.seq,
            clock: snapshot.clock,
            first_now: snapshot.first_now,
            calendar: snapshot.calendar.clone(),
            chunks: count.map_err(|error| bad(Keyspace::Crowd, error.to_string()))?,
            sha256: digest(chunks),
        })
    }
}

fn newest(store: &dyn Store) -> Result<Option<Result<Newest, StoreError>>, StoreError> {
    let row = store.load_many(Keyspace::Meta, &[NEWEST.to_vec()])?.pop();
    Ok(row
        .flatten()
        .map(|row| row_bytes::decode(Keyspace::Meta, VERSION, &row)))
}

/// Where the fold of the journal starts: at the newest image, or at the journal's first record if there is no image
/// that can be used.
///
/// # Errors
/// When the store fails, or the image cannot be used and the journal does not reach back to its first record.
pub fn start(store: &dyn Store, limits: CrowdLimits) -> Result<Snapshot, StoreError> {
    let Some(row) = newest(store)? else {
        return Ok(Snapshot::empty(limits));
    };
    let reason = match row.map_err(|error| error.to_string()) {
        Ok(row) => match read(store, row, limits)? {
            Ok(snapshot) => return Ok(snapshot),
            Err(reason) => reason,
        },
        Err(reason) => reason,
    };
    // What was erased can no longer be folded.
    if starts_at_one(store)? && StateImage::read(store)?.is_none() {
        tracing::warn!(
            reason,
            "the image of the counters cannot be used; they are folded from the whole journal"
        );
        return Ok(Snapshot::empty(limits));
    }
    Err(bad(
        Keyspace::Crowd,
        format!("the image of the counters: {reason}; the journal does not reach back to its first record"),
    ))
}

fn starts_at_one(store: &dyn Store) -> Result<bool, StoreError> {
    let first = store.scan(Keyspace::Journal, &[], &[], 1)?;
    Ok(first.first().and_then(|row| keys::read_seq(&row.key)) == Some(1))
}

/// The image that `row` names, or in plain words why it cannot be used.
fn read(store: &dyn Store, row: Newest, limits: CrowdLimits) -> Result<Result<Snapshot, String>, StoreError> {
    let head = store.head()?;
    if row.seq > head {
        return Ok(Err(format!(
            "it is of record {}, and the store ends at {head}",
            row.seq
        )));
    }
    let keys: Vec<Vec<u8>> = chunk_keys(row.seq, row.chunks).collect();
    let chunks: Option<Vec<Vec<u8>>> = store.load_many(Keyspace::Crowd, &keys)?.into_iter().collect();
    let Some(chunks) = chunks else {
        return Ok(Err(format!("some of its {} chunks are missing", row.chunks)));
    };
    if digest(&chunks) != row.sha256 {
        return Ok(Err("its chunks are not those that were written".to_owned()));
    }
    let crowd = crowd_image::decode(limits, &chunks).map_err(|error| error.to_string());
    Ok(crowd.map(|crowd| Snapshot {
        seq: row.seq,
        clock: row.clock,
        first_now: row.first_now,
        calendar: row.calendar,
        crowd,
    }))
}

/// Tells the deciding thread when to copy its counters.
#[derive(Debug, Clone, Copy)]
pub struct ImageSchedule {
    policy: Option<ImagePolicy>,
    seq: Seq,
    clock: i64,
    ending: bool,
}

impl ImageSchedule {
    /// Never due. `start` is where the fold started.
    #[must_use]
    pub const fn never(start: &Snapshot) -> Self {
        Self {
            policy: None,
            seq: start.seq,
            clock: start.clock,
            ending: false,
        }
    }

    /// From now on due as `policy` says.
    pub const fn follow(&mut self, policy: ImagePolicy) {
        self.policy = Some(policy);
    }

    /// The run is at its clean end.
    pub const fn ending(&mut self) {
        self.ending = true;
    }

    /// Last record of the last image.
    #[must_use]
    pub const fn last(&self) -> Seq {
        self.seq
    }

    /// An image was taken for another reason.
    pub const fn took(&mut self, head: Seq, clock: i64) {
        (self.seq, self.clock) = (head, clock);
    }

    /// Whether an image is due; then the next one counts from here.
    pub fn due(&mut self, head: Seq, clock: i64) -> bool {
        let Some(policy) = self.policy else { return false };
        let records = head.saturating_sub(self.seq);
        let due = if self.ending {
            records > 0 && records >= policy.records_at_end
        } else {
            records >= policy.records && clock.saturating_sub(self.clock) >= policy.clock
        };
        if due {
            (self.seq, self.clock) = (head, clock);
        }
        due
    }
}

/// What the committer knows of images.
#[derive(Debug)]
pub struct Images {
    /// The whole one: `seq` and number of chunks.
    whole: Option<(Seq, u32)>,
    /// `seq` of the newest one that a start can use under the limits of now; 0 if there is none.
    usable: Seq,
    /// Rows of the one that is being written, in order.
    waiting: std::vec::IntoIter<Vec<u8>>,
    next_chunk: u32,
    begun: Option<Newest>,
}

impl Images {
    /// Looks into the store; gives also the removal of chunks that no image names: a crash left them.
    ///
    /// # Errors
    /// When the store fails.
    pub fn open(store: &dyn Store) -> Result<(Self, Vec<Change>), StoreError> {
        let whole = newest(store)?
            .and_then(Result::ok)
            .map(|row| (row.seq, row.chunks));
        let images = Self {
            whole,
            usable: 0,
            waiting: Vec::new().into_iter(),
            next_chunk: 0,
            begun: None,
        };
        let leftovers = images.leftovers(store)?;
        Ok((images, leftovers))
    }

    /// The start read the image of `seq`; 0 for none.
    pub const fn was_used(&mut self, seq: Seq) {
        self.usable = seq;
    }

    /// From which record on a start needs the journal is one after this.
    #[must_use]
    pub const fn usable(&self) -> Seq {
        self.usable
    }

    fn leftovers(&self, store: &dyn Store) -> Result<Vec<Change>, StoreError> {
        let mut found = Vec::new();
        let mut from = Vec::new();
        loop {
            let page = store.scan(Keyspace::Crowd, &[], &from, LEFTOVERS_PAGE)?;
            let Some(last) = page.last() else { return Ok(found) };
            from.clone_from(&last.key);
            from.push(0);
            for row in page {
                match self.whole {
                    // Its chunks need not be read: what follows them is looked at next.
                    Some((seq, _)) if keys::read_seq(&row.key) == Some(seq) => {
                        from = keys::seq(seq.saturating_add(1));
                        break;
                    }
                    _ => found.push(removal(row.key)),
                }
            }
        }
    }

    /// Encodes a copy of the counters, to be written by [`Images::next_step`]. The one before must be written.
    ///
    /// # Errors
    /// Never in practice: when there are more chunks than a number of 32 bits counts.
    pub fn begin(&mut self, snapshot: &Snapshot) -> Result<(), StoreError> {
        let chunks = crowd_image::encode(&snapshot.crowd);
        self.begun = Some(Newest::of(snapshot, &chunks)?);
        self.waiting = chunks.into_iter();
        self.next_chunk = 0;
        Ok(())
    }

    /// Whether an image is begun and not named yet.
    #[must_use]
    pub const fn is_begun(&self) -> bool {
        self.begun.is_some()
    }

    /// What the next commit writes of an image; nothing if none is begun. The last step names the image and removes
    /// the older one.
    ///
    /// # Errors
    /// Only if a row cannot be encoded at all.
    pub fn next_step(&mut self) -> Result<Vec<Change>, StoreError> {
        let Some(row) = &self.begun else {
            return Ok(Vec::new());
        };
        let mut changes = Vec::with_capacity(CHUNKS_IN_STEP);
        for chunk in self.waiting.by_ref().take(CHUNKS_IN_STEP) {
            changes.push(Change {
                keyspace: Keyspace::Crowd,
                key: keys::crowd_chunk(row.seq, self.next_chunk),
                value: Some(chunk),
            });
            self.next_chunk += 1;
        }
        if self.waiting.len() == 0 {
            changes.push(Change {
                keyspace: Keyspace::Meta,
                key: NEWEST.to_vec(),
                value: Some(row_bytes::encode(Keyspace::Meta, VERSION, row)?),
            });
            if let Some((seq, count)) = self.whole {
                // One that could not be used is replaced at the same record.
                let kept = if seq == row.seq { row.chunks } else { 0 };
                changes.extend((kept..count).map(|number| removal(keys::crowd_chunk(seq, number))));
            }
            (self.whole, self.usable) = (Some((row.seq, row.chunks)), row.seq);
            self.begun = None;
        }
        Ok(changes)
    }
}

const fn removal(key: Vec<u8>) -> Change {
    Change {
        keyspace: Keyspace::Crowd,
        key,
        value: None,
    }
}
