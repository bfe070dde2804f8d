//! Why an event was refused: which field, a code that programs can match, and a sentence for people.
//! Words of the sender are shown cleaned and cut, as they may be an attacker's.

use std::fmt::{self, Write as _};

macro_rules! reasons {
    ($($(#[doc = $meaning:literal])+ $reason:ident = $code:literal,)+) => {
        /// What is wrong with a refused event. The names are stable: dead letters, metrics and answers carry them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Reason { $($(#[doc = $meaning])+ $reason,)+ }

        impl Reason {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$reason,)+];

            /// The stable code.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$reason => $code,)+ }
            }

            /// One sentence on it, for the reference.
            pub(super) fn meaning(self) -> String {
                let lines: &[&str] = match self { $(Self::$reason => &[$($meaning),+],)+ };
                lines.concat().trim().to_owned()
            }
        }
    };
}

reasons! {
    /// The bytes are no UTF-8, or an escape is half of a character.
    InvalidUtf8 = "invalid_utf8",
    /// The text is no JSON.
    InvalidJson = "invalid_json",
    /// The event, or an object kept as text, has too many bytes.
    TooLarge = "too_large",
    /// Objects and lists nest too deeply.
    TooDeep = "too_deep",
    /// A list or map has too many members.
    TooMany = "too_many",
    /// A text has too many bytes.
    TooLong = "too_long",
    /// A field that this type of event requires is absent, `null` or blank.
    MissingField = "missing_field",
    /// A field appears twice in one object.
    DuplicateField = "duplicate_field",
    /// Text where a number belongs, and the like.
    WrongType = "wrong_type",
    /// The name is not one of the field's values.
    UnknownValue = "unknown_value",
    /// We do not know this type of event.
    UnknownType = "unknown_type",
    /// No time of RFC 3339, or far outside of our time.
    BadTime = "bad_time",
    /// No IP address.
    BadAddress = "bad_address",
    /// A number outside of the field's range.
    OutOfRange = "out_of_range",
    /// The source `doorward` is ours.
    ReservedSource = "reserved_source",
}

impl fmt::Display for Reason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.as_str())
    }
}

/// A refused event.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ParseError {
    /// Dotted path such as `auth.enrolled[2].type`; empty when it is the whole line.
    pub field: String,
    /// What is wrong, for programs.
    pub reason: Reason,
    /// What is wrong, for people: one sentence that names the field.
    pub message: String,
}

impl ParseError {
    /// `rest` goes on from the field's name, or from "the event" where no field is to blame.
    pub(super) fn new(field: String, reason: Reason, rest: &str) -> Self {
        let message = if field.is_empty() {
            format!("the event {rest}")
        } else {
            format!("`{field}` {rest}")
        };
        Self {
            field,
            reason,
            message,
        }
    }
}

/// Longest piece of the sender's text that a message shows, in characters.
const SHOWN_CHARS: usize = 80;

/// The sender's words in backticks: cut, without controls, and without what reorders or hides text.
pub(super) fn quoted(words: &str) -> String {
    let mut out = String::from("`");
    let mut kept = words.chars().filter(|&letter| is_shown(letter));
    out.extend(kept.by_ref().take(SHOWN_CHARS));
    if kept.next().is_some() {
        out.push('…');
    }
    out.push('`');
    out
}

/// Neither a control nor invisible nor a mark of writing direction; no backtick, which would end the quote early.
fn is_shown(letter: char) -> bool {
    !letter.is_control()
        && !matches!(letter,
            '`' | '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// "is `sucess`, which is none of its values; did you mean `success`?"
pub(super) fn unknown_name(given: &str, names: &[&'static str]) -> String {
    let mut text = format!("is {}, which is none of its values", quoted(given));
    let _ = match nearest(given, names) {
        Some(name) => write!(text, "; did you mean `{name}`?"),
        None if names.len() <= 12 => write!(text, ": {}", names.join(", ")),
        None => Ok(()),
    };
    text
}

/// The one name that is close enough to be a slip of the hand.
fn nearest(given: &str, names: &[&'static str]) -> Option<&'static str> {
    if given.len() > 64 {
        return None;
    }
    let given = given.to_lowercase().replace(['-', ' '], "_");
    let scored = names
        .iter()
        .map(|name| (strsim::damerau_levenshtein(&given, name), *name));
    scored
        .min()
        .filter(|(distance, name)| *distance <= name.len().div_ceil(3))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_attackers_words_are_cleaned_and_cut() {
        assert_eq!(quoted("a\u{202e}b\n`c\u{0}\u{7f}\u{200b}d"), "`abcd`");
        assert_eq!(quoted(&"é".repeat(81)), format!("`{}…`", "é".repeat(80)));
        assert_eq!(quoted(&"é".repeat(80)), format!("`{}`", "é".repeat(80)));
    }

    #[test]
    fn slips_are_corrected_and_guesses_are_not() {
        let names = &["success", "failure", "first_factor"];
        assert!(unknown_name("sucess", names).ends_with("did you mean `success`?"));
        assert!(unknown_name("First-Factor", names).ends_with("did you mean `first_factor`?"));
        assert!(unknown_name("banana", names).ends_with(": success, failure, first_factor"));
    }
}
