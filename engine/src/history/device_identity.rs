//! THE identity of a device: what one login shows, against what granted logins of its user showed.
//!
//! Score, decision and mail all use this function. No address is in it. Issuing cookies is not its business: ids and
//! generations are the application's and are only compared.

use crate::enrich::device::DeviceDescriptor;

use super::limits::{TEXT_BYTES_MAX, clip};
use super::software_name::SoftwareName;
use super::time::{Seconds, seconds};
use super::trust::Trust;
use super::user_history::{Device, DeviceName, UserHistory};

/// Attributes that must have been sent before equality means anything.
const ATTRIBUTES_MIN: u16 = 4;
/// An older major version by this many contradicts.
const MAJORS_BACK: u32 = 2;

/// What a device is to its user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub enum DeviceState {
    /// Its key was proven, or its id was seen before with consistent software and generation.
    Known,
    /// No id or a new one, but software and attributes of a device seen before: cleared cookies, or a proxy.
    Resembles,
    /// Anything else.
    New,
    /// The id of a device seen before, with software or a generation that contradicts it: a copy.
    Conflict,
}

impl DeviceState {
    /// The word of the field `device.state`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Resembles => "resembles",
            Self::New => "new",
            Self::Conflict => "conflict",
        }
    }
}

/// What a device was compared by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IdentityBasis {
    /// A proven key.
    Key,
    /// The application's id.
    Id,
    /// Family and operating system, because this user's logins carry nothing better.
    Agent,
    /// Nothing that could be seen again.
    None,
}

impl IdentityBasis {
    /// The word of the field `device.basis`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Id => "id",
            Self::Agent => "agent",
            Self::None => "none",
        }
    }
}

/// The answer of [`identify`]. Indices are valid only for the history that was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceMatch {
    /// What it is to the user.
    pub state: DeviceState,
    /// The device of the history that it is; for a conflict, the copy if that was seen before.
    pub device: Option<u8>,
    /// The device that it resembles, or whose id it shows although it contradicts it.
    pub resembled: Option<u8>,
    /// What was compared.
    pub basis: IdentityBasis,
    /// Trust of `device`; none of it passes from `resembled`.
    pub trust: Trust,
    /// What people call it.
    pub name: DeviceName,
    /// False if the login showed neither id, key nor software, and no login of this user ever did: then nothing can be
    /// said of newness. Whoever hides what the owner always shows is new.
    pub told: bool,
}

/// Says what a device is to its user at `event_time`; trust is that at `now`. Both in microseconds.
#[must_use]
pub fn identify(
    history: Option<&UserHistory>,
    device: &DeviceDescriptor,
    event_time: i64,
    now: i64,
) -> DeviceMatch {
    let Some(history) = history else {
        return unseen(device, basis_of(device, false));
    };
    let question = Question {
        history,
        device,
        time: seconds(event_time),
        now: seconds(now),
    };
    question
        .by_key()
        .or_else(|| question.by_id())
        .unwrap_or_else(|| question.without_identity())
}

/// The identity under which failures of a device are compared: key, id, or the hash of the whole agent.
#[must_use]
pub fn source_identity(device: &DeviceDescriptor) -> u128 {
    device
        .key
        .or(device.id)
        .unwrap_or_else(|| u128::from(device.agent))
}

struct Question<'a> {
    history: &'a UserHistory,
    device: &'a DeviceDescriptor,
    time: Seconds,
    now: Seconds,
}

