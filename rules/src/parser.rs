//! From the text of a condition to CEL's syntax tree.
//!
//! The grammar is the `cel` crate's. Before its parser sees a text, a scan bounds size and depth
//! (the parser recurses) and refuses the characters that only begin constructs we do not have.
//! Which parts of the tree have a meaning is decided in `check.rs`.

use std::ops::Range;

use cel::IdedExpr;
use cel::common::ast::{Expr, SourceInfo};
use cel::parser::{ParseErrors, Parser};

use crate::diagnostic::Fault;

/// The longest condition, in bytes.
pub const CONDITION_BYTES_MAX: usize = 8 * 1024;
/// How deep brackets may nest.
pub const NESTING_MAX: usize = 32;
/// How many operators may follow each other without `&&`, `||`, a comma or a bracket between.
pub const CHAIN_MAX: usize = 32;

/// What the language has; the last line of many diagnostics.
pub const SUPPORTED: &str = "a condition may use fields, numbers, text in quotes, true, false, \
    `+ - * / %`, `== != < <= > >=`, `&& || !`, `in [..]`, `has(field)` and brackets";

/// A fault in a condition, at a range of bytes of its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The bytes that are meant.
    pub range: Range<usize>,
    /// What is wrong with them.
    pub fault: Fault,
}

impl Placed {
    pub(crate) fn new(range: Range<usize>, fault: Fault) -> Self {
        Placed { range, fault }
    }
}

/// A condition that follows the grammar.
pub struct Parsed {
    /// The syntax tree.
    pub expression: IdedExpr,
    info: SourceInfo,
    length: usize,
}

impl Parsed {
    /// The bytes of the token at the heart of `expression`: an operator, a name, a literal.
    #[must_use]
    pub fn token(&self, expression: &IdedExpr) -> Range<usize> {
        match self.info.offset_for(expression.id) {
            Some((start, stop)) => start as usize..(stop as usize).saturating_add(1),
            None => 0..self.length,
        }
    }

    /// The bytes of a dotted name, or of the token of anything else.
    #[must_use]
    pub fn name_range(&self, expression: &IdedExpr, name: &str) -> Range<usize> {
        let mut first = expression;
        while let Expr::Select(select) = &first.expr {
            first = &select.operand;
        }
        let start = self.token(first).start;
        start..start.saturating_add(name.len())
    }
}

/// Parses a condition.
///
/// # Errors
/// The first fault: too large, too deep, a character the language does not have, or a text that
/// does not follow the grammar.
pub fn parse(text: &str) -> Result<Parsed, Placed> {
    scan(text)?;
    let depth = u16::try_from(NESTING_MAX * 2).unwrap_or(u16::MAX);
    let parser = Parser::new().max_recursion_depth(depth).error_recovery_limit(1);
    match parser.parse_with_source_info(text) {
        Ok((expression, info)) => Ok(Parsed {
            expression,
            info,
            length: text.len(),
        }),
        Err(errors) => Err(explain(text, &errors)),
    }
}

/// Bounds size and depth and refuses what only begins unsupported constructs.
fn scan(text: &str) -> Result<(), Placed> {
    if text.len() > CONDITION_BYTES_MAX {
        let message = format!("the condition is longer than {CONDITION_BYTES_MAX} bytes");
        return Err(Placed::new(0..1, Fault::new(message)));
    }
    if text.trim().is_empty() {
        let fault = Fault::new("the condition is empty").help(SUPPORTED);
        return Err(Placed::new(0..text.len(), fault));
    }
    let mut chains = vec![0_usize];
    let mut rest = Tokens { text, at: 0 };
    while let Some((token, range)) = rest.next_token() {
        let too_deep = |what: String| Placed::new(range.clone(), Fault::new(what));
        match token {
            "(" | "[" => {
                chains.push(0);
                if chains.len() > NESTING_MAX + 1 {
                    return Err(too_deep(format!("brackets nest deeper than {NESTING_MAX}")));
                }
            }
            ")" | "]" if chains.len() > 1 => {
                chains.pop();
            }
            "&&" | "||" | "," => restart(&mut chains),
            "==" | "!=" | "<" | "<=" | ">" | ">=" | "+" | "-" | "*" | "/" | "%" | "!" | "." => {
                if lengthen(&mut chains) > CHAIN_MAX {
                    return Err(too_deep(
                        format!("more than {CHAIN_MAX} operators in a row")
                            + ", put part of them in a rule of their own",
                    ));
                }
            }
            _ => refuse(token, &range)?,
        }
    }
    Ok(())
}

