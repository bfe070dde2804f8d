//! The compact line of a decision, as it is streamed: one JSON object, UTF-8, without a newline.
//!
//! Written by hand into a buffer that is used again, as this runs for every event; only texts go through the JSON
//! library. Absent parts are left out. Points are decimals of at most two digits and exact.

use std::io::Write as _;

use doorward_rules::Points;

use super::decision::{AlertLine, Decision, FactorChoice, Id, LedgerLine, Level, Scored, StepUp};
use super::score::ScorePolicy;
use crate::event::Timestamp;

/// Bytes of a line up to the end of the advice: with what follows at most 4 KiB, unless names of the sender alone take
/// more.
const ADVICE_ENDS_AT: usize = 3_300;

/// Appends the line to `out`. `policy` gives the bounds of the word `band`.
pub fn write_decision(out: &mut Vec<u8>, decision: &Decision, policy: &ScorePolicy) {
    let start = out.len();
    raw(out, "{\"decision_id\":");
    id(out, decision.id);
    number(out, ",\"revision\":", decision.revision.into());
    text(out, ",\"event_id\":", &decision.event_id);
    text(out, ",\"source\":", &decision.source);
    text(out, ",\"tenant\":", &decision.tenant);
    if let Some(user) = &decision.user_id {
        text(out, ",\"user_id\":", user);
    }
    text(out, ",\"type\":", &decision.event_type);
    raw(out, ",\"time\":\"");
    display(out, Timestamp::from_micros(decision.time));
    number(out, "\",\"seq\":", decision.seq);
    if let Some(scored) = &decision.scored {
        write_scored(out, scored, policy);
    }
    write_alerts(out, &decision.alerts);
    if let Some(step_up) = decision
        .scored
        .as_ref()
        .and_then(|scored| scored.step_up.as_ref())
    {
        write_step_up(out, step_up, start + ADVICE_ENDS_AT);
    }
    if let Some(device) = &decision.device {
        word(out, ",\"device\":{\"state\":", device.state.as_str());
        text(out, ",\"name\":", &device.name);
        raw(out, "}");
    }
    if let Some(maturity) = decision.maturity {
        word(out, ",\"maturity\":", maturity.as_str());
    }
    if !decision.degraded.is_empty() {
        raw(out, ",\"degraded\":[");
        list(out, &decision.degraded, |out, input| string(out, input));
        raw(out, "]");
    }
    raw(out, ",\"versions\":");
    id(out, decision.versions);
    raw(
        out,
        if decision.final_verdict {
            ",\"final\":true"
        } else {
            ",\"final\":false"
        },
    );
    word(out, ",\"mode\":", decision.mode.as_str());
    raw(out, "}");
}

/// The word for a score: `low`, `medium` or `high`, by the bounds of levels 2 and 3. For reading only.
#[must_use]
pub fn band(score: Points, policy: &ScorePolicy) -> &'static str {
    if score >= policy.level3_from {
        "high"
    } else if score >= policy.level2_from {
        "medium"
    } else {
        "low"
    }
}

fn write_scored(out: &mut Vec<u8>, scored: &Scored, policy: &ScorePolicy) {
    word(out, ",\"action\":", scored.action.as_str());
    level(out, ",\"required_level\":", scored.required);
    level(out, ",\"achieved_level\":", scored.achieved);
    points(out, ",\"base\":", scored.base);
    points(out, ",\"score\":", scored.score());
    word(out, ",\"band\":", band(scored.score(), policy));
    raw(out, ",\"ledger\":[");
    list(out, &scored.ledger, write_line);
    raw(out, "]");
}

fn write_line(out: &mut Vec<u8>, line: &LedgerLine) {
    text(out, "{\"rule\":", line.rule.as_str());
    word(out, ",\"status\":", line.status.as_str());
    points(out, ",\"points\":", line.points);
    raw(out, "}");
}

fn write_alerts(out: &mut Vec<u8>, alerts: &[AlertLine]) {
    if alerts.is_empty() {
        return;
    }
    raw(out, ",\"alerts\":[");
    list(out, alerts, |out, alert| {
        raw(out, "{\"id\":");
        id(out, alert.id);
        text(out, ",\"kind\":", &alert.kind);
        text(out, ",\"to\":", &alert.to);
        match &alert.held_back {
            None => raw(out, ",\"status\":\"due\"}"),
            Some(why) => {
                text(out, ",\"status\":\"held_back\",\"why\":", why);
                raw(out, "}");
            }
        }
    });
    raw(out, "]");
}

