//! Templates with `{names}`: a line whose names are all empty is left out.

/// Fills a template. Lines without names stay as they are; a name that is not among `values` stays as written, which
/// a test over all templates forbids.
pub(super) fn fill(template: &str, values: &[(&str, String)], write: impl Fn(&str) -> String) -> String {
    let mut out = String::with_capacity(template.len() * 2);
    for line in template.lines() {
        let (text, names, filled) = fill_line(line, values, &write);
        if names == 0 || filled > 0 {
            out.push_str(text.trim_end());
            out.push('\n');
        }
    }
    out
}

/// The line, how many names were in it, and how many of them had a value.
fn fill_line(
    line: &str,
    values: &[(&str, String)],
    write: &impl Fn(&str) -> String,
) -> (String, usize, usize) {
    let mut out = String::with_capacity(line.len());
    let (mut names, mut filled) = (0, 0);
    let mut rest = line;
    while let Some((before, tail)) = rest.split_once('{') {
        out.push_str(before);
        let named = tail
            .split_once('}')
            .and_then(|(name, after)| Some((values.iter().find(|(known, _)| *known == name)?, after)));
        match named {
            Some(((_, value), after)) => {
                names += 1;
                filled += usize::from(!value.is_empty());
                out.push_str(&write(value));
                rest = after;
            }
            None => {
                out.push('{');
                rest = tail;
            }
        }
    }
    out.push_str(rest);
    (out, names, filled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_filled_once_and_empty_lines_left_out() {
        let values = [("who", "{what} & co".to_owned()), ("what", String::new())];
        let template = "a { color }\n{who} did\n\nWhat: {what}\n{who}{what}\n{other}\n";
        let filled = fill(template, &values, |value| value.replace('&', "+"));
        assert_eq!(filled, "a { color }\n{what} + co did\n\n{what} + co\n{other}\n");
    }
}
