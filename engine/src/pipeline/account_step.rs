//! What an event tells of the account itself: when it was made, where its owner is reached, in which zone they live.

use crate::enrich::EnrichedLogin;
use crate::event::{self, Contact, EventType, Timestamp, User};
use crate::history::account::{ProfileUpdate, account_created, contact_verified, profile_updated};
use crate::history::profile::{ContactChannel, ContactProof, RememberedContact, UserKind};
use crate::history::time::{micros, seconds};
use crate::pipeline::ports::Seq;
use crate::pipeline::user_rows::UserRows;

/// Learns from an event that is no login. Only these make a row for a user who never signed in: they come from the
/// application, not from whoever types names.
pub fn take(login: &EnrichedLogin, seq: Seq, now: i64, rows: &mut UserRows) {
    match login.event.event_type {
        EventType::AccountCreated => {
            let history = rows.history.get_or_insert_default();
            account_created(history, &login.device, login.event.time.as_micros());
            rows.changed.history = true;
            remember_profile(&login.event.user, rows);
        }
        EventType::UserUpdated => {
            rows.history.get_or_insert_default();
            remember_profile(&login.event.user, rows);
        }
        EventType::ContactVerified => {
            if let Some(history) = rows.history.as_mut() {
                contact_verified(history, &login.device, login.network.as_ref(), seq, now);
                rows.changed.history = true;
            }
            remember_profile(&login.event.user, rows);
        }
        _ => remember_profile(&login.event.user, rows),
    }
}

/// Keeps what an event tells of its user, if there is a row to keep it in.
pub fn remember_profile(user: &User, rows: &mut UserRows) {
    let Some(history) = rows.history.as_mut().filter(|_| tells_something(user)) else {
        return;
    };
    profile_updated(
        history,
        ProfileUpdate {
            created_at: user.created_at.map(Timestamp::as_micros),
            kind: user.kind.map(to_kind),
            locale: user.locale.as_deref(),
            time_zone: user.time_zone.as_deref(),
            contacts: user
                .contacts
                .as_deref()
                .map(|contacts| contacts.iter().map(to_remembered).collect()),
        },
    );
    rows.changed.history = true;
}

fn tells_something(user: &User) -> bool {
    user.created_at.is_some()
        || user.kind.is_some()
        || user.locale.is_some()
        || user.time_zone.is_some()
        || user.contacts.is_some()
}

fn to_kind(kind: event::UserKind) -> UserKind {
    match kind {
        event::UserKind::Person => UserKind::Person,
        event::UserKind::Shared => UserKind::Shared,
        event::UserKind::Service => UserKind::Service,
        event::UserKind::Agent => UserKind::Agent,
    }
}

fn to_remembered(contact: &Contact) -> RememberedContact {
    let at = |time: Option<Timestamp>| time.map(|time| seconds(time.as_micros()));
    RememberedContact {
        id: (*contact.id).into(),
        channel: match contact.channel {
            event::Channel::Email => ContactChannel::Email,
            event::Channel::Sms => ContactChannel::Sms,
            event::Channel::Voice => ContactChannel::Voice,
            event::Channel::Push => ContactChannel::Push,
            event::Channel::App => ContactChannel::App,
            event::Channel::Postal => ContactChannel::Postal,
        },
        address: contact.address.as_deref().unwrap_or_default().into(),
        proof: match contact.proof {
            event::ContactProof::None => ContactProof::None,
            event::ContactProof::Possession => ContactProof::Possession,
            event::ContactProof::Ownership => ContactProof::Ownership,
        },
        proved_at: at(contact.proved_at),
        changed_at: at(contact.changed_at),
        sim_changed_at: at(contact.sim_changed_at),
        bounced_at: at(contact.bounced_at),
    }
}

/// A remembered contact in the form of an event.
#[must_use]
pub fn to_event_contact(contact: &RememberedContact) -> Contact {
    let at = |time: Option<i64>| time.map(|time| Timestamp::from_micros(micros(time)));
    Contact {
        id: (*contact.id).into(),
        channel: match contact.channel {
            ContactChannel::Email => event::Channel::Email,
            ContactChannel::Sms => event::Channel::Sms,
            ContactChannel::Voice => event::Channel::Voice,
            ContactChannel::Push => event::Channel::Push,
            ContactChannel::App => event::Channel::App,
            ContactChannel::Postal => event::Channel::Postal,
        },
        address: (!contact.address.is_empty()).then(|| (*contact.address).into()),
        source: None,
        proof: match contact.proof {
            ContactProof::None => event::ContactProof::None,
            ContactProof::Possession => event::ContactProof::Possession,
            ContactProof::Ownership => event::ContactProof::Ownership,
        },
        proved_at: at(contact.proved_at),
        changed_at: at(contact.changed_at),
        sim_changed_at: at(contact.sim_changed_at),
        bounced_at: at(contact.bounced_at),
    }
}
