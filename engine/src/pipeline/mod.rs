//! The sequencer and its ports: one journal, one order, one commit a batch.
//!
//! A door hands over lines ([`admitted`]), the [`sequencer`] decides them one by one ([`decide`], [`login_step`],
//! [`ended`], [`tell`], [`account_step`]), a [`batch`] of them is committed, then the sinks publish.

pub mod account_step;
pub mod admitted;
pub mod batch;
pub mod committer;
pub mod crowd_image;
pub mod dead_letter;
mod decide;
pub mod door;
pub mod ended;
pub mod engine;
pub mod file_clock;
pub mod journal;
pub mod keys;
pub mod login_step;
pub mod ports;
pub mod retention;
pub mod row_bytes;
pub mod row_cache;
pub mod run;
pub mod sequencer;
pub mod tell;
pub mod user_rows;
