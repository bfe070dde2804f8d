//! The victim once sat in a café; days later a stranger with the stolen password sits there too. A place that was
//! fine with the victim's laptop is no reason to trust the stranger's.

use super::{AttackKind, Stage};
use crate::event::Timestamp;
use std::net::IpAddr;

/// From the victim's visit to the stranger's.
const DAYS_BETWEEN: f64 = 2.0;

fn earlier_visit(cafe: &[(Timestamp, IpAddr)], time: Timestamp) -> Option<IpAddr> {
    let earlier = cafe
        .iter()
        .find(|(visit, _)| time.days_since(*visit) >= DAYS_BETWEEN);
    earlier.map(|(_, address)| *address)
}

pub(super) fn plant(stage: &mut Stage<'_, '_>) {
    for turn in 0..stage.count() {
        let victim = stage.victim(turn, |_, past, time| earlier_visit(&past.cafe, time).is_some());
        let Some(victim) = victim else { return };
        let Some(address) = earlier_visit(&victim.past.cafe, victim.time) else {
            return;
        };
        let country = victim.person.country;
        let machine = stage.computer(Some(victim.past), country.locale, country.time_zone);
        let a_try = stage.begin(victim, &machine, address, AttackKind::CafePoisoning);
        stage.with_right_password(&a_try, victim.time);
    }
}
