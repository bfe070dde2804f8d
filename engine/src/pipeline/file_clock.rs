//! `now` of lines read from files (clause S3): the running maximum of `event.time`. Repeats never come here: they are
//! no witnesses, and do not move the clock.
//!
//! A jump of more than a day ahead is believed only if the next line that parses is at most a day behind it, or none
//! follows; else one bad line would make everything after it late. So a jump is held until the next line is seen.
//! Live doors do not come here: their `now` is the arrival.

/// How many refused lines may wait behind a jump before it is given up.
const WAITING_MAX: usize = 4_096;

/// One line with its `now`.
#[derive(Debug, PartialEq, Eq)]
pub struct Stamped<T> {
    /// The line.
    pub item: T,
    /// Running maximum of `event.time`, microseconds since the epoch.
    pub now: i64,
    /// The line's time was a jump that the next line did not confirm: it must be refused as `time_jump`.
    pub jumped: bool,
}

/// Stamps lines in order.
#[derive(Debug)]
pub struct FileClock<T> {
    now: Option<i64>,
    jump_max: i64,
    held: Option<(i64, T)>,
    waiting: Vec<T>,
}

impl<T> FileClock<T> {
    /// A clock that stands at `now` (the store's, or `None` for an empty one); jumps above `jump_max` microseconds
    /// want a witness.
    #[must_use]
    pub fn new(now: Option<i64>, jump_max: i64) -> Self {
        Self {
            now,
            jump_max,
            held: None,
            waiting: Vec::new(),
        }
    }

    /// The line whose jump waits for a witness.
    #[must_use]
    pub fn held(&self) -> Option<&T> {
        self.held.as_ref().map(|(_, item)| item)
    }

    /// Everything that was pushed and is not certain yet, in order.
    pub fn waiting(&self) -> impl Iterator<Item = &T> {
        self.held().into_iter().chain(&self.waiting)
    }

    /// The same, to be changed.
    pub fn waiting_mut(&mut self) -> impl Iterator<Item = &mut T> {
        let held = self.held.as_mut().map(|(_, item)| item);
        held.into_iter().chain(&mut self.waiting)
    }

    /// Whether a line of this time would be held.
    #[must_use]
    pub fn would_jump(&self, time: i64) -> bool {
        self.now.is_none_or(|now| self.jumps_from(now, time))
    }

    /// Whether `time` is so far ahead of `now` that it wants a witness.
    #[must_use]
    pub fn jumps_from(&self, now: i64, time: i64) -> bool {
        time > now.saturating_add(self.jump_max)
    }

    /// Takes the next line with its `event.time`, or `None` if it does not parse; gives what is now certain.
    pub fn push(&mut self, time: Option<i64>, item: T, out: &mut Vec<Stamped<T>>) {
        match (time, self.held.is_some()) {
            (None, false) => out.push(self.stamp(item)),
            (None, true) => {
                self.waiting.push(item);
                if self.waiting.len() >= WAITING_MAX {
                    self.release(false, out);
                }
            }
            (Some(time), held) => {
                if held {
                    self.resolve(time, out);
                }
                self.take(time, item, out);
            }
        }
    }

    /// The input ended: a held jump is believed.
    pub fn finish(&mut self, out: &mut Vec<Stamped<T>>) {
        self.release(true, out);
    }

    fn take(&mut self, time: i64, item: T, out: &mut Vec<Stamped<T>>) {
        if self.would_jump(time) {
            self.held = Some((time, item));
        } else {
            self.now = self.now.max(Some(time));
            out.push(self.stamp(item));
        }
    }

    fn resolve(&mut self, next: i64, out: &mut Vec<Stamped<T>>) {
        let believed = self
            .held
            .as_ref()
            .is_some_and(|(time, _)| next >= time.saturating_sub(self.jump_max));
        self.release(believed, out);
    }

    fn release(&mut self, believed: bool, out: &mut Vec<Stamped<T>>) {
        if let Some((time, item)) = self.held.take() {
            if believed {
                self.now = self.now.max(Some(time));
            }
            out.push(Stamped {
                jumped: !believed,
                ..self.stamp(item)
            });
        }
        for item in std::mem::take(&mut self.waiting) {
            out.push(self.stamp(item));
        }
    }

    fn stamp(&self, item: T) -> Stamped<T> {
        Stamped {
            item,
            now: self.now.unwrap_or(0),
            jumped: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000_000;

    fn stamps(start: Option<i64>, lines: &[Option<i64>]) -> Vec<(i64, bool)> {
        let mut clock = FileClock::new(start, 24 * HOUR);
        let mut out = Vec::new();
        for (index, time) in lines.iter().enumerate() {
            clock.push(time.map(|hours| hours * HOUR), index, &mut out);
        }
        clock.finish(&mut out);
        let order: Vec<usize> = out.iter().map(|stamped| stamped.item).collect();
        assert_eq!(order, (0..lines.len()).collect::<Vec<_>>());
        out.into_iter()
            .map(|stamped| (stamped.now / HOUR, stamped.jumped))
            .collect()
    }

    #[test]
    fn now_never_goes_back() {
        let got = stamps(Some(0), &[Some(3), Some(1), Some(5)]);
        assert_eq!(got, [(3, false), (3, false), (5, false)]);
    }

    #[test]
    fn one_bad_line_does_not_make_the_rest_late() {
        let got = stamps(Some(0), &[Some(1), Some(500), Some(2), Some(3)]);
        assert_eq!(got, [(1, false), (1, true), (2, false), (3, false)]);
    }

    #[test]
    fn a_real_pause_is_believed() {
        let got = stamps(Some(0), &[Some(1), Some(500), Some(480), Some(501)]);
        assert_eq!(got, [(1, false), (500, false), (500, false), (501, false)]);
    }

    #[test]
    fn a_jump_at_the_end_is_believed() {
        assert_eq!(stamps(Some(0), &[Some(1), Some(500)]), [(1, false), (500, false)]);
    }

    #[test]
    fn the_first_line_needs_a_witness_too() {
        let got = stamps(None, &[Some(5_000), Some(2), Some(3)]);
        assert_eq!(got, [(0, true), (2, false), (3, false)]);
    }

    #[test]
    fn refused_lines_wait_behind_a_jump_and_keep_their_place() {
        let got = stamps(Some(0), &[Some(1), Some(500), None, Some(500)]);
        assert_eq!(got, [(1, false), (500, false), (500, false), (500, false)]);
    }

    #[test]
    fn endless_refused_lines_give_the_jump_up() {
        let mut lines = vec![Some(1), Some(500)];
        lines.extend(std::iter::repeat_n(None, WAITING_MAX));
        assert_eq!(stamps(Some(0), &lines).get(1), Some(&(1, true)));
    }
}
