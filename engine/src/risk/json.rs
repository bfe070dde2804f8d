//! The compact line of a decision, as it is streamed: one JSON object, UTF-8, without a newline.
//!
//! Written by hand into a buffer that is used again, as this runs for every event; only texts go through the JSON
//! library. Absent parts are left out. Points are decimals of at most two digits and exact.

use doorward_rules::Points;

use super::decision::{AlertLine, Decision, FactorChoice, Id, LedgerLine, Level, LineStatus, Scored, StepUp};
use super::score::ScorePolicy;
use crate::event::Timestamp;

/// Bytes to expect of one line.
const BYTES_EXPECTED: usize = 2_048;

/// Appends the line to `out`. `policy` gives the bounds of the word `band`.
pub fn write_decision(out: &mut Vec<u8>, decision: &Decision, policy: &ScorePolicy) {
    out.reserve(BYTES_EXPECTED);
    id(out, "{\"decision_id\":\"", decision.id);
    number(out, "\",\"revision\":", decision.revision.into());
    text(out, ",\"event_id\":\"", &decision.event_id);
    text(out, "\",\"source\":\"", &decision.source);
    text(out, "\",\"tenant\":\"", &decision.tenant);
    if let Some(user) = &decision.user_id {
        text(out, "\",\"user_id\":\"", user);
    }
    text(out, "\",\"type\":\"", &decision.event_type);
    raw(out, "\",\"time\":\"");
    Timestamp::from_micros(decision.time).append_to(out);
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
        write_step_up(out, step_up);
    }
    if let Some(device) = &decision.device {
        raw(out, ",\"device\":{\"state\":\"");
        raw(out, device.state.as_str());
        text(out, "\",\"name\":\"", &device.name);
        raw(out, "\"}");
    }
    if let Some(maturity) = decision.maturity {
        raw(out, ",\"maturity\":\"");
        raw(out, maturity.as_str());
        raw(out, "\"");
    }
    if !decision.degraded.is_empty() {
        raw(out, ",\"degraded\":[");
        list(out, &decision.degraded, |out, input| {
            text(out, "\"", input);
            raw(out, "\"");
        });
        raw(out, "]");
    }
    id(out, ",\"versions\":\"", decision.versions);
    raw(
        out,
        if decision.final_verdict {
            "\",\"final\":true,\"mode\":\""
        } else {
            "\",\"final\":false,\"mode\":\""
        },
    );
    raw(out, decision.mode.as_str());
    raw(out, "\"}");
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
    raw(out, ",\"action\":\"");
    raw(out, scored.action.as_str());
    level(out, "\",\"required_level\":", scored.required);
    level(out, ",\"achieved_level\":", scored.achieved);
    points(out, ",\"base\":", scored.base);
    points(out, ",\"score\":", scored.score());
    raw(out, ",\"band\":\"");
    raw(out, band(scored.score(), policy));
    raw(out, "\",\"ledger\":[");
    list(out, &scored.ledger, write_line);
    raw(out, "]");
}

fn write_line(out: &mut Vec<u8>, line: &LedgerLine) {
    text(out, "{\"rule\":\"", line.rule.as_str());
    let status = match line.status {
        LineStatus::Fired => "\",\"status\":\"fired\",\"points\":",
        LineStatus::NotApplicable => "\",\"status\":\"not_applicable\",\"points\":",
        LineStatus::NoData => "\",\"status\":\"no_data\",\"points\":",
        LineStatus::Covered => "\",\"status\":\"covered\",\"points\":",
        LineStatus::Excepted => "\",\"status\":\"excepted\",\"points\":",
        LineStatus::Error => "\",\"status\":\"error\",\"points\":",
    };
    points(out, status, line.points);
    raw(out, "}");
}

fn write_alerts(out: &mut Vec<u8>, alerts: &[AlertLine]) {
    if alerts.is_empty() {
        return;
    }
    raw(out, ",\"alerts\":[");
    list(out, alerts, |out, alert| {
        id(out, "{\"id\":\"", alert.id);
        text(out, "\",\"kind\":\"", &alert.kind);
        text(out, "\",\"to\":\"", &alert.to);
        match &alert.held_back {
            None => raw(out, "\",\"status\":\"due\"}"),
            Some(why) => {
                text(out, "\",\"status\":\"held_back\",\"why\":\"", why);
                raw(out, "\"}");
            }
        }
    });
    raw(out, "]");
}

fn write_step_up(out: &mut Vec<u8>, step_up: &StepUp) {
    number(out, ",\"step_up\":{\"level\":", step_up.level.into());
    raw(out, ",\"factors\":[");
    list(out, &step_up.factors, write_choice);
    raw(out, "],\"rejected\":[");
    list(out, &step_up.rejected, write_choice);
    raw(out, "]");
    if let Some(usual) = step_up.usual {
        number(out, ",\"usual\":", usual.into());
    }
    if let Some(most) = step_up.enrolled_max {
        number(out, ",\"enrolled_max\":", most.into());
    }
    raw(out, "}");
}

