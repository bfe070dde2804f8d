//! One process: a sequencer and a committer, step by step in one thread, so that a seed always gives the same life.

use std::collections::VecDeque;
use std::sync::Arc;

use doorward::generate::random::Random;
use doorward::io::memory::sink::{MemorySink, Published};
use doorward::pipeline::batch::ClosedBatch;
use doorward::pipeline::committer::{Committer, RunError, Sinks};
use doorward::pipeline::ports::{Keyspace, Sink, Store};
use doorward::pipeline::sequencer::Sequencer;

use crate::checks::Checked;
use crate::mortal::{Death, MortalSink, MortalStore, is_on_purpose};
use crate::world::{Life, Place, RELOAD, position};

/// What may differ from start to start, and changes no result.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    rows_kept: usize,
    chunk: usize,
    batch_records: usize,
    /// Closed batches that wait while the disk or a sink is slow.
    waiting: usize,
}

impl Sizes {
    pub const LARGE: Self = Self {
        rows_kept: 100_000,
        chunk: 256,
        batch_records: 1_000,
        waiting: 0,
    };

    pub fn some(random: &mut Random) -> Self {
        let mut up_to = |most: u64| usize::try_from(1 + random.below(most)).expect("small");
        Self {
            rows_kept: up_to(30),
            chunk: up_to(20),
            batch_records: up_to(40),
            waiting: up_to(4) - 1,
        }
    }
}

/// How a process ended before its work was done.
pub enum Ended {
    /// It died, or was killed between two steps.
    Died,
    /// It was told to stop, and stored what it had.
    Stopped,
}

pub struct Process {
    sequencer: Sequencer,
    committer: Committer,
    waiting: VecDeque<ClosedBatch>,
    next: usize,
    /// Reloads so far, in the life and not in the process.
    reloads: usize,
    sizes: Sizes,
    place: Place,
}

/// `None` when it died; any other error is one of the pipeline's.
fn alive<T>(result: Result<T, RunError>) -> Option<T> {
    match result {
        Ok(value) => Some(value),
        Err(error) if is_on_purpose(&error) => None,
        Err(error) => panic!("the pipeline failed by itself: {error}"),
    }
}

impl Process {
    /// Starts over what is on disk, with the settings that were in force there; `None` if it dies while it does.
    pub fn start(
        life: &Life,
        place: &Place,
        (sizes, reloads): (Sizes, usize),
        death: Option<Death>,
    ) -> Option<Self> {
        let engine = &life.version(reloads).engine;
        let store: Arc<dyn Store> = Arc::new(MortalStore {
            inner: Arc::clone(&place.store),
            death: death.clone(),
        });
        let sequencer = Sequencer::open(Arc::clone(engine), Arc::clone(&store), sizes.rows_kept);
        let mut sequencer = alive(sequencer.map_err(RunError::from))?;
        sequencer.keep_up(life.upkeep);
        let policy = *engine.risk.score_policy();
        let mut committer = alive(Committer::open(store, sinks(place, death.as_ref()), policy))?;
        committer.image_was_used(sequencer.last_image());
        Some(Self {
            sequencer,
            committer,
            waiting: VecDeque::new(),
            next: place.next_line(),
            reloads,
            sizes,
            place: place.clone(),
        })
    }

    /// Takes what arrived, closes and commits as its sizes say.
    pub fn step(
        mut self,
        life: &Life,
        lines: &[Vec<u8>],
        random: &mut Random,
        checked: &mut Checked,
    ) -> Result<Self, Ended> {
        // Now and then it falls behind, and has more to take at once later.
        if random.chance(0.3) {
            return Ok(self);
        }
        // A position that comes late makes a start read some lines again. Where rows are forgotten it may find that they
        // are, so there it comes at once.
        let tells = !life.is_whole() || random.chance(0.7);
        self.take(life, lines, tells);
        if self.sequencer.open_records() >= self.sizes.batch_records || random.chance(0.2) {
            self.close();
        }
        while self.waiting.len() > self.sizes.waiting {
            self.commit_next(checked).ok_or(Ended::Died)?;
        }
        if random.chance(0.01) {
            return Err(Ended::Died);
        }
        if random.chance(0.01) {
            self.store_all(checked).ok_or(Ended::Died)?;
            return Err(Ended::Stopped);
        }
        Ok(self)
    }

