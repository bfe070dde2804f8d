//! Doorward.

pub mod event;
