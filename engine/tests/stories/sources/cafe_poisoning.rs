//! cafe-poisoning: one visit must not make a café's network trusted.
//!
//! `tove` signs in once in a café; five days later a stranger there has her password. `ulla` was never there, and the
//! same happens to her. In the evening `tove` comes back.

use super::owner::{COPENHAGEN, Owner, Proof};
use super::script::{Script, at};
use doorward::event::Outcome;
use doorward::generate::software::{Browser, System};

const CAFE: &str = "203.0.113.130";

pub fn tell() -> Script {
    let mut script = Script::default();
    for (id, host, minute) in [("tove", 61, 0), ("ulla", 162, 4)] {
        let mut owner = Owner::with_code(id, COPENHAGEN, host);
        owner.live(&mut script);
        if id == "tove" {
            let visit = owner.login("visit", &owner.laptop.shape(61), CAFE, Proof::Password);
            script.tell(at(61, 15, 0, 0), visit.set("auth.remembered", true));
            let back = owner.login("return", &owner.laptop.shape(66), CAFE, Proof::Password);
            script.tell(at(66, 18, 0, 0), back.set("auth.remembered", true));
        }
        let stranger = owner.another(Browser::Chrome, System::Android).shape(66);
        for (later, name, outcome) in [
            (0, "stranger", Outcome::Partial),
            (2, "stranger-gone", Outcome::Abandoned),
        ] {
            let event = owner.not_in(name, &stranger, CAFE, outcome);
            script.tell(
                at(66, 15, minute + later, 0),
                event.attempt(&owner.event_id("strange")),
            );
        }
    }
    script
}
