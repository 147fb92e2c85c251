//! Tests of the renderer: goldens for each Markdown construct, properties for any text.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod goldens;
mod legal;
mod partial;
mod properties;

use super::legal::check;
use super::{EntityKind, Formatted, is_blank, split};

/// The text with its entities shown inline: `[b]bold[/b]`, `[a=https://a.b]link[/a]`, `[pre=rust]…[/pre]`.
pub(super) fn show(formatted: &Formatted) -> String {
    let name = |kind: EntityKind| match kind {
        EntityKind::Bold => "b",
        EntityKind::Italic => "i",
        EntityKind::Underline => "u",
        EntityKind::Strikethrough => "s",
        EntityKind::Spoiler => "spoiler",
        EntityKind::Code => "code",
        EntityKind::Pre => "pre",
        EntityKind::TextLink => "a",
        EntityKind::Blockquote => "q",
        EntityKind::ExpandableBlockquote => "qq",
    };
    let mut tags: Vec<(u32, i64, String)> = Vec::new();
    for (index, entity) in formatted.entities.iter().enumerate() {
        let extra = entity.url.as_ref().or(entity.language.as_ref()).map_or(String::new(), |extra| format!("={extra}"));
        let index = i64::try_from(index).unwrap();
        tags.push((entity.offset, 1 + index, format!("[{}{extra}]", name(entity.kind))));
        tags.push((entity.offset + entity.length, -1 - index, format!("[/{}]", name(entity.kind))));
    }
    tags.sort();
    let mut out = String::new();
    let mut tags = tags.into_iter().peekable();
    let mut unit = 0;
    for c in formatted.text.chars().map(Some).chain([None]) {
        while let Some((_, _, tag)) = tags.next_if(|tag| tag.0 <= unit) {
            out.push_str(&tag);
        }
        out.extend(c);
        unit += c.map_or(0, |c| u32::try_from(c.len_utf16()).unwrap());
    }
    out
}

/// Splits, and asserts that every piece is legal, that splitting a piece again changes nothing, and that the pieces
/// follow each other in the text with nothing but blank characters between them: nothing visible lost or repeated.
pub(super) fn assert_sound(whole: &Formatted) -> Vec<Formatted> {
    let pieces = split(whole);
    let mut rest = whole.text.as_str();
    for piece in &pieces {
        if let Err(illegal) = check(piece) {
            panic!("{illegal}: {piece:?}");
        }
        assert_eq!(split(piece), std::slice::from_ref(piece), "splitting a piece changes it");
        while !rest.starts_with(piece.text.as_str()) {
            let c = rest.chars().next().unwrap_or_else(|| panic!("{:?} is not in the text", piece.text));
            assert!(is_blank(c), "{rest:?} was skipped before {:?}", piece.text);
            rest = &rest[c.len_utf8()..];
        }
        rest = &rest[piece.text.len()..];
    }
    assert!(rest.chars().all(is_blank), "{rest:?} was lost");
    pieces
}
