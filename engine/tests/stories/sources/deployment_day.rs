//! deployment-day: the first day of Doorward at an application that has had its users for years.
//!
//! 500 accounts, none with a history, each on the own laptop at home; every third comes back in the evening or on the
//! next day. In between somebody with the right passwords of `pia` and `per`, who were not there yet, on a rented
//! server. The twin reads the application's old logs in first: every fifth account was in them, on four days.

use super::owner::{COPENHAGEN, Place};
use super::passers_by::{laptop_of, login};
use super::script::{Script, at};
use doorward::event::{FactorType, Outcome};
use doorward::generate::EventBuilder;
use doorward::generate::device::{DeviceShape, Machine};
use doorward::generate::event_builder::EnrolledShape;
use doorward::generate::random::Random;
use doorward::generate::software::{Browser, System};

const SERVER: &str = "192.0.2.88";
const ACCOUNTS: u64 = 500;
/// The day; the logs end on the day before.
const DAY: i64 = 40;
/// Days before it that the old logs tell of.
const LOGGED: [i64; 4] = [23, 16, 9, 2];

const TOWN: Place = Place {
    home: "198.18.21.",
    ..COPENHAGEN
};

pub fn tell() -> Script {
    let mut script = Script::default();
    let mut random = Random::stream(17, "deployment-day", 0);
    for number in 0..ACCOUNTS {
        let hour = random.between(6, 21);
        let time = at(DAY, hour, random.between(0, 59), random.between(0, 59));
        script.tell(time, at_home(number, "first", DAY));
        if number % 3 == 0 {
            let back = time.plus_seconds(3_600 * random.between(2, 20));
            script.tell(back, at_home(number, "again", DAY));
        }
    }
    for (minute, id) in [(5, "pia"), (25, "per")] {
        taken_over(&mut script, id, minute);
    }
    script
}

/// What the application logged in the weeks before, of every fifth account.
pub fn old_logs() -> Script {
    let mut script = Script::default();
    let mut random = Random::stream(18, "deployment-day", 0);
    for number in (0..ACCOUNTS).step_by(5) {
        for before in LOGGED {
            let day = DAY - before;
            let time = at(
                day,
                random.between(6, 21),
                random.between(0, 59),
                random.between(0, 59),
            );
            script.tell(time, at_home(number, &format!("log{before:02}"), day));
        }
    }
    script
}

fn account(number: u64) -> String {
    format!("old{number:03}")
}

fn at_home(number: u64, name: &str, day: i64) -> EventBuilder {
    let id = account(number);
    let address = format!("198.18.{}.{}", 21 + number / 200, 20 + number % 200);
    login(&id, name, TOWN, &laptop_of(&id, TOWN).shape(day), &address)
}

/// Asked for a code, the stranger goes away; the owner comes in the evening.
fn taken_over(script: &mut Script, id: &str, minute: i64) {
    let mut random = Random::stream(19, id, 0);
    let tool = Machine::with_software(&mut random, Browser::Chrome, System::Linux, "en-US", "UTC").shape(DAY);
    let code = [EnrolledShape {
        id: format!("{id}-totp"),
        kind: FactorType::Totp,
        enrolled_at: at(-300, 12, 0, 0),
    }];
    let asks = |name: &str, device: &DeviceShape, address: &str| {
        login(id, name, TOWN, device, address).enrolled(&code)
    };
    let stranger = asks("stranger", &tool, SERVER).outcome(Outcome::Pending);
    script.tell(
        at(DAY, 14, minute, 0),
        stranger.attempt(&format!("{id}-stranger")),
    );
    let owner = laptop_of(id, TOWN).shape(DAY);
    let host = 225 + minute;
    let evening = asks("evening", &owner, &format!("{}{host}", TOWN.home));
    script.tell(at(DAY, 20, minute, 0), evening);
}
