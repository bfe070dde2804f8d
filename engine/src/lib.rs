//! Doorward: risk-based login anomaly detection.

pub mod alerts;
pub mod enrich;
pub mod event;
pub mod io;
pub mod keyed_hash;
pub mod pipeline;
pub mod risk;
