//! What a message says and carries, in the form the conversation stores.
//!
//! Source: telegram.md §5. Not here: fetching files; only their ids and sizes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::message::{File, Message, TextEntity};

/// The content of one received message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// Text or caption, our own mention removed, code and links back in Markdown; short forms for places, contacts ….
    pub text: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    /// What the person replied to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply: Option<Replied>,
    /// Who wrote it, in chats of several people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
    /// Name after "Forwarded from"; such text is material, not instruction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forwarded_from: Option<String>,
}

/// A file by its Telegram id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    pub kind: AttachmentKind,
    pub file_id: String,
    pub file_unique_id: String,
    /// Bytes, if Telegram told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mime: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AttachmentKind {
    Photo,
    Document,
    Voice,
    Audio,
    Video,
    VideoNote,
    Animation,
    Sticker,
}

/// The replied-to message: the part the person selected, or its whole text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replied {
    pub message_id: i64,
    pub text: String,
    /// True if the replied-to message is the bot's own.
    pub ours: bool,
    /// Its files: who asks about a photo by replying to it means that photo.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
}

impl AttachmentKind {
    const NAMES: [(AttachmentKind, &'static str); 8] = [
        (AttachmentKind::Photo, "photo"),
        (AttachmentKind::Document, "document"),
        (AttachmentKind::Voice, "voice"),
        (AttachmentKind::Audio, "audio"),
        (AttachmentKind::Video, "video"),
        (AttachmentKind::VideoNote, "video_note"),
        (AttachmentKind::Animation, "animation"),
        (AttachmentKind::Sticker, "sticker"),
    ];

    /// The name it is stored under.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(kind, _)| *kind == self).map_or("document", |(_, name)| name)
    }

    /// The kind stored under `name`; a document if there is none.
    pub fn from_name(name: &str) -> AttachmentKind {
        Self::NAMES.iter().find(|(_, known)| *known == name).map_or(AttachmentKind::Document, |(kind, _)| *kind)
    }

    /// The type Telegram's own clients produce, for files that carry none.
    pub fn usual_mime(self) -> &'static str {
        match self {
            AttachmentKind::Photo => "image/jpeg",
            AttachmentKind::Voice => "audio/ogg",
            AttachmentKind::Audio => "audio/mpeg",
            AttachmentKind::Video | AttachmentKind::VideoNote | AttachmentKind::Animation => "video/mp4",
            AttachmentKind::Sticker => "image/webp",
            AttachmentKind::Document => "application/octet-stream",
        }
    }
}

impl Content {
    /// Reads `message`. `bot_id` and `bot_username` are ours.
    pub fn read(message: &Message, bot_id: i64, bot_username: Option<&str>) -> Content {
        let (text, entities) = message.body();
        let mut text = to_markdown(text, entities, bot_username);
        if let Some(extra) = short_form(message) {
            text = if text.is_empty() { extra } else { format!("{text}\n{extra}") };
        }
        Content {
            text,
            attachments: attachments(message),
            sender: message.from.as_ref().filter(|_| !message.chat.is_private()).map(|user| user.name()),
            reply: message.reply_to_message.as_deref().map(|replied| replied_to(message, replied, bot_id)),
            forwarded_from: message.forward_origin.as_ref().map(|origin| origin.name()),
        }
    }

    /// True if there is nothing in it that a model or a person could use.
    pub fn is_empty(&self) -> bool {
        self.text.trim().is_empty() && self.attachments.is_empty()
    }

    /// Its own files, then those of the message it replies to.
    pub fn all_attachments(&self) -> impl Iterator<Item = &Attachment> {
        self.attachments.iter().chain(self.reply.iter().flat_map(|reply| &reply.attachments))
    }
}

fn replied_to(message: &Message, replied: &Message, bot_id: i64) -> Replied {
    let ours = replied.from.as_ref().is_some_and(|user| user.id == bot_id);
    let text = match &message.quote {
        Some(quote) if quote.is_manual => quote.text.clone(),
        _ => {
            let (text, entities) = replied.body();
            if text.is_empty() {
                short_form(replied).unwrap_or_else(|| rich_text(replied.rich_message.as_ref()))
            } else {
                to_markdown(text, entities, None)
            }
        }
    };
    Replied { message_id: replied.message_id, text, ours, attachments: attachments(replied) }
}

