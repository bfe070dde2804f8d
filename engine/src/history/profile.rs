//! What applications told about a user: account, contacts, language. It may exist before the first granted login,
//! and nothing in it was learned from one.

use std::sync::Arc;

use super::network_key::NetworkKey;
use super::time::Seconds;

/// Who uses the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, serde::Serialize)]
#[repr(u8)]
pub enum UserKind {
    /// One person.
    #[default]
    Person = 0,
    /// Several people.
    Shared = 1,
    /// A program of the organisation.
    Service = 2,
    /// Software that acts for a person.
    Agent = 3,
}

impl UserKind {
    /// All of them, in the order of their codes.
    pub const ALL: [Self; 4] = [Self::Person, Self::Shared, Self::Service, Self::Agent];

    /// The word of the event field.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Shared => "shared",
            Self::Service => "service",
            Self::Agent => "agent",
        }
    }
}

/// How a contact is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, serde::Serialize)]
#[repr(u8)]
pub enum ContactChannel {
    /// Mail.
    #[default]
    Email = 0,
    /// Text message.
    Sms = 1,
    /// Telephone call.
    Voice = 2,
    /// Push message.
    Push = 3,
    /// Message in the application.
    App = 4,
    /// Letter.
    Postal = 5,
}

impl ContactChannel {
    /// All of them, in the order of their codes.
    pub const ALL: [Self; 6] = [
        Self::Email,
        Self::Sms,
        Self::Voice,
        Self::Push,
        Self::App,
        Self::Postal,
    ];
}

/// What was proven of a contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash, serde::Serialize)]
#[repr(u8)]
pub enum ContactProof {
    /// Nothing.
    #[default]
    None = 0,
    /// Somebody received a message there.
    Possession = 1,
    /// It belongs to the person.
    Ownership = 2,
}

impl ContactProof {
    /// All of them, in the order of their codes.
    pub const ALL: [Self; 3] = [Self::None, Self::Possession, Self::Ownership];
}

/// Where a user can be told something.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct RememberedContact {
    /// The sender's id of the contact.
    pub id: Arc<str>,
    /// How it is reached.
    pub channel: ContactChannel,
    /// Mail address, number, or whatever the channel needs.
    pub address: Arc<str>,
    /// What was proven.
    pub proof: ContactProof,
    /// When it was proven.
    pub proved_at: Option<Seconds>,
    /// When it last changed.
    pub changed_at: Option<Seconds>,
    /// When the SIM behind a number last changed.
    pub sim_changed_at: Option<Seconds>,
    /// When a message last came back.
    pub bounced_at: Option<Seconds>,
}

/// A contact verified from the account's own device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct VerifiedFromDevice {
    /// The journal record that said so.
    pub seq: u64,
    /// `now` of that record.
    pub at: Seconds,
    /// The network it came from.
    pub network: NetworkKey,
}

/// The device on which the account was created, if it could be recognised again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct AccountDevice {
    /// Keyed hash of its key or id.
    pub identity: u128,
    /// The first contact verified from it; only then does the device earn credit.
    pub verified: Option<VerifiedFromDevice>,
}

/// The profile of one user.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
pub struct Profile {
    /// When the account was created: `user.created_at`, or the event `account.created`.
    pub created_at: Option<Seconds>,
    /// Who uses it.
    pub kind: UserKind,
    /// Language as a BCP 47 tag.
    pub locale: Option<Arc<str>>,
    /// IANA name of the time zone.
    pub time_zone: Option<Arc<str>>,
    /// Contacts in the order told, at most [`super::limits::CONTACTS_MAX`].
    pub contacts: Vec<RememberedContact>,
    /// When a contact was last verified.
    pub contact_verified_at: Option<Seconds>,
    /// The account's own device.
    pub account_device: Option<AccountDevice>,
}
