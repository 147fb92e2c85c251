//! How the conversation stands, from its own tables.

use super::OverviewView;
use crate::chat::conversation::Conversation;
use crate::chat::ports::Ports;
use crate::chat::{outbox, summary, transcript, turn};
use crate::store::{Sql, StoreError};

impl<S: Sql, P: Ports> Conversation<S, P> {
    pub(super) fn overview(&self) -> Result<OverviewView, StoreError> {
        let settings = self.settings.borrow();
        let (messages, tokens) = transcript::size(&self.sql, settings.epoch)?;
        let (undelivered, ambiguous, failed) = outbox::counts(&self.sql)?;
        let counts = self.sql.run(
            "SELECT (SELECT count(*) FROM inbox WHERE outcome IS NULL), count(*), coalesce(sum(size), 0) FROM file
             WHERE state = 'stored'",
            &[],
        )?;
        let count = |index| counts.first().map_or(Ok(0), |row| row.int(index));
        Ok(OverviewView {
            session: settings.session.clone().unwrap_or_default(),
            title: settings.title.clone(),
            lang: settings.lang.code().to_owned(),
            agent: self.agent().title(),
            model: self.model().to_string(),
            picked: settings.model.is_some(),
            thinking: serde_json::to_value(settings.thinking)
                .ok()
                .and_then(|word| word.as_str().map(str::to_owned))
                .unwrap_or_default(),
            admitted: settings.admission.is_some(),
            messages,
            tokens,
            summarised: summary::latest(&self.sql, settings.epoch)?.is_some(),
            running: turn::open(&self.sql)?.map(|turn| turn.id),
            waiting: count(0)?,
            undelivered,
            ambiguous,
            failed,
            files: count(1)?,
            file_bytes: count(2)?,
            deleting: settings.erasing.is_some(),
        })
    }
}
