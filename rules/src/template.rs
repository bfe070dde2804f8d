//! Sentences with `{field}` in them.

use std::ops::Range;

use crate::diagnostic::Fault;
use crate::field_faults::named_field;
use crate::parser::Placed;
use crate::schema::Field;
use crate::slots::Slot;

/// A sentence with fields to fill in; `{{` and `}}` stand for braces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Field(Field),
}

impl Template {
    /// Reads a sentence and checks its fields.
    ///
    /// # Errors
    /// An unknown field or a brace without its partner, placed in the sentence.
    pub fn parse(text: &str) -> Result<Self, Placed> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut at = 0;
        while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
            let rest = text.get(at..).unwrap_or_default();
            if rest.starts_with("{{") || rest.starts_with("}}") {
                literal.push(c);
                at += 2;
            } else if c == '{' {
                let (field, range) = placeholder(rest, at)?;
                parts.push(Part::Text(std::mem::take(&mut literal)));
                parts.push(Part::Field(field));
                at = range.end;
            } else if c == '}' {
                return Err(Placed::new(at..at + 1, lonely_brace("}")));
            } else {
                literal.push(c);
                at += c.len_utf8();
            }
        }
        parts.push(Part::Text(literal));
        Ok(Template { parts })
    }

    /// The fields in order of appearance, repetitions included.
    pub fn fields(&self) -> impl Iterator<Item = Field> + '_ {
        self.parts.iter().filter_map(|part| match part {
            Part::Field(field) => Some(*field),
            Part::Text(_) => None,
        })
    }

    /// The sentence with values; what has no data reads `unknown`.
    #[must_use]
    pub fn render<'a>(&self, lookup: impl Fn(Field) -> &'a Slot) -> String {
        let mut sentence = String::new();
        for part in &self.parts {
            match part {
                Part::Text(text) => sentence.push_str(text),
                Part::Field(field) => sentence.push_str(&show(lookup(*field))),
            }
        }
        sentence
    }

    /// The sentence as it was written.
    #[must_use]
    pub fn source(&self) -> String {
        let escaped = |text: &str| text.replace('{', "{{").replace('}', "}}");
        self.parts.iter().fold(String::new(), |written, part| match part {
            Part::Text(text) => written + &escaped(text),
            Part::Field(field) => format!("{written}{{{field}}}"),
        })
    }
}

fn placeholder(rest: &str, at: usize) -> Result<(Field, Range<usize>), Placed> {
    let Some(close) = rest.find('}') else {
        return Err(Placed::new(at..at + 1, lonely_brace("{")));
    };
    let name = rest.get(1..close).unwrap_or_default();
    match named_field(name) {
        Ok(field) => Ok((field, at..at + close + 1)),
        Err(fault) => Err(Placed::new(at + 1..at + close, fault)),
    }
}

fn lonely_brace(brace: &str) -> Fault {
    Fault::new(format!("`{brace}` without its partner")).help(format!(
        "a field is written `{{device.family}}`, a brace itself `{brace}{brace}`"
    ))
}

/// A value for a person: numbers with three figures or so, `yes` and `no`, `unknown`.
#[must_use]
pub fn show(slot: &Slot) -> String {
    match slot {
        Slot::NoData => "unknown".to_owned(),
        Slot::Bool(true) => "yes".to_owned(),
        Slot::Bool(false) => "no".to_owned(),
        Slot::Int(value) => value.to_string(),
        Slot::Float(value) => show_float(*value),
        Slot::Text(text) => text.as_str().to_owned(),
    }
}

fn show_float(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    let shown = format!("{value:.decimals$}");
    let shown = match shown.contains('.') {
        true => shown.trim_end_matches('0').trim_end_matches('.'),
        false => &shown,
    };
    if shown == "-0" {
        "0".to_owned()
    } else {
        shown.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slots::Slots;
    use proptest::prelude::*;

    #[test]
    fn fills_in_what_is_known() {
        let mut slots = Slots::new();
        slots.set_float(Field::TravelSpeedKmh, 8432.57);
        slots.set_float(Field::AddressShareOfEveryone, 0.0204);
        slots.set_bool(Field::DeviceManaged, false);
        let text =
            "{travel.speed_kmh} km/h, {address.share_of_everyone}, {device.managed}, {network.city} {{x}}";
        let template = Template::parse(text).unwrap();
        assert_eq!(
            template.render(|field| slots.get(field)),
            "8433 km/h, 0.02, no, unknown {x}"
        );
        assert_eq!(template.source(), text);
    }

    #[test]
    fn faults_are_placed() {
        let fault = |text: &str| {
            let placed = Template::parse(text).err().unwrap();
            (placed.range, placed.fault.message)
        };
        assert_eq!(
            fault("a {device.famly} b"),
            (3..15, "unknown field `device.famly`".to_owned())
        );
        assert_eq!(fault("a {b"), (2..3, "`{` without its partner".to_owned()));
        assert_eq!(fault("é }"), (3..4, "`}` without its partner".to_owned()));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "[a-z{}é.]{0,40}") {
            if let Ok(template) = Template::parse(&text) {
                prop_assert_eq!(Template::parse(&template.source()), Ok(template));
            }
        }
    }
}
