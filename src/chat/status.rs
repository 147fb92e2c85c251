//! `/status`: what the conversation is doing, from its own tables, and who answers, by the live configuration.

use super::conversation::Conversation;
use super::inbox::Lookup;
use super::outbox::Slot;
use super::ports::Ports;
use super::{inbox, outbox, transcript, turn};
use crate::store::{Sql, StoreError};
use crate::telegram::method::SendOptions;
use crate::text::chat::{Status, status};

impl<S: Sql, P: Ports> Conversation<S, P> {
    /// Answers a `/status`.
    pub(super) fn show_status(&self, lookup: &Lookup) -> Result<(), StoreError> {
        let line = self.status()?;
        inbox::close(&self.sql, lookup.seq, "command", Some("status"), None)?;
        let reply_to = lookup.message_id.filter(|_| !self.is_private());
        self.say(Slot::Command, None, &line, &SendOptions { reply_to, ..SendOptions::default() })
    }

    fn status(&self) -> Result<String, StoreError> {
        let now = self.ports.now();
        let settings = self.settings.borrow();
        let (messages, _) = transcript::size(&self.sql, settings.epoch)?;
        let model = self.model();
        let tokens = i64::from(self.size(&model, &self.view(&model)?));
        let (undelivered, ambiguous, failed) = outbox::counts(&self.sql)?;
        let used = self.sql.run(
            "SELECT count(*), coalesce(sum(json_extract(detail, '$.input')), 0),
             coalesce(sum(json_extract(detail, '$.output')), 0) FROM step WHERE kind = 'model' AND state = 'done'",
            &[],
        )?;
        let used =
            used.first().map_or(Ok((0, 0, 0)), |row| Ok::<_, StoreError>((row.int(0)?, row.int(1)?, row.int(2)?)))?;
        Ok(status(
            settings.lang,
            &Status {
                agent: self.agent().title(),
                model: model.to_string(),
                messages,
                tokens,
                running: turn::open(&self.sql)?.map(|turn| (now - turn.created_at) / 1_000),
                waiting: i64::try_from(inbox::waiting(&self.sql)?.len()).unwrap_or(0),
                turns: used.0,
                input_tokens: used.1,
                output_tokens: used.2,
                undelivered,
                ambiguous,
                failed,
                plain_resends: settings.plain_resends,
                version: env!("CARGO_PKG_VERSION"),
            },
        ))
    }
}
