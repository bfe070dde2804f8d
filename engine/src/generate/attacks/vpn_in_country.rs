//! A stolen password through a VPN exit in the victim's country; where the plan has none there, any exit.

use super::{AttackKind, Stage};
use crate::generate::networks::NetworkKind;

pub(super) fn plant(stage: &mut Stage<'_, '_>) {
    for turn in 0..stage.count() {
        let Some(victim) = stage.any_victim(turn) else {
            return;
        };
        let home = victim.person.country.code;
        let near = stage.network(NetworkKind::Vpn, |it| it.country == home);
        let Some(network) = near.or_else(|| stage.network(NetworkKind::Vpn, |_| true)) else {
            return;
        };
        let address = network.any_host(&mut stage.random);
        let machine = stage.computer(Some(victim.past), "en-US", victim.person.country.time_zone);
        let a_try = stage.begin(victim, &machine, address, AttackKind::VpnInCountry);
        stage.with_right_password(&a_try, victim.time);
    }
}
