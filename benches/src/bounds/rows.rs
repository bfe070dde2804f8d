//! Lines through doors and sequencer into a store that keeps what the next decision depends on: histories, failures,
//! attempts, timers, mailboxes. Journal and decisions, which grow with every event by design, are left out.

use std::error::Error;
use std::sync::Arc;

use doorward::cli::assemble::{Assembly, run_limits};
use doorward::config::Settings;
use doorward::enrich::EnrichCaches;
use doorward::io::memory::store::MemoryStore;
use doorward::pipeline::admitted::{Arrival, Origin};
use doorward::pipeline::batch::{ClosedBatch, Outcome};
use doorward::pipeline::door::DoorPolicy;
use doorward::pipeline::ports::{Batch, Change, InputIdentity, Keyspace, Store};
use doorward::pipeline::sequencer::Sequencer;

/// Whatever goes wrong ends the bench.
pub type Failure = Box<dyn Error>;

/// A pipeline whose rows are looked at.
pub struct Rows {
    door: DoorPolicy,
    caches: EnrichCaches,
    store: Arc<MemoryStore>,
    sequencer: Sequencer,
    input: Arc<InputIdentity>,
    line: u64,
}

impl Rows {
    /// Over an empty store.
    ///
    /// # Errors
    /// When geo files or rules are refused.
    pub fn new(settings: &Settings) -> Result<Self, Failure> {
        let assembly = Assembly::from_settings(settings)?;
        let store = Arc::new(MemoryStore::new());
        let shared: Arc<dyn Store> = Arc::clone(&store) as Arc<dyn Store>;
        let kept = run_limits(settings).rows_kept;
        let mut door = assembly.file_door(settings, "default");
        // The years that a bound takes may lie ahead of the wall clock.
        door.latest = Arc::new(|| i64::MAX);
        Ok(Self {
            caches: door.enricher.caches(),
            door,
            store,
            sequencer: Sequencer::open(Arc::clone(&assembly.engine), shared, kept)?,
            input: Arc::new(InputIdentity {
                name: "bound".into(),
                first_line: [0; 32],
            }),
            line: 0,
        })
    }

    /// Decides lines in one batch, and shows every row that it writes.
    ///
    /// # Errors
    /// When a line is refused.
    pub fn take(&mut self, lines: Vec<(Vec<u8>, i64)>, each: impl FnMut(&Change)) -> Result<(), Failure> {
        let arrivals = lines.into_iter().map(|(bytes, now)| {
            self.line += 1;
            let origin = Origin {
                input: Arc::clone(&self.input),
                line: self.line,
                offset: 0,
            };
            let line = self.door.admit(bytes, origin, Some(now), &mut self.caches);
            Arrival::Line(Box::new(line))
        });
        let arrivals = arrivals.collect();
        self.sequencer.admit(arrivals)?;
        self.keep(each)
    }

    /// Lets what waits come to its end within a day.
    ///
    /// # Errors
    /// When the store fails.
    pub fn settle(&mut self, each: impl FnMut(&Change)) -> Result<(), Failure> {
        self.sequencer.finish(86_400_000_000)?;
        self.keep(each)
    }

    fn keep(&mut self, each: impl FnMut(&Change)) -> Result<(), Failure> {
        let Some(closed) = self.sequencer.close()? else {
            return Ok(());
        };
        refuse_refusals(&closed)?;
        closed.rows.iter().for_each(each);
        self.store.commit(Batch {
            expected_head: closed.expected_head,
            new_head: closed.new_head,
            changes: closed.rows,
        })?;
        self.sequencer.committed(closed.number);
        Ok(())
    }

    /// How many rows a table holds.
    ///
    /// # Errors
    /// When the store fails.
    pub fn count(&self, keyspace: Keyspace) -> Result<u64, Failure> {
        Ok(self.sizes(keyspace)?.len() as u64)
    }

    /// Bytes of every value of a table, in ascending order.
    ///
    /// # Errors
    /// When the store fails.
    pub fn sizes(&self, keyspace: Keyspace) -> Result<Vec<u64>, Failure> {
        let rows = self.store.scan(keyspace, &[], &[], usize::MAX)?;
        let mut sizes: Vec<u64> = rows.iter().map(|row| row.value.len() as u64).collect();
        sizes.sort_unstable();
        Ok(sizes)
    }
}

/// A line that is refused would show nothing.
fn refuse_refusals(closed: &ClosedBatch) -> Result<(), Failure> {
    for outcome in &closed.outcomes {
        if let Outcome::Refused(letter, _) | Outcome::BackfilledRefused(letter, _) = outcome {
            let line = String::from_utf8_lossy(&letter.bytes);
            return Err(format!("{}: {line}", letter.refusal.message).into());
        }
    }
    Ok(())
}
