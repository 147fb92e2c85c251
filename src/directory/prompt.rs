//! The JSON of the Directory's own messages: plain text, no `parse_mode`, no link previews.
//!
//! Not here: the words (`text::access`) and when to say them.

use super::code::Code;
use super::outbox::Draft;
use super::people::Person;
use super::press::Button;
use crate::text::{Lang, access};
use serde_json::{Value, json};

/// `about` of the prompts for a pairing code.
pub(super) fn about_pairing(code: &Code) -> String {
    format!("pair:{}", code.as_str())
}

/// `about` of the prompts for a group.
pub(super) fn about_group(bot: &str, chat_id: i64) -> String {
    format!("group:{bot}:{chat_id}")
}

/// A line to somebody, without buttons.
pub(super) fn line<'a>(bot: &'a str, chat_id: i64, text: &str) -> Draft<'a> {
    Draft { bot, chat_id, method: "sendMessage", payload: message(chat_id, text), dedupe: None, about: None }
}

/// Asks an owner about a person.
pub(super) fn pairing<'a>(bot: &'a str, owner: i64, lang: Lang, who: access::Who<'_>, code: &Code) -> Draft<'a> {
    let mut payload = message(owner, &access::owner_prompt(lang, who, code.as_str()));
    keyboard(
        &mut payload,
        json!([
            [button(access::button_approve(lang), &Button::Approve(code.clone()))],
            [
                button(access::button_deny(lang), &Button::Deny(code.clone())),
                button(access::button_block(lang), &Button::Block(code.clone())),
            ],
        ]),
    );
    let about = about_pairing(code);
    let dedupe = Some(format!("{about}:{owner}"));
    Draft { bot, chat_id: owner, method: "sendMessage", payload, dedupe, about: Some(about) }
}

/// Asks an owner about a group.
pub(super) fn group<'a>(bot: &'a str, owner: i64, lang: Lang, text: &str, chat_id: i64, update_id: i64) -> Draft<'a> {
    let mut payload = message(owner, text);
    keyboard(
        &mut payload,
        json!([[
            button(access::button_admit(lang), &Button::AdmitGroup(chat_id)),
            button(access::button_leave(lang), &Button::LeaveGroup(chat_id)),
        ]]),
    );
    let about = about_group(bot, chat_id);
    let dedupe = Some(format!("{about}:{update_id}:{owner}"));
    Draft { bot, chat_id: owner, method: "sendMessage", payload, dedupe, about: Some(about) }
}

/// Replaces a prompt by how it ended; without a keyboard in it, Telegram removes the buttons. Once per message.
pub(super) fn edit<'a>(bot: &'a str, chat_id: i64, message_id: i64, text: &str) -> Draft<'a> {
    let mut payload = message(chat_id, text);
    put(&mut payload, "message_id", json!(message_id));
    let dedupe = Some(format!("edit:{bot}:{chat_id}:{message_id}"));
    Draft { bot, chat_id, method: "editMessageText", payload, dedupe, about: None }
}

/// Leaves a group.
pub(super) fn leave(bot: &str, chat_id: i64) -> Draft<'_> {
    let payload = json!({ "chat_id": chat_id });
    Draft { bot, chat_id, method: "leaveChat", payload, dedupe: None, about: None }
}

/// The language a person is written to in.
pub(super) fn lang_of(person: Option<&Person>) -> Lang {
    Lang::from_code(person.and_then(|person| person.language_code.as_deref()))
}

/// A person as owners see them.
pub(super) fn who(person: Option<&Person>, user_id: i64) -> access::Who<'_> {
    let name = person.map(|person| person.name.as_str()).filter(|name| !name.is_empty());
    access::Who { name: name.unwrap_or("?"), username: person.and_then(|person| person.username.as_deref()), user_id }
}

fn message(chat_id: i64, text: &str) -> Value {
    json!({ "chat_id": chat_id, "text": text, "link_preview_options": { "is_disabled": true } })
}

fn button(text: &str, button: &Button) -> Value {
    json!({ "text": text, "callback_data": button.to_string() })
}

fn keyboard(payload: &mut Value, rows: Value) {
    put(payload, "reply_markup", json!({ "inline_keyboard": rows }));
}

fn put(payload: &mut Value, key: &str, value: Value) {
    if let Some(object) = payload.as_object_mut() {
        object.insert(key.to_owned(), value);
    }
}
