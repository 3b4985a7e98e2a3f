//! Pieces of Markdown. <https://github.github.com/gfm/#tables-extension->

/// A table; each row has as many cells as the heading.
pub(super) struct Table<const COLUMNS: usize> {
    text: String,
}

impl<const COLUMNS: usize> Table<COLUMNS> {
    pub(super) fn new(heading: [&str; COLUMNS]) -> Self {
        let text = row(heading) + &row(["---"; COLUMNS]);
        Self { text }
    }

    /// Adds a row. A cell is Markdown, but for bars and line ends, which a table cannot have.
    pub(super) fn row(&mut self, cells: [String; COLUMNS]) {
        let cells = cells.map(|cell| cell.trim().replace('|', r"\|").replace('\n', "<br>"));
        self.text.push_str(&row(cells.each_ref().map(String::as_str)));
    }

    /// Its lines.
    pub(super) fn into_text(self) -> String {
        self.text
    }
}

fn row<const COLUMNS: usize>(cells: [&str; COLUMNS]) -> String {
    format!("| {} |\n", cells.join(" | ")).replace("|  |", "| |")
}

/// `code`, whatever is in it; nothing for nothing. <https://spec.commonmark.org/0.31.2/#code-spans>
pub(super) fn code(text: &str) -> String {
    let longest = text.split(|char| char != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest + 1);
    match (text, longest) {
        ("", _) => String::new(),
        (_, 0) => format!("`{text}`"),
        _ => format!("{fence} {text} {fence}"),
    }
}

/// Text as people write it: backticks are code, and nothing else is markup by accident.
pub(super) fn prose(text: &str) -> String {
    let pieces = text.split('`').enumerate().map(|(position, piece)| match position % 2 {
        0 => piece.replace('*', r"\*").replace('<', r"\<"),
        _ => piece.to_owned(),
    });
    pieces.collect::<Vec<_>>().join("`")
}
