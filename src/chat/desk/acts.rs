//! What an operator does in a conversation: stop, retry, send again. Each as if the person had pressed a button.

use super::{Retried, SentAgain, Stopped};
use crate::chat::conversation::{Conversation, WATCHDOG_MS};
use crate::chat::inbox;
use crate::chat::ports::Ports;
use crate::chat::turn;
use crate::directory::desk::Refused;
use crate::store::{Sql, StoreError};

impl<S: Sql, P: Ports> Conversation<S, P> {
    /// Ends what runs and drops what waits, on the same way as `/stop`, without a word of its own in the chat.
    pub(super) fn desk_stop(&self) -> Result<Stopped, StoreError> {
        let done = self.atomically(|| {
            let dropped = inbox::close_waiting(&self.sql, "dropped", "stopped by the operator")?;
            let compacting = self.stop_compactions()?;
            Ok(Stopped { stopped: self.stop_turn()? || compacting, dropped })
        })?;
        self.acted();
        Ok(done)
    }

    /// Answers the messages of a turn that failed or was stopped once more, in a turn of its own. The old exchange leaves
    /// the prompt; what the person got of it leaves the chat.
    pub(super) fn desk_retry(&self, id: i64) -> Result<Retried, Refused> {
        if let Some(why) = self.why_not_retried(id)? {
            return Err(why);
        }
        let begun = self.atomically(|| match self.redo_turn(id)? {
            true => turn::open(&self.sql),
            false => Ok(None),
        })?;
        let Some(turn) = begun else {
            return Err(Refused::conflict("The messages of this turn belong to another one by now."));
        };
        self.acted();
        Ok(Retried { turn: turn.id })
    }

    /// Why a turn cannot be answered once more.
    pub(super) fn why_not_retried(&self, id: i64) -> Result<Option<Refused>, StoreError> {
        let rows = self.sql.run(
            "SELECT state, epoch, EXISTS (SELECT 1 FROM inbox WHERE turn_id = ?1 AND kind = 'message'),
               EXISTS (SELECT 1 FROM outbox WHERE turn_id = ?1 AND state = 'sending')
             FROM turn WHERE id = ?1 AND state <> 'deleted'",
            &[id.into()],
        )?;
        let Some(row) = rows.first() else { return Ok(Some(Refused::not_found("There is no such turn."))) };
        let settings = self.settings.borrow();
        let why = match row.text(0)? {
            "failed" | "stopped" if row.int(2)? == 0 => "The messages of this turn belong to another one by now.",
            "failed" | "stopped" if row.int(1)? != settings.epoch => "The conversation was started afresh since.",
            "failed" | "stopped" if settings.admission.is_none() => "This chat has no access now.",
            "failed" | "stopped" if settings.erasing.is_some() => "The conversation is being deleted.",
            "failed" | "stopped" if turn::is_open(&self.sql)? => "Another turn runs now.",
            "failed" | "stopped" if row.int(3)? != 0 => "What this turn said is being sent right now.",
            "failed" | "stopped" => return Ok(None),
            "running" => "This turn still runs.",
            _ => "Only turns that failed or were stopped can be tried again.",
        };
        Ok(Some(Refused::conflict(why)))
    }

    /// Sends a delivery once more of which nobody knows whether it arrived.
    pub(super) fn desk_send_again(&self, delivery: i64) -> Result<SentAgain, Refused> {
        if !self.atomically(|| self.send_again(delivery))? {
            return Err(Refused::conflict("Only a delivery that is uncertain can be sent again."));
        }
        self.acted();
        Ok(SentAgain { queued: true })
    }

    /// Something was changed: whatever becomes of this request, it is gone on with.
    pub(super) fn acted(&self) {
        self.note_news();
        self.alarm_by(self.ports.now() + WATCHDOG_MS);
    }
}
