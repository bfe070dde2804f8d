//! What applications tell about an account outside of logins: created, profile changed, contact verified.
//!
//! Nothing here is a granted login. A contact verified from the device on which the account was created is the first
//! way in which a device is vouched.

use std::sync::Arc;

use crate::enrich::device::DeviceDescriptor;
use crate::enrich::network::NetworkFacts;

use super::eviction;
use super::limits::{CONTACT_BYTES_MAX, CONTACTS_MAX, TEXT_BYTES_MAX, clip};
use super::network_key::NetworkKey;
use super::profile::{AccountDevice, RememberedContact, UserKind, VerifiedFromDevice};
use super::time::seconds;
use super::trust::{Credit, CreditSize};
use super::user_history::UserHistory;

/// What an event tells of the profile; `None` leaves what is remembered.
#[derive(Debug, Clone, Default)]
pub struct ProfileUpdate<'a> {
    /// `user.created_at` in microseconds.
    pub created_at: Option<i64>,
    /// `user.kind`.
    pub kind: Option<UserKind>,
    /// `user.locale`.
    pub locale: Option<&'a str>,
    /// `user.time_zone`.
    pub time_zone: Option<&'a str>,
    /// `user.contacts`, all of them.
    pub contacts: Option<Vec<RememberedContact>>,
}

/// Learns `account.created` at `event_time` (microseconds) on a device; one without id or key cannot be recognised.
pub fn account_created(history: &mut UserHistory, device: &DeviceDescriptor, event_time: i64) {
    let created = &mut history.profile.created_at;
    *created = created.or(Some(seconds(event_time)));
    if history.profile.account_device.is_none() && history.granted.count == 0 {
        history.profile.account_device = device.key.or(device.id).map(|identity| AccountDevice {
            identity,
            verified: None,
        });
    }
}

/// Learns what `user.updated`, or any event of the user, says of the profile.
pub fn profile_updated(history: &mut UserHistory, update: ProfileUpdate<'_>) {
    let profile = &mut history.profile;
    let mut changed = false;
    if let Some(created_at) = update.created_at {
        changed |= replace(&mut profile.created_at, Some(seconds(created_at)));
    }
    if let Some(kind) = update.kind {
        changed |= replace(&mut profile.kind, kind);
    }
    changed |= remember_text(&mut profile.locale, update.locale);
    changed |= remember_text(&mut profile.time_zone, update.time_zone);
    if let Some(contacts) = update.contacts {
        changed |= replace(&mut profile.contacts, within_limits(contacts));
    }
    // Most events say again what is known, and the row fitted with that.
    if changed {
        eviction::fit(history);
    }
}

/// Whether the value is another one now.
fn replace<T: PartialEq>(slot: &mut T, value: T) -> bool {
    let changed = *slot != value;
    *slot = value;
    changed
}

/// Learns `contact.verified`, seen with `seq` at `now` (microseconds). From the account's own device it vouches for
/// that device and the network it came from, if the event told one, after three days.
pub fn contact_verified(
    history: &mut UserHistory,
    device: &DeviceDescriptor,
    network: Option<&NetworkFacts>,
    seq: u64,
    now: i64,
) {
    let now = seconds(now);
    let verified_at = &mut history.profile.contact_verified_at;
    *verified_at = Some(verified_at.map_or(now, |before| before.max(now)));
    let from_device =
        |account: &AccountDevice| device.key == Some(account.identity) || device.id == Some(account.identity);
    if let Some(account) = history.profile.account_device.as_mut()
        && account.verified.is_none()
        && from_device(account)
    {
        account.verified = Some(VerifiedFromDevice {
            seq,
            at: now,
            network: network.map_or(NetworkKey::NOWHERE, NetworkKey::of),
        });
        credit_account_device(history);
    }
}

/// Gives the account's own device its credit, once it is among the devices and a contact was verified from it.
pub(super) fn credit_account_device(history: &mut UserHistory) {
    let Some(account) = history.profile.account_device else {
        return;
    };
    let Some(verified) = account.verified else {
        return;
    };
    let own = history.devices.iter_mut().zip(0u8..).find(|(device, _)| {
        !device.copy && (device.key == Some(account.identity) || device.id == Some(account.identity))
    });
    let Some((device, index)) = own else {
        return;
    };
    let credit = Credit::after_three_days(verified.seq, verified.at);
    device.credits.give(CreditSize::Full, credit, verified.at);
    let pair = history
        .pairs
        .iter_mut()
        .find(|pair| pair.device == index && pair.network == verified.network);
    if let Some(pair) = pair {
        pair.credits.give(CreditSize::Full, credit, verified.at);
    }
}

fn remember_text(slot: &mut Option<Arc<str>>, text: Option<&str>) -> bool {
    let text = text.map(|text| clip(text, TEXT_BYTES_MAX));
    let changed = text.is_some() && slot.as_deref() != text;
    if changed {
        *slot = text.map(Arc::from);
    }
    changed
}

fn within_limits(contacts: Vec<RememberedContact>) -> Vec<RememberedContact> {
    let mut left = CONTACT_BYTES_MAX;
    contacts
        .into_iter()
        .take(CONTACTS_MAX)
        .take_while(|contact| {
            let bytes = contact.id.len() + contact.address.len();
            let fits = bytes <= left;
            left = left.saturating_sub(bytes);
            fits
        })
        .collect()
}
