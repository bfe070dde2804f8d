//! The embedded store: a folder, one process, no server (fjall, a log-structured engine with batches across tables).
//!
//! It lies in `<data>/store`, so that files about it can lie beside it: `<data>/head` is the witness of how far it was.
//! The engine cuts and deletes what it does not understand, so its files are read before it may touch them
//! (`opening.rs`): what is missing is refused with numbers, and nothing is changed.

#![expect(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "the store is a folder"
)]

mod damage;
mod fjall_store;
mod free_space;
mod head_file;
mod identity;
mod journal_files;
mod loss;
mod opening;
mod purge;
mod table_lists;

pub use fjall_store::{FjallStore, StoreOptions};
pub use identity::StoreKind;
pub use loss::{Loss, journal_gap};
