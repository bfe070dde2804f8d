//! A run: doors, the sequencer and the committer as threads with bounded queues between them. `run`, `replay` and
//! `demo` are all this, over other stores, sources and sinks.

#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "how long an open batch waits is the thread's business; no decision sees it"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, channel, sync_channel};
use std::time::{Duration, Instant};

use crate::pipeline::admitted::Arrival;
use crate::pipeline::batch::ClosedBatch;
pub use crate::pipeline::committer::{Committer, Nobody, Observer, RunError, Sinks};
use crate::pipeline::door::{Arrivals, DoorError, DoorPolicy, DoorRun};
use crate::pipeline::engine::Engine;
use crate::pipeline::erase::Erasing;
use crate::pipeline::faults::Faults;
use crate::pipeline::messages::MessageSource;
use crate::pipeline::ports::{Change, LineSource, Store, StoreError};
use crate::pipeline::reload::{CurrentDoor, MadeAgain, Reloads};
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
    /// Bytes of lines that may wait for it.
    pub queue_bytes: usize,
    /// When a batch is closed.
    pub batch: BatchLimits,
    /// Rows of users, attempts and mailboxes kept decoded.
    pub rows_kept: usize,
}

/// When an open batch is closed, besides when nothing waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimits {
    /// It holds so many records.
    pub records: usize,
    /// It holds so many bytes of events.
    pub bytes: usize,
    /// It is so old, and the committer is idle: while that one is busy, a batch that grows is the better use of time.
    pub age: Duration,
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
    /// At the end of the sources, timers fire that are due up to so many microseconds after the last record.
    pub settle: i64,
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
    run_with(run, &Faults::default(), Orders::default())
}

/// What a run is told while it goes on.
#[derive(Default)]
pub struct Orders {
    /// Versions to take over.
    pub reloads: Option<Reloads>,
    /// What persons ask for.
    pub wishes: Option<Receiver<Wish>>,
}

impl Orders {
    /// Both.
    #[must_use]
    pub const fn of(reloads: Reloads, wishes: Receiver<Wish>) -> Self {
        Self {
            reloads: Some(reloads),
            wishes: Some(wishes),
        }
    }
}

/// What a person asks a run for.
#[derive(Debug)]
pub enum Wish {
    /// A user is to be erased.
    Erase(Box<Erasing>),
    /// A row of no record is to be stored with the next commit.
    Note(Change),
}

/// The same; `faults` hears of every place that is passed, and `orders` are followed between two batches.
///
/// # Errors
/// As [`run`].
pub fn run_with(run: Run<'_>, faults: &Faults, orders: Orders) -> Result<Counts, RunError> {
    run_messages(run, Vec::new(), faults, orders)
}

/// The same with sources of messages beside those of lines.
///
/// # Errors
/// As [`run`].
pub fn run_messages(
    run: Run<'_>,
    messages: Vec<Box<dyn MessageSource>>,
    faults: &Faults,
    orders: Orders,
) -> Result<Counts, RunError> {
    run.store.has_room()?;
    let doors = CurrentDoor::new(run.door.clone());
    let mut sequencer = Sequencer::open(
        Arc::clone(&run.engine),
        Arc::clone(&run.store),
        run.limits.rows_kept,
    )?;
    if let Some(upkeep) = run.upkeep {
        sequencer.keep_up(upkeep);
    }
    sequencer.watched_by(faults.clone());
    let policy = *run.engine.risk.score_policy();
    let mut committer = Committer::open(Arc::clone(&run.store), faults.around(run.sinks), policy)?;
    committer.watched_by(faults.clone());
    committer.image_was_used(sequencer.last_image());
    committer.stops(run.stop);
    let result = std::thread::scope(|scope| {
        let (batches, waiting) = sync_channel(BATCHES_WAITING);
        let (done, on_disk) = channel();
        let observer = run.observer;
        let writer = scope.spawn(move || committer.run(&waiting, &done, observer));
        let arrivals = DoorRun {
            doors: &doors,
            workers: run.limits.workers,
            queue_lines: run.limits.queue_lines,
            queue_bytes: run.limits.queue_bytes,
            stop: run.stop,
        }
        .start(scope, run.sources, messages);
        let mut deciding = Deciding {
            sequencer: &mut sequencer,
            batches,
            on_disk: &on_disk,
            limits: run.limits.batch,
            opened: None,
            handed_over: 0,
            on_disk_up_to: 0,
            settle: run.settle,
            arrival: run.door.arrival.as_deref(),
            observer: run.observer,
            repeated: 0,
            orders,
            doors: &doors,
            again: None,
        };
        let decided = deciding.run(&arrivals, run.stop);
        // Ends the threads: readers and workers find their channels closed.
        drop(arrivals);
        drop(deciding);
        let written = writer
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        // The writer's error is the cause, that of the deciding thread would be its consequence.
        written.and(decided)
    });
    result.map(|()| sequencer.counts())
}

