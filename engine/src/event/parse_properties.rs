//! What holds for every event: paths, ways of writing, and that nothing makes the parser panic.

use super::parse::{read_carefully, read_quickly};
use super::parse_tests::{full, merged, parse_value, smallest, taken};
use super::*;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// Every path in a value down to its leaves, as keys and indices.
fn paths(value: &Value, at: &str, found: &mut Vec<(String, String)>) {
    let mut visit = |pointer: String, inner: &Value, named: String| {
        found.push((format!("{at}{pointer}"), named));
        paths(inner, &format!("{at}{pointer}"), found);
    };
    match value {
        Value::Object(members) => members
            .iter()
            .for_each(|(key, inner)| visit(format!("/{key}"), inner, format!(".{key}"))),
        Value::Array(members) => (0..)
            .zip(members)
            .for_each(|(index, inner)| visit(format!("/{index}"), inner, format!("[{index}]"))),
        _ => {}
    }
}

/// The dotted form of a JSON pointer.
fn dotted(pointer: &str) -> String {
    let named = |step: &str| {
        if step.parse::<usize>().is_ok() {
            format!("[{step}]")
        } else {
            format!(".{step}")
        }
    };
    pointer
        .split('/')
        .skip(1)
        .map(named)
        .collect::<String>()
        .trim_start_matches('.')
        .to_owned()
}

/// Whether the path lies inside an object that is kept as text.
fn is_kept(pointer: &str) -> bool {
    let mut steps = pointer.split('/').skip(1);
    let kept = [
        "factor", "contact", "backup", "recovery", "consent", "action", "applied",
    ];
    steps.next().is_some_and(|first| kept.contains(&first)) && steps.next().is_some()
}

#[test]
fn a_wrong_type_anywhere_is_named_by_its_path() {
    let mut found = Vec::new();
    paths(&full(), "", &mut found);
    assert!(found.len() > 130, "{}", found.len());
    for (pointer, _) in found.iter().filter(|(pointer, _)| !is_kept(pointer)) {
        let mut event = full();
        let value = event.pointer_mut(pointer).unwrap();
        *value = if value.is_array() {
            json!(true)
        } else {
            json!([[]])
        };
        let error = parse_value(&event).unwrap_err();
        assert_eq!(
            (&*error.field, error.reason),
            (&*dotted(pointer), Reason::WrongType),
            "{error}"
        );
    }
}

#[test]
fn null_and_unknown_fields_change_nothing_anywhere() {
    fn dirtied(value: &Value, pointer: &str) -> Value {
        match value {
            Value::Object(members)
                if !is_kept(&format!("{pointer}/x"))
                    && !pointer.ends_with("/hints")
                    && !pointer.ends_with("/attributes") =>
            {
                let inner = |(key, value): (&String, &Value)| {
                    (key.clone(), dirtied(value, &format!("{pointer}/{key}")))
                };
                let mut members: Map<_, _> = members.iter().map(inner).collect();
                members.insert("Id".to_owned(), json!({"type": [1, null, {"id": 2}]}));
                members.insert("unheard_of".to_owned(), Value::Null);
                Value::Object(members)
            }
            Value::Array(members) => {
                let inner = members
                    .iter()
                    .map(|value| dirtied(value, &format!("{pointer}/0")));
                Value::Array(inner.chain([Value::Null]).collect())
            }
            other => other.clone(),
        }
    }
    assert_eq!(parse_value(&dirtied(&full(), "")), parse_value(&full()));
}

#[test]
fn the_way_of_writing_changes_nothing() {
    let plain = full().to_string();
    let pretty = serde_json::to_string_pretty(&full())
        .unwrap()
        .replace("f\"", "\\u0066\"");
    assert_ne!(plain, pretty);
    let (plain, pretty) = (
        taken(plain.as_bytes()).unwrap(),
        taken(pretty.as_bytes()).unwrap(),
    );
    // Objects kept as text keep their white space; all else is equal.
    let kept_cleared = |event: LoginEvent| LoginEvent {
        factor: None,
        contact: None,
        backup: None,
        recovery: None,
        consent: None,
        action: None,
        applied: None,
        ..event
    };
    assert_eq!(kept_cleared(plain), kept_cleared(pretty));
}

