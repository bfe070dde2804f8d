//! What is wrong with a field's name or value, said the same way wherever it stands.

use crate::diagnostic::Fault;
use crate::schema::{Field, closest};

/// The field of this name, or what is wrong with the name.
pub fn named_field(name: &str) -> Result<Field, Fault> {
    Field::by_name(name).ok_or_else(|| {
        let fault = Fault::new(format!("unknown field `{name}`"));
        let likely = Field::suggest(name).map(Field::name);
        fault.did_you_mean(likely, || {
            "every field is listed in rules/docs/fields.md".to_owned()
        })
    })
}

/// What is wrong with `value` in the enumerated `field`, if anything.
pub fn domain_fault(field: Field, value: &str) -> Option<Fault> {
    if field.domain().is_empty() || field.domain().contains(&value) {
        return None;
    }
    let fault = Fault::new(format!("`{field}` is never `{value}`"));
    let likely = closest(value, field.domain().iter().copied());
    Some(fault.did_you_mean(likely, || format!("it is one of {}", field.domain().join(", "))))
}