/// The deciding thread's loop: chunks from the doors in, closed batches out.
struct Deciding<'a> {
    sequencer: &'a mut Sequencer,
    batches: SyncSender<ClosedBatch>,
    on_disk: &'a Receiver<u64>,
    limits: BatchLimits,
    /// When the open batch got its first record.
    opened: Option<Instant>,
    /// Number of the last batch that the committer was given.
    handed_over: u64,
    /// Number of the last batch that it has finished.
    on_disk_up_to: u64,
    settle: i64,
    /// The clock of a live door.
    arrival: Option<&'a (dyn Fn() -> i64 + Send + Sync)>,
    observer: &'a dyn Observer,
    /// Repeats that the observer has heard of.
    repeated: u64,
    orders: Orders,
    doors: &'a CurrentDoor,
    /// Since the first reload.
    again: Option<MadeAgain>,
}

/// What a live door does while nothing comes, once in so long.
const TICK: Duration = Duration::from_secs(1);

/// What came of waiting.
enum Waited {
    Arrived(Result<Vec<Arrival>, DoorError>),
    /// A second has passed; the clock of a live door.
    Tick(Option<i64>),
    Ended,
}

/// Whether to go on; not when the committer is gone, whose error then tells why.
type GoOn = Result<bool, StoreError>;

