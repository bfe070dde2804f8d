//! A world in which users have signed in before: an engine with the built-in rules, histories in a memory store, crowd
//! counters, caches. Everything that the whole does between bytes and stored decisions is here, on one thread.

use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

use doorward::cli::assemble::{Assembly, run_limits};
use doorward::config::Settings;
use doorward::enrich::EnrichCaches;
use doorward::event::Timestamp;
use doorward::generate::random::Random;
use doorward::history::crowd::Crowd;
use doorward::io::memory::store::MemoryStore;
use doorward::pipeline::admitted::{Arrival, Origin};
use doorward::pipeline::batch::{ClosedBatch, Outcome};
use doorward::pipeline::committer::{Committer, Sinks};
use doorward::pipeline::door::DoorPolicy;
use doorward::pipeline::engine::Engine;
use doorward::pipeline::ports::{Batch, InputIdentity, Store};
use doorward::pipeline::sequencer::Sequencer;

use crate::logins::{Line, Logins};

/// Whatever goes wrong ends the bench.
pub type Failure = Box<dyn Error>;

/// Lines that the sequencer takes at once, as from a door.
pub const CHUNK_LINES: usize = 256;
/// Visits of every user before anything is measured, and the days on which they are.
const VISIT_DAYS: [i64; 3] = [0, 7, 13];
/// Day on which measuring starts.
const FIRST_DAY: i64 = 16;
/// Time between two visits of different users while measuring.
const BETWEEN_VISITS_MICROS: i64 = 80_000;

/// How large a world.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Users with a history.
    pub users: u64,
    /// Rows kept decoded.
    pub rows_kept: usize,
}

impl Size {
    /// So many users; of a small world no more is kept decoded than of a large one, so that rows are read here too.
    #[must_use]
    pub fn of(users: u64) -> Self {
        let configured = run_limits(&Settings::default()).rows_kept;
        Self {
            users,
            rows_kept: configured.min(usize::try_from(users / 10).unwrap_or(configured)),
        }
    }
}

/// Everything between bytes and stored decisions.
pub struct World {
    /// Rules and limits in force.
    pub engine: Arc<Engine>,
    /// What the door does with bytes.
    pub door: DoorPolicy,
    /// Caches of the one worker.
    pub caches: EnrichCaches,
    /// Rows.
    pub store: Arc<MemoryStore>,
    /// The counters across users as they were before measuring, apart from the sequencer's.
    pub crowd: Crowd,
    sequencer: Sequencer,
    committer: Committer,
    batch_records: usize,
    logins: Logins,
    users: u64,
    random: Random,
    time: Timestamp,
    turn: u64,
    input: Arc<InputIdentity>,
    line: u64,
}

impl World {
    /// Lets every user sign in on a few days. Journal and decisions of that time are not kept.
    ///
    /// # Errors
    /// When the fixtures cannot be read, or a line is refused.
    pub fn new(size: Size) -> Result<Self, Failure> {
        let settings = settings();
        let assembly = Assembly::from_settings(&settings)?;
        let door = assembly.file_door(&settings, "default");
        let store = Arc::new(MemoryStore::new());
        let shared: Arc<dyn Store> = Arc::clone(&store) as Arc<dyn Store>;
        let engine = Arc::clone(&assembly.engine);
        let policy = *engine.risk.score_policy();
        let sequencer = Sequencer::open(Arc::clone(&engine), Arc::clone(&shared), size.rows_kept)?;
        let logins = Logins::new()?;
        let mut world = Self {
            caches: door.enricher.caches(),
            crowd: Crowd::new(engine.crowd),
            committer: Committer::open(Arc::clone(&shared), Sinks::default(), policy)?,
            batch_records: run_limits(&settings).batch.records,
            time: logins.start(),
            random: Random::new(1),
            input: Arc::new(InputIdentity {
                name: "bench".into(),
                first_line: [0; 32],
            }),
            users: size.users.max(1),
            turn: 0,
            line: 0,
            engine,
            door,
            store,
            sequencer,
            logins,
        };
        world.warm()?;
        world.committer = Committer::open(shared, Sinks::default(), policy)?;
        Ok(world)
    }

    fn warm(&mut self) -> Result<(), Failure> {
        let start = self.logins.start();
        let between = 86_400_000_000 / i64::try_from(self.users)?;
        let mut lines = Vec::new();
        for day in VISIT_DAYS {
            self.turn += 1;
            for (user, number) in (0..self.users).zip(0..) {
                let time = start.plus_days(day).plus_micros(number * between);
                self.logins.visit(user, self.turn, time, &mut lines);
                if lines.len() >= CHUNK_LINES {
                    self.take_in(&mut lines)?;
                }
            }
            self.take_in(&mut lines)?;
        }
        self.time = start.plus_days(FIRST_DAY);
        Ok(())
    }

