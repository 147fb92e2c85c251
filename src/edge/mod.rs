//! Cloudflare: entry points, router, Durable Object shells, fetch, SQL, alarms. The only place that knows the platform.
//!
//! Not here: any rule. A shell turns a platform event into a call of `chat` or `directory` and the result into an answer.

mod admin;
mod body;
mod bots;
mod bucket;
mod chat_object;
mod clock;
mod config;
mod debug;
mod directory_backups;
mod directory_object;
mod files;
mod http;
mod live;
mod metrics;
mod objects;
mod profiles;
mod relay;
mod router;
mod sql;
mod telegram;
mod trouble;
mod vault;
mod watch;
mod webhook;

use worker::{Context, Env, Request, Response, Result, ScheduleContext, ScheduledEvent, event};

#[event(start)]
fn start() {
    console_error_panic_hook::set_once();
}

#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: Context) -> Result<Response> {
    router::route(request, env).await
}

/// Cron: the Directory looks after bot profiles, command menus and its own deliveries.
#[event(scheduled)]
async fn scheduled(_event: ScheduledEvent, env: Env, _context: ScheduleContext) {
    if let Err(error) = objects::directory(&env, "/tick", None).await {
        worker::console_error!("cron: {error}");
        trouble::note(&env, crate::directory::Level::Error, "cron", "the Directory did not answer a tick").await;
    }
}
