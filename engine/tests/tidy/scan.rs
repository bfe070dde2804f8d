//! Reads Rust as far as the house rules need it: what is code, what is test, and which paths the code names.
//!
//! Not a parser: it knows comments, texts, braces, and trees of `use`. What it cannot know is what a macro makes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The text with comments and the insides of texts as blanks; lines keep their numbers.
pub fn code(text: &str) -> String {
    let letters: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < letters.len() {
        let end = skipped(&letters, at);
        if end > at {
            let gone = letters.get(at..end).unwrap_or_default();
            out.extend(gone.iter().map(|letter| if *letter == '\n' { '\n' } else { ' ' }));
            at = end;
        } else {
            out.extend(letters.get(at));
            at += 1;
        }
    }
    out
}

/// Where a comment, text or character that begins at `at` ends; `at` itself if none begins there.
fn skipped(letters: &[char], at: usize) -> usize {
    let letter = |index: usize| letters.get(index).copied().unwrap_or('\0');
    let in_a_name = at > 0 && is_name(letter(at - 1));
    match (letter(at), letter(at + 1)) {
        ('/', '/') => position(letters, at, "\n").unwrap_or(letters.len()),
        ('/', '*') => end_of_block(letters, at),
        ('"', _) => end_of_text(letters, at + 1),
        ('b' | 'c', '"') if !in_a_name => end_of_text(letters, at + 2),
        ('r', '"' | '#') if !in_a_name => end_of_raw(letters, at, at + 1),
        ('b' | 'c', 'r') if !in_a_name => end_of_raw(letters, at, at + 2),
        ('\'', '\\') => position(letters, at + 3, "'").map_or(letters.len(), |end| end + 1),
        ('\'', _) if letter(at + 2) == '\'' => at + 3,
        _ => at,
    }
}