fn write_choice(out: &mut Vec<u8>, choice: &FactorChoice) {
    text(out, "{\"id\":\"", &choice.id);
    text(out, "\",\"why\":\"", &choice.why);
    raw(out, "\"}");
}

fn list<T>(out: &mut Vec<u8>, items: &[T], mut write: impl FnMut(&mut Vec<u8>, &T)) {
    for (at, item) in items.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        write(out, item);
    }
}

#[inline(always)]
fn raw(out: &mut Vec<u8>, json: &str) {
    out.extend_from_slice(json.as_bytes());
}

/// A text behind `before`, which ends with the quote that opens it. The quote that closes it is the caller's, as words
/// of our own between two texts are then one piece.
#[inline(always)]
fn text(out: &mut Vec<u8>, before: &str, value: &str) {
    raw(out, before);
    escaped(out, value);
}

fn escaped(out: &mut Vec<u8>, value: &str) {
    if is_plain(value.as_bytes()) {
        raw(out, value);
    } else {
        // The library writes both quotes. Writing text to memory does not fail.
        out.pop();
        let _ = serde_json::to_writer(&mut *out, value);
        out.pop();
    }
}

/// Whether nothing in a text needs an escape. Eight bytes are looked at together (Warren, Hacker's Delight, 2012,
/// 6-1); the last eight may overlap those before.
fn is_plain(text: &[u8]) -> bool {
    let (words, rest) = text.as_chunks::<8>();
    match text.last_chunk::<8>() {
        Some(last) => {
            words
                .iter()
                .fold(escapes_in(last), |found, word| found | escapes_in(word))
                == 0
        }
        None => rest
            .iter()
            .all(|byte| *byte >= 0x20 && *byte != b'"' && *byte != b'\\'),
    }
}

/// Not 0 if one of eight bytes needs an escape.
#[inline]
const fn escapes_in(bytes: &[u8; 8]) -> u64 {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    let all = u64::from_ne_bytes(*bytes);
    let quotes = all ^ (ONES * b'"' as u64);
    let slashes = all ^ (ONES * b'\\' as u64);
    // The highest bit of a byte is set where the byte is below 0x20, or where the difference is nothing.
    let found = (all.wrapping_sub(ONES * 0x20) & !all)
        | (quotes.wrapping_sub(ONES) & !quotes)
        | (slashes.wrapping_sub(ONES) & !slashes);
    found & (ONES * 0x80)
}

#[inline]
fn level(out: &mut Vec<u8>, key: &str, value: Level) {
    number(out, key, value.number().into());
}

#[inline(always)]
fn points(out: &mut Vec<u8>, key: &str, value: Points) {
    raw(out, key);
    decimal(out, value);
}

fn decimal(out: &mut Vec<u8>, value: Points) {
    let hundredths = value.hundredths();
    if hundredths < 0 {
        out.push(b'-');
    }
    let size = hundredths.unsigned_abs();
    digits(out, u64::from(size / 100));
    let (tenths, last) = (digit(size / 10), digit(size));
    match (tenths, last) {
        (b'0', b'0') => {}
        (_, b'0') => out.extend_from_slice(&[b'.', tenths]),
        _ => out.extend_from_slice(&[b'.', tenths, last]),
    }
}

#[inline(always)]
fn number(out: &mut Vec<u8>, key: &str, value: u64) {
    raw(out, key);
    digits(out, value);
}

/// Decimal digits, without the machinery of formatting.
fn digits(out: &mut Vec<u8>, value: u64) {
    match value {
        0..10 => out.push(digit(value as u32)),
        10..100 => out.extend_from_slice(&[digit(value as u32 / 10), digit(value as u32)]),
        _ => {
            digits(out, value / 100);
            let pair = (value % 100) as u32;
            out.extend_from_slice(&[digit(pair / 10), digit(pair)]);
        }
    }
}

/// The last decimal digit.
#[inline]
const fn digit(value: u32) -> u8 {
    b'0' + (value % 10) as u8
}

#[inline]
const fn hex(nibble: u8) -> u8 {
    nibble + if nibble < 10 { b'0' } else { b'a' - 10 }
}

fn id(out: &mut Vec<u8>, before: &str, id: Id) {
    let pairs = id.0.map(|byte| [hex(byte >> 4), hex(byte & 15)]);
    raw(out, before);
    out.extend_from_slice(pairs.as_flattened());
}

#[cfg(test)]
mod tests;
