//! holiday-with-own-laptop: Spain by plane, with the laptop that has been hers for two months.
//!
//! `nina` travels. `otto` makes the same journey, and half an hour after a login through his VPN somebody in Jakarta
//! has his password: only if the hotel is still his last place can that be seen.

use super::owner::{COPENHAGEN, Owner, Proof};
use super::script::{Script, at, day_of};
use doorward::event::{Outcome, Timestamp};
use doorward::generate::software::{Browser, System};

const PLANE_OUT: &str = "203.0.113.66";
const PLANE_HOME: &str = "203.0.113.71";
const HOTEL: &str = "203.0.113.162";
const LOCAL_SIM: &str = "198.19.33.7";
const TETHERED: &str = "198.19.34.90";
const VPN_IN_AMSTERDAM: &str = "198.51.100.5";
const HOME_IN_JAKARTA: &str = "198.19.101.40";

pub fn tell() -> Script {
    let mut script = Script::default();
    let mut nina = Owner::with_code("nina", COPENHAGEN, 21);
    nina.live(&mut script);
    travel(&nina, &mut script, 0);
    usual(&nina, &mut script, at(63, 20, 20, 0), "hotel-after-vpn", HOTEL);
    let mut otto = Owner::with_code("otto", COPENHAGEN, 143);
    otto.live(&mut script);
    travel(&otto, &mut script, 3);
    let stranger = otto.another(Browser::Firefox, System::Windows).shape(63);
    for (minute, name, outcome) in [
        (38, "jakarta", Outcome::Partial),
        (40, "jakarta-gone", Outcome::Abandoned),
    ] {
        let event = otto.not_in(name, &stranger, HOME_IN_JAKARTA, outcome);
        script.tell(at(63, 20, minute, 0), event.attempt("otto-jakarta"));
    }
    script
}

fn travel(owner: &Owner, script: &mut Script, minute: i64) {
    for (day, hour, minutes, name, address) in [
        (61, 9, 0, "plane-out", PLANE_OUT),
        (61, 19, 0, "hotel", HOTEL),
        (62, 14, 0, "tethered", TETHERED),
        (63, 19, 50, "hotel-before-vpn", HOTEL),
        (63, 20, 10, "vpn", VPN_IN_AMSTERDAM),
        (65, 13, 0, "plane-home", PLANE_HOME),
        (65, 18, 0, "home", &owner.home),
    ] {
        usual(owner, script, at(day, hour, minutes + minute, 0), name, address);
    }
    let phone = owner.login("local-sim", &owner.phone.shape(62), LOCAL_SIM, Proof::Password);
    script.tell(at(62, 11, minute, 0), phone.set("auth.remembered", true));
}

/// A login on the own laptop, which the application remembers.
fn usual(owner: &Owner, script: &mut Script, time: Timestamp, name: &str, address: &str) {
    let login = owner.login(name, &owner.laptop.shape(day_of(time)), address, Proof::Password);
    script.tell(time, login.set("auth.remembered", true));
}