fn attachments(message: &Message) -> Vec<Attachment> {
    use AttachmentKind::*;
    let one = |kind: AttachmentKind, file: &File| Attachment {
        kind,
        file_id: file.file_id.clone(),
        file_unique_id: file.file_unique_id.clone(),
        size: file.file_size,
        mime: file.mime_type.clone(),
        name: file.file_name.clone(),
        duration: file.duration,
    };
    // An animation also sets `document`, a live photo also sets `photo`: the first that fits wins.
    let single = [
        (Animation, &message.animation),
        (Document, &message.document),
        (Voice, &message.voice),
        (Audio, &message.audio),
        (VideoNote, &message.video_note),
        (Video, &message.video),
    ];
    if let Some((kind, file)) = single.iter().find_map(|(kind, file)| file.as_ref().map(|file| (*kind, file))) {
        return vec![one(kind, file)];
    }
    if let Some(largest) = message.photo.iter().max_by_key(|size| size.file_size.unwrap_or(0)) {
        return vec![one(Photo, largest)];
    }
    // Moving stickers are Lottie or WebM, which no model takes; their emoji stands in the text.
    if let Some(sticker) = message.sticker.as_ref().filter(|sticker| !sticker.is_animated && !sticker.is_video) {
        return vec![one(Sticker, sticker)];
    }
    Vec::new()
}

/// A line for the kinds of content that are best told in words.
fn short_form(message: &Message) -> Option<String> {
    if let Some(venue) = &message.venue {
        let place =
            message.location.as_ref().map(|l| format!(" ({}, {})", l.latitude, l.longitude)).unwrap_or_default();
        return Some(format!("[venue: {}, {}{place}]", venue.title, venue.address));
    }
    if let Some(location) = &message.location {
        return Some(format!("[location: {}, {}]", location.latitude, location.longitude));
    }
    if let Some(contact) = &message.contact {
        return Some(format!("[contact: {}, {}]", contact.first_name, contact.phone_number));
    }
    if let Some(poll) = &message.poll {
        return Some(format!("[poll: {}]", poll.question));
    }
    if let Some(sticker) = &message.sticker {
        return Some(sticker.emoji.clone().unwrap_or_else(|| "[sticker]".into()));
    }
    message.rich_message.as_ref().map(|rich| rich_text(Some(rich))).filter(|text| !text.is_empty())
}

/// True if `body`, a `message` update, holds a service message: something that happened in the chat, not something said.
pub fn is_service(body: &str) -> bool {
    #[derive(Deserialize)]
    struct Outer {
        message: BTreeMap<String, serde::de::IgnoredAny>,
    }
    const PREFIXES: [&str; 16] = [
        "new_chat_",
        "left_chat_",
        "delete_chat_",
        "group_chat_",
        "supergroup_chat_",
        "channel_chat_",
        "migrate_",
        "pinned_message",
        "forum_topic_",
        "general_forum_",
        "message_auto_delete",
        "video_chat_",
        "write_access_",
        "chat_background",
        "boost_added",
        "proximity_alert",
    ];
    serde_json::from_str::<Outer>(body)
        .is_ok_and(|outer| outer.message.keys().any(|key| PREFIXES.iter().any(|prefix| key.starts_with(prefix))))
}

/// Every string under `text` keys of a rich message, a line a block: enough to quote it to a model.
fn rich_text(rich: Option<&serde_json::Value>) -> String {
    fn collect(value: &serde_json::Value, out: &mut String, depth: usize) {
        use serde_json::Value;
        if depth > 20 || out.len() > 20_000 {
            return;
        }
        match value {
            Value::String(text) => out.push_str(text),
            Value::Array(items) => items.iter().for_each(|item| collect(item, out, depth + 1)),
            Value::Object(fields) => {
                for key in ["text", "blocks", "items", "cells", "summary", "expression"] {
                    if let Some(inner) = fields.get(key) {
                        collect(inner, out, depth + 1);
                    }
                }
                if fields.contains_key("type") && depth <= 3 {
                    out.push('\n');
                }
            }
            _ => {}
        }
    }
    let mut out = String::new();
    if let Some(blocks) = rich.and_then(|rich| rich.get("blocks")) {
        collect(blocks, &mut out, 0);
    }
    out.trim().to_owned()
}

