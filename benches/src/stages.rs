//! The stages of a login, each over lines of a warm world: how far a line goes is how much it costs.

use std::hint::black_box;
use std::iter;

use crate::logins::Line;
use crate::world::{CHUNK_LINES, Failure, World};

/// How far lines go. Each stage contains those before it, so that a difference is the price of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Lines are only made.
    Lines,
    /// Bytes to an event.
    Parse,
    /// With device, network and place.
    Enrich,
    /// With attempt, device identity, familiarity, signals, rules, ledger, learning and crowd counters.
    Decide,
    /// With the bytes of decision line, journal, decision and rows, in the memory store: the whole.
    Whole,
}

impl Stage {
    /// All, shortest way first.
    pub const ALL: [Self; 5] = [Self::Lines, Self::Parse, Self::Enrich, Self::Decide, Self::Whole];

    /// Name on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lines => "lines",
            Self::Parse => "parse",
            Self::Enrich => "enrich",
            Self::Decide => "decide",
            Self::Whole => "whole",
        }
    }

    /// The stage of this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|stage| stage.name() == name)
    }

    /// Takes lines as far as this stage goes.
    ///
    /// # Errors
    /// When the memory store fails.
    pub fn run(self, world: &mut World, lines: Vec<Line>) -> Result<(), Failure> {
        match self {
            Self::Lines => {
                black_box(lines);
            }
            Self::Parse => lines.iter().for_each(|line| {
                let _ = black_box(doorward::event::parse(
                    &line.bytes,
                    &doorward::event::Limits::DEFAULT,
                ));
            }),
            Self::Enrich => lines.into_iter().for_each(|line| {
                black_box(world.admit(line));
            }),
            Self::Decide => {
                let mut lines = lines.into_iter().peekable();
                while lines.peek().is_some() {
                    let chunk: Vec<Line> = iter::from_fn(|| lines.next()).take(CHUNK_LINES).collect();
                    for closed in world.decide(chunk, 4_096)? {
                        world.keep_rows(black_box(closed))?;
                    }
                }
            }
            Self::Whole => world.whole(&mut lines.into_iter())?,
        }
        Ok(())
    }
}
