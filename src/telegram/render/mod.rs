//! Markdown from a model → text and entities for `sendMessage`, in pieces Telegram accepts.
//!
//! The whole way: [`render`] (or [`render_partial`] while the answer still grows), then [`split`]; every piece
//! passes [`legal::check`]. Nothing here fails: whatever a model writes is shown, at worst as its plain source.
//!
//! How the parts lean on each other, lowest first: `clean` (what Telegram would remove from any text), `span`
//! (entities counted in bytes, their nesting put in order), `ink` (text being written), `link`, `html`, `math`,
//! `width`, `table` (one construct each), `walk` (the parser's events in, ink out), `partial` (repairs an unfinished
//! text so that `walk` can read it), `split`.
//!
//! Not here: rich messages, sending, captions, files for long code.
//!
//! Source of the rules: telegram.md §3.1 "Sizes" and §4 "Formatting"; Bot API, MessageEntity.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

mod clean;
mod compose;
mod html;
mod ink;
pub mod legal;
mod link;
mod math;
mod partial;
mod span;
mod split;
mod table;
mod walk;
mod width;

#[cfg(test)]
mod tests;

pub use clean::{is_blank, utf16_len};
pub use compose::folded;
pub use split::split;

/// Longest text of a piece, in UTF-16 units (Telegram: 4096; telegram.md §3.1 budgets 4000).
pub const MAX_TEXT: usize = 4000;
/// Most entities of a piece, counted after Telegram splits overlapping styles (Telegram keeps 100, drops the rest).
pub const MAX_ENTITIES: usize = 90;
/// Most bytes of a piece's entities as JSON (Telegram refuses at about 9.5 KB).
pub const MAX_ENTITY_BYTES: usize = 8192;

/// Text and entities ready for `sendMessage`. Offsets and lengths are UTF-16 units.
///
/// [`render`] gives one of any length; only the pieces made by [`split`] keep Telegram's limits.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Formatted {
    pub text: String,
    pub entities: Vec<Entity>,
}

/// One MessageEntity of the Bot API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entity {
    #[serde(rename = "type")]
    pub kind: EntityKind,
    /// Start in UTF-16 units from the start of the text.
    pub offset: u32,
    /// Length in UTF-16 units; never 0.
    pub length: u32,
    /// Only with [`EntityKind::TextLink`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Only with [`EntityKind::Pre`]: lower case, `[a-z0-9+#-]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

/// The kinds of entity we send (Bot API, MessageEntity `type`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntityKind {
    // In the order in which they nest when they cover the same text: outermost first.
    Blockquote,
    ExpandableBlockquote,
    TextLink,
    Bold,
    Italic,
    Underline,
    Strikethrough,
    Spoiler,
    Code,
    Pre,
}

impl EntityKind {
    /// A quotation: whole lines, never inside another.
    pub fn is_quote(self) -> bool {
        matches!(self, EntityKind::Blockquote | EntityKind::ExpandableBlockquote)
    }

    /// Code: contains nothing, stands at most inside a quotation.
    pub fn is_code(self) -> bool {
        matches!(self, EntityKind::Code | EntityKind::Pre)
    }

    /// A style, which Telegram splits wherever another entity begins or ends inside it.
    pub fn is_style(self) -> bool {
        !self.is_quote() && !self.is_code() && self != EntityKind::TextLink
    }

    /// The name on the wire.
    pub fn name(self) -> &'static str {
        match self {
            EntityKind::Blockquote => "blockquote",
            EntityKind::ExpandableBlockquote => "expandable_blockquote",
            EntityKind::TextLink => "text_link",
            EntityKind::Bold => "bold",
            EntityKind::Italic => "italic",
            EntityKind::Underline => "underline",
            EntityKind::Strikethrough => "strikethrough",
            EntityKind::Spoiler => "spoiler",
            EntityKind::Code => "code",
            EntityKind::Pre => "pre",
        }
    }
}

/// Renders a whole answer. Never fails; the result is empty only if `markdown` shows nothing at all
/// (see [`is_blank`]): Markdown that renders to nothing visible comes out as its own source.
pub fn render(markdown: &str) -> Formatted {
    let source = clean::source(markdown);
    let (text, spans) = walk::walk(&prepare(&source), walk::Mode::Whole);
    let formatted = span::finish(&text, spans);
    if formatted.text.chars().all(is_blank) { plain(&source) } else { formatted }
}

/// Renders the beginning of an answer that is still being written.
///
/// Open marks are closed for show, and what could still turn into something else (half a link, a fence line, a table
/// being written) is held back, so that a longer prefix shows the same text and more of it wherever Markdown allows.
/// Empty while there is nothing to show yet.
pub fn render_partial(markdown_prefix: &str) -> Formatted {
    let source = clean::source(markdown_prefix);
    let repaired = partial::repair(&source);
    let (text, spans) = walk::walk(&prepare(&repaired), walk::Mode::Prefix);
    let formatted = span::finish(&text, spans);
    if formatted.text.chars().all(is_blank) { Formatted::default() } else { formatted }
}

/// Cleaned plain text, no entities; empty if nothing of it would show.
pub fn plain(text: &str) -> Formatted {
    let text = clean::source(text);
    if text.chars().all(is_blank) {
        return Formatted::default();
    }
    Formatted { text: text.trim().to_owned(), entities: Vec::new() }
}

fn prepare(source: &str) -> Cow<'_, str> {
    math::formulas_as_code(source)
}
