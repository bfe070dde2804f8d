//! A page in the middle forwards what the victim types and shows: agent, language, attributes, password and the right
//! code. It has no cookie, as that is bound to the real site, and it connects from a rented server with its own TLS.

use super::{AttackKind, Stage};
use crate::generate::label::Who;
use crate::generate::networks::NetworkKind;
use crate::generate::person::Proofs;
use crate::generate::scribe::Proven;

/// How the proxy's own TLS library looks.
const JA4: &str = "t13d1312h1_f57a46bbacb6_e7c285222651";

pub(super) fn plant(stage: &mut Stage<'_, '_>) {
    for turn in 0..stage.count() {
        // Where codes are asked for, the victim has one to give away; enrolled and unknown take turns.
        let victim = stage.victim(turn % 2, |person, _, _| person.proofs == Proofs::Totp);
        let Some(victim) = victim else { return };
        let Some(network) = stage.network(NetworkKind::Hosting, |_| true) else {
            return;
        };
        let address = network.any_host(&mut stage.random);
        let Some(own) = victim.past.machines.first() else {
            continue;
        };
        let mut device = own.private_window(stage.day(victim.time));
        device.ja4 = Some(JA4.to_owned());
        let (who, kind) = (
            Who::Attacker(AttackKind::ProxyInTheMiddle),
            AttackKind::ProxyInTheMiddle,
        );
        let door = victim.person.door;
        let a_try = stage
            .scribe
            .begin(victim.person, door, device, address, who, kind.name())
            .planted();
        stage.scribe.partial(&a_try, victim.time);
        let answered = victim.time.plus_ms(stage.random.between(9_000, 50_000));
        stage.scribe.granted(&a_try, answered, Proven::Both, false);
    }
}
