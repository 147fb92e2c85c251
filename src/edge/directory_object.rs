//! The Directory object: questions about access and model calls, and its own messages.
//!
//! Not here: bot profiles and command menus (`profiles`).

use std::cell::Cell;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;

use serde::Deserialize;
use serde::Serialize;
use serde::de::DeserializeOwned;
use worker::{
    DurableObject, Env, Error, Request, Response, Result, Socket, State, WebSocket, WebSocketIncomingMessage,
    console_error, durable_object,
};

use super::directory_backups::{Platform, SUB_REQUESTS};
use super::router::{json, refuse};
use super::sql::ObjectSql;
use super::trouble::Noted;
use super::watch::Watch;
use super::{bots, clock, config, live, objects, profiles, watch};
use crate::directory::desk::{Desk, DeskCall, Refused};
use crate::directory::metrics::Scrape;
use crate::directory::{
    self, Caps, Config, DirectoryError, Knock, Level, Member, ModelAsk, Notice, Outcome, Press, UsageAsk, Verdict,
};
use crate::telegram::method::Call;
use crate::telegram::outcome::{self, Refusal, Reply};

/// What a killed process left undone is taken up again after this long.
const WATCHDOG_MS: i64 = 10_000;
/// Backups rest so long after the store failed.
const STORE_REST_MS: i64 = 60_000;
/// A change that did not reach its conversation is tried again after this long.
const PUSH_AGAIN_MS: i64 = 5_000;

#[durable_object]
pub struct Directory {
    state: Rc<State>,
    inner: Rc<Inner>,
}

// See `Chat`: the store is the truth.
impl UnwindSafe for Directory {}
impl RefUnwindSafe for Directory {}

struct Inner {
    state: Rc<State>,
    directory: std::result::Result<directory::Directory<ObjectSql>, DirectoryError>,
    env: Env,
    storage: worker::Storage,
    working: Cell<bool>,
    /// A step of a backup or restore is under way.
    stepping: Cell<bool>,
    /// Steps rest until then: the store failed.
    resting_until: Cell<i64>,
    /// Calls made since the alarm went off, which may make so many.
    calls: Cell<u32>,
    caps: Caps,
    watch: Watch,
}

/// A question about one update, with the session it would go to.
#[derive(Serialize, Deserialize)]
pub struct KnockAt {
    pub session: String,
    pub knock: Knock,
}

/// A group became a supergroup and has another id.
#[derive(Serialize, Deserialize)]
pub struct Moved {
    pub bot: String,
    pub from: i64,
    pub to: i64,
}

/// An update of a kind we do not act on.
#[derive(Serialize, Deserialize)]
pub struct UnknownKind {
    pub bot: String,
    pub kind: String,
    pub update_id: i64,
}

impl DurableObject for Directory {
    fn new(state: State, env: Env) -> Self {
        let directory = directory::Directory::new(ObjectSql::new(&state.storage()));
        let caps = config::caps(&env);
        if let Ok(Some((version, trouble))) =
            directory.as_ref().map_or(Ok(None), |directory| directory.config_trouble())
        {
            let first = trouble.first().map(|problem| format!("{}: {}", problem.path, problem.message));
            console_error!(
                "configuration {version} cannot be read, the environment holds: {}",
                first.unwrap_or_default()
            );
        }
        let storage = state.storage();
        let state = Rc::new(state);
        let inner = Inner {
            state: state.clone(),
            directory,
            env,
            storage,
            working: Cell::new(false),
            stepping: Cell::new(false),
            resting_until: Cell::new(0),
            calls: Cell::new(0),
            caps,
            watch: Watch::default(),
        };
        Directory { state, inner: Rc::new(inner) }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        let path = request.path();
        if path == "/live" {
            return match &self.inner.directory {
                Ok(directory) => live::accept(&request, &self.state, directory),
                Err(error) => failed(error),
            };
        }
        let body = request.text().await?;
        let answer = self.inner.answer(&path, &body).await;
        self.inner.tell_watchers();
        // Leave for a model call is asked often, and seldom leaves anything to send.
        if self.inner.set_watchdog() {
            let inner = self.inner.clone();
            self.state.wait_until(async move { inner.work().await });
        }
        answer
    }

