//! stolen-password-next-door: the thief has the same provider, the same browser and the same system.
//!
//! `viggo` can prove a code, `wanda` has nothing but her password, `asta` lives in a small country. Many others
//! share Viggo's provider and few share Asta's.

use super::owner::{COPENHAGEN, Owner, Place, Proof, REYKJAVIK};
use super::passers_by::live_quietly;
use super::script::{Script, at};
use doorward::event::Outcome;

const IN_COPENHAGEN: &str = "198.18.9.77";
const IN_REYKJAVIK: &str = "198.19.78.77";

pub fn tell() -> Script {
    let mut script = Script::default();
    neighbours(&mut script);
    let mut viggo = Owner::with_code("viggo", COPENHAGEN, 91);
    let mut wanda = Owner::with_password("wanda", COPENHAGEN, 112);
    let mut asta = Owner::with_code("asta", REYKJAVIK, 131);
    for owner in [&mut viggo, &mut wanda, &mut asta] {
        owner.live(&mut script);
    }
    turned_away(&mut viggo, &mut script, IN_COPENHAGEN, 0);
    turned_away(&mut asta, &mut script, IN_REYKJAVIK, 20);
    let thief = wanda.laptop_alike().shape(61);
    let is_in = wanda.login("thief", &thief, IN_COPENHAGEN, Proof::Password);
    script.tell(at(61, 4, 10, 0), is_in);
    script
}

fn turned_away(owner: &mut Owner, script: &mut Script, address: &str, minute: i64) {
    let thief = owner.laptop_alike().shape(61);
    for (later, name, outcome) in [
        (0, "thief", Outcome::Partial),
        (3, "thief-gone", Outcome::Abandoned),
    ] {
        let event = owner.not_in(name, &thief, address, outcome);
        script.tell(
            at(61, 4, minute + later, 0),
            event.attempt(&owner.event_id("thieves")),
        );
    }
}

/// Three logins each of 45 others: 40 in Denmark over three providers, 5 in Iceland over two.
fn neighbours(script: &mut Script) {
    const SUNDBY: Place = Place {
        home: "198.18.66.",
        ..COPENHAGEN
    };
    const KATTEGAT: Place = Place {
        home: "198.18.81.",
        ..COPENHAGEN
    };
    const ESJA: Place = Place {
        home: "198.19.80.",
        ..REYKJAVIK
    };
    for (name, place, count) in [
        (
            "nordvig",
            Place {
                home: "198.18.5.",
                ..COPENHAGEN
            },
            24,
        ),
        ("sundby", SUNDBY, 10),
        ("kattegat", KATTEGAT, 6),
        (
            "faxafloi",
            Place {
                home: "198.19.77.",
                ..REYKJAVIK
            },
            3,
        ),
        ("esja", ESJA, 2),
    ] {
        for number in 0..count {
            live_quietly(
                script,
                &format!("{name}{number:02}"),
                place,
                &format!("{}{}", place.home, 10 + number),
            );
        }
    }
}
