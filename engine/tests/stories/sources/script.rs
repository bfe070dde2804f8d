//! The lines of one story in the making.

use doorward::event::Timestamp;
use doorward::generate::EventBuilder;

/// A second of the first day of every story: Monday, 5 January 2026, 00:00 UTC.
const FIRST_SECOND: i64 = 1_767_571_200;

/// A point in time: day of the story (0 is the first), hour, minute, second; UTC.
pub fn at(day: i64, hour: i64, minute: i64, second: i64) -> Timestamp {
    let seconds = (hour * 60 + minute) * 60 + second;
    Timestamp::from_seconds(FIRST_SECOND)
        .plus_days(day)
        .plus_seconds(seconds)
}

/// Day of the story that a point in time falls on.
pub fn day_of(time: Timestamp) -> i64 {
    time.day() - Timestamp::from_seconds(FIRST_SECOND).day()
}

/// Lines with the time at which they reach the file; told in any order, written in the order of that time.
#[derive(Default)]
pub struct Script {
    lines: Vec<(Timestamp, Vec<u8>)>,
}

impl Script {
    /// An event that is written down when it happens.
    pub fn tell(&mut self, time: Timestamp, event: EventBuilder) {
        self.tell_late(time, time, event);
    }

    /// An event that happened at `time` and is written down at `written`.
    pub fn tell_late(&mut self, written: Timestamp, time: Timestamp, event: EventBuilder) {
        self.tell_raw(written, event.at(time).line());
    }

    /// Any bytes.
    pub fn tell_raw(&mut self, written: Timestamp, line: impl Into<Vec<u8>>) {
        self.lines.push((written, line.into()));
    }

    /// The file.
    pub fn into_bytes(mut self) -> Vec<u8> {
        self.lines.sort_by_key(|(written, _)| *written);
        self.lines
            .into_iter()
            .flat_map(|(_, line)| line.into_iter().chain([b'\n']))
            .collect()
    }
}
