//! Tables for phones: a narrow one as a grid in fixed width, any other as a group of lines per row.
//!
//! A wide grid wraps on a phone and cannot be read. Source: telegram.md §4.3 "table".

use pulldown_cmark::Alignment;

use super::EntityKind;
use super::ink::Ink;
use super::span::{self, Span};
use super::width::cells;

/// Most columns of a grid.
pub(super) const MAX_COLUMNS: usize = 3;
/// Widest grid, in cells of the fixed-width font.
const MAX_CELLS: usize = 36;
const BAR: &str = " | ";

/// What a cell holds, without white space at its ends.
#[derive(Debug, Default, Clone)]
pub(super) struct Cell {
    text: String,
    spans: Vec<Span>,
}

impl Cell {
    pub fn new(ink: Ink) -> Self {
        let (text, spans) = span::trim(&ink.text, ink.spans);
        Cell { text: text.to_owned(), spans }
    }
}

/// A table being read.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub aligns: Vec<Alignment>,
    pub head: Vec<Cell>,
    pub rows: Vec<Vec<Cell>>,
    /// The row being read.
    pub row: Vec<Cell>,
}

impl Table {
    /// Writes the table. `new_line` begins the next line (indentation inside a list, for one).
    pub fn write(&self, ink: &mut Ink, new_line: &str) {
        match self.grid_widths() {
            Some(widths) => self.write_grid(ink, &widths),
            None => self.write_groups(ink, new_line),
        }
    }

    /// Whether it goes into fixed width, where no indentation may stand before it.
    pub fn is_grid(&self) -> bool {
        self.grid_widths().is_some()
    }

    /// The widths of the columns if the table fits a grid: narrow, without links (a grid would lose them) or breaks.
    fn grid_widths(&self) -> Option<Vec<usize>> {
        let columns = self.head.len();
        if columns == 0 || columns > MAX_COLUMNS {
            return None;
        }
        let mut widths = vec![1; columns];
        for row in std::iter::once(&self.head).chain(&self.rows) {
            for (cell, width) in row.iter().zip(&mut widths) {
                if cell.text.contains('\n') || cell.spans.iter().any(|span| span.kind == EntityKind::TextLink) {
                    return None;
                }
                *width = cells(&cell.text).max(*width);
            }
        }
        (widths.iter().sum::<usize>() + BAR.len() * (columns - 1) <= MAX_CELLS).then_some(widths)
    }

    fn write_grid(&self, ink: &mut Ink, widths: &[usize]) {
        ink.open(EntityKind::Pre);
        self.grid_row(ink, &self.head, widths);
        ink.push("\n");
        let dashes: Vec<String> = widths.iter().map(|&width| "-".repeat(width)).collect();
        ink.push(&dashes.join("-+-"));
        for row in &self.rows {
            ink.push("\n");
            self.grid_row(ink, row, widths);
        }
        ink.close(EntityKind::Pre);
    }

    fn grid_row(&self, ink: &mut Ink, row: &[Cell], widths: &[usize]) {
        let mut line = String::new();
        for (column, &width) in widths.iter().enumerate() {
            if column > 0 {
                line.push_str(BAR);
            }
            let text = row.get(column).map_or("", |cell| cell.text.as_str());
            let free = width.saturating_sub(cells(text));
            let before = match self.aligns.get(column) {
                Some(Alignment::Right) => free,
                Some(Alignment::Center) => free / 2,
                _ => 0,
            };
            line.push_str(&" ".repeat(before));
            line.push_str(text);
            line.push_str(&" ".repeat(free - before));
        }
        ink.push(line.trim_end());
    }

    fn write_groups(&self, ink: &mut Ink, new_line: &str) {
        if self.rows.is_empty() {
            ink.open(EntityKind::Bold);
            for (column, cell) in self.head.iter().enumerate() {
                if column > 0 {
                    ink.push(BAR);
                }
                ink.append(&cell.text, &cell.spans);
            }
            ink.close(EntityKind::Bold);
        }
        let mut first = true;
        for row in &self.rows {
            let mut lead = if first { "" } else { "\n" };
            for (column, cell) in row.iter().enumerate() {
                if cell.text.is_empty() {
                    continue;
                }
                if !first || column > 0 && lead.is_empty() {
                    ink.push(lead);
                    ink.push(new_line);
                }
                (first, lead) = (false, "");
                if column == 0 {
                    ink.open(EntityKind::Bold);
                    ink.append(&cell.text, &cell.spans);
                    ink.close(EntityKind::Bold);
                    continue;
                }
                if let Some(head) = self.head.get(column)
                    && !head.text.is_empty()
                {
                    ink.append(&head.text, &head.spans);
                    ink.push(": ");
                }
                ink.append(&cell.text, &cell.spans);
            }
        }
    }
}
