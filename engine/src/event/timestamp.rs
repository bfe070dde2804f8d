//! A moment in time, as events carry it. Not a clock: nothing here asks what time it is.

use std::fmt;

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// Microseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// The text is no moment that we take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// Not of the form of RFC 3339, or a day, hour, minute or zone that does not exist.
    #[error("is no time of RFC 3339 such as `2026-03-01T08:15:30Z`")]
    Form,
    /// Before 1970 or after 2199: surely a mistake of units.
    #[error("lies outside the years 1970 to 2199")]
    Year,
}

impl Timestamp {
    /// The first moment we take.
    pub const MIN: Self = Self(0);
    /// The last moment we take: 2199-12-31T23:59:59.999999Z.
    pub const MAX: Self = Self(7_258_118_400 * MICROS_PER_SECOND - 1);

    /// From microseconds since the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// From whole seconds since the epoch.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(MICROS_PER_SECOND))
    }

    /// Microseconds since the epoch.
    pub const fn as_micros(self) -> i64 {
        self.0
    }

    /// Microseconds from `earlier` to here; negative if `earlier` is later.
    pub const fn micros_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Seconds from `earlier` to here; negative if `earlier` is later.
    pub const fn seconds_since(self, earlier: Self) -> f64 {
        self.micros_since(earlier) as f64 / 1e6
    }

    /// Days of 24 hours from `earlier` to here; negative if `earlier` is later.
    pub const fn days_since(self, earlier: Self) -> f64 {
        self.seconds_since(earlier) / 86_400.0
    }

    /// So many microseconds later, or earlier when negative.
    #[must_use]
    pub const fn plus_micros(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }

    /// So many milliseconds later, or earlier when negative.
    #[must_use]
    pub const fn plus_ms(self, ms: i64) -> Self {
        self.plus_micros(ms.saturating_mul(1_000))
    }

    /// So many seconds later, or earlier when negative.
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        self.plus_micros(seconds.saturating_mul(MICROS_PER_SECOND))
    }

    /// So many days of 24 hours later, or earlier when negative.
    #[must_use]
    pub const fn plus_days(self, days: i64) -> Self {
        self.plus_micros(days.saturating_mul(MICROS_PER_DAY))
    }

    /// The number of the UTC day, 0 being 1970-01-01.
    pub const fn day(self) -> i64 {
        self.0.div_euclid(MICROS_PER_DAY)
    }

    /// Reads a date and time of RFC 3339. Digits of a second beyond the sixth are dropped; a leap second counts as
    /// the second before it, as the epoch has no number for it.
    pub fn parse(text: &str) -> Result<Self, TimeError> {
        let (date_and_time, rest) = text.as_bytes().split_first_chunk::<19>().ok_or(TimeError::Form)?;
        let seconds = local_seconds(date_and_time)?;
        let (micros, zone) = fraction(rest)?;
        let utc = (seconds - offset_seconds(zone)?) * MICROS_PER_SECOND + micros;
        if !(Self::MIN.0..=Self::MAX.0).contains(&utc) {
            return Err(TimeError::Year);
        }
        Ok(Self(utc))
    }

    /// The year, month, day, and the microsecond of the day.
    const fn civil(self) -> (i64, i64, i64, i64) {
        let (year, month, day) = civil_of_day(self.day());
        (year, month, day, self.0.rem_euclid(MICROS_PER_DAY))
    }
}

