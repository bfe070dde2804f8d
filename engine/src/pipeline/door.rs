//! The door's share of the work: lines are parsed and enriched in parallel threads, come out in order, and get their
//! `now` (clauses S2 and S3). Nothing in here is shared between workers but databases and patterns.
//!
//! One reader a source hands chunks to the workers; the merger takes their answers in the order of the chunks, picks
//! the earliest line among the sources, and stamps it. Bounded queues everywhere: whoever is slow stops the rest.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::Scope;
use std::time::Duration;

use foldhash::HashSet;

use crate::enrich::{EnrichCaches, EnrichedLogin, Enricher};
use crate::event::{Limits, Timestamp, parse};
use crate::pipeline::admitted::{Admitted, Arrival, Origin};
use crate::pipeline::dead_letter::Refusal;
use crate::pipeline::file_clock::{FileClock, Stamped};
use crate::pipeline::ports::{Change, InputIdentity, LineSource, RawLine};

/// Lines in one chunk. Small enough that a pipe is not kept waiting, large enough that a hand-over costs nothing.
const CHUNK_LINES: usize = 256;
/// How often a door that waits for a source looks whether it should stop.
const STOP_LOOK: Duration = Duration::from_millis(50);

/// What a door lets in, and how.
#[derive(Clone)]
pub struct DoorPolicy {
    /// How large an event may be. Its sources read lines with the same `event_bytes`.
    pub limits: Limits,
    /// Looks up device, network and place.
    pub enricher: Enricher,
    /// Tenant of events that name none.
    pub tenant: Arc<str>,
    /// Tenants that events may name.
    pub tenants: Arc<[Box<str>]>,
    /// A jump of `event.time` ahead by more than this wants a witness, microseconds.
    pub jump_max: i64,
    /// What `event.time` may be at most, microseconds: the wall clock plus the tolerance, asked for each event.
    pub latest: Arc<dyn Fn() -> i64 + Send + Sync>,
    /// The tolerance, minutes, for the message.
    pub future_minutes: i64,
}

/// A line with what was made of it.
struct Prepared {
    line: RawLine,
    content: Result<Box<EnrichedLogin>, Refusal>,
}

impl Prepared {
    fn time(&self) -> Option<i64> {
        self.content
            .as_ref()
            .ok()
            .map(|login| login.event.time.as_micros())
    }
}

struct Chunk {
    lines: Vec<RawLine>,
    position: Option<Change>,
    answer: SyncSender<PreparedChunk>,
}

struct PreparedChunk {
    lines: Vec<Prepared>,
    position: Option<Change>,
}

impl DoorPolicy {
    /// Parses and looks up one line; `None` if it is blank.
    fn prepare(&self, line: RawLine, caches: &mut EnrichCaches) -> Option<Prepared> {
        if line.bytes.iter().all(u8::is_ascii_whitespace) {
            return None;
        }
        let content = self.content(&line.bytes, caches);
        Some(Prepared { line, content })
    }

    /// What is made of the bytes of one event.
    ///
    /// # Errors
    /// Why it is no event of ours.
    pub fn content(&self, bytes: &[u8], caches: &mut EnrichCaches) -> Result<Box<EnrichedLogin>, Refusal> {
        let event = parse(bytes, &self.limits)?;
        let tenant = match event.tenant.as_deref() {
            None => Arc::clone(&self.tenant),
            Some(tenant) if *tenant == *self.tenant => Arc::clone(&self.tenant),
            Some(tenant) if self.tenants.iter().any(|allowed| **allowed == *tenant) => Arc::from(tenant),
            Some(tenant) => return Err(Refusal::foreign_tenant(tenant)),
        };
        if event.time > Timestamp::from_micros((self.latest)()) {
            return Err(Refusal::time_in_future(event.time, self.future_minutes));
        }
        Ok(Box::new(self.enricher.enrich(event, tenant, caches)))
    }
}

/// Why a door stopped before the end of its sources.
#[derive(Debug, thiserror::Error)]
#[error("`{name}` cannot be read: {source}")]
pub struct DoorError {
    /// Name of the source.
    pub name: String,
    /// What the system said.
    #[source]
    pub source: std::io::Error,
}

/// How a door is run.
pub struct DoorRun<'a> {
    /// What it lets in.
    pub policy: &'a DoorPolicy,
    /// Threads that parse and enrich, at least 1.
    pub workers: usize,
    /// Lines that may wait for the sequencer.
    pub queue_lines: usize,
    /// The store's clock at the start.
    pub clock: Option<i64>,
    /// Ids of lines refused before: they are dropped before the clock sees them, as they never moved it.
    pub known_dead: &'a HashSet<[u8; 32]>,
    /// Set to stop reading.
    pub stop: &'a Arc<AtomicBool>,
}

