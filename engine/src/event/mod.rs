//! Events as they come in: bytes to a [`LoginEvent`] that is valid, or to a [`ParseError`] that names the field.
//!
//! Pure: no clock, no I/O. It knows the form of an event and nothing of what it means; looking up the device, the
//! network and the place is the next step (`enrich`).

mod limits;
mod login_event;
mod object;
mod parse;
mod parse_error;
mod reader;
mod reference;
mod required;
mod scanner;
mod timestamp;
mod user_agent;
mod user_key;
mod values;
mod vocabulary;

#[cfg(test)]
mod parse_properties;
#[cfg(test)]
mod parse_tests;

pub use limits::Limits;
pub use login_event::{
    Actor, App, Approver, Attempt, Auth, Client, Contact, Device, DeviceKey, EnrolledFactor, Feedback,
    LoginEvent, Password, Session, SoftwareAgent, UsedFactor, User,
};
pub use parse::{OWN_SOURCE, parse, parse_own};
pub use parse_error::{ParseError, Reason};
pub use reference::reference;
pub use required::{Required, required};
pub use timestamp::{TimeError, Timestamp};
pub use user_agent::{PatternError, Software, UserAgentCache, UserAgentParser};
pub use user_key::UserKeyPolicy;
pub use values::TextMap;
pub use vocabulary::*;
