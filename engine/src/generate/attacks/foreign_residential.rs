//! A stolen password from a home line in another country: a rented or infected one that no list knows.

use super::{AttackKind, Stage};
use crate::generate::networks::NetworkKind;

const COUNTRIES: [&str; 5] = ["NG", "BR", "ID", "RU", "CN"];

pub(super) fn plant(stage: &mut Stage<'_, '_>) {
    for turn in 0..stage.count() {
        let Some(victim) = stage.any_victim(turn) else {
            return;
        };
        let home = victim.person.country.code;
        let abroad = |country: &str| country != home && COUNTRIES.contains(&country);
        let Some(network) = stage.network(NetworkKind::Residential, |it| abroad(&it.country)) else {
            return;
        };
        let address = network.any_host(&mut stage.random);
        let machine = stage.computer(Some(victim.past), "en-US", "America/New_York");
        let a_try = stage.begin(victim, &machine, address, AttackKind::ForeignResidential);
        stage.with_right_password(&a_try, victim.time);
    }
}
