//! The Markdown parser's events in, text and spans out.
//!
//! Keeps the author's line structure: between two blocks there is a blank line exactly if the source has one (but
//! always one before a heading, none after it). Flat, no recursion: depth costs a stack entry on the heap, and what is
//! shown of it is capped.
//!
//! Not here: what a table, a link or a tag becomes (`table`, `link`, `html`); order among entities (`span`).
//! Source: telegram.md §4.3 "Rendering the tree"; CommonMark 0.31; GFM tables, strikethrough, task lists.

use std::collections::HashSet;
use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd};

use inline::is_citation;
use lines::language;

use super::EntityKind;
use super::clean;
use super::html;
use super::ink::Ink;
use super::span::{Span, part};
use super::table::{Cell, Table};

mod inline;
mod lines;

const RULE: &str = "———";

/// Whether the source is all there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Whole,
    /// More will come: no closing tag is expected yet, nothing is put at the end.
    Prefix,
}

/// What the text goes into, outermost first.
#[derive(Debug)]
enum Container {
    /// The indentation to return to.
    Quote {
        indent: usize,
        level: usize,
    },
    /// The number of the item before, if numbered.
    List {
        number: Option<u64>,
    },
    /// The indentation to return to.
    Item {
        indent: usize,
    },
    Other,
}

/// The mark before a list item, written with the item's first text.
#[derive(Debug)]
struct Marker {
    indent: usize,
    text: String,
}

/// A code block being read.
#[derive(Debug)]
struct CodeBlock {
    text: String,
    language: Option<String>,
}

#[derive(Debug)]
struct Walk<'s> {
    source: &'s str,
    mode: Mode,
    ink: Ink,
    containers: Vec<Container>,
    quotes: usize,
    level: usize,
    /// Spaces before lines that go on inside the current item.
    indent: usize,
    /// Line breaks owed before the next text: 0 to 2.
    owed: Option<usize>,
    after_heading: bool,
    marker: Option<Marker>,
    line_start: usize,
    /// Where the outermost quotation began, once it has text.
    quote_start: Option<usize>,
    /// Emphasis that is none (inside a URL, a single `~`), with the mark to show.
    marks: Vec<Option<&'s str>>,
    /// Styles opened by HTML tags in the current block.
    tags: Vec<EntityKind>,
    /// End of the current block in the source, and for each tag name where its last closing tag is.
    block_end: usize,
    closers: [Option<(usize, Option<usize>)>; html::NAMES.len()],
    html: Option<String>,
    code: Option<CodeBlock>,
    /// The table being read, and the text it interrupts while a cell is written.
    table: Option<Table>,
    outside: Option<Ink>,
}

/// Renders `source`, already cleaned.
pub(super) fn walk(source: &str, mode: Mode) -> (String, Vec<Span>) {
    let options =
        Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS | Options::ENABLE_FOOTNOTES;
    let mut events = Parser::new_ext(source, options).into_offset_iter();
    let mut walk = Walk {
        source,
        mode,
        ink: Ink::default(),
        containers: Vec::new(),
        quotes: 0,
        level: 0,
        indent: 0,
        owed: None,
        after_heading: false,
        marker: None,
        line_start: 0,
        quote_start: None,
        marks: Vec::new(),
        tags: Vec::new(),
        block_end: 0,
        closers: [None; html::NAMES.len()],
        html: None,
        code: None,
        table: None,
        outside: None,
    };
    walk.ink.text.reserve(source.len() + 64);
    let mut used = HashSet::new();
    for (event, range) in events.by_ref() {
        if let Event::Start(Tag::Link { ref id, .. } | Tag::Image { ref id, .. }) = event
            && !id.is_empty()
        {
            used.insert(id.to_string());
        }
        walk.event(event, range);
    }
    if mode == Mode::Whole {
        // A list of sources nobody refers to is text, not definitions.
        let mut left: Vec<_> = events
            .reference_definitions()
            .iter()
            .filter(|(label, _)| !used.contains(*label))
            .map(|(_, definition)| definition.span.clone())
            .collect();
        left.sort_unstable_by_key(|span| span.start);
        for (index, span) in left.into_iter().enumerate() {
            walk.owed = Some(if index == 0 { 2 } else { 1 });
            walk.text(part(source, span.start, span.end).trim_end());
        }
    }
    (walk.ink.text, walk.ink.spans)
}

