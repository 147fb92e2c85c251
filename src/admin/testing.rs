//! The outside of the control plane for tests: a real Directory over SQLite, and answers of conversations by script.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use serde_json::Value;

use super::access::Identity;
use super::doctor::facts::Stored;
use super::port::{Fetched, ModelReply, Office};
use super::request::{Answer, Method, Request, form_fields};
use super::{Area, answer};
use crate::chat::desk::ChatAsk;
use crate::directory::desk::{Desk, DeskAsk, Refused};
use crate::directory::{Caps, Config, Directory};
use crate::llm::HttpRequest;
use crate::relay::{HubView, Model, RelayView};
use crate::store::native::Sqlite;
use crate::telegram::method::Call;
use crate::telegram::outcome::Reply;
use crate::text::Lang;

/// A moment to begin at: 2026-11-20.
pub const T0: i64 = 1_795_000_000_000;
/// The owner of the environment.
pub const OWNER: i64 = 1;

pub struct TestOffice {
    pub directory: Directory<Sqlite>,
    pub now: Cell<i64>,
    pub variables: HashMap<&'static str, String>,
    pub bots: Vec<String>,
    /// What conversations answer, by session; each answer once.
    pub chats: RefCell<HashMap<String, Vec<Result<String, Refused>>>>,
    /// What conversations were asked.
    pub asked: RefCell<Vec<(String, ChatAsk)>>,
    /// What models answer, each once, in this order; nothing afterwards.
    pub models: RefCell<Vec<ModelReply>>,
    /// What models were sent.
    pub modelled: RefCell<Vec<HttpRequest>>,
    /// What Telegram answers, by method; `{"ok":true,"result":true}` otherwise.
    pub telegram: RefCell<HashMap<String, String>>,
    /// What Telegram was asked.
    pub called: RefCell<Vec<(String, Call)>>,
    /// What servers answer, by address; no answer otherwise.
    pub pages: RefCell<HashMap<String, Fetched>>,
    /// What servers were asked: method and address.
    pub fetched: RefCell<Vec<(&'static str, String)>>,
    pub storage: Cell<Stored>,
    /// What the Directory was asked.
    pub desked: RefCell<Vec<DeskAsk>>,
    /// What the relays' hub answers.
    pub hub: RefCell<Option<HubView>>,
    /// How often it was asked.
    pub hub_asked: Cell<u32>,
}

/// A relay at which nothing is wrong, of this release.
pub fn relay(name: &str) -> RelayView {
    let model = |name: &str, loaded| Model { name: name.to_owned(), size: None, loaded };
    RelayView {
        name: name.to_owned(),
        connected: true,
        draining: false,
        since: T0 - 3_600_000,
        software: env!("CARGO_PKG_VERSION").to_owned(),
        ollama: Some("0.13.1".to_owned()),
        trouble: None,
        models: vec![model("qwen3:8b", true), model("nomic-embed-text:latest", false)],
        in_flight: 0,
        max_parallel: 2,
        latency_ms: Some(12),
        calls: 6,
        failed: 1,
    }
}

impl TestOffice {
    pub fn new() -> TestOffice {
        TestOffice {
            directory: Directory::new(Sqlite::memory().unwrap()).unwrap(),
            now: Cell::new(T0),
            variables: HashMap::new(),
            bots: vec!["main".to_owned()],
            chats: RefCell::default(),
            asked: RefCell::default(),
            models: RefCell::default(),
            modelled: RefCell::default(),
            telegram: RefCell::default(),
            called: RefCell::default(),
            pages: RefCell::default(),
            fetched: RefCell::default(),
            storage: Cell::new(Stored::Well),
            desked: RefCell::default(),
            hub: RefCell::default(),
            hub_asked: Cell::default(),
        }
    }

    /// A page, by path after `/_admin` with its query, as HTML. Panics unless it is 200.
    pub fn page(&self, path: &str) -> String {
        match self.ask(Area::Pages, Method::Get, path, "", Lang::En) {
            Answer::Page { status: 200, html } => html,
            other => panic!("{path}: {other:?}"),
        }
    }

    /// Posts a page's form. Returns the page with its status, or 303 with where it leads.
    pub fn post(&self, path: &str, fields: &[(&str, &str)]) -> (u16, String) {
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        match self.ask(Area::Pages, Method::Post, path, &form, Lang::En) {
            Answer::Page { status, html } => (status, html),
            Answer::See(path) => (303, path),
            other => panic!("{path}: {other:?}"),
        }
    }

