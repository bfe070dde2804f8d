//! How much of anything an event may carry. Checked before the text is understood, and the same for every door.

/// The limits that the operator may move; the others are constants.
///
/// A door reads lines with the same `event_bytes`, and one byte more of a line that is longer: so the parser sees that
/// it is too long, and nobody takes its beginning for the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of one event.
    pub event_bytes: usize,
    /// Bytes of `client.user_agent`.
    pub user_agent_bytes: usize,
    /// Bytes of an id, a name or a header value.
    pub id_bytes: usize,
    /// Objects and lists inside each other, the event itself being the first.
    pub depth: usize,
}

impl Limits {
    /// Those of the built-in configuration.
    pub const DEFAULT: Self = Self {
        event_bytes: 64 * 1024,
        user_agent_bytes: 1024,
        id_bytes: 256,
        depth: 16,
    };

    /// The largest that the configuration takes: for events that were let in before, whatever holds now.
    pub const LARGEST: Self = Self {
        event_bytes: 1024 * 1024,
        user_agent_bytes: 16 * 1024,
        id_bytes: 4 * 1024,
        depth: 64,
    };
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Bytes of a note.
pub const NOTE_BYTES_MAX: usize = 1024;
/// Bytes of an object that is kept as its JSON text.
pub const KEPT_OBJECT_BYTES_MAX: usize = 16 * 1024;

/// Members of `user.contacts`.
pub const CONTACTS_MAX: usize = 16;
/// Members of `auth.enrolled`.
pub const ENROLLED_MAX: usize = 32;
/// Members of `auth.factors`.
pub const FACTORS_MAX: usize = 16;
/// Members of `auth.methods` and `auth.offered`.
pub const METHODS_MAX: usize = 16;
/// Members of `auth.enrolled[].categories`.
pub const CATEGORIES_MAX: usize = 3;
/// Members of `client.hints`.
pub const HINTS_MAX: usize = 32;
/// Members of `device.attributes`.
pub const ATTRIBUTES_MAX: usize = 64;
