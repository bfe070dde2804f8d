//! The timing loop: the median of some runs, and how far the others lie from it.

use std::time::{Duration, Instant};

/// Runs of one stage.
#[derive(Debug, Clone)]
pub struct Runs {
    sorted: Vec<Duration>,
    events: usize,
}

impl Runs {
    /// From the times of runs over so many events each; neither may be empty.
    #[must_use]
    pub fn new(mut times: Vec<Duration>, events: usize) -> Self {
        times.sort_unstable();
        Self {
            sorted: times,
            events: events.max(1),
        }
    }

    /// Nanoseconds an event: fastest run, median, slowest.
    #[must_use]
    pub fn nanos(&self) -> (f64, f64, f64) {
        let at = |index: usize| {
            let time = self.sorted.get(index).copied().unwrap_or_default();
            time.as_secs_f64() * 1e9 / self.events as f64
        };
        (
            at(0),
            at(self.sorted.len() / 2),
            at(self.sorted.len().saturating_sub(1)),
        )
    }
}

/// How long `work` takes.
pub fn time(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}