    /// Takes the next lines and, if it `tells`, the position behind them.
    fn take(&mut self, life: &Life, lines: &[Vec<u8>], tells: bool) {
        if lines.get(self.next).is_some_and(|line| line == RELOAD) {
            self.reload(life, lines);
        }
        let chunk = lines
            .iter()
            .skip(self.next)
            .take(self.sizes.chunk)
            .take_while(|line| *line != RELOAD);
        let chunk: Vec<_> = chunk.collect();
        let end = self.next + chunk.len();
        let mut arrivals: Vec<_> = (self.next..)
            .zip(&chunk)
            .filter_map(|(number, line)| life.line(self.reloads, number, line))
            .collect();
        if tells && !chunk.is_empty() {
            arrivals.push(position(end));
        }
        self.next = end;
        self.sequencer
            .admit(arrivals)
            .expect("reading never fails in memory");
    }

    /// Puts the next version in force between two batches, unless an earlier process did that.
    fn reload(&mut self, life: &Life, lines: &[Vec<u8>]) {
        let before = lines.iter().take(self.next).filter(|line| *line == RELOAD);
        let number = before.count() + 1;
        self.next += 1;
        if number <= self.reloads {
            return;
        }
        self.close();
        self.reloads = number;
        let engine = Arc::clone(&life.version(number).engine);
        self.sequencer
            .activate(engine, |line| life.again(number, line))
            .expect("reading never fails in memory");
    }

    fn close(&mut self) {
        self.waiting
            .extend(self.sequencer.close().expect("rows can be encoded"));
    }

    /// Commits the oldest batch that waits; `None` if the process dies of it.
    fn commit_next(&mut self, checked: &mut Checked) -> Option<()> {
        let Some(mut closed) = self.waiting.pop_front() else {
            return Some(());
        };
        let committed = self.committer.commit(&mut closed);
        // On disk it may be even if the process died.
        checked.after_a_commit(&self.place);
        alive(committed)?;
        self.sequencer.committed(closed.number);
        alive(self.committer.keep_up(closed))
    }

    /// What it does when it is told to stop.
    fn store_all(&mut self, checked: &mut Checked) -> Option<()> {
        self.sequencer.end();
        self.close();
        while !self.waiting.is_empty() {
            self.commit_next(checked)?;
        }
        alive(self.committer.finish())
    }

    /// Takes all lines to their end, lets what waits come to its end, and ends. It must not be going to die.
    pub fn finish(mut self, life: &Life, lines: &[Vec<u8>], settle: i64, checked: &mut Checked) {
        while self.next < lines.len() {
            self.take(life, lines, true);
            self.close();
            while !self.waiting.is_empty() {
                self.commit_next(checked).expect("nobody kills it");
            }
        }
        self.sequencer
            .finish(settle)
            .expect("reading never fails in memory");
        self.store_all(checked).expect("nobody kills it");
    }
}

fn sinks(place: &Place, death: Option<&Death>) -> Sinks {
    let sink = |name: &str, published: &Published| -> Option<Box<dyn Sink>> {
        let stored = place.one(Keyspace::Sink, &MemorySink::cursor_key(name));
        let inner =
            MemorySink::open(name, published, stored.as_deref()).expect("what was published is there");
        Some(Box::new(MortalSink {
            inner,
            store: Arc::clone(&place.store),
            death: death.cloned(),
            last: 0,
        }))
    };
    Sinks {
        decisions: sink("decisions", &place.decisions),
        dead_letters: sink("dead-letters", &place.dead_letters),
        mail: sink("alerts", &place.alerts),
        alerts: None,
    }
}
