//! Rule files as TOML that remembers where everything stands.
//!
//! A thin reader over the `toml` crate's spanned tables: it collects every fault of a file
//! instead of stopping at the first, and maps places inside a string back to the file. It knows
//! nothing of rules.

use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::{Diagnostic, Fault};
use crate::parser::Placed;
use crate::schema::closest;

/// The longest rule file, in bytes.
pub const FILE_BYTES_MAX: usize = 256 * 1024;

/// One file, with the faults found in it so far.
pub struct SourceFile<'a> {
    pub path: &'a str,
    pub text: &'a str,
    pub faults: Vec<Diagnostic>,
}

impl<'a> SourceFile<'a> {
    pub fn new(path: &'a str, text: &'a str) -> Self {
        SourceFile {
            path,
            text,
            faults: Vec::new(),
        }
    }

    /// Parses the file; a fault is noted.
    pub fn parse(&mut self) -> Option<DeTable<'a>> {
        if self.text.len() > FILE_BYTES_MAX {
            self.fault(
                0..1,
                Fault::new(format!("the file is longer than {FILE_BYTES_MAX} bytes")),
            );
            return None;
        }
        match DeTable::parse(self.text) {
            Ok(table) => Some(table.into_inner()),
            Err(error) => {
                let range = error.span().unwrap_or(0..0);
                let message = error.message().replace('\n', ", ");
                self.fault(range, Fault::new(format!("this is not TOML: {message}")));
                None
            }
        }
    }

    pub fn fault(&mut self, range: Range<usize>, fault: Fault) {
        self.faults
            .push(Diagnostic::at(self.path, self.text, range, fault));
    }

    /// Notes a fault inside the string that stands at `string`.
    pub fn fault_in_string(&mut self, string: Range<usize>, placed: Placed) {
        let raw = self.text.get(string.clone()).unwrap_or_default();
        let start = string.start + raw_offset(raw, placed.range.start);
        let end = string.start + raw_offset(raw, placed.range.end);
        self.fault(start..end, placed.fault);
    }

    /// The line of a place, from 1.
    pub fn line(&self, offset: usize) -> usize {
        self.text.get(..offset).unwrap_or(self.text).matches('\n').count() + 1
    }
}

/// A string with the place of its literal in the file.
#[derive(Clone, Debug)]
pub struct Placement {
    pub text: String,
    pub range: Range<usize>,
}

/// A closed list of words, and what each stands for.
type Words<T> = (&'static [&'static str], fn(&str) -> Option<T>);

/// One table, whose keys are ticked off as they are read.
pub struct TableReader<'a, 'i> {
    table: &'a DeTable<'i>,
    /// Where the table stands, for faults about what it lacks.
    pub range: Range<usize>,
    /// How the table is called in faults.
    what: &'static str,
    read: BTreeSet<&'static str>,
}

impl<'a, 'i> TableReader<'a, 'i> {
    pub fn new(table: &'a DeTable<'i>, range: Range<usize>, what: &'static str) -> Self {
        TableReader {
            table,
            range,
            what,
            read: BTreeSet::new(),
        }
    }

    /// The value of a key, if it is there.
    pub fn value(&mut self, key: &'static str) -> Option<&'a Spanned<DeValue<'i>>> {
        self.read.insert(key);
        self.table.get(key)
    }

    /// The value of a key that has to be there.
    pub fn required(
        &mut self,
        file: &mut SourceFile<'_>,
        key: &'static str,
    ) -> Option<&'a Spanned<DeValue<'i>>> {
        let value = self.value(key);
        if value.is_none() {
            file.fault(
                self.range.clone(),
                Fault::new(format!("{} lacks `{key}`", self.what)),
            );
        }
        value
    }

