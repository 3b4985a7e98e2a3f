//! Plain tables: columns as wide as their widest cell, two spaces apart.

use crate::printer::{Printer, Style};

/// Rows of cells under a heading.
pub(crate) struct Table {
    heading: Vec<&'static str>,
    rows: Vec<Vec<Cell>>,
}

/// A text and how to show it.
pub(crate) struct Cell {
    text: String,
    style: Option<Style>,
}

impl Cell {
    pub(crate) fn styled(text: impl Into<String>, style: Style) -> Self {
        Self {
            text: text.into(),
            style: Some(style),
        }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self {
            text: text.into(),
            style: None,
        }
    }
}

impl Table {
    pub(crate) fn new(heading: impl Into<Vec<&'static str>>) -> Self {
        Self {
            heading: heading.into(),
            rows: Vec::new(),
        }
    }

    pub(crate) fn row(&mut self, cells: impl Into<Vec<Cell>>) {
        self.rows.push(cells.into());
    }

    /// The table as text, a line per row, without spaces at the ends of lines.
    pub(crate) fn render(&self, printer: Printer) -> String {
        let widths = self.widths();
        let heading = self
            .heading
            .iter()
            .map(|title| Cell::styled(*title, Style::Bold))
            .collect();
        std::iter::once(&heading)
            .chain(&self.rows)
            .map(|row| render_row(row, &widths, printer))
            .collect()
    }

    fn widths(&self) -> Vec<usize> {
        let mut widths: Vec<usize> = self.heading.iter().map(|title| title.len()).collect();
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = (*width).max(cell.text.chars().count());
            }
        }
        widths
    }
}

fn render_row(row: &[Cell], widths: &[usize], printer: Printer) -> String {
    let mut line = String::new();
    for (position, (cell, width)) in row.iter().zip(widths).enumerate() {
        let shown = cell
            .style
            .map_or_else(|| cell.text.clone(), |style| printer.paint(style, &cell.text));
        line.push_str(&shown);
        if position + 1 < row.len() {
            line.extend(std::iter::repeat_n(' ', width + 2 - cell.text.chars().count()));
        }
    }
    format!("{}\n", line.trim_end())
}
