//! A variable of the tests, `DOORWARD_TEST_FAIL_AT=<place>:<count>`: the process ends when it passes the place for the
//! `count`-th time, as if it had been killed there. Nothing is closed, flushed or told.

use std::sync::atomic::{AtomicU64, Ordering};

use super::exit::CliError;
use crate::pipeline::faults::{Faults, Point};

const VARIABLE: &str = "DOORWARD_TEST_FAIL_AT";

/// What this process was told to do.
///
/// # Errors
/// [`CliError::Usage`] when the variable names no place.
pub fn of_process() -> Result<Faults, CliError> {
    let Some(told) = std::env::var_os(VARIABLE) else {
        return Ok(Faults::default());
    };
    let (place, count) = told
        .to_str()
        .and_then(read)
        .ok_or_else(|| CliError::Usage(format!("{VARIABLE} is `<place>:<count>`, not {told:?}")))?;
    let passed = AtomicU64::new(0);
    Ok(Faults::new(move |point| {
        if point == place && passed.fetch_add(1, Ordering::Relaxed) + 1 == count {
            std::process::abort();
        }
    }))
}

fn read(told: &str) -> Option<(Point, u64)> {
    let (place, count) = told.split_once(':')?;
    let count = count.parse().ok().filter(|count| *count > 0)?;
    Some((Point::named(place)?, count))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::faults::{Outlet, Step};

    #[test]
    fn a_place_and_a_count_are_read_and_nothing_else() {
        assert_eq!(read("timer:3"), Some((Point::Timer, 3)));
        let mail = Point::Sink(Outlet::Mail, Step::AfterPublish);
        assert_eq!(read("mail_after_publish:1"), Some((mail, 1)));
        for wrong in ["", "timer", "timer:", "timer:0", "timer:-1", "nowhere:1", ":1"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
