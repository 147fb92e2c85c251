//! The few HTML tags models write in the middle of a text. All others are shown as they stand.
//!
//! Source: telegram.md §4.3 "raw HTML". Not here: attributes other than `href`; block elements.

use super::EntityKind;

/// A tag with a meaning in Telegram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Tag {
    Open(EntityKind),
    /// `<a href="…">` with its target.
    OpenLink(String),
    Close(EntityKind),
    Break,
}

/// Names by which a style goes, and their style. The place in this list is the name's number.
pub(super) const NAMES: [(&str, EntityKind); 14] = [
    ("b", EntityKind::Bold),
    ("strong", EntityKind::Bold),
    ("i", EntityKind::Italic),
    ("em", EntityKind::Italic),
    ("u", EntityKind::Underline),
    ("ins", EntityKind::Underline),
    ("s", EntityKind::Strikethrough),
    ("del", EntityKind::Strikethrough),
    ("strike", EntityKind::Strikethrough),
    ("tg-spoiler", EntityKind::Spoiler),
    ("code", EntityKind::Code),
    ("kbd", EntityKind::Code),
    ("pre", EntityKind::Pre),
    ("a", EntityKind::TextLink),
];

/// Reads one whole tag, `<` to `>`. Gives the number of its name as well (0 for a line break).
pub(super) fn tag(raw: &str) -> Option<(Tag, usize)> {
    let inner = raw.trim().strip_prefix('<')?.strip_suffix('>')?;
    if let Some(name) = inner.strip_prefix('/') {
        let (number, kind) = known(name.trim())?;
        return Some((Tag::Close(kind), number));
    }
    let inner = inner.strip_suffix('/').unwrap_or(inner).trim();
    if inner.eq_ignore_ascii_case("br") {
        return Some((Tag::Break, 0));
    }
    if let Some((number, kind)) = known(inner)
        && kind != EntityKind::TextLink
    {
        return Some((Tag::Open(kind), number));
    }
    let (name, attributes) = inner.split_once(char::is_whitespace)?;
    let (number, kind) = known(name)?;
    (kind == EntityKind::TextLink).then_some(())?;
    let (_, value) = attributes.split_once("href")?;
    let value = value.trim_start().strip_prefix('=')?.trim_start();
    let quote = value.chars().next().filter(|&c| c == '"' || c == '\'')?;
    let href = value.strip_prefix(quote)?.split(quote).next()?;
    Some((Tag::OpenLink(href.replace("&amp;", "&")), number))
}

fn known(name: &str) -> Option<(usize, EntityKind)> {
    let number = NAMES.iter().position(|(known, _)| known.eq_ignore_ascii_case(name))?;
    NAMES.get(number).map(|&(_, kind)| (number, kind))
}

/// Where the last closing tag of the name numbered `number` begins in `text`.
pub(super) fn last_close(text: &str, number: usize) -> Option<usize> {
    let (name, _) = NAMES.get(number)?;
    text.rmatch_indices("</").map(|(at, _)| at).find(|at| {
        let rest = text.get(at + 2..).unwrap_or("");
        rest.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name))
            && rest.get(name.len()..).is_some_and(|rest| rest.trim_start().starts_with('>'))
    })
}

/// Cuts raw HTML into tags and what is between them, nothing left out.
pub(super) fn tokens(raw: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut rest = raw;
    while !rest.is_empty() {
        let cut = match rest.strip_prefix('<') {
            Some(inner) => {
                inner.find(['<', '>']).map_or(rest.len(), |at| 1 + at + usize::from(inner.get(at..at + 1) == Some(">")))
            }
            None => rest.find('<').unwrap_or(rest.len()),
        };
        let (token, tail) = rest.split_at(cut);
        out.push(token);
        rest = tail;
    }
    out
}