impl<'a> DoorRun<'a> {
    /// Starts the threads and returns where their chunks come out. The end of the channel is the end of the
    /// sources; an error is the last thing sent.
    pub fn start<'scope, 'env>(
        self,
        scope: &'scope Scope<'scope, 'env>,
        sources: Vec<Box<dyn LineSource>>,
    ) -> Receiver<Result<Vec<Arrival>, DoorError>>
    where
        'a: 'scope,
    {
        let waiting = (self.queue_lines / CHUNK_LINES).max(2);
        let (work, jobs) = sync_channel::<Chunk>(waiting);
        let jobs = Arc::new(Mutex::new(jobs));
        let over = Arc::new(AtomicBool::new(false));
        for _ in 0..self.workers.max(1) {
            let jobs = Arc::clone(&jobs);
            let policy = self.policy;
            let over = Arc::clone(&over);
            scope.spawn(move || work_off(policy, &jobs, &over));
        }
        let mut lanes = Vec::with_capacity(sources.len());
        for mut source in sources {
            let (promise, promised) = sync_channel(waiting);
            let identity = Arc::new(source.identity().clone());
            let work = work.clone();
            let stop = Arc::clone(self.stop);
            // Not in the scope: a reader that waits for a silent pipe must not keep a stopped run from ending.
            std::thread::spawn(move || read(source.as_mut(), &work, &promise, &stop));
            lanes.push(Lane {
                identity,
                promised,
                ready: VecDeque::new(),
                ended: false,
            });
        }
        drop(work);
        let (out, arrivals) = sync_channel(waiting);
        scope.spawn(move || {
            Merger::new(self, lanes).run(&out);
            over.store(true, Ordering::Relaxed);
        });
        arrivals
    }
}

type Promise = Result<Receiver<PreparedChunk>, DoorError>;

/// Reads a source to its end, chunk by chunk.
fn read(
    source: &mut dyn LineSource,
    work: &SyncSender<Chunk>,
    promise: &SyncSender<Promise>,
    stop: &AtomicBool,
) {
    while !stop.load(Ordering::Relaxed) {
        let lines = match source.next_lines(CHUNK_LINES) {
            Ok(lines) => lines,
            Err(error) => {
                let name = source.identity().name.clone();
                // Nobody listens any more only if the run is over for another reason.
                let _ = promise.send(Err(DoorError { name, source: error }));
                return;
            }
        };
        let Some(last) = lines.last() else { return };
        let position = source.position(last.end, last.line);
        let (answer, promised) = sync_channel(1);
        if promise.send(Ok(promised)).is_err()
            || work
                .send(Chunk {
                    lines,
                    position,
                    answer,
                })
                .is_err()
        {
            return;
        }
    }
}

/// One worker: its caches are its own. It ends with its last sender, or with the merger: a reader that waits for a
/// silent pipe keeps its sender for ever.
fn work_off(policy: &DoorPolicy, jobs: &Mutex<Receiver<Chunk>>, over: &AtomicBool) {
    let mut caches = policy.enricher.caches();
    loop {
        let job = jobs
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .recv_timeout(STOP_LOOK);
        let chunk = match job {
            Ok(chunk) => chunk,
            Err(RecvTimeoutError::Timeout) if !over.load(Ordering::Relaxed) => continue,
            Err(_) => return,
        };
        let lines = chunk
            .lines
            .into_iter()
            .filter_map(|line| policy.prepare(line, &mut caches))
            .collect();
        // A merger that is gone wants no answers.
        let _ = chunk.answer.send(PreparedChunk {
            lines,
            position: chunk.position,
        });
    }
}

/// What one source still has to give.
struct Lane {
    identity: Arc<InputIdentity>,
    promised: Receiver<Promise>,
    ready: VecDeque<Step>,
    ended: bool,
}

enum Step {
    Line(Prepared),
    Position(Change),
}

impl Lane {
    /// Makes sure that a step is ready, unless the source has ended.
    fn fill(&mut self, stop: &AtomicBool) -> Result<(), DoorError> {
        while self.ready.is_empty() && !self.ended {
            match self.promised.recv_timeout(STOP_LOOK) {
                Err(RecvTimeoutError::Timeout) => self.ended = stop.load(Ordering::Relaxed),
                Err(RecvTimeoutError::Disconnected) => self.ended = true,
                Ok(Err(error)) => return Err(error),
                Ok(Ok(promised)) => {
                    // Going on without it would lose its lines behind a later position.
                    let chunk = promised.recv().map_err(|_| DoorError {
                        name: self.identity.name.clone(),
                        source: std::io::Error::other("a thread that parses ended before its answer"),
                    })?;
                    self.ready.extend(chunk.lines.into_iter().map(Step::Line));
                    self.ready.extend(chunk.position.map(Step::Position));
                }
            }
        }
        Ok(())
    }

