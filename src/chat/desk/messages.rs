//! The transcript, newest first: everything that was ever said, also before `/new` and in turns answered anew.
//!
//! A search looks at the words themselves, a bounded stretch in one request, and says where to go on: SQLite folds Latin
//! letters only, and an index of all words would be written with every message.

use super::{Extra, MessageView, MessagesView};
use crate::chat::conversation::Conversation;
use crate::chat::ports::Ports;
use crate::directory::fold;
use crate::llm::{Message, PartKind, Role};
use crate::store::{Row, Sql, StoreError};

/// Messages of a page.
const PAGE: usize = 30;
/// Messages read at a time.
const BATCH: usize = 30;
/// Bytes of bodies after which a page ends, so that an object's memory does not depend on what people wrote.
const MAX_BYTES: usize = 1_000_000;
/// What a search looks at in one request: messages, and bytes of their bodies.
const LOOKED_AT: i64 = 3_000;
const SEARCHED_BYTES: usize = 6_000_000;
/// Words of a search.
const TERMS: usize = 5;
const MAX_TEXT: usize = 20_000;
const MAX_EXTRA: usize = 2_000;

const COLUMNS: &str =
    "message.id, message.created_at, message.epoch, message.turn_id, coalesce(answered_by, model), hidden, body";

impl<S: Sql, P: Ports> Conversation<S, P> {
    pub(super) fn messages(&self, before: Option<i64>, search: Option<&str>) -> Result<MessagesView, StoreError> {
        let folded = fold(search.unwrap_or_default());
        let terms: Vec<&str> = folded.split(' ').filter(|term| !term.is_empty()).take(TERMS).collect();
        let most_bytes = if terms.is_empty() { MAX_BYTES } else { SEARCHED_BYTES };
        let mut view = MessagesView { next: before, ..MessagesView::default() };
        let (mut bytes, mut shown) = (0, 0);
        loop {
            let rows = self.sql.run(
                &format!(
                    "SELECT {COLUMNS} FROM message LEFT JOIN turn ON turn.id = turn_id
                     WHERE ?1 IS NULL OR message.id < ?1 ORDER BY message.id DESC LIMIT ?2"
                ),
                &[view.next.into(), i64::try_from(BATCH).unwrap_or(0).into()],
            )?;
            for row in &rows {
                view.next = Some(row.int(0)?);
                view.looked_at += 1;
                let size = row.text(6)?.len();
                bytes += size;
                let message = read(row)?;
                if !is_empty(&message) && holds(&message, &terms) {
                    shown += size;
                    view.messages.push(short(message));
                }
                let full = view.messages.len() == PAGE || shown >= MAX_BYTES;
                if full || bytes >= most_bytes || view.looked_at >= LOOKED_AT {
                    return Ok(view);
                }
            }
            if rows.len() < BATCH {
                return Ok(MessagesView { next: None, ..view });
            }
        }
    }

    /// What was said in a turn, oldest first.
    pub(super) fn messages_of(&self, turn: i64) -> Result<Vec<MessageView>, StoreError> {
        let rows = self.sql.run(
            &format!(
                "SELECT {COLUMNS} FROM message LEFT JOIN turn ON turn.id = turn_id WHERE turn_id = ?1
                 ORDER BY message.id LIMIT 60"
            ),
            &[turn.into()],
        )?;
        rows.iter().map(|row| read(row).map(short)).collect()
    }
}

/// Cut to what is shown.
fn short(mut message: MessageView) -> MessageView {
    if let Some((end, _)) = message.text.char_indices().nth(MAX_TEXT) {
        message.text.truncate(end);
        message.cut = true;
    }
    for extra in &mut message.extras {
        extra.text = clipped(&extra.text, MAX_EXTRA);
    }
    message
}

fn read(row: &Row) -> Result<MessageView, StoreError> {
    // One message that does not decode must not hide the others.
    let message: Option<Message> = serde_json::from_str(row.text(6)?).ok();
    let mut view = MessageView {
        id: row.int(0)?,
        at: row.int(1)?,
        epoch: row.int(2)?,
        turn: row.opt_int(3)?,
        replaced: row.int(5)? != 0,
        ..MessageView::default()
    };
    let Some(message) = message else { return Ok(view) };
    let role = match message.role {
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::Tool => "tool",
    };
    view.role = role.to_owned();
    if message.role == Role::Assistant {
        view.model = row.opt_text(4)?.map(str::to_owned);
    }
    for part in &message.parts {
        let (kind, text) = match &part.kind {
            PartKind::Text(text) => {
                view.text.push_str(text);
                continue;
            }
            PartKind::Thought(text) => ("thought", text.clone()),
            PartKind::Media(media) => ("file", format!("{} · {} B · {}", media.mime, media.size, media.key)),
            PartKind::ToolCall(call) => ("call", format!("{} {}", call.name, call.arguments)),
            PartKind::ToolResult(result) => ("result", format!("{}: {}", result.name, result.content)),
        };
        view.extras.push(Extra { kind: kind.to_owned(), text });
    }
    Ok(view)
}

fn is_empty(message: &MessageView) -> bool {
    message.text.is_empty() && message.extras.is_empty()
}

fn holds(message: &MessageView, terms: &[&str]) -> bool {
    if terms.is_empty() {
        return true;
    }
    let text = fold(&message.text);
    let extras: Vec<String> = message.extras.iter().map(|extra| fold(&extra.text)).collect();
    terms.iter().all(|term| text.contains(term) || extras.iter().any(|extra| extra.contains(term)))
}

/// The first `most` characters, with a sign that there were more.
pub(super) fn clipped(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
