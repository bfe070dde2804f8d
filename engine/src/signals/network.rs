//! The network by its number, its owner and the lists.

use std::sync::Arc;

use doorward_rules::{Field, Slots};

use super::{LoginContext, Signal};

/// What kind of network is it, whose, and where?
pub struct NetworkSignal;

impl Signal for NetworkSignal {
    fn question(&self) -> &'static str {
        "what kind of network is it, whose, and where?"
    }

    fn fields(&self) -> &'static [Field] {
        &[
            Field::NetworkClass,
            Field::NetworkKind,
            Field::NetworkAsn,
            Field::NetworkOrganisation,
            Field::NetworkCountry,
            Field::NetworkCity,
        ]
    }

    fn read(&self, context: &LoginContext<'_>, slots: &mut Slots) {
        let network = context.network;
        slots.set_text(Field::NetworkClass, network.class.as_str());
        slots.set_text(
            Field::NetworkKind,
            network.kind.map_or("none", |kind| kind.as_str()),
        );
        if let Some(asn) = network.asn {
            slots.set_int(Field::NetworkAsn, i64::from(asn));
        }
        if let Some(organisation) = &network.organisation {
            slots.set_owned(Field::NetworkOrganisation, Arc::clone(organisation));
        }
        if let Some(country) = network.country_code() {
            slots.set_owned(Field::NetworkCountry, country);
        }
        if let Some(city) = network.place.as_ref().and_then(|place| place.city.as_ref()) {
            slots.set_owned(Field::NetworkCity, Arc::clone(city));
        }
    }
}
