//! Calls to the Bot API as data: a method's name, its JSON parameters, and a file to upload if there is one.
//!
//! Source: Bot API 10.3. Text always travels with `entities`, never with `parse_mode` (telegram.md §4.2).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::render::Formatted;

/// One call, ready to send.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Call {
    pub method: String,
    pub params: Value,
    /// A file that goes along; the call is then a form (`multipart/form-data`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload: Option<Upload>,
}

/// A file to upload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upload {
    /// The parameter it is the value of: `document`.
    pub field: String,
    /// The name people see; no quotes, no control characters.
    pub name: String,
    /// `text/markdown`.
    pub mime: String,
    pub content: Content,
}

/// Where the bytes of an upload are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// A text, as it is.
    Text(String),
    /// A stored file.
    Stored { key: String, size: u64 },
}

impl Call {
    fn new(method: &str, params: Value) -> Call {
        Call { method: method.to_owned(), params, upload: None }
    }

    /// The form Telegram accepts in the body of a webhook answer (telegram.md §2): for calls whose result nobody needs.
    pub fn into_webhook_reply(self) -> String {
        let mut params = self.params;
        if let Some(fields) = params.as_object_mut() {
            fields.insert("method".into(), Value::String(self.method));
        }
        params.to_string()
    }

    fn set(&mut self, name: &str, value: Value) {
        if let Some(fields) = self.params.as_object_mut() {
            fields.insert(name.to_owned(), value);
        }
    }

    fn unset(&mut self, name: &str) {
        if let Some(fields) = self.params.as_object_mut() {
            fields.remove(name);
        }
    }

    /// The same call with its text unformatted, after a refusal of the formatting.
    pub fn without_formatting(mut self) -> Call {
        self.unset("entities");
        self
    }

    /// The same call as a message of its own, after the replied-to message vanished.
    pub fn without_reply(mut self) -> Call {
        self.unset("reply_parameters");
        self
    }

    /// The same call without buttons.
    pub fn without_keyboard(mut self) -> Call {
        self.unset("reply_markup");
        self
    }

    /// The same call to General, after the topic vanished.
    pub fn without_topic(mut self) -> Call {
        self.unset("message_thread_id");
        self
    }

    /// The same call to the supergroup a group became.
    pub fn to_chat(mut self, chat_id: i64) -> Call {
        self.set("chat_id", json!(chat_id));
        self
    }

    /// True if a lost answer does no harm when the call is made again.
    pub fn is_idempotent(&self) -> bool {
        !self.method.starts_with("send")
    }
}

/// Where messages go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    pub chat_id: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<i64>,
}

impl Target {
    fn params(&self) -> Value {
        match self.topic {
            Some(topic) => json!({"chat_id": self.chat_id, "message_thread_id": topic}),
            None => json!({"chat_id": self.chat_id}),
        }
    }
}

/// How a message is sent.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SendOptions {
    pub reply_to: Option<i64>,
    pub silent: bool,
    pub keyboard: Option<Keyboard>,
}

/// Inline keyboard: rows of buttons.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Keyboard(pub Vec<Vec<Button>>);

/// A button that posts `data` back to us; 1–64 bytes.
#[derive(Debug, Clone, PartialEq)]
pub struct Button {
    pub text: String,
    pub data: String,
}

impl Button {
    pub fn new(text: impl Into<String>, data: impl Into<String>) -> Button {
        Button { text: text.into(), data: data.into() }
    }
}

impl Keyboard {
    fn markup(&self) -> Value {
        let rows: Vec<Vec<Value>> = self
            .0
            .iter()
            .map(|row| row.iter().map(|b| json!({"text": b.text, "callback_data": b.data})).collect())
            .collect();
        json!({ "inline_keyboard": rows })
    }
}

fn put_text(call: &mut Call, text: &Formatted) {
    call.set("text", Value::String(text.text.clone()));
    if !text.entities.is_empty() {
        call.set("entities", serde_json::to_value(&text.entities).unwrap_or(Value::Null));
    }
}

/// `sendMessage`. Link previews are off: a model's links are not chosen for their pictures.
pub fn send_message(to: Target, text: &Formatted, options: &SendOptions) -> Call {
    let mut call = Call::new("sendMessage", to.params());
    put_text(&mut call, text);
    call.set("link_preview_options", json!({"is_disabled": true}));
    if let Some(message_id) = options.reply_to {
        call.set("reply_parameters", json!({"message_id": message_id, "allow_sending_without_reply": true}));
    }
    if options.silent {
        call.set("disable_notification", json!(true));
    }
    if let Some(keyboard) = &options.keyboard {
        call.set("reply_markup", keyboard.markup());
    }
    call
}