    /// Asks the API with a JSON body; an empty one is a GET.
    pub fn api(&self, path: &str, body: Value) -> (u16, Value) {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let request = Request {
            method: if body.is_null() { Method::Get } else { Method::Post },
            segments: path.split('/').map(str::to_owned).collect(),
            query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            fields: body.as_object().cloned().unwrap_or_default(),
            lang: Lang::En,
            origin: "https://bot.example".to_owned(),
        };
        let who = Identity::for_tests("ann@example.com");
        match futures::executor::block_on(answer(self, Area::Api, &request, &who)) {
            Answer::Json { status, json } => (status, serde_json::from_str(&json).unwrap()),
            other => panic!("{path}: {other:?}"),
        }
    }

    /// Any request. `form`: the body, urlencoded.
    pub fn ask(&self, area: Area, method: Method, path: &str, form: &str, lang: Lang) -> Answer {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let request = Request {
            method,
            segments: path.split('/').filter(|s| !s.is_empty()).map(str::to_owned).collect(),
            query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
            fields: form_fields(form),
            lang,
            origin: "https://bot.example".to_owned(),
        };
        let who = Identity::for_tests("ann@example.com");
        futures::executor::block_on(answer(self, area, &request, &who))
    }
}

impl Office for TestOffice {
    fn now(&self) -> i64 {
        self.now.get()
    }

    fn variable(&self, name: &str) -> Option<String> {
        self.variables.get(name).cloned()
    }

    fn bots(&self) -> Vec<String> {
        self.bots.clone()
    }

    async fn directory(&self, ask: &DeskAsk) -> Result<String, Refused> {
        let who = Identity::for_tests("ann@example.com").actor();
        let cfg = Config { owners: &[OWNER], claim_code: None };
        let caps = Caps { day_nano_usd: 1_000_000_000, month_nano_usd: 10_000_000_000, person_day_nano_usd: None };
        self.desked.borrow_mut().push(ask.clone());
        // As it travels.
        let ask: DeskAsk = serde_json::from_str(&serde_json::to_string(ask).unwrap()).unwrap();
        self.directory.desk(&ask, &Desk { who: &who, cfg: &cfg, caps: &caps, now: self.now(), random: [7; 16] })
    }

    async fn chat(&self, session: &str, ask: &ChatAsk) -> Result<String, Refused> {
        self.asked.borrow_mut().push((session.to_owned(), ask.clone()));
        let mut chats = self.chats.borrow_mut();
        let answers = chats.get_mut(session).filter(|answers| !answers.is_empty());
        answers.map(|answers| answers.remove(0)).unwrap_or_else(|| Err(Refused::not_found("No answer was scripted.")))
    }

    async fn model(&self, request: HttpRequest, deadline_ms: i64) -> ModelReply {
        assert!(deadline_ms <= 60_000);
        self.modelled.borrow_mut().push(request);
        let mut replies = self.models.borrow_mut();
        if replies.is_empty() { ModelReply::default() } else { replies.remove(0) }
    }

    async fn relays(&self) -> Option<HubView> {
        self.variable(super::relays::TOKEN)?;
        self.hub_asked.set(self.hub_asked.get() + 1);
        self.hub.borrow().clone()
    }

    async fn telegram(&self, bot: &str, call: &Call) -> Reply {
        self.called.borrow_mut().push((bot.to_owned(), call.clone()));
        let scripted = self.telegram.borrow().get(&call.method).cloned();
        Reply::Answered { status: 200, body: scripted.unwrap_or_else(|| r#"{"ok":true,"result":true}"#.to_owned()) }
    }

    /// Never over: whatever has an answer here has it at once.
    async fn sleep(&self, _ms: i64) {
        std::future::pending().await
    }

    async fn fetch(&self, request: &HttpRequest) -> Option<Fetched> {
        self.fetched.borrow_mut().push((request.method, request.url.clone()));
        self.pages.borrow().get(&request.url).cloned()
    }

    async fn try_storage(&self) -> Stored {
        self.storage.get()
    }
}

#[test]
fn pages_have_a_frame_in_both_languages_and_unknown_ones_say_so() {
    let office = TestOffice::new();
    let html = office.page("");
    assert!(
        html.contains("<html lang=\"en\">")
            && html.contains("ann@example.com")
            && html.contains("href=\"/_admin/doctor\"")
    );
    let Answer::Page { html, .. } = office.ask(Area::Pages, Method::Get, "", "", Lang::Ru) else { panic!() };
    assert!(html.contains("<html lang=\"ru\">") && html.contains("Диагностика"));
    let Answer::Page { status, .. } = office.ask(Area::Pages, Method::Get, "nowhere", "", Lang::En) else { panic!() };
    assert_eq!(status, 404);
    let Answer::Json { status, .. } = office.ask(Area::Api, Method::Get, "nowhere", "", Lang::En) else { panic!() };
    assert_eq!(status, 404);
}
