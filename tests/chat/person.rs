//! What a person does in the chat.

use serde_json::{Value, json};

use super::sim::Sim;
use super::updates::{PERSON, message};

impl Sim {
    /// The person sends a message with these fields. Returns its id.
    pub fn send(&mut self, fields: Value) -> i64 {
        let id = self.world.telegram.take_id();
        self.update("message", message(id, self.in_group, fields));
        id
    }

    pub fn text(&mut self, text: &str) -> i64 {
        self.send(json!({"text": text}))
    }

    /// The person edits a message.
    pub fn edit(&mut self, id: i64, fields: Value) {
        self.update("edited_message", message(id, self.in_group, fields));
    }

    /// The person presses a button that is on screen, by its label's beginning. Returns the toast.
    pub fn press(&mut self, label: &str) -> String {
        let found = self.world.telegram.chat.borrow().iter().rev().find_map(|shown| {
            let rows = shown.params["reply_markup"]["inline_keyboard"].as_array()?.clone();
            let mut buttons = rows.into_iter().flat_map(|row| row.as_array().unwrap().clone());
            let button = buttons.find(|b| b["text"].as_str().is_some_and(|text| text.starts_with(label)))?;
            Some((shown.id, button["callback_data"].as_str()?.to_owned()))
        });
        let (id, data) = found.unwrap_or_else(|| panic!("no button {label:?} on screen: {:?}", self.screen()));
        self.press_data(id, &data)
    }

    pub fn press_data(&mut self, message_id: i64, data: &str) -> String {
        let from = json!({"id": PERSON, "is_bot": false, "first_name": "Ann", "language_code": "en"});
        let on = message(message_id, self.in_group, json!({}));
        self.update("callback_query", json!({"id": "77", "from": from, "message": on, "data": data}));
        let reply = self.webhook_replies.last().unwrap();
        assert_eq!(reply["method"], "answerCallbackQuery");
        reply["text"].as_str().unwrap_or_default().to_owned()
    }
}