    async fn alarm(&self) -> Result<Response> {
        self.inner.calls.set(0);
        self.inner.set_watchdog();
        self.inner.work().await;
        self.inner.work_on_backups().await;
        Response::empty()
    }

    /// Watchers of the log have nothing to say; pings are answered by the platform.
    async fn websocket_message(&self, watcher: WebSocket, _message: WebSocketIncomingMessage) -> Result<()> {
        // 1008: policy (RFC 6455 §7.4.1).
        let _ = watcher.close(Some(1008), Some("nothing is expected"));
        Ok(())
    }

    async fn websocket_close(&self, watcher: WebSocket, _code: usize, _reason: String, _clean: bool) -> Result<()> {
        // Without an answer the other side waits for ten seconds (seen with local workerd).
        let _ = watcher.close(Some(1000), Some(""));
        Ok(())
    }

    async fn websocket_error(&self, _watcher: WebSocket, _error: Error) -> Result<()> {
        Ok(())
    }

    async fn connect(&self, _socket: Socket) -> Result<()> {
        Err(Error::RustError("nothing listens here".into()))
    }
}

impl Inner {
    async fn answer(&self, path: &str, body: &str) -> Result<Response> {
        let directory = match &self.directory {
            Ok(directory) => directory,
            Err(error) => return failed(error),
        };
        let owners = config::owners(&self.env);
        let code = config::text(&self.env, "CLAIM_CODE");
        let cfg = Config { owners: &owners, claim_code: code.as_deref() };
        let now = clock::now();
        match path {
            "/knock" => {
                let Some(KnockAt { session, knock }) = read(body) else { return unreadable() };
                profiles::ensure_known(&self.env, directory, &knock).await;
                let Some(random) = clock::random() else {
                    return refuse(500, "no_randomness", "The platform gave no random bytes.");
                };
                reply(directory.knock(&knock, &cfg, now, random).and_then(|(verdict, _)| {
                    if let Verdict::Admit(admission) = &verdict {
                        directory.note_session(&knock.bot, &session, now)?;
                        let known = admission.bot_user_id.or_else(|| bots::user_id(&self.env, &knock.bot));
                        return Ok(Verdict::Admit(directory::Admission { bot_user_id: known, ..admission.clone() }));
                    }
                    Ok(verdict)
                }))
            }
            "/press" => {
                let Some(press) = read::<Press>(body) else { return unreadable() };
                reply(directory.press(&press, &cfg, now).and_then(|pressed| {
                    directory.queue_pushes(&pressed.change, now)?;
                    Ok(pressed)
                }))
            }
            "/member" => {
                let Some(member) = read::<Member>(body) else { return unreadable() };
                reply(directory.member(&member, &cfg, now).and_then(|change| {
                    directory.queue_pushes(&change, now)?;
                    Ok(change)
                }))
            }
            "/move" => {
                let Some(moved) = read::<Moved>(body) else { return unreadable() };
                // Not pushed: the old id hears nothing more, and the answer under way there is to arrive.
                reply(directory.move_group(&moved.bot, moved.from, moved.to, now))
            }
            "/unknown" => {
                let Some(unknown) = read::<UnknownKind>(body) else { return unreadable() };
                reply(directory.note_unknown(&unknown.bot, &unknown.kind, unknown.update_id, now))
            }
            "/model" => {
                let Some(ask) = read::<ModelAsk>(body) else { return unreadable() };
                reply(directory.model_call(&ask, &self.caps, &cfg, now))
            }
            "/usage" => {
                let Some(ask) = read::<UsageAsk>(body) else { return unreadable() };
                reply(directory.usage(&ask, &self.caps, &cfg, now))
            }
            "/desk" => {
                let Some(call) = read::<DeskCall>(body) else { return unreadable() };
                let Some(random) = clock::random() else {
                    return refuse(500, "no_randomness", "The platform gave no random bytes.");
                };
                profiles::ensure_named(&self.env, directory, &call.ask, &cfg).await;
                let desk = Desk { who: &call.who, cfg: &cfg, caps: &self.caps, now, random };
                told(directory.desk(&call.ask, &desk))
            }
            "/events" => {
                let Some(noted) = read::<Noted>(body) else { return unreadable() };
                reply(directory.note_events("", &noted.events, now))
            }
            "/metrics" => {
                let last_backup_at = directory.last_backup_at().unwrap_or_default();
                let (relays, relays_queued) = watch::relays(&self.env).await;
                let scrape = Scrape { version: env!("CARGO_PKG_VERSION"), last_backup_at, relays, relays_queued };
                match directory.metrics(&scrape, &self.caps, now) {
                    Ok(page) => Response::ok(page),
                    Err(error) => failed(&error),
                }
            }
            "/tick" => {
                for bot in bots::all(&self.env) {
                    profiles::look_after(&self.env, directory, &bot).await;
                }
                log(directory.begin_backup_if_due(clock::now()));
                self.watch.look_out(&self.env, directory, &self.caps, &cfg).await;
                Response::empty()
            }
            _ => refuse(404, "not_found", "No such route."),
        }
    }

