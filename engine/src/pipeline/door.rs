//! The door's share of the work: lines are parsed and enriched in parallel threads and come out in order (clause S2).
//! Nothing in here is shared between workers but databases and patterns.
//!
//! One reader a source hands chunks to the workers; the merger takes their answers in the order of the chunks and picks
//! the earliest line among the sources. Bounded queues everywhere: whoever is slow stops the rest.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TryRecvError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::Scope;
use std::time::Duration;

use crate::enrich::{EnrichCaches, EnrichedLogin, Enricher};
use crate::event::{Limits, Timestamp, parse};
use crate::pipeline::admitted::{Admitted, Arrival, Origin};
use crate::pipeline::byte_budget::ByteBudget;
use crate::pipeline::dead_letter::Refusal;
use crate::pipeline::messages::{InputScope, Message, MessageReading, MessageSource};
use crate::pipeline::ports::{Change, InputIdentity, LineSource, RawLine};
use crate::pipeline::reload::CurrentDoor;
use crate::risk::decision::Id;

/// Lines in one chunk. Small enough that a pipe is not kept waiting, large enough that a hand-over costs nothing.
const CHUNK_LINES: usize = 256;
const MINUTE_MICROS: i64 = 60_000_000;
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
    /// What `event.time` may be at most, microseconds: the wall clock plus the tolerance, asked for each event.
    pub latest: Arc<dyn Fn() -> i64 + Send + Sync>,
    /// The tolerance, minutes, for the message.
    pub future_minutes: i64,
    /// The clock of a live door, microseconds since the epoch: its lines happen as they arrive. `None` for files, whose
    /// clock follows from the lines (clause S3).
    pub arrival: Option<Arc<dyn Fn() -> i64 + Send + Sync>>,
    /// Whether its sources are old logs: nobody is told of what is in them.
    pub backfill: bool,
    /// Names the versions that all of this belongs to.
    pub versions: Id,
    /// Inputs that only some may speak through. No reload changes it.
    pub scopes: Arc<[InputScope]>,
}

/// One thing that was read.
pub(super) enum Piece {
    Line(RawLine),
    Message(Message),
}

impl Piece {
    fn bytes(&self) -> usize {
        match self {
            Self::Line(line) => line.bytes.len(),
            Self::Message(message) => message.bytes.len(),
        }
    }
}

pub(super) struct Chunk {
    pieces: Vec<Piece>,
    input: Arc<InputIdentity>,
    position: Option<Change>,
    answer: SyncSender<PreparedChunk>,
}

pub(super) struct PreparedChunk {
    lines: Vec<Arrival>,
    position: Option<Change>,
}

impl Chunk {
    /// A chunk, and where what is made of it comes out.
    pub(super) fn new(
        pieces: Vec<Piece>,
        input: Arc<InputIdentity>,
        position: Option<Change>,
    ) -> (Self, Receiver<PreparedChunk>) {
        let (answer, promised) = sync_channel(1);
        let chunk = Self {
            pieces,
            input,
            position,
            answer,
        };
        (chunk, promised)
    }
}

impl DoorPolicy {
    /// Parses and looks up one line or message; `None` if it is a blank line.
    fn prepare(
        &self,
        piece: Piece,
        input: &Arc<InputIdentity>,
        caches: &mut EnrichCaches,
    ) -> Option<Arrival> {
        let line = match piece {
            Piece::Line(line) => line,
            Piece::Message(message) => return Some(self.take(message, input, caches)),
        };
        if line.bytes.iter().all(u8::is_ascii_whitespace) {
            return None;
        }
        let origin = Origin {
            input: Arc::clone(input),
            line: line.line,
            offset: line.offset,
        };
        let now = self.arrival.as_ref().map(|arrival| arrival());
        let admitted = self.admit(line.bytes, origin, now, caches);
        Some(Arrival::Line(Box::new(admitted)))
    }

