//! A run: doors, the sequencer and the committer as threads with bounded queues between them. `run`, `replay` and
//! `demo` are all this, over other stores, sources and sinks.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, channel, sync_channel};

use foldhash::HashSet;

use crate::pipeline::admitted::Arrival;
use crate::pipeline::batch::ClosedBatch;
pub use crate::pipeline::committer::{Committer, Nobody, Observer, RunError, Sinks};
use crate::pipeline::door::{DoorError, DoorPolicy, DoorRun};
use crate::pipeline::engine::Engine;
use crate::pipeline::keys;
use crate::pipeline::ports::{Keyspace, LineSource, Seq, Store, StoreError};
pub use crate::pipeline::retention::Upkeep;
use crate::pipeline::sequencer::{Counts, Sequencer};

/// Closed batches that may wait for the committer.
const BATCHES_WAITING: usize = 2;

/// Sizes of queues, batches and caches. None of them can change a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunLimits {
    /// Threads that parse and enrich, at least 1.
    pub workers: usize,
    /// Lines that may wait for the deciding thread.
    pub queue_lines: usize,
    /// Records in one commit.
    pub batch_records: usize,
    /// Rows of users, attempts and mailboxes kept decoded.
    pub rows_kept: usize,
}

/// What a run works on.
pub struct Run<'a> {
    /// Rules, bounds and keys in force.
    pub engine: Arc<Engine>,
    /// Where rows are.
    pub store: Arc<dyn Store>,
    /// Where lines come from; several are merged by time.
    pub sources: Vec<Box<dyn LineSource>>,
    /// Where results go.
    pub sinks: Sinks,
    /// What the door lets in.
    pub door: &'a DoorPolicy,
    /// Sizes.
    pub limits: RunLimits,
    /// Set to finish the batch, store it and leave.
    pub stop: &'a Arc<AtomicBool>,
    /// Watches.
    pub observer: &'a dyn Observer,
    /// What keeps the next start short; `None` for a store that ends with the run.
    pub upkeep: Option<Upkeep>,
}

/// Runs to the end of the sources, or until `stop` is set.
///
/// # Errors
/// When a store, a sink or a source fails. What was committed is safe; the next start goes on from there.
pub fn run(run: Run<'_>) -> Result<Counts, RunError> {
    let mut sequencer = Sequencer::open(
        Arc::clone(&run.engine),
        Arc::clone(&run.store),
        run.limits.rows_kept,
    )?;
    if let Some(upkeep) = run.upkeep {
        sequencer.keep_up(upkeep);
    }
    let mut committer = Committer::open(Arc::clone(&run.store), run.sinks, *run.engine.risk.score_policy())?;
    committer.image_was_used(sequencer.last_image());
    let known_dead = known_dead(&*run.store, sequencer.first_known())?;
    let result = std::thread::scope(|scope| {
        let (batches, waiting) = sync_channel(BATCHES_WAITING);
        let (done, on_disk) = channel();
        let observer = run.observer;
        let writer = scope.spawn(move || committer.run(&waiting, &done, observer));
        let arrivals = DoorRun {
            policy: run.door,
            workers: run.limits.workers,
            queue_lines: run.limits.queue_lines,
            clock: sequencer.clock(),
            known_dead: &known_dead,
            stop: run.stop,
        }
        .start(scope, run.sources);
        let decided = decide_all(
            &mut sequencer,
            &arrivals,
            &batches,
            &on_disk,
            run.limits.batch_records,
        );
        // Ends the threads: readers and workers find their channels closed.
        drop(arrivals);
        drop(batches);
        let written = writer
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        // The writer's error is the cause, that of the deciding thread would be its consequence.
        written.and(decided)
    });
    run.observer.repeated(sequencer.counts().repeated);
    result.map(|()| sequencer.counts())
}

/// Ids of the lines refused at `from` and later; those before count as gone, whether they were removed or not.
fn known_dead(store: &dyn Store, from: Seq) -> Result<HashSet<[u8; 32]>, StoreError> {
    const PAGE: usize = 4_096;
    let mut known = HashSet::default();
    let mut next = vec![0];
    loop {
        let page = store.scan(Keyspace::Dead, keys::dead_id_prefix(), &next, PAGE)?;
        let later = page.iter().filter(|row| keys::read_seq(&row.value) >= Some(from));
        known.extend(later.filter_map(|row| row.key.last_chunk().copied()));
        match page.last() {
            Some(last) if page.len() == PAGE => {
                next.clone_from(&last.key);
                next.push(0);
            }
            _ => return Ok(known),
        }
    }
}

fn decide_all(
    sequencer: &mut Sequencer,
    arrivals: &Receiver<Result<Vec<Arrival>, DoorError>>,
    batches: &SyncSender<ClosedBatch>,
    on_disk: &Receiver<u64>,
    batch_records: usize,
) -> Result<(), RunError> {
    loop {
        let arrived = match arrivals.try_recv() {
            Ok(arrived) => Some(arrived),
            Err(TryRecvError::Disconnected) => None,
            Err(TryRecvError::Empty) => {
                // Nothing waits: what is open goes to the disk now.
                if !close(sequencer, batches, on_disk)? {
                    return Ok(());
                }
                arrivals.recv().ok()
            }
        };
        let Some(arrived) = arrived else {
            sequencer.end();
            close(sequencer, batches, on_disk)?;
            return Ok(());
        };
        for part in parts(arrived?, batch_records) {
            sequencer.admit(part)?;
            if sequencer.open_records() >= batch_records && !close(sequencer, batches, on_disk)? {
                return Ok(());
            }
        }
    }
}

/// Cuts arrivals so that no part alone is larger than a batch.
fn parts(mut arrivals: Vec<Arrival>, batch_records: usize) -> Vec<Vec<Arrival>> {
    let mut parts = Vec::new();
    while arrivals.len() > batch_records.max(1) {
        let rest = arrivals.split_off(batch_records.max(1));
        parts.push(std::mem::replace(&mut arrivals, rest));
    }
    parts.push(arrivals);
    parts
}

/// Hands the open batch over; false if the committer is gone, whose error then tells why.
fn close(
    sequencer: &mut Sequencer,
    batches: &SyncSender<ClosedBatch>,
    on_disk: &Receiver<u64>,
) -> Result<bool, StoreError> {
    if let Some(closed) = sequencer.close()?
        && batches.send(closed).is_err()
    {
        return Ok(false);
    }
    while let Ok(number) = on_disk.try_recv() {
        sequencer.committed(number);
    }
    Ok(true)
}
