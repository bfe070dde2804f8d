//! Twins of every port, in memory: for `replay`, tests and benches. They keep the same contract as the doors, stores
//! and sinks that touch the world, but for lasting longer than the process.

pub mod lines;
pub mod sink;
pub mod store;
mod table;
