//! The Chat object: one conversation behind a few internal routes, an alarm, and a kick that makes answers start at once.

use std::cell::{OnceCell, RefCell};
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;

use worker::{DurableObject, Env, Request, Response, Result, State, console_error, durable_object};

use super::directory_object::told;
use super::files::Bucket;
use super::http::{StreamBody, model};
use super::objects::{self, ADMISSION, SESSION};
use super::router::{json, refuse};
use super::sql::ObjectSql;
use super::telegram::Telegram;
use super::vault::R2;
use super::{bots, clock, config};
use crate::chat::desk::ChatAsk;
use crate::chat::ports::{FetchError, Files, Lost, ModelResponse, Ports, Waits};
use crate::chat::{Accepted, Conversation};
use crate::llm::HttpRequest;
use crate::relay::HubView;
use crate::store::{Lease, Leave, StoreError};
use crate::telegram::method::Call;
use crate::telegram::outcome::Reply;
use crate::telegram::session::SessionKey;

#[durable_object(alarm)]
pub struct Chat {
    state: State,
    env: Env,
    session: Rc<RefCell<Option<String>>>,
    open: RefCell<Open>,
}

/// The conversation, for as long as its rows are its own.
struct Open {
    /// `Err` if the store could not be opened: every request is then refused, so that Telegram delivers again.
    conversation: std::result::Result<Rc<Conversation<Lease<ObjectSql>, Platform>>, StoreError>,
    leave: Leave,
}

// Each event is complete in itself, and what one leaves half-done is in the store: nothing in memory is trusted after
// a panic that would not be trusted after an eviction.
impl UnwindSafe for Chat {}
impl RefUnwindSafe for Chat {}

/// The conversation's ports on the platform.
struct Platform {
    storage: worker::Storage,
    env: Env,
    telegram: OnceCell<Option<Telegram>>,
    /// This conversation's name. The platform does not tell it to an object woken by its alarm; the store does.
    session: Rc<RefCell<Option<String>>>,
}

impl Platform {
    fn door(&self) -> Option<&Telegram> {
        let door = self.telegram.get_or_init(|| {
            let key = SessionKey::parse(self.session.borrow().as_deref()?)?;
            bots::telegram(&self.env, &key.bot)
        });
        door.as_ref()
    }

    fn bucket(&self) -> std::result::Result<Bucket, Lost> {
        Bucket::of(&self.env).ok_or(Lost)
    }
}

impl Files for Platform {
    async fn fetch(
        &self,
        path: &str,
        key: &str,
        size: Option<u64>,
        limit: u64,
    ) -> std::result::Result<u64, FetchError> {
        let bucket = self.bucket().map_err(|Lost| FetchError::Lost)?;
        self.door().ok_or(FetchError::Lost)?.fetch(&bucket, path, key, size, limit).await
    }

    async fn size(&self, key: &str) -> std::result::Result<Option<u64>, Lost> {
        self.bucket()?.size(key).await
    }

    async fn head(&self, key: &str, limit: u64) -> std::result::Result<Vec<u8>, Lost> {
        self.bucket()?.head(key, limit).await
    }

    async fn write(&self, key: &str, bytes: Vec<u8>) -> std::result::Result<(), Lost> {
        self.bucket()?.write(key, &bytes).await
    }

    async fn list(&self, prefix: &str, after: &str, limit: usize) -> std::result::Result<(Vec<String>, bool), Lost> {
        self.bucket()?.list(prefix, after, limit).await
    }

    async fn delete(&self, keys: Vec<String>) -> std::result::Result<(), Lost> {
        self.bucket()?.delete(keys).await
    }
}

impl Ports for Platform {
    type Body = StreamBody;

    fn now(&self) -> i64 {
        clock::now()
    }

    async fn sleep(&self, ms: i64) {
        clock::sleep(ms).await;
    }

    async fn telegram(&self, call: &Call) -> Reply {
        match self.door() {
            Some(telegram) => telegram.call(call, Bucket::of(&self.env)).await,
            // No token: the same as a token that is refused.
            None => Reply::Answered { status: 401, body: String::new() },
        }
    }

    async fn model(&self, request: HttpRequest, waits: Waits) -> std::result::Result<ModelResponse<StreamBody>, Lost> {
        model(&self.env, request, Bucket::of(&self.env), waits).await
    }

    async fn relays(&self) -> Option<HubView> {
        objects::hub_view(&self.env).await
    }

    async fn directory(&self, route: &'static str, body: String) -> Option<String> {
        objects::ask_directory(&self.env, route, body).await
    }

    fn set_alarm(&self, at: Option<i64>) {
        // Called without awaiting: the platform makes it durable together with the rows written before it.
        let storage = self.storage.as_raw();
        let options = js_sys::Object::new();
        let done = match at {
            Some(at) => storage.set_alarm(js_sys::Date::new(&(at as f64).into()), options),
            None => storage.delete_alarm(options),
        };
        if done.is_err() {
            console_error!("the alarm could not be set");
        }
    }

