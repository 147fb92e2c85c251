//! Looks for troubles with each tick of the cron, for the Directory object: asks Telegram how it sees the webhooks, and the
//! relays' hub who is there, if models wait for one.
//!
//! Not here: what is a trouble and when it is told (`directory::alerts`).

use std::cell::Cell;
use std::pin::pin;

use futures::future::{Either, join_all, select};
use worker::Env;

use super::directory_object::log;
use super::sql::ObjectSql;
use super::{bots, clock, config, objects};
use crate::directory::{Caps, Config, Directory, Outside, RelaySeen, Relays, WebhookHealth, WebhookSeen};
use crate::relay::RelayView;
use crate::telegram::webhook_info::WebhookInfo;

/// Telegram is asked no more often; a little less than the cron's pace, which is not exact.
const ASK_EVERY_MS: i64 = 285_000;
/// Longest wait for Telegram.
const WAIT_MS: i64 = 8_000;

/// When Telegram was last asked by this instance.
#[derive(Default)]
pub struct Watch {
    asked_at: Cell<Option<i64>>,
}

impl Watch {
    /// Looks at everything and queues what owners have to hear.
    pub async fn look_out(&self, env: &Env, directory: &Directory<ObjectSql>, caps: &Caps, cfg: &Config<'_>) {
        let bots = bots::all(env);
        let due = self.asked_at.get().is_none_or(|at| !(0..ASK_EVERY_MS).contains(&(clock::now() - at)));
        if due {
            self.asked_at.set(Some(clock::now()));
        }
        let webhooks = join_all(bots.iter().map(async |bot| {
            let health = if due { ask(env, bot).await } else { None };
            WebhookSeen { bot: bot.clone(), health }
        }))
        .await;
        let models_of_relays = directory.models_of_relays(&config::chain(env)).unwrap_or_default();
        let relays = if models_of_relays.is_empty() { Relays::NotAsked } else { relays(env).await.0 };
        let last_backup_at = directory.last_backup_at().unwrap_or_default();
        let outside = Outside { last_backup_at, webhooks, bots, relays, models_of_relays };
        log(directory.look_out(&outside, caps, cfg, clock::now()));
    }
}

/// What the relays' hub knows, and how many calls wait there. Without `RELAY_TOKEN` there are no relays and nobody is asked.
pub async fn relays(env: &Env) -> (Relays, u32) {
    if config::text(env, "RELAY_TOKEN").is_none() {
        return (Relays::NotAsked, 0);
    }
    let Some(hub) = objects::hub_view(env).await else { return (Relays::Silent, 0) };
    let seen = |relay: RelayView| RelaySeen {
        name: relay.name,
        connected: relay.connected,
        since: relay.since,
        models: relay.models.into_iter().map(|model| model.name).collect(),
        in_flight: relay.in_flight,
        ended_well: relay.calls.max(0).unsigned_abs(),
        failed: relay.failed.max(0).unsigned_abs(),
    };
    (Relays::Seen(hub.relays.into_iter().map(seen).collect()), hub.queued)
}

/// `None`: Telegram did not say in time.
async fn ask(env: &Env, bot: &str) -> Option<WebhookHealth> {
    let telegram = bots::telegram(env, bot)?;
    let call = WebhookInfo::call();
    let reply = match select(pin!(telegram.call(&call, None)), pin!(clock::sleep(WAIT_MS))).await {
        Either::Left((reply, _)) => reply,
        Either::Right(_) => return None,
    };
    let info = WebhookInfo::read(&reply)?;
    Some(WebhookHealth {
        last_error_at: info.last_error_date.map(|seconds| seconds.saturating_mul(1_000)),
        error: info.last_error_message.unwrap_or_default(),
        pending: info.pending_update_count,
    })
}
