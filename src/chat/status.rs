//! `/status`: what the conversation is doing, from its own tables, and who answers, by the live configuration.

use std::pin::pin;

use futures::future::{Either, select};

use super::conversation::Conversation;
use super::inbox::Lookup;
use super::outbox::Slot;
use super::ports::Ports;
use super::{inbox, outbox, transcript, turn};
use crate::llm::servers::RELAY;
use crate::relay::RelayView;
use crate::store::{Sql, StoreError};
use crate::telegram::method::SendOptions;
use crate::text::chat::{Status, status};
use crate::text::relays::{self, Relay};

impl<S: Sql, P: Ports> Conversation<S, P> {
    /// What there is to tell of the relays within `deadline_ms`: nothing where none are set up.
    pub(super) async fn relay_lines(&self, deadline_ms: i64) -> Vec<String> {
        if self.config.servers.named(RELAY).is_none() {
            return Vec::new();
        }
        let view = match select(pin!(self.ports.relays()), pin!(self.ports.sleep(deadline_ms))).await {
            Either::Left((view, _)) => view,
            Either::Right(_) => None,
        };
        let lang = self.settings.borrow().lang;
        let known: Option<Vec<Relay>> = view.as_ref().map(|view| view.relays.iter().map(told).collect());
        relays::lines(lang, known.as_deref(), view.map_or(0, |view| view.queued))
    }

    /// Answers a `/status`. `relays`: see [`Conversation::relay_lines`].
    pub(super) fn show_status(&self, lookup: &Lookup, relays: Vec<String>) -> Result<(), StoreError> {
        let line = self.status(relays)?;
        inbox::close(&self.sql, lookup.seq, "command", Some("status"), None)?;
        let reply_to = lookup.message_id.filter(|_| !self.is_private());
        self.say(Slot::Command, None, &line, &SendOptions { reply_to, ..SendOptions::default() })
    }

    fn status(&self, relays: Vec<String>) -> Result<String, StoreError> {
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
                relays,
            },
        ))
    }
}

fn told(relay: &RelayView) -> Relay {
    Relay {
        name: relay.name.clone(),
        connected: relay.connected,
        since: relay.since,
        draining: relay.draining,
        trouble: relay.trouble.is_some(),
        loaded: relay.models.iter().filter(|model| model.loaded).map(|model| model.name.clone()).collect(),
        latency_ms: relay.latency_ms,
        in_flight: relay.in_flight,
        max_parallel: relay.max_parallel,
    }
}
