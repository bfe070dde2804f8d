//! Mails to account owners: an alert becomes the bytes of a message, and a file.
//!
//! The same alert always makes the same bytes: date, id and boundary come from the alert, nothing from the clock. There
//! are no links in a mail, and every value is cleaned before it is shown. Not here: who is told (`alerts`).

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "it writes mails as files"
)]

mod clean;
mod eml_sink;
mod message;
mod template;
mod words;

pub use eml_sink::EmlSink;
pub use message::{MailError, MailSender, message, preview};
