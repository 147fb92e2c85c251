//! Entities while they are being made: counted in bytes, then put in order, then turned into UTF-16 units once.
//!
//! Telegram repairs illegal nesting silently, and parts vanish. [`normalise`] makes every list legal beforehand, so
//! that what we send is what shows (telegram.md §4.1 "nesting"): code is left alone by everything but quotations,
//! links and quotations stay out of their like, styles of one kind are joined, and whatever crosses is cut in two.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::{Entity, EntityKind, Formatted, is_blank, utf16_len};

/// An entity in bytes of the text it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    pub kind: EntityKind,
    pub start: usize,
    pub end: usize,
    /// The URL of a link or the language of a block of code.
    pub extra: Option<String>,
}

impl Span {
    pub fn new(kind: EntityKind, start: usize, end: usize) -> Self {
        Span { kind, start, end, extra: None }
    }

    fn part(&self, start: usize, end: usize) -> Self {
        Span { kind: self.kind, start, end, extra: self.extra.clone() }
    }

    /// The part inside `start..end`, or `None` if there is none.
    pub fn clip(&self, start: usize, end: usize) -> Option<Self> {
        let (start, end) = (self.start.max(start), self.end.min(end));
        (start < end).then(|| self.part(start, end))
    }
}

/// The part of `text`, empty where the range is not one of whole characters.
pub(super) fn part(text: &str, start: usize, end: usize) -> &str {
    text.get(start..end).unwrap_or("")
}

/// Trims the text, puts the entities in order and counts in UTF-16 units.
pub(super) fn finish(text: &str, spans: Vec<Span>) -> Formatted {
    let (text, spans) = trim(text, spans);
    let spans = normalise(text, spans);
    measure(text, spans)
}

/// The text without white space at its ends, the spans moved along.
pub(super) fn trim(text: &str, spans: Vec<Span>) -> (&str, Vec<Span>) {
    let from = text.len() - text.trim_start().len();
    let trimmed = text.trim();
    let to = from + trimmed.len();
    if from == 0 && to == text.len() {
        return (trimmed, spans);
    }
    let spans = spans.iter().filter_map(|span| span.clip(from, to)).map(|mut span| {
        span.start -= from;
        span.end -= from;
        span
    });
    (trimmed, spans.collect())
}

/// Bytes → UTF-16 units, in one pass over the text.
pub(super) fn measure(text: &str, spans: Vec<Span>) -> Formatted {
    let mut at: Vec<usize> = spans.iter().flat_map(|span| [span.start, span.end]).collect();
    at.sort_unstable();
    at.dedup();
    let mut units = Vec::with_capacity(at.len());
    let (mut byte, mut unit) = (0, 0);
    for &next in &at {
        unit += utf16_len(part(text, byte, next));
        byte = next;
        units.push(unit);
    }
    let unit_at = |byte: usize| {
        let unit = at.binary_search(&byte).ok().and_then(|index| units.get(index).copied()).unwrap_or(0);
        u32::try_from(unit).unwrap_or(u32::MAX)
    };
    let entities = spans.into_iter().map(|span| {
        let offset = unit_at(span.start);
        let (url, language) = match span.kind {
            EntityKind::TextLink => (span.extra, None),
            _ => (None, span.extra),
        };
        Entity { kind: span.kind, offset, length: unit_at(span.end) - offset, url, language }
    });
    Formatted { entities: entities.collect(), text: text.to_owned() }
}

/// UTF-16 units → bytes, in one pass. Offsets inside a surrogate pair move to its start, those past the end to the end.
pub(super) fn unmeasure(formatted: &Formatted) -> Vec<Span> {
    let ends = |entity: &Entity| [entity.offset as usize, entity.offset.saturating_add(entity.length) as usize];
    let mut at: Vec<usize> = formatted.entities.iter().flat_map(ends).collect();
    at.sort_unstable();
    at.dedup();
    let mut bytes = Vec::with_capacity(at.len());
    let mut characters = formatted.text.char_indices();
    let mut unit = 0;
    let mut here = characters.next();
    for &next in &at {
        while let Some((_, c)) = here {
            if unit + c.len_utf16() > next {
                break;
            }
            unit += c.len_utf16();
            here = characters.next();
        }
        bytes.push(here.map_or(formatted.text.len(), |(byte, _)| byte));
    }
    let byte_at =
        |unit: usize| at.binary_search(&unit).ok().and_then(|index| bytes.get(index).copied()).unwrap_or_default();
    let spans = formatted.entities.iter().map(|entity| {
        let [start, end] = ends(entity).map(byte_at);
        Span { kind: entity.kind, start, end, extra: entity.url.clone().or_else(|| entity.language.clone()) }
    });
    spans.collect()
}

