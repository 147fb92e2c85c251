//! Cuts a rendered answer into pieces Telegram accepts, where a reader would cut it.
//!
//! Best between blocks, then at a line end, a sentence end, a space; else between graphemes. Never inside a link or
//! an emoji sequence if anything else is possible, and not between a heading and its text. No visible character is
//! lost or repeated: only blank ones at the cuts go.
//!
//! Not here: which piece replies, has the keyboard or is silent; the answer as a file. Source: telegram.md §4.4.

use unicode_segmentation::GraphemeCursor;

use super::span::{self, Span, part};
use super::{EntityKind, Formatted, MAX_ENTITIES, MAX_ENTITY_BYTES, MAX_TEXT, is_blank, utf16_len};

/// Cuts `formatted` into pieces that pass [`super::legal::check`]. Nothing visible → no piece; no piece is empty.
pub fn split(formatted: &Formatted) -> Vec<Formatted> {
    let text = formatted.text.as_str();
    let spans = span::unmeasure(formatted).into_iter().filter(|span| json_size(span) <= MAX_ENTITY_BYTES / 2);
    let spans = span::normalise(text, spans.collect());
    let mut pieces = Vec::new();
    let mut carried: Vec<&Span> = Vec::new();
    let mut waiting = spans.iter().peekable();
    let mut from = 0;
    loop {
        let rest = part(text, from, text.len());
        from += rest.len() - rest.trim_start().len();
        if from >= text.len() {
            return pieces;
        }
        let reach = longest(text, from);
        while let Some(span) = waiting.next_if(|span| span.start < reach) {
            carried.push(span);
        }
        carried.retain(|span| span.end > from);
        let window: Vec<Span> = carried.iter().filter_map(|span| span.clip(from, reach)).collect();
        let mut limit = affordable(&window, from, reach);
        let (to, piece) = loop {
            let to = if part(text, limit, text.len()).trim().is_empty() {
                text.len()
            } else {
                choose(text, &window, from, limit)
            };
            let piece = piece(text, &window, from, to);
            // The counts above hold for the uncut window; should a piece still be too rich, half of it is tried.
            let half = floor(text, from + (limit - from) / 2);
            if half <= from || fits(&piece) {
                break (to, piece);
            }
            limit = half;
        };
        if !piece.text.chars().all(is_blank) {
            pieces.push(piece);
        }
        from = to.max(from + 1);
    }
}

fn piece(text: &str, window: &[Span], from: usize, to: usize) -> Formatted {
    let spans = window.iter().filter_map(|span| span.clip(from, to)).map(|mut span| {
        span.start -= from;
        span.end -= from;
        span
    });
    span::finish(part(text, from, to), spans.collect())
}

/// The character boundary at or before `at`.
fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// The farthest end a piece from `from` may have by its length.
fn longest(text: &str, from: usize) -> usize {
    let rest = part(text, from, text.len());
    if rest.len() <= MAX_TEXT {
        return text.len();
    }
    let mut units = 0;
    for (at, c) in rest.char_indices() {
        units += c.len_utf16();
        if units > MAX_TEXT {
            return from + at;
        }
    }
    text.len()
}

/// The farthest end by number and size of entities, as Telegram counts them: each style anew wherever another entity
/// begins or ends inside it.
fn affordable(window: &[Span], from: usize, reach: usize) -> usize {
    let mut events: Vec<(usize, bool, &Span)> =
        window.iter().flat_map(|span| [(span.start, true, span), (span.end, false, span)]).collect();
    events.sort_by_key(|&(at, begins, _)| (at, begins));
    let (mut count, mut bytes, mut styles) = (0, 2, 0);
    for group in events.chunk_by(|a, b| a.0 == b.0) {
        let at = group.first().map_or(reach, |event| event.0);
        if at >= reach {
            break;
        }
        styles -= group.iter().filter(|(_, begins, span)| !begins && span.kind.is_style()).count();
        count += styles;
        for (_, _, span) in group.iter().filter(|(_, begins, _)| *begins) {
            count += 1;
            bytes += json_size(span);
        }
        if (count > MAX_ENTITIES || bytes > MAX_ENTITY_BYTES) && at > from {
            return at;
        }
        styles += group.iter().filter(|(_, begins, span)| *begins && span.kind.is_style()).count();
    }
    reach
}

/// How many entities Telegram will count, and how many bytes they are as JSON (never less than the true numbers).
fn fits(piece: &Formatted) -> bool {
    let spans = span::unmeasure(piece);
    utf16_len(&piece.text) <= MAX_TEXT && affordable(&spans, 0, usize::MAX) == usize::MAX
}

/// Upper bound of one entity's JSON in a piece, in bytes.
fn json_size(span: &Span) -> usize {
    let text = |text: &str| -> usize {
        text.bytes().map(|byte| if byte < 0x20 { 6 } else { 1 + usize::from(b"\"\\".contains(&byte)) }).sum()
    };
    // {"type":"","offset":NNNN,"length":NNNN,"language":""} and a comma.
    56 + span.kind.name().len() + span.extra.as_deref().map_or(0, text)
}

