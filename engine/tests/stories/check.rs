//! Compares what came out of a story with what must come out. Everything that is not named must be quiet: allowed if
//! scored, and nobody told.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::expected::{Alike, Expect, Expected};
use crate::mail;
use crate::program::Told;

/// What is wrong, a line each.
pub fn check(expected: &Expected, told: &Told, events: &[u8]) -> Vec<String> {
    let decisions = told.decisions();
    let mut wrong = Vec::new();
    let mut named = BTreeSet::new();
    for expect in &expected.expect {
        let meant: Vec<&Value> = decisions
            .iter()
            .filter(|decision| expect.means(decision))
            .collect();
        if meant.len() != expect.count {
            wrong.push(format!(
                "{}: {} decisions, not {}",
                expect.event,
                meant.len(),
                expect.count
            ));
        }
        for decision in meant {
            named.insert(decision["decision_id"].to_string());
            let because = expect.because.as_deref().unwrap_or_default();
            let found = one(expect, decision, told);
            wrong.extend(
                found
                    .into_iter()
                    .map(|what| format!("{}: {what} {because}", text(&decision["event_id"]))),
            );
        }
    }
    for decision in decisions
        .iter()
        .filter(|decision| !named.contains(&decision["decision_id"].to_string()))
    {
        wrong.extend(quiet(decision));
    }
    for alike in &expected.alike {
        wrong.extend(not_alike(alike, &decisions));
    }
    wrong.extend(totals(expected, told, events, &decisions));
    wrong
}

/// One decision against what is said of it.
fn one(expect: &Expect, decision: &Value, told: &Told) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut same = |what: &str, expected: Option<Value>, found: &Value| {
        if let Some(expected) = expected.filter(|expected| expected != found) {
            wrong.push(format!("{what} is {found}, not {expected}; {}", ledger(decision)));
        }
    };
    let action = expect.action.clone().map(|action| {
        if action == "none" {
            Value::Null
        } else {
            action.into()
        }
    });
    same("action", action, &decision["action"]);
    same(
        "required_level",
        expect.required.map(Value::from),
        &decision["required_level"],
    );
    same(
        "achieved_level",
        expect.achieved.map(Value::from),
        &decision["achieved_level"],
    );
    same(
        "step_up.level",
        expect.step_up.map(Value::from),
        &decision["step_up"]["level"],
    );
    same(
        "device.state",
        expect.device.clone().map(|state| match state.as_str() {
            "none" => Value::Null,
            _ => Value::from(state),
        }),
        &decision["device"]["state"],
    );
    same(
        "device.name",
        expect.device_name.clone().map(Value::from),
        &decision["device"]["name"],
    );
    same(
        "maturity",
        expect.maturity.clone().map(Value::from),
        &decision["maturity"],
    );
    let degraded = if decision["degraded"].is_null() {
        Value::Array(Vec::new())
    } else {
        decision["degraded"].clone()
    };
    same("degraded", expect.degraded.clone().map(Value::from), &degraded);
    let fired = lines(decision, "fired");
    let names: Vec<&str> = fired.iter().map(|(rule, _)| rule.as_str()).collect();
    same(
        "the list of fired lines",
        expect.fired.clone().map(Value::from),
        &Value::from(names),
    );
    wrong.extend(numbers(expect, decision));
    wrong.extend(alerts(expect, decision, told));
    wrong
}

fn numbers(expect: &Expect, decision: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let score = decision["score"].as_f64().unwrap_or(f64::NAN);
    let far = |expected: f64| (score - expected).abs() > 0.005;
    if expect
        .score
        .is_some_and(|expected| !score.is_finite() || far(expected))
    {
        wrong.push(format!(
            "score is {score}, not {:?}; {}",
            expect.score,
            ledger(decision)
        ));
    }
    if expect
        .score_between
        .is_some_and(|[from, to]| !(from..=to).contains(&score))
    {
        wrong.push(format!(
            "score is {score}, not in {:?}; {}",
            expect.score_between,
            ledger(decision)
        ));
    }
    let fired: BTreeMap<String, f64> = lines(decision, "fired").into_iter().collect();
    for (rule, points) in &expect.points {
        if fired.get(rule).is_none_or(|found| (found - points).abs() > 0.005) {
            wrong.push(format!(
                "{rule} is {:?}, not {points}; {}",
                fired.get(rule),
                ledger(decision)
            ));
        }
    }
    for rule in expect.not_fired.iter().filter(|rule| fired.contains_key(*rule)) {
        wrong.push(format!("{rule} fired; {}", ledger(decision)));
    }
    let no_data = lines(decision, "no_data");
    for rule in &expect.no_data {
        if !no_data.iter().any(|(found, _)| found == rule) {
            wrong.push(format!("{rule} does not answer no_data; {}", ledger(decision)));
        }
    }
    wrong
}

/// The one alert that is due or held back, or none; and the words of its mail.
fn alerts(expect: &Expect, decision: &Value, told: &Told) -> Vec<String> {
    let alerts = decision["alerts"].as_array().cloned().unwrap_or_default();
    let found: Vec<(&str, Option<&str>)> = alerts
        .iter()
        .map(|alert| (text(&alert["kind"]), alert["why"].as_str()))
        .collect();
    let wanted: Vec<_> = expect
        .told
        .iter()
        .map(|kind| (kind.as_str(), expect.held_back.as_deref()))
        .collect();
    if found != wanted {
        return vec![format!(
            "alerts are {found:?}, not {wanted:?}; {}",
            ledger(decision)
        )];
    }
    let due = alerts.iter().find(|alert| alert["status"] == "due");
    let Some(id) = due.map(|alert| text(&alert["id"])) else {
        return Vec::new();
    };
    let Some((_, raw)) = told.mails.iter().find(|(found, _)| found == id) else {
        return vec![format!("the mail of alert {id} was not written")];
    };
    let said = mail::text_of(raw);
    let missing = expect
        .mail_says
        .iter()
        .filter(|words| !said.contains(words.as_str()));
    missing
        .map(|words| format!("the mail does not say `{words}`, but:\n{said}"))
        .collect()
}

