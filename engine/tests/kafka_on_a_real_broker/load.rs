//! Events at a pace, with what producers do to them: poison, repeats, another order.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use doorward::event::{Outcome, Timestamp};
use doorward::generate::EventBuilder;
use doorward::generate::random::Random;

use super::kafka::{Read, Reader, Sender, World, until};

/// Users of a load.
const USERS: u64 = 500;
/// Of so many messages one is poison.
const POISON: u64 = 100;
/// Messages that may overtake each other.
const WINDOW: usize = 20;

/// What was sent.
#[derive(Debug, Default, Clone)]
pub struct Sent {
    /// Ids of events that must be decided.
    pub events: BTreeSet<String>,
    /// Messages that must be refused.
    pub poison: usize,
}

pub fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    Timestamp::from_micros(i64::try_from(since.expect("after 1970").as_micros()).expect("a time"))
}

/// Sends in another thread until it is told to stop.
pub struct Load {
    stop: Arc<AtomicBool>,
    thread: std::thread::JoinHandle<Sent>,
}

impl Load {
    pub fn start(world: &World, per_second: u64, seed: u64) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (until, sender) = (Arc::clone(&stop), world.producer());
        let thread = std::thread::spawn(move || {
            let mut sending = Sending {
                random: Random::stream(seed, "load", 0),
                sender,
                sent: Sent::default(),
                window: Vec::new(),
                number: 0,
            };
            let began = Instant::now();
            while !until.load(Ordering::Relaxed) {
                let due = u64::try_from(began.elapsed().as_millis()).expect("short") * per_second / 1_000;
                while sending.number < due {
                    sending.next();
                }
                std::thread::sleep(Duration::from_millis(5));
            }
            sending.finish()
        });
        Self { stop, thread }
    }

    pub fn stop(self) -> Sent {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().expect("the load was sent")
    }
}

struct Sending {
    random: Random,
    sender: Sender,
    sent: Sent,
    /// User and message, not sent yet.
    window: Vec<(String, Vec<u8>)>,
    number: u64,
}

impl Sending {
    fn next(&mut self) {
        self.number += 1;
        let number = self.number;
        let user = format!("user-{}", self.random.below(USERS));
        let event = EventBuilder::login(&format!("e-{number}"), "shop/web", &user)
            .at(now())
            .address(&format!("192.0.2.{}", self.random.below(200)))
            .set("device.id", format!("device-{}", self.random.below(3)).as_str());
        let event = match self.random.below(10) {
            0 => event.wrong_password(),
            _ => event.outcome(Outcome::Success),
        };
        let line = event.line();
        if number.is_multiple_of(POISON) {
            let kind = usize::try_from(number / POISON).expect("few") % POISONS.len();
            self.sent.poison += 1;
            self.window.push((user, poison(kind, number, &line)));
        } else {
            self.sent.events.insert(format!("e-{number}"));
            if self.random.below(20) == 0 {
                // A producer that tries again, as it did not hear the answer.
                self.window.push((user.clone(), line.clone()));
            }
            self.window.push((user, line));
        }
        while self.window.len() > WINDOW {
            let place = usize::try_from(self.random.below(WINDOW as u64)).expect("small");
            let (user, line) = self.window.remove(place);
            self.sender.send(Some(&user), Some(&line), None);
        }
    }

    fn finish(mut self) -> Sent {
        for (user, line) in std::mem::take(&mut self.window) {
            self.sender.send(Some(&user), Some(&line), None);
        }
        self.sender.flush();
        self.sent
    }
}

/// Reasons of the kinds of poison, in their order.
pub const POISONS: [&str; 12] = [
    "invalid_utf8",
    "invalid_json",
    "too_large",
    "too_deep",
    "missing_field",
    "duplicate_field",
    "wrong_type",
    "unknown_value",
    "unknown_type",
    "bad_time",
    "bad_address",
    "reserved_source",
];

