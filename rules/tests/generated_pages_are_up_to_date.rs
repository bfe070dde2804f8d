//! The committed pages say what the code and the rule files say.

use std::fs;
use std::path::Path;

use doorward_rules::RuleSet;
use doorward_rules::render::{fields_page, replace_table, rules_page, rules_table};

const HOW: &str = "out of date: cargo run -p doorward-rules --example write-docs";

#[test]
fn fields_and_rules() {
    let rules = RuleSet::builtin().unwrap();
    assert!(
        read("docs/fields.md").unwrap() == fields_page(),
        "docs/fields.md is {HOW}"
    );
    assert!(
        read("docs/rules.md").unwrap() == rules_page(&rules),
        "docs/rules.md is {HOW}"
    );
}

#[test]
fn the_table_of_the_pack() {
    let rules = RuleSet::builtin().unwrap();
    let readme = read("packs/baseline/README.md").unwrap();
    let table = rules_table(&rules, "packs/baseline/");
    let expected = replace_table(&readme, &table);
    assert!(
        expected.as_ref() == Some(&readme),
        "packs/baseline/README.md is {HOW}"
    );
}

fn read(path: &str) -> std::io::Result<String> {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path))
}
