//! new-phone-after-a-break: forty days without a login, then a new phone at home and a slip of the finger.
//!
//! `karen` has a password and nothing else; `lars`, her twin, gives a code as well.

use super::owner::{COPENHAGEN, Owner, Proof};
use super::script::{Script, at};
use doorward::generate::software::{Browser, System};

pub fn tell() -> Script {
    let mut script = Script::default();
    for (mut owner, minute) in [
        (Owner::with_password("karen", COPENHAGEN, 17), 0),
        (Owner::with_code("lars", COPENHAGEN, 82), 20),
    ] {
        owner.live(&mut script);
        let phone = owner.another(Browser::Chrome, System::Android);
        let (today, tomorrow) = (phone.shape(98), phone.shape(99));
        let typo = owner.wrong_password("typo", &today, &owner.home);
        script.tell(at(98, 18, minute, 0), typo);
        let first = owner.login("new-phone", &today, &owner.home, Proof::Code);
        script.tell(at(98, 18, minute, 30), first);
        let again = owner.login("next-day", &tomorrow, &owner.home, Proof::Password);
        script.tell(at(99, 8, minute, 0), again.set("auth.remembered", true));
    }
    script
}
