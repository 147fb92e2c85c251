//! Updates as Telegram posts them.

use serde_json::{Value, json};

pub const PERSON: i64 = 7;
pub const GROUP: i64 = -100_500;
pub const BOT_ID: i64 = 99;
pub const BOT_NAME: &str = "TideBot";

/// Lays the fields of `more` over `base`.
pub fn with(mut base: Value, more: Value) -> Value {
    for (name, value) in more.as_object().unwrap() {
        base[name] = value.clone();
    }
    base
}

/// A message of the person; `extra` adds or replaces fields.
pub fn message(id: i64, in_group: bool, extra: Value) -> Value {
    let chat = if in_group {
        json!({"id": GROUP, "type": "supergroup", "title": "Family"})
    } else {
        json!({"id": PERSON, "type": "private", "first_name": "Ann"})
    };
    let from = json!({"id": PERSON, "is_bot": false, "first_name": "Ann", "language_code": "en"});
    with(json!({"message_id": id, "date": 1_795_132_800, "chat": chat, "from": from}), extra)
}

/// `@TideBot` and `text`.
pub fn mention(text: &str) -> Value {
    let entity = json!({"type": "mention", "offset": 0, "length": BOT_NAME.len() + 1});
    json!({"text": format!("@{BOT_NAME} {text}"), "entities": [entity]})
}

pub fn photo(id: &str) -> Value {
    json!([{"file_id": id, "file_unique_id": id, "file_size": 1000, "width": 90, "height": 90}])
}

pub fn from_bot() -> Value {
    json!({"id": BOT_ID, "is_bot": true, "first_name": "Tide", "username": BOT_NAME})
}
