//! One common password on two hundred accounts, one try each, from one rented address within the hour. One falls.

use super::{AttackKind, Stage, Victim};
use crate::event::Timestamp;
use crate::generate::door::PORTAL;
use crate::generate::label::{FactorClass, Label, Who};
use crate::generate::networks::NetworkKind;

/// Accounts tried, at most; half of all people where there are fewer.
const ACCOUNTS_MAX: usize = 200;

pub(super) fn plant(stage: &mut Stage<'_, '_>) {
    let Some(hit) = stage.victim(1, |person, _, _| person.door.tells_enrolled) else {
        return;
    };
    let Some(network) = stage.network(NetworkKind::Hosting, |_| true) else {
        return;
    };
    let address = network.any_host(&mut stage.random);
    let machine = stage.computer(Some(hit.past), "en-US", "Etc/UTC");
    let device = machine.private_window(stage.day(hit.time));
    let who = Who::Attacker(AttackKind::Spray);
    let scenario = AttackKind::Spray.name();
    let mut people: Vec<_> = stage.people.iter().filter(|it| it.door.tells_enrolled).collect();
    stage.random.shuffle(&mut people);
    people.retain(|person| person.id != hit.person.id);
    people.truncate(ACCOUNTS_MAX.min(stage.people.len() / 2));
    let before = people.len() * 3 / 5;
    let mut now: Timestamp = hit.time;
    for (index, person) in people.into_iter().enumerate() {
        now = now.plus_ms(stage.random.between(4_000, 16_000));
        if index == before {
            let fallen = Victim { time: now, ..hit };
            let a_try = stage.begin_at(&PORTAL, fallen, &machine, address, AttackKind::Spray);
            stage.with_right_password(&a_try, now);
            now = now.plus_ms(stage.random.between(4_000, 16_000));
        }
        // One name in twelve belongs to nobody.
        if stage.random.chance(0.08) {
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
            stage.scribe.no_such_user(&PORTAL, &device, address, now, label);
            continue;
        }
        let a_try = stage
            .scribe
            .begin(person, &PORTAL, device.clone(), address, who, scenario);
        stage.scribe.wrong_password(&a_try, now);
    }
}
