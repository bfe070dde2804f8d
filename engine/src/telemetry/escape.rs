//! Characters that could forge a line, a colour or a direction on a terminal, made visible.
//!
//! Used for logs, for values shown on a terminal and for texts in configuration files.

use std::borrow::Cow;

/// Whether a character is a control character (C0, DEL, C1), a line or paragraph separator, a change of writing
/// direction, or invisible (zero width, byte order mark, soft hyphen, tags).
#[must_use]
pub fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// The text with every unsafe character written as `\u001b`; above U+FFFF as two surrogates, so that the result also
/// stands inside a JSON string. Borrowed when there is nothing to do.
#[must_use]
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 16);
    let mut units = [0; 2];
    for character in text.chars() {
        if is_unsafe(character) {
            for unit in character.encode_utf16(&mut units) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(character);
        }
    }
    Cow::Owned(out)
}

/// As [`escape`], but line feeds and tabs stay: for texts of several lines that are ours and quote others.
#[must_use]
pub fn lines_escaped(text: &str) -> String {
    let pieces = text.split_inclusive(['\n', '\t']);
    pieces
        .map(|piece| {
            let body = piece.trim_end_matches(['\n', '\t']);
            format!("{}{}", escape(body), piece.get(body.len()..).unwrap_or(""))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_text_of_any_language_is_left_alone() {
        for text in ["", "Zażółć gęślą jaźń", "日本語", "naïve 👍"] {
            assert!(matches!(escape(text), Cow::Borrowed(same) if same == text));
        }
    }

    #[test]
    fn several_lines_keep_their_lines_and_tabs() {
        assert_eq!(lines_escaped("a\tb\n\n\u{7}c\n"), "a\tb\n\n\\u0007c\n");
    }

    #[test]
    fn what_moves_or_hides_text_becomes_visible() {
        assert_eq!(escape("a\n\x1b[31mb\u{9b}"), "a\\u000a\\u001b[31mb\\u009b");
        assert_eq!(escape("\u{202e}gpj.exe"), "\\u202egpj.exe");
        assert_eq!(escape("\u{e0041}"), "\\udb40\\udc41");
    }
}
