//! A message and what hangs on it, as far as an assistant reads it.
//!
//! Source: Bot API 10.3, `Message`. Ids are up to 52 bits: always `i64` (telegram.md §5).

use serde::Deserialize;

use super::lenient;

#[derive(Debug, Clone, Deserialize)]
pub struct User {
    pub id: i64,
    #[serde(default)]
    pub is_bot: bool,
    #[serde(default)]
    pub first_name: String,
    #[serde(default, deserialize_with = "lenient::maybe")]
    pub last_name: Option<String>,
    #[serde(default, deserialize_with = "lenient::maybe")]
    pub username: Option<String>,
    #[serde(default, deserialize_with = "lenient::maybe")]
    pub language_code: Option<String>,
}

impl User {
    /// First and last name as shown in Telegram.
    pub fn name(&self) -> String {
        match &self.last_name {
            Some(last) => format!("{} {last}", self.first_name),
            None => self.first_name.clone(),
        }
    }
}

#[derive(Debug, Clone, Deserialize)]
pub struct Chat {
    pub id: i64,
    /// `private`, `group`, `supergroup` or `channel`.
    #[serde(rename = "type", default)]
    pub kind: String,
    #[serde(default, deserialize_with = "lenient::maybe")]
    pub title: Option<String>,
}

impl Chat {
    pub fn is_private(&self) -> bool {
        self.kind == "private"
    }
}

/// A piece of formatting in received text; offsets are UTF-16 units.
#[derive(Debug, Clone, Deserialize)]
pub struct TextEntity {
    #[serde(rename = "type")]
    pub kind: String,
    pub offset: usize,
    pub length: usize,
    #[serde(default, deserialize_with = "lenient::maybe")]
    pub url: Option<String>,
    #[serde(default, deserialize_with = "lenient::maybe")]
    pub language: Option<String>,
    #[serde(default, deserialize_with = "lenient::maybe")]
    pub user: Option<User>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Quote {
    pub text: String,
    #[serde(default)]
    pub is_manual: bool,
}

/// Who wrote a forwarded message first (`MessageOrigin`).
#[derive(Debug, Clone, Deserialize)]
pub struct Origin {
    #[serde(default, deserialize_with = "lenient::maybe")]
    pub sender_user: Option<User>,
    #[serde(default, deserialize_with = "lenient::maybe")]
    pub sender_user_name: Option<String>,
    #[serde(default, deserialize_with = "lenient::maybe")]
    pub sender_chat: Option<Chat>,
    #[serde(default, deserialize_with = "lenient::maybe")]
    pub chat: Option<Chat>,
}

impl Origin {
    /// The name Telegram shows after "Forwarded from".
    pub fn name(&self) -> String {
        if let Some(user) = &self.sender_user {
            return user.name();
        }
        if let Some(name) = &self.sender_user_name {
            return name.clone();
        }
        self.sender_chat.as_ref().or(self.chat.as_ref()).and_then(|chat| chat.title.clone()).unwrap_or_default()
    }
}

/// Any file of a message: photo size, document, voice, audio, video, note, animation or sticker.
#[derive(Debug, Clone, Deserialize)]
pub struct File {
    pub file_id: String,
    #[serde(default)]
    pub file_unique_id: String,
    #[serde(default, deserialize_with = "lenient::maybe")]
    pub file_size: Option<i64>,
    #[serde(default, deserialize_with = "lenient::maybe")]
    pub file_name: Option<String>,
    #[serde(default, deserialize_with = "lenient::maybe")]
    pub mime_type: Option<String>,
    #[serde(default, deserialize_with = "lenient::maybe")]
    pub duration: Option<i64>,
    /// Stickers only.
    #[serde(default, deserialize_with = "lenient::maybe")]
    pub emoji: Option<String>,
    /// Stickers only.
    #[serde(default)]
    pub is_animated: bool,
    /// Stickers only.
    #[serde(default)]
    pub is_video: bool,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Location {
    pub latitude: f64,
    pub longitude: f64,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Venue {
    #[serde(default)]
    pub title: String,
    #[serde(default)]
    pub address: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Contact {
    #[serde(default)]
    pub phone_number: String,
    #[serde(default)]
    pub first_name: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Poll {
    #[serde(default)]
    pub question: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Message {
    pub message_id: i64,
    pub chat: Chat,
    #[serde(default)]
    pub date: i64,
    #[serde(default, deserialize_with = "lenient::maybe")]
    pub from: Option<User>,
    #[serde(default, deserialize_with = "lenient::maybe")]
    pub sender_chat: Option<Chat>,
    #[serde(default, deserialize_with = "lenient::maybe")]
    pub message_thread_id: Option<i64>,
    #[serde(default)]
    pub is_topic_message: bool,
    #[serde(default, deserialize_with = "lenient::maybe")]
    pub media_group_id: Option<String>,
    #[serde(default, deserialize_with = "lenient::maybe")]
    pub text: Option<String>,
    #[serde(default, deserialize_with = "lenient::list")]
    pub entities: Vec<TextEntity>,
    #[serde(default, deserialize_with = "lenient::maybe")]
    pub caption: Option<String>,
    #[serde(default, deserialize_with = "lenient::list")]
    pub caption_entities: Vec<TextEntity>,
    #[serde(default, deserialize_with = "lenient::maybe")]
    pub reply_to_message: Option<Box<Message>>,
    #[serde(default, deserialize_with = "lenient::maybe")]
    pub quote: Option<Quote>,
    #[serde(default, deserialize_with = "lenient::maybe")]
    pub forward_origin: Option<Origin>,
    #[serde(default, deserialize_with = "lenient::list")]
    pub photo: Vec<File>,
    #[serde(default, deserialize_with = "lenient::maybe")]
    pub document: Option<File>,
    #[serde(default, deserialize_with = "lenient::maybe")]
    pub voice: Option<File>,
    #[serde(default, deserialize_with = "lenient::maybe")]
    pub audio: Option<File>,
    #[serde(default, deserialize_with = "lenient::maybe")]
    pub video: Option<File>,
    #[serde(default, deserialize_with = "lenient::maybe")]
    pub video_note: Option<File>,
    #[serde(default, deserialize_with = "lenient::maybe")]
    pub animation: Option<File>,
    #[serde(default, deserialize_with = "lenient::maybe")]
    pub sticker: Option<File>,
    #[serde(default, deserialize_with = "lenient::maybe")]
    pub location: Option<Location>,
    #[serde(default, deserialize_with = "lenient::maybe")]
    pub venue: Option<Venue>,
    #[serde(default, deserialize_with = "lenient::maybe")]
    pub contact: Option<Contact>,
    #[serde(default, deserialize_with = "lenient::maybe")]
    pub poll: Option<Poll>,
    #[serde(default, deserialize_with = "lenient::maybe")]
    pub rich_message: Option<serde_json::Value>,
    #[serde(default, deserialize_with = "lenient::maybe")]
    pub migrate_to_chat_id: Option<i64>,
}

impl Message {
    /// The topic to answer in. Reply threads of plain groups also carry a thread id, so it counts only with
    /// `is_topic_message`; General (1) must be omitted on sends (telegram.md §1.3, §0.8).
    pub fn topic(&self) -> Option<i64> {
        self.message_thread_id.filter(|&thread| self.is_topic_message && thread != 1)
    }

    /// Text or caption with its entities.
    pub fn body(&self) -> (&str, &[TextEntity]) {
        match (&self.text, &self.caption) {
            (Some(text), _) => (text, &self.entities),
            (None, Some(caption)) => (caption, &self.caption_entities),
            (None, None) => ("", &[]),
        }
    }
}
