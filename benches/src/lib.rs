//! Benches of Doorward, see `benches/`.
