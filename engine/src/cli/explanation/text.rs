//! Text on a terminal: how wide it is, where it breaks, and what of a stranger's words is shown.

use crate::telemetry::escape::escape;

/// Longest piece of a stranger's text that is shown, in characters.
const SHOWN_CHARS_MAX: usize = 60;

/// A stranger's words on one line: cut, and with everything visible that would move, hide or reverse text.
pub(super) fn clean(words: &str) -> String {
    let mut letters = words.chars();
    let mut kept: String = letters.by_ref().take(SHOWN_CHARS_MAX).collect();
    if letters.next().is_some() {
        kept.push('…');
    }
    let plain: String = escape(&kept).split_whitespace().collect::<Vec<_>>().join(" ");
    plain.chars().filter(|letter| !is_variation(*letter)).collect()
}

/// As [`clean`], and said to be empty if it is.
pub(super) fn named(words: &str) -> String {
    match clean(words) {
        empty if empty.is_empty() => "(empty)".to_owned(),
        shown => shown,
    }
}

/// Invisible marks that only choose how the letter before them looks.
const fn is_variation(letter: char) -> bool {
    matches!(letter, '\u{180b}'..='\u{180f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' | '\u{fff9}'..='\u{fffb}')
}

/// Columns that a text takes.
pub(super) fn columns(text: &str) -> usize {
    text.chars().map(columns_of).sum()
}

/// Two for the wide letters of East Asia and for pictures, none for marks that sit on the letter before. A terminal may
/// disagree about rare letters; a table is then out of line by a column, nothing worse.
const fn columns_of(letter: char) -> usize {
    match letter {
        '\u{300}'..='\u{36f}'
        | '\u{483}'..='\u{489}'
        | '\u{591}'..='\u{5bd}'
        | '\u{64b}'..='\u{65f}'
        | '\u{1ab0}'..='\u{1aff}'
        | '\u{1dc0}'..='\u{1dff}'
        | '\u{20d0}'..='\u{20ff}'
        | '\u{fe20}'..='\u{fe2f}' => 0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{303e}'
        | '\u{3041}'..='\u{a4cf}'
        | '\u{a960}'..='\u{a97f}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1faff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

/// The text in lines of at most `width` columns: broken at spaces, and inside a word only if it is longer than a line.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(2);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        if !line.is_empty() && columns(&line) + 1 + columns(word) > width {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        for letter in word.chars() {
            if columns(&line) + columns_of(letter) > width {
                lines.push(std::mem::take(&mut line));
            }
            line.push(letter);
        }
    }
    lines.push(line);
    lines
}

/// The beginning of a text that fits into so many columns, with `…` if something is left out.
pub(super) fn cut(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let mut shown = String::new();
    for letter in text.chars() {
        if columns(&shown) + columns_of(letter) + 1 > width {
            break;
        }
        shown.push(letter);
    }
    shown.truncate(shown.trim_end().len());
    shown.push('…');
    shown
}

/// `one`, `one and two`, `one, two and three`.
pub(super) fn and(items: &[String]) -> String {
    match items.split_last() {
        None => String::new(),
        Some((only, [])) => only.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn strangers_cannot_draw_on_the_terminal() {
        assert_eq!(clean("a\x1b[31m\u{202e}b\n c"), "a\\u001b[31m\\u202eb\\u000a c");
        assert_eq!(clean("x\u{200b}y\u{fe0f}"), "x\\u200by");
        assert_eq!(clean(&"x".repeat(100)).chars().count(), SHOWN_CHARS_MAX + 1);
        assert_eq!(named(""), "(empty)");
    }

    #[test]
    fn long_words_are_broken_and_short_ones_are_not() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("abcdefghij k", 4), ["abcd", "efgh", "ij k"]);
        assert_eq!(wrap("", 4), [""]);
        assert_eq!(wrap("日本語", 4), ["日本", "語"]);
    }

    #[test]
    fn lists_read_like_sentences() {
        let list = |items: &[&str]| and(&items.iter().map(|item| (*item).to_owned()).collect::<Vec<_>>());
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
        assert_eq!(list(&["a"]), "a");
    }

    proptest! {
        #[test]
        fn no_line_is_wider_than_asked(text in "\\PC{0,80}", width in 2..40usize) {
            prop_assert!(wrap(&text, width).iter().all(|line| columns(line) <= width));
            prop_assert!(columns(&cut(&text, width)) <= width);
        }
    }
}
