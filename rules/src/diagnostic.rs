//! Diagnostics: what is wrong in a rule file, where, and what would be right.
//!
//! The words are for the person who wrote the file: lowercase, their own words in backticks.
//! Nothing here knows which mistakes there are.

use std::fmt;
use std::ops::Range;

/// One mistake in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The path as the source was named.
    pub path: String,
    /// Line from 1.
    pub line: usize,
    /// Column from 1, in characters.
    pub column: usize,
    /// How many characters of the line are meant, at least 1.
    pub width: usize,
    /// The text of the line.
    pub source_line: String,
    /// What is wrong.
    pub message: String,
    /// What would be right, if it can be said.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A mistake at a range of bytes of a file. A range outside the text or inside a character
    /// is moved to the nearest place that exists.
    #[must_use]
    pub fn at(path: &str, text: &str, range: Range<usize>, fault: Fault) -> Self {
        let start = floor_boundary(text, range.start);
        let before = text.get(..start).unwrap_or_default();
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let rest_of_line = text.get(line_start..).unwrap_or_default();
        let source_line = rest_of_line.lines().next().unwrap_or_default();
        let line_end = line_start + source_line.len();
        let end = floor_boundary(text, range.end.clamp(start, line_end.max(start)));
        Diagnostic {
            path: path.to_owned(),
            line: before.matches('\n').count() + 1,
            column: text.get(line_start..start).unwrap_or_default().chars().count() + 1,
            width: text.get(start..end).unwrap_or_default().chars().count().max(1),
            source_line: source_line.to_owned(),
            message: fault.message,
            help: fault.help,
        }
    }
}

fn floor_boundary(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

impl fmt::Display for Diagnostic {
    /// The form of a compiler: message, place, the line with a caret, help.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.line.to_string();
        let margin = " ".repeat(number.len());
        writeln!(f, "error: {}", self.message)?;
        writeln!(f, "{margin}--> {}:{}:{}", self.path, self.line, self.column)?;
        writeln!(f, "{margin} |")?;
        writeln!(f, "{number} | {}", self.source_line)?;
        // Tabs stay tabs, so that the caret stands below what it means in any editor.
        let indent: String = self
            .source_line
            .chars()
            .take(self.column - 1)
            .map(|c| if c == '\t' { '\t' } else { ' ' })
            .collect();
        write!(f, "{margin} | {indent}{}", "^".repeat(self.width))?;
        match &self.help {
            Some(help) => write!(f, "\n{margin} = help: {help}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Diagnostic {}

/// What is wrong, before it is known where in which file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What is wrong.
    pub message: String,
    /// What would be right, if it can be said.
    pub help: Option<String>,
}

impl Fault {
    /// A fault without help.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Fault {
            message: message.into(),
            help: None,
        }
    }

    /// The same with help.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same, naming the likely word if there is one, else saying `otherwise`.
    #[must_use]
    pub fn did_you_mean(self, likely: Option<&str>, otherwise: impl FnOnce() -> String) -> Self {
        match likely {
            Some(likely) => self.help(format!("did you mean `{likely}`?")),
            None => self.help(otherwise()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_at_the_place() {
        let text = "a\nwhen = 'dévice.stat'\r\nb";
        let start = text.find("dé").unwrap();
        let fault = Fault::new("unknown field").did_you_mean(Some("device.state"), String::new);
        let shown = Diagnostic::at("new.toml", text, start..start + 12, fault).to_string();
        let expected = "error: unknown field\n \
            --> new.toml:2:9\n  |\n\
            2 | when = 'dévice.stat'\n  |         ^^^^^^^^^^^\n  \
            = help: did you mean `device.state`?";
        assert_eq!(shown, expected);
    }

    #[test]
    fn a_range_outside_is_moved_inside() {
        let at = Diagnostic::at("x", "é", 1..900, Fault::new("m"));
        assert_eq!((at.line, at.column, at.width), (1, 1, 1));
        let at = Diagnostic::at("x", "", 3..7, Fault::new("m"));
        assert_eq!((at.line, at.column, at.width), (1, 1, 1));
    }
}
