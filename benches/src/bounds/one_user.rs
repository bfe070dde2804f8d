//! One user who signs in for ever, nearly always with another device, agent and network: the history stays small.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;

use doorward::config::Settings;
use doorward::event::{FactorResult, FactorType, Outcome, Timestamp};
use doorward::generate::EventBuilder;
use doorward::generate::event_builder::{EnrolledShape, UsedFactor};
use doorward::generate::json::Json;
use doorward::generate::random::Random;
use doorward::pipeline::ports::{Change, Keyspace};

use super::Bound;
use super::rows::{Failure, Rows};

/// Networks of the made-up world.
const NETWORKS: u32 = 40_000;
/// Devices among which the user draws when it is no fresh one.
const KNOWN_DEVICES: u64 = 60;
const KNOWN_DEVICE: f64 = 0.25;
/// Events of one batch; the history is written at the end of each.
const BATCH: u64 = 16;
const ROW_BYTES_MAX: u64 = 4_096;

/// Plays so many events.
///
/// # Errors
/// When a line is refused or the file of networks cannot be written.
pub fn check(events: u64) -> Result<Vec<Bound>, Failure> {
    let networks = Networks::write()?;
    let mut settings = Settings::default();
    settings.geoip.asn = vec![networks.0.clone()];
    let mut rows = Rows::new(&settings)?;
    let mut random = Random::stream(1, "one user", 0);
    let mut time = Timestamp::from_seconds(1_580_515_200);
    let (mut history, mut failures) = (0, 0);
    let mut look = |change: &Change| {
        let bytes = change.value.as_ref().map_or(0, Vec::len) as u64;
        match change.keyspace {
            Keyspace::User => history = history.max(bytes),
            Keyspace::Failures => failures = failures.max(bytes),
            _ => {}
        }
    };
    let mut number = 0;
    while number < events {
        let mut lines = Vec::new();
        for _ in 0..BATCH.min(events - number) {
            // Three minutes to three hours: devices and pairs settle, and grow old.
            time = time.plus_seconds(random.between(180, 10_800));
            lines.push((login(number, time, &mut random), time.as_micros()));
            number += 1;
        }
        rows.take(lines, &mut look)?;
    }
    rows.settle(&mut look)?;
    Ok(vec![
        Bound::new("largest history of one user", history, ROW_BYTES_MAX, "bytes"),
        Bound::new(
            "largest list of failures of one user",
            failures,
            ROW_BYTES_MAX,
            "bytes",
        ),
        Bound::new("histories", rows.count(Keyspace::User)?, 1, "rows"),
    ])
}

fn login(number: u64, time: Timestamp, random: &mut Random) -> Vec<u8> {
    let device = if random.chance(KNOWN_DEVICE) {
        random.below(KNOWN_DEVICES)
    } else {
        KNOWN_DEVICES + number
    };
    let mut shown = Random::stream(2, "device", device);
    let key = EnrolledShape {
        id: "key".to_owned(),
        kind: FactorType::Passkey,
        enrolled_at: Timestamp::from_seconds(1_500_000_000),
    };
    let event = EventBuilder::login(&format!("e-{number}"), "t", "one")
        .at(time)
        .address(&address(random))
        .set("client.user_agent", agent(&mut shown))
        .set("client.accept_language", format!("x-{}", shown.hex(30)))
        .set(
            "client.ja4",
            format!("t13d1516h2_{}_{}", shown.hex(12), shown.hex(12)),
        )
        .set("device.id", shown.hex(64))
        .set("device.attributes.screen", shown.hex(30))
        .set("device.attributes.fonts", shown.hex(30))
        .set("user.locale", format!("x-{}", random.hex(34)))
        .contacts(contacts(random));
    let event = match random.below(8) {
        0 => event
            .wrong_password()
            .factors(&[UsedFactor::password(FactorResult::Failure)]),
        1 => event
            .outcome(Outcome::Partial)
            .attempt(&format!("a-{number}"))
            .factors(&[UsedFactor::password(FactorResult::Success)]),
        2 | 3 => event
            .enrolled(std::slice::from_ref(&key))
            .factors(&[UsedFactor::enrolled(&key, FactorResult::Success)]),
        _ => event.factors(&[UsedFactor::password(FactorResult::Success)]),
    };
    event.line()
}

/// Software that nobody else has.
fn agent(random: &mut Random) -> String {
    format!(
        "Mozilla/5.0 ({}; {}) {}/{}.{} {}/{}",
        random.hex(40),
        random.hex(40),
        random.hex(40),
        random.below(1_000),
        random.below(1_000),
        random.hex(40),
        random.below(1_000),
    )
}

fn address(random: &mut Random) -> String {
    if random.chance(0.5) {
        Ipv4Addr::from_bits(network(random.below(NETWORKS.into()) as u32) | random.below(256) as u32)
            .to_string()
    } else {
        Ipv6Addr::from_bits(0x2a00 << 112 | u128::from(random.next_u64()) << 32).to_string()
    }
}

/// First address of a network's /24.
const fn network(number: u32) -> u32 {
    (11 << 24) + (number << 8)
}

fn contacts(random: &mut Random) -> Vec<Json> {
    let contact = |_| {
        Json::object([
            ("id", random.hex(60).as_str().into()),
            ("channel", "email".into()),
            (
                "address",
                format!("{}@example.org", random.hex(60)).as_str().into(),
            ),
            ("proof", "ownership".into()),
        ])
    };
    (0..4).map(contact).collect()
}

/// A file of networks, gone with the value.
struct Networks(PathBuf);

impl Networks {
    fn write() -> Result<Self, Failure> {
        let path = std::env::temp_dir().join(format!("doorward-bounds-{}.csv", std::process::id()));
        let mut text = "start,end,asn,organisation\n".to_owned();
        for number in 0..NETWORKS {
            let (start, end) = (network(number), network(number) + 255);
            let (start, end) = (Ipv4Addr::from_bits(start), Ipv4Addr::from_bits(end));
            let name = format!("Network {number} of a very long name that nobody would print");
            writeln!(text, "{start},{end},{},\"{name}\"", 100_000 + number)?;
        }
        std::fs::write(&path, text)?;
        Ok(Self(path))
    }
}

impl Drop for Networks {
    fn drop(&mut self) {
        // What is left behind in the folder for temporary files harms nobody.
        let _ = std::fs::remove_file(&self.0);
    }
}
