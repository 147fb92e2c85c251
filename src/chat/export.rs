//! `/export`: the conversation as files to keep, Markdown for people and JSON Lines for programs.
//!
//! Written page by page into storage in parts of some megabytes, so that it does not matter how long a conversation is;
//! then each part is a delivery like any other. A killed process begins again under new names. Source of the limits:
//! cloudflare.md §1.2 (memory), telegram.md §3.1 (uploads of 50 MB).

use serde::{Deserialize, Serialize};

use super::conversation::Conversation;
use super::inbox::{self, Lookup};
use super::material;
use super::outbox::{Slot, enqueue};
use super::ports::Ports;
use super::transcript::{self, Kept};
use crate::directory::Level;
use crate::llm::{Message, PartKind, Role};
use crate::store::{Sql, StoreError};
use crate::telegram::method::{Content, SendOptions, Upload, send_document};
use crate::text::calendar::{date_time, month};
use crate::text::{self, Lang};

/// Bytes after which a part is closed; one message more may come on top.
const PART: usize = 2_000_000;
/// Parts of each form.
const MAX_PARTS: usize = 10;
/// Bytes after which a piece for downloading is closed.
const PIECE: usize = 500_000;
/// Messages read at a time.
const PAGE: i64 = 100;
/// Writes of one part.
const TRIES: u32 = 3;
const WRITE_MS: i64 = 60_000;

/// A form of the export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Form {
    #[serde(rename = "markdown")]
    Markdown,
    #[serde(rename = "jsonl")]
    JsonLines,
}

/// A piece of an export for downloading.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ExportPage {
    pub text: String,
    /// `after` of the next piece; `None`: this was the last.
    pub next: Option<i64>,
}

/// A line of the JSON form.
#[derive(Serialize)]
struct Line<'a> {
    id: i64,
    /// Unix milliseconds.
    at: i64,
    epoch: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    turn: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a str>,
    #[serde(flatten)]
    message: &'a Message,
}

/// A part in storage.
struct Part {
    key: String,
    size: u64,
}

/// What came of one form.
struct Written {
    parts: Vec<Part>,
    messages: i64,
    /// Messages were left out.
    cut: bool,
}

impl<S: Sql, P: Ports> Conversation<S, P> {
    /// Answers `/export`: `lookup.kind` is `export` for what is talked about now, `export_all` for all there was.
    pub(super) async fn export(&self, lookup: &Lookup) -> Result<(), StoreError> {
        let epoch = (lookup.kind == "export").then_some(self.settings.borrow().epoch);
        let lang = self.settings.borrow().lang;
        let mut calls = Vec::new();
        let mut line = None;
        for form in [Form::Markdown, Form::JsonLines] {
            let Some(written) = self.write_out(lookup.seq, epoch, form, lang).await? else {
                line = Some(text::media::export_failed(lang).to_owned());
                break;
            };
            if written.parts.is_empty() {
                line = Some(text::media::nothing_to_export(lang).to_owned());
                break;
            }
            if written.cut {
                line = Some(text::media::export_cut(lang, written.messages));
            }
            let many = written.parts.len() > 1;
            for (part, number) in written.parts.into_iter().zip(1..) {
                let number = if many { format!("-{number}") } else { String::new() };
                let (end, mime) = match form {
                    Form::Markdown => ("md", "text/markdown"),
                    Form::JsonLines => ("jsonl", "application/jsonl"),
                };
                let upload = Upload {
                    field: "document".to_owned(),
                    name: format!("conversation{number}.{end}"),
                    mime: mime.to_owned(),
                    content: Content::Stored { key: part.key, size: part.size },
                };
                let options = SendOptions { silent: !calls.is_empty(), ..SendOptions::default() };
                calls.push(send_document(self.target(), upload, None, &options));
            }
        }
        self.atomically(|| {
            inbox::close(&self.sql, lookup.seq, "command", Some(&lookup.kind), None)?;
            for (call, seq) in calls.iter().zip(0..) {
                enqueue(&self.sql, None, Slot::Command, seq, call, 0, self.ports.now())?;
            }
            match &line {
                Some(line) => self.say(Slot::Command, None, line, &SendOptions::default()),
                None => Ok(()),
            }
        })
    }

