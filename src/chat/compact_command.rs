//! `/compact [focus]`: the request waits in the inbox for the turn lane, and has exactly one answer.
//!
//! The row stays open until the line that answers it is queued with it, so a killed process takes it up again.

use super::accept::Accepted;
use super::compact::{Made, Why, fold, left_out};
use super::conversation::{Conversation, WATCHDOG_MS};
use super::inbox::{self, CompactionAsked, Entry};
use super::outbox::Slot;
use super::ports::Ports;
use super::summary_prompt;
use crate::llm::tokens;
use crate::store::{Sql, StoreError};
use crate::telegram::command::Command;
use crate::telegram::message::Message;
use crate::telegram::method::{SendOptions, typing};
use crate::telegram::update::Update;
use crate::text;

impl<S: Sql, P: Ports> Conversation<S, P> {
    /// Stores the request.
    pub(super) fn accept_compaction(
        &self,
        update: &Update,
        message: &Message,
        command: &Command<'_>,
    ) -> Result<Accepted, StoreError> {
        let now = self.ports.now();
        let entry = Entry {
            update_id: update.id,
            kind: "compact",
            message_id: Some(message.message_id),
            user_id: update.sender().map(|user| user.id),
            content: Some(summary_prompt::focus(command.args)),
            ..Entry::default()
        };
        if inbox::insert(&self.sql, entry, now)?.is_none() {
            return Ok(Accepted::quiet());
        }
        self.live.idle.set(false);
        self.alarm_by(now + WATCHDOG_MS);
        Ok(Accepted::Stored { reply: Some(typing(self.target()).into_webhook_reply()), work: true })
    }

    /// Does what was asked for first. False if nothing was. Only for who holds the turn lane.
    pub(super) async fn run_asked_compaction(&self) -> Result<bool, StoreError> {
        let Some(asked) = inbox::compactions(&self.sql)?.into_iter().next() else { return Ok(false) };
        // No turn is open: a stop that is still raised was for one that is over.
        self.live.stop.reset();
        let lang = self.settings.borrow().lang;
        let model = self.model();
        let limits = self.limits(&model);
        let view = self.view(&model)?;
        let before = self.size(&model, &view);
        let fold = fold(&view, tokens::uncorrected(limits.hard, self.correction(&model))).or_else(|| left_out(&view));
        drop(view);
        let made = match fold {
            Some(fold) => self.summarise(Why::Asked(&asked), fold, limits.hard).await?,
            None => Made::NoGain,
        };
        let line = match made {
            Made::Folded(messages) => {
                let after = self.size(&model, &self.view(&model)?);
                text::context::compacted(lang, messages, before, after)
            }
            Made::NoGain => text::context::nothing_to_compact(lang).to_owned(),
            Made::Failed(trouble) => text::context::compaction_failed(lang, &text::trouble::line(lang, trouble)),
            // Who stopped it has answered it.
            Made::GaveWay => return Ok(true),
        };
        self.atomically(|| self.answer_compaction(&asked, "command", &line))?;
        Ok(true)
    }

    /// Ends every compaction that was asked for, the one under way too. True if there was one.
    pub(super) fn stop_compactions(&self) -> Result<bool, StoreError> {
        let all = inbox::compactions(&self.sql)?;
        let lang = self.settings.borrow().lang;
        for asked in &all {
            self.answer_compaction(asked, "dropped", text::context::compaction_stopped(lang))?;
        }
        self.live.came.raise();
        Ok(!all.is_empty())
    }

    fn answer_compaction(&self, asked: &CompactionAsked, outcome: &str, line: &str) -> Result<(), StoreError> {
        inbox::close(&self.sql, asked.seq, outcome, Some("compact"), None)?;
        let reply_to = asked.message_id.filter(|_| !self.is_private());
        self.say(Slot::Command, None, line, &SendOptions { reply_to, ..SendOptions::default() })
    }
}
