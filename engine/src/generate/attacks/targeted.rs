//! Somebody who knows the victim: the same provider in the same town, the same browser on the same system, the same
//! language. What is missing is the cookie, and the attributes differ as those of two machines do.

use super::{AttackKind, Stage};

pub(super) fn plant(stage: &mut Stage<'_, '_>) {
    for turn in 0..stage.count() {
        let Some(victim) = stage.any_victim(turn) else {
            return;
        };
        let country = victim.person.country;
        let Some(own) = victim.past.machines.first() else {
            continue;
        };
        let machine = own.alike(&mut stage.random, country.locale, country.time_zone);
        let address = victim.person.home.network.any_host(&mut stage.random);
        let a_try = stage.begin(victim, &machine, address, AttackKind::Targeted);
        stage.with_right_password(&a_try, victim.time);
    }
}
