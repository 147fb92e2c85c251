//! Lines: breaks between blocks, indentation, list marks, and the blocks that bring their own lines.

use std::ops::Range;

use pulldown_cmark::CowStr;

use super::super::EntityKind;
use super::super::clean;
use super::super::span::{Span, part};
use super::{Container, Marker, Walk};

/// Deepest list level that still moves to the right.
const MAX_INDENT_LEVEL: usize = 6;
/// Most `> ` shown before a line of nested quotations.
const MAX_QUOTE_MARKS: usize = 6;
/// Longest language name kept, in bytes.
const MAX_LANGUAGE: usize = 32;

impl Walk<'_> {
    /// Notes how many line breaks the source has before the block. The first block to begin since the last text counts.
    pub(super) fn begin_block(&mut self, range: &Range<usize>) {
        self.end_inline();
        self.block_end = range.end;
        if self.owed.is_none() {
            let before = part(self.source, 0, range.start);
            let gap = before.bytes().rev().take_while(|byte| b" \n>".contains(byte));
            let breaks = gap.filter(|&byte| byte == b'\n').take(2).count();
            self.owed = Some(if self.after_heading { breaks.min(1) } else { breaks });
        }
    }

    /// Pays the line breaks owed and writes the list mark, before text comes.
    pub(super) fn touch(&mut self) {
        if self.outside.is_some() {
            return;
        }
        let indent = self.marker.as_ref().map_or(self.indent, |marker| marker.indent);
        if let Some(owed) = self.owed.take() {
            if self.ink.text.is_empty() || owed > 0 {
                for _ in 0..if self.ink.text.is_empty() { 0 } else { owed } {
                    self.ink.push("\n");
                }
                self.line_start = self.ink.text.len();
                let lead = self.lead(indent);
                self.ink.push(&lead);
            }
            self.after_heading = false;
        }
        if let Some(marker) = self.marker.take() {
            self.ink.push(&marker.text);
        }
        if self.quotes > 0 && self.quote_start.is_none() {
            self.quote_start = Some(self.line_start);
        }
    }

    /// What stands before a line: the marks of inner quotations, the indentation of the list.
    pub(super) fn lead(&self, indent: usize) -> String {
        let marks = self.quotes.saturating_sub(1).min(MAX_QUOTE_MARKS);
        let mut lead = "> ".repeat(marks);
        lead.extend(std::iter::repeat_n(' ', indent));
        lead
    }

    pub(super) fn new_line(&mut self) {
        self.ink.push("\n");
        if self.outside.is_none() {
            self.line_start = self.ink.text.len();
            let lead = self.lead(self.indent);
            self.ink.push(&lead);
        }
    }

    /// Writes a list mark that no text follows on its line, if there is one.
    pub(super) fn bare_marker(&mut self) -> bool {
        let Some(marker) = &mut self.marker else { return false };
        marker.text.truncate(marker.text.trim_end().len());
        self.touch();
        true
    }

    /// Goes to the start of a line without indentation, as code needs it.
    pub(super) fn bare_line(&mut self) {
        if self.bare_marker() || self.owed == Some(0) && !self.ink.text.is_empty() {
            self.owed = Some(1);
        }
        let (indent, quotes) = (std::mem::take(&mut self.indent), self.quotes);
        self.quotes = quotes.min(1);
        self.touch();
        (self.indent, self.quotes) = (indent, quotes);
    }

    /// Text that may hold line breaks, already clean.
    pub(super) fn text(&mut self, text: &str) {
        self.touch();
        for (index, line) in text.split('\n').enumerate() {
            if index > 0 {
                self.new_line();
            }
            self.ink.push(line);
        }
    }

    /// Text from the parser, which may have come out of a character reference.
    pub(super) fn parsed(&mut self, text: &CowStr<'_>) {
        match text {
            CowStr::Borrowed(text) => {
                self.touch();
                self.ink.push(text);
            }
            text => self.text(&clean::characters(text)),
        }
    }

    /// Styles opened by HTML end with their block.
    pub(super) fn end_inline(&mut self) {
        while let Some(kind) = self.tags.pop() {
            self.close_tag(kind);
        }
    }

    pub(super) fn start_item(&mut self, range: Range<usize>) {
        if self.marker.is_some() {
            self.touch();
        }
        self.begin_block(&range);
        let marker = self.item_marker(range.start);
        let indent = 2 * self.level.min(MAX_INDENT_LEVEL);
        self.containers.push(Container::Item { indent: self.indent });
        self.indent = indent + marker.chars().count();
        self.level += 1;
        self.marker = Some(Marker { indent, text: marker });
    }

    /// The bullet of the level, or the number: the author's own if it goes up, else the next.
    pub(super) fn item_marker(&mut self, start: usize) -> String {
        let bullet = match self.level % 3 {
            0 => "• ",
            1 => "◦ ",
            _ => "▪ ",
        };
        let Some(Container::List { number: Some(last) }) = self.containers.last_mut() else {
            return bullet.to_owned();
        };
        let raw = part(self.source, start, (start + 10).min(self.source.len()));
        let digits = raw.find(|c: char| !c.is_ascii_digit()).unwrap_or(raw.len());
        let written = part(raw, 0, digits);
        let sign = if part(raw, digits, digits + 1) == ")" { ")" } else { "." };
        match written.parse::<u64>() {
            Ok(number) if number > *last || number == *last && written.starts_with('0') => {
                *last = number;
                format!("{written}{sign} ")
            }
            _ => {
                *last = last.saturating_add(1);
                format!("{last}{sign} ")
            }
        }
    }

    pub(super) fn end_code(&mut self) {
        let Some(code) = self.code.take() else { return };
        let text = clean::characters(code.text.trim_end());
        if text.chars().all(clean::is_blank) {
            return;
        }
        self.bare_line();
        let start = self.ink.text.len();
        self.ink.push(&text);
        let mut span = Span::new(EntityKind::Pre, start, self.ink.text.len());
        span.extra = code.language;
        self.ink.spans.push(span);
    }

    pub(super) fn end_table(&mut self) {
        let Some(table) = self.table.take() else { return };
        if table.is_grid() {
            self.bare_line();
        } else {
            self.touch();
        }
        let new_line = format!("\n{}", self.lead(self.indent));
        table.write(&mut self.ink, &new_line);
    }
}

/// The language of a fenced block, from its info string (telegram.md §4.1 "pre").
pub(super) fn language(info: &str) -> Option<String> {
    let word = info.split([' ', ',', ':', ';']).find(|word| !word.is_empty())?;
    let name = word.chars().map(|c| c.to_ascii_lowercase());
    let name: String = name
        .filter(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "+#-".contains(*c))
        .take(MAX_LANGUAGE)
        .collect();
    (!name.is_empty()).then_some(name)
}
