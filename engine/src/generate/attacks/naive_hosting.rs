//! A bought password, tried from a rented server abroad by somebody who does not care to look like anybody.

use super::{AttackKind, Stage};
use crate::generate::networks::NetworkKind;

pub(super) fn plant(stage: &mut Stage<'_, '_>) {
    for turn in 0..stage.count() {
        let Some(victim) = stage.any_victim(turn) else {
            return;
        };
        let home = victim.person.country.code;
        let Some(network) = stage.network(NetworkKind::Hosting, |it| it.country != home) else {
            return;
        };
        let address = network.any_host(&mut stage.random);
        let machine = stage.computer(Some(victim.past), "en-US", "Etc/UTC");
        let a_try = stage.begin(victim, &machine, address, AttackKind::NaiveHosting);
        stage.with_right_password(&a_try, victim.time);
    }
}