impl<'s> Walk<'s> {
    fn event(&mut self, event: Event<'s>, range: Range<usize>) {
        match event {
            Event::Start(tag) => self.start(tag, range),
            Event::End(tag) => self.end(tag, range),
            Event::Text(text) => match (&mut self.code, &mut self.html) {
                (Some(code), _) => code.text.push_str(&text),
                (None, Some(html)) => html.push_str(&text),
                (None, None) => self.parsed(&text),
            },
            Event::Html(text) => match &mut self.html {
                Some(html) => html.push_str(&text),
                None => self.text(&text),
            },
            Event::Code(text) => {
                self.touch();
                self.ink.code(clean::characters(&text).trim());
            }
            Event::InlineHtml(raw) => self.inline_html(&raw, range.start),
            Event::InlineMath(text) | Event::DisplayMath(text) => self.parsed(&text),
            Event::FootnoteReference(label) => self.text(&format!("[{label}]")),
            Event::SoftBreak | Event::HardBreak => {
                self.touch();
                self.new_line();
            }
            Event::Rule => {
                self.begin_block(&range);
                self.text(RULE);
            }
            Event::TaskListMarker(done) => {
                let sign = if done { "☑ " } else { "☐ " };
                match &mut self.marker {
                    Some(marker) if marker.text.ends_with(". ") || marker.text.ends_with(") ") => {
                        marker.text.push_str(sign);
                    }
                    Some(marker) => marker.text = sign.to_owned(),
                    None => self.text(sign),
                }
            }
        }
    }

    fn start(&mut self, tag: Tag<'s>, range: Range<usize>) {
        match tag {
            Tag::Paragraph => self.begin_block(&range),
            Tag::Heading { level, .. } => {
                self.begin_block(&range);
                if self.owed.is_some_and(|owed| owed > 0) {
                    self.owed = Some(2);
                }
                self.touch();
                self.ink.open(EntityKind::Bold);
                if level == HeadingLevel::H1 {
                    self.ink.open(EntityKind::Underline);
                }
            }
            Tag::BlockQuote(_) => {
                self.begin_block(&range);
                self.containers.push(Container::Quote { indent: self.indent, level: self.level });
                (self.indent, self.level) = (0, 0);
                self.quotes += 1;
            }
            Tag::CodeBlock(kind) => {
                self.begin_block(&range);
                let language = match kind {
                    CodeBlockKind::Fenced(info) => language(&info),
                    CodeBlockKind::Indented => None,
                };
                self.code = Some(CodeBlock { text: String::new(), language });
            }
            Tag::HtmlBlock => {
                self.begin_block(&range);
                self.html = Some(String::new());
            }
            Tag::List(first) => {
                self.begin_block(&range);
                self.containers.push(Container::List { number: first.map(|first| first.saturating_sub(1)) });
            }
            Tag::Item => self.start_item(range),
            Tag::FootnoteDefinition(label) => {
                self.begin_block(&range);
                self.text(&format!("[{label}] "));
                self.containers.push(Container::Other);
            }
            Tag::Table(aligns) => {
                self.begin_block(&range);
                self.table = Some(Table { aligns, ..Table::default() });
            }
            Tag::TableCell => {
                self.outside = Some(std::mem::take(&mut self.ink));
                self.block_end = range.end;
            }
            Tag::Emphasis => self.open_mark(EntityKind::Italic, range, 1),
            Tag::Strong => self.open_mark(EntityKind::Bold, range, 2),
            Tag::Strikethrough => self.open_mark(EntityKind::Strikethrough, range, 2),
            Tag::Link { link_type, dest_url, .. } => {
                self.touch();
                let dest = match link_type {
                    LinkType::Email => format!("mailto:{dest_url}"),
                    _ => dest_url.to_string(),
                };
                self.ink.open_link(&dest);
                if is_citation(link_type, part(self.source, range.start, range.end)) {
                    self.ink.push("[");
                }
            }
            Tag::Image { dest_url, .. } => {
                self.touch();
                self.ink.open_link(&dest_url);
            }
            Tag::TableHead | Tag::TableRow | Tag::Superscript | Tag::Subscript => {}
            Tag::DefinitionList | Tag::DefinitionListTitle | Tag::DefinitionListDefinition | Tag::MetadataBlock(_) => {}
        }
    }