    /// Decides, and keeps only histories and counters.
    fn take_in(&mut self, lines: &mut Vec<Line>) -> Result<(), Failure> {
        for closed in self.decide(std::mem::take(lines), 1)? {
            for outcome in &closed.outcomes {
                match outcome {
                    Outcome::Decided(event) => {
                        if let Some(seen) = &event.observation {
                            self.crowd.observe(seen, event.decision.now);
                        }
                    }
                    Outcome::Told(_)
                    | Outcome::Settled(_)
                    | Outcome::UserErased(_)
                    | Outcome::Activated(_) => {}
                    Outcome::Refused(letter, _) | Outcome::BackfilledRefused(letter, _) => {
                        return Err(letter.refusal.message.to_string().into());
                    }
                }
            }
            let (expected_head, new_head) = (closed.expected_head, closed.new_head);
            self.store.commit(Batch {
                expected_head,
                new_head,
                changes: closed.rows,
            })?;
            self.sequencer.committed(closed.number);
        }
        Ok(())
    }

    /// The next lines: visits of users drawn at random, each with a fresh turn.
    pub fn next_lines(&mut self, count: usize) -> Vec<Line> {
        let mut lines = Vec::with_capacity(count + 2);
        while lines.len() < count {
            self.turn += 1;
            let user = self.random.below(self.users);
            self.logins.visit(user, self.turn, self.time, &mut lines);
            self.time = self.time.plus_micros(BETWEEN_VISITS_MICROS);
        }
        lines.truncate(count);
        lines
    }

    /// A line as the door hands it over.
    pub fn admit(&mut self, line: Line) -> Arrival {
        self.line += 1;
        let origin = Origin {
            input: Arc::clone(&self.input),
            line: self.line,
            offset: 0,
        };
        let now = Some(line.now);
        Arrival::Line(Box::new(self.door.admit(
            line.bytes,
            origin,
            now,
            &mut self.caches,
        )))
    }

    /// Hands arrivals to the sequencer.
    ///
    /// # Errors
    /// When the store fails.
    pub fn sequence(&mut self, arrivals: Vec<Arrival>) -> Result<(), Failure> {
        Ok(self.sequencer.admit(arrivals)?)
    }

    /// Closes the open batch if it holds `records` or more.
    ///
    /// # Errors
    /// When a row cannot be encoded.
    pub fn close_at(&mut self, records: usize) -> Result<Option<ClosedBatch>, Failure> {
        if self.sequencer.open_records() < records {
            return Ok(None);
        }
        Ok(self.sequencer.close()?)
    }

    /// Bytes to batches that are closed and not committed.
    ///
    /// # Errors
    /// When the store fails.
    pub fn decide(&mut self, lines: Vec<Line>, records: usize) -> Result<Vec<ClosedBatch>, Failure> {
        let mut batches = Vec::new();
        let mut lines = lines.into_iter().peekable();
        while lines.peek().is_some() {
            let arrivals = lines
                .by_ref()
                .take(CHUNK_LINES)
                .map(|line| self.admit(line))
                .collect();
            self.sequence(arrivals)?;
            batches.extend(self.close_at(records)?);
        }
        batches.extend(self.close_at(1)?);
        Ok(batches)
    }

    /// Stores the rows of a batch and nothing else: what deciding needs, without the bytes of its results.
    ///
    /// # Errors
    /// When the store fails.
    pub fn keep_rows(&mut self, closed: ClosedBatch) -> Result<(), Failure> {
        let (expected_head, new_head) = (closed.expected_head, closed.new_head);
        self.store.commit(Batch {
            expected_head,
            new_head,
            changes: closed.rows,
        })?;
        self.sequencer.committed(closed.number);
        Ok(())
    }

    /// The whole: bytes to decision lines and rows in the store, batch by batch.
    ///
    /// # Errors
    /// When the store fails.
    pub fn whole(&mut self, lines: &mut dyn Iterator<Item = Line>) -> Result<(), Failure> {
        let mut lines = lines.peekable();
        while lines.peek().is_some() {
            let arrivals = lines
                .by_ref()
                .take(CHUNK_LINES)
                .map(|line| self.admit(line))
                .collect();
            self.sequence(arrivals)?;
            if let Some(closed) = self.close_at(self.batch_records)? {
                self.commit(closed)?;
            }
        }
        if let Some(closed) = self.close_at(1)? {
            self.commit(closed)?;
        }
        Ok(())
    }

    /// Encodes and stores a batch.
    fn commit(&mut self, mut closed: ClosedBatch) -> Result<(), Failure> {
        let number = closed.number;
        self.committer.commit(&mut closed)?;
        self.sequencer.committed(number);
        Ok(())
    }
}

/// The defaults, with the test databases.
#[must_use]
pub fn settings() -> Settings {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "..", "fixtures", "geoip"]
        .iter()
        .collect();
    let mut settings = Settings::default();
    settings.geoip.city = vec![folder.join("doorward-test-city.mmdb")];
    settings.geoip.asn = vec![folder.join("doorward-test-asn.csv")];
    settings.geoip.lists = vec![folder.join("doorward-test-networks.list")];
    settings
}
