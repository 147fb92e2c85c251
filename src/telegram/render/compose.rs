//! Putting finished texts together.

use super::{Entity, EntityKind, Formatted, utf16_len};

/// `text` as one quotation that shows folded; at most `max` characters of it.
pub fn folded(text: &str, max: usize) -> Formatted {
    let mut text: String = text.trim().to_owned();
    if let Some((end, _)) = text.char_indices().nth(max) {
        text.truncate(end);
        text.push('…');
    }
    let length = u32::try_from(utf16_len(&text)).unwrap_or(u32::MAX);
    let quote = Entity { kind: EntityKind::ExpandableBlockquote, offset: 0, length, url: None, language: None };
    let entities = if length == 0 { Vec::new() } else { vec![quote] };
    Formatted { text, entities }
}

impl Formatted {
    /// Appends `more` after `between`, which is left out where either side is empty.
    pub fn append(&mut self, between: &str, more: Formatted) {
        if more.text.is_empty() {
            return;
        }
        if !self.text.is_empty() {
            self.text.push_str(between);
        }
        let shift = u32::try_from(utf16_len(&self.text)).unwrap_or(u32::MAX);
        self.text.push_str(&more.text);
        self.entities
            .extend(more.entities.into_iter().map(|entity| Entity { offset: entity.offset + shift, ..entity }));
    }

    /// Appends a plain line of ours as a paragraph of its own.
    pub fn append_line(&mut self, line: &str) {
        self.append("\n\n", Formatted { text: line.to_owned(), entities: Vec::new() });
    }
}

#[cfg(test)]
mod tests {
    use super::super::legal::check;
    use super::super::{plain, render};
    use super::*;

    #[test]
    fn a_folded_thought_above_an_answer() {
        let mut shown = folded(" 😀 one\n\ntwo ", 100);
        shown.append("\n", render("**done**"));
        shown.append_line("line");
        assert_eq!(shown.text, "😀 one\n\ntwo\ndone\n\nline");
        let marks: Vec<_> = shown.entities.iter().map(|e| (e.kind, e.offset, e.length)).collect();
        assert_eq!(marks, [(EntityKind::ExpandableBlockquote, 0, 11), (EntityKind::Bold, 12, 4)]);
        assert_eq!(check(&shown), Ok(()));
    }

    #[test]
    fn nothing_adds_nothing() {
        let mut shown = plain("a");
        shown.append("\n\n", folded("  ", 10));
        assert_eq!(shown, plain("a"));
        assert_eq!(folded("abcdef", 3).text, "abc…");
    }
}
