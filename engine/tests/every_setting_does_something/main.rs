//! A setting that changes nothing is a promise that is not kept. So each one stands here with a value of its own and
//! with what that value makes the program say or do; a setting without an entry fails the test.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

mod lives;
mod program;
mod sizes;

use doorward::config::{Setting, Settings};
use lives::story;
use program::{Life, Said, play};

/// How one sees that a setting does something.
enum Shows {
    /// Decisions, dead letters and mails hold this text only with the value, and not with the default.
    Says(&'static str),
    /// The other way round.
    Unsays(&'static str),
    /// They differ.
    Differs,
    /// Standard error holds this text only with the value.
    Logs(&'static str),
    /// The program ends with this code.
    Exits(i32),
    /// No decision may depend on it: it bounds something, which `sizes.rs` measures.
    Size,
}

use Shows::{Differs, Exits, Logs, Says, Size, Unsays};

type Entry = (&'static str, &'static str, Shows);

/// Each life with the settings that it shows.
fn table() -> Vec<(Life, Vec<Entry>)> {
    vec![
        (story("ordinary-churn"), ordinary()),
        (story("phone-stolen-abroad"), abroad()),
        (
            story("answers-and-dirt"),
            vec![
                ("user.key", "exact", Differs),
                ("store.decisions_days", "1", Differs),
            ],
        ),
        (
            story("stolen-password-next-door"),
            vec![("alerts.new_store_days", "0", Differs)],
        ),
        (story("right-password-walks-away"), walks_away()),
        (story("wrong-password-then-flood"), flood()),
        (lives::anna(), anna()),
        (
            lives::jump(),
            vec![
                ("files.time_jump_hours", "1", Says("time_jump")),
                ("mail.age_max_hours", "1", Says("\"age\"")),
            ],
        ),
        (
            lives::nagged(),
            vec![
                ("alerts.user_per_day", "3", Says("\"budget\"")),
                ("alerts.same_kind_hours", "0", Unsays("\"same_kind\"")),
            ],
        ),
        (
            lives::tomorrow(),
            vec![("files.future_minutes", "1440", Unsays("time_in_future"))],
        ),
        (
            lives::tor(),
            vec![(
                "geoip.anonymous",
                "FIXTURES/maxmind/good/GeoIP2-Anonymous-IP-Test.mmdb",
                Says("\"tor-network\",\"status\":\"fired\""),
            )],
        ),
        (
            lives::dirt(),
            vec![("limits.dead_letters_mib", "1", Logs("as large as it may be"))],
        ),
        (lives::crowded(), vec![("crowd.users_per_key_max", "16", Differs)]),
        (lives::many_keys(), vec![("crowd.keys_max", "1024", Differs)]),
        (
            lives::many_places(),
            vec![("crowd.sketch_lines", "1024", Differs)],
        ),
        (
            lives::two_runs(),
            vec![("security.hash_key", "000102030405060708090a0b0c0d0e0f", Differs)],
        ),
        (
            lives::grown_file("info"),
            vec![("log.level", "debug", Logs("goes on where it stopped"))],
        ),
        (
            lives::grown_file("debug"),
            vec![
                ("log.format", "json", Logs("{\"")),
                ("reload.watch_seconds", "7", Logs("looked at every 7 s")),
            ],
        ),
    ]
}

fn walks_away() -> Vec<Entry> {
    vec![("attempt.granted_seconds", "3600", Unsays("attempt.closed"))]
}

fn flood() -> Vec<Entry> {
    vec![
        ("alerts.failed_unknown", "off", Unsays("wrong password for")),
        ("alerts.quiet_minutes", "0", Differs),
    ]
}

fn ordinary() -> Vec<Entry> {
    vec![
        ("mode", "monitor", Says("\"mode\":\"monitor\"")),
        ("score.base", "60", Differs),
        ("score.level2_from", "5", Differs),
        ("score.newness_cap", "5", Differs),
        ("score.trust_cap", "1", Differs),
        ("app.sensitivity", "high", Differs),
        ("app.help_text", "Call the desk.", Differs),
        ("user.learning_logins", "1000", Unsays("\"maturity\":\"mature\"")),
        ("user.learning_days", "365", Unsays("\"maturity\":\"mature\"")),
        ("alerts.user_per_hour", "0", Says("\"budget\"")),
        ("mail.from", "desk@example.org", Says("desk@example.org")),
        ("mail.site_name", "Our Site", Says("Our Site")),
        ("rules.folder", "nowhere", Exits(4)),
    ]
}

fn abroad() -> Vec<Entry> {
    vec![
        ("score.level3_from", "30", Differs),
        ("score.deny_from", "51", Says("\"action\":\"deny\"")),
        ("app.unreachable", "deny", Says("\"action\":\"deny\"")),
        ("factors.maturity_days", "365", Differs),
        ("geoip.city", "[]", Differs),
        ("geoip.asn", "[]", Differs),
        ("geoip.lists", "[]", Differs),
    ]
}

fn anna() -> Vec<Entry> {
    vec![
        ("user.new_account_hours", "720", Says("\"maturity\":\"new\"")),
        ("levels.hwk_origin_bound", "true", Differs),
        ("attempt.stages_max", "1", Differs),
        ("attempt.open_minutes", "1", Differs),
        (
            "tenants.allowed",
            "[\"default\", \"other\"]",
            Says("\"tenant\":\"other\""),
        ),
        ("limits.event_bytes", "1024", Says("has more than 1024 bytes")),
        ("limits.user_agent_bytes", "64", Says("at most 64 are taken")),
        (
            "limits.id_bytes",
            "64",
            Says("`session.id` has 65 bytes, at most 64 are taken"),
        ),
        ("limits.depth", "5", Says("nests deeper than 5 levels")),
        // An address of no interface of ours (RFC 5737).
        ("metrics.listen", "192.0.2.1:9464", Exits(9)),
        ("store.free_min", "1073741824", Exits(10)),
    ]
}

/// Without a life of their own.
const OTHERS: &[Entry] = &[
    ("geoip.cache_entries", "8", Size),
    ("store.cache_mib", "65", Size),
    ("store.user_cache", "7", Size),
    ("doors.threads", "3", Size),
    ("doors.queue_events", "1", Size),
    ("doors.batch_records", "5", Size),
    ("doors.queue_bytes", "65536", Size),
    ("doors.batch_bytes", "1", Size),
    ("doors.batch_ms", "0", Size),
    ("limits.timers", "1024", Size),
    ("store.journal_days", "1", Size),
];

fn fault(base: &Said, said: &Said, shows: &Shows) -> Option<String> {
    let only = |one: &str, other: &str, text: &str| one.contains(text) && !other.contains(text);
    let holds = match shows {
        Says(text) => said.code == 0 && only(&said.outcome, &base.outcome, text),
        Unsays(text) => said.code == 0 && only(&base.outcome, &said.outcome, text),
        Differs => said.code == 0 && said.outcome != base.outcome,
        Logs(text) => said.code == 0 && only(&said.log, &base.log, text),
        Exits(code) => said.code == *code,
        Size => true,
    };
    (!holds).then(|| format!("ended with {} and said: {}", said.code, said.log))
}

#[test]
fn each_setting_shows_what_its_entry_says() {
    let mut faults = Vec::new();
    for (life, entries) in table() {
        let base = play(&life, None);
        assert_eq!(base.code, 0, "{}", base.log);
        assert!(!base.outcome.is_empty());
        for (key, value, shows) in entries {
            let said = play(&life, Some((key, value)));
            faults.extend(fault(&base, &said, &shows).map(|fault| format!("{key} = {value}: {fault}")));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn every_setting_has_one_entry() {
    let lives = table();
    let entries = lives.iter().flat_map(|(_, entries)| entries).chain(OTHERS);
    let mut named: Vec<_> = entries.map(|(key, ..)| (*key).to_owned()).collect();
    named.sort();
    let mut settings: Vec<_> = Settings::table().iter().map(Setting::key).collect();
    // Those of Kafka want brokers: `kafka_settings_do_something` has an entry for each.
    settings.retain(|key| !key.starts_with("kafka."));
    settings.sort();
    assert_eq!(named, settings);
}
