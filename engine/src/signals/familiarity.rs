//! How usual the address is for this user. The formula itself is `history::familiarity`.

use doorward_rules::{Field, Slots};

use super::{LoginContext, Signal};

/// How usual is this address for the user, against an attacker?
pub struct FamiliaritySignal;

impl Signal for FamiliaritySignal {
    fn question(&self) -> &'static str {
        "how usual is this address for the user, against an attacker?"
    }

    fn fields(&self) -> &'static [Field] {
        &[
            Field::AddressFamiliarity,
            Field::PairFamiliarity,
            Field::AddressKnownAt,
            Field::AddressUserLoginsFromNetwork,
            Field::AddressUserLogins,
            Field::AddressShareOfEveryone,
        ]
    }

    fn read(&self, context: &LoginContext<'_>, slots: &mut Slots) {
        let Some(familiarity) = &context.familiarity else {
            return;
        };
        slots.set_float(Field::AddressFamiliarity, familiarity.points);
        let earned = familiarity.points * context.pair_trust.credit_share();
        slots.set_float(Field::PairFamiliarity, earned);
        slots.set_text(Field::AddressKnownAt, familiarity.known_at.as_str());
        slots.set_float(
            Field::AddressUserLoginsFromNetwork,
            familiarity.user_logins_from_network,
        );
        slots.set_float(Field::AddressUserLogins, familiarity.user_logins);
        slots.set_float(Field::AddressShareOfEveryone, familiarity.share_of_everyone);
    }
}
