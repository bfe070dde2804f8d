//! The pure decision: what the rules said becomes a score, a level and an action.
//!
//! In the order of a decision: [`score`] settles groups and caps, [`level`] says what was proven, [`action`] compares
//! the two, [`step_up`] names the factors that help, [`risk_engine`] joins them. Not here: how a value is obtained
//! (`signals`), who is told (`alerts`).

pub mod action;
pub mod counterfactual;
pub mod decision;
pub mod ids;
pub mod json;
pub mod ledger;
pub mod risk_engine;
pub mod rule_facts;
pub mod score;
pub mod step_up;
