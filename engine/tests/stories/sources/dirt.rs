//! answers-and-dirt, the dirt: what senders get wrong, between the ordinary logins of `yrsa`. `zoe` lives the same
//! days without any dirt.

use super::owner::{COPENHAGEN, Owner, Proof};
use super::script::{Script, at};
use doorward::event::Timestamp;
use doorward::generate::EventBuilder;
use doorward::generate::json::Json;
use doorward::generate::software::{Browser, System};

/// In no database.
const UNKNOWN_ADDRESS: &str = "203.0.113.225";
const DAY: i64 = 61;

pub fn tell() -> Script {
    let mut script = Script::default();
    let mut yrsa = Owner::with_code("yrsa", COPENHAGEN, 99);
    let mut zoe = Owner::with_code("zoe", COPENHAGEN, 188);
    yrsa.live(&mut script);
    zoe.live(&mut script);
    refused(&yrsa, &mut script);
    odd_but_taken(&yrsa, &mut script);
    twice(&yrsa, &mut script);
    late(&mut yrsa, &mut script);
    poor(&yrsa, &mut script);
    told_nothing(&mut script);
    for owner in [&yrsa, &zoe] {
        script.tell(at(DAY, 7, 0, 0), usual(owner, "before", DAY));
        script.tell(at(DAY + 3, 19, 0, 0), usual(owner, "after", DAY + 3));
    }
    script
}

/// A login as on any day.
fn usual(owner: &Owner, name: &str, day: i64) -> EventBuilder {
    let login = owner.login(name, &owner.laptop.shape(day), &owner.home, Proof::Password);
    login.set("auth.remembered", true)
}

fn text(event: EventBuilder, time: Timestamp) -> String {
    String::from_utf8_lossy(&event.at(time).line()).into_owned()
}

/// Lines that are no events of ours, one a minute from 08:00 on.
fn refused(owner: &Owner, script: &mut Script) {
    let minute = |number: i64| at(DAY, 8, number, 0);
    let sound = |number: i64| text(usual(owner, &format!("refused-{number:02}"), DAY), minute(number));
    let mut say = |number: i64, line: Vec<u8>| script.tell_raw(minute(number), line);
    let half = sound(0);
    say(0, half.as_bytes().iter().take(half.len() / 2).copied().collect());
    say(1, sound(1).replace("Windows", "Windows\u{1}").into_bytes());
    say(
        2,
        sound(2)
            .bytes()
            .map(|byte| if byte == b'@' || byte == b'/' { 0xff } else { byte })
            .collect(),
    );
    say(3, format!("[{}]", sound(3)).into_bytes());
    say(
        4,
        sound(4)
            .replacen("{\"id\"", "{\"id\":\"twice\",\"id\"", 1)
            .into_bytes(),
    );
    let mut change = |number: i64, path: &str, value: Json| {
        let event = usual(owner, &format!("refused-{number:02}"), DAY).at(minute(number));
        say(number, event.set(path, value).line());
    };
    change(5, "client.ip", Json::Null);
    change(6, "client.ip", "300.1.2.3".into());
    change(7, "client.ip", "198.18.3.99:443".into());
    change(8, "time", "yesterday".into());
    change(9, "time", Json::Null);
    change(10, "outcome", "perhaps".into());
    change(11, "type", "logon".into());
    change(12, "user.id", Json::Whole(17));
    change(13, "user.id", "  ".into());
    change(14, "client.user_agent", "x".repeat(1_025).into());
    change(
        15,
        "auth.enrolled",
        Json::List(vec![Json::object([("type", "totp".into())])]),
    );
    change(16, "device.generation", Json::Whole(-1));
    change(17, "source", "doorward".into());
    change(18, "tenant", "somebody-else".into());
    change(
        19,
        "feedback",
        (0..40).fold(Json::Null, |inner, _| {
            Json::Object(vec![("in".to_owned(), inner)])
        }),
    );
    change(20, "device.id", "x".repeat(257).into());
    change(21, "note", "x".repeat(66_000).into());
    let ahead = usual(owner, "clock-runs-ahead", DAY);
    script.tell_late(at(DAY, 8, 30, 0), at(DAY + 30, 9, 0, 0), ahead);
    script.tell_late(
        at(DAY, 8, 31, 0),
        at(DAY - 365, 8, 31, 0),
        usual(owner, "last-year", DAY),
    );
}

