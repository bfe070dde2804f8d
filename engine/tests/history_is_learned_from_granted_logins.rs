//! What users and crowds leave in the history: device identity, trust, familiarity, the row's bytes, counters.

#[path = "history/crowd_images.rs"]
mod crowd_images;
#[path = "history/crowds.rs"]
mod crowds;
#[path = "history/familiar.rs"]
mod familiar;
#[path = "history/identity.rs"]
mod identity;
#[path = "history/learning.rs"]
mod learning;
#[path = "history/life.rs"]
mod life;
#[path = "history/row_bytes.rs"]
mod row_bytes;
