//! Looks for troubles with each tick of the cron, for the Directory object: asks Telegram how it sees the webhooks.
//!
//! Not here: what is a trouble and when it is told (`directory::alerts`).

use std::cell::Cell;
use std::pin::pin;

use futures::future::{Either, join_all, select};
use worker::Env;

use super::directory_object::log;
use super::sql::ObjectSql;
use super::{bots, clock};
use crate::directory::{Caps, Config, Directory, Outside, WebhookHealth, WebhookSeen};
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
        let outside = Outside { last_backup_at: directory.last_backup_at().unwrap_or_default(), webhooks, bots };
        log(directory.look_out(&outside, caps, cfg, clock::now()));
    }
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
