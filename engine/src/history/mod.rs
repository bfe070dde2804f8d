//! What is remembered of users and of crowds, and what one login is against it.
//!
//! One row a user ([`user_history`]), learned from granted logins alone ([`learn`]); failures are kept apart
//! ([`failures`]); counters across users are [`crowd`]. Pure: time is a parameter, nothing is read or written here.

pub mod account;
pub mod codec;
mod codec_place;
mod codec_profile;
pub mod crowd;
pub mod crowd_image;
mod crowd_observation;
mod crowd_sketch;
mod crowd_users;
mod crowd_window;
pub mod device_identity;
mod eviction;
pub mod failures;
pub mod familiarity;
pub mod learn;
pub mod limits;
pub mod maturity;
pub mod network_key;
pub mod profile;
pub mod software_name;
pub mod time;
pub mod trust;
pub mod user_history;
pub mod weight;
mod wire;

pub use crowd::{Crowd, CrowdCounts, CrowdKey, CrowdLimits, CrowdObservation, CrowdOutcome, CrowdView};
pub use device_identity::{DeviceMatch, DeviceState, IdentityBasis, identify};
pub use failures::{FailedStage, UserFailures};
pub use familiarity::{Familiarity, KnownAt, familiarity};
pub use learn::{GrantedLogin, Late, VouchEvidence, learn};
pub use maturity::{Maturity, MaturityPolicy, maturity, usual_level};
pub use trust::Trust;
pub use user_history::UserHistory;
