use super::*;
use crate::risk::decision::{
    Action, DeviceState, DeviceVerdict, LineRule, LineStatus, Maturity, Mode, StepUp,
};
use proptest::prelude::*;
use serde_json::{Value, json};

fn line(rule: &str, status: LineStatus, hundredths: i32) -> LedgerLine {
    LedgerLine {
        rule: LineRule::Rule(rule.into()),
        status,
        points: Points::from_hundredths(hundredths),
    }
}

fn full() -> Decision {
    let choice = |id: &str, why: &str| FactorChoice {
        id: id.into(),
        why: why.into(),
    };
    Decision {
        id: Id([0xa5; 16]),
        revision: 0,
        event_id: "evt-\"1\"\n".into(),
        source: "shop/web".into(),
        tenant: "default".into(),
        user_id: Some("jane".into()),
        event_type: "login".into(),
        outcome: Some("success".into()),
        time: 1_780_000_000_250_000,
        now: 1_780_000_001_000_000,
        seq: 18_446_744_073_709_551_615,
        scored: Some(Scored {
            action: Action::StepUp,
            required: Level::Two,
            achieved: Level::One,
            base: Points::from_hundredths(1_000),
            sum: Points::from_hundredths(4_413),
            ledger: vec![
                line("new-device", LineStatus::Fired, 1_800),
                line("unfamiliar-address", LineStatus::Fired, 1_613),
                line("impossible-travel", LineStatus::NoData, 1_500),
            ],
            step_up: Some(StepUp {
                level: 2,
                factors: vec![choice("totp-1", "it is of another kind")],
                rejected: vec![choice("sms-1", "it was added less than 7 days before")],
                usual: Some(1),
                enrolled_max: Some(2),
            }),
        }),
        alerts: vec![
            AlertLine {
                id: Id([1; 16]),
                kind: "unknown_device_in".into(),
                to: "owner".into(),
                held_back: None,
            },
            AlertLine {
                id: Id([2; 16]),
                kind: "spray".into(),
                to: "analyst".into(),
                held_back: Some("budget".into()),
            },
        ],
        device: Some(DeviceVerdict {
            state: DeviceState::New,
            name: "Firefox on Windows".into(),
        }),
        maturity: Some(Maturity::Mature),
        degraded: vec!["auth.methods".into()],
        versions: Id([3; 16]),
        final_verdict: true,
        mode: Mode::Enforce,
        slots: vec![1, 2, 3],
    }
}

fn written(decision: &Decision) -> String {
    let mut out = Vec::new();
    write_decision(&mut out, decision, &ScorePolicy::default());
    String::from_utf8(out).unwrap()
}

#[test]
fn every_field_is_where_the_documentation_says() {
    let text = written(&full());
    let expected = json!({
        "decision_id": "a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5",
        "revision": 0,
        "event_id": "evt-\"1\"\n",
        "source": "shop/web",
        "tenant": "default",
        "user_id": "jane",
        "type": "login",
        "time": "2026-05-28T20:26:40.250Z",
        "seq": 18_446_744_073_709_551_615_u64,
        "action": "step_up",
        "required_level": 2,
        "achieved_level": 1,
        "base": 10,
        "score": 44.13,
        "band": "medium",
        "ledger": [
            {"rule": "new-device", "status": "fired", "points": 18},
            {"rule": "unfamiliar-address", "status": "fired", "points": 16.13},
            {"rule": "impossible-travel", "status": "no_data", "points": 15},
        ],
        "alerts": [
            {"id": "01010101010101010101010101010101", "kind": "unknown_device_in", "to": "owner", "status": "due"},
            {"id": "02020202020202020202020202020202", "kind": "spray", "to": "analyst", "status": "held_back", "why": "budget"},
        ],
        "step_up": {
            "level": 2,
            "factors": [{"id": "totp-1", "why": "it is of another kind"}],
            "rejected": [{"id": "sms-1", "why": "it was added less than 7 days before"}],
            "usual": 1,
            "enrolled_max": 2,
        },
        "device": {"state": "new", "name": "Firefox on Windows"},
        "maturity": "mature",
        "degraded": ["auth.methods"],
        "versions": "03030303030303030303030303030303",
        "final": true,
        "mode": "enforce",
    });
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), expected);
    assert!(!text.contains('\n'), "one line");
    assert!(text.starts_with("{\"decision_id\":"), "the id comes first");
}

