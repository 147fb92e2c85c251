//! The Worker's own trouble, for the log: told to the Directory at most once a minute for each kind.
//!
//! Never fails and is never waited for long: whoever has the trouble has an answer to give. Not here: the count
//! (`directory::Throttle`), redaction (the Directory's).

use std::cell::RefCell;
use std::pin::pin;

use futures::future::select;
use serde::{Deserialize, Serialize};
use worker::{Env, console_error, console_log};

use super::{clock, objects};
use crate::directory::{Event, Level, Throttle};

/// Longest wait for the Directory to take it.
const WAIT_MS: i64 = 2_000;

thread_local! {
    static TOLD: RefCell<Throttle> = RefCell::default();
}

/// Events of no conversation, as the Worker sends them.
#[derive(Serialize, Deserialize)]
pub struct Noted {
    pub events: Vec<Event>,
}

/// Notes that `what` had a trouble of `kind`: our own words, never a stranger's.
pub async fn note(env: &Env, level: Level, what: &str, kind: &str) {
    let now = clock::now();
    let Some(count) = TOLD.with_borrow_mut(|told| told.note(kind, now)) else { return };
    let times = if count > 1 { format!(" ({count} times)") } else { String::new() };
    match level {
        Level::Info => console_log!("{what}: {kind}{times}"),
        Level::Warning | Level::Error => console_error!("{what}: {kind}{times}"),
    }
    let noted = Noted { events: vec![Event::new(now, level, what, &format!("{kind}{times}"))] };
    let Ok(body) = serde_json::to_string(&noted) else { return };
    select(pin!(objects::ask_directory(env, "/events", body)), pin!(clock::sleep(WAIT_MS))).await;
}