/// Puts spans into the one order and nesting Telegram shows unchanged. Does nothing to a list it made itself.
pub(super) fn normalise(text: &str, spans: Vec<Span>) -> Vec<Span> {
    let mut spans: Vec<Span> = spans.into_iter().filter_map(|span| tidy(text, span)).collect();
    sort(&mut spans);
    if is_orderly(&spans) {
        return spans;
    }

    let of = |wanted: fn(EntityKind) -> bool| spans.iter().filter(move |span| wanted(span.kind)).cloned();
    let quotes = disjoint(of(EntityKind::is_quote));
    let code = disjoint(of(EntityKind::is_code));
    let links = disjoint(of(|kind| kind == EntityKind::TextLink));
    let mut rest = around(&code, links);
    for kind in
        [EntityKind::Bold, EntityKind::Italic, EntityKind::Underline, EntityKind::Strikethrough, EntityKind::Spoiler]
    {
        let same = spans.iter().filter(|span| span.kind == kind).cloned();
        rest.extend(around(&code, joined(same)));
    }
    rest.extend(quotes);
    rest.extend(code);
    uncross(text, rest)
}

/// Without blank ends, or `None` if nothing shows. The first line of code and of a quotation keeps its indentation.
fn tidy(text: &str, mut span: Span) -> Option<Span> {
    let inner = text.get(span.start..span.end.min(text.len()))?;
    if inner.chars().all(is_blank) {
        return None;
    }
    span.end = span.start + inner.trim_end().len();
    if !span.kind.is_code() && !span.kind.is_quote() {
        span.start += inner.len() - inner.trim_start().len();
    }
    Some(span)
}

fn sort(spans: &mut [Span]) {
    spans.sort_by_key(|span| (span.start, Reverse(span.end), span.kind));
}

/// Whether a sorted list is legal as it is.
fn is_orderly(spans: &[Span]) -> bool {
    let mut open: Vec<&Span> = Vec::new();
    for span in spans {
        open.retain(|outer| outer.end > span.start);
        let clashes = open.iter().any(|outer| {
            span.end > outer.end
                || outer.kind.is_code()
                || outer.kind == span.kind
                || (outer.kind.is_quote() && span.kind.is_quote())
                || (span.kind.is_code() && !outer.kind.is_quote())
        });
        if clashes {
            return false;
        }
        open.push(span);
    }
    // Styles of one kind that touch are one.
    let mut last: [usize; 16] = [usize::MAX; 16];
    for span in spans.iter().filter(|span| span.kind.is_style()) {
        if let Some(end) = last.get_mut(span.kind as usize) {
            if *end == span.start {
                return false;
            }
            *end = span.end;
        }
    }
    true
}

/// Each span without what an earlier one covers.
fn disjoint(spans: impl Iterator<Item = Span>) -> Vec<Span> {
    let mut out: Vec<Span> = Vec::new();
    for span in spans {
        let free = out.last().map_or(0, |last| last.end);
        out.extend(span.clip(free, usize::MAX));
    }
    out
}

/// Spans of one kind, those that overlap or touch made one.
fn joined(spans: impl Iterator<Item = Span>) -> Vec<Span> {
    let mut out: Vec<Span> = Vec::new();
    for span in spans {
        match out.last_mut() {
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            _ => out.push(span),
        }
    }
    out
}

/// The spans with the code cut out of them. Both lists are sorted and disjoint.
fn around(code: &[Span], spans: Vec<Span>) -> Vec<Span> {
    let mut out = Vec::with_capacity(spans.len());
    for span in spans {
        let first = code.partition_point(|code| code.end <= span.start);
        let mut from = span.start;
        for code in code.iter().skip(first).take_while(|code| code.start < span.end) {
            out.extend(span.clip(from, code.start));
            from = code.end;
        }
        out.extend(span.clip(from, span.end));
    }
    out
}

/// Cuts what crosses: a span that outlasts one it began in goes on as a second span behind it.
fn uncross(text: &str, spans: Vec<Span>) -> Vec<Span> {
    type Key = Reverse<(usize, Reverse<usize>, EntityKind)>;
    let key = |span: &Span| -> Key { Reverse((span.start, Reverse(span.end), span.kind)) };
    let mut extras: Vec<Option<String>> = Vec::with_capacity(spans.len());
    let mut waiting: BinaryHeap<(Key, usize)> = BinaryHeap::new();
    for span in spans {
        if let Some(mut span) = tidy(text, span) {
            waiting.push((key(&span), extras.len()));
            extras.push(span.extra.take());
        }
    }
    let mut out: Vec<Span> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    while let Some((Reverse((start, Reverse(end), kind)), extra)) = waiting.pop() {
        let span = Span { kind, start, end, extra: extras.get(extra).cloned().flatten() };
        open.retain(|&outer_end| outer_end > start);
        match open.iter().copied().min().filter(|&outer_end| outer_end < end) {
            None => {
                open.push(end);
                out.push(span);
            }
            Some(border) => {
                for half in [span.clip(start, border), span.clip(border, end)].into_iter().flatten() {
                    waiting.extend(tidy(text, half).map(|half| (key(&half), extra)));
                }
            }
        }
    }
    sort(&mut out);
    out
}
