//! No text makes the reader of rule files panic, and every refusal points into the file.

use doorward_rules::{RuleSet, RuleSource, builtin_sources};
use proptest::prelude::*;

/// Reads a text; whatever is refused has a place that exists.
fn read(text: String) -> Result<(), TestCaseError> {
    let source = RuleSource {
        path: "x/y.toml".to_owned(),
        text,
    };
    if let Err(faults) = RuleSet::from_sources(std::slice::from_ref(&source)) {
        prop_assert!(!faults.is_empty());
        let lines = source.text.matches('\n').count() + 1;
        for fault in faults {
            prop_assert!((1..=lines).contains(&fault.line), "{fault:?}");
            prop_assert!(fault.column >= 1 && fault.width >= 1, "{fault:?}");
            prop_assert!(!fault.to_string().is_empty());
        }
    }
    Ok(())
}

/// Pieces of rule files, right and wrong.
fn piece() -> impl Strategy<Value = String> {
    let pieces = [
        "id = \"y\"",
        "title = 't'",
        "status = \"stable\"",
        "evidence = 'trust'",
        "evidence = 3",
        "points = 7",
        "points = -0.001",
        "points = 'signal:user.logins'",
        "points = 'signal:'",
        "points = 0x10",
        "points = 1e400",
        "points = nan",
        "effect = 'at_least:3'",
        "effect = 'taint:'",
        "group = 'device'",
        "scope = { user_kinds = ['x'] }",
        "scope = 3",
        "tags = [3]",
        "when = 'has(device.state) && user.logins > 3'",
        "when = \"\\u00e9 \\\"\"",
        "when = '''\n'''",
        "when = \"\"\"\\\n  a.b == 'é' ++\"\"\"",
        "text = '{device.family} {'",
        "text = \"\\t{x}\"",
        "why = 'w'",
        "false_positives = ''",
        "response = 'r'",
        "owner = 'o'",
        "basis = { n = -1 }",
        "basis = { n = 3, low = 5, high = 1 }",
        "[alert]",
        "kind = 'k'",
        "to = 'owner'",
        "dedup = ['x']",
        "[[tests]]",
        "name = 'n'",
        "given = { device.state = 'new' }",
        "given.user.logins = 1.5",
        "given = [1]",
        "base = 'nothing-known'",
        "expect = 'fires'",
        "expect = 'silent'",
        "[[steps]]",
        "[steps]",
        "[tests]",
        "[[when]]",
        "=",
        "[",
        "\"",
        "é = 'é'",
        "\u{0}",
        "a.b.c.d = 1979-05-27",
    ];
    prop_oneof![
        8 => prop::sample::select(pieces.to_vec()).prop_map(str::to_owned),
        1 => ".{0,20}",
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn any_text(text in "(?s).{0,300}") {
        read(text)?;
    }

    #[test]
    fn any_row_of_pieces(pieces in prop::collection::vec(piece(), 0..30)) {
        read(pieces.join("\n"))?;
    }

    #[test]
    fn any_small_damage_to_a_right_rule(
        which in 0_usize..builtin_sources().len(),
        at in any::<prop::sample::Index>(),
        length in 0_usize..12,
        put in prop_oneof![Just(String::new()), piece(), ".{0,3}"],
    ) {
        let text: Vec<char> = builtin_sources()[which].text.chars().collect();
        let start = at.index(text.len());
        let end = (start + length).min(text.len());
        let damaged: String = text[..start].iter().copied().chain(put.chars()).chain(text[end..].iter().copied()).collect();
        read(damaged)?;
    }
}
