//! How much of anything an event may carry. Checked before the text is understood, and the same for every door.

/// Bytes of one event.
pub const EVENT_BYTES_MAX: usize = 64 * 1024;
/// Objects and lists inside each other, the event itself being the first.
pub const DEPTH_MAX: usize = 16;
/// Bytes of an id, a name or a header value.
pub const NAME_BYTES_MAX: usize = 256;
/// Bytes of a user agent, and of a note.
pub const LONG_TEXT_BYTES_MAX: usize = 1024;
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
