//! Signals: each answers one question about a login and writes the answer into the declared fields that rules read.
//!
//! One file, one question. A signal that lacks an input leaves its field empty, which a rule sees as `no_data`: missing
//! is never silently safe or guilty. Pure; no signal looks at another one's fields. To add a field: declare it in
//! `rules/src/fields.rs`, fill it in one of these files; the test below holds that every field has exactly one signal.

mod address_text;
mod app;
mod auth;
mod client;
mod crowd;
mod device;
mod failures;
mod familiarity;
mod login;
mod network;
mod travel;
mod user;
mod zones;

use doorward_rules::{Field, Slots};

use crate::attempt::Attempt;
use crate::attempt::proven::Proven;
use crate::enrich::EnrichedLogin;
use crate::enrich::network::{NetworkFacts, NetworkKind, Place};
use crate::event::{Sensitivity, UserKind};
use crate::history::crowd::CrowdView;
use crate::history::failures::UserFailures;
use crate::history::familiarity::Familiarity;
use crate::history::time::Seconds;
use crate::history::{DeviceMatch, Maturity, Trust, UserHistory};

pub use zones::Zones;

/// Where a user was last, by the geo files of the login at hand.
#[derive(Debug, Clone, PartialEq)]
pub struct LastPlaceNow {
    /// Event time of the login there.
    pub time: Seconds,
    /// The place.
    pub place: Place,
    /// Kind of its network.
    pub kind: Option<NetworkKind>,
    /// Whether place and login are of one geo epoch.
    pub comparable: bool,
}

/// Everything a signal may look at.
#[derive(Debug, Clone, Copy)]
pub struct LoginContext<'a> {
    /// The event with device, network and place.
    pub login: &'a EnrichedLogin,
    /// Its network.
    pub network: &'a NetworkFacts,
    /// What is known of the user.
    pub history: Option<&'a UserHistory>,
    /// The user's last failures.
    pub failures: &'a UserFailures,
    /// The identity of the device among failures, 0 if it shows none.
    pub source_device: u128,
    /// Keyed hash of the address.
    pub source_address: u128,
    /// The attempt with this event in it.
    pub attempt: &'a Attempt,
    /// How the device stands to those seen before.
    pub matched: &'a DeviceMatch,
    /// Trust of device and network together.
    pub pair_trust: Trust,
    /// How much is known of the user.
    pub maturity: Maturity,
    /// Whose account it is.
    pub user_kind: UserKind,
    /// How usual the address is; `None` without data.
    pub familiarity: Option<Familiarity>,
    /// What others did from here in the last hour.
    pub crowd: &'a CrowdView,
    /// What this attempt has proven.
    pub proven: &'a Proven,
    /// Level of it, 1 to 3.
    pub achieved: u8,
    /// Level of most logins in 90 days.
    pub usual: Option<u8>,
    /// Level of the strongest mature factor; `None` if the application told nothing.
    pub enrolled_max: Option<u8>,
    /// Where the user was last, as far as today's geo files know.
    pub last_place: Option<&'a LastPlaceNow>,
    /// Sensitivity that counts.
    pub sensitivity: Sensitivity,
    /// Whether keys of hardware count as bound to origin.
    pub hwk_origin_bound: bool,
    /// Doorward's clock at this event, microseconds since the epoch.
    pub now: i64,
    /// Time zones by name.
    pub zones: &'a Zones,
}

/// One question about a login.
pub trait Signal: Sync {
    /// The question, for documentation.
    fn question(&self) -> &'static str;

    /// The fields it fills, and nobody else does.
    fn fields(&self) -> &'static [Field];

    /// Answers it.
    fn read(&self, context: &LoginContext<'_>, slots: &mut Slots);
}

/// All signals, in the order they are read.
pub const ALL: &[&dyn Signal] = &[
    &login::LoginSignal,
    &user::UserSignal,
    &device::DeviceSignal,
    &client::ClientSignal,
    &network::NetworkSignal,
    &familiarity::FamiliaritySignal,
    &travel::TravelSignal,
    &failures::FailuresSignal,
    &auth::AuthSignal,
    &app::AppSignal,
    &crowd::CrowdSignal,
];

/// Fills all fields anew.
pub fn read_all(context: &LoginContext<'_>, slots: &mut Slots) {
    slots.clear();
    for signal in ALL {
        signal.read(context, slots);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_exactly_one_signal() {
        for field in Field::ALL {
            let signals: Vec<&str> = ALL
                .iter()
                .filter(|signal| signal.fields().contains(field))
                .map(|signal| signal.question())
                .collect();
            assert_eq!(signals.len(), 1, "`{}` is filled by {signals:?}", field.name());
        }
    }
}
