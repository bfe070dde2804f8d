//! spray-one-hit: one password for two hundred accounts, from a rented server.
//!
//! `hilda` has that password and falls early, before the spray can be known for one. `ivar` has it too; he is tried
//! later, at a door that asks before it opens. Controls: an office on a Monday morning, and the computer of a
//! library, where many people behind one address mistype and then succeed.

use super::owner::{COPENHAGEN, Owner, Place, Proof};
use super::passers_by::{laptop_of, live_quietly, login, wrong_password};
use super::script::{Script, at};
use doorward::event::{EventType, Outcome, Timestamp};
use doorward::generate::EventBuilder;
use doorward::generate::device::{DeviceShape, Machine};
use doorward::generate::json::Json;
use doorward::generate::random::Random;
use doorward::generate::software::{Browser, System};

const SERVER: &str = "192.0.2.77";
const OFFICE: &str = "203.0.113.194";
const LIBRARY: &str = "198.18.67.200";
/// A Monday.
const DAY: i64 = 63;

pub fn tell() -> Script {
    let mut script = Script::default();
    sprayed(&mut script);
    office(&mut script);
    library(&mut script);
    script
}

/// 199 wrong passwords; the fifth account of the list falls. The last of the list is tried at the other door.
fn sprayed(script: &mut Script) {
    let mut hilda = Owner::with_password("hilda", COPENHAGEN, 71);
    let mut ivar = Owner::with_password("ivar", COPENHAGEN, 172);
    hilda.live(script);
    ivar.live(script);
    let place = Place {
        home: "198.18.20.",
        ..COPENHAGEN
    };
    let tool = || {
        let random = &mut Random::stream(11, "spray", 0);
        let machine = Machine::with_software(random, Browser::Chrome, System::Linux, "en-US", "UTC");
        DeviceShape {
            id: None,
            attributes: Vec::new(),
            ..machine.shape(DAY)
        }
    };
    for number in 0..199 {
        let id = format!("acc{number:03}");
        live_quietly(script, &id, place, &format!("{}{}", place.home, 20 + number));
        let time = at(DAY, 3, 0, 0).plus_seconds(10 * number + 5);
        script.tell(time, wrong_password(&id, "sprayed", place, &tool(), SERVER));
    }
    let falls = hilda.login("falls", &tool(), SERVER, Proof::Password);
    script.tell(at(DAY, 3, 0, 50), falls);
    let asked = ivar.not_in("late-hit", &tool(), SERVER, Outcome::Pending);
    script.tell(at(DAY, 3, 25, 0), asked.attempt("ivar-late"));
    let closed = EventBuilder::new(EventType::AttemptClosed, "ivar-late-closed", "shop/web");
    let closed = closed
        .set("time", Json::Null)
        .user("ivar")
        .attempt("ivar-late")
        .set("attempt.granted", false);
    script.tell(at(DAY, 3, 25, 2), closed);
}

/// 48 people between half past seven and a quarter past eight, every third of whom mistypes.
fn office(script: &mut Script) {
    for number in 0..48 {
        let id = format!("clerk{number:02}");
        live_quietly(script, &id, COPENHAGEN, OFFICE);
        let device = laptop_of(&id, COPENHAGEN).shape(DAY);
        let time = at(DAY, 7, 30, 0).plus_seconds(55 * number);
        mistype_and_succeed(script, &id, &device, OFFICE, time, number % 3 == 0);
    }
}

/// Twelve readers on one computer that has been theirs for weeks; all of them mistype on a keyboard like that.
fn library(script: &mut Script) {
    let random = &mut Random::stream(13, "library", 0);
    let computer = Machine::with_software(
        random,
        Browser::Firefox,
        System::Windows,
        "da-DK",
        "Europe/Copenhagen",
    );
    for number in 0..12 {
        let id = format!("reader{number:02}");
        for (visit, day) in [(0, 2), (1, 5), (2, 9)] {
            let event = login(
                &id,
                &format!("h{visit}"),
                COPENHAGEN,
                &computer.shape(day),
                LIBRARY,
            );
            script.tell(at(day, 14, 4 * number, 0), event);
        }
        let time = at(DAY, 14, 4 * number, 0);
        mistype_and_succeed(script, &id, &computer.shape(DAY), LIBRARY, time, true);
    }
}

fn mistype_and_succeed(
    script: &mut Script,
    id: &str,
    device: &DeviceShape,
    address: &str,
    time: Timestamp,
    mistypes: bool,
) {
    if mistypes {
        script.tell(time, wrong_password(id, "mistyped", COPENHAGEN, device, address));
    }
    let event = login(id, "monday", COPENHAGEN, device, address);
    script.tell(time.plus_seconds(20), event);
}