/// Where factors are too many for the line, those that may be used come first, and what is left out is counted; the
/// stored decision has them all.
fn write_step_up(out: &mut Vec<u8>, step_up: &StepUp, end: usize) {
    number(out, ",\"step_up\":{\"level\":", step_up.level.into());
    raw(out, ",\"factors\":[");
    let factors_left = write_choices(out, &step_up.factors, (1, end));
    raw(out, "],\"rejected\":[");
    let rejected_left = write_choices(out, &step_up.rejected, (0, end));
    raw(out, "]");
    for (key, left) in [
        (",\"factors_left_out\":", factors_left),
        (",\"rejected_left_out\":", rejected_left),
    ] {
        if left > 0 {
            number(out, key, left as u64);
        }
    }
    if let Some(usual) = step_up.usual {
        number(out, ",\"usual\":", usual.into());
    }
    if let Some(most) = step_up.enrolled_max {
        number(out, ",\"enrolled_max\":", most.into());
    }
    raw(out, "}");
}

/// Writes so many at least, and more as long as the line does not go beyond `end`; returns how many are left out.
fn write_choices(out: &mut Vec<u8>, choices: &[FactorChoice], (least, end): (usize, usize)) -> usize {
    for (at, choice) in choices.iter().enumerate() {
        let before = out.len();
        if at > 0 {
            out.push(b',');
        }
        write_choice(out, choice);
        if out.len() > end && at >= least {
            out.truncate(before);
            return choices.len() - at;
        }
    }
    0
}

fn write_choice(out: &mut Vec<u8>, choice: &FactorChoice) {
    text(out, "{\"id\":", &choice.id);
    text(out, ",\"why\":", &choice.why);
    raw(out, "}");
}

fn list<T>(out: &mut Vec<u8>, items: &[T], mut write: impl FnMut(&mut Vec<u8>, &T)) {
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write(out, item);
    }
}

fn raw(out: &mut Vec<u8>, json: &str) {
    out.extend_from_slice(json.as_bytes());
}

/// A word of our own, which needs no escapes.
fn word(out: &mut Vec<u8>, key: &str, value: &str) {
    raw(out, key);
    out.push(b'"');
    raw(out, value);
    out.push(b'"');
}

fn text(out: &mut Vec<u8>, key: &str, value: &str) {
    raw(out, key);
    string(out, value);
}

fn string(out: &mut Vec<u8>, value: &str) {
    let plain = |byte: u8| byte >= 0x20 && byte != b'"' && byte != b'\\';
    if value.bytes().all(plain) {
        out.push(b'"');
        raw(out, value);
        out.push(b'"');
    } else {
        // Writing text to memory does not fail.
        let _ = serde_json::to_writer(&mut *out, value);
    }
}

fn level(out: &mut Vec<u8>, key: &str, value: Level) {
    number(out, key, value.number().into());
}

fn points(out: &mut Vec<u8>, key: &str, value: Points) {
    raw(out, key);
    let hundredths = value.hundredths();
    if hundredths < 0 {
        out.push(b'-');
    }
    let size = hundredths.unsigned_abs();
    digits(out, u64::from(size / 100));
    match (size % 100, size % 10) {
        (0, _) => {}
        (cents, 0) => {
            out.push(b'.');
            digits(out, u64::from(cents / 10));
        }
        (cents, _) => {
            out.push(b'.');
            digits(out, u64::from(cents / 10));
            digits(out, u64::from(cents % 10));
        }
    }
}

fn number(out: &mut Vec<u8>, key: &str, value: u64) {
    raw(out, key);
    digits(out, value);
}

/// Decimal digits, without the machinery of formatting.
fn digits(out: &mut Vec<u8>, value: u64) {
    let start = out.len();
    let mut rest = value;
    loop {
        out.push(b'0' + (rest % 10) as u8);
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if let Some(written) = out.get_mut(start..) {
        written.reverse();
    }
}

fn id(out: &mut Vec<u8>, id: Id) {
    const HEX: [u8; 16] = *b"0123456789abcdef";
    let digit = |nibble: u8| HEX.get(usize::from(nibble)).copied().unwrap_or(b'0');
    out.push(b'"');
    for byte in id.0 {
        out.extend_from_slice(&[digit(byte >> 4), digit(byte & 15)]);
    }
    out.push(b'"');
}

fn display(out: &mut Vec<u8>, value: impl std::fmt::Display) {
    // Writing to memory does not fail.
    let _ = write!(out, "{value}");
}

#[cfg(test)]
mod tests;
