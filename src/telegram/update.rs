//! What Telegram posts to the webhook, as far as an assistant needs it.
//!
//! Source: Bot API 10.3, `Update`. Kinds we do not act on keep their name only; the inbox records them.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::lenient;
use super::message::{Chat, Message, User};

/// The kinds we act on, for `setWebhook`: no other is to be delivered.
pub const ALLOWED_UPDATES: [&str; 5] =
    ["message", "edited_message", "callback_query", "stopped_message_generation", "my_chat_member"];

/// One update. `update_id` is unique per bot; Telegram may deliver it more than once.
#[derive(Debug, Clone)]
pub struct Update {
    pub id: i64,
    pub kind: UpdateKind,
}

#[derive(Debug, Clone)]
pub enum UpdateKind {
    Message(Box<Message>),
    Edited(Box<Message>),
    Callback(Box<Callback>),
    /// The user pressed Telegram's own Stop under a draft (Bot API 10.3, `stopped_message_generation`).
    Stopped(Stopped),
    /// Our own membership of a chat changed.
    Membership(Box<Membership>),
    /// A kind we do not know or whose body does not decode; holds the field's name.
    Unknown(String),
}

/// A press of an inline button.
#[derive(Debug, Clone, Deserialize)]
pub struct Callback {
    pub id: String,
    pub from: User,
    #[serde(default, deserialize_with = "lenient::maybe")]
    pub message: Option<Message>,
    #[serde(default, deserialize_with = "lenient::maybe")]
    pub data: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Stopped {
    pub chat: Chat,
    #[serde(default)]
    pub message_thread_id: Option<i64>,
    pub draft_id: i64,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Membership {
    pub chat: Chat,
    pub from: User,
    pub new_chat_member: Member,
}

/// `status` is `creator`, `administrator`, `member`, `restricted`, `left` or `kicked`.
#[derive(Debug, Clone, Deserialize)]
pub struct Member {
    pub status: String,
}

/// Why a body is not an update.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadUpdate {
    /// Not JSON, or not an object with an integer `update_id`.
    #[error("not an update: {0}")]
    NotAnUpdate(String),
}

impl Update {
    /// Decodes a webhook body. Only a body without an `update_id` is an error; everything else has a kind.
    pub fn decode(body: &str) -> Result<Update, BadUpdate> {
        let envelope: std::collections::BTreeMap<String, &RawValue> =
            serde_json::from_str(body).map_err(|error| BadUpdate::NotAnUpdate(error.to_string()))?;
        let id = envelope
            .get("update_id")
            .and_then(|raw| raw.get().parse::<i64>().ok())
            .ok_or_else(|| BadUpdate::NotAnUpdate("update_id is missing or not an integer".into()))?;
        let Some((name, raw)) = envelope.iter().find(|(name, _)| name.as_str() != "update_id") else {
            return Ok(Update { id, kind: UpdateKind::Unknown("empty".into()) });
        };
        Ok(Update { id, kind: decode_kind(name, raw.get()).unwrap_or_else(|| UpdateKind::Unknown(name.clone())) })
    }

    /// Where this update belongs, if it belongs to a chat at all.
    pub fn chat(&self) -> Option<&Chat> {
        match &self.kind {
            UpdateKind::Message(message) | UpdateKind::Edited(message) => Some(&message.chat),
            UpdateKind::Callback(callback) => callback.message.as_ref().map(|message| &message.chat),
            UpdateKind::Stopped(stopped) => Some(&stopped.chat),
            UpdateKind::Membership(membership) => Some(&membership.chat),
            UpdateKind::Unknown(_) => None,
        }
    }

    /// The person who caused it, if Telegram names one.
    pub fn sender(&self) -> Option<&User> {
        match &self.kind {
            UpdateKind::Message(message) | UpdateKind::Edited(message) => message.from.as_ref(),
            UpdateKind::Callback(callback) => Some(&callback.from),
            UpdateKind::Membership(membership) => Some(&membership.from),
            UpdateKind::Stopped(_) | UpdateKind::Unknown(_) => None,
        }
    }

    /// The forum or private-chat topic; `None` for General and for chats without topics.
    pub fn topic(&self) -> Option<i64> {
        match &self.kind {
            UpdateKind::Message(message) | UpdateKind::Edited(message) => message.topic(),
            UpdateKind::Callback(callback) => callback.message.as_ref().and_then(Message::topic),
            UpdateKind::Stopped(stopped) => stopped.message_thread_id.filter(|&thread| thread != 1),
            UpdateKind::Membership(_) | UpdateKind::Unknown(_) => None,
        }
    }

    /// The kind's name as stored in the inbox.
    pub fn kind_name(&self) -> &str {
        match &self.kind {
            UpdateKind::Message(_) => "message",
            UpdateKind::Edited(_) => "edited_message",
            UpdateKind::Callback(_) => "callback_query",
            UpdateKind::Stopped(_) => "stopped_message_generation",
            UpdateKind::Membership(_) => "my_chat_member",
            UpdateKind::Unknown(name) => name,
        }
    }
}

fn decode_kind(name: &str, raw: &str) -> Option<UpdateKind> {
    Some(match name {
        "message" => UpdateKind::Message(serde_json::from_str(raw).ok()?),
        "edited_message" => UpdateKind::Edited(serde_json::from_str(raw).ok()?),
        "callback_query" => UpdateKind::Callback(serde_json::from_str(raw).ok()?),
        "stopped_message_generation" => UpdateKind::Stopped(serde_json::from_str(raw).ok()?),
        "my_chat_member" => UpdateKind::Membership(serde_json::from_str(raw).ok()?),
        _ => return None,
    })
}
