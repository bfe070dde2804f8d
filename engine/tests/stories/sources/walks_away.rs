//! right-password-walks-away: a stranger has the right password, is asked for more, and closes the tab.
//!
//! `thea`'s application asks before it opens, `ulla`'s asks for the code itself and names no attempt; nothing more is
//! heard of either. `vera` is on her own laptop, is let in, and her application never says so. An hour later life goes
//! on, which is when the time of all three is known to be over.

use super::owner::{COPENHAGEN, Owner, Proof};
use super::passers_by::live_quietly;
use super::script::{Script, at};
use doorward::event::Outcome;
use doorward::generate::software::{Browser, System};

const SOMEWHERE: &str = "198.18.70.99";
const DAY: i64 = 61;

pub fn tell() -> Script {
    let mut script = Script::default();
    let mut thea = Owner::with_code("thea", COPENHAGEN, 41);
    let mut ulla = Owner::with_code("ulla", COPENHAGEN, 42);
    let mut vera = Owner::with_code("vera", COPENHAGEN, 43);
    for owner in [&mut thea, &mut ulla, &mut vera] {
        owner.live(&mut script);
    }
    let stranger = thea.another(Browser::Firefox, System::Linux).shape(DAY);
    let asks = thea.not_in("stranger", &stranger, SOMEWHERE, Outcome::Pending);
    script.tell(at(DAY, 4, 0, 0), asks.attempt("thea-stranger"));
    let stranger = ulla.another(Browser::Firefox, System::Linux).shape(DAY);
    let half = ulla.not_in("stranger", &stranger, SOMEWHERE, Outcome::Partial);
    script.tell(at(DAY, 4, 1, 0), half);
    let own = vera.laptop.shape(DAY);
    let asks = vera.not_in("own-laptop", &own, &vera.home, Outcome::Pending);
    script.tell(at(DAY, 4, 2, 0), asks.attempt("vera-own"));
    let later = ulla.login("later", &ulla.laptop.shape(DAY), &ulla.home, Proof::Password);
    script.tell(at(DAY, 5, 0, 0), later.set("auth.remembered", true));
    live_quietly(&mut script, "neighbour", COPENHAGEN, "198.18.3.250");
    script
}
