//! What the parser takes, what it refuses and how it names it.

use super::limits::Limits;
use super::*;
use serde_json::{Value, json};

const LIMITS: &Limits = &Limits::DEFAULT;

/// The parser with the built-in limits.
pub(super) fn taken(bytes: &[u8]) -> Result<LoginEvent, ParseError> {
    parse(bytes, LIMITS)
}

/// An event with every field that is read, so that tests can walk over all of them.
pub(super) fn full() -> Value {
    serde_json::from_str(include_str!("testdata/full.json")).unwrap()
}

pub(super) fn smallest() -> Value {
    json!({"id": "e-1", "source": "shop/web", "type": "login", "time": "2026-03-01T08:15:30Z",
        "user": {"id": "u-1"}, "outcome": "success", "client": {"ip": "203.0.113.9"}})
}

pub(super) fn parse_value(value: &Value) -> Result<LoginEvent, ParseError> {
    taken(value.to_string().as_bytes())
}

/// `base` with the members of `patch` set; `null` takes a member away.
pub(super) fn merged(mut base: Value, patch: &Value) -> Value {
    if let (Value::Object(base), Value::Object(patch)) = (&mut base, patch) {
        for (key, value) in patch {
            match (value, base.remove(key)) {
                (Value::Null, _) => {}
                (Value::Object(_), Some(old @ Value::Object(_))) => {
                    drop(base.insert(key.clone(), merged(old, value)))
                }
                _ => drop(base.insert(key.clone(), value.clone())),
            }
        }
    }
    base
}

#[test]
fn the_smallest_login_is_enough() {
    let event = parse_value(&smallest()).unwrap();
    let mut wanted = LoginEvent::new(
        "e-1",
        "shop/web",
        EventType::Login,
        Timestamp::parse("2026-03-01T08:15:30Z").unwrap(),
    );
    wanted.user.id = Some("u-1".into());
    wanted.outcome = Some(Outcome::Success);
    wanted.client.ip = Some([203, 0, 113, 9].into());
    assert_eq!(event, wanted);
    assert_eq!(event.stage, Stage::FirstFactor);
    assert!(event.is_interactive());
}

