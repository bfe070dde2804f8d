//! What the parser takes, what it refuses and how it names it.

use super::limits::{ATTRIBUTES_MAX, DEPTH_MAX, EVENT_BYTES_MAX, KEPT_OBJECT_BYTES_MAX};
use super::*;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

/// An event with every field that is read, so that tests can walk over all of them.
fn full() -> Value {
    let client = json!({"ip": "203.0.113.9", "ip_source": "edge", "user_agent": "curl/8.5.0",
        "hints": {"Sec-CH-UA-Mobile": "?0"}, "accept_language": "da", "ja4": "t13d", "ja4h": "ge11", "h2": "1:2",
        "origin": "https://shop.example", "time_zone": "Europe/Copenhagen", "rtt_tcp_ms": 12, "rtt_app_ms": 30.5,
        "agent": {"id": "bot", "verified": true, "on_behalf": true}});
    let device = json!({"id": "d-1", "generation": 7, "key": {"thumbprint": "tp", "proved": true, "kind": "dbsc"},
        "kind": "browser", "managed": false, "compliant": true, "attributes": {"screen": "1920x1080", "cores": 8, "touch": false}});
    json!({"id": "e-1", "source": "shop/web", "type": "login", "time": "2026-03-01T08:15:30.5Z", "tenant": "acme",
        "user": {"id": "u-1", "name_hash": "h", "kind": "person", "created_at": "2020-01-01T00:00:00Z", "locale": "da",
            "time_zone": "Europe/Copenhagen", "contacts": [{"id": "c-1", "channel": "email", "address": "a@example.org",
                "source": "self", "proof": "ownership", "proved_at": "2020-01-01T00:00:00Z",
                "changed_at": "2020-01-01T00:00:00Z", "sim_changed_at": "2020-01-01T00:00:00Z",
                "bounced_at": "2020-01-01T00:00:00Z"}]},
        "actor": {"kind": "user", "id": "u-1"}, "outcome": "success", "stage": "second_factor", "reason": "policy",
        "client": client, "device": device,
        "auth": {"flow": "form", "grant": "authorization_code", "protocol": "oidc", "idp": "https://idp.example",
            "interactive": true, "offered": ["password", "totp"], "methods": ["pwd", "otp", "unheard-of"],
            "factors": [{"factor_id": "f-1", "method": "totp", "result": "success", "at": "2026-03-01T08:15:29Z",
                "challenged_at": "2026-03-01T08:15:00Z", "aaguid": "0", "synced": false, "transport": "usb",
                "user_verification": true}],
            "password": {"breached": false, "previous": false, "near_miss": false}, "remembered": false,
            "enrolled": [{"id": "f-1", "type": "totp", "categories": ["have"], "enrolled_at": "2021-01-01T00:00:00Z",
                "verified_at": "2021-01-01T00:00:00Z", "phishing_resistant": false, "lives_on": "d-2", "contact": "c-1",
                "sync_account": "s", "code_space": 1_000_000, "valid_at_once": 3, "enrolled_level": 2,
                "enrolled_session": "s-0"}],
            "approver": {"client": client, "device": device, "network": "home"}},
        "app": {"id": "shop", "sensitivity": "high"}, "session": {"id": "s-1"}, "attempt": {"id": "a-1", "granted": true},
        "factor": {"id": "f"}, "contact": {"id": "c"}, "backup": {"id": "b"}, "recovery": {"by": "mail"},
        "consent": {"to": "x"}, "action": {"name": "payment"},
        "feedback": {"decision_id": "00", "verdict": "not_me", "by": "owner", "note": "hm"}, "applied": {"action": "allow"}})
}

fn smallest() -> Value {
    json!({"id": "e-1", "source": "shop/web", "type": "login", "time": "2026-03-01T08:15:30Z",
        "user": {"id": "u-1"}, "outcome": "success", "client": {"ip": "203.0.113.9"}})
}