#[test]
fn what_is_absent_is_left_out() {
    let decision = Decision {
        user_id: None,
        scored: None,
        alerts: Vec::new(),
        device: None,
        maturity: None,
        degraded: Vec::new(),
        ..full()
    };
    let value: Value = serde_json::from_str(&written(&decision)).unwrap();
    let keys: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
    let expected = [
        "decision_id",
        "event_id",
        "final",
        "mode",
        "revision",
        "seq",
        "source",
        "tenant",
        "time",
        "type",
        "versions",
    ];
    assert_eq!(keys, expected);
}

#[test]
fn the_score_is_clamped_and_named_by_its_band() {
    let shown = |sum| {
        let mut decision = full();
        decision.scored.as_mut().unwrap().sum = Points::from_hundredths(sum);
        let value: Value = serde_json::from_str(&written(&decision)).unwrap();
        (
            value["score"].to_string(),
            value["band"].as_str().unwrap().to_owned(),
        )
    };
    let table = [
        (-2_000, "0", "low"),
        (2_499, "24.99", "low"),
        (2_500, "25", "medium"),
        (4_999, "49.99", "medium"),
        (5_000, "50", "high"),
        (14_000, "100", "high"),
    ];
    for (sum, score, band) in table {
        assert_eq!(shown(sum), (score.to_owned(), band.to_owned()));
    }
}

#[test]
fn an_ordinary_decision_is_below_900_bytes() {
    assert!(written(&full()).len() < 1_400);
    let mut ordinary = full();
    ordinary.alerts.clear();
    ordinary.scored.as_mut().unwrap().step_up = None;
    assert!(written(&ordinary).len() < 900, "{}", written(&ordinary).len());
}

#[test]
fn a_line_with_many_long_factors_has_at_most_4_kib_and_counts_the_rest() {
    let choices = |count: usize, kind: &str| -> Vec<FactorChoice> {
        let choice = |number: usize| FactorChoice {
            id: format!("{kind}-{number}-{}", "x".repeat(240)).into(),
            why: "it lives on the device that is suspect itself, so it proves nothing more".into(),
        };
        (0..count).map(choice).collect()
    };
    for (usable, rejected) in [(0, 32), (16, 16), (32, 0), (1, 31), (2, 1)] {
        let mut decision = full();
        let advice = decision.scored.as_mut().unwrap().step_up.as_mut().unwrap();
        advice.factors = choices(usable, "may");
        advice.rejected = choices(rejected, "not");
        let text = written(&decision);
        assert!(text.len() <= 4_096, "{}", text.len());
        let value: Value = serde_json::from_str(&text).unwrap();
        let told = &value["step_up"];
        for (list, count, key) in [
            ("factors", usable, "factors_left_out"),
            ("rejected", rejected, "rejected_left_out"),
        ] {
            let shown = told[list].as_array().unwrap().len();
            let left = told.get(key).map_or(0, |left| left.as_u64().unwrap());
            assert_eq!(shown as u64 + left, count as u64, "{list}");
            assert_eq!(told.get(key).is_some(), left > 0, "{list}");
        }
        if usable > 0 {
            let first = told["factors"][0]["id"].as_str().unwrap();
            assert!(first.starts_with("may-0-"), "the first is always there");
        }
        assert_eq!(told["usual"], 1);
    }
}

proptest! {
    #[test]
    fn any_text_and_number_is_read_back(name in ".{0,40}", hundredths in any::<i32>(), seq in any::<u64>()) {
        let mut decision = full();
        decision.user_id = Some(name.as_str().into());
        decision.seq = seq;
        decision.scored.as_mut().unwrap().base = Points::from_hundredths(hundredths);
        let text = written(&decision);
        let value: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(value["user_id"].as_str(), Some(name.as_str()));
        prop_assert_eq!(value["seq"].as_u64(), Some(seq));
        // Points are written as their own type shows them.
        let base = format!("\"base\":{},", Points::from_hundredths(hundredths));
        prop_assert!(text.contains(&base));
    }
}
