//! The person edited a message: a waiting one simply changes; for the one answered last we offer a new answer.
//!
//! Source: telegram.md §5. Updates for hidden fields carry the same content and are ignored; an edit never is a command.

use super::accept::{Accepted, bot_id};
use super::conversation::{Conversation, WATCHDOG_MS};
use super::inbox;
use super::outbox::{Slot, answer_ids, enqueue};
use super::ports::Ports;
use super::{outbox, transcript, turn};
use crate::directory::Admission;
use crate::store::{Sql, StoreError, to_json};
use crate::telegram::content::Content;
use crate::telegram::message::Message;
use crate::telegram::method::{Button, Keyboard, SendOptions, delete};
use crate::telegram::update::Update;
use crate::text;

impl<S: Sql, P: Ports> Conversation<S, P> {
    pub(super) fn accept_edit(
        &self,
        update: &Update,
        message: &Message,
        admission: &Admission,
    ) -> Result<Accepted, StoreError> {
        let content = Content::read(message, bot_id(admission), admission.bot_username.as_deref());
        let Some(received) = inbox::by_message(&self.sql, message.message_id)? else {
            self.insert_closed(update, None, "dropped", "an edit of a message that was not answered")?;
            return Ok(Accepted::quiet());
        };
        if received.content.text == content.text {
            self.insert_closed(update, None, "dropped", "an edit without a change of text")?;
            return Ok(Accepted::quiet());
        }
        let json = to_json(&content)?;
        let turn = match (received.outcome, received.turn_id) {
            (None, _) => {
                if self.insert_closed(update, None, "merged", "changed before its turn")? {
                    inbox::set_content(&self.sql, received.seq, &json)?;
                }
                return Ok(Accepted::quiet());
            }
            (Some(_), Some(turn)) => turn,
            (Some(_), None) => {
                self.insert_closed(update, None, "dropped", "an edit of a message that was not answered")?;
                return Ok(Accepted::quiet());
            }
        };
        if inbox::last_turn(&self.sql)? != Some(turn) {
            self.insert_closed(update, None, "dropped", "an edit of an older message")?;
            return Ok(Accepted::quiet());
        }
        if !self.insert_closed(update, None, "edit", "a new answer was offered")? {
            return Ok(Accepted::quiet());
        }
        inbox::set_content(&self.sql, received.seq, &json)?;
        let lang = self.settings.borrow().lang;
        let keyboard = Keyboard(vec![vec![Button::new(text::chat::answer_anew(lang), format!("redo:{turn}"))]]);
        let options = SendOptions { reply_to: Some(message.message_id), silent: true, keyboard: Some(keyboard) };
        self.say(Slot::Notice, Some(turn), text::chat::edited(lang), &options)?;
        self.alarm_by(self.ports.now() + WATCHDOG_MS);
        Ok(Accepted::work())
    }

    /// Answers a turn's messages anew: the old exchange leaves the prompt, its answer leaves the chat, or never gets there.
    /// False if the turn is unknown or something runs right now.
    pub(super) fn redo_turn(&self, id: i64) -> Result<bool, StoreError> {
        if turn::is_open(&self.sql)? || self.is_being_erased() {
            return Ok(false);
        }
        let rows = inbox::of_turn(&self.sql, id)?;
        if rows.is_empty() {
            return Ok(false);
        }
        transcript::hide_turn(&self.sql, id)?;
        outbox::take_back_answer(&self.sql, id)?;
        for message_id in answer_ids(&self.sql, id)? {
            enqueue(&self.sql, Some(id), Slot::Tidy, 0, &delete(self.target(), message_id), 0, self.ports.now())?;
        }
        self.begin_turn(&rows, self.ports.now())?;
        Ok(true)
    }
}