    /// The next alarm is set before work begins, and together with the rows that wait: a process that dies in between
    /// leaves nothing behind that only the cron would find (DESIGN §3.5). False: nothing waits.
    fn set_watchdog(&self) -> bool {
        let Ok(directory) = &self.directory else { return false };
        let waits = directory.next_push().is_ok_and(|push| push.is_some())
            || directory.next_due_at().is_ok_and(|at| at.is_some())
            || directory.backups_wait().unwrap_or(false);
        if !waits {
            return false;
        }
        // Called without awaiting, as in `Chat`.
        let at = js_sys::Date::new(&((clock::now() + WATCHDOG_MS) as f64).into());
        if self.storage.as_raw().set_alarm(at, js_sys::Object::new()).is_err() {
            console_error!("the Directory's alarm could not be set");
        }
        true
    }

    /// Sends what waits: changes to conversations, then messages to people. Leaves the alarm set for the rest.
    async fn work(&self) {
        if self.working.replace(true) {
            return;
        }
        let _done = Done(&self.working);
        let Ok(directory) = &self.directory else { return };
        let mut push_again = None;
        loop {
            // Whatever a request adds while a call is under way is found by the next round.
            if push_again.is_none() && self.push_all(directory).await.is_err() {
                push_again = Some(clock::now() + PUSH_AGAIN_MS);
            }
            match directory.take_due(clock::now()) {
                Ok(Some(notice)) => self.send(directory, notice).await,
                Ok(None) => break,
                Err(error) => {
                    console_error!("directory: {error}");
                    break;
                }
            }
        }
        self.tell_watchers();
        self.rearm(directory, push_again).await;
    }

    /// Takes some steps of the backup or restore under way. Only in the alarm, which has sub-requests of its own.
    async fn work_on_backups(&self) {
        let Ok(directory) = &self.directory else { return };
        if !directory.backups_wait().unwrap_or(false) || self.stepping.replace(true) {
            return;
        }
        let stepping = Done(&self.stepping);
        let left = SUB_REQUESTS.saturating_sub(self.calls.get());
        let done = directory.work_on_backups(&Platform::new(&self.env), left).await;
        if done.is_err() {
            self.resting_until.set(clock::now() + STORE_REST_MS);
        }
        log(done);
        drop(stepping);
        self.tell_watchers();
        self.rearm(directory, None).await;
    }

    /// Sets the alarm for what waits first, or clears it.
    async fn rearm(&self, directory: &directory::Directory<ObjectSql>, push_again: Option<i64>) {
        let now = clock::now();
        let next = directory.next_due_at().ok().flatten();
        let pushes = directory.next_push().ok().flatten().map(|_| now + PUSH_AGAIN_MS);
        let backups = directory.backups_wait().unwrap_or(true);
        let backups = backups.then(|| match self.stepping.get() {
            true => now + WATCHDOG_MS,
            false => now.max(self.resting_until.get()),
        });
        let done = match [next, push_again.or(pushes), backups].into_iter().flatten().min() {
            Some(at) => self.storage.set_alarm((at - now).max(1)).await,
            None => self.storage.delete_alarm().await,
        };
        if done.is_err() {
            console_error!("the Directory's alarm could not be set");
        }
    }

