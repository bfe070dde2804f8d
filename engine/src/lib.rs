//! Doorward: risk-based login anomaly detection.

pub mod io;
pub mod keyed_hash;
pub mod pipeline;
