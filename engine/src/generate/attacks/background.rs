//! What every door on the internet hears: robots from rented servers and from Tor with names that nobody has, day and
//! night. Noise, not an attack on anybody.

use super::{AttackKind, Stage};
use crate::generate::door::{PORTAL, SHOP};
use crate::generate::label::{FactorClass, Label, Who};
use crate::generate::networks::NetworkKind;

/// Tries per person and day.
const SHARE: f64 = 0.06;

pub(super) fn plant(stage: &mut Stage<'_, '_>) {
    let per_day = stage.people.len() as f64 * SHARE;
    for day in 0..i64::from(stage.plan.days) {
        let tries = (per_day * (0.5 + stage.random.unit())) as u32;
        for _ in 0..tries {
            let kind = if stage.random.chance(0.9) {
                NetworkKind::Hosting
            } else {
                NetworkKind::Tor
            };
            let Some(network) = stage.network(kind, |_| true) else {
                return;
            };
            let address = network.any_host(&mut stage.random);
            let time = stage
                .plan
                .start
                .plus_days(day)
                .plus_ms(stage.random.between(0, 86_399_999));
            let device = stage.computer(None, "en-US", "Etc/UTC").private_window(day);
            let door = if stage.random.chance(0.5) { &PORTAL } else { &SHOP };
            let label = Label {
                attempt: stage.scribe.next_attempt(),
                user: None,
                who: Who::Attacker(AttackKind::Background),
                scenario: AttackKind::Background.name(),
                planted_takeover: false,
                factor: FactorClass::Unknown,
            };
            stage.scribe.no_such_user(door, &device, address, time, label);
        }
    }
}
