//! Doorward: risk-based login anomaly detection.

pub mod alerts;
pub mod attempt;
pub mod cli;
pub mod config;
pub mod enrich;
pub mod event;
pub mod generate;
pub mod history;
pub mod io;
pub mod keyed_hash;
pub mod pipeline;
pub mod risk;
pub mod signals;
pub mod telemetry;