    /// A string that has to be there and not be empty.
    pub fn text(&mut self, file: &mut SourceFile<'_>, key: &'static str) -> Option<Placement> {
        let value = self.required(file, key)?;
        let text = string(file, key, value)?;
        if text.text.trim().is_empty() {
            file.fault(text.range, Fault::new(format!("`{key}` is empty")));
            return None;
        }
        Some(text)
    }

    /// A string that may be left out.
    pub fn optional_text(&mut self, file: &mut SourceFile<'_>, key: &'static str) -> Option<Placement> {
        let value = self.value(key)?;
        string(file, key, value)
    }

    /// A word of a closed list, by `parse`; `default` if it is left out.
    pub fn word<T>(
        &mut self,
        file: &mut SourceFile<'_>,
        key: &'static str,
        (words, parse): Words<T>,
        default: Option<T>,
    ) -> Option<T> {
        let value = match default {
            Some(default) => match self.value(key) {
                Some(value) => value,
                None => return Some(default),
            },
            None => self.required(file, key)?,
        };
        let word = string(file, key, value)?;
        let parsed = parse(&word.text);
        if parsed.is_none() {
            let fault = Fault::new(format!("`{key}` is never `{}`", word.text));
            let likely = closest(&word.text, words.iter().copied());
            file.fault(
                word.range,
                fault.did_you_mean(likely, || format!("it is one of {}", words.join(", "))),
            );
        }
        parsed
    }

    /// A list of strings, empty if it is left out.
    pub fn texts(&mut self, file: &mut SourceFile<'_>, key: &'static str) -> Vec<Placement> {
        let Some(value) = self.value(key) else {
            return Vec::new();
        };
        let Some(array) = value.get_ref().as_array() else {
            file.fault(
                value.span(),
                Fault::new(format!("`{key}` is a list of texts: [\"a\", \"b\"]")),
            );
            return Vec::new();
        };
        array
            .iter()
            .filter_map(|element| string(file, key, element))
            .collect()
    }

    /// A table that may be left out.
    pub fn table(
        &mut self,
        file: &mut SourceFile<'_>,
        key: &'static str,
        what: &'static str,
    ) -> Option<TableReader<'a, 'i>> {
        let value = self.value(key)?;
        match value.get_ref() {
            DeValue::Table(table) => Some(TableReader::new(table, value.span(), what)),
            _ => {
                file.fault(value.span(), Fault::new(format!("`{key}` is a table")));
                None
            }
        }
    }

    /// The tables of `[[key]]`.
    pub fn tables(
        &mut self,
        file: &mut SourceFile<'_>,
        key: &'static str,
        what: &'static str,
    ) -> Vec<TableReader<'a, 'i>> {
        let Some(value) = self.value(key) else {
            return Vec::new();
        };
        let mut readers = Vec::new();
        let elements = value.get_ref().as_array().into_iter().flatten();
        for element in elements {
            match element.get_ref() {
                DeValue::Table(table) => readers.push(TableReader::new(table, element.span(), what)),
                _ => file.fault(
                    element.span(),
                    Fault::new(format!("`{key}` is written `[[{key}]]`")),
                ),
            }
        }
        if !value.get_ref().is_array() {
            file.fault(
                value.span(),
                Fault::new(format!("`{key}` is written `[[{key}]]`")),
            );
        }
        readers
    }

    /// Refuses every key that was not asked for.
    pub fn finish(self, file: &mut SourceFile<'_>) {
        for key in self.table.keys() {
            let name: &str = key.get_ref();
            if self.read.contains(name) {
                continue;
            }
            let fault = Fault::new(format!("{} has no key `{name}`", self.what));
            let likely = closest(name, self.read.iter().copied());
            let all = || self.read.iter().copied().collect::<Vec<_>>().join(", ");
            file.fault(
                key.span(),
                fault.did_you_mean(likely, || format!("its keys are {}", all())),
            );
        }
    }
}

