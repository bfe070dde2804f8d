//! All that is stored of one user and needed to decide: loaded together, kept together, written apart.

use crate::attempt::{Attempt, LastScored};
use crate::enrich::EnrichedLogin;
use crate::enrich::device::DeviceDescriptor;
use crate::history::failures::UserFailures;
use crate::history::{UserHistory, codec, failures};
use crate::pipeline::keys;
use crate::pipeline::ports::{Change, Keyspace, StoreError};
use crate::pipeline::row_bytes::{self, bad};

const UNNAMED_VERSION: u8 = 1;
const ATTEMPT_VERSION: u8 = 1;
/// Open attempts without an id that a user can have at once: one a device, the oldest makes room.
pub const UNNAMED_MAX: usize = 8;

/// Rows of one user.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UserRows {
    /// What granted logins and the account told; `None` until there is something.
    pub history: Option<UserHistory>,
    /// The last failures; only for users with a history.
    pub failures: UserFailures,
    /// Open attempts without an id, by the identity of their device.
    pub unnamed: Vec<(u128, Box<Attempt>)>,
    /// Which of the three differ from the store.
    pub changed: Changed,
}

/// Parts that differ from the store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Changed {
    /// The history.
    pub history: bool,
    /// The failures.
    pub failures: bool,
    /// The attempts without an id.
    pub unnamed: bool,
}

impl UserRows {
    /// From the three rows, where there are any.
    ///
    /// # Errors
    /// When a row does not decode.
    pub fn decode(
        history: Option<&[u8]>,
        failed: Option<&[u8]>,
        unnamed: Option<&[u8]>,
    ) -> Result<Self, StoreError> {
        let history = history
            .map(codec::decode)
            .transpose()
            .map_err(|error| bad(Keyspace::User, error.to_string()))?;
        let failures = failed
            .map(failures::UserFailures::decode)
            .transpose()
            .map_err(|error| bad(Keyspace::Failures, error.to_string()))?
            .unwrap_or_default();
        let unnamed = unnamed
            .map(|bytes| row_bytes::decode(Keyspace::Attempt, UNNAMED_VERSION, bytes))
            .transpose()?
            .unwrap_or_default();
        Ok(Self {
            history,
            failures,
            unnamed,
            changed: Changed::default(),
        })
    }

    /// The rows that differ from the store. `key` is the user's.
    ///
    /// # Errors
    /// As [`row_bytes::encode`].
    pub fn changes(&mut self, key: &UserKey, out: &mut Vec<Change>) -> Result<(), StoreError> {
        let changed = std::mem::take(&mut self.changed);
        if let Some(history) = self.history.as_ref().filter(|_| changed.history) {
            out.push(put(Keyspace::User, key.row.clone(), codec::encode(history)));
        }
        if changed.failures {
            out.push(put(Keyspace::Failures, key.row.clone(), self.failures.encode()));
        }
        if changed.unnamed {
            let value = if self.unnamed.is_empty() {
                None
            } else {
                Some(row_bytes::encode(
                    Keyspace::Attempt,
                    UNNAMED_VERSION,
                    &self.unnamed,
                )?)
            };
            out.push(Change {
                keyspace: Keyspace::Attempt,
                key: key.unnamed(),
                value,
            });
        }
        Ok(())
    }

    /// Takes out the open attempt of a device.
    pub fn take_unnamed(&mut self, device: u128) -> Option<Box<Attempt>> {
        let index = self.unnamed.iter().position(|(known, _)| *known == device)?;
        self.changed.unnamed = true;
        Some(self.unnamed.remove(index).1)
    }

    /// The identity under which the open attempt waits that this device goes on with: its own, else that of the latest
    /// attempt of the same agent where one of the two shows neither id nor key. A cookie may be set between the stages.
    #[must_use]
    pub fn unnamed_of(&self, identity: u128, device: &DeviceDescriptor) -> Option<u128> {
        let own = self.unnamed.iter().find(|(known, _)| *known == identity);
        let same_agent = |last: &LastScored| {
            let one_is_bare = !last.device.carries_identity() || !device.carries_identity();
            device.agent != 0 && last.device.agent == device.agent && one_is_bare
        };
        let alike = |attempt: &Attempt| attempt.last.as_deref().is_some_and(same_agent);
        own.or_else(|| self.unnamed.iter().rev().find(|(_, attempt)| alike(attempt)))
            .map(|(known, _)| *known)
    }
}

/// Keys of one user's rows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct UserKey {
    /// Key in the tables `user` and `failures`.
    pub row: Vec<u8>,
    tenant_bytes: usize,
}

impl UserKey {
    /// Of a user in a tenant.
    #[must_use]
    pub fn new(tenant: &str, user: &str) -> Self {
        Self {
            row: keys::user(tenant, user),
            tenant_bytes: tenant.len(),
        }
    }

    /// From the key of its row.
    #[must_use]
    pub fn of_row(row: &[u8]) -> Option<Self> {
        let length = row.first_chunk().map(|bytes| u16::from_be_bytes(*bytes))?;
        Some(Self {
            row: row.to_vec(),
            tenant_bytes: length.into(),
        })
    }

    /// Of the user whom an event names, if it names one.
    #[must_use]
    pub fn of(login: &EnrichedLogin) -> Option<Self> {
        login.user.as_deref().map(|user| Self::new(&login.tenant, user))
    }

    /// Tenant and user.
    #[must_use]
    pub fn names(&self) -> (Box<str>, Box<str>) {
        let text = |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into();
        let user = self.tenant_bytes.saturating_add(keys::BEFORE_USER);
        (
            text(self.row.get(2..self.tenant_bytes.saturating_add(2))),
            text(self.row.get(user..)),
        )
    }

    /// Key of the attempts without an id.
    #[must_use]
    pub fn unnamed(&self) -> Vec<u8> {
        keys::unnamed_attempts_of(&self.row, self.tenant_bytes)
    }
}

/// Bytes of an attempt with an id.
///
/// # Errors
/// As [`row_bytes::encode`].
pub fn encode_attempt(attempt: &Attempt) -> Result<Vec<u8>, StoreError> {
    row_bytes::encode(Keyspace::Attempt, ATTEMPT_VERSION, attempt)
}

/// Reads an attempt with an id.
///
/// # Errors
/// As [`row_bytes::decode`].
pub fn decode_attempt(bytes: &[u8]) -> Result<Attempt, StoreError> {
    row_bytes::decode(Keyspace::Attempt, ATTEMPT_VERSION, bytes)
}

fn put(keyspace: Keyspace, key: Vec<u8>, value: Vec<u8>) -> Change {
    Change {
        keyspace,
        key,
        value: Some(value),
    }
}
