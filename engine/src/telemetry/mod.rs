//! What the process tells of itself: figures and log lines. No user data in either.

pub mod escape;
