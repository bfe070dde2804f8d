//! The only folder that touches the world. Each sub-folder implements ports of [`crate::pipeline::ports`] with one
//! dependency, behind one Cargo feature; `memory` holds the twins that every port has, and is always there.
//!
//! Sub-folders never import each other: what two of them share lies here, and only `cli/` puts them together.

#[cfg(all(unix, feature = "run"))]
pub mod admin;
mod batch_check;
mod key_range;
mod line_splitter;
pub mod memory;
pub mod partition_position;
pub mod sink_cursor;

#[cfg(feature = "files")]
pub mod files;
#[cfg(feature = "kafka")]
pub mod kafka;
#[cfg(feature = "mail")]
pub mod mail;
#[cfg(feature = "store")]
pub mod store;