/// JSON that is made of the words of events, so that it gets past the first field.
fn json_of_event_words() -> impl Strategy<Value = Value> {
    let words = vec![
        "id",
        "type",
        "login",
        "2026-03-01T00:00:00Z",
        "203.0.113.9",
        "success",
        "",
        "totp",
        "pwd",
    ];
    let keys = vec![
        "id",
        "source",
        "type",
        "time",
        "user",
        "client",
        "ip",
        "auth",
        "enrolled",
        "factors",
        "device",
        "attributes",
        "outcome",
        "feedback",
        "specversion",
        "data",
        "action",
        "x",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(words).prop_map(Value::from),
        ".{0,8}".prop_map(Value::from)
    ];
    leaf.prop_recursive(5, 48, 6, move |inner| {
        let key = prop::sample::select(keys.clone()).prop_map(str::to_owned);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(key, inner, 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// The quick way must either give up or read what the careful way reads.
fn ways_agree(text: &str) -> bool {
    let quickly = read_quickly(text, &Limits::DEFAULT);
    quickly.is_none() || quickly == read_carefully(text, &Limits::DEFAULT).ok()
}

/// How senders write the same event: with white space, escapes, unknown fields, in another order.
fn ways_of_writing() -> [String; 6] {
    let plain = full().to_string();
    let spaced = plain
        .replace("\":", "\" :\t")
        .replace(",\"", " ,\r\n \"")
        .replace('}', " }");
    [
        serde_json::to_string_pretty(&full()).unwrap(),
        plain.replace("://", ":\\/\\/"),
        plain.replace("shop", "sh\\u00f8p \\\"\\\\"),
        plain.replacen('{', r#"{"x":[{"y":"\ud800]"},1e999],"é":-0.0,"#, 1),
        spaced,
        format!(" {plain}\n"),
    ]
}

#[test]
fn the_quick_way_takes_what_senders_write() {
    for text in ways_of_writing() {
        let quickly = read_quickly(&text, &Limits::DEFAULT);
        assert!(quickly.is_some(), "{text}");
        assert_eq!(quickly, read_carefully(&text, &Limits::DEFAULT).ok());
    }
}

#[test]
fn the_quick_way_takes_no_damaged_json() {
    for damaged in [
        r#"{,"a":1}"#,
        r#"{"a":1,}"#,
        r#"{"a" 1}"#,
        r#"{"a":1 "b":2}"#,
        r#"{a:1}"#,
        r#"{"a":[1,]}"#,
        r#"{"a":[,1]}"#,
        r#"{"a":[1 2]}"#,
        r#"{"a":01}"#,
        r#"{"a":1.}"#,
        r#"{"a":+1}"#,
        r#"{"a":truex}"#,
        r#"{"a":tru}"#,
        r#"{"a":nul"#,
        r#"{"a":"\x"}"#,
        "{\"a\":\"\t\"}",
        "{\"a\":\"b\\\n\"}",
        r#"{"a":"b}"#,
        r#"{"a":}"#,
        r#"{1:1}"#,
        r#"{"a":1]"#,
        r#"{"a":[1}"#,
        "{\"a\":\u{a0}1}",
    ] {
        // Where an unknown field stands, where a known one does, and where a name is read.
        for place in ["rtt", "rtt_tcp_ms", "origin", "hints"] {
            let (members, quoted) = (damaged.replace('a', place), format!("\"{place}\":{damaged}"));
            for patch in [members, format!("{{{quoted}}}")] {
                let text = smallest()
                    .to_string()
                    .replacen('{', &format!("{{\"device\":{patch},"), 1);
                assert_eq!(read_quickly(&text, &Limits::DEFAULT), None, "{text}");
            }
        }
    }
}

proptest! {
    #[test]
    fn damaged_events_read_alike_both_ways(
        which in 0usize..6, at in any::<prop::sample::Index>(), length in 0usize..4, piece in "[\\PC\"\\\\{}\\[\\]:,0-9eE.+\u{0}-\u{20}-]{0,3}"
    ) {
        let mut letters: Vec<char> = ways_of_writing()[which].chars().collect();
        let at = at.index(letters.len());
        let end = (at + length).min(letters.len());
        letters.splice(at..end, piece.chars());
        let text: String = letters.into_iter().collect();
        prop_assert!(ways_agree(&text), "{}", text);
    }

    #[test]
    fn random_objects_read_alike_both_ways(patch in json_of_event_words()) {
        prop_assert!(ways_agree(&merged(full(), &patch).to_string()));
        prop_assert!(ways_agree(&merged(smallest(), &patch).to_string()));
    }

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(taken(&bytes).is_err());
    }

    #[test]
    fn random_objects_never_panic(patch in json_of_event_words()) {
        let _ = parse_value(&patch);
        if let Err(error) = parse_value(&merged(full(), &patch)) {
            // What is well formed is never told to be no JSON, and the sentence names the field.
            prop_assert!(error.reason != Reason::InvalidJson && error.reason != Reason::InvalidUtf8);
            prop_assert!(error.message.contains(&error.field));
            prop_assert!(!error.message.chars().any(char::is_control));
        }
    }

    #[test]
    fn damaged_events_never_panic(at in 0usize..4000, byte in any::<u8>(), cut in 0usize..4000) {
        let mut bytes = full().to_string().into_bytes();
        let length = bytes.len();
        bytes[at % length] = byte;
        let _ = taken(&bytes);
        bytes.truncate(cut % length);
        prop_assert!(taken(&bytes).is_err());
    }

    #[test]
    fn what_is_read_agrees_with_a_plain_json_reader(id in "\\PC{1,40}", seconds in 0i64..4_000_000_000, agent in ".{0,60}") {
        let time = Timestamp::from_seconds(seconds).to_string();
        let patch = json!({"id": id, "time": time, "client": {"user_agent": agent}});
        let read = parse_value(&merged(smallest(), &patch));
        if id.trim().is_empty() {
            prop_assert_eq!(read.unwrap_err().field, "id");
        } else {
            let read = read.unwrap();
            prop_assert_eq!(&*read.id, &*id);
            prop_assert_eq!(read.time.as_micros(), seconds * 1_000_000);
            prop_assert_eq!(read.client.user_agent.as_deref(), Some(&*agent).filter(|agent| !agent.trim().is_empty()));
        }
    }
}