/// Seconds since the epoch of `YYYY-MM-DDThh:mm:ss`, taken as UTC.
fn local_seconds(text: &[u8; 19]) -> Result<i64, TimeError> {
    const DIGIT: u8 = 127 - 9;
    const DATE: Form = Form::new(*b"0000-00-", [DIGIT, DIGIT, DIGIT, DIGIT, 127, DIGIT, DIGIT, 127]);
    const TIME: Form = Form::new(*b"00:00:00", [DIGIT, DIGIT, 127, DIGIT, DIGIT, 127, DIGIT, DIGIT]);
    let &[
        y1,
        y2,
        y3,
        y4,
        a,
        m1,
        m2,
        b,
        d1,
        d2,
        b'T' | b't' | b' ',
        ref time @ ..,
    ] = text
    else {
        return Err(TimeError::Form);
    };
    let [century, _, year, _, _, month, ..] = DATE.pairs([y1, y2, y3, y4, a, m1, m2, b])?;
    let [hour, _, _, minute, _, _, second, _] = TIME.pairs(*time)?;
    let (year, month, day) = (century * 100 + year, month, two(d1, d2)?);
    if hour > 23 || minute > 59 || second > 60 || day < 1 || day > days_in_month(year, month)? {
        return Err(TimeError::Form);
    }
    Ok(day_of_civil(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second.min(59))
}

/// Eight letters of a date or time, as numbers of eight bytes.
struct Form {
    /// `0` where a digit must stand, else the letter that must.
    letters: u64,
    /// How much the difference to the letter may be given until it goes beyond 127: 127, and 9 less for a digit.
    room: u64,
}

impl Form {
    const fn new(letters: [u8; 8], room: [u8; 8]) -> Self {
        Self {
            letters: u64::from_le_bytes(letters),
            room: u64::from_le_bytes(room),
        }
    }

    /// For each place the number that the digit there and the next one write. All eight at once: a time has fourteen
    /// digits, and an event has a handful of times.
    fn pairs(&self, text: [u8; 8]) -> Result<[i64; 8], TimeError> {
        const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
        let values = u64::from_le_bytes(text) ^ self.letters;
        if (((values & !HIGH) + self.room) | values) & HIGH != 0 {
            return Err(TimeError::Form);
        }
        // No byte of the sum is above 99.
        Ok((values * 10 + (values >> 8)).to_le_bytes().map(i64::from))
    }
}

/// The microseconds of `.ffff`, if any, and what follows.
const fn fraction(text: &[u8]) -> Result<(i64, &[u8]), TimeError> {
    let Some((b'.', digits)) = text.split_first() else {
        return Ok((0, text));
    };
    let (mut micros, mut worth, mut rest) = (0, MICROS_PER_SECOND / 10, digits);
    while let Some((digit @ b'0'..=b'9', behind)) = rest.split_first() {
        micros += (*digit - b'0') as i64 * worth;
        worth /= 10;
        rest = behind;
    }
    if rest.len() == digits.len() {
        return Err(TimeError::Form);
    }
    Ok((micros, rest))
}

/// Seconds east of UTC of `Z`, `+hh:mm` or `-hh:mm`.
fn offset_seconds(zone: &[u8]) -> Result<i64, TimeError> {
    let (sign, h1, h2, m1, m2) = match *zone {
        [b'Z' | b'z'] => return Ok(0),
        [b'+', h1, h2, b':', m1, m2] => (1, h1, h2, m1, m2),
        [b'-', h1, h2, b':', m1, m2] => (-1, h1, h2, m1, m2),
        _ => return Err(TimeError::Form),
    };
    let (hours, minutes) = (two(h1, h2)?, two(m1, m2)?);
    if hours > 23 || minutes > 59 {
        return Err(TimeError::Form);
    }
    Ok(sign * (hours * 3_600 + minutes * 60))
}

/// The number that two digits write.
const fn two(tens: u8, ones: u8) -> Result<i64, TimeError> {
    if tens.is_ascii_digit() && ones.is_ascii_digit() {
        Ok(((tens - b'0') * 10 + (ones - b'0')) as i64)
    } else {
        Err(TimeError::Form)
    }
}

const fn days_in_month(year: i64, month: i64) -> Result<i64, TimeError> {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => Ok(31),
        4 | 6 | 9 | 11 => Ok(30),
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => Ok(29),
        2 => Ok(28),
        _ => Err(TimeError::Form),
    }
}

/// Days since 1970-01-01 in the Gregorian calendar. Counting years from March puts the leap day last, so that the
/// months before it always have the same lengths: 153 days in each five of them.
const fn day_of_civil(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}

/// The inverse of [`day_of_civil`].
const fn civil_of_day(day: i64) -> (i64, i64, i64) {
    const DAYS_PER_400_YEARS: i64 = 146_097;
    let day = day + 719_468;
    let (era, day) = (
        day.div_euclid(DAYS_PER_400_YEARS),
        day.rem_euclid(DAYS_PER_400_YEARS),
    );
    // Take out the leap days before this one, and years are 365 days each.
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day_of_month = day - (153 * month + 2) / 5 + 1;
    let (year, month) = if month < 10 {
        (year, month + 3)
    } else {
        (year + 1, month - 9)
    };
    (era * 400 + year, month, day_of_month)
}

/// RFC 3339 in UTC; with three or six digits of a second only where they are not zero.
impl fmt::Display for Timestamp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (text, length) = self.shown();
        out.write_str(std::str::from_utf8(text.get(..length).unwrap_or_default()).unwrap_or_default())
    }
}

impl Timestamp {
    /// Appends what is displayed. One stands in every decision, and formatting costs several times this.
    pub fn append_to(self, out: &mut Vec<u8>) {
        let (text, length) = self.shown();
        out.extend_from_slice(text.get(..length).unwrap_or_default());
    }

    /// RFC 3339 in UTC with as many groups of three decimals as there are, and the length of that.
    fn shown(self) -> ([u8; 27], usize) {
        let (year, month, day, micros) = self.civil();
        let seconds = micros / MICROS_PER_SECOND;
        let fraction = micros % MICROS_PER_SECOND;
        let (hour, minute, second) = (seconds / 3_600, seconds / 60 % 60, seconds % 60);
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        put_digits(&mut text[0..4], year);
        put_digits(&mut text[5..7], month);
        put_digits(&mut text[8..10], day);
        put_digits(&mut text[11..13], hour);
        put_digits(&mut text[14..16], minute);
        put_digits(&mut text[17..19], second);
        put_digits(&mut text[20..26], fraction);
        let length = match (fraction, fraction % 1_000) {
            (0, _) => 20,
            (_, 0) => 24,
            _ => 27,
        };
        if let Some(last) = text.get_mut(length - 1) {
            *last = b'Z';
        }
        (text, length)
    }
}

