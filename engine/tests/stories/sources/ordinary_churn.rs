//! ordinary-churn: everything that changes by itself. Browser updates come with the days; `sofie` adds fifty mobile
//! addresses, an IPv6 line with changing suffixes, a private window and cleared cookies.

use super::owner::{COPENHAGEN, Owner, Proof};
use super::script::{Script, at};
use doorward::generate::device::DeviceShape;

/// The customer's own /56; the line uses its first /64.
const HOME_PREFIX: &str = "2001:db8:1ab:cd00";

pub fn tell() -> Script {
    let mut script = Script::default();
    let mut sofie = Owner::with_code("sofie", COPENHAGEN, 54);
    sofie.live(&mut script);
    for number in 1..=50 {
        let day = 60 + number / 2;
        let name = format!("mobile-{number:02}");
        let login = sofie.login(
            &name,
            &sofie.phone.shape(day),
            &sofie.mobile(100 + number.unsigned_abs()),
            Proof::Password,
        );
        script.tell(
            at(day, 8 + 9 * (number % 2), number, 0),
            login.set("auth.remembered", true),
        );
    }
    for number in 1..=12 {
        let day = 60 + 2 * number;
        let name = format!("privacy-{number:02}");
        let address = format!(
            "{HOME_PREFIX}:{:x}:{:x}:52c1:{:x}",
            0xa1e0 + 977 * number,
            0x41f + 5_087 * number,
            4_919 * number
        );
        let login = sofie.login(&name, &sofie.laptop.shape(day), &address, Proof::Password);
        script.tell(at(day, 20, number, 0), login.set("auth.remembered", true));
    }
    at_home(
        &sofie,
        &mut script,
        86,
        "private-window",
        sofie.laptop.private_window(86),
    );
    at_home(&sofie, &mut script, 87, "usual-window", sofie.laptop.shape(87));
    sofie.clear_cookies();
    for (day, name) in [
        (88, "cleared"),
        (89, "cleared-next-day"),
        (93, "cleared-third-day"),
        (94, "cleared-settled"),
    ] {
        at_home(&sofie, &mut script, day, name, sofie.laptop.shape(day));
    }
    script
}

fn at_home(owner: &Owner, script: &mut Script, day: i64, name: &str, device: DeviceShape) {
    let login = owner.login(name, &device, &owner.home, Proof::Password);
    script.tell(at(day, 19, 5, 0), login);
}
