//! Histories of people as they are: how large the rows are in the middle and at the end.

use doorward::generate::random::Random;
use doorward::pipeline::ports::Keyspace;

use super::Bound;
use super::rows::{Failure, Rows};
use crate::logins::{Line, Logins};
use crate::world;

const MEAN_BYTES_MAX: u64 = 450;
const P99_BYTES_MAX: u64 = 1_500;
/// How long they live in the bounded world, as long as people do in the demo.
const DAYS: i64 = 14;
/// How long they go on after that, to see where it leads: printed beside the bounds.
const DAYS_AFTER: i64 = 60;
/// Visits a day of those who come least and most; in between as many people in every octave.
const VISITS_A_DAY: (f64, f64) = (0.03, 2.0);
/// Lines taken at once.
const CHUNK: usize = 256;
const DAY_MICROS: i64 = 86_400_000_000;

/// Lets so many users live.
///
/// # Errors
/// When a line is refused.
pub fn check(users: u64) -> Result<Vec<Bound>, Failure> {
    let mut life = Life::of(users)?;
    life.live(DAYS)?;
    let (mean, p99) = life.sizes()?;
    life.live(DAYS_AFTER)?;
    life.sizes()?;
    Ok(vec![
        Bound::new("history of a user, mean", mean, MEAN_BYTES_MAX, "bytes"),
        Bound::new("history of a user, 99 of 100", p99, P99_BYTES_MAX, "bytes"),
    ])
}

struct Life {
    rows: Rows,
    logins: Logins,
    random: Random,
    rates: Vec<f64>,
    day: i64,
    turn: u64,
}

impl Life {
    fn of(users: u64) -> Result<Self, Failure> {
        let mut random = Random::stream(4, "lifelike", 0);
        Ok(Self {
            rows: Rows::new(&world::settings())?,
            logins: Logins::new()?,
            rates: (0..users).map(|_| rate(&mut random)).collect(),
            random,
            day: 0,
            turn: 0,
        })
    }

    fn live(&mut self, days: i64) -> Result<(), Failure> {
        let mut lines = Vec::new();
        for _ in 0..days {
            let mut visits = Vec::new();
            for (user, rate) in (0..).zip(&self.rates) {
                for _ in 0..self.random.poisson(*rate) {
                    visits.push((self.random.between(0, DAY_MICROS), user));
                }
            }
            visits.sort_unstable();
            let begin = self.logins.start().plus_days(self.day);
            for (time, user) in visits {
                self.turn += 1;
                self.logins
                    .visit(user, self.turn, begin.plus_micros(time), &mut lines);
                if lines.len() >= CHUNK {
                    self.take(&mut lines)?;
                }
            }
            self.day += 1;
        }
        self.take(&mut lines)
    }

    fn take(&mut self, lines: &mut Vec<Line>) -> Result<(), Failure> {
        let lines = lines.drain(..).map(|line| (line.bytes, line.now));
        self.rows.take(lines.collect(), |_| {})
    }

    /// Mean and the size of which 99 of 100 are not above; says more.
    fn sizes(&self) -> Result<(u64, u64), Failure> {
        let sizes = self.rows.sizes(Keyspace::User)?;
        let count = sizes.len().max(1);
        let mean = sizes.iter().sum::<u64>() / count as u64;
        let part = |part: usize| sizes.get(count * part / 100).copied().unwrap_or_default();
        println!(
            "after {} days and {} visits: {} histories, mean {mean}, half below {}, 99 of 100 below {}, largest {} bytes",
            self.day,
            self.turn,
            sizes.len(),
            part(50),
            part(99),
            sizes.last().unwrap_or(&0)
        );
        Ok((mean, part(99)))
    }
}

fn rate(random: &mut Random) -> f64 {
    let (least, most) = VISITS_A_DAY;
    least * (most / least).powf(random.unit())
}
