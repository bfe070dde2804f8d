//! phone-stolen-abroad: the phone is gone, a new one is bought in Stockholm, and everything is new at once.
//!
//! `pia` mistypes an old password three times, recovers the account and signs in; `ravn` remembers his.

use super::owner::{COPENHAGEN, Owner, Proof};
use super::script::{Script, at};
use doorward::event::{EventType, Outcome};
use doorward::generate::software::{Browser, System};

const VPN_IN_STOCKHOLM: &str = "198.51.100.37";
const DAY: i64 = 98;

pub fn tell() -> Script {
    let mut script = Script::default();
    for (id, host, hour) in [("pia", 33, 15), ("ravn", 201, 17)] {
        let mut owner = Owner::with_code(id, COPENHAGEN, host);
        owner.live(&mut script);
        let phone = owner.another(Browser::Chrome, System::Android).shape(DAY);
        let tell = |script: &mut Script, minute, event| script.tell(at(DAY, hour, minute, 0), event);
        if id == "pia" {
            for (minute, name) in [(0, "typo-1"), (1, "typo-2"), (3, "typo-3")] {
                tell(
                    &mut script,
                    minute,
                    owner.wrong_password(name, &phone, VPN_IN_STOCKHOLM),
                );
            }
            for (minute, name, kind) in [
                (5, "recovery-started", EventType::RecoveryStarted),
                (9, "recovery-completed", EventType::RecoveryCompleted),
                (10, "password-changed", EventType::PasswordChanged),
            ] {
                tell(
                    &mut script,
                    minute,
                    owner.event(kind, name, &phone, VPN_IN_STOCKHOLM),
                );
            }
        }
        let asks = owner.not_in("asks", &phone, VPN_IN_STOCKHOLM, Outcome::Pending);
        tell(&mut script, 12, asks.attempt(&owner.event_id("attempt")));
        let is_in = owner.login("is-in", &phone, VPN_IN_STOCKHOLM, Proof::Code);
        tell(&mut script, 13, is_in.attempt(&owner.event_id("attempt")));
    }
    script
}
