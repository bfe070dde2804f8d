//! Doorward: risk-based login anomaly detection.

pub mod enrich;
pub mod event;
pub mod generate;
pub mod keyed_hash;
pub mod pipeline;