fn string(file: &mut SourceFile<'_>, key: &str, value: &Spanned<DeValue<'_>>) -> Option<Placement> {
    match value.get_ref() {
        DeValue::String(text) => Some(Placement {
            text: text.to_string(),
            range: value.span(),
        }),
        other => {
            let message = format!("`{key}` is a text in quotes, this is {}", kind(other));
            file.fault(value.span(), Fault::new(message));
            None
        }
    }
}

/// What a value is, in words.
pub fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// Where byte `wanted` of a string's value stands in its literal, quotes and escapes counted.
fn raw_offset(raw: &str, wanted: usize) -> usize {
    let quote = ["'''", "\"\"\"", "'", "\""]
        .into_iter()
        .find(|quote| raw.starts_with(quote));
    let Some(quote) = quote else {
        return wanted.min(raw.len());
    };
    let mut at = quote.len();
    if quote.len() == 3 {
        // A line end right after the opening quotes is no part of the value.
        at += ["\r\n", "\n"]
            .iter()
            .find(|end| starts_at(raw, at, end))
            .map_or(0, |end| end.len());
    }
    let body_end = raw.len().saturating_sub(quote.len());
    let mut decoded = 0;
    while decoded < wanted && at < body_end {
        let (raw_length, value_length) = unit(raw, at, quote.starts_with('"'));
        at += raw_length;
        decoded += value_length;
    }
    at.min(body_end.max(quote.len()))
}

fn starts_at(raw: &str, at: usize, prefix: &str) -> bool {
    raw.get(at..).is_some_and(|rest| rest.starts_with(prefix))
}

/// The length in the literal and in the value of what stands at `at`.
fn unit(raw: &str, at: usize, escapes: bool) -> (usize, usize) {
    let rest = raw.get(at..).unwrap_or_default();
    let mut chars = rest.chars();
    let first = chars.next().map_or(1, char::len_utf8);
    if !escapes || !rest.starts_with('\\') {
        return (first, first);
    }
    let digits = match chars.next() {
        Some('x') => 2,
        Some('u') => 4,
        Some('U') => 8,
        Some(c) if c.is_whitespace() => {
            let after = rest.get(1..).unwrap_or_default();
            return (1 + after.len() - after.trim_start().len(), 0);
        }
        _ => return (2, 1),
    };
    let code = rest
        .get(2..2 + digits)
        .and_then(|hex| u32::from_str_radix(hex, 16).ok());
    (
        2 + digits,
        code.and_then(char::from_u32).map_or(1, char::len_utf8),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_in_strings_are_found_in_the_file() {
        // (literal, byte of the value, byte of the literal)
        for (raw, wanted, expected) in [
            ("'abc'", 1, 2),
            ("\"a\\\"bc\"", 2, 4),
            ("'''\nabc'''", 1, 5),
            ("'''\r\nabc'''", 1, 6),
            ("\"\"\"a\\\n   bc\"\"\"", 1, 4),
            ("\"\"\"a\\\n   bc\"\"\"", 2, 10),
            ("\"\\u00e9x\"", 2, 7),
            ("'é'", 2, 3),
            ("'abc'", 99, 4),
            ("''", 0, 1),
        ] {
            assert_eq!(raw_offset(raw, wanted), expected, "{raw} {wanted}");
        }
    }

    #[test]
    fn unknown_keys_are_refused_with_a_suggestion() {
        let mut file = SourceFile::new("x.toml", "titel = 'a'\nquite_other = 1");
        let table = file.parse().unwrap();
        let mut reader = TableReader::new(&table, 0..0, "the rule");
        assert!(reader.value("title").is_none());
        reader.finish(&mut file);
        let shown: Vec<_> = file
            .faults
            .iter()
            .map(|f| (f.line, f.message.as_str(), f.help.as_deref()))
            .collect();
        assert_eq!(
            shown,
            [
                (2, "the rule has no key `quite_other`", Some("its keys are title")),
                (1, "the rule has no key `titel`", Some("did you mean `title`?")),
            ]
        );
    }
}