fn restart(chains: &mut [usize]) {
    if let Some(chain) = chains.last_mut() {
        *chain = 0;
    }
}

fn lengthen(chains: &mut [usize]) -> usize {
    chains.last_mut().map_or(0, |chain| {
        *chain += 1;
        *chain
    })
}

/// Refuses tokens that the language does not have, with the words of somebody who tried them.
fn refuse(token: &str, range: &Range<usize>) -> Result<(), Placed> {
    let fault = match token {
        "?" | ":" => Fault::new("the conditional operator `? :` is not supported")
            .help("write two rules, or `[[steps]]` with a condition each"),
        "{" | "}" => Fault::new("maps and messages `{..}` are not supported").help(SUPPORTED),
        "=" => Fault::new("`=` is not an operator").help("to compare, write `==`"),
        "&" => Fault::new("`&` is not an operator").help("write `&&`"),
        "|" => Fault::new("`|` is not an operator").help("write `||`"),
        "and" | "AND" => Fault::new(format!("`{token}` is not an operator")).help("write `&&`"),
        "or" | "OR" => Fault::new(format!("`{token}` is not an operator")).help("write `||`"),
        "not" | "NOT" => Fault::new(format!("`{token}` is not an operator")).help("write `!`"),
        "null" => Fault::new("`null` is not supported").help("to ask for data, write `has(field)`"),
        _ if token.starts_with(['\'', '"']) && !closed(token) => {
            Fault::new("the quote is never closed on this line")
        }
        _ if token.starts_with(|c: char| c.is_alphanumeric() || "_'\")]".contains(c)) => {
            return Ok(());
        }
        _ => Fault::new(format!("`{}` has no meaning here", token.escape_default())).help(SUPPORTED),
    };
    Err(Placed::new(range.clone(), fault))
}

fn closed(token: &str) -> bool {
    let mut chars = token.chars();
    let quote = chars.next();
    token.len() > 1 && chars.next_back() == quote
}

/// Splits into tokens well enough to count them and to name one in a diagnostic.
struct Tokens<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Tokens<'a> {
    fn next_token(&mut self) -> Option<(&'a str, Range<usize>)> {
        self.skip_blanks();
        let rest = self.text.get(self.at..)?;
        let first = rest.chars().next()?;
        let length = match first {
            '\'' | '"' => quoted_length(rest, first),
            c if c.is_alphanumeric() || c == '_' => rest
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(rest.len()),
            _ => ["&&", "||", "==", "!=", "<=", ">="]
                .iter()
                .find(|operator| rest.starts_with(**operator))
                .map_or(first.len_utf8(), |operator| operator.len()),
        };
        let range = self.at..self.at + length;
        self.at = range.end;
        Some((self.text.get(range.clone())?, range))
    }

    fn skip_blanks(&mut self) {
        loop {
            let rest = self.text.get(self.at..).unwrap_or_default();
            let blank = rest.len() - rest.trim_start().len();
            let comment = match rest.get(blank..) {
                Some(rest) if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
                _ => 0,
            };
            self.at += blank + comment;
            if comment == 0 {
                return;
            }
        }
    }
}

/// The length of a quoted text in bytes, to its closing quote or the end of the line.
fn quoted_length(rest: &str, quote: char) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            '\n' => return at,
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            _ if c == quote => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The first error of the parser, said in our words.
fn explain(text: &str, errors: &ParseErrors) -> Placed {
    let Some(error) = errors.errors.first() else {
        return Placed::new(
            0..text.len(),
            Fault::new("this is not a condition").help(SUPPORTED),
        );
    };
    let place = byte_offset(text, error.pos);
    let token = Tokens { text, at: place }.next_token();
    let range = token.as_ref().map_or(place..place, |(_, range)| range.clone());
    let fault = if let Some(word) = error.msg.strip_prefix("reserved identifier: ") {
        Fault::new(format!("`{word}` is a reserved word")).help(SUPPORTED)
    } else if error.msg == "invalid int literal" {
        Fault::new("the number does not fit into 64 bits")
    } else if error.msg.starts_with("invalid string literal") {
        Fault::new("the text has an escape that does not exist")
    } else if error.msg.contains("has() macro") {
        Fault::new("`has(..)` takes the name of a field").help("for example `has(network.asn)`")
    } else {
        match token {
            Some((token, _)) => Fault::new(format!("unexpected `{token}`")).help(SUPPORTED),
            None => Fault::new("the condition ends too early").help(SUPPORTED),
        }
    };
    Placed::new(range, fault)
}