/// What nobody named: allowed if it was scored, and nobody is mailed.
fn quiet(decision: &Value) -> Option<String> {
    let mailed = |alert: &Value| alert["status"] == "due";
    let told = decision["alerts"]
        .as_array()
        .is_some_and(|alerts| alerts.iter().any(mailed));
    let allowed = decision["action"].is_null() || decision["action"] == "allow";
    (told || !allowed).then(|| {
        format!(
            "{} is not quiet: {} {}; {}",
            decision["event_id"],
            decision["action"],
            decision["alerts"],
            ledger(decision)
        )
    })
}

fn not_alike(alike: &Alike, decisions: &[Value]) -> Option<String> {
    let score = |event: &String| {
        let found = decisions
            .iter()
            .find(|decision| decision["event_id"] == event.as_str());
        found
            .and_then(|decision| decision["score"].as_f64())
            .unwrap_or(f64::NAN)
    };
    let scores: Vec<f64> = alike.events.iter().map(score).collect();
    let (least, most) = scores.iter().fold((f64::MAX, f64::MIN), |(least, most), score| {
        (least.min(*score), most.max(*score))
    });
    let all_scored = scores.iter().all(|score| score.is_finite());
    let alike_enough = all_scored && most - least <= alike.within;
    (!alike_enough).then(|| format!("{:?} have the scores {scores:?}: {}", alike.events, alike.because))
}

fn totals(expected: &Expected, told: &Told, events: &[u8], decisions: &[Value]) -> Vec<String> {
    let mut wrong = Vec::new();
    let dead = told.dead_letters();
    let refused: Vec<(&str, &str)> = dead
        .iter()
        .map(|letter| (text(&letter["reason"]), text(&letter["field"])))
        .collect();
    let wanted: Vec<(&str, &str)> = expected
        .dead_letter
        .iter()
        .map(|letter| (letter.reason.as_str(), letter.field.as_str()))
        .collect();
    if refused != wanted {
        wrong.push(format!("refused lines are\n{refused:?}, not\n{wanted:?}"));
    }
    let blank = |line: &&[u8]| line.iter().all(u8::is_ascii_whitespace);
    let lines = events
        .split(|byte| *byte == b'\n')
        .filter(|line| !blank(line))
        .count();
    let repeated = lines.saturating_sub(decisions.len() + dead.len());
    let totals = &expected.totals;
    let found = (decisions.len(), dead.len(), repeated);
    if found != (totals.decisions, totals.dead_letters, totals.repeated) {
        wrong.push(format!(
            "decisions, dead letters and repeats are {found:?}, not {totals:?}"
        ));
    }
    let alerts = decisions
        .iter()
        .filter_map(|decision| decision["alerts"].as_array())
        .flatten();
    let mut held_back = BTreeMap::new();
    let mut due = 0_usize;
    for alert in alerts {
        match alert["why"].as_str() {
            Some(why) => *held_back.entry(why.to_owned()).or_default() += 1,
            None => due += 1,
        }
    }
    if held_back != expected.held_back {
        wrong.push(format!(
            "held back are {held_back:?}, not {:?}",
            expected.held_back
        ));
    }
    let later = later_mails(told, decisions);
    wrong.extend(not_told_later(expected, &later));
    let due = due + later.len();
    if due != told.mails.len() {
        wrong.push(format!(
            "{due} alerts are due, and {} mails were written",
            told.mails.len()
        ));
    }
    wrong
}

/// What is wrong with the mails that only the time raised.
fn not_told_later(expected: &Expected, later: &[String]) -> Vec<String> {
    let mut wrong = Vec::new();
    for mail in &expected.told_later {
        let says = |text: &&String| mail.says.iter().all(|words| text.contains(words.as_str()));
        let found = later.iter().filter(says).count();
        if found != mail.count {
            wrong.push(format!(
                "{} mails say {:?}, not {}: {}; all of them: {later:#?}",
                found, mail.says, mail.count, mail.because
            ));
        }
    }
    let expected_later: usize = expected.told_later.iter().map(|mail| mail.count).sum();
    if later.len() != expected_later {
        wrong.push(format!(
            "{} mails came later, not {expected_later}: {later:#?}",
            later.len()
        ));
    }
    wrong
}

/// Texts of the mails that no decision names.
fn later_mails(told: &Told, decisions: &[Value]) -> Vec<String> {
    let named: BTreeSet<&str> = decisions
        .iter()
        .filter_map(|decision| decision["alerts"].as_array())
        .flatten()
        .map(|alert| text(&alert["id"]))
        .collect();
    let later = told.mails.iter().filter(|(id, _)| !named.contains(id.as_str()));
    later.map(|(_, raw)| mail::text_of(raw)).collect()
}

fn lines(decision: &Value, status: &str) -> Vec<(String, f64)> {
    let ledger = decision["ledger"].as_array().cloned().unwrap_or_default();
    let these = ledger.iter().filter(|line| line["status"] == status);
    these
        .map(|line| {
            (
                text(&line["rule"]).to_owned(),
                line["points"].as_f64().unwrap_or(f64::NAN),
            )
        })
        .collect()
}

fn ledger(decision: &Value) -> String {
    let fired: Vec<String> = lines(decision, "fired")
        .into_iter()
        .map(|(rule, points)| format!("{rule} {points}"))
        .collect();
    format!("score {}: {}", decision["score"], fired.join(", "))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
