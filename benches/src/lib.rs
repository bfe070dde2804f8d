//! What a login costs: a world of users with histories ([`world`]), the lines that their applications send
//! ([`logins`]), and the way from bytes to a stored decision cut into its stages ([`stages`]). What may never grow is in
//! [`bounds`].
//!
//! Run by `login.rs` and `bounds.rs`; `benches/README.md` has the figures. No test asserts a time.

pub mod bounds;
pub mod logins;
pub mod stages;
pub mod timing;
pub mod world;
