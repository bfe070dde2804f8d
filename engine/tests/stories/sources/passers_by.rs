//! People beside the story: an account older than the store, one device, three logins in the first two weeks.

use super::owner::Place;
use super::script::{Script, at};
use doorward::event::FactorResult;
use doorward::generate::EventBuilder;
use doorward::generate::device::{DeviceShape, Machine};
use doorward::generate::event_builder::UsedFactor;
use doorward::generate::random::Random;

/// Somebody's own laptop.
pub fn laptop_of(id: &str, place: Place) -> Machine {
    Machine::computer(&mut Random::stream(5, id, 0), place.locale, place.zone)
}

/// A login of somebody who has a password and nothing else.
pub fn login(id: &str, name: &str, place: Place, device: &DeviceShape, address: &str) -> EventBuilder {
    EventBuilder::login(&format!("{id}-{name}"), "shop/web", id)
        .set("user.created_at", at(-400, 12, 0, 0).to_string())
        .set("user.locale", place.locale)
        .set("user.time_zone", place.zone)
        .address(address)
        .device(device)
        .set("auth.flow", "form")
        .enrolled(&[])
        .app("shop")
        .methods(&["pwd"])
        .factors(&[UsedFactor::password(FactorResult::Success)])
}

/// The same with a wrong password.
pub fn wrong_password(
    id: &str,
    name: &str,
    place: Place,
    device: &DeviceShape,
    address: &str,
) -> EventBuilder {
    login(id, name, place, device, address)
        .wrong_password()
        .without("auth.methods")
        .factors(&[UsedFactor::password(FactorResult::Failure)])
}

/// Three logins on the own laptop at one address, days apart.
pub fn live_quietly(script: &mut Script, id: &str, place: Place, address: &str) {
    let mut random = Random::stream(7, id, 0);
    let laptop = laptop_of(id, place);
    let first = random.between(1, 3);
    for (number, day) in [first, first + 4, first + 9].into_iter().enumerate() {
        let login = login(id, &format!("h{number}"), place, &laptop.shape(day), address);
        let time = at(
            day,
            random.between(7, 20),
            random.between(0, 59),
            random.between(0, 59),
        );
        script.tell(time, login);
    }
}