    fn log(&self, line: &str) {
        console_error!("{line}");
    }
}

impl Open {
    fn new(state: &State, env: &Env, session: &Rc<RefCell<Option<String>>>) -> Open {
        let storage = state.storage();
        let (sql, leave) = Lease::new(ObjectSql::new(&storage));
        let platform = Platform { storage, env: env.clone(), telegram: OnceCell::new(), session: session.clone() };
        let conversation = Conversation::open(sql, platform, config::chat(env)).map(Rc::new);
        if let Ok(conversation) = &conversation {
            session.replace(conversation.session());
        }
        Open { conversation, leave }
    }
}

impl Chat {
    /// All rows were replaced: whoever remembers the old ones loses the store, and the conversation begins from the new.
    fn reopen(&self) {
        self.open.borrow().leave.take_back();
        self.open.replace(Open::new(&self.state, &self.env, &self.session));
        if let Ok(conversation) = self.open.borrow().conversation.clone() {
            self.state.wait_until(async move { conversation.work().await });
        }
    }
}

impl DurableObject for Chat {
    fn new(state: State, env: Env) -> Self {
        let session = Rc::new(RefCell::new(None));
        let open = RefCell::new(Open::new(&state, &env, &session));
        Chat { state, env, session, open }
    }

    async fn fetch(&self, mut request: Request) -> Result<Response> {
        // Read first: what comes after is not to be interrupted.
        let body = request.text().await?;
        let conversation = match &self.open.borrow().conversation {
            Ok(conversation) => conversation.clone(),
            Err(error) => return failed(error),
        };
        match request.path().as_str() {
            "/update" => {
                let session = request.headers().get(SESSION)?.unwrap_or_default();
                if self.session.borrow().is_none() {
                    self.session.replace(Some(session.clone()));
                }
                let admission = request.headers().get(ADMISSION)?.and_then(|json| serde_json::from_str(&json).ok());
                match conversation.accept(&session, &body, admission) {
                    Ok(Accepted::Stored { reply, work }) => {
                        if work {
                            self.state.wait_until(async move { conversation.work().await });
                        }
                        stored(reply)
                    }
                    Ok(Accepted::NotAdmitted) => refuse(409, "not_admitted", "This conversation is not admitted."),
                    Err(error) => failed(&error),
                }
            }
            "/access" => {
                let Ok(change) = serde_json::from_str(&body) else {
                    return refuse(400, "bad_request", "Not a change of access.");
                };
                match conversation.change_access(&change) {
                    Ok(()) => {
                        self.state.wait_until(async move { conversation.work().await });
                        stored(None)
                    }
                    Err(error) => failed(&error),
                }
            }
            "/desk" => {
                let Ok(ask) = serde_json::from_str::<ChatAsk>(&body) else {
                    return refuse(400, "bad_request", "Not a question this conversation understands.");
                };
                let answer = conversation.desk(&ask).await;
                if ask.acts() {
                    self.state.wait_until(async move { conversation.work().await });
                }
                told(answer)
            }
            "/backup" => {
                let (Ok(order), Some(vault)) = (serde_json::from_str(&body), R2::of(&self.env)) else {
                    return refuse(400, "bad_request", "Not an order this conversation understands.");
                };
                Response::from_json(&conversation.back_up(&vault, &order).await)
            }
            "/restore" => {
                let (Ok(order), Some(vault)) = (serde_json::from_str(&body), R2::of(&self.env)) else {
                    return refuse(400, "bad_request", "Not an order this conversation understands.");
                };
                let (done, replaced) = conversation.put_back(&vault, &order).await;
                if replaced {
                    self.reopen();
                }
                Response::from_json(&done)
            }
            "/panic" => deliberate_panic(),
            _ => refuse(404, "not_found", "No such route."),
        }
    }

    async fn alarm(&self) -> Result<Response> {
        let conversation = self.open.borrow().conversation.clone();
        match conversation {
            Ok(conversation) => conversation.on_alarm().await,
            Err(error) => {
                // The next instance may be luckier; an Err here would use up the platform's retries.
                console_error!("chat cannot be opened: {error}");
                let _ = self.state.storage().set_alarm(clock::REOPEN_MS).await;
            }
        }
        Response::empty()
    }
}

/// 200: the update is stored. The body is what Telegram is to do at once, if anything.
fn stored(reply: Option<String>) -> Result<Response> {
    match reply {
        Some(call) => json(call),
        None => Response::empty(),
    }
}

fn failed(error: &StoreError) -> Result<Response> {
    console_error!("chat store: {error}");
    refuse(500, "store_failed", "The update could not be stored.")
}

/// Reached only through the debug route, to show that a panic stays where it happens.
#[expect(clippy::panic, reason = "the point of the route")]
fn deliberate_panic() -> Result<Response> {
    panic!("a deliberate panic")
}