    fn end(&mut self, tag: TagEnd, range: Range<usize>) {
        match tag {
            TagEnd::Paragraph => self.end_inline(),
            TagEnd::Heading(level) => {
                self.end_inline();
                self.ink.close(EntityKind::Bold);
                if level == HeadingLevel::H1 {
                    self.ink.close(EntityKind::Underline);
                }
                self.after_heading = true;
            }
            TagEnd::BlockQuote(_) => {
                self.end_inline();
                if let Some(Container::Quote { indent, level }) = self.containers.pop() {
                    (self.indent, self.level) = (indent, level);
                }
                self.quotes = self.quotes.saturating_sub(1);
                if self.quotes == 0
                    && let Some(start) = self.quote_start.take()
                {
                    self.ink.spans.push(Span::new(EntityKind::Blockquote, start, self.ink.text.len()));
                }
            }
            TagEnd::CodeBlock => self.end_code(),
            TagEnd::HtmlBlock => {
                if let Some(raw) = self.html.take() {
                    self.html_block(raw.trim_end_matches('\n'), &range);
                }
                self.end_inline();
            }
            TagEnd::List(_) => {
                self.end_inline();
                self.containers.pop();
            }
            TagEnd::Item => {
                self.end_inline();
                self.bare_marker();
                if let Some(Container::Item { indent }) = self.containers.pop() {
                    self.indent = indent;
                    self.level = self.level.saturating_sub(1);
                }
            }
            TagEnd::FootnoteDefinition => {
                self.end_inline();
                self.containers.pop();
            }
            TagEnd::TableCell => {
                self.end_inline();
                let outside = self.outside.take().unwrap_or_default();
                let cell = Cell::new(std::mem::replace(&mut self.ink, outside));
                if let Some(table) = &mut self.table {
                    table.row.push(cell);
                }
            }
            TagEnd::TableHead => {
                if let Some(table) = &mut self.table {
                    table.head = std::mem::take(&mut table.row);
                }
            }
            TagEnd::TableRow => {
                if let Some(table) = &mut self.table {
                    let row = std::mem::take(&mut table.row);
                    table.rows.push(row);
                }
            }
            TagEnd::Table => self.end_table(),
            TagEnd::Emphasis => self.close_mark(EntityKind::Italic),
            TagEnd::Strong => self.close_mark(EntityKind::Bold),
            TagEnd::Strikethrough => self.close_mark(EntityKind::Strikethrough),
            TagEnd::Link => {
                let raw = part(self.source, range.start, range.end);
                let inline = raw.ends_with(')') || raw.starts_with('<');
                if !inline && is_citation(LinkType::Shortcut, raw) {
                    self.ink.push("]");
                }
                self.end_link(range.end);
            }
            TagEnd::Image => self.end_link(range.end),
            TagEnd::Superscript | TagEnd::Subscript => {}
            TagEnd::DefinitionList
            | TagEnd::DefinitionListTitle
            | TagEnd::DefinitionListDefinition
            | TagEnd::MetadataBlock(_) => {}
        }
    }
}
