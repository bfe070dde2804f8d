//! The device as one event shows it, before any history is looked at. No address is in it.
//!
//! What is compared later (`history::device_identity`) are hashes: ids and attributes are the sender's, and only
//! equality matters. Family and OS stay text, from the closed vocabulary of the user agent parser, for people.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::event::DeviceType;

/// Family, operating system and version of the client's software.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SoftwareFacts {
    /// Browser or app family, such as `Firefox`; empty if unknown.
    pub family: Arc<str>,
    /// Major version.
    pub major: Option<u32>,
    /// Operating system family, such as `Windows`; empty if unknown.
    pub os: Arc<str>,
    /// Desktop, mobile, tablet, tv, robot or other.
    pub device_type: DeviceType,
}

impl SoftwareFacts {
    /// Whether nothing is known of the software.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.family.is_empty() && self.os.is_empty()
    }
}

/// The device of one event.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DeviceDescriptor {
    /// Keyed 128-bit hash of `device.id`.
    pub id: Option<u128>,
    /// Keyed 128-bit hash of the thumbprint of a device-bound key that was proved in this login.
    pub key: Option<u128>,
    /// The counter that came with the id.
    pub generation: Option<u64>,
    /// Software as the user agent tells it.
    pub software: SoftwareFacts,
    /// Keyed 64-bit hash of the full agent text, 0 if none was sent.
    pub agent: u64,
    /// How many attributes the application sent.
    pub attribute_count: u16,
    /// Keyed 128-bit hash over all attributes in the order of their names; meaningless at count 0.
    pub attributes: u128,
}

impl DeviceDescriptor {
    /// Whether the event carries anything but the user agent to know the device by.
    #[must_use]
    pub fn carries_identity(&self) -> bool {
        self.id.is_some() || self.key.is_some()
    }
}