impl Question<'_> {
    fn by_key(&self) -> Option<DeviceMatch> {
        let key = self.device.key?;
        let (index, found) = self.find(|known| known.key == Some(key))?;
        Some(self.known(index, found, IdentityBasis::Key))
    }

    fn by_id(&self) -> Option<DeviceMatch> {
        let id = self.device.id?;
        let original = self.find(|known| known.id == Some(id) && !known.copy);
        match original {
            Some((index, found)) if !self.contradicts(found) => {
                Some(self.known(index, found, IdentityBasis::Id))
            }
            Some((index, _)) => Some(self.conflict(id, Some(index))),
            None => {
                self.find(|known| known.id == Some(id))?;
                Some(self.conflict(id, None))
            }
        }
    }

    fn without_identity(&self) -> DeviceMatch {
        let bare = !self.device.carries_identity() && !self.history.recently_carried_identity();
        if bare && self.device.software.is_unknown() {
            // Two logins of which nothing is told have nothing in common.
            return self.unseen(IdentityBasis::Agent);
        }
        if bare {
            return self
                .find(|known| !known.carries_identity() && self.same_software(known))
                .map_or_else(
                    || self.unseen(IdentityBasis::Agent),
                    |(index, found)| self.known(index, found, IdentityBasis::Agent),
                );
        }
        let basis = basis_of(self.device, true);
        match self.resembled() {
            Some((index, found)) => DeviceMatch {
                state: DeviceState::Resembles,
                resembled: Some(index),
                name: found.name(),
                ..self.unseen(basis)
            },
            None => self.unseen(basis),
        }
    }

    /// A device of nobody: untold only where this user's logins never told anything.
    fn unseen(&self, basis: IdentityBasis) -> DeviceMatch {
        let found = unseen(self.device, basis);
        let usually_told = self.candidates().any(|(_, known)| known.tells_something());
        DeviceMatch {
            told: found.told || usually_told,
            ..found
        }
    }

    /// The most trusted, then latest device with the same software and at least four equal attributes.
    fn resembled(&self) -> Option<(u8, &Device)> {
        let sent = self.device.attribute_count;
        if sent < ATTRIBUTES_MIN || self.device.software.is_unknown() {
            return None;
        }
        self.candidates()
            .filter(|(_, known)| {
                !known.copy
                    && known.attribute_count == sent
                    && known.attributes == self.device.attributes
                    && self.same_software(known)
            })
            .max_by_key(|(index, known)| (known.trust(self.now), known.seen.last(), u8::MAX - index))
    }

    fn known(&self, index: u8, found: &Device, basis: IdentityBasis) -> DeviceMatch {
        DeviceMatch {
            state: DeviceState::Known,
            device: Some(index),
            resembled: None,
            basis,
            trust: found.trust(self.now),
            name: found.name(),
            told: true,
        }
    }

    fn conflict(&self, id: u128, original: Option<u8>) -> DeviceMatch {
        let generation = self.device.generation;
        let copy = self.find(|known| {
            known.copy
                && known.id == Some(id)
                && self.same_software(known)
                && known.generation.map(|generation| generation.number) == generation
        });
        DeviceMatch {
            state: DeviceState::Conflict,
            device: copy.map(|(index, _)| index),
            resembled: original,
            basis: IdentityBasis::Id,
            trust: copy.map_or(Trust::None, |(_, copy)| copy.trust(self.now)),
            name: new_name(self.device),
            told: true,
        }
    }

    /// Another family or system, two majors backwards, or a generation older than one seen earlier.
    fn contradicts(&self, known: &Device) -> bool {
        let software = &self.device.software;
        let majors_back = match (software.major, known.major) {
            (Some(shown), Some(newest)) => {
                self.time >= known.seen.last() && shown.saturating_add(MAJORS_BACK) <= newest
            }
            _ => false,
        };
        let older = match (self.device.generation, known.generation) {
            (Some(shown), Some(newest)) => shown < newest.number && self.time >= newest.time,
            _ => false,
        };
        known.family.contradicts(&software.family)
            || known.os.contradicts(&software.os)
            || majors_back
            || older
    }

    fn same_software(&self, known: &Device) -> bool {
        known.family.is(&self.device.software.family) && known.os.is(&self.device.software.os)
    }

    fn find(&self, wanted: impl Fn(&Device) -> bool) -> Option<(u8, &Device)> {
        self.candidates().find(|(_, known)| wanted(known))
    }

    fn candidates(&self) -> impl Iterator<Item = (u8, &Device)> {
        (0u8..)
            .zip(&self.history.devices)
            .filter(|(_, known)| known.remembered(self.time))
    }
}

fn basis_of(device: &DeviceDescriptor, has_history: bool) -> IdentityBasis {
    match (device.key, device.id) {
        (Some(_), _) => IdentityBasis::Key,
        (None, Some(_)) => IdentityBasis::Id,
        (None, None) if has_history => IdentityBasis::None,
        (None, None) => IdentityBasis::Agent,
    }
}

fn unseen(device: &DeviceDescriptor, basis: IdentityBasis) -> DeviceMatch {
    DeviceMatch {
        state: DeviceState::New,
        device: None,
        resembled: None,
        basis,
        trust: Trust::None,
        name: new_name(device),
        told: device.carries_identity() || !device.software.is_unknown(),
    }
}

fn new_name(device: &DeviceDescriptor) -> DeviceName {
    DeviceName {
        family: SoftwareName::new(clip(&device.software.family, TEXT_BYTES_MAX)),
        os: SoftwareName::new(clip(&device.software.os, TEXT_BYTES_MAX)),
        number: 0,
    }
}
