//! Who is told of a login: facts in, an alert or none out. Pure, so that a replay tells the same people.
//!
//! [`classify`] says whether the owner is told and of what, [`silence`] why not, [`budget`] keeps a mailbox from being
//! flooded, [`contact`] picks the address, [`place`] what may be said of the where, [`alert`] holds it all as one row.
//! Not here: words and bytes of a mail (`io/mail`), delivery.

pub mod alert;
pub mod budget;
pub mod classify;
pub mod contact;
mod country;
pub mod place;
pub mod quiet;
pub mod silence;
