//! The reference of events for people, made of the same declarations that read them.

use super::limits::Limits;
use super::login_event::LoginEvent;
use super::parse_error::Reason;
use super::reader::{FieldDoc, Fields};
use super::required::required;
use super::vocabulary::EventType;
use std::fmt::Write as _;

/// The text of `engine/docs/events.md`.
pub fn reference() -> String {
    let mut lines = Vec::new();
    rows("", LoginEvent::FIELDS, &mut Vec::new(), &mut lines);
    let mut page = String::from("# Events\n\n<!-- Generated from engine/src/event; do not edit. -->\n\n");
    let _ = write!(
        page,
        "One event is one JSON object in UTF-8 of at most {} KiB, nested at most {} levels deep; it may stand in \
         the `data` of a CloudEvents 1.0 envelope. Unknown fields are passed over, at any depth. A known field of a wrong \
         type, beyond its limit, or given twice is refused by name. `null` and blank text count as absent. The sizes are those of \
         the built-in configuration; `[limits]` moves that of the event, of `client.user_agent`, of texts of 256 bytes, \
         and the depth.\n\n\
         ## Fields\n\nWith *, the object that holds the field is refused without it.\n\n\
         | field | type and limits | meaning |\n|---|---|---|\n{}\n",
        Limits::DEFAULT.event_bytes / 1024,
        Limits::DEFAULT.depth,
        lines.join("\n"),
    );
    page.push_str("\n## What each type requires\n\n");
    page.push_str("Besides `id`, `source`, `type` and `time`. `user.id` may be absent where `stage` is `identifier` or\n");
    page.push_str("`reason` is `no_such_user`.\n\n| type | requires |\n|---|---|\n");
    for &event_type in EventType::ALL {
        let fields: Vec<_> = required(event_type)
            .iter()
            .map(|field| format!("`{}`", field.path()))
            .collect();
        let _ = writeln!(page, "| `{event_type}` | {} |", fields.join(", "));
    }
    page.push_str("\n## Reasons of refusal\n\n| reason | meaning |\n|---|---|\n");
    for &reason in Reason::ALL {
        let _ = writeln!(page, "| `{reason}` | {} |", reason.meaning());
    }
    page
}

/// A line for each field, and for the fields inside; an object that was described before is only named.
fn rows(
    prefix: &str,
    fields: &'static [FieldDoc],
    described: &mut Vec<(&'static [FieldDoc], String)>,
    lines: &mut Vec<String>,
) {
    for field in fields {
        let path = format!("{prefix}{}", field.key);
        let inner = (field.fields)();
        let earlier = described
            .iter()
            .find(|(seen, _)| is_same(seen, inner))
            .map(|(_, path)| path.clone());
        let mark = if field.required { " *" } else { "" };
        let meaning = field
            .meaning
            .iter()
            .map(|line| line.trim())
            .collect::<Vec<_>>()
            .join(" ");
        let kind = match &earlier {
            Some(path) => format!("{} as `{path}`", (field.describe)()),
            None => (field.describe)(),
        };
        lines.push(format!("| `{path}`{mark} | {kind} | {meaning} |"));
        if earlier.is_none() && !inner.is_empty() {
            described.push((inner, path.clone()));
            rows(&format!("{path}{}", field.within), inner, described, lines);
        }
    }
}

fn is_same(one: &[FieldDoc], other: &[FieldDoc]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.key == other.key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_fields_required_marks_and_repeats_show() {
        let page = reference();
        for line in [
            "| `auth.enrolled[].type` * | one of `password`, `passkey`,",
            "| `auth.approver.client` | object as `client` |",
            "| `client.user_agent` | text, at most 1024 bytes |",
            "| `login` | `user.id`, `outcome`, `client.ip` |",
            "| `wrong_type` |",
        ] {
            assert!(page.contains(&format!("\n{line}")), "{line} in\n{page}");
        }
    }
}
