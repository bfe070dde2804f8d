//! wrong-password-then-flood: three wrong passwords for `sara` from a device she never used. When it has been quiet, she
//! hears of them. Then a thousand more for her, from a hundred made-up devices, and one each for many others from one
//! rented server, among them `tove`: of a campaign no owner hears anything.

use super::owner::{COPENHAGEN, Owner, Place, Proof};
use super::passers_by::{live_quietly, wrong_password};
use super::script::{Script, at};
use doorward::generate::device::{DeviceShape, Machine};
use doorward::generate::random::Random;
use doorward::generate::software::{Browser, System};

const STRANGER: &str = "198.18.70.33";
const SERVER: &str = "192.0.2.78";
const DAY: i64 = 61;
/// Wrong passwords for one account: a tenth of a real flood, so that the file stays small.
const FLOOD: i64 = 1_000;
/// Accounts that are tried once each.
const MANY: i64 = 60;

pub fn tell() -> Script {
    let mut script = Script::default();
    let mut sara = Owner::with_code("sara", COPENHAGEN, 61);
    sara.live(&mut script);
    let mut tove = Owner::with_code("tove", COPENHAGEN, 62);
    tove.live(&mut script);
    let strange = sara.another(Browser::Firefox, System::Linux).shape(DAY);
    for (number, second) in [(1, 0), (2, 40), (3, 95)] {
        let event = sara.wrong_password(&format!("wrong-{number}"), &strange, STRANGER);
        script.tell(at(DAY, 9, 0, second), event);
    }
    for number in 0..FLOOD {
        let tool = tool(number % 100);
        let event = sara.wrong_password(&format!("flood-{number}"), &tool, STRANGER);
        script.tell(at(DAY, 10, 0, 0).plus_seconds(number), event);
    }
    let place = Place {
        home: "198.18.21.",
        ..COPENHAGEN
    };
    for number in 0..MANY {
        let id = format!("one{number:03}");
        live_quietly(&mut script, &id, place, &format!("{}{}", place.home, 20 + number));
        let time = at(DAY, 14, 0, 0).plus_seconds(5 * number);
        script.tell(time, wrong_password(&id, "tried", place, &tool(0), SERVER));
    }
    let tried = tove.wrong_password("tried", &tool(0), SERVER);
    script.tell(at(DAY, 14, 0, 7), tried);
    let home = sara.login(
        "next-week",
        &sara.laptop.shape(DAY + 7),
        &sara.home,
        Proof::Password,
    );
    script.tell(at(DAY + 7, 8, 0, 0), home.set("auth.remembered", true));
    script
}

/// A program that shows another cookie each time.
fn tool(number: i64) -> DeviceShape {
    let random = &mut Random::stream(17, "flood", number.unsigned_abs());
    Machine::with_software(random, Browser::Chrome, System::Linux, "en-US", "UTC").shape(DAY)
}
