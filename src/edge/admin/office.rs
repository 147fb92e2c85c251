//! The ports of the control plane on the platform.

use std::pin::pin;

use futures::future::{Either, select};
use worker::{Env, Response};

use super::super::{bots, clock, config, objects, webhook};
use super::{ping, probe};
use crate::admin::access::Identity;
use crate::admin::doctor::facts::Stored;
use crate::admin::port::{Fetched, ModelReply, Office, read};
use crate::chat::desk::{ChatAsk, ExportPage, Form};
use crate::directory::desk::people::Acted;
use crate::directory::desk::{DeskAsk, DeskCall, Refused};
use crate::llm::HttpRequest;
use crate::relay::HubView;
use crate::telegram::method::Call;
use crate::telegram::outcome::Reply;

/// A request that takes longer has no answer.
const FETCH_DEADLINE_MS: i64 = 15_000;

/// The platform, as the person who is signed in.
pub struct Platform<'a> {
    env: &'a Env,
    who: &'a Identity,
}

impl<'a> Platform<'a> {
    pub fn new(env: &'a Env, who: &'a Identity) -> Self {
        Platform { env, who }
    }
}

impl Office for Platform<'_> {
    fn now(&self) -> i64 {
        clock::now()
    }

    fn variable(&self, name: &str) -> Option<String> {
        config::text(self.env, name)
    }

    fn bots(&self) -> Vec<String> {
        bots::all(self.env)
    }

    async fn directory(&self, ask: &DeskAsk) -> Result<String, Refused> {
        let call = DeskCall { who: self.who.actor(), ask: ask.clone() };
        let body = serde_json::to_string(&call).map_err(|_| unreachable())?;
        let answer = answered(objects::directory(self.env, "/desk", Some(body)).await).await;
        if let (DeskAsk::People(_), Ok(json)) = (ask, &answer)
            && let Ok(acted) = serde_json::from_str::<Acted>(json)
        {
            // Other isolates ask again within a minute (`directory::Recall`).
            webhook::forget_access(&acted.access);
        }
        answer
    }

    async fn chat(&self, session: &str, ask: &ChatAsk) -> Result<String, Refused> {
        ask_chat(self.env, session, ask).await
    }

    async fn model(&self, request: HttpRequest, deadline_ms: i64) -> ModelReply {
        ping::call(self.env, request, deadline_ms).await
    }

    async fn relays(&self) -> Option<HubView> {
        self.variable("RELAY_TOKEN")?;
        objects::hub_view(self.env).await
    }

    async fn telegram(&self, bot: &str, call: &Call) -> Reply {
        match bots::telegram(self.env, bot) {
            Some(telegram) => telegram.call(call, None).await,
            None => Reply::Answered { status: 401, body: String::new() },
        }
    }

    async fn sleep(&self, ms: i64) {
        clock::sleep(ms).await;
    }

    async fn fetch(&self, request: &HttpRequest) -> Option<Fetched> {
        match select(pin!(probe::fetch(request)), pin!(clock::sleep(FETCH_DEADLINE_MS))).await {
            Either::Left((answer, _)) => answer.ok(),
            Either::Right(_) => None,
        }
    }

    async fn try_storage(&self) -> Stored {
        probe::storage(self.env, clock::now()).await
    }
}

async fn ask_chat(env: &Env, session: &str, ask: &ChatAsk) -> Result<String, Refused> {
    let body = serde_json::to_string(ask).map_err(|_| unreachable())?;
    answered(objects::chat(env, session, "/desk", None, Some(body)).await).await
}

/// A piece of an export.
pub async fn export_page(env: &Env, session: &str, form: Form, after: i64) -> Result<ExportPage, Refused> {
    read(&ask_chat(env, session, &ChatAsk::Export { form, after }).await?)
}

/// An object's answer: a view, or why not.
async fn answered(response: worker::Result<Response>) -> Result<String, Refused> {
    let mut response = response.map_err(|_| unreachable())?;
    let status = response.status_code();
    let text = response.text().await.map_err(|_| unreachable())?;
    match status {
        200 => Ok(text),
        _ => Err(serde_json::from_str(&text).unwrap_or_else(|_| unreachable())),
    }
}

fn unreachable() -> Refused {
    Refused::new(503, "not_reachable", "The object that knows did not answer. Try again.")
}
