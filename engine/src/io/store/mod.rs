//! The embedded store: a folder, one process, no server (fjall, a log-structured engine with batches across tables).
//!
//! It lies in `<data>/store`, so that files about it can lie beside it. What this module does not do: notice that
//! the disk lost rows that were once committed; that needs a witness outside the engine (clause S12).

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the store is a folder"
)]

mod damage;
mod fjall_store;
mod identity;

pub use fjall_store::{FjallStore, StoreOptions};
pub use identity::StoreKind;