/// A message that is refused; no two are equal, and none of another kind has its reason.
pub fn poison(kind: usize, number: u64, line: &[u8]) -> Vec<u8> {
    let text = String::from_utf8(line.to_vec()).expect("text");
    let changed = |from: &str, to: &str| {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from} in {text}");
        changed.into_bytes()
    };
    match kind {
        0 => [b"\xff\xfe ".as_slice(), number.to_string().as_bytes()].concat(),
        1 => format!("no json {number}").into_bytes(),
        2 => changed("{", &format!("{{\"padding\":\"{}\",", "x".repeat(70_000))),
        3 => changed("{", &format!("{{\"deep\":{}1{},", "[".repeat(30), "]".repeat(30))),
        4 => changed("\"source\":", "\"sauce\":"),
        5 => changed("\"source\":", "\"source\":\"a\",\"source\":"),
        6 => changed("\"source\":\"shop/web\"", "\"source\":7"),
        7 => changed("\"outcome\":\"", "\"outcome\":\"un"),
        8 => changed("\"type\":\"login\"", "\"type\":\"logout\""),
        9 => changed("\"time\":\"", "\"time\":\"yesterday "),
        10 => changed("\"ip\":\"192.", "\"ip\":\"999."),
        _ => changed("\"source\":\"shop/web\"", "\"source\":\"doorward\""),
    }
}

/// Decisions without repeats, in the order in which they came first. A repeat must be equal to what came first.
pub fn without_repeats(read: &[Read]) -> Vec<&Read> {
    let mut first: std::collections::BTreeMap<&str, &Read> = std::collections::BTreeMap::new();
    let mut kept = Vec::new();
    for message in read {
        match first.get(message.header("decision_id")) {
            Some(before) => assert_eq!(before.value, message.value, "a repeat that differs"),
            None => {
                first.insert(message.header("decision_id"), message);
                kept.push(message);
            }
        }
    }
    kept
}

/// Every event has one first decision, every poison one dead letter, and each user's decisions come in the order of `seq`.
pub fn check(world: &World, sent: &Sent) -> usize {
    let mut decisions = world.reader("decisions");
    until_all(&mut decisions, sent);
    decisions.rest();
    let kept = without_repeats(&decisions.read);
    let mut ids = BTreeSet::new();
    let mut last: std::collections::BTreeMap<&str, u64> = std::collections::BTreeMap::new();
    for message in &kept {
        let id = message.header("event_id");
        assert_eq!(message.header("revision"), "0");
        assert!(ids.insert(id.to_owned()), "two decisions on {id}");
        let seq: u64 = message.header("seq").parse().expect("a number");
        let user = message.key.as_deref().expect("a user");
        let before = last.insert(user, seq);
        assert!(
            before.is_none_or(|before| before < seq),
            "{user}: {seq} after {before:?}"
        );
    }
    let missing: Vec<_> = sent.events.difference(&ids).collect();
    assert!(missing.is_empty(), "missing: {missing:?}");
    assert_eq!(ids.len(), sent.events.len(), "decisions on what was not sent");
    let mut letters = world.reader("letters");
    let read = letters.rest();
    let letters: BTreeSet<&str> = read.iter().map(|letter| letter.header("letter_id")).collect();
    assert_eq!(letters.len(), sent.poison, "dead letters");
    let reasons: BTreeSet<&str> = read.iter().map(|letter| letter.header("reason")).collect();
    assert!(
        reasons.iter().all(|reason| POISONS.contains(reason)),
        "{reasons:?}"
    );
    decisions.read.len() - kept.len()
}

/// Reads until the decisions on all events are there.
pub fn until_all(reader: &mut Reader, sent: &Sent) {
    let (mut seen, mut from) = (BTreeSet::new(), 0);
    reader.until("decisions on all events", |read| {
        for message in read.get(from..).unwrap_or_default() {
            seen.insert(message.header("event_id").to_owned());
        }
        from = read.len();
        seen.len() >= sent.events.len()
    });
}

/// Waits until everything in the topic of events is behind what is committed.
pub fn caught_up(world: &World) {
    let group = world.topic("group");
    until("the end of the topic", || world.is_at_end(&group).then_some(()));
}
