//! Rules between two settings, after each is valid by itself.

use std::collections::BTreeMap;
use std::fmt::Display;

use super::Settings;
use super::problem::Problem;
use super::raw::Origin;

/// Notes every pair of settings that contradict each other.
pub(super) fn check(settings: &Settings, origins: &BTreeMap<String, Origin>, problems: &mut Vec<Problem>) {
    let mut ordered = |low: (&str, &dyn Display), high: (&str, &dyn Display), holds: bool| {
        if holds {
            return;
        }
        let (key, found) = high;
        // The place of what somebody wrote: a default is not what they have to change.
        let origin_of = |key: &str| origins.get(key).cloned().unwrap_or(Origin::Default);
        let (key, found, allowed) = if origin_of(key) == Origin::Default {
            (low.0, low.1, format!("at most `{key}` ({found})"))
        } else {
            (key, found, format!("at least `{}` ({})", low.0, low.1))
        };
        problems.push(Problem::Conflict {
            origin: origin_of(key),
            key: key.to_owned(),
            found: format!("`{found}`"),
            allowed,
        });
    };
    let score = &settings.score;
    ordered(
        ("score.level2_from", &score.level2_from),
        ("score.level3_from", &score.level3_from),
        score.level2_from <= score.level3_from,
    );
    ordered(
        ("score.level3_from", &score.level3_from),
        ("score.deny_from", &score.deny_from),
        score.level3_from <= score.deny_from,
    );
    let alerts = &settings.alerts;
    ordered(
        ("alerts.user_per_hour", &alerts.user_per_hour),
        ("alerts.user_per_day", &alerts.user_per_day),
        alerts.user_per_hour <= alerts.user_per_day,
    );
    let (limits, doors) = (&settings.limits, &settings.doors);
    ordered(
        ("limits.event_bytes", &limits.event_bytes),
        ("doors.queue_bytes", &doors.queue_bytes),
        limits.event_bytes <= doors.queue_bytes,
    );
    ordered(
        ("limits.user_agent_bytes", &limits.user_agent_bytes),
        ("limits.event_bytes", &limits.event_bytes),
        limits.user_agent_bytes <= limits.event_bytes,
    );
}
