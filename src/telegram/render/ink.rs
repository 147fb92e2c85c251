//! Text being written, with the styles that are on.
//!
//! Styles may be opened and closed in any order and more than once; `span::normalise` puts the outcome in order.
//! Not here: lines and indentation (see `walk`).

use super::EntityKind;
use super::link::{self, Target};
use super::span::{Span, part};

/// A style that is on: how often it was opened, and where first.
#[derive(Debug, Clone, Copy, Default)]
struct On {
    depth: usize,
    start: usize,
}

/// A link whose text is being written.
#[derive(Debug)]
struct OpenLink {
    start: usize,
    /// `None` inside another link or inside code: only the text counts.
    target: Option<Target>,
}

/// A growing text with its spans.
#[derive(Debug, Default)]
pub(super) struct Ink {
    pub text: String,
    pub spans: Vec<Span>,
    styles: [On; 10],
    links: Vec<OpenLink>,
}

impl Ink {
    pub fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    fn on(&self, kind: EntityKind) -> bool {
        self.styles.get(kind as usize).is_some_and(|on| on.depth > 0)
    }

    pub fn open(&mut self, kind: EntityKind) {
        let start = self.text.len();
        if let Some(on) = self.styles.get_mut(kind as usize) {
            if on.depth == 0 {
                on.start = start;
            }
            on.depth += 1;
        }
    }

    pub fn close(&mut self, kind: EntityKind) {
        let end = self.text.len();
        if let Some(on) = self.styles.get_mut(kind as usize)
            && on.depth > 0
        {
            on.depth -= 1;
            if on.depth == 0 && on.start < end {
                self.spans.push(Span::new(kind, on.start, end));
            }
        }
    }

    /// Writes code; inside a link the link alone remains (telegram.md §4.1).
    pub fn code(&mut self, text: &str) {
        if self.in_link() || self.in_code() {
            self.push(text);
        } else {
            self.open(EntityKind::Code);
            self.push(text);
            self.close(EntityKind::Code);
        }
    }

    pub fn in_code(&self) -> bool {
        self.on(EntityKind::Code) || self.on(EntityKind::Pre)
    }

    pub fn in_link(&self) -> bool {
        self.links.iter().any(|link| matches!(link.target, Some(Target::Link(_))))
    }

    pub fn open_link(&mut self, dest: &str) {
        let target = (self.links.is_empty() && !self.in_code()).then(|| link::judge(dest));
        self.links.push(OpenLink { start: self.text.len(), target });
    }

    /// Ends the link opened last. `stands_alone`: what follows would not be read as part of a bare URL.
    pub fn close_link(&mut self, stands_alone: bool) {
        let Some(OpenLink { start, target: Some(target) }) = self.links.pop() else { return };
        let shown = part(&self.text, start, self.text.len()).trim().to_owned();
        match target {
            Target::Nothing => {}
            Target::Link(url) => {
                if shown.is_empty() {
                    self.push(&url);
                }
                let bare = shown.is_empty() || shown == url || shown == url.trim_end_matches('/');
                if !bare || !stands_alone {
                    let mut span = Span::new(EntityKind::TextLink, start, self.text.len());
                    span.extra = Some(url);
                    self.spans.push(span);
                }
            }
            Target::Address(address) => {
                if shown.is_empty() {
                    self.push(&address);
                } else if !shown.contains(address.as_str()) {
                    self.push(&format!(" ({address})"));
                }
            }
            Target::Shown(dest) => {
                let dest = super::clean::characters(&dest);
                if shown.is_empty() {
                    self.code(&dest);
                } else if shown == dest {
                    self.spans.push(Span::new(EntityKind::Code, start, self.text.len()));
                } else {
                    self.push(" (");
                    self.code(&dest);
                    self.push(")");
                }
            }
        }
    }

    /// Adds a text written elsewhere.
    pub fn append(&mut self, text: &str, spans: &[Span]) {
        let base = self.text.len();
        self.push(text);
        self.spans.extend(spans.iter().cloned().map(|mut span| {
            span.start += base;
            span.end += base;
            span
        }));
    }
}
