//! `[levels]`: what a proof counts for.

use super::kind::Flag;
use super::section::section;

section! {
    /// How `auth.methods` are turned into a level.
    LevelsSettings in "levels" {
        /// Whether `hwk` or `pop` beside a second category counts as bound to origin (level 3).
        hwk_origin_bound: bool = Flag, decides Yes;
    }
}
