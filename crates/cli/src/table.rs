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
    side: Side,
}

/// Where in its column a text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

impl Cell {
    pub(crate) fn styled(text: impl Into<String>, style: Style) -> Self {
        Self {
            style: Some(style),
            ..Self::from(text)
        }
    }

    /// A number: it ends where its column ends, and so does the column's title.
    pub(crate) fn number(text: impl Into<String>) -> Self {
        Self {
            side: Side::Right,
            ..Self::from(text)
        }
    }

    /// The same in a style.
    #[must_use]
    pub(crate) fn in_style(self, style: Style) -> Self {
        Self {
            style: Some(style),
            ..self
        }
    }
}

impl<T: Into<String>> From<T> for Cell {
    fn from(text: T) -> Self {
        Self {
            text: text.into(),
            style: None,
            side: Side::Left,
        }
    }
}

impl Table {
    /// A table under these titles; without any it has no heading.
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
        let heading = self.heading.iter().enumerate().map(|(column, title)| Cell {
            side: self.side(column),
            ..Cell::styled(*title, Style::Bold)
        });
        let heading: Vec<Cell> = heading.collect();
        let heading = (!heading.is_empty()).then_some(&heading);
        heading
            .into_iter()
            .chain(&self.rows)
            .map(|row| render_row(row, &widths, printer))
            .collect()
    }

    /// How many columns of a terminal it takes.
    pub(crate) fn width(&self) -> usize {
        let widths = self.widths();
        widths.iter().sum::<usize>() + 2 * widths.len().saturating_sub(1)
    }

    /// A column of numbers stands on the right.
    fn side(&self, column: usize) -> Side {
        let mut cells = self.rows.iter().filter_map(|row| row.get(column));
        cells
            .find(|cell| cell.side == Side::Right)
            .map_or(Side::Left, |cell| cell.side)
    }

    fn widths(&self) -> Vec<usize> {
        let mut widths: Vec<usize> = self.heading.iter().map(|title| title.len()).collect();
        for row in &self.rows {
            widths.resize(widths.len().max(row.len()), 0);
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
        let space = " ".repeat(width - cell.text.chars().count());
        line.push_str(&match cell.side {
            Side::Left => shown + &space,
            Side::Right => space + &shown,
        });
        if position + 1 < row.len() {
            line.push_str("  ");
        }
    }
    format!("{}\n", line.trim_end())
}
