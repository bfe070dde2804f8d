//! What the process tells of itself: figures and log lines. No user data in either.

pub mod escape;
pub mod log;
pub mod metrics;
#[cfg(feature = "metrics")]
pub mod serve;
