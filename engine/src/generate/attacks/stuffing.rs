//! A leaked list of names and passwords, tried from several rented addresses. Most names are nobody's, most
//! passwords are old, and a few are right.

use super::{AttackKind, Stage, Victim};
use crate::event::Timestamp;
use crate::generate::device::Machine;
use crate::generate::door::SHOP;
use crate::generate::label::{FactorClass, Label, Who};
use crate::generate::networks::NetworkKind;
use std::net::IpAddr;

/// Addresses it comes from; each finds one right password.
const ADDRESSES: usize = 3;
/// Tries from each address.
const TRIES: usize = 60;

pub(super) fn plant(stage: &mut Stage<'_, '_>) {
    for turn in 0..ADDRESSES.min(stage.count()) {
        let Some(hit) = stage.victim(turn * 2, |person, _, _| person.door.tells_enrolled) else {
            return;
        };
        let Some(network) = stage.network(NetworkKind::Hosting, |_| true) else {
            return;
        };
        let address = network.any_host(&mut stage.random);
        let mut now = hit.time;
        for index in 0..TRIES {
            now = now.plus_ms(stage.random.between(10_000, 60_000));
            let machine = stage.computer(Some(hit.past), "en-US", "Etc/UTC");
            if index == TRIES * 2 / 3 {
                let fallen = Victim { time: now, ..hit };
                let a_try = stage.begin_at(&SHOP, fallen, &machine, address, AttackKind::Stuffing);
                stage.with_right_password(&a_try, now);
            } else {
                miss(stage, &machine, address, now);
            }
        }
    }
}

/// A name that nobody has, or a password that is not right any more.
fn miss(stage: &mut Stage<'_, '_>, machine: &Machine, address: IpAddr, now: Timestamp) {
    let device = machine.private_window(stage.day(now));
    let who = Who::Attacker(AttackKind::Stuffing);
    let scenario = AttackKind::Stuffing.name();
    let mut known: Vec<_> = stage.people.iter().filter(|it| it.door.tells_enrolled).collect();
    if stage.random.chance(0.65) {
        known.clear();
    }
    let known = stage.random.pick(&known).copied();
    let Some(person) = known else {
        let attempt = stage.scribe.next_attempt();
        let factor = FactorClass::Unknown;
        let label = Label {
            attempt,
            user: None,
            who,
            scenario,
            planted_takeover: false,
            factor,
        };
        return stage.scribe.no_such_user(&SHOP, &device, address, now, label);
    };
    let a_try = stage.scribe.begin(person, &SHOP, device, address, who, scenario);
    stage.scribe.wrong_password(&a_try, now);
}
