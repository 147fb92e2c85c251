//! What Telegram removes or replaces in any text, done by us before anything is counted.
//!
//! Not here: trimming of the ends, which needs the entities (see `span`).
//!
//! Source: telegram.md §3.1 "Sizes", row "cleaned from any text". Normalisation to NFC comes first, because Telegram
//! drops the combining ring (U+030A): å written as a + ring would arrive as a.

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;

/// Length in UTF-16 units, the unit of every Telegram offset.
pub fn utf16_len(s: &str) -> usize {
    // One unit for each first byte of a character, one more for those outside the Basic Multilingual Plane.
    s.bytes().map(|byte| usize::from(byte & 0xC0 != 0x80) + usize::from(byte >= 0xF0)).sum()
}

/// Whether a character shows nothing: white space, or one of those Telegram counts as empty when it refuses
/// a message as empty.
pub fn is_blank(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}' | '\u{2800}'
            | '\u{FEFF}' | '\u{FFFC}' | '\u{AD}')
}

/// Characters Telegram drops from any text.
pub(super) fn is_dropped(c: char) -> bool {
    matches!(c, '\r' | '\u{2028}'..='\u{202E}' | '\u{30A}' | '\u{333}' | '\u{33F}')
}

/// The source as it will be parsed: NFC, tabs as four spaces, no carriage returns, controls as spaces.
pub(super) fn source(text: &str) -> Cow<'_, str> {
    if text.bytes().all(|byte| byte == b'\n' || (0x20..0x7F).contains(&byte)) {
        return Cow::Borrowed(text);
    }
    match ComposingNormalizerBorrowed::new_nfc().normalize(text) {
        Cow::Borrowed(text) => characters(text),
        Cow::Owned(text) => Cow::Owned(characters(&text).into_owned()),
    }
}

/// The same without normalisation, for text that comes into being while parsing (`&#8232;`).
pub(super) fn characters(text: &str) -> Cow<'_, str> {
    if !text.chars().any(|c| (c.is_control() && c != '\n') || is_dropped(c)) {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\n' => clean.push('\n'),
            '\t' => clean.push_str("    "),
            c if is_dropped(c) => {}
            c if c.is_control() => clean.push(' '),
            c => clean.push(c),
        }
    }
    Cow::Owned(clean)
}
