//! The lookup lane: commands whose answer needs a look elsewhere, one after the other and beside everything else.
//!
//! A request waits as a row of the inbox until its answer is queued, so a killed process takes it up again. Not here:
//! the menu of models itself (`model_menu`).

use futures::future::{Either, select};
use std::pin::pin;

use super::conversation::Conversation;
use super::inbox;
use super::outbox::{Slot, enqueue};
use super::ports::{Body, Ports, Waits};
use crate::directory::{UsageAsk, UsageView};
use crate::llm::HttpRequest;
use crate::store::{Sql, StoreError, to_json};
use crate::telegram::method::{SendOptions, send_message};
use crate::telegram::render::plain;
use crate::text;

/// An answer that takes longer is left out.
const DEADLINE_MS: i64 = 4_000;
const MAX_BYTES: usize = 1 << 20;

impl<S: Sql, P: Ports> Conversation<S, P> {
    /// Answers what was asked for.
    pub(super) async fn run_lookups(&self) {
        if !self.live.lookup_asked.get() {
            return;
        }
        let Some(_hold) = self.live.looking.enter() else { return };
        loop {
            let done = match inbox::next_lookup(&self.sql) {
                Ok(Some(lookup)) => self.look_up(&lookup).await,
                Ok(None) => return self.live.lookup_asked.set(false),
                Err(error) => Err(error),
            };
            if let Err(error) = done {
                return self.fault("lookup", &error);
            }
            self.deliver().await;
        }
    }

    async fn look_up(&self, lookup: &inbox::Lookup) -> Result<(), StoreError> {
        if lookup.kind == "usage" {
            let view = self.usage(lookup.user_id).await?;
            return self.atomically(|| self.show_usage(lookup.seq, view.as_ref()));
        }
        if lookup.kind.starts_with("export") {
            return self.export(lookup).await;
        }
        if lookup.kind == "status" {
            let (learnt, relays) = futures::join!(self.learn_config(DEADLINE_MS), self.relay_lines(DEADLINE_MS));
            learnt?;
            return self.atomically(|| self.show_status(lookup, relays));
        }
        let ((found, complete), learnt) = futures::join!(self.live_models(), self.learn_config(DEADLINE_MS));
        learnt?;
        self.atomically(|| self.show_menu(lookup.seq, found, complete))
    }

    /// A small answer of a model's server, `None` if it is none, too long or too late.
    pub(super) async fn fetch_small(&self, request: HttpRequest) -> Option<Vec<u8>> {
        let work = pin!(async {
            let mut response = self.ports.model(request, Waits::default()).await.ok()?;
            let mut bytes = Vec::new();
            while let Some(chunk) = response.body.next().await {
                bytes.extend(chunk.ok()?);
                if bytes.len() > MAX_BYTES {
                    return None;
                }
            }
            (response.status == 200).then_some(bytes)
        });
        match select(work, pin!(self.ports.sleep(DEADLINE_MS))).await {
            Either::Left((bytes, _)) => bytes,
            Either::Right(_) => None,
        }
    }

    async fn usage(&self, person: Option<i64>) -> Result<Option<UsageView>, StoreError> {
        let owner = self.settings.borrow().admission.as_ref().is_some_and(|admission| admission.owner);
        // What this conversation used a moment ago is part of it.
        self.send_reports().await?;
        let answer =
            self.ports.directory("/usage", to_json(&UsageAsk { person, owner: owner && self.is_private() })?).await;
        Ok(answer.and_then(|json| serde_json::from_str(&json).ok()))
    }

    fn show_usage(&self, seq: i64, view: Option<&UsageView>) -> Result<(), StoreError> {
        inbox::close(&self.sql, seq, "command", Some("usage"), None)?;
        let lang = self.settings.borrow().lang;
        let line = match view {
            Some(view) => view.text(lang, self.ports.now()),
            None => text::models::usage_unknown(lang).to_owned(),
        };
        let call = send_message(self.target(), &plain(&line), &SendOptions::default());
        enqueue(&self.sql, None, Slot::Command, 0, &call, 0, self.ports.now())?;
        Ok(())
    }
}
