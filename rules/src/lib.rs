//! Rule language of Doorward: what a login's values mean, in files that analysts own.
//!
//! A rule file says when a pattern holds (a CEL condition over declared fields), what it is worth
//! (points, or another effect), why, and shows by tests that it does. This crate reads such files,
//! refuses wrong ones like a compiler would, and evaluates them over [`Slots`] without allocating.
//!
//! It is **not** the score: adding up points, groups, caps and actions belong to the engine, and so
//! does filling the slots. It knows no clock, no store and no network; rules come from text.
//!
//! ```
//! use doorward_rules::{Field, Outcome, Points, RuleSet, Slots};
//!
//! let rules = RuleSet::builtin().map_err(|faults| faults[0].clone())?;
//! let mut slots = Slots::new();
//! slots.set_text(Field::UserKind, "person");
//! slots.set_text(Field::DeviceState, "new");
//!
//! let mut verdicts = Vec::with_capacity(rules.rules().len());
//! rules.evaluate(&slots, &mut verdicts);
//! let new_device = rules.index("new-device");
//! let verdict = verdicts.iter().find(|verdict| Some(verdict.rule) == new_device);
//! assert_eq!(verdict.map(|v| v.outcome), Some(Outcome::Fired(Points::from_hundredths(1800))));
//! # Ok::<(), doorward_rules::Diagnostic>(())
//! ```
//!
//! A file's way: [`mod@rule`] says what is in it, `rule_file` reads it, [`parser`] and `check`
//! take its condition apart, [`compile`] makes closures, [`rule_set`] runs them.

#![cfg_attr(
    not(test),
    deny(
        clippy::disallowed_methods,
        clippy::disallowed_types,
        clippy::disallowed_macros
    )
)]

mod check;
pub mod compile;
pub mod diagnostic;
pub mod evaluate;
mod expression;
mod field_faults;
mod fields;
mod given;
mod membership;
pub mod pack;
pub mod parser;
pub mod points;
pub mod render;
pub mod rule;
mod rule_file;
pub mod rule_set;
pub mod rule_test;
pub mod schema;
pub mod slots;
pub mod slots_codec;
pub mod template;
mod toml_text;

pub use compile::Condition;
pub use diagnostic::{Diagnostic, Fault};
pub use evaluate::Unknown;
pub use pack::builtin_sources;
pub use parser::Placed;
pub use points::Points;
pub use render::render_text;
pub use rule::{
    Action, Basis, Effect, Evidence, Expect, FactorType, Floor, Group, Outcome, Rule, RuleTest, Scope,
    Status, Step, Worth,
};
pub use rule_set::{RuleIndex, RuleSet, RuleSource, Verdict};
pub use rule_test::{TestOutcome, run_tests};
pub use schema::{Field, FieldInfo, FieldType};
pub use slots::{Slot, Slots, Text};
pub use slots_codec::DecodeError;