fn is_name(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn position(letters: &[char], from: usize, text: &str) -> Option<usize> {
    let wanted: Vec<char> = text.chars().collect();
    let rest = letters.get(from..)?;
    rest.windows(wanted.len())
        .position(|window| window == wanted)
        .map(|found| from + found)
}

fn end_of_block(letters: &[char], at: usize) -> usize {
    let (mut depth, mut at) = (0_usize, at);
    while at < letters.len() {
        match (letters.get(at), letters.get(at + 1)) {
            (Some('/'), Some('*')) => (depth, at) = (depth + 1, at + 2),
            (Some('*'), Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

fn end_of_text(letters: &[char], mut at: usize) -> usize {
    while let Some(letter) = letters.get(at) {
        match letter {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    letters.len()
}

/// Of `r"…"` and `r#"…"#`; `begin` if it is a raw name such as `r#type`.
fn end_of_raw(letters: &[char], begin: usize, hashes_at: usize) -> usize {
    let rest = letters.get(hashes_at..).unwrap_or_default();
    let hashes = rest.iter().take_while(|letter| **letter == '#').count();
    if letters.get(hashes_at + hashes) != Some(&'"') {
        return begin;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    position(letters, hashes_at + hashes + 1, &end).map_or(letters.len(), |found| found + end.len())
}

/// `code` without the items under `#[cfg(test)]`, wherever they stand.
pub fn without_tests(code: &str) -> String {
    let mut rest = code;
    let mut out = String::with_capacity(code.len());
    while let Some(begin) = rest.find("#[cfg(test)]") {
        let (before, item) = rest.split_at(begin);
        out.push_str(before);
        let (gone, after) = item.split_at(end_of_item(item));
        out.extend(gone.chars().filter(|letter| *letter == '\n'));
        rest = after;
    }
    out + rest
}

/// Where the item ends that begins with an attribute: behind its `;` or its last brace.
fn end_of_item(item: &str) -> usize {
    let mut depth = 0_usize;
    for (at, letter) in item.char_indices() {
        match letter {
            '{' | '(' | '[' => depth += 1,
            '}' | ')' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && matches!(letter, '}' | ';') {
            return at + 1;
        }
    }
    item.len()
}

/// Files of the modules that this file declares under `#[cfg(test)]`.
pub fn test_modules(file: &Path, code: &str) -> BTreeSet<PathBuf> {
    let stem = file
        .file_stem()
        .and_then(|stem| stem.to_str())
        .unwrap_or_default();
    let folder = match stem {
        "mod" | "lib" | "main" => file.with_file_name(""),
        _ => file.with_extension(""),
    };
    code.split("#[cfg(test)]")
        .skip(1)
        .filter_map(|item| item.trim_start().strip_prefix("mod ")?.split_once(';'))
        .filter(|(name, _)| name.chars().all(is_name))
        .map(|(name, _)| folder.join(format!("{name}.rs")))
        .collect()
}

/// A path as it is named in the code, groups of `use` written out, with its line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pub line: usize,
    pub path: Vec<String>,
}

#[derive(Debug, PartialEq)]
enum Token<'a> {
    Name(&'a str),
    Colons,
    Open,
    Close,
    Comma,
    Other,
}

fn tokens(code: &str) -> Vec<(usize, Token<'_>)> {
    let mut found = Vec::new();
    for (index, line) in code.lines().enumerate() {
        let mut rest = line;
        while let Some(first) = rest.chars().next() {
            let length = match first {
                _ if is_name(first) => rest.find(|letter| !is_name(letter)).unwrap_or(rest.len()),
                ':' if rest.starts_with("::") => 2,
                _ => first.len_utf8(),
            };
            let (word, after) = rest.split_at(length);
            rest = after;
            let token = match word {
                "::" => Token::Colons,
                "{" => Token::Open,
                "}" => Token::Close,
                "," => Token::Comma,
                _ if is_name(first) => Token::Name(word),
                _ if first.is_whitespace() => continue,
                _ => Token::Other,
            };
            found.push((index + 1, token));
        }
    }
    found
}

/// Every path of at least two names in the code.
pub fn paths(code: &str) -> Vec<Named> {
    let tokens = tokens(code);
    let mut found = Vec::new();
    let mut at = 0;
    while let Some((_, token)) = tokens.get(at) {
        at = match token {
            Token::Name("use") => tree(&tokens, at + 1, &[], &mut found),
            Token::Name(_) => tree(&tokens, at, &[], &mut found),
            _ => at + 1,
        };
    }
    found.retain(|named| named.path.len() > 1);
    found
}

/// Reads one branch of a tree of names from `at` on; returns where it ends.
fn tree(tokens: &[(usize, Token<'_>)], mut at: usize, stem: &[String], found: &mut Vec<Named>) -> usize {
    let mut path = stem.to_vec();
    let mut line = 0;
    if matches!(tokens.get(at), Some((_, Token::Colons))) {
        at += 1;
    }
    while let Some((number, Token::Name(name))) = tokens.get(at) {
        path.push((*name).to_owned());
        (line, at) = (*number, at + 1);
        if !matches!(tokens.get(at), Some((_, Token::Colons))) {
            break;
        }
        at += 1;
        if matches!(tokens.get(at), Some((_, Token::Open))) {
            return group(tokens, at + 1, &path, found);
        }
    }
    // `self` in a group is the group's stem.
    if path.len() > 1 && path.last().is_some_and(|name| name == "self") {
        path.pop();
    }
    found.push(Named { line, path });
    at.max(1)
}

fn group(tokens: &[(usize, Token<'_>)], mut at: usize, stem: &[String], found: &mut Vec<Named>) -> usize {
    while let Some((line, token)) = tokens.get(at) {
        at = match token {
            Token::Close => return at + 1,
            Token::Name("as") => at + 2,
            Token::Name(_) => tree(tokens, at, stem, found),
            // A star: all of the stem.
            Token::Other => {
                let (line, path) = (*line, stem.to_vec());
                found.push(Named { line, path });
                at + 1
            }
            Token::Colons | Token::Open | Token::Comma => at + 1,
        };
    }
    at
}

/// The path from the crate's root on, if it is one of this crate: `crate`, `self` and `super` resolved for a file below
/// `src`.
pub fn in_crate(file: &Path, path: &[String]) -> Option<Vec<String>> {
    let mut module: Vec<String> = file
        .with_extension("")
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .filter(|part| !matches!(part.as_str(), "mod" | "lib" | "main"))
        .collect();
    match path.first()?.as_str() {
        "crate" => return Some(path.iter().skip(1).cloned().collect()),
        "self" | "super" => {}
        _ => return None,
    }
    let ups = path.iter().take_while(|name| *name == "super" || *name == "self");
    let skip = ups.clone().count();
    for _ in ups.filter(|name| *name == "super") {
        module.pop();
    }
    module.extend(path.iter().skip(skip).cloned());
    Some(module)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> Vec<String> {
        paths(&code(text))
            .iter()
            .map(|named| named.path.join("::"))
            .collect()
    }

    fn resolved(file: &str, path: &str) -> Option<String> {
        let path: Vec<String> = path.split("::").map(str::to_owned).collect();
        in_crate(Path::new(file), &path).map(|path| path.join("::"))
    }

    #[test]
    fn comments_and_texts_are_no_code() {
        let text =
            "a // std::fs\n/* b /* std::fs */ c */ d \"std::fs \\\" e\" f r#\"g \" h\"# 'i' '\\'' &'life j";
        let words = code(text);
        assert_eq!(
            words.split_whitespace().collect::<Vec<_>>(),
            ["a", "d", "f", "&'life", "j"]
        );
        assert_eq!(words.len(), text.len());
        assert_eq!(code("\"one\ntwo\" three").find("three"), Some(10));
        assert_eq!(code("r#type b\"x\" bar\"y\"").trim_end(), "r#type      bar");
    }

    #[test]
    fn groups_are_written_out() {
        assert_eq!(
            named("use std::{fs, io::{self, Read as R}, time::*};\nuse crate::{alerts::x, cli};"),
            [
                "std::fs",
                "std::io",
                "std::io::Read",
                "std::time",
                "crate::alerts::x",
                "crate::cli"
            ]
        );
        assert_eq!(
            named("use crate::{\n    a,\n    b,\n};"),
            ["crate::a", "crate::b"]
        );
    }

    #[test]
    fn paths_inside_of_expressions_are_seen_with_their_lines() {
        let found = paths("fn f() {\n    let x = ::std::fs::read(crate::io::y::<u8>(z))?;\n}");
        let paths: Vec<_> = found.iter().map(|named| named.path.join("::")).collect();
        assert_eq!(paths, ["std::fs::read", "crate::io::y"]);
        assert!(found.iter().all(|named| named.line == 2));
    }

    #[test]
    fn only_what_is_under_test_is_left_out_wherever_it_stands() {
        let text = "a;\n#[cfg(test)]\nmod tests;\nb;\n#[cfg(test)]\nmod more {\n    fn f() { c }\n}\nd;\n\
                    #[cfg(test)]\nfn g(x: [u8; 2]) -> u8 { e }\nh;";
        let left = without_tests(text);
        assert_eq!(
            left.split_whitespace().collect::<Vec<_>>(),
            ["a;", "b;", "d;", "h;"]
        );
        assert_eq!(left.lines().count(), text.lines().count());
    }

    #[test]
    fn files_of_test_modules_are_found_by_their_declaration() {
        let found = |file: &str| {
            test_modules(
                Path::new(file),
                "mod a;\n#[cfg(test)]\nmod cases;\n#[cfg(test)]\nmod b {}",
            )
        };
        assert_eq!(found("x/mod.rs"), BTreeSet::from([PathBuf::from("x/cases.rs")]));
        assert_eq!(found("x/y.rs"), BTreeSet::from([PathBuf::from("x/y/cases.rs")]));
    }

    #[test]
    fn relative_paths_lead_to_the_same_module_as_absolute_ones() {
        let wanted = Some("pipeline::run".to_owned());
        assert_eq!(resolved("risk/mod.rs", "super::pipeline::run"), wanted);
        assert_eq!(resolved("risk/json.rs", "super::super::pipeline::run"), wanted);
        assert_eq!(resolved("risk/json/tests.rs", "crate::pipeline::run"), wanted);
        assert_eq!(resolved("pipeline.rs", "self::run"), wanted);
        assert_eq!(resolved("risk/json.rs", "std::fs"), None);
    }
}