/// Code, preformatted text and hidden links back to Markdown; our own leading or inner mention removed.
fn to_markdown(text: &str, entities: &[TextEntity], bot_username: Option<&str>) -> String {
    let units: Vec<u16> = text.encode_utf16().collect();
    let mut marks: Vec<(usize, u8, String)> = Vec::new();
    let mut removed: Vec<(usize, usize)> = Vec::new();
    for entity in entities {
        let (start, end) = (entity.offset, entity.offset.saturating_add(entity.length));
        let Some(slice) = units.get(start..end) else { continue };
        match entity.kind.as_str() {
            "mention" if is_our_mention(slice, bot_username) => removed.push((start, end)),
            "code" => {
                marks.push((start, 1, "`".into()));
                marks.push((end, 0, "`".into()));
            }
            "pre" => {
                marks.push((start, 1, format!("```{}\n", entity.language.as_deref().unwrap_or(""))));
                marks.push((end, 0, "\n```".into()));
            }
            "text_link" => {
                if let Some(url) = &entity.url {
                    marks.push((start, 1, "[".into()));
                    marks.push((end, 0, format!("]({url})")));
                }
            }
            _ => {}
        }
    }
    if marks.is_empty() && removed.is_empty() {
        return text.trim().to_owned();
    }
    marks.sort_by_key(|(at, order, _)| (*at, *order));
    let mut out = String::with_capacity(text.len() + 16);
    let mut at = 0;
    let mut marks = marks.into_iter().peekable();
    for c in text.chars() {
        while let Some((_, _, mark)) = marks.next_if(|(position, _, _)| *position <= at) {
            out.push_str(&mark);
        }
        if !removed.iter().any(|(start, end)| (*start..*end).contains(&at)) {
            out.push(c);
        }
        at += c.len_utf16();
    }
    marks.for_each(|(_, _, mark)| out.push_str(&mark));
    out.trim().to_owned()
}

fn is_our_mention(slice: &[u16], bot_username: Option<&str>) -> bool {
    let Some(ours) = bot_username else { return false };
    String::from_utf16_lossy(slice).trim_start_matches('@').eq_ignore_ascii_case(ours)
}

