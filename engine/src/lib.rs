//! Doorward: risk-based login anomaly detection.

pub mod cli;
pub mod config;
pub mod keyed_hash;
pub mod pipeline;
pub mod telemetry;