    /// Hands every queued change to its conversation. `Err`: one did not get through; it stays queued.
    async fn push_all(&self, directory: &directory::Directory<ObjectSql>) -> std::result::Result<(), ()> {
        while let Ok(Some(push)) = directory.next_push() {
            self.calls.set(self.calls.get() + 1);
            let body = serde_json::to_string(&push.change).ok();
            match objects::chat(&self.env, &push.session, "/access", None, body).await {
                Ok(response) if response.status_code() == 200 => log(directory.pushed(push.id)),
                _ => return Err(()),
            }
        }
        Ok(())
    }

    async fn send(&self, directory: &directory::Directory<ObjectSql>, notice: Notice) {
        self.calls.set(self.calls.get() + 1);
        let call = Call { method: notice.method, params: notice.payload, upload: None };
        let reply = match bots::telegram(&self.env, &notice.bot) {
            Some(telegram) => telegram.call(&call, None).await,
            None => Reply::Answered { status: 401, body: String::new() },
        };
        let ending = ending(&reply);
        let told = match &ending {
            Outcome::Permanent { error } => Some((Level::Warning, format!("refused: {error}"))),
            Outcome::Ambiguous => Some((Level::Warning, "is ambiguous: no answer came".to_owned())),
            Outcome::Retry { .. } if matches!(reply, Reply::Answered { status: 401, .. }) => {
                Some((Level::Error, "refused: the bot's token is not taken".to_owned()))
            }
            Outcome::Retry { .. } | Outcome::Sent { .. } => None,
        };
        if let Some((level, how)) = told {
            let line = format!("{} of bot {} {how}", call.method, notice.bot);
            log(directory.note(level, "telegram", &line, clock::now()));
        }
        log(directory.record(notice.id, &ending, clock::now()));
    }

    /// Hands what is new in the log to those who watch it.
    fn tell_watchers(&self) {
        if let Ok(directory) = &self.directory {
            live::tell(&self.state, &directory.take_fresh());
        }
    }
}

/// Lets the work flag go, also when the task is dropped.
struct Done<'a>(&'a Cell<bool>);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.set(false);
    }
}

/// A token that is refused is tried again after this long: a storm of refused calls gets bots deleted (openclaw.md §6.11).
const TOKEN_REST_MS: i64 = 600_000;

fn ending(reply: &Reply) -> Outcome {
    match outcome::read(reply) {
        outcome::Outcome::Sent { message_id } => Outcome::Sent { message_id },
        outcome::Outcome::Retry { after_ms, .. } => Outcome::Retry { at: clock::now() + after_ms },
        outcome::Outcome::Ambiguous => Outcome::Ambiguous,
        outcome::Outcome::Unauthorized => Outcome::Retry { at: clock::now() + TOKEN_REST_MS },
        outcome::Outcome::Refused(Refusal::Other(error)) => Outcome::Permanent { error },
        outcome::Outcome::Refused(refusal) => Outcome::Permanent { error: format!("{refusal:?}") },
    }
}

fn read<T: DeserializeOwned>(body: &str) -> Option<T> {
    serde_json::from_str(body).ok()
}

fn reply<T: Serialize>(result: std::result::Result<T, DirectoryError>) -> Result<Response> {
    match result {
        Ok(value) => Response::from_json(&value),
        Err(error) => failed(&error),
    }
}

/// A desk's answer, which is JSON already.
pub(super) fn told(answer: std::result::Result<String, Refused>) -> Result<Response> {
    match answer {
        Ok(text) => json(text),
        Err(refused) => Ok(Response::from_json(&refused)?.with_status(refused.status)),
    }
}

fn unreadable() -> Result<Response> {
    refuse(400, "bad_request", "Not a question this Directory understands.")
}

fn failed(error: &DirectoryError) -> Result<Response> {
    console_error!("directory: {error}");
    refuse(500, "store_failed", "The Directory's store failed.")
}

pub(super) fn log<T>(result: std::result::Result<T, DirectoryError>) {
    if let Err(error) = result {
        console_error!("directory: {error}");
    }
}