/// True if a message in a group is meant for us: a mention, a reply to us, or a command that names nobody else.
/// Source: telegram.md §0.9.
pub fn is_addressed(message: &Message, bot_id: i64, bot_username: Option<&str>) -> bool {
    let replied = message.reply_to_message.as_ref().and_then(|replied| replied.from.as_ref());
    if replied.is_some_and(|user| user.id == bot_id) {
        return true;
    }
    let (text, entities) = message.body();
    let units: Vec<u16> = text.encode_utf16().collect();
    let mentioned = entities.iter().any(|entity| match entity.kind.as_str() {
        "mention" => units
            .get(entity.offset..entity.offset.saturating_add(entity.length))
            .is_some_and(|slice| is_our_mention(slice, bot_username)),
        "text_mention" => entity.user.as_ref().is_some_and(|user| user.id == bot_id),
        _ => false,
    });
    mentioned || super::command::parse(message, bot_username).is_some()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::indexing_slicing)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(extra: serde_json::Value) -> Content {
        Content::read(&message(extra), 99, Some("TideBot"))
    }

    fn message(extra: serde_json::Value) -> Message {
        let mut value = json!({"message_id": 5, "date": 1, "chat": {"id": 7, "type": "private"}});
        value.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        serde_json::from_value::<Box<serde_json::value::RawValue>>(value)
            .map(|raw| serde_json::from_str(raw.get()).unwrap())
            .unwrap()
    }

    #[test]
    fn code_and_links_come_back_as_markdown_and_our_mention_goes() {
        let content = read(json!({
            "text": "@tidebot 😀 run ls now",
            "entities": [
                {"type": "mention", "offset": 0, "length": 8},
                {"type": "code", "offset": 16, "length": 2},
                {"type": "text_link", "offset": 19, "length": 3, "url": "https://a.example/"},
            ],
        }));
        assert_eq!(content.text, "😀 run `ls` [now](https://a.example/)");
    }

    #[test]
    fn an_offset_outside_the_text_is_ignored() {
        let content = read(json!({"text": "hi", "entities": [{"type": "code", "offset": 1, "length": 90}]}));
        assert_eq!(content.text, "hi");
    }

    #[test]
    fn a_manual_quote_beats_the_whole_text() {
        let replied = json!({"message_id": 3, "chat": {"id": 7, "type": "private"}, "text": "one two three",
            "from": {"id": 99, "is_bot": true, "first_name": "T"}});
        let whole = read(json!({"text": "?", "reply_to_message": replied}));
        let expected = Replied { message_id: 3, text: "one two three".into(), ours: true, attachments: Vec::new() };
        assert_eq!(whole.reply, Some(expected));
        let part = read(json!({"text": "?", "reply_to_message": replied, "quote": {"text": "two", "is_manual": true}}));
        assert_eq!(part.reply.unwrap().text, "two");
    }

    #[test]
    fn an_animation_is_not_also_a_document_and_the_largest_photo_wins() {
        let file = |id: &str, size: i64| json!({"file_id": id, "file_unique_id": id, "file_size": size});
        let gif = read(json!({"animation": file("a", 1), "document": file("d", 1)}));
        assert_eq!(gif.attachments.len(), 1);
        assert_eq!(gif.attachments[0].kind, AttachmentKind::Animation);
        let photo = read(json!({"photo": [file("s", 10), file("l", 30), file("m", 20)], "caption": "see"}));
        assert_eq!((photo.attachments[0].file_id.as_str(), photo.text.as_str()), ("l", "see"));
    }

    #[test]
    fn a_field_of_the_wrong_shape_is_absent() {
        let content = read(json!({"text": "hi", "document": 5, "entities": "x", "quote": [], "photo": [{"a": 1}]}));
        assert_eq!(content, Content { text: "hi".into(), ..Content::default() });
    }

    #[test]
    fn groups_need_a_mention_a_reply_or_a_command() {
        let ours = |extra| is_addressed(&message(extra), 99, Some("TideBot"));
        assert!(!ours(json!({"text": "hello all"})));
        assert!(ours(json!({"text": "hey @TideBot", "entities": [{"type": "mention", "offset": 4, "length": 8}]})));
        assert!(!ours(json!({"text": "hey @OtherBot", "entities": [{"type": "mention", "offset": 4, "length": 9}]})));
        assert!(ours(json!({"text": "/new"})));
        assert!(!ours(json!({"text": "/new@OtherBot"})));
        let reply = json!({"message_id": 1, "chat": {"id": 7}, "from": {"id": 99, "is_bot": true}});
        assert!(ours(json!({"text": "and?", "reply_to_message": reply})));
    }

    #[test]
    fn stored_form_is_pinned() {
        let content = Content {
            text: "hi".into(),
            attachments: vec![Attachment {
                kind: AttachmentKind::VideoNote,
                file_id: "f".into(),
                file_unique_id: "u".into(),
                size: Some(3),
                mime: None,
                name: None,
                duration: Some(9),
            }],
            reply: Some(Replied { message_id: 1, text: "q".into(), ours: true, attachments: Vec::new() }),
            sender: Some("Bob".into()),
            forwarded_from: Some("Ann".into()),
        };
        assert_eq!(
            serde_json::to_string(&content).unwrap(),
            r#"{"text":"hi","attachments":[{"kind":"video_note","file_id":"f","file_unique_id":"u","size":3,"duration":9}],"reply":{"message_id":1,"text":"q","ours":true},"sender":"Bob","forwarded_from":"Ann"}"#
        );
    }
}