#[test]
fn every_field_arrives_where_it_belongs() {
    let event = parse_value(&full()).unwrap();
    assert_eq!(event.tenant.as_deref(), Some("acme"));
    assert_eq!(event.time.to_string(), "2026-03-01T08:15:30.500Z");
    assert_eq!(event.reason, Some(FailureReason::Policy));
    assert_eq!(
        event.user.contacts.as_ref().unwrap()[0].source,
        Some(ContactSource::Own)
    );
    assert_eq!(event.client.hints.get("Sec-CH-UA-Mobile"), Some("?0"));
    assert_eq!(event.client.rtt_app_ms, Some(30.5));
    assert!(event.client.agent.as_ref().unwrap().verified);
    assert_eq!(event.device.generation, Some(7));
    let attributes: Vec<_> = event.device.attributes.iter().collect();
    assert_eq!(
        attributes,
        [("cores", "8"), ("screen", "1920x1080"), ("touch", "false")]
    );
    assert_eq!(
        *event.auth.methods,
        [AuthMethod::Pwd, AuthMethod::Otp, AuthMethod::Other]
    );
    assert_eq!(event.auth.factors[0].method, FactorType::Totp);
    let enrolled = &event.auth.enrolled.as_ref().unwrap()[0];
    assert_eq!(
        (
            enrolled.code_space,
            enrolled.valid_at_once,
            enrolled.enrolled_level
        ),
        (Some(1_000_000), Some(3), Some(2))
    );
    assert_eq!(enrolled.categories.as_deref(), Some(&[Category::Have][..]));
    assert_eq!(event.auth.approver.as_ref().unwrap().device, event.device);
    assert_eq!(event.factor.as_deref(), Some(r#"{"id":"f"}"#));
    assert_eq!(event.feedback.as_ref().unwrap().verdict, Some(Verdict::NotMe));
}

#[test]
fn absent_enrolled_is_not_an_empty_list() {
    assert_eq!(parse_value(&smallest()).unwrap().auth.enrolled, None);
    let told = merged(smallest(), &json!({"auth": {"enrolled": []}}));
    assert_eq!(
        parse_value(&told).unwrap().auth.enrolled.as_deref(),
        Some(&[][..])
    );
    let null = smallest()
        .to_string()
        .replacen('{', r#"{"auth":{"enrolled":null},"#, 1);
    assert_eq!(taken(null.as_bytes()).unwrap().auth.enrolled, None);
}

#[test]
fn addresses_are_canonical() {
    for (given, wanted) in [
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("2001:DB8:0:0::1", "2001:db8::1"),
    ] {
        let event = parse_value(&merged(smallest(), &json!({"client": {"ip": given}}))).unwrap();
        assert_eq!(event.client.ip.unwrap().to_string(), wanted);
    }
}

#[test]
fn a_user_may_be_unknown_only_where_there_is_none() {
    let nobody = merged(smallest(), &json!({"user": null}));
    assert_eq!(parse_value(&nobody).unwrap_err().field, "user.id");
    for patch in [json!({"stage": "identifier"}), json!({"reason": "no_such_user"})] {
        assert!(parse_value(&merged(nobody.clone(), &patch)).is_ok(), "{patch}");
    }
}

#[test]
fn every_type_is_refused_without_what_it_requires_and_taken_with_it() {
    for &event_type in EventType::ALL {
        let mut whole = merged(full(), &json!({"stage": null, "reason": null}));
        whole["type"] = json!(event_type.as_str());
        assert!(parse_value(&whole).is_ok(), "{event_type}");
        for field in required(event_type) {
            let patch = field
                .path()
                .rsplit('.')
                .fold(Value::Null, |inner, key| json!({ key: inner }));
            let error = parse_value(&merged(whole.clone(), &patch)).unwrap_err();
            assert_eq!(
                (&*error.field, error.reason),
                (field.path(), Reason::MissingField),
                "{event_type}"
            );
            assert!(error.message.contains(event_type.as_str()));
        }
    }
}

#[test]
fn an_envelope_of_cloud_events_is_opened() {
    let envelope = json!({"specversion": "1.0", "id": "x", "source": "/bus", "type": "org.example.login",
        "time": "no matter", "datacontenttype": "application/json", "data": full()});
    assert_eq!(parse_value(&envelope), parse_value(&full()));
    let refused = |patch: Value| {
        let error = parse_value(&merged(envelope.clone(), &patch)).unwrap_err();
        (error.field, error.reason)
    };
    assert_eq!(
        refused(json!({"specversion": "2.0"})),
        ("specversion".to_owned(), Reason::UnknownValue)
    );
    assert_eq!(
        refused(json!({"data": null})),
        ("data".to_owned(), Reason::MissingField)
    );
    assert_eq!(
        refused(json!({"data": 5})),
        ("data".to_owned(), Reason::WrongType)
    );
    assert_eq!(
        refused(json!({"data": {"outcome": "yes"}})),
        ("data.outcome".to_owned(), Reason::UnknownValue)
    );
    assert_eq!(
        refused(json!({"data": {"source": "doorward"}})),
        ("data.source".to_owned(), Reason::ReservedSource)
    );
    let error = parse_value(&merged(envelope, &json!({"data": {"client": {"ip": 1}}}))).unwrap_err();
    assert_eq!(
        error.message,
        "`data.client.ip` must be an IP address as text, but is a number"
    );
}

#[test]
fn our_own_source_is_for_ourselves() {
    for source in ["doorward", " Doorward"] {
        let own = merged(smallest(), &json!({"source": source}));
        let error = parse_value(&own).unwrap_err();
        assert_eq!((&*error.field, error.reason), ("source", Reason::ReservedSource));
        assert!(parse_own(own.to_string().as_bytes(), LIMITS).is_ok());
    }
}

/// A patch as it is written in the table: short words stand for what is long.
fn unfolded(value: Value) -> Value {
    let number = |word: &str, prefix: &str| {
        word.strip_prefix(prefix)
            .and_then(|count| count.parse::<usize>().ok())
    };
    let text = |word: String| number(&word, "=text ").map_or(word, |count| "x".repeat(count));
    match value {
        Value::String(word) => match number(&word, "=members ") {
            Some(count) => (0..count).map(|index| (format!("k{index}"), json!(1))).collect(),
            None => Value::String(text(word)),
        },
        Value::Array(members) => match members
            .first()
            .and_then(Value::as_str)
            .and_then(|word| number(word, "=times "))
        {
            Some(count) => Value::Array(vec![unfolded(members[1].clone()); count]),
            None => members.into_iter().map(unfolded).collect(),
        },
        Value::Object(members) => members
            .into_iter()
            .map(|(key, value)| (text(key), unfolded(value)))
            .collect(),
        other => other,
    }
}

#[test]
fn each_bad_field_is_named() {
    let cases = include_str!("testdata/bad_fields.txt")
        .lines()
        .filter(|line| line.contains('|') && !line.starts_with('#'));
    assert!(cases.clone().count() >= 90);
    for case in cases {
        let [reason, field, patch] = case
            .splitn(3, '|')
            .map(str::trim)
            .collect::<Vec<_>>()
            .try_into()
            .unwrap();
        let patch = unfolded(serde_json::from_str(patch).unwrap());
        let error = parse_value(&merged(smallest(), &patch)).unwrap_err();
        assert_eq!(
            (&*error.field, error.reason.as_str()),
            (field, reason),
            "{case}: {error}"
        );
        assert!(error.message.starts_with(&format!("`{field}` ")), "{error}");
        assert!(error.message.chars().count() < 400, "{error}");
    }
}

/// Asserts field and reason of the refusal of each line.
fn assert_refused(cases: &[(&[u8], &str, Reason)]) {
    for (bytes, field, reason) in cases {
        let error = taken(bytes).unwrap_err();
        let line = String::from_utf8_lossy(&bytes[..bytes.len().min(80)]).into_owned();
        assert_eq!(
            (&*error.field, error.reason),
            (*field, *reason),
            "{line}: {error}"
        );
    }
}

#[test]
fn a_bad_line_is_told_as_a_whole() {
    use Reason as R;
    let small = smallest().to_string();
    assert_refused(&[
        (b"", "", R::InvalidJson),
        (b"{", "", R::InvalidJson),
        (b"not json", "", R::InvalidJson),
        (b"{'id': 1}", "", R::InvalidJson),
        (b"{\"id\": \"a\",}", "", R::InvalidJson),
        (b"{\"id\": \"a\nb\"}", "", R::InvalidJson),
        (b"{\"zzz\": 01}", "", R::InvalidJson),
        (small.repeat(2).as_bytes(), "", R::InvalidJson),
        (&small.as_bytes()[..small.len() - 1], "", R::InvalidJson),
        (b"{\"id\": \"\xff\"}", "", R::InvalidUtf8),
        (b"\xed\xa0\x80", "", R::InvalidUtf8),
        (b"null", "", R::WrongType),
        (b"[]", "", R::WrongType),
        (b"\"login\"", "", R::WrongType),
        (b"5", "", R::WrongType),
        (b"{}", "id", R::MissingField),
        (&vec![b' '; LIMITS.event_bytes + 1], "", R::TooLarge),
    ]);
}

/// The smallest login with more members in front.
fn with(members: &str) -> Vec<u8> {
    smallest()
        .to_string()
        .replacen('{', &format!("{{{members},"), 1)
        .into_bytes()
}

#[test]
fn json_that_nobody_can_hold_is_refused_by_field() {
    let table = [
        (
            r#""device":{"generation":1e400}"#,
            "device.generation",
            Reason::OutOfRange,
        ),
        (
            r#""device":{"attributes":{"a":1e400}}"#,
            "device.attributes.a",
            Reason::OutOfRange,
        ),
        (
            r#""auth":{"approver":{"client":{"rtt_tcp_ms":-1e400}}}"#,
            "auth.approver.client.rtt_tcp_ms",
            Reason::OutOfRange,
        ),
        (
            r#""device":{"id":"Moz \ud83d"}"#,
            "device.id",
            Reason::InvalidUtf8,
        ),
        (
            r#""auth":{"methods":["pwd","\udc00"]}"#,
            "auth.methods[1]",
            Reason::InvalidUtf8,
        ),
        (r#""reason":"\ud83d\ud83d""#, "reason", Reason::InvalidUtf8),
        (r#""device":{"\ud83d":1}"#, "device", Reason::InvalidUtf8),
    ];
    for (members, field, reason) in table {
        assert_refused(&[(&with(members), field, reason)]);
        let enveloped = [
            b"{\"specversion\":\"1.0\",\"data\":".as_slice(),
            &with(members),
            b"}",
        ]
        .concat();
        assert_refused(&[(&enveloped, &format!("data.{field}"), reason)]);
    }
    assert_refused(&[(b"{\"id\": \"\\ud800\"}", "id", Reason::InvalidUtf8)]);
    let error = taken(&with(r#""device":{"generation":1e400}"#)).unwrap_err();
    assert_eq!(
        error.message,
        "`device.generation` is a number that is too large, at column 29"
    );
    assert!(
        taken(&with(r#""z":{"a":1e400,"b":"\ud83d"}"#)).is_ok(),
        "passed over"
    );
}

#[test]
fn minus_zero_is_zero() {
    let event = taken(&with(r#""device":{"generation":-0}"#)).unwrap();
    assert_eq!(event.device.generation, Some(0));
}

#[test]
fn a_field_given_twice_is_refused_whatever_its_values() {
    for (members, field) in [
        (r#""id":null"#, "id"),
        (r#""user":null"#, "user"),
        (r#""outcome":"""#, "outcome"),
        (r#""outcome":" ""#, "outcome"),
        (r#""reason":null,"reason":null"#, "reason"),
        (r#""auth":{"enrolled":null,"enrolled":[]}"#, "auth.enrolled"),
        (r#""device":{"id":"a","id":null}"#, "device.id"),
        (
            r#""device":{"attributes":{"a":null,"a":2}}"#,
            "device.attributes.a",
        ),
        (
            r#""device":{"attributes":{"a":2,"b":1,"a":null}}"#,
            "device.attributes.a",
        ),
        (
            r#""device":{"attributes":{"a":"","a":null}}"#,
            "device.attributes.a",
        ),
        (r#""factor":null,"factor":{"id":"f"}"#, "factor"),
    ] {
        assert_refused(&[(&with(members), field, Reason::DuplicateField)]);
        // The other way round too: the smallest login comes first.
        let mut behind = smallest().to_string().into_bytes();
        behind.pop();
        behind.extend_from_slice(format!(",{members}}}").as_bytes());
        assert_refused(&[(&behind, field, Reason::DuplicateField)]);
    }
    let once = taken(&with(r#""device":{"attributes":{"a":null,"b":2}}"#)).unwrap();
    assert_eq!(once.device.attributes.iter().collect::<Vec<_>>(), [("b", "2")]);
}

#[test]
fn depth_and_repeats_are_refused_where_they_are() {
    let small = smallest().to_string();
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let with = |members: String| small.replacen('{', &format!("{{{members},"), 1);
    let cases = [
        (
            with(format!("\"x\":{}", deep(LIMITS.depth))),
            "x",
            Reason::TooDeep,
        ),
        (with(format!("\"x\":{}", deep(20_000))), "x", Reason::TooDeep),
        (
            small.replace("\"id\":\"u-1\"", &format!("\"id\":\"u\",\"y\":{}", deep(15))),
            "user.y",
            Reason::TooDeep,
        ),
        (
            with(format!("\"backup\":{{\"x\":{}}}", deep(15))),
            "backup",
            Reason::TooDeep,
        ),
        (with("\"id\":\"twice\"".to_owned()), "id", Reason::DuplicateField),
        (with("\"user\":{}".to_owned()), "user", Reason::DuplicateField),
        (
            with(r#""device":{"attributes":{"a":1,"b":2,"\u0061":3}}"#.to_owned()),
            "device.attributes.a",
            Reason::DuplicateField,
        ),
    ];
    for (line, field, reason) in &cases {
        assert_refused(&[(line.as_bytes(), field, *reason)]);
    }
}

#[test]
fn what_is_just_within_the_limits_is_taken() {
    let small = smallest().to_string();
    let deep = format!("{}{}", "[".repeat(LIMITS.depth - 1), "]".repeat(LIMITS.depth - 1));
    assert!(taken(small.replacen('{', &format!("{{\"x\":{deep},"), 1).as_bytes()).is_ok());
    let patch = json!({"id": "x".repeat(256), "client": {"user_agent": "é".repeat(512)}, "auth": {"methods": vec!["pwd"; 16]}});
    assert!(parse_value(&merged(smallest(), &patch)).is_ok());
    let mut padded = small.into_bytes();
    padded.resize(LIMITS.event_bytes, b' ');
    assert!(taken(&padded).is_ok());
}

#[test]
fn each_limit_in_force_is_the_one_that_refuses() {
    let refused = |value: &Value, limits: &Limits| {
        let error = parse(value.to_string().as_bytes(), limits).unwrap_err();
        (error.reason.as_str(), error.message)
    };
    let small = smallest();
    let length = small.to_string().len();
    let limits = Limits {
        event_bytes: length - 1,
        ..*LIMITS
    };
    let message = format!(
        "the event has more than {} bytes, which are the limit",
        length - 1
    );
    assert_eq!(refused(&small, &limits), ("too_large", message));
    let limits = Limits {
        id_bytes: 2,
        ..*LIMITS
    };
    let message = "`id` has 3 bytes, at most 2 are taken".to_owned();
    assert_eq!(refused(&small, &limits), ("too_long", message));
    let named = merged(
        small.clone(),
        &json!({"id": "e", "source": "s", "time": null, "device": {"attributes": {"abc": 1}}}),
    );
    assert!(refused(&named, &limits).1.contains("a name of more than 2 bytes"));
    let agent = merged(small, &json!({"client": {"user_agent": "curl/8.5.0"}}));
    let limits = Limits {
        user_agent_bytes: 9,
        ..*LIMITS
    };
    let message = "`client.user_agent` has 10 bytes, at most 9 are taken".to_owned();
    assert_eq!(refused(&agent, &limits), ("too_long", message));
}

/// The least that `limits.depth` can be.
#[test]
fn our_own_fields_nest_five_levels_deep() {
    let five = Limits { depth: 5, ..*LIMITS };
    let four = Limits { depth: 4, ..*LIMITS };
    let full = full().to_string();
    assert!(parse(full.as_bytes(), &five).is_ok());
    let error = parse(full.as_bytes(), &four).unwrap_err();
    assert_eq!(error.reason, Reason::TooDeep, "{error}");
    assert!(error.message.ends_with("nests deeper than 4 levels"), "{error}");
}

#[test]
fn messages_are_sentences_for_people() {
    let message = |patch: Value| parse_value(&merged(smallest(), &patch)).unwrap_err().message;
    assert_eq!(
        message(json!({"outcome": "sucess"})),
        "`outcome` is `sucess`, which is none of its values; did you mean `success`?"
    );
    assert_eq!(
        message(json!({"type": "factor.add"})),
        "`type` is `factor.add`, which is none of its values; did you mean `factor.added`?"
    );
    assert_eq!(
        message(json!({"auth": {"interactive": "no"}})),
        "`auth.interactive` must be true or false, but is text"
    );
    assert_eq!(
        message(json!({"client": {"ip": "fe80::1%eth0"}})),
        "`client.ip` is `fe80::1%eth0`, which is no IP address; leave out the zone"
    );
    assert_eq!(
        message(json!({"time": "\u{202e}now\u{7}"})),
        "`time` is `now`, which is no time of RFC 3339 such as `2026-03-01T08:15:30Z`"
    );
    assert_eq!(
        message(json!({"user": {"id": null}})),
        "`user.id` is missing; `login` requires it"
    );
    assert_eq!(
        message(json!({"id": "x".repeat(300)})),
        "`id` has 300 bytes, at most 256 are taken"
    );
    let error = taken(b"{\"id\": tru}").unwrap_err();
    assert_eq!(error.message, "the event is no JSON: expected ident at column 11");
}