fn parse_value(value: &Value) -> Result<LoginEvent, ParseError> {
    parse(value.to_string().as_bytes())
}

/// `base` with the members of `patch` set; `null` takes a member away.
fn merged(mut base: Value, patch: &Value) -> Value {
    if let (Value::Object(base), Value::Object(patch)) = (&mut base, patch) {
        for (key, value) in patch {
            match (value, base.remove(key)) {
                (Value::Null, _) => {}
                (Value::Object(_), Some(old @ Value::Object(_))) => drop(base.insert(key.clone(), merged(old, value))),
                _ => drop(base.insert(key.clone(), value.clone())),
            }
        }
    }
    base
}

#[test]
fn the_smallest_login_is_enough() {
    let event = parse_value(&smallest()).unwrap();
    let mut wanted = LoginEvent::new("e-1", "shop/web", EventType::Login, Timestamp::parse("2026-03-01T08:15:30Z").unwrap());
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
    assert_eq!(event.user.contacts.as_ref().unwrap()[0].source, Some(ContactSource::Own));
    assert_eq!(event.client.hints.get("Sec-CH-UA-Mobile"), Some("?0"));
    assert_eq!(event.client.rtt_app_ms, Some(30.5));
    assert!(event.client.agent.as_ref().unwrap().verified);
    assert_eq!(event.device.generation, Some(7));
    let attributes: Vec<_> = event.device.attributes.iter().collect();
    assert_eq!(attributes, [("cores", "8"), ("screen", "1920x1080"), ("touch", "false")]);
    assert_eq!(*event.auth.methods, [AuthMethod::Pwd, AuthMethod::Otp, AuthMethod::Other]);
    assert_eq!(event.auth.factors[0].method, FactorType::Totp);
    let enrolled = &event.auth.enrolled.as_ref().unwrap()[0];
    assert_eq!((enrolled.code_space, enrolled.valid_at_once, enrolled.enrolled_level), (Some(1_000_000), Some(3), Some(2)));
    assert_eq!(enrolled.categories.as_deref(), Some(&[Category::Have][..]));
    assert_eq!(event.auth.approver.as_ref().unwrap().device, event.device);
    assert_eq!(event.factor.as_deref(), Some(r#"{"id":"f"}"#));
    assert_eq!(event.feedback.as_ref().unwrap().verdict, Some(Verdict::NotMe));
}

#[test]
fn absent_enrolled_is_not_an_empty_list() {
    assert_eq!(parse_value(&smallest()).unwrap().auth.enrolled, None);
    let told = merged(smallest(), &json!({"auth": {"enrolled": []}}));
    assert_eq!(parse_value(&told).unwrap().auth.enrolled.as_deref(), Some(&[][..]));
    let null = smallest().to_string().replace('{', r#"{"auth":{"enrolled":null},"#).replacen(r#""auth":{"enrolled":null},"#, "", 0);
    assert_eq!(parse(null.replacen("{\"auth\":{\"enrolled\":null},", "{", 2).as_bytes()).unwrap().auth.enrolled, None);
}

#[test]
fn addresses_are_canonical() {
    for (given, wanted) in [("::ffff:203.0.113.9", "203.0.113.9"), ("2001:DB8:0:0::1", "2001:db8::1")] {
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
            let patch = field.path().rsplit('.').fold(Value::Null, |inner, key| json!({ key: inner }));
            let error = parse_value(&merged(whole.clone(), &patch)).unwrap_err();
            assert_eq!((&*error.field, error.reason), (field.path(), Reason::MissingField), "{event_type}");
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
    assert_eq!(refused(json!({"specversion": "2.0"})), ("specversion".to_owned(), Reason::UnknownValue));
    assert_eq!(refused(json!({"data": null})), ("data".to_owned(), Reason::MissingField));
    assert_eq!(refused(json!({"data": 5})), ("data".to_owned(), Reason::WrongType));
    assert_eq!(refused(json!({"data": {"outcome": "yes"}})), ("data.outcome".to_owned(), Reason::UnknownValue));
    assert_eq!(refused(json!({"data": {"source": "doorward"}})), ("data.source".to_owned(), Reason::ReservedSource));
    let error = parse_value(&merged(envelope, &json!({"data": {"client": {"ip": 1}}}))).unwrap_err();
    assert_eq!(error.message, "`data.client.ip` must be an IP address as text, but is a number");
}

#[test]
fn our_own_source_is_for_ourselves() {
    for source in ["doorward", " Doorward"] {
        let own = merged(smallest(), &json!({"source": source}));
        let error = parse_value(&own).unwrap_err();
        assert_eq!((&*error.field, error.reason), ("source", Reason::ReservedSource));
        assert!(parse_own(own.to_string().as_bytes()).is_ok());
    }
}

/// Each case: what is set in the smallest login, then the field and reason of the refusal.
fn bad_fields() -> Vec<(Value, &'static str, Reason)> {
    use Reason as R;
    let long = |bytes: usize| "x".repeat(bytes);
    let many = |count: usize| (0..count).map(|index| (format!("k{index}"), json!(1))).collect::<Map<_, _>>();
    let contact = json!({"id": "c", "channel": "email"});
    let enrolled = json!({"id": "f", "type": "totp"});
    vec![
        (json!({"id": null}), "id", R::MissingField),
        (json!({"id": ""}), "id", R::MissingField),
        (json!({"id": " \t"}), "id", R::MissingField),
        (json!({"id": 17}), "id", R::WrongType),
        (json!({"id": long(257)}), "id", R::TooLong),
        (json!({"source": null}), "source", R::MissingField),
        (json!({"source": ["a"]}), "source", R::WrongType),
        (json!({"source": "doorward"}), "source", R::ReservedSource),
        (json!({"type": null}), "type", R::MissingField),
        (json!({"type": "logon"}), "type", R::UnknownType),
        (json!({"type": "Login"}), "type", R::UnknownType),
        (json!({"type": 1}), "type", R::WrongType),
        (json!({"time": null}), "time", R::MissingField),
        (json!({"time": "yesterday"}), "time", R::BadTime),
        (json!({"time": "2026-03-01"}), "time", R::BadTime),
        (json!({"time": "2026-03-01T08:15:30"}), "time", R::BadTime),
        (json!({"time": "2026-02-30T08:15:30Z"}), "time", R::BadTime),
        (json!({"time": "0001-01-01T00:00:00Z"}), "time", R::BadTime),
        (json!({"time": "9999-01-01T00:00:00Z"}), "time", R::BadTime),
        (json!({"time": 1_772_352_930}), "time", R::WrongType),
        (json!({"tenant": true}), "tenant", R::WrongType),
        (json!({"tenant": long(257)}), "tenant", R::TooLong),
        (json!({"user": null}), "user.id", R::MissingField),
        (json!({"user": "u-1"}), "user", R::WrongType),
        (json!({"user": [1]}), "user", R::WrongType),
        (json!({"user": {"id": 5}}), "user.id", R::WrongType),
        (json!({"user": {"id": ""}}), "user.id", R::MissingField),
        (json!({"user": {"id": long(257)}}), "user.id", R::TooLong),
        (json!({"user": {"kind": "human"}}), "user.kind", R::UnknownValue),
        (json!({"user": {"created_at": "2020"}}), "user.created_at", R::BadTime),
        (json!({"user": {"contacts": {}}}), "user.contacts", R::WrongType),
        (json!({"user": {"contacts": [contact, "a@b"]}}), "user.contacts[1]", R::WrongType),
        (json!({"user": {"contacts": [{"id": "c"}]}}), "user.contacts[0].channel", R::MissingField),
        (json!({"user": {"contacts": [{"id": "c", "channel": "fax"}]}}), "user.contacts[0].channel", R::UnknownValue),
        (json!({"user": {"contacts": vec![contact.clone(); 17]}}), "user.contacts", R::TooMany),
        (json!({"actor": {"kind": "root"}}), "actor.kind", R::UnknownValue),
        (json!({"outcome": null}), "outcome", R::MissingField),
        (json!({"outcome": "sucess"}), "outcome", R::UnknownValue),
        (json!({"outcome": false}), "outcome", R::WrongType),
        (json!({"stage": "third_factor"}), "stage", R::UnknownValue),
        (json!({"reason": "because"}), "reason", R::UnknownValue),
        (json!({"client": null}), "client.ip", R::MissingField),
        (json!({"client": {"ip": null}}), "client.ip", R::MissingField),
        (json!({"client": {"ip": 3_405_803_785_u32}}), "client.ip", R::WrongType),
        (json!({"client": {"ip": "203.0.113"}}), "client.ip", R::BadAddress),
        (json!({"client": {"ip": "203.0.113.09"}}), "client.ip", R::BadAddress),
        (json!({"client": {"ip": "203.0.113.9:443"}}), "client.ip", R::BadAddress),
        (json!({"client": {"ip": "[2001:db8::1]"}}), "client.ip", R::BadAddress),
        (json!({"client": {"ip": "fe80::1%eth0"}}), "client.ip", R::BadAddress),
        (json!({"client": {"ip": "203.0.113.9, 10.0.0.1"}}), "client.ip", R::BadAddress),
        (json!({"client": {"ip_source": "guess"}}), "client.ip_source", R::UnknownValue),
        (json!({"client": {"user_agent": long(1025)}}), "client.user_agent", R::TooLong),
        (json!({"client": {"user_agent": {}}}), "client.user_agent", R::WrongType),
        (json!({"client": {"ja4": long(257)}}), "client.ja4", R::TooLong),
        (json!({"client": {"hints": []}}), "client.hints", R::WrongType),
        (json!({"client": {"hints": {"Sec-CH-UA": ["a"]}}}), "client.hints.Sec-CH-UA", R::WrongType),
        (json!({"client": {"hints": many(33)}}), "client.hints", R::TooMany),
        (json!({"client": {"rtt_tcp_ms": -1}}), "client.rtt_tcp_ms", R::OutOfRange),
        (json!({"client": {"rtt_tcp_ms": "12"}}), "client.rtt_tcp_ms", R::WrongType),
        (json!({"client": {"agent": {"verified": true}}}), "client.agent.id", R::MissingField),
        (json!({"device": {"generation": 1.5}}), "device.generation", R::WrongType),
        (json!({"device": {"generation": 1e30}}), "device.generation", R::WrongType),
        (json!({"device": {"generation": -3}}), "device.generation", R::OutOfRange),
        (json!({"device": {"generation": "3"}}), "device.generation", R::WrongType),
        (json!({"device": {"key": {}}}), "device.key.thumbprint", R::MissingField),
        (json!({"device": {"key": {"thumbprint": "t", "kind": "usb"}}}), "device.key.kind", R::UnknownValue),
        (json!({"device": {"managed": "yes"}}), "device.managed", R::WrongType),
        (json!({"device": {"attributes": many(ATTRIBUTES_MAX + 1)}}), "device.attributes", R::TooMany),
        (json!({"device": {"attributes": {long(257): 1}}}), "device.attributes", R::TooLong),
        (json!({"device": {"attributes": {"a": long(257)}}}), "device.attributes.a", R::TooLong),
        (json!({"device": {"attributes": {"a": {"b": 1}}}}), "device.attributes.a", R::WrongType),
        (json!({"auth": {"flow": "carrier_pigeon"}}), "auth.flow", R::UnknownValue),
        (json!({"auth": {"interactive": 1}}), "auth.interactive", R::WrongType),
        (json!({"auth": {"methods": "pwd"}}), "auth.methods", R::WrongType),
        (json!({"auth": {"methods": ["pwd", 7]}}), "auth.methods[1]", R::WrongType),
        (json!({"auth": {"methods": vec!["pwd"; 17]}}), "auth.methods", R::TooMany),
        (json!({"auth": {"offered": [long(257)]}}), "auth.offered[0]", R::TooLong),
        (json!({"auth": {"factors": [{"result": "success"}]}}), "auth.factors[0].method", R::MissingField),
        (json!({"auth": {"factors": [{"method": "blood"}]}}), "auth.factors[0].method", R::UnknownValue),
        (json!({"auth": {"enrolled": [enrolled, enrolled, {"id": "f"}]}}), "auth.enrolled[2].type", R::MissingField),
        (json!({"auth": {"enrolled": [{"id": "f", "type": "totp", "categories": ["own"]}]}}), "auth.enrolled[0].categories[0]", R::UnknownValue),
        (json!({"auth": {"enrolled": [{"id": "f", "type": "totp", "enrolled_level": 4}]}}), "auth.enrolled[0].enrolled_level", R::OutOfRange),
        (json!({"auth": {"enrolled": [{"id": "f", "type": "totp", "code_space": 0}]}}), "auth.enrolled[0].code_space", R::OutOfRange),
        (json!({"auth": {"enrolled": vec![enrolled.clone(); 33]}}), "auth.enrolled", R::TooMany),
        (json!({"auth": {"approver": {"client": {"ip": "x"}}}}), "auth.approver.client.ip", R::BadAddress),
        (json!({"app": {"sensitivity": "extreme"}}), "app.sensitivity", R::UnknownValue),
        (json!({"factor": []}), "factor", R::WrongType),
        (json!({"action": "pay"}), "action", R::WrongType),
        (json!({"applied": {"text": long(KEPT_OBJECT_BYTES_MAX)}}), "applied", R::TooLarge),
        (json!({"feedback": {"verdict": "guilty"}}), "feedback.verdict", R::UnknownValue),
        (json!({"attempt": {"granted": "true"}}), "attempt.granted", R::WrongType),
        (json!({"type": "attempt.closed", "attempt": {"id": "a"}}), "attempt.granted", R::MissingField),
        (json!({"type": "feedback", "feedback": {"verdict": "me"}}), "feedback.decision_id", R::MissingField),
    ]
}

#[test]
fn each_bad_field_is_named() {
    for (patch, field, reason) in bad_fields() {
        // Setting null in a patch takes the member away; both ways of absence are refused alike.
        let error = parse_value(&merged(smallest(), &patch)).unwrap_err();
        assert_eq!((&*error.field, error.reason), (field, reason), "{patch}: {error}");
        assert!(error.message.starts_with(&format!("`{field}` ")), "{error}");
        assert!(error.message.chars().count() < 400, "{error}");
    }
}

#[test]
fn each_bad_line_is_told_as_a_whole() {
    use Reason as R;
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let small = smallest().to_string();
    let cases: Vec<(Vec<u8>, &str, Reason)> = vec![
        (b"".to_vec(), "", R::InvalidJson),
        (b"{".to_vec(), "", R::InvalidJson),
        (b"not json".to_vec(), "", R::InvalidJson),
        (b"{'id': 1}".to_vec(), "", R::InvalidJson),
        (b"{\"id\": \"a\",}".to_vec(), "", R::InvalidJson),
        (b"{\"id\": \"a\nb\"}".to_vec(), "", R::InvalidJson),
        (b"{\"id\": \"\\ud800\"}".to_vec(), "", R::InvalidJson),
        (b"{\"zzz\": 01}".to_vec(), "", R::InvalidJson),
        (format!("{small}{small}").into_bytes(), "", R::InvalidJson),
        (small[..small.len() - 1].as_bytes().to_vec(), "", R::InvalidJson),
        (b"{\"id\": \"\xff\"}".to_vec(), "", R::InvalidUtf8),
        (b"\xed\xa0\x80".to_vec(), "", R::InvalidUtf8),
        (b"null".to_vec(), "", R::WrongType),
        (b"[]".to_vec(), "", R::WrongType),
        (b"\"login\"".to_vec(), "", R::WrongType),
        (b"5".to_vec(), "", R::WrongType),
        (b"{}".to_vec(), "id", R::MissingField),
        (vec![b' '; EVENT_BYTES_MAX + 1], "", R::TooLarge),
        (small.replacen('{', &format!("{{\"x\":{},", deep(DEPTH_MAX)), 1).into_bytes(), "x", R::TooDeep),
        (small.replacen('{', &format!("{{\"x\":{},", deep(20_000)), 1).into_bytes(), "x", R::TooDeep),
        (small.replace("\"id\":\"u-1\"", &format!("\"id\":\"u\",\"y\":{}", deep(15))).into_bytes(), "user.y", R::TooDeep),
        (small.replacen('{', &format!("{{\"backup\":{{\"x\":{}}},", deep(15)), 1).into_bytes(), "backup", R::TooDeep),
        (small.replacen('{', "{\"id\":\"twice\",", 1).into_bytes(), "id", R::DuplicateField),
        (small.replacen('{', "{\"user\":{},", 1).into_bytes(), "user", R::DuplicateField),
        (small.replacen('{', "{\"device\":{\"attributes\":{\"a\":1,\"b\":2,\"\\u0061\":3}},", 1).into_bytes(), "device.attributes.a", R::DuplicateField),
    ];
    for (bytes, field, reason) in cases {
        let error = parse(&bytes).unwrap_err();
        let line = String::from_utf8_lossy(&bytes[..bytes.len().min(80)]).into_owned();
        assert_eq!((&*error.field, error.reason), (field, reason), "{line}: {error}");
    }
}

#[test]
fn what_is_just_within_the_limits_is_taken() {
    let small = smallest().to_string();
    let deep = format!("{}{}", "[".repeat(DEPTH_MAX - 1), "]".repeat(DEPTH_MAX - 1));
    assert!(parse(small.replacen('{', &format!("{{\"x\":{deep},"), 1).as_bytes()).is_ok());
    let patch = json!({"id": "x".repeat(256), "client": {"user_agent": "é".repeat(512)}, "auth": {"methods": vec!["pwd"; 16]}});
    assert!(parse_value(&merged(smallest(), &patch)).is_ok());
    let mut padded = small.into_bytes();
    padded.resize(EVENT_BYTES_MAX, b' ');
    assert!(parse(&padded).is_ok());
}

#[test]
fn messages_are_sentences_for_people() {
    let message = |patch: Value| parse_value(&merged(smallest(), &patch)).unwrap_err().message;
    assert_eq!(message(json!({"outcome": "sucess"})), "`outcome` is `sucess`, which is none of its values; did you mean `success`?");
    assert_eq!(message(json!({"type": "factor.add"})), "`type` is `factor.add`, which is none of its values; did you mean `factor.added`?");
    assert_eq!(message(json!({"auth": {"interactive": "no"}})), "`auth.interactive` must be true or false, but is text");
    assert_eq!(message(json!({"client": {"ip": "fe80::1%eth0"}})), "`client.ip` is `fe80::1%eth0`, which is no IP address; leave out the zone");
    assert_eq!(message(json!({"time": "\u{202e}now\u{7}"})), "`time` is `now`, which is no time of RFC 3339 such as `2026-03-01T08:15:30Z`");
    assert_eq!(message(json!({"user": {"id": null}})), "`user.id` is missing; `login` requires it");
    assert_eq!(message(json!({"id": "x".repeat(300)})), "`id` has 300 bytes, at most 256 are taken");
    let error = parse(b"{\"id\": tru}").unwrap_err();
    assert_eq!(error.message, "the event is no JSON: expected ident at column 11");
}

/// Every path in a value down to its leaves, as keys and indices.
fn paths(value: &Value, at: &str, found: &mut Vec<(String, String)>) {
    let mut visit = |pointer: String, inner: &Value, named: String| {
        found.push((format!("{at}{pointer}"), named));
        paths(inner, &format!("{at}{pointer}"), found);
    };
    match value {
        Value::Object(members) => members.iter().for_each(|(key, inner)| visit(format!("/{key}"), inner, format!(".{key}"))),
        Value::Array(members) => (0..).zip(members).for_each(|(index, inner)| visit(format!("/{index}"), inner, format!("[{index}]"))),
        _ => {}
    }
}

/// The dotted form of a JSON pointer.
fn dotted(pointer: &str) -> String {
    let named = |step: &str| if step.parse::<usize>().is_ok() { format!("[{step}]") } else { format!(".{step}") };
    pointer.split('/').skip(1).map(named).collect::<String>().trim_start_matches('.').to_owned()
}

/// Whether the path lies inside an object that is kept as text.
fn is_kept(pointer: &str) -> bool {
    let mut steps = pointer.split('/').skip(1);
    let kept = ["factor", "contact", "backup", "recovery", "consent", "action", "applied"];
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
        *value = if value.is_array() { json!(true) } else { json!([[]]) };
        let error = parse_value(&event).unwrap_err();
        assert_eq!((&*error.field, error.reason), (&*dotted(pointer), Reason::WrongType), "{error}");
    }
}

#[test]
fn null_and_unknown_fields_change_nothing_anywhere() {
    fn dirtied(value: &Value, pointer: &str) -> Value {
        match value {
            Value::Object(members) if !is_kept(&format!("{pointer}/x")) && !pointer.ends_with("/hints") && !pointer.ends_with("/attributes") => {
                let inner = |(key, value): (&String, &Value)| (key.clone(), dirtied(value, &format!("{pointer}/{key}")));
                let mut members: Map<_, _> = members.iter().map(inner).collect();
                members.insert("Id".to_owned(), json!({"type": [1, null, {"id": 2}]}));
                members.insert("unheard_of".to_owned(), Value::Null);
                Value::Object(members)
            }
            Value::Array(members) => {
                let inner = members.iter().map(|value| dirtied(value, &format!("{pointer}/0")));
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
    let pretty = serde_json::to_string_pretty(&full()).unwrap().replace("f\"", "\\u0066\"");
    assert_ne!(plain, pretty);
    let (plain, pretty) = (parse(plain.as_bytes()).unwrap(), parse(pretty.as_bytes()).unwrap());
    // Objects kept as text keep their white space; all else is equal.
    let kept_cleared = |event: LoginEvent| LoginEvent {
        factor: None, contact: None, backup: None, recovery: None, consent: None, action: None, applied: None, ..event
    };
    assert_eq!(kept_cleared(plain), kept_cleared(pretty));
}

/// JSON that is made of the words of events, so that it gets past the first field.
fn json_of_event_words() -> impl Strategy<Value = Value> {
    let words = vec!["id", "type", "login", "2026-03-01T00:00:00Z", "203.0.113.9", "success", "", "totp", "pwd"];
    let keys = vec!["id", "source", "type", "time", "user", "client", "ip", "auth", "enrolled", "factors", "device",
        "attributes", "outcome", "feedback", "specversion", "data", "action", "x"];
    let leaf = prop_oneof![Just(Value::Null), any::<bool>().prop_map(Value::from), any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from), prop::sample::select(words).prop_map(Value::from), ".{0,8}".prop_map(Value::from)];
    leaf.prop_recursive(5, 48, 6, move |inner| {
        let key = prop::sample::select(keys.clone()).prop_map(str::to_owned);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(key, inner, 0..8).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        prop_assert!(parse(&bytes).is_err());
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
        let _ = parse(&bytes);
        bytes.truncate(cut % length);
        prop_assert!(parse(&bytes).is_err());
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
