//! The right password from a strange device, some wrong codes, and then nothing more.

use super::{AttackKind, Stage};
use crate::generate::networks::NetworkKind;
use crate::generate::person::Proofs;

pub(super) fn plant(stage: &mut Stage<'_, '_>) {
    for turn in 0..stage.count() {
        let victim = stage.victim(turn % 2, |person, _, _| person.proofs == Proofs::Totp);
        let Some(victim) = victim else { return };
        let home = victim.person.country.code;
        let kind = if turn % 2 == 0 {
            NetworkKind::Residential
        } else {
            NetworkKind::Hosting
        };
        let Some(network) = stage.network(kind, |it| it.country != home) else {
            return;
        };
        let address = network.any_host(&mut stage.random);
        let machine = stage.computer(Some(victim.past), "en-US", "America/New_York");
        let door = victim.person.door;
        let a_try = stage.begin_at(door, victim, &machine, address, AttackKind::SecondFactorFails);
        stage.scribe.partial(&a_try, victim.time);
        let codes = stage.random.between(1, 4);
        stage.wrong_codes(&a_try, victim.time, codes);
    }
}