/// The byte at a line from 1 and a column from 1 in characters.
fn byte_offset(text: &str, (line, column): (isize, isize)) -> usize {
    let line = usize::try_from(line).unwrap_or(1).max(1);
    let column = usize::try_from(column).unwrap_or(1).max(1);
    let mut start = 0;
    for (number, content) in text.split_inclusive('\n').enumerate() {
        if number + 1 == line {
            let within = content.char_indices().nth(column - 1);
            return start + within.map_or(content.len(), |(at, _)| at);
        }
        start += content.len();
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fault(text: &str) -> (Range<usize>, String) {
        let placed = parse(text).err().unwrap();
        (placed.range, placed.fault.message)
    }

    #[test]
    fn faults_are_placed_and_worded() {
        let cases = [
            ("device.state = 'new'", 13..14, "`=` is not an operator"),
            ("a.b ==", 6..6, "the condition ends too early"),
            ("a.b == 'ø' && && c.d", 15..17, "unexpected `&&`"),
            (
                "a ? b : c",
                2..3,
                "the conditional operator `? :` is not supported",
            ),
            ("a.b == 'x", 7..9, "the quote is never closed on this line"),
            ("1 + (2", 6..6, "the condition ends too early"),
            ("  ", 0..2, "the condition is empty"),
            ("has(device)", 4..10, "`has(..)` takes the name of a field"),
            ("if == 1", 0..2, "`if` is a reserved word"),
            (
                "99999999999999999999 > 1",
                0..20,
                "the number does not fit into 64 bits",
            ),
            ("a.b == 1 and c.d == 2", 9..12, "`and` is not an operator"),
            ("a.b @ 3", 4..5, "`@` has no meaning here"),
        ];
        for (text, range, message) in cases {
            assert_eq!(fault(text), (range, message.to_owned()), "{text}");
        }
    }

    #[test]
    fn size_and_depth_are_bounded_before_the_parser_runs() {
        let deep = format!("{}1{} == 1", "(".repeat(5_000 / 2), ")".repeat(5_000 / 2));
        assert_eq!(fault(&deep).1, "brackets nest deeper than 32");
        let chain = format!("{}1 == 1", "1+".repeat(2_000));
        assert!(fault(&chain).1.starts_with("more than 32 operators in a row"));
        let nots = format!("{}a.b", "!".repeat(100));
        assert!(fault(&nots).1.starts_with("more than 32 operators in a row"));
        let long = "a.b == 1 ||".repeat(1_000);
        assert_eq!(fault(&long).1, "the condition is longer than 8192 bytes");
        let wide = format!("a.b == 1{}", " || a.b == 1".repeat(600));
        assert!(parse(&wide).is_ok());
    }

    /// The deepest texts within the bounds fit the stack of a test's thread (2 MiB), which is that
    /// of any thread Doorward starts.
    #[test]
    fn the_deepest_condition_allowed_fits_the_stack() {
        let chained = |operator: &str, nested: &str, close: &str| {
            let segment = format!("{}{nested}", operator.repeat(30));
            format!("{}1{}", segment.repeat(NESTING_MAX), close.repeat(NESTING_MAX))
        };
        for text in [
            chained("1+", "(", ")"),
            chained("1 == ", "(", ")"),
            chained("a.", "b(", ")"),
            chained("a.", "b[", "]"),
            chained("-", "(", ")"),
            chained("!", "(", ")"),
            chained("a || ", "(", ")"),
        ] {
            assert!(parse(&text).is_ok(), "{text}");
        }
        let sum = format!("{} > 0", chained("1+", "(", ")"));
        let condition = crate::Condition::compile(&sum).ok().unwrap();
        assert_eq!(condition.test(&crate::Slots::new()), Ok(true));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]
        #[test]
        fn any_text_is_parsed_or_refused(text in ".{0,120}") {
            let _ = parse(&text);
        }

        #[test]
        fn any_row_of_tokens_is_parsed_or_refused(
            tokens in prop::collection::vec(prop::sample::select(vec![
                "device.state", "user.logins", "1", "-", "!", "&&", "||", "(", ")", "[", "]", ",",
                "==", "<", "in", "has", "has(", "'x'", "'", "\"", "\\", ".", "1.5", "0x", "1u", "b'",
                "r'", "map", "all", "//", "\n", "+", "%", "é", "true", "'''", "\u{0}", "1e999",
            ]), 0..25),
        ) {
            let _ = parse(&tokens.join(" "));
            let _ = parse(&tokens.concat());
        }
    }
}
