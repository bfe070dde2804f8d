//! What the client's connection shows, as sent.

use doorward_rules::{Field, Slots};

use super::address_text::AddressText;
use super::{LoginContext, Signal};

/// From which address and with which fingerprint does it come?
pub struct ClientSignal;

impl Signal for ClientSignal {
    fn question(&self) -> &'static str {
        "from which address and with which fingerprint does it come?"
    }

    fn fields(&self) -> &'static [Field] {
        &[Field::ClientIp, Field::ClientJa4, Field::ClientOrigin]
    }

    fn read(&self, context: &LoginContext<'_>, slots: &mut Slots) {
        let client = &context.login.event.client;
        slots.set_owned(Field::ClientIp, AddressText::of(context.network.ip).as_str());
        if let Some(ja4) = client.ja4.as_deref() {
            slots.set_owned(Field::ClientJa4, ja4);
        }
        if let Some(origin) = client.origin.as_deref() {
            slots.set_owned(Field::ClientOrigin, origin);
        }
    }
}
