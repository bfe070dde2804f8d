//! The sequencer and its ports: one journal, one order, one commit a batch.
//!
//! A door hands over lines ([`admitted`]), the [`sequencer`] admits them (`admission`) and decides them one by one ([`decide`], [`login_step`],
//! [`ended`], [`tell`], [`account_step`]), a [`batch`] of them is committed, then the sinks publish.

pub mod account_step;
mod admission;
pub mod admitted;
pub mod batch;
mod byte_budget;
pub mod committer;
pub mod crowd_image;
pub mod dead_letter;
mod decide;
pub mod door;
pub mod ended;
pub mod engine;
pub mod erase;
pub mod faults;
pub mod file_clock;
mod fire;
pub mod journal;
pub mod keys;
mod known;
pub mod login_step;
pub mod messages;
pub mod ports;
mod quiet;
pub mod refold;
pub mod reload;
pub mod retention;
pub mod row_bytes;
pub mod row_cache;
pub mod run;
pub mod sequencer;
pub mod state_hash;
pub mod state_image;
pub mod taken;
pub mod tell;
pub mod timers;
pub mod user_rows;
pub mod user_traces;
pub mod versions;
