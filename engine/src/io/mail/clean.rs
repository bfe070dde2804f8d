//! Values on their way into a mail. They come from senders and databases, so an attacker may have chosen them.

/// Makes a value harmless: one line, no control or invisible characters, nothing that turns the direction of text,
/// nothing that a mail program would make a link of, and at most `chars_max` characters.
pub(super) fn clean(value: &str, chars_max: usize) -> String {
    let visible: String = value
        .chars()
        .map(|letter| if letter.is_whitespace() { ' ' } else { letter })
        .filter(|letter| is_shown(*letter))
        .collect();
    let one_line = visible
        .split(' ')
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    cut(&without_links(&one_line), chars_max)
}

/// An account in shortened form: as [`clean`], but the dots of its domain stay. Without `?` there is no encoded word.
pub(super) fn clean_account(value: &str, chars_max: usize) -> String {
    let plain =
        |letter: &char| is_shown(*letter) && !letter.is_whitespace() && !"/\\:<>\"?".contains(*letter);
    cut(&value.chars().filter(plain).collect::<String>(), chars_max)
}

/// For text between tags and in quoted attributes of HTML.
pub(super) fn escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for letter in value.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ => out.push(letter),
        }
    }
    out
}

/// Neither C0 nor C1, nor invisible, nor a mark of writing direction (Unicode TR36, TR9), nor outside of planes that
/// have letters.
fn is_shown(letter: char) -> bool {
    !letter.is_control()
        && !matches!(letter,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{e000}'..='\u{f8ff}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{10ffff}')
}

/// Puts a space behind what joins the parts of an address of a page or a mailbox, or begins an encoded word.
fn without_links(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        out.push(letter);
        let follows = letters.peek().is_some_and(|next| *next != ' ');
        let joins = match letter {
            // Dots that mail programs also take for one: ideographic, fullwidth, halfwidth.
            '.' | '\u{3002}' | '\u{ff0e}' | '\u{ff61}' => {
                letters.peek().is_some_and(|next| next.is_alphanumeric())
            }
            ':' => letters
                .peek()
                .is_some_and(|next| *next == '/' || next.is_alphabetic()),
            '@' | '\u{ff20}' => true,
            // `=?utf-8?q?...?=` (RFC 2047): in a subject it would be decoded into what was cleaned away before.
            '=' => letters.peek() == Some(&'?'),
            _ => false,
        };
        if joins && follows {
            out.push(' ');
        }
    }
    out
}

fn cut(text: &str, chars_max: usize) -> String {
    if text.chars().count() <= chars_max {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(chars_max.saturating_sub(1)).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn controls_and_directions_are_gone() {
        assert_eq!(clean("a\r\nBcc: x\0\u{7f}\u{9f}b\t c", 99), "a Bcc: xb c");
        assert_eq!(clean("\u{202e}evil\u{2066}\u{200b}\u{feff}", 99), "evil");
        assert_eq!(clean("  Århus  ", 99), "Århus");
    }

    #[test]
    fn nothing_is_left_to_make_a_link_of() {
        assert_eq!(clean("http://evil.example/x", 99), "http: //evil. example/x");
        assert_eq!(clean("www.evil.example", 99), "www. evil. example");
        assert_eq!(clean("mailto:x@evil.example", 99), "mailto: x@ evil. example");
        assert_eq!(clean("evil。example", 99), "evil。 example");
        assert_eq!(clean("=?utf-8?q?=0ABcc?=", 99), "= ?utf-8?q?=0ABcc?=");
        assert_eq!(clean("St. Gallen, 10:30. Yes.", 99), "St. Gallen, 10:30. Yes.");
    }

    #[test]
    fn long_values_are_cut() {
        assert_eq!(clean(&"é".repeat(70), 60), format!("{}…", "é".repeat(59)));
        assert_eq!(clean(&"é".repeat(60), 60), "é".repeat(60));
    }

    #[test]
    fn an_account_keeps_its_domain() {
        assert_eq!(clean_account("ja...@example.org", 99), "ja...@example.org");
        assert_eq!(clean_account("x...@=?utf-8?q?y?=", 99), "x...@=utf-8qy=");
        assert_eq!(clean_account("x\r\n y<b>http://e", 99), "xybhttpe");
    }

    #[test]
    fn tags_are_escaped() {
        assert_eq!(
            escaped("<b a='1' c=\"2\">&"),
            "&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;"
        );
    }

    proptest! {
        #[test]
        fn any_value_becomes_one_harmless_line(value in any::<String>(), chars_max in 1..80_usize) {
            let cleaned = clean(&value, chars_max);
            prop_assert!(cleaned.chars().count() <= chars_max);
            prop_assert!(cleaned.chars().all(|letter| is_shown(letter) && (letter == ' ' || !letter.is_whitespace())));
            prop_assert!(!cleaned.contains("://") && !cleaned.contains("=?"));
            let dot_inside = cleaned.as_bytes().windows(2)
                .any(|pair| pair[0] == b'.' && pair[1].is_ascii_alphanumeric());
            prop_assert!(!dot_inside);
            prop_assert_eq!(clean(&cleaned, chars_max), cleaned);
        }
    }
}
