//! The profile part of a row as bytes.

use super::codec::{CodecError, flag};
use super::limits::CONTACTS_MAX;
use super::network_key::NetworkKey;
use super::profile::{
    AccountDevice, ContactChannel, ContactProof, Profile, RememberedContact, UserKind, VerifiedFromDevice,
};
use super::time::Seconds;
use super::wire::{Reader, Writer};

const CREATED: u8 = 1;
const LOCALE: u8 = 2;
const ZONE: u8 = 4;
const VERIFIED: u8 = 8;
const DEVICE: u8 = 16;
const DEVICE_VERIFIED: u8 = 32;

pub(super) fn write(out: &mut Writer, profile: &Profile, base: Seconds) {
    let verified = profile.account_device.and_then(|device| device.verified);
    let flags = flag(profile.created_at.is_some(), CREATED)
        | flag(profile.locale.is_some(), LOCALE)
        | flag(profile.time_zone.is_some(), ZONE)
        | flag(profile.contact_verified_at.is_some(), VERIFIED)
        | flag(profile.account_device.is_some(), DEVICE)
        | flag(verified.is_some(), DEVICE_VERIFIED);
    out.byte(flags | ((profile.kind as u8) << 6));
    for time in [profile.created_at, profile.contact_verified_at]
        .into_iter()
        .flatten()
    {
        out.time(time, base);
    }
    for text in [&profile.locale, &profile.time_zone].into_iter().flatten() {
        out.text(text);
    }
    if let Some(device) = profile.account_device {
        out.wide(device.identity);
    }
    if let Some(verified) = verified {
        out.number(verified.seq);
        out.time(verified.at, base);
        write_network(out, verified.network);
    }
    out.number(profile.contacts.len() as u64);
    for contact in &profile.contacts {
        write_contact(out, contact, base);
    }
}

pub(super) fn read(input: &mut Reader<'_>, base: Seconds) -> Result<Profile, CodecError> {
    let flags = input.byte()?;
    let has = |bit: u8| flags & bit != 0;
    let mut profile = Profile {
        kind: UserKind::ALL
            .get(usize::from(flags >> 6))
            .copied()
            .unwrap_or_default(),
        ..Profile::default()
    };
    profile.created_at = if has(CREATED) {
        Some(input.time(base)?)
    } else {
        None
    };
    profile.contact_verified_at = if has(VERIFIED) {
        Some(input.time(base)?)
    } else {
        None
    };
    profile.locale = if has(LOCALE) {
        Some(input.text()?.into())
    } else {
        None
    };
    profile.time_zone = if has(ZONE) {
        Some(input.text()?.into())
    } else {
        None
    };
    if has(DEVICE) {
        let identity = input.wide()?;
        let verified = if has(DEVICE_VERIFIED) {
            Some(read_verified(input, base)?)
        } else {
            None
        };
        profile.account_device = Some(AccountDevice { identity, verified });
    }
    for _ in 0..input.count(CONTACTS_MAX, "number of contacts")? {
        profile.contacts.push(read_contact(input, base)?);
    }
    Ok(profile)
}

/// Bytes of the texts whose length is not bounded by the format itself.
pub(super) fn longest_text(profile: &Profile) -> usize {
    let bytes = |contact: &RememberedContact| 50 + contact.id.len() + contact.address.len();
    profile.contacts.iter().map(bytes).sum()
}

fn read_verified(input: &mut Reader<'_>, base: Seconds) -> Result<VerifiedFromDevice, CodecError> {
    Ok(VerifiedFromDevice {
        seq: input.number()?,
        at: input.time(base)?,
        network: read_network(input)?,
    })
}

fn write_network(out: &mut Writer, network: NetworkKey) {
    let (kind, value) = match network {
        NetworkKey::Asn(asn) => (0, u64::from(asn)),
        NetworkKey::V4(prefix) => (1, u64::from(prefix)),
        NetworkKey::V6(prefix) => (2, prefix),
    };
    out.byte(kind);
    out.number(value);
}

fn read_network(input: &mut Reader<'_>) -> Result<NetworkKey, CodecError> {
    match input.byte()? {
        0 => Ok(NetworkKey::Asn(input.narrow("network of the account")?)),
        1 => Ok(NetworkKey::V4(input.narrow("network of the account")?)),
        2 => Ok(NetworkKey::V6(input.number()?)),
        _ => Err(CodecError::Damaged("network of the account")),
    }
}

fn write_contact(out: &mut Writer, contact: &RememberedContact, base: Seconds) {
    let times = [
        contact.proved_at,
        contact.changed_at,
        contact.sim_changed_at,
        contact.bounced_at,
    ];
    let mask = (0u8..)
        .zip(times)
        .fold(0, |mask, (bit, time)| mask | flag(time.is_some(), 1 << bit));
    out.byte(mask | ((contact.proof as u8) << 4));
    out.byte(contact.channel as u8);
    out.text(&contact.id);
    out.text(&contact.address);
    for time in times.into_iter().flatten() {
        out.time(time, base);
    }
}

fn read_contact(input: &mut Reader<'_>, base: Seconds) -> Result<RememberedContact, CodecError> {
    let head = input.byte()?;
    let channel = ContactChannel::ALL.get(usize::from(input.byte()?)).copied();
    let proof = ContactProof::ALL.get(usize::from(head >> 4)).copied();
    let mut contact = RememberedContact {
        id: input.text()?.into(),
        channel: channel.ok_or(CodecError::Damaged("channel of a contact"))?,
        address: input.text()?.into(),
        proof: proof.ok_or(CodecError::Damaged("proof of a contact"))?,
        ..RememberedContact::default()
    };
    let times = [
        &mut contact.proved_at,
        &mut contact.changed_at,
        &mut contact.sim_changed_at,
        &mut contact.bounced_at,
    ];
    for (bit, time) in (0u8..).zip(times) {
        if head & (1 << bit) != 0 {
            *time = Some(input.time(base)?);
        }
    }
    Ok(contact)
}