    /// When the next step is due: positions and refused lines at once, events at their time.
    fn due(&self) -> Option<i64> {
        self.ready.front().map(|step| match step {
            Step::Position(_) => i64::MIN,
            Step::Line(line) => line.time().unwrap_or(i64::MIN),
        })
    }
}

enum Item {
    Line(Prepared, Arc<InputIdentity>),
    Position(Change),
}

struct Merger<'a> {
    run: DoorRun<'a>,
    lanes: Vec<Lane>,
    clock: FileClock<Item>,
    stamped: Vec<Stamped<Item>>,
}

impl<'a> Merger<'a> {
    fn new(run: DoorRun<'a>, lanes: Vec<Lane>) -> Self {
        let clock = FileClock::new(run.clock, run.policy.jump_max);
        Self {
            run,
            lanes,
            clock,
            stamped: Vec::new(),
        }
    }

    fn run(mut self, out: &SyncSender<Result<Vec<Arrival>, DoorError>>) {
        loop {
            match self.next() {
                Ok(true) if self.stamped.len() < CHUNK_LINES && self.has_more_at_hand() => {}
                Ok(true) => {
                    if !self.hand_over(out) {
                        return;
                    }
                }
                Ok(false) => {
                    self.finish();
                    self.hand_over(out);
                    return;
                }
                Err(error) => {
                    self.hand_over(out);
                    // Nobody listens any more only if the run is over for another reason.
                    let _ = out.send(Err(error));
                    return;
                }
            }
        }
    }

    /// At the end of the sources a held jump is believed. Stopped in between, it is not decided: the position stands
    /// before it, and the next start reads it again.
    fn finish(&mut self) {
        if !self.run.stop.load(Ordering::Relaxed) {
            self.clock.finish(&mut self.stamped);
        }
    }

    /// Whether another step can be taken without waiting for a source.
    fn has_more_at_hand(&self) -> bool {
        self.lanes.iter().all(|lane| lane.ended || !lane.ready.is_empty())
    }

    /// Takes the earliest step of all sources; false at the end of all. Equal times go in the order of the sources.
    fn next(&mut self) -> Result<bool, DoorError> {
        for lane in &mut self.lanes {
            lane.fill(self.run.stop)?;
        }
        let earliest = self
            .lanes
            .iter_mut()
            .filter(|lane| !lane.ready.is_empty())
            .min_by_key(|lane| lane.due());
        let Some(lane) = earliest else { return Ok(false) };
        match lane.ready.pop_front() {
            Some(Step::Position(change)) => self.clock.push(None, Item::Position(change), &mut self.stamped),
            Some(Step::Line(line)) => {
                let identity = Arc::clone(&lane.identity);
                if !self.was_refused(&line, &identity) {
                    self.clock
                        .push(line.time(), Item::Line(line, identity), &mut self.stamped);
                }
            }
            None => {}
        }
        Ok(true)
    }

    fn was_refused(&self, line: &Prepared, identity: &Arc<InputIdentity>) -> bool {
        !self.run.known_dead.is_empty()
            && self
                .run
                .known_dead
                .contains(&origin(&line.line, identity).dead_letter_id(&line.line.bytes))
    }

    fn hand_over(&mut self, out: &SyncSender<Result<Vec<Arrival>, DoorError>>) -> bool {
        let arrivals: Vec<Arrival> = self.stamped.drain(..).map(arrive).collect();
        arrivals.is_empty() || out.send(Ok(arrivals)).is_ok()
    }
}

fn origin(line: &RawLine, input: &Arc<InputIdentity>) -> Origin {
    Origin {
        input: Arc::clone(input),
        line: line.line,
        offset: line.offset,
    }
}

fn arrive(stamped: Stamped<Item>) -> Arrival {
    match stamped.item {
        Item::Position(change) => Arrival::Position(change),
        Item::Line(Prepared { line, content }, identity) => {
            let content = match content {
                Ok(login) if stamped.jumped => Err(Refusal::time_jump(login.event.time)),
                content => content,
            };
            Arrival::Line(Admitted {
                origin: origin(&line, &identity),
                bytes: line.bytes,
                now: stamped.now,
                content,
            })
        }
    }
}
