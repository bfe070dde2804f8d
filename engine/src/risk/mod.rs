//! The pure decision: lines of the rules become a score, a level and an action.

pub mod decision;