/// `sendMessageDraft`: a preview of 30 s with Telegram's own Stop button; private chats only (telegram.md §1.1).
pub fn send_draft(to: Target, draft_id: i64, text: &Formatted) -> Call {
    let mut call = Call::new("sendMessageDraft", to.params());
    call.set("draft_id", json!(draft_id));
    put_text(&mut call, text);
    call.set("can_stop", json!(true));
    call.set("keep_on_stop", json!(true));
    call
}

/// `editMessageText` of a message of ours.
pub fn edit_text(to: Target, message_id: i64, text: &Formatted, keyboard: Option<&Keyboard>) -> Call {
    let mut call = Call::new("editMessageText", json!({"chat_id": to.chat_id, "message_id": message_id}));
    put_text(&mut call, text);
    call.set("link_preview_options", json!({"is_disabled": true}));
    if let Some(keyboard) = keyboard {
        call.set("reply_markup", keyboard.markup());
    }
    call
}

/// `deleteMessage`.
pub fn delete(to: Target, message_id: i64) -> Call {
    Call::new("deleteMessage", json!({"chat_id": to.chat_id, "message_id": message_id}))
}

/// `sendChatAction` "typing"; shows for 5 s.
pub fn typing(to: Target) -> Call {
    let mut call = Call::new("sendChatAction", to.params());
    call.set("action", json!("typing"));
    call
}

/// `answerCallbackQuery`; `text` up to 200 characters.
pub fn answer_callback(id: &str, text: Option<&str>) -> Call {
    let mut call = Call::new("answerCallbackQuery", json!({"callback_query_id": id}));
    if let Some(text) = text {
        call.set("text", Value::String(text.chars().take(200).collect()));
    }
    call
}

/// `sendDocument` of a file we make. `caption`: plain, up to 1,024 characters.
pub fn send_document(to: Target, upload: Upload, caption: Option<&str>, options: &SendOptions) -> Call {
    let mut call = Call::new("sendDocument", to.params());
    if let Some(caption) = caption {
        call.set("caption", Value::String(caption.chars().take(1_000).collect()));
    }
    if let Some(message_id) = options.reply_to {
        call.set("reply_parameters", json!({"message_id": message_id, "allow_sending_without_reply": true}));
    }
    if options.silent {
        call.set("disable_notification", json!(true));
    }
    // Telegram would take some files for an animation or a song by their bytes.
    call.set("disable_content_type_detection", json!(true));
    call.upload = Some(upload);
    call
}

/// `getFile`: where a file can be downloaded for at least an hour.
pub fn get_file(file_id: &str) -> Call {
    Call::new("getFile", json!({"file_id": file_id}))
}

/// `getMe`.
pub fn get_me() -> Call {
    Call::new("getMe", json!({}))
}

/// `setMyCommands` for one scope and language; `language` empty means every other language.
pub fn set_commands(commands: &[(&str, &str)], scope: &str, language: &str) -> Call {
    let list: Vec<Value> = commands.iter().map(|(name, text)| json!({"command": name, "description": text})).collect();
    let mut call = Call::new("setMyCommands", json!({"commands": list, "scope": {"type": scope}}));
    if !language.is_empty() {
        call.set("language_code", json!(language));
    }
    call
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn stored_form_is_pinned() {
        let to = Target { chat_id: 7, topic: None };
        assert_eq!(
            serde_json::to_value(delete(to, 5)).unwrap(),
            json!({"method": "deleteMessage", "params": {"chat_id": 7, "message_id": 5}})
        );
        let with =
            |content| Upload { field: "document".into(), name: "a.md".into(), mime: "text/markdown".into(), content };
        let call = send_document(to, with(Content::Text("x".into())), Some("see"), &SendOptions::default());
        assert_eq!(
            serde_json::to_value(&call).unwrap(),
            json!({"method": "sendDocument",
                "params": {"chat_id": 7, "caption": "see", "disable_content_type_detection": true},
                "upload": {"field": "document", "name": "a.md", "mime": "text/markdown", "content": {"text": "x"}}})
        );
        let stored = Content::Stored { key: "exports/a".into(), size: 3 };
        assert_eq!(serde_json::to_value(stored).unwrap(), json!({"stored": {"key": "exports/a", "size": 3}}));
        let old: Call = serde_json::from_value(json!({"method": "getMe", "params": {}})).unwrap();
        assert_eq!(old, get_me());
    }
}