/// The last digits of a number, as many as there is room for.
fn put_digits(room: &mut [u8], value: i64) {
    let mut rest = value.unsigned_abs();
    for place in room.iter_mut().rev() {
        *place = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shown(text: &str) -> String {
        Timestamp::parse(text).unwrap().to_string()
    }

    #[test]
    fn zones_and_fractions_come_out_in_utc() {
        assert_eq!(shown("2026-03-01T08:15:30Z"), "2026-03-01T08:15:30Z");
        assert_eq!(shown("2026-03-01t08:15:30.25z"), "2026-03-01T08:15:30.250Z");
        assert_eq!(
            shown("2026-03-01 00:15:30.1234567+01:00"),
            "2026-02-28T23:15:30.123456Z"
        );
        assert_eq!(shown("2024-02-29T23:59:60-00:30"), "2024-03-01T00:29:59Z");
        assert_eq!(shown("2199-12-31T23:59:59.999999Z"), Timestamp::MAX.to_string());
        assert_eq!(shown("1970-01-01T00:00:00Z"), Timestamp::MIN.to_string());
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "now",
            "2026-03-01",
            "2026-03-01T08:15:30",
            "2026-03-01T08:15Z",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-10T00:00:00Z",
            "2026-04-31T00:00:00Z",
            "2026-03-01T24:00:00Z",
            "2026-03-01T08:60:00Z",
            "2026-03-01T08:15:61Z",
            "2026-03-01T08:15:30.Z",
            "2026-03-01T08:15:30+24:00",
            "2026-03-01T08:15:30+0100",
            "2026-03-01T08:15:30Z ",
            " 2026-03-01T08:15:30Z",
            "1772352930",
            "2026-03-01T08:15:30+01:60",
            "2026-3-1T08:15:30Z",
            "２０26-03-01T08:15:30Z",
        ] {
            assert_eq!(Timestamp::parse(text), Err(TimeError::Form), "{text}");
        }
        for text in [
            "1969-12-31T23:59:59Z",
            "2200-01-01T00:00:00Z",
            "0000-01-01T00:00:00Z",
            "9999-12-31T00:00:00Z",
        ] {
            assert_eq!(Timestamp::parse(text), Err(TimeError::Year), "{text}");
        }
    }

    #[test]
    fn differences_have_signs() {
        let noon = Timestamp::parse("2026-03-01T12:00:00Z").unwrap();
        let later = noon.plus_days(1).plus_seconds(-3).plus_ms(500);
        assert_eq!(later.micros_since(noon), 86_397_500_000);
        assert!((noon.seconds_since(later) + 86_397.5).abs() < 1e-9);
        assert_eq!(later.day(), noon.day() + 1);
        assert_eq!(noon.plus_days(-1).day(), noon.day() - 1);
        assert_eq!(Timestamp::from_micros(-1).day(), -1);
    }

    proptest! {
        #[test]
        fn agrees_with_jiff_on_every_moment(micros in 0..=Timestamp::MAX.0, hours in -23i32..=23, minutes in 0i32..60) {
            let moment = Timestamp::from_micros(micros);
            prop_assert_eq!(Timestamp::parse(&moment.to_string()), Ok(moment));
            let theirs = jiff::Timestamp::from_microsecond(micros).unwrap();
            prop_assert_eq!(moment.to_string().parse::<jiff::Timestamp>().unwrap(), theirs);
            let sign = if hours < 0 { -1 } else { 1 };
            let zone = jiff::tz::Offset::from_seconds(hours * 3600 + sign * minutes * 60).unwrap();
            prop_assert_eq!(Timestamp::parse(&theirs.display_with_offset(zone).to_string()), Ok(moment));
        }

        #[test]
        fn what_we_take_jiff_takes_alike(
            text in "[12][0-9]{3}-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{1,6})?([Zz]|[+-]([01][0-9]|2[0-3]):[0-6][0-9])",
        ) {
            let theirs = text.parse::<jiff::Timestamp>();
            match Timestamp::parse(&text) {
                Ok(ours) => prop_assert_eq!(ours.as_micros(), theirs.unwrap().as_microsecond()),
                Err(TimeError::Form) => prop_assert!(theirs.is_err(), "{} is {:?}", text, theirs),
                Err(TimeError::Year) => {}
            }
        }

        #[test]
        fn never_panics(text in "\\PC{0,40}") {
            let _ = Timestamp::parse(&text);
        }
    }
}