/// Lines that look odd and are events.
fn odd_but_taken(owner: &Owner, script: &mut Script) {
    let mut tell = |minute: i64, event: EventBuilder| script.tell(at(DAY, 9, minute, 0), event);
    tell(
        0,
        usual(owner, "unknown-fields", DAY)
            .set("weather", "rain")
            .set("client.mood", Json::Whole(3)),
    );
    tell(1, usual(owner, "other-spelling", DAY).user("  YRSA "));
    tell(
        2,
        usual(owner, "mapped-address", DAY).address(&format!("::ffff:{}", owner.home)),
    );
    tell(
        3,
        usual(owner, "nulls", DAY)
            .set("session.id", Json::Null)
            .set("client.hints", Json::Null),
    );
    let wrapped = text(usual(owner, "enveloped", DAY), at(DAY, 9, 4, 0));
    let envelope = format!(
        "{{\"specversion\":\"1.0\",\"id\":\"ce-1\",\"source\":\"/shop\",\"type\":\"org.example.login\",\"data\":{wrapped}}}"
    );
    script.tell_raw(at(DAY, 9, 4, 0), envelope);
    script.tell_raw(at(DAY, 9, 5, 0), "");
    script.tell_raw(at(DAY, 9, 5, 0), "   ");
}

/// One event three times, the last time with another content; and its id from another source.
fn twice(owner: &Owner, script: &mut Script) {
    let time = at(DAY, 10, 0, 0);
    for minute in [0, 1] {
        script.tell_late(at(DAY, 10, minute, 0), time, usual(owner, "twice", DAY));
    }
    let changed = usual(owner, "twice", DAY).address("192.0.2.9");
    script.tell_late(at(DAY, 10, 2, 0), time, changed);
    let other = usual(owner, "twice", DAY).set("source", "portal/web");
    script.tell(at(DAY, 10, 3, 0), other);
}

/// Events that come after others that happened later.
fn late(owner: &mut Owner, script: &mut Script) {
    let stranger = owner.another(Browser::Firefox, System::MacOs).shape(DAY);
    let another = owner.another(Browser::Safari, System::MacOs).shape(DAY);
    let written = |minute: i64| at(DAY, 20, minute, 0);
    script.tell(written(0), usual(owner, "evening", DAY));
    script.tell_late(written(1), at(DAY, 19, 35, 0), usual(owner, "late-minutes", DAY));
    let hours = owner.login("late-hours", &stranger, &owner.home, Proof::Code);
    script.tell_late(written(2), at(DAY, 13, 0, 0), hours);
    let days = owner.login("late-days", &another, &owner.home, Proof::Code);
    script.tell_late(written(3), at(DAY - 2, 13, 0, 0), days);
    script.tell(written(4), usual(owner, "still-the-clock", DAY));
}

/// The log of a terminal server says who and from where, and nothing of the device; `arne` uses nothing else.
fn told_nothing(script: &mut Script) {
    for (number, day) in [2, 5, 9, 20, 40, DAY + 1].into_iter().enumerate() {
        let event = EventBuilder::login(&format!("arne-{number}"), "bastion/sshd", "arne");
        let event = event.set("user.created_at", at(-400, 12, 0, 0).to_string());
        script.tell(at(day, 11, 0, 0), event.address("198.18.3.120"));
    }
}

/// Events that lack what others have.
fn poor(owner: &Owner, script: &mut Script) {
    let mut tell = |minute: i64, event: EventBuilder| script.tell(at(DAY + 1, 9, minute, 0), event);
    tell(0, usual(owner, "private-address", DAY).address("192.168.1.20"));
    tell(5, usual(owner, "carrier-address", DAY).address("100.64.3.4"));
    tell(10, usual(owner, "no-agent", DAY).without("client.user_agent"));
    let bare = usual(owner, "no-device", DAY);
    tell(
        15,
        bare.without("client.user_agent")
            .without("device")
            .without("client.ja4"),
    );
    tell(20, usual(owner, "no-place", DAY).address(UNKNOWN_ADDRESS));
    tell(
        25,
        usual(owner, "nothing-enrolled-told", DAY).without("auth.enrolled"),
    );
    tell(
        30,
        usual(owner, "no-methods-told", DAY)
            .without("auth.methods")
            .without("auth.factors"),
    );
}
