//! The sequencer and its ports: one journal, one order, one commit a batch.

pub mod file_clock;
pub mod keys;
pub mod ports;
pub mod row_bytes;
pub mod row_cache;