impl Deciding<'_> {
    fn run(&mut self, arrivals: &Arrivals, stop: &AtomicBool) -> Result<(), RunError> {
        loop {
            let arrived = match arrivals.waiting() {
                Ok(arrived) => Some(arrived),
                Err(TryRecvError::Disconnected) => None,
                Err(TryRecvError::Empty) => {
                    // Nothing waits: what is open goes to the disk now.
                    if !self.close()? {
                        return Ok(());
                    }
                    match self.wait(arrivals) {
                        Waited::Arrived(arrived) => Some(arrived),
                        Waited::Tick(now) => {
                            if !self.take_over()? {
                                return Ok(());
                            }
                            if let Some(now) = now {
                                self.sequencer.tick(now)?;
                            }
                            continue;
                        }
                        Waited::Ended => None,
                    }
                }
            };
            let Some(arrived) = arrived else {
                // Stopped in between, what waits for a witness is not decided: the position stands before it, and the
                // next start reads it again.
                if !stop.load(Ordering::Relaxed) {
                    self.sequencer.finish(self.settle)?;
                }
                self.sequencer.end();
                self.close()?;
                return Ok(());
            };
            let mut arrived = arrived?;
            // What was there before these lines came holds for them.
            if !self.take_over()? {
                return Ok(());
            }
            if let Some(again) = &mut self.again {
                again.arrivals(&mut arrived);
            }
            self.observer.arrived(&arrived);
            for part in parts(arrived, self.limits) {
                self.sequencer.admit(part)?;
                if !self.close_if_due()? {
                    return Ok(());
                }
            }
        }
    }

    /// Waits for the doors. Every second is time to look at something else, and a live door ticks then: what is due
    /// happens without an event.
    fn wait(&self, arrivals: &Arrivals) -> Waited {
        match arrivals.next(TICK) {
            Ok(arrived) => Waited::Arrived(arrived),
            Err(RecvTimeoutError::Disconnected) => Waited::Ended,
            Err(RecvTimeoutError::Timeout) => Waited::Tick(self.arrival.map(|clock| clock())),
        }
    }

    /// Puts the version that waits in force, if there is one.
    fn take_over(&mut self) -> GoOn {
        if !self.fulfil()? {
            return Ok(false);
        }
        let reloads = self.orders.reloads.as_ref();
        let Some(version) = reloads.and_then(|reloads| reloads.try_recv().ok()) else {
            return Ok(true);
        };
        if !self.close()? {
            return Ok(false);
        }
        // How lines arrive is the command line's business and stays.
        let before = self.doors.get();
        let mut again = MadeAgain::with(self.doors.set(DoorPolicy {
            arrival: before.arrival.clone(),
            backfill: before.backfill,
            scopes: Arc::clone(&before.scopes),
            ..version.door
        }));
        self.sequencer.activate(version.engine, |line| again.line(line))?;
        self.again = Some(again);
        Ok(true)
    }

    /// Does what persons asked for.
    fn fulfil(&mut self) -> GoOn {
        loop {
            let wishes = self.orders.wishes.as_ref();
            match wishes.and_then(|wishes| wishes.try_recv().ok()) {
                None => return Ok(true),
                Some(Wish::Note(row)) => self.sequencer.move_position(row),
                Some(Wish::Erase(erasing)) => {
                    if !(self.close()? && self.all_on_disk()?) {
                        return Ok(false);
                    }
                    if let Some(closed) = self.sequencer.erase(erasing)? {
                        self.handed_over = closed.number;
                        if self.batches.send(closed).is_err() || !self.all_on_disk()? {
                            return Ok(false);
                        }
                    }
                    self.sequencer.erased()?;
                }
            }
        }
    }

    /// Waits until everything that was handed over is on disk.
    fn all_on_disk(&mut self) -> GoOn {
        while self.on_disk_up_to < self.handed_over {
            let Ok(number) = self.on_disk.recv() else {
                return Ok(false);
            };
            self.on_disk_up_to = number;
            self.sequencer.committed(number);
        }
        Ok(true)
    }

    fn close_if_due(&mut self) -> GoOn {
        self.collect();
        let records = self.sequencer.open_records();
        if records == 0 {
            return Ok(true);
        }
        let opened = *self.opened.get_or_insert_with(Instant::now);
        let full = records >= self.limits.records || self.sequencer.open_bytes() >= self.limits.bytes;
        let idle = self.handed_over == self.on_disk_up_to;
        if full || (idle && opened.elapsed() >= self.limits.age) {
            return self.close();
        }
        Ok(true)
    }

    /// Hands the open batch over.
    fn close(&mut self) -> GoOn {
        self.opened = None;
        if let Some(closed) = self.sequencer.close()? {
            self.handed_over = closed.number;
            if self.batches.send(closed).is_err() {
                return Ok(false);
            }
        }
        self.collect();
        let repeated = self.sequencer.counts().repeated;
        if repeated > self.repeated {
            self.observer.repeated(repeated - self.repeated);
            self.repeated = repeated;
        }
        Ok(true)
    }

    /// Hears what is on disk.
    fn collect(&mut self) {
        while let Ok(number) = self.on_disk.try_recv() {
            self.on_disk_up_to = number;
            self.sequencer.committed(number);
        }
    }
}

/// Cuts arrivals so that no part alone is larger than a batch, but for a single line that is.
fn parts(arrivals: Vec<Arrival>, limits: BatchLimits) -> Vec<Vec<Arrival>> {
    let mut parts = Vec::new();
    let (mut part, mut bytes) = (Vec::with_capacity(arrivals.len()), 0);
    for arrival in arrivals {
        let own = match &arrival {
            Arrival::Line(line) => line.bytes.len(),
            Arrival::Position(_) => 0,
        };
        if !part.is_empty() && (part.len() >= limits.records || bytes + own > limits.bytes) {
            parts.push(std::mem::take(&mut part));
            bytes = 0;
        }
        bytes += own;
        part.push(arrival);
    }
    parts.push(part);
    parts
}
