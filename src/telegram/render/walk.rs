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

use pulldown_cmark::{CodeBlockKind, CowStr, Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd};

use super::EntityKind;
use super::clean;
use super::html;
use super::ink::Ink;
use super::span::{Span, part};
use super::table::{Cell, Table};

/// Deepest list level that still moves to the right.
const MAX_INDENT_LEVEL: usize = 6;
/// Most `> ` shown before a line of nested quotations.
const MAX_QUOTE_MARKS: usize = 6;
/// Longest language name kept, in bytes.
const MAX_LANGUAGE: usize = 32;
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

    fn end_link(&mut self, end: usize) {
        let next = self.source.get(end..).and_then(|rest| rest.chars().next());
        self.ink.close_link(next.is_none_or(|c| !c.is_alphanumeric() && !"/_-=&?#%@".contains(c)));
    }

    // Lines and blocks.

    /// Notes how many line breaks the source has before the block. The first block to begin since the last text counts.
    fn begin_block(&mut self, range: &Range<usize>) {
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
    fn touch(&mut self) {
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
    fn lead(&self, indent: usize) -> String {
        let marks = self.quotes.saturating_sub(1).min(MAX_QUOTE_MARKS);
        let mut lead = "> ".repeat(marks);
        lead.extend(std::iter::repeat_n(' ', indent));
        lead
    }

    fn new_line(&mut self) {
        self.ink.push("\n");
        if self.outside.is_none() {
            self.line_start = self.ink.text.len();
            let lead = self.lead(self.indent);
            self.ink.push(&lead);
        }
    }

    /// Writes a list mark that no text follows on its line, if there is one.
    fn bare_marker(&mut self) -> bool {
        let Some(marker) = &mut self.marker else { return false };
        marker.text.truncate(marker.text.trim_end().len());
        self.touch();
        true
    }

    /// Goes to the start of a line without indentation, as code needs it.
    fn bare_line(&mut self) {
        if self.bare_marker() || self.owed == Some(0) && !self.ink.text.is_empty() {
            self.owed = Some(1);
        }
        let (indent, quotes) = (std::mem::take(&mut self.indent), self.quotes);
        self.quotes = quotes.min(1);
        self.touch();
        (self.indent, self.quotes) = (indent, quotes);
    }

    /// Text that may hold line breaks, already clean.
    fn text(&mut self, text: &str) {
        self.touch();
        for (index, line) in text.split('\n').enumerate() {
            if index > 0 {
                self.new_line();
            }
            self.ink.push(line);
        }
    }

    /// Text from the parser, which may have come out of a character reference.
    fn parsed(&mut self, text: &CowStr<'_>) {
        match text {
            CowStr::Borrowed(text) => {
                self.touch();
                self.ink.push(text);
            }
            text => self.text(&clean::characters(text)),
        }
    }

    /// Styles opened by HTML end with their block.
    fn end_inline(&mut self) {
        while let Some(kind) = self.tags.pop() {
            self.close_tag(kind);
        }
    }

    fn start_item(&mut self, range: Range<usize>) {
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
    fn item_marker(&mut self, start: usize) -> String {
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

    fn end_code(&mut self) {
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

    fn end_table(&mut self) {
        let Some(table) = self.table.take() else { return };
        if table.is_grid() {
            self.bare_line();
        } else {
            self.touch();
        }
        let new_line = format!("\n{}", self.lead(self.indent));
        table.write(&mut self.ink, &new_line);
    }

    // Inline marks.

    /// Opens a style, or shows its mark where it is none: inside a bare URL, or a single `~`.
    fn open_mark(&mut self, kind: EntityKind, range: Range<usize>, width: usize) {
        self.touch();
        let mark = part(self.source, range.start, range.start + width);
        let single = kind == EntityKind::Strikethrough && mark != "~~";
        let literal = single || in_url(part(self.source, 0, range.start));
        self.marks.push(literal.then_some(if single { "~" } else { mark }));
        match self.marks.last() {
            Some(Some(mark)) => self.ink.push(mark),
            _ => self.ink.open(kind),
        }
    }

    fn close_mark(&mut self, kind: EntityKind) {
        match self.marks.pop() {
            Some(Some(mark)) => self.ink.push(mark),
            _ => self.ink.close(kind),
        }
    }

    // HTML.

    fn inline_html(&mut self, raw: &str, at: usize) {
        self.touch();
        match html::tag(raw) {
            Some((html::Tag::Break, _)) => self.new_line(),
            Some((html::Tag::Close(kind), _)) if self.tags.contains(&kind) => {
                if let Some(index) = self.tags.iter().rposition(|&open| open == kind) {
                    self.tags.remove(index);
                }
                self.close_tag(kind);
            }
            Some((html::Tag::Open(kind), number)) if self.is_closed_later(number, at) => {
                // A link alone remains of a link on code.
                if !kind.is_code() || !self.ink.in_link() {
                    self.tags.push(kind);
                    self.ink.open(kind);
                }
            }
            Some((html::Tag::OpenLink(href), number)) if self.is_closed_later(number, at) => {
                self.tags.push(EntityKind::TextLink);
                self.ink.open_link(&href);
            }
            _ => self.text(raw),
        }
    }

    fn close_tag(&mut self, kind: EntityKind) {
        match kind {
            EntityKind::TextLink => self.ink.close_link(false),
            kind => self.ink.close(kind),
        }
    }

    /// Whether the tag that begins at `at` has a closing one in its block; one without is shown as it stands.
    fn is_closed_later(&mut self, number: usize, at: usize) -> bool {
        if self.mode == Mode::Prefix {
            return true;
        }
        let block_end = self.block_end;
        let Some(known) = self.closers.get_mut(number) else { return false };
        let last = match known {
            Some((end, last)) if *end == block_end => *last,
            _ => {
                let last = html::last_close(part(self.source, at, block_end), number).map(|found| at + found);
                *known = Some((block_end, last));
                last
            }
        };
        last.is_some_and(|last| last > at)
    }

    fn html_block(&mut self, raw: &str, range: &Range<usize>) {
        self.block_end = range.end;
        let mut at = range.start;
        for token in html::tokens(raw) {
            if token.starts_with('<') {
                self.inline_html(token, at);
            } else {
                self.text(token);
            }
            at += token.len();
        }
    }
}

/// The language of a fenced block, from its info string (telegram.md §4.1 "pre").
fn language(info: &str) -> Option<String> {
    let word = info.split([' ', ',', ':', ';']).find(|word| !word.is_empty())?;
    let name = word.chars().map(|c| c.to_ascii_lowercase());
    let name: String = name
        .filter(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "+#-".contains(*c))
        .take(MAX_LANGUAGE)
        .collect();
    (!name.is_empty()).then_some(name)
}

/// A source by number, `[1]`, which keeps its brackets.
fn is_citation(link_type: LinkType, raw: &str) -> bool {
    let label = raw.strip_prefix('[').and_then(|raw| raw.strip_suffix(']')).map(|raw| raw.trim_end_matches("]["));
    matches!(link_type, LinkType::Shortcut | LinkType::Collapsed)
        && label.is_some_and(|label| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether what follows `before` stands inside a bare URL.
fn in_url(before: &str) -> bool {
    let tail = before.len().saturating_sub(2048);
    let tail = (tail..=before.len()).find_map(|from| before.get(from..)).unwrap_or("");
    let word = tail.rsplit([' ', '\n', '<', '(', '"']).next().unwrap_or("");
    word.contains("://")
}
