//! The sequencer and its ports: one journal, one order, one commit a batch.

pub mod ports;
