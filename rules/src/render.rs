//! Rules and fields as text for people: sentences for ledgers and mails, Markdown for the docs.
//!
//! The pages in `docs/` are made by `cargo run -p doorward-rules --example write-docs`.

use std::fmt::Write;

use crate::rule::{Rule, Worth};
use crate::rule_set::RuleSet;
use crate::schema::Field;
use crate::slots::Slot;

/// The rule's sentence with the values of one login.
#[must_use]
pub fn render_text<'a>(rule: &Rule, lookup: impl Fn(Field) -> &'a Slot) -> String {
    rule.text.render(lookup)
}

/// The page of every declared field.
#[must_use]
pub fn fields_page() -> String {
    let mut page = String::from(
        "# Fields\n\n\
        Every field that a condition, a text or a test may name. Made by\n\
        `cargo run -p doorward-rules --example write-docs`; edit `rules/src/fields.rs` instead.\n\n\
        A field without a value gives `no_data`: a comparison with it is neither true nor false,\n\
        unless the rest of the condition settles the matter. `has(field)` asks for a value.\n",
    );
    let mut group = "";
    for field in Field::ALL {
        let first = field.name().split('.').next().unwrap_or_default();
        if first != group {
            group = first;
            page.push_str(&format!(
                "\n## {group}\n\n| field | type | meaning | example |\n|---|---|---|---|\n"
            ));
        }
        page.push_str(&field_row(*field));
    }
    page
}

fn field_row(field: Field) -> String {
    let info = field.info();
    let unit = if info.unit.is_empty() {
        String::new()
    } else {
        format!(", {}", info.unit)
    };
    let domain: Vec<String> = info.domain.iter().map(|word| format!("`{word}`")).collect();
    let values = if domain.is_empty() {
        String::new()
    } else {
        format!(" One of {}.", domain.join(", "))
    };
    let quote = if info.field_type == crate::FieldType::Text {
        "\""
    } else {
        ""
    };
    format!(
        "| `{}` | {}{unit} | {}{values} | `{quote}{}{quote}` |\n",
        info.name, info.field_type, info.meaning, info.example
    )
}

/// The page of every rule of a set.
#[must_use]
pub fn rules_page(rules: &RuleSet) -> String {
    let mut page = String::from(
        "# Rules\n\n\
        Every rule that comes with Doorward. Made by\n\
        `cargo run -p doorward-rules --example write-docs` from the rule files.\n\n",
    );
    page.push_str(&rules_table(rules, ""));
    for rule in rules.rules() {
        page.push('\n');
        page.push_str(&rule_section(rule));
    }
    page
}

/// A table of the rules whose path begins with `prefix`; ids link to their files if there is one.
#[must_use]
pub fn rules_table(rules: &RuleSet, prefix: &str) -> String {
    let mut table =
        String::from("| rule | looks for | points or effect | evidence, group |\n|---|---|---|---|\n");
    for rule in rules.rules().iter().filter(|rule| rule.path.starts_with(prefix)) {
        let target = match rule.path.strip_prefix(prefix).filter(|_| !prefix.is_empty()) {
            Some(file) => file.to_owned(),
            None => format!("#{}", rule.id),
        };
        let (title, worth) = (&rule.title, worth(rule));
        table.push_str(&format!(
            "| [{}]({target}) | {title} | {worth} | {}, {} |\n",
            rule.id, rule.evidence, rule.group
        ));
    }
    table
}

/// A page with `table` between its `<!-- rules: .. -->` and `<!-- end of rules -->` lines, or
/// nothing if it has no such lines.
#[must_use]
pub fn replace_table(page: &str, table: &str) -> Option<String> {
    let (head, rest) = page.split_once("<!-- rules:")?;
    let (marker, rest) = rest.split_once("-->")?;
    let (_, tail) = rest.split_once("<!-- end of rules -->")?;
    Some(format!(
        "{head}<!-- rules:{marker}-->\n\n{table}\n<!-- end of rules -->{tail}"
    ))
}

/// What a rule does when it fires, in a few words.
#[must_use]
pub fn worth(rule: &Rule) -> String {
    let points = match &rule.worth {
        Worth::Nothing => return rule.effect.to_string(),
        Worth::Fixed(points) => points.to_string(),
        Worth::Signal(field) => format!("the value of `{field}`"),
        Worth::Steps(steps) => {
            let mut points: Vec<_> = steps.iter().map(|step| step.points).collect();
            points.sort_unstable();
            let shown: Vec<String> = points.iter().map(ToString::to_string).collect();
            shown.join(", ")
        }
    };
    match rule.effect {
        crate::Effect::Points => points,
        effect => format!("{points}, {effect}"),
    }
}

fn rule_section(rule: &Rule) -> String {
    let mut section = format!("## {}\n\n{}.\n\n", rule.id, rule.title);
    let mut line = |name: &str, value: &str| {
        if !value.is_empty() {
            section.push_str(&format!("- **{name}**: {value}\n"));
        }
    };
    line(
        "Evidence",
        &format!("{}, group {}, {}", rule.evidence, rule.group, rule.status),
    );
    line("Points or effect", &format!("{} ({})", worth(rule), rule.basis));
    line("Meant for", &scope(rule));
    line("Says", &format!("\"{}\"", rule.text.source()));
    line("Why", &rule.why);
    line("False positives", &rule.false_positives);
    line("Response", &rule.response);
    line("Tags", &rule.tags.join(", "));
    line("References", &rule.references.join("; "));
    line("Owner", &rule.owner);
    section.push_str(&conditions(rule));
    section.push_str("\nTests: ");
    let tests: Vec<String> = rule
        .tests
        .iter()
        .map(|test| format!("{} ({})", test.name, test.expect))
        .collect();
    section.push_str(&tests.join("; "));
    section.push_str(".\n");
    section
}

fn scope(rule: &Rule) -> String {
    let named = [
        ("users of kind", &rule.scope.user_kinds),
        ("applications", &rule.scope.applications),
        ("tenants", &rule.scope.tenants),
    ];
    let parts: Vec<String> = named
        .iter()
        .filter(|(_, words)| !words.is_empty())
        .map(|(what, words)| format!("{what} {}", words.join(", ")))
        .collect();
    parts.join("; ")
}

fn conditions(rule: &Rule) -> String {
    let mut block = String::new();
    if let Some(when) = &rule.when {
        block.push_str(when.source().trim());
        block.push('\n');
    }
    if let Worth::Steps(steps) = &rule.worth {
        for step in steps {
            // Writing to a String cannot fail.
            let _ = writeln!(
                block,
                "{:>5} points when {}",
                step.points.to_string(),
                step.when.source().trim()
            );
        }
    }
    if block.is_empty() {
        block
    } else {
        format!("\n```\n{block}```\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slots::Slots;

    #[test]
    fn sentences_carry_the_values_of_the_login() {
        let rules = RuleSet::builtin().ok().unwrap();
        let mut slots = Slots::new();
        slots.set_owned(Field::DeviceFamily, "Firefox");
        let text = render_text(rules.rule("new-device").unwrap(), |field| slots.get(field));
        assert_eq!(text, "a device never seen for this user: Firefox on unknown");
    }

    #[test]
    fn worth_is_said_in_a_few_words() {
        let rules = RuleSet::builtin().ok().unwrap();
        let of = |id: &str| worth(rules.rule(id).unwrap());
        assert_eq!(of("network-kind"), "4, 7, 12");
        assert_eq!(of("phishable-factor-through-proxy"), "at_least:3");
        assert_eq!(of("vouched-pair"), "the value of `pair.familiarity`");
    }
}