/// Where to cut, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Cut {
    BlankLine,
    Line,
    /// A line end inside code or a quotation whose next line is not indented (its indentation would be lost).
    InnerLine,
    AnyLine,
    Sentence,
    Space,
}

/// The best cut in `from..=limit`, where the rest does not fit.
fn choose(text: &str, window: &[Span], from: usize, limit: usize) -> usize {
    let half = floor(text, from + (limit - from) / 2);
    let eighth = floor(text, from + (limit - from) / 8);
    let best = best_cut(text, window, half, limit).or_else(|| best_cut(text, window, eighth.max(from + 1), half));
    match best {
        Some((Cut::Sentence | Cut::Space, at)) => at,
        Some((_, at)) => with_heading(text, window, eighth, at),
        None => grapheme(text, window, from, limit),
    }
}

/// The best cut in `low..=high`, the farthest of its kind.
fn best_cut(text: &str, window: &[Span], low: usize, high: usize) -> Option<(Cut, usize)> {
    let low = (low..=high).find(|&at| text.is_char_boundary(at))?;
    let mut best: Option<(Cut, usize)> = None;
    // Within each of these lists nothing overlaps, so both its starts and its ends ascend.
    let atoms: Vec<&Span> =
        window.iter().filter(|s| matches!(s.kind, EntityKind::TextLink | EntityKind::Code)).collect();
    let pres: Vec<&Span> = window.iter().filter(|span| span.kind == EntityKind::Pre).collect();
    let quotes: Vec<&Span> = window.iter().filter(|span| span.kind.is_quote()).collect();
    let inside = |list: &[&Span], at: usize| {
        let next = list.partition_point(|span| span.end <= at);
        list.get(next).is_some_and(|span| span.start < at)
    };
    let mut consider = |at: usize, before: Option<char>, here: Option<char>| {
        let cut = match here {
            Some('\n') if inside(&pres, at) || inside(&quotes, at) => {
                let next = part(text, at + 1, text.len()).chars().next();
                if next.is_some_and(|c| c != ' ') { Cut::InnerLine } else { Cut::AnyLine }
            }
            Some('\n') if before == Some('\n') || part(text, at + 1, at + 2) == "\n" => Cut::BlankLine,
            Some('\n') => Cut::Line,
            Some(c) if c.is_whitespace() => {
                if before.is_some_and(|c| ".!?…".contains(c) || is_sentence_end_alone(c)) {
                    Cut::Sentence
                } else {
                    Cut::Space
                }
            }
            here if before.is_some_and(is_sentence_end_alone)
                && !here.is_some_and(|c| is_sentence_end_alone(c) || "」』）”’".contains(c)) =>
            {
                Cut::Sentence
            }
            _ => return false,
        };
        if best.is_none_or(|(known, _)| cut < known) && !inside(&atoms, at) {
            best = Some((cut, at));
        }
        matches!(best, Some((Cut::BlankLine, _)))
    };
    let mut at = high;
    let mut here = part(text, high, text.len()).chars().next();
    for before in part(text, low, high).chars().rev() {
        if consider(at, Some(before), here) {
            break;
        }
        at -= before.len_utf8();
        here = Some(before);
    }
    best
}

/// Marks that end a sentence without a space behind them.
fn is_sentence_end_alone(c: char) -> bool {
    matches!(c, '。' | '！' | '？')
}

/// Moves a cut before the headings (lines bold from end to end) that would be left without their text.
fn with_heading(text: &str, window: &[Span], low: usize, cut: usize) -> usize {
    let mut at = cut;
    for _ in 0..3 {
        let end = part(text, 0, at).trim_end().len();
        let start = part(text, 0, end).rfind('\n').map_or(0, |before| before + 1);
        let is_heading =
            window.iter().any(|span| span.kind == EntityKind::Bold && span.start == start && span.end == end);
        if !is_heading || start <= low {
            return at;
        }
        at = start;
    }
    cut
}

/// The last cut between two graphemes, outside of links if there is one; at worst between two characters.
fn grapheme(text: &str, window: &[Span], from: usize, limit: usize) -> usize {
    let link = window.iter().find(|s| s.kind == EntityKind::TextLink && s.start < limit && s.end > limit);
    let limit = match link {
        Some(link) if link.start > from + (limit - from) / 8 => link.start,
        _ => limit,
    };
    let rest = part(text, from, text.len());
    let mut cursor = GraphemeCursor::new(limit - from, rest.len(), true);
    if matches!(cursor.is_boundary(rest, 0), Ok(true)) {
        return limit;
    }
    match cursor.prev_boundary(rest, 0) {
        Ok(Some(at)) if at > 0 => from + at,
        _ => {
            let at = floor(text, limit);
            if at > from { at } else { from + part(text, from, text.len()).chars().next().map_or(1, char::len_utf8) }
        }
    }
}
