//! What the crate does with whole files, one behaviour a module.

#![cfg(test)]

mod fixture_files;
#[path = "../../examples/build-fixture/plan.rs"]
mod plan;

mod broken_files_are_refused_or_read_without_a_crash;
mod flat_databases_answer_like_nested_ones;
mod kinds_follow_their_precedence;
mod maxmind_files_are_read_exactly;
mod replacing_the_database_is_all_or_nothing;
mod test_database_is_built_from_its_plan;
