//! Doorward: risk-based login anomaly detection.

pub mod enrich;
pub mod history;
pub mod keyed_hash;
pub mod pipeline;