    /// The messages after `after`, as many as make some hundred kilobytes.
    pub(super) fn export_page(&self, form: Form, after: i64) -> Result<ExportPage, StoreError> {
        let lang = self.settings.borrow().lang;
        let mut piece = ExportPage::default();
        if after == 0 && form == Form::Markdown {
            piece.text = format!("# {}\n", text::media::export_title(lang, &date_time(self.ports.now())));
        }
        piece.next = Some(after);
        while piece.text.len() < PIECE {
            let page = transcript::page(&self.sql, None, piece.next.unwrap_or(after), PAGE)?;
            for kept in &page {
                self.put(&mut piece.text, kept, form, lang)?;
                piece.next = Some(kept.id);
                if piece.text.len() >= PIECE {
                    return Ok(piece);
                }
            }
            if page.len() < PAGE as usize {
                piece.next = None;
                break;
            }
        }
        Ok(piece)
    }

    /// Writes one form. `None`: storage does not take it.
    async fn write_out(
        &self,
        seq: i64,
        epoch: Option<i64>,
        form: Form,
        lang: Lang,
    ) -> Result<Option<Written>, StoreError> {
        let now = self.ports.now();
        let session = self.session().unwrap_or_default();
        let mut written = Written { parts: Vec::new(), messages: 0, cut: false };
        let mut text = String::new();
        let mut after = 0;
        loop {
            let page = transcript::page(&self.sql, epoch, after, PAGE)?;
            let is_last = page.len() < PAGE as usize;
            for kept in &page {
                after = kept.id;
                if text.is_empty() && form == Form::Markdown && written.parts.is_empty() {
                    text = format!("# {}\n", text::media::export_title(lang, &date_time(now)));
                }
                self.put(&mut text, kept, form, lang)?;
                written.messages += 1;
                if text.len() >= PART {
                    if written.parts.len() + 1 == MAX_PARTS {
                        written.cut = true;
                        break;
                    }
                    let Some(part) = self.write_part(seq, now, &session, form, written.parts.len(), &mut text).await
                    else {
                        return Ok(None);
                    };
                    written.parts.push(part);
                }
            }
            if is_last || written.cut {
                break;
            }
        }
        if !text.is_empty() {
            let Some(part) = self.write_part(seq, now, &session, form, written.parts.len(), &mut text).await else {
                return Ok(None);
            };
            written.parts.push(part);
        }
        Ok(Some(written))
    }

    async fn write_part(
        &self,
        seq: i64,
        now: i64,
        session: &str,
        form: Form,
        index: usize,
        text: &mut String,
    ) -> Option<Part> {
        let end = if form == Form::Markdown { "md" } else { "jsonl" };
        let bytes = std::mem::take(text).into_bytes();
        for tries in 1..=TRIES {
            // A write whose answer was lost may have come true: each has a name of its own.
            let key = format!("exports/{session}/{}/{seq}-{now}-{tries}-{index}.{end}", month(now));
            if let Some(Ok(())) = self.in_time(WRITE_MS, self.ports.write(&key, bytes.clone())).await {
                return Some(Part { key, size: bytes.len() as u64 });
            }
            self.ports.sleep(1_000).await;
        }
        self.note(Level::Error, "storage", "an export could not be stored");
        None
    }

    fn put(&self, text: &mut String, kept: &Kept, form: Form, lang: Lang) -> Result<(), StoreError> {
        if form == Form::JsonLines {
            let line = Line {
                id: kept.id,
                at: kept.created_at,
                epoch: kept.epoch,
                turn: kept.turn_id,
                model: kept.model.as_deref().filter(|_| kept.message.role == Role::Assistant),
                message: &kept.message,
            };
            text.push_str(&crate::store::to_json(&line)?);
            text.push('\n');
            return Ok(());
        }
        let who = match kept.message.role {
            Role::User => text::media::the_person(lang),
            Role::Assistant => kept.model.as_deref().unwrap_or("assistant"),
            Role::Tool => text::media::a_tool(lang),
        };
        text.push_str(&format!("\n## {} · {who}\n\n", date_time(kept.created_at)));
        for part in &kept.message.parts {
            match &part.kind {
                PartKind::Text(words) => text.push_str(&format!("{}\n", words.trim_end())),
                PartKind::Media(media) => {
                    let note = material::described(&self.sql, media)?;
                    text.push_str(&format!("\n📎 {note}\n"));
                }
                PartKind::ToolCall(call) => text.push_str(&format!("\n🔧 {} {}\n", call.name, call.arguments)),
                PartKind::ToolResult(result) => text.push_str(&format!("\n🔧 {}: {}\n", result.name, result.content)),
                PartKind::Thought(_) => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_json_form_is_pinned() {
        let message = Message::user("hi");
        let line = Line { id: 1, at: 2, epoch: 0, turn: Some(3), model: None, message: &message };
        let json = r#"{"id":1,"at":2,"epoch":0,"turn":3,"role":"user","parts":[{"text":"hi"}]}"#;
        assert_eq!(serde_json::to_string(&line).unwrap(), json);
    }
}