    /// Parses and looks up one message, unless it is known already that it is no event.
    fn take(&self, message: Message, input: &Arc<InputIdentity>, caches: &mut EnrichCaches) -> Arrival {
        let origin = Origin {
            input: Arc::clone(input),
            line: 0,
            offset: message.offset,
        };
        let now = Some(message.now);
        let admitted = match message.refused {
            Some(refusal) => Admitted::new(message.bytes, origin, now, self.versions, Err(refusal)),
            None => self.admit(message.bytes, origin, now, caches),
        };
        Arrival::Line(Box::new(admitted))
    }

    /// Parses and looks up one line that is not blank. `now` is the clock of a live door.
    pub fn admit(
        &self,
        bytes: Vec<u8>,
        origin: Origin,
        now: Option<i64>,
        caches: &mut EnrichCaches,
    ) -> Admitted {
        let scopes = &mut self.scopes.iter();
        let scope = scopes.find(|scope| origin.input.name.starts_with(&*scope.inputs));
        let content = self.content_of(&bytes, now, scope, caches);
        Admitted::new(bytes, origin, now, self.versions, content).backfill(self.backfill)
    }

    /// What is made of the bytes of one event.
    ///
    /// # Errors
    /// Why it is no event of ours.
    pub fn content(&self, bytes: &[u8], caches: &mut EnrichCaches) -> Result<Box<EnrichedLogin>, Refusal> {
        self.content_of(bytes, None, None, caches)
    }

