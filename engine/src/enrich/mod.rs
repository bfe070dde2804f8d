//! What can be said of one event without any history: device, network, place.

pub mod device;
pub mod network;
