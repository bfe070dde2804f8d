//! A phone is stolen abroad, and the password with it. The thief signs in on another phone, on a mobile network of
//! that country; the authenticator stays locked in the stolen one.

use super::{AttackKind, Stage};
use crate::generate::device::Machine;
use crate::generate::networks::NetworkKind;

pub(super) fn plant(stage: &mut Stage<'_, '_>) {
    for turn in 0..stage.count() {
        let Some(victim) = stage.any_victim(turn) else {
            return;
        };
        let home = victim.person.country.code;
        let Some(network) = stage.network(NetworkKind::Mobile, |it| it.country != home) else {
            return;
        };
        let address = network.any_host(&mut stage.random);
        let machine = Machine::phone(&mut stage.random, "en-GB", "Europe/Madrid");
        let a_try = stage.begin(victim, &machine, address, AttackKind::StolenPhone);
        stage.with_right_password(&a_try, victim.time);
    }
}