    /// The same at `now` of a live door, from an input that only some may speak through.
    fn content_of(
        &self,
        bytes: &[u8],
        now: Option<i64>,
        scope: Option<&InputScope>,
        caches: &mut EnrichCaches,
    ) -> Result<Box<EnrichedLogin>, Refusal> {
        let event = parse(bytes, &self.limits)?;
        let own = scope.map_or(&self.tenant, |scope| &scope.tenant);
        let tenant = match event.tenant.as_deref() {
            None => Arc::clone(own),
            Some(tenant) if *tenant == **own => Arc::clone(own),
            Some(tenant) if self.tenants.iter().any(|allowed| **allowed == *tenant) => Arc::from(tenant),
            Some(tenant) => return Err(Refusal::foreign_tenant(tenant)),
        };
        if let Some(scope) = scope {
            scope.check(&event, &tenant)?;
        }
        let latest = now.map_or_else(
            || (self.latest)(),
            |now| now.saturating_add(self.future_minutes.saturating_mul(MINUTE_MICROS)),
        );
        if event.time > Timestamp::from_micros(latest) {
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
    pub doors: &'a CurrentDoor,
    /// Threads that parse and enrich, at least 1.
    pub workers: usize,
    /// Lines that may wait for the sequencer.
    pub queue_lines: usize,
    /// Bytes of lines that may wait for it.
    pub queue_bytes: usize,
    /// Set to stop reading.
    pub stop: &'a Arc<AtomicBool>,
}

impl<'a> DoorRun<'a> {
    /// Starts the threads and returns where their chunks come out.
    pub fn start<'scope, 'env>(
        self,
        scope: &'scope Scope<'scope, 'env>,
        sources: Vec<Box<dyn LineSource>>,
        messages: Vec<Box<dyn MessageSource>>,
    ) -> Arrivals
    where
        'a: 'scope,
    {
        let waiting = (self.queue_lines / CHUNK_LINES).max(2);
        let (work, jobs) = sync_channel::<Chunk>(waiting);
        let jobs = Arc::new(Mutex::new(jobs));
        let over = Arc::new(AtomicBool::new(false));
        let budget = Arc::new(ByteBudget::new(self.queue_bytes));
        for _ in 0..self.workers.max(1) {
            let jobs = Arc::clone(&jobs);
            let doors = self.doors;
            let over = Arc::clone(&over);
            let budget = Arc::clone(&budget);
            scope.spawn(move || work_off(doors, &jobs, &budget, &over));
        }
        let mut lanes = Vec::with_capacity(sources.len());
        for mut source in sources {
            let (promise, promised) = sync_channel(waiting);
            let identity = Arc::new(source.identity().clone());
            let name = identity.name.clone();
            let reading = Reading {
                input: identity,
                work: work.clone(),
                promise,
                budget: Arc::clone(&budget),
                stop: Arc::clone(self.stop),
                over: Arc::clone(&over),
            };
            // Not in the scope: a reader that waits for a silent pipe must not keep a stopped run from ending.
            std::thread::spawn(move || reading.run(source.as_mut()));
            lanes.push(Lane {
                name,
                promised,
                ready: VecDeque::new(),
                ended: false,
            });
        }
        // Messages come in the order of their arrival, so all their readers share one lane.
        if !messages.is_empty() {
            let (promise, promised) = sync_channel(waiting);
            for mut source in messages {
                let reading = MessageReading {
                    work: work.clone(),
                    promise: promise.clone(),
                    budget: Arc::clone(&budget),
                    stop: Arc::clone(self.stop),
                    over: Arc::clone(&over),
                };
                std::thread::spawn(move || reading.run(source.as_mut(), CHUNK_LINES));
            }
            lanes.push(Lane {
                name: "messages".to_owned(),
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
        Arrivals { arrivals, budget }
    }
}

/// Where the chunks of a door come out. Its end is the end of the sources; an error is the last thing it gives.
pub struct Arrivals {
    arrivals: Receiver<Result<Vec<Arrival>, DoorError>>,
    budget: Arc<ByteBudget>,
}

impl Arrivals {
    /// The next chunk, if one waits.
    ///
    /// # Errors
    /// Whether none waits now, or none will come.
    pub fn waiting(&self) -> Result<Result<Vec<Arrival>, DoorError>, TryRecvError> {
        self.arrivals.try_recv().inspect(|chunk| self.took(chunk))
    }

    /// Waits for the next chunk.
    ///
    /// # Errors
    /// Whether none came within that time, or none will come.
    pub fn next(&self, within: Duration) -> Result<Result<Vec<Arrival>, DoorError>, RecvTimeoutError> {
        self.arrivals
            .recv_timeout(within)
            .inspect(|chunk| self.took(chunk))
    }

    fn took(&self, chunk: &Result<Vec<Arrival>, DoorError>) {
        let bytes = |arrival: &Arrival| match arrival {
            Arrival::Line(line) => line.bytes.len(),
            Arrival::Position(_) => 0,
        };
        self.budget.give_back(chunk.iter().flatten().map(bytes).sum());
    }
}

pub(super) type Promise = Result<Receiver<PreparedChunk>, DoorError>;

/// The reader of one source.
struct Reading {
    input: Arc<InputIdentity>,
    work: SyncSender<Chunk>,
    promise: SyncSender<Promise>,
    budget: Arc<ByteBudget>,
    stop: Arc<AtomicBool>,
    over: Arc<AtomicBool>,
}

impl Reading {
    /// Reads to the end, chunk by chunk.
    fn run(&self, source: &mut dyn LineSource) {
        while !self.stop.load(Ordering::Relaxed) {
            let lines = match source.next_lines(CHUNK_LINES) {
                Ok(lines) => lines,
                Err(error) => {
                    let name = self.input.name.clone();
                    // Nobody listens any more only if the run is over for another reason.
                    let _ = self.promise.send(Err(DoorError { name, source: error }));
                    return;
                }
            };
            let Some(last) = lines.last() else { return };
            let position = source.position(last.end, last.line);
            if !self.hand_on(lines, position) {
                return;
            }
        }
    }

    /// Hands a chunk to the workers; false if nobody wants it any more.
    fn hand_on(&self, lines: Vec<RawLine>, position: Option<Change>) -> bool {
        let bytes = lines.iter().map(|line| line.bytes.len()).sum();
        let ended = || self.stop.load(Ordering::Relaxed) || self.over.load(Ordering::Relaxed);
        if !self.budget.take(bytes, ended) {
            return false;
        }
        let pieces = lines.into_iter().map(Piece::Line).collect();
        let (chunk, promised) = Chunk::new(pieces, Arc::clone(&self.input), position);
        self.promise.send(Ok(promised)).is_ok() && self.work.send(chunk).is_ok()
    }
}

/// One worker: its caches are its own. It ends with its last sender, or with the merger: a reader that waits for a
/// silent pipe keeps its sender for ever.
fn work_off(doors: &CurrentDoor, jobs: &Mutex<Receiver<Chunk>>, budget: &ByteBudget, over: &AtomicBool) {
    let mut policy = doors.get();
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
        let now = doors.get();
        if !Arc::ptr_eq(&now, &policy) {
            // What the caches hold was true of other files.
            caches = now.enricher.caches();
            policy = now;
        }
        let mut blank_bytes = 0;
        let mut lines = Vec::with_capacity(chunk.pieces.len());
        for piece in chunk.pieces {
            let bytes = piece.bytes();
            match policy.prepare(piece, &chunk.input, &mut caches) {
                Some(line) => lines.push(line),
                None => blank_bytes += bytes,
            }
        }
        budget.give_back(blank_bytes);
        // A merger that is gone wants no answers.
        let _ = chunk.answer.send(PreparedChunk {
            lines,
            position: chunk.position,
        });
    }
}

/// What one source still has to give.
struct Lane {
    name: String,
    promised: Receiver<Promise>,
    ready: VecDeque<Arrival>,
    ended: bool,
}

impl Lane {
    /// Makes sure that an arrival is ready, unless the source has ended.
    fn fill(&mut self, stop: &AtomicBool) -> Result<(), DoorError> {
        while self.ready.is_empty() && !self.ended {
            match self.promised.recv_timeout(STOP_LOOK) {
                Err(RecvTimeoutError::Timeout) => self.ended = stop.load(Ordering::Relaxed),
                Err(RecvTimeoutError::Disconnected) => self.ended = true,
                Ok(Err(error)) => return Err(error),
                Ok(Ok(promised)) => {
                    // Going on without it would lose its lines behind a later position.
                    let chunk = promised.recv().map_err(|_| DoorError {
                        name: self.name.clone(),
                        source: std::io::Error::other("a thread that parses ended before its answer"),
                    })?;
                    self.ready.extend(chunk.lines);
                    self.ready.extend(chunk.position.map(Arrival::Position));
                }
            }
        }
        Ok(())
    }

    /// When the next arrival is due: positions and refused lines at once, events at their time.
    fn due(&self) -> Option<i64> {
        self.ready.front().map(|step| match step {
            Arrival::Position(_) => i64::MIN,
            Arrival::Line(line) => match &line.content {
                Ok(login) => login.event.time.as_micros(),
                Err(_) => i64::MIN,
            },
        })
    }
}

struct Merger<'a> {
    run: DoorRun<'a>,
    lanes: Vec<Lane>,
    merged: Vec<Arrival>,
}

impl<'a> Merger<'a> {
    const fn new(run: DoorRun<'a>, lanes: Vec<Lane>) -> Self {
        Self {
            run,
            lanes,
            merged: Vec::new(),
        }
    }

    fn run(mut self, out: &SyncSender<Result<Vec<Arrival>, DoorError>>) {
        loop {
            match self.next() {
                Ok(true) if self.merged.len() < CHUNK_LINES && self.has_more_at_hand() => {}
                Ok(true) => {
                    if !self.hand_over(out) {
                        return;
                    }
                }
                Ok(false) => {
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

    /// Whether another arrival can be taken without waiting for a source.
    fn has_more_at_hand(&self) -> bool {
        self.lanes.iter().all(|lane| lane.ended || !lane.ready.is_empty())
    }

    /// Takes the earliest arrival of all sources; false at the end of all. Equal times go in the order of the sources.
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
        self.merged.extend(lane.ready.pop_front());
        Ok(true)
    }

    fn hand_over(&mut self, out: &SyncSender<Result<Vec<Arrival>, DoorError>>) -> bool {
        let arrivals = std::mem::take(&mut self.merged);
        arrivals.is_empty() || out.send(Ok(arrivals)).is_ok()
    }
}
