//! Marks inside a line: emphasis that is none, links, HTML tags.

use std::ops::Range;

use pulldown_cmark::LinkType;

use super::super::EntityKind;
use super::super::html;
use super::super::span::part;
use super::{Mode, Walk};

impl Walk<'_> {
    pub(super) fn end_link(&mut self, end: usize) {
        let next = self.source.get(end..).and_then(|rest| rest.chars().next());
        self.ink.close_link(next.is_none_or(|c| !c.is_alphanumeric() && !"/_-=&?#%@".contains(c)));
    }

    /// Opens a style, or shows its mark where it is none: in a bare URL, a product, a Python name, or a single `~`.
    pub(super) fn open_mark(&mut self, kind: EntityKind, range: Range<usize>, width: usize) {
        self.touch();
        let mark = part(self.source, range.start, range.start + width);
        let single = kind == EntityKind::Strikethrough && mark != "~~";
        let before = part(self.source, 0, range.start);
        let inner = part(self.source, range.start + mark.len(), range.end);
        let after = part(self.source, range.end, self.source.len());
        let literal = single || in_url(before) || is_arithmetic(mark, before, inner) || is_dunder(mark, after);
        self.marks.push(literal.then_some(if single { "~" } else { mark }));
        match self.marks.last() {
            Some(Some(mark)) => self.ink.push(mark),
            _ => self.ink.open(kind),
        }
    }

    pub(super) fn close_mark(&mut self, kind: EntityKind) {
        match self.marks.pop() {
            Some(Some(mark)) => self.ink.push(mark),
            _ => self.ink.close(kind),
        }
    }

    pub(super) fn inline_html(&mut self, raw: &str, at: usize) {
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

    pub(super) fn close_tag(&mut self, kind: EntityKind) {
        match kind {
            EntityKind::TextLink => self.ink.close_link(false),
            kind => self.ink.close(kind),
        }
    }

    /// Whether the tag that begins at `at` has a closing one in its block; one without is shown as it stands.
    pub(super) fn is_closed_later(&mut self, number: usize, at: usize) -> bool {
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

    pub(super) fn html_block(&mut self, raw: &str, range: &Range<usize>) {
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

/// A source by number, `[1]`, which keeps its brackets.
pub(super) fn is_citation(link_type: LinkType, raw: &str) -> bool {
    let label = raw.strip_prefix('[').and_then(|raw| raw.strip_suffix(']')).map(|raw| raw.trim_end_matches("]["));
    matches!(link_type, LinkType::Shortcut | LinkType::Collapsed)
        && label.is_some_and(|label| !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Multiplication, `2*3*4`, not emphasis.
fn is_arithmetic(mark: &str, before: &str, inner: &str) -> bool {
    let digit = |byte: Option<u8>| byte.is_some_and(|byte| byte.is_ascii_digit());
    mark.starts_with('*') && digit(before.bytes().next_back()) && digit(inner.bytes().next())
}

/// A name with double underscores that goes on, `__init__.py` or `__str__()`, not emphasis.
fn is_dunder(mark: &str, after: &str) -> bool {
    let goes_on = after.strip_prefix('.').is_some_and(|rest| rest.starts_with(|c: char| c.is_alphanumeric()));
    mark == "__" && (goes_on || after.starts_with('('))
}

/// Whether what follows `before` stands inside a bare URL.
fn in_url(before: &str) -> bool {
    let tail = before.len().saturating_sub(2048);
    let tail = (tail..=before.len()).find_map(|from| before.get(from..)).unwrap_or("");
    let word = tail.rsplit([' ', '\n', '<', '(', '"']).next().unwrap_or("");
    word.contains("://")
}
