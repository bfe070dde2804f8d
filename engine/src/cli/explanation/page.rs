//! A page of text that grows downwards: paragraphs, and rows of cells side by side. Colour is put on whole cells after
//! they were broken into lines, so it never changes a width.

use super::text::{columns, wrap};

/// Wider lines are hard to read.
const PARAGRAPH_COLUMNS_MAX: usize = 110;
/// Wider tables are hard to follow.
const PAGE_COLUMNS_MAX: usize = 160;

/// How a piece of text looks where colour is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Strong,
    Faint,
    Bad,
    Good,
    Doubt,
}

impl Style {
    /// Number of "select graphic rendition" (ECMA-48).
    const fn code(self) -> Option<u8> {
        match self {
            Self::Plain => None,
            Self::Strong => Some(1),
            Self::Faint => Some(2),
            Self::Bad => Some(31),
            Self::Good => Some(32),
            Self::Doubt => Some(33),
        }
    }
}

/// Lines of one cell, each in one style.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    width: usize,
    lines: Vec<(String, Style)>,
    right: bool,
}

impl Cell {
    /// An empty cell of so many columns.
    pub(super) fn new(width: usize) -> Self {
        Self {
            width,
            lines: Vec::new(),
            right: false,
        }
    }

    /// With a text below what is there, broken at the width of the cell.
    pub(super) fn with(mut self, style: Style, text: &str) -> Self {
        let lines = wrap(text, self.width);
        self.lines.extend(lines.into_iter().map(|line| (line, style)));
        self
    }

    /// With each text on lines of its own.
    pub(super) fn with_all(self, style: Style, texts: &[String]) -> Self {
        texts.iter().fold(self, |cell, text| cell.with(style, text))
    }

    /// With one line as it is, its spaces kept; cut at the width of the cell.
    pub(super) fn verbatim(mut self, style: Style, line: &str) -> Self {
        self.lines.push((line.chars().take(self.width).collect(), style));
        self
    }

    /// Aligned to the right.
    pub(super) const fn right(mut self) -> Self {
        self.right = true;
        self
    }
}

/// The page.
#[derive(Debug)]
pub(super) struct Page {
    width: usize,
    colour: bool,
    text: String,
}

impl Page {
    pub(super) fn new(width: usize, colour: bool) -> Self {
        Self {
            width: width.clamp(40, PAGE_COLUMNS_MAX),
            colour,
            text: String::new(),
        }
    }

    /// Columns that may be used.
    pub(super) const fn width(&self) -> usize {
        self.width
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// An empty line.
    pub(super) fn gap(&mut self) {
        self.text.push('\n');
    }

    /// A title with an empty line before it.
    pub(super) fn heading(&mut self, title: &str, explained: &str) {
        self.gap();
        let room = self.width.saturating_sub(columns(title) + 2);
        let fits = !explained.is_empty() && columns(explained) <= room;
        let title_cell = Cell::new(columns(title).min(self.width)).with(Style::Strong, title);
        match fits {
            true => self.row(0, &[title_cell, Cell::new(room).with(Style::Faint, explained)]),
            false => self.row(0, &[title_cell]),
        }
    }

    /// A paragraph.
    pub(super) fn paragraph(&mut self, indent: usize, style: Style, text: &str) {
        let width = self.width.min(PARAGRAPH_COLUMNS_MAX).saturating_sub(indent);
        self.row(indent, &[Cell::new(width).with(style, text)]);
    }

    /// A short label, and a paragraph beside it.
    pub(super) fn labelled(&mut self, label: &str, label_width: usize, text: &str) {
        let width = self
            .width
            .min(PARAGRAPH_COLUMNS_MAX)
            .saturating_sub(2 + label_width + 2);
        let cells = [
            Cell::new(label_width).with(Style::Faint, label),
            Cell::new(width).with(Style::Plain, text),
        ];
        self.row(2, &cells);
    }

    /// Cells side by side, two columns apart.
    pub(super) fn row(&mut self, indent: usize, cells: &[Cell]) {
        let height = cells.iter().map(|cell| cell.lines.len()).max().unwrap_or(0);
        for at in 0..height {
            let mut pending = indent;
            for cell in cells {
                let (line, style) = cell
                    .lines
                    .get(at)
                    .map_or(("", Style::Plain), |(line, style)| (line, *style));
                let free = cell.width.saturating_sub(columns(line));
                if cell.right {
                    pending += free;
                }
                if !line.is_empty() {
                    self.text
                        .extend(std::iter::repeat_n(' ', std::mem::take(&mut pending)));
                    self.put(line, style);
                }
                pending += if cell.right { 2 } else { free + 2 };
            }
            self.text.push('\n');
        }
    }

    fn put(&mut self, text: &str, style: Style) {
        match style.code().filter(|_| self.colour) {
            Some(code) => self.text.push_str(&format!("\u{1b}[{code}m{text}\u{1b}[0m")),
            None => self.text.push_str(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_stand_side_by_side_without_blanks_at_the_end() {
        let mut page = Page::new(60, false);
        let number = Cell::new(6).right().with(Style::Plain, "-8.00");
        page.row(
            1,
            &[
                number,
                Cell::new(5).with(Style::Plain, "aa bb cc"),
                Cell::new(3).with(Style::Plain, "x"),
            ],
        );
        assert_eq!(page.into_text(), "  -8.00  aa bb  x\n         cc\n");
    }

    #[test]
    fn colour_is_only_there_where_wanted() {
        let text = |colour| {
            let mut page = Page::new(60, colour);
            page.paragraph(0, Style::Bad, "deny");
            page.into_text()
        };
        assert_eq!(
            (text(false), text(true)),
            ("deny\n".to_owned(), "\u{1b}[31mdeny\u{1b}[0m\n".to_owned())
        );
    }
}
