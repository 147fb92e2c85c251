//! Presses of our inline buttons. Each is answered in the webhook's own answer, so that the button stops spinning at once.
//!
//! Data: `stop:<turn>`, `again:<delivery>`, `redo:<turn>`, `m:<index>:<hash>` and `mp:<page>:<hash>` (the model menu).

use super::accept::Accepted;
use super::conversation::{Conversation, WATCHDOG_MS};
use super::inbox;
use super::outbox::{Slot, enqueue};
use super::ports::Ports;
use super::turn;
use crate::store::{Sql, StoreError};
use crate::telegram::method::{answer_callback, delete};
use crate::telegram::update::{Callback, Update};
use crate::text;

impl<S: Sql, P: Ports> Conversation<S, P> {
    pub(super) fn accept_press(&self, update: &Update, callback: &Callback) -> Result<Accepted, StoreError> {
        let data = callback.data.as_deref().unwrap_or_default();
        if !self.insert_closed(update, None, "button", data)? {
            return Ok(Accepted::quiet());
        }
        let lang = self.settings.borrow().lang;
        let message_id = callback.message.as_ref().map(|message| message.message_id).filter(|&id| id > 0);
        let (kind, argument) = data.split_once(':').unwrap_or((data, ""));
        let toast = match kind {
            "stop" => {
                let theirs = turn::open(&self.sql)?.is_some_and(|turn| turn.id.to_string() == argument);
                if theirs {
                    inbox::close_waiting(&self.sql, "dropped", "stopped by the person")?;
                }
                if theirs && self.stop_turn()? { text::chat::stopping(lang) } else { text::chat::nothing_to_stop(lang) }
                    .to_owned()
            }
            "again" => {
                let sent = argument.parse().map_or(Ok(false), |id| self.send_again(id))?;
                self.remove_prompt(message_id)?;
                if sent { text::chat::sent_again(lang) } else { text::chat::too_late(lang) }.to_owned()
            }
            "redo" => {
                let begun = argument.parse().map_or(Ok(false), |turn| self.redo_turn(turn))?;
                self.remove_prompt(message_id)?;
                if begun { text::chat::answering_anew(lang) } else { text::chat::too_late(lang) }.to_owned()
            }
            "m" => self.press_model(argument, message_id)?,
            "mp" => self.press_page(argument, message_id)?,
            _ => text::chat::too_late(lang).to_owned(),
        };
        self.alarm_by(self.ports.now() + WATCHDOG_MS);
        let toast = Some(toast).filter(|toast| !toast.is_empty());
        let reply = answer_callback(&callback.id, toast.as_deref()).into_webhook_reply();
        Ok(Accepted::Stored { reply: Some(reply), work: true })
    }

    /// A question whose button was pressed has done its work.
    fn remove_prompt(&self, message_id: Option<i64>) -> Result<(), StoreError> {
        if let Some(id) = message_id {
            enqueue(&self.sql, None, Slot::Tidy, 0, &delete(self.target(), id), 0, self.ports.now())?;
        }
        Ok(())
    }
}
