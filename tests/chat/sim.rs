//! The world of one conversation: what a person does, what the platform does, and looks at what came of it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use serde_json::{Value, json};
use tideclaw::chat::config::{Config, Deadlines, Streaming};
use tideclaw::chat::desk::ChatAsk;
use tideclaw::chat::ports::{FetchError, Files, Lost, ModelResponse, Ports, Waits};
use tideclaw::chat::{Accepted, Conversation};
use tideclaw::directory::desk::Refused;
use tideclaw::directory::{AccessChange, Admission};
use tideclaw::llm::catalogue::Catalogue;
use tideclaw::llm::{Endpoint, HttpRequest, ModelRef, Provider, Server, Servers};
use tideclaw::relay::HubView;
use tideclaw::store::{Lease, Leave, StoreError};
use tideclaw::telegram::method::Call;
use tideclaw::telegram::outcome::Reply;

use super::clock::{Clock, START, Task};
use super::directory::Directory;
use super::model::{Model, Stream};
use super::storage::Storage;
use super::store::Store;
use super::telegram::Telegram;
use super::updates::{BOT_ID, BOT_NAME, GROUP, PERSON};

/// Everything outside the conversation.
pub struct World {
    pub clock: Clock,
    pub telegram: Telegram,
    pub model: Model,
    pub directory: Directory,
    pub storage: Storage,
    pub alarm: Cell<Option<i64>>,
    pub log: RefCell<Vec<String>>,
    /// What the hub says; `None`: it does not answer.
    pub relays: RefCell<Option<HubView>>,
}

pub struct Outside(Rc<World>);

impl Files for Outside {
    async fn fetch(&self, path: &str, key: &str, _size: Option<u64>, limit: u64) -> Result<u64, FetchError> {
        self.0.storage.fetch(&self.0.clock, path, key, limit).await
    }

    async fn size(&self, key: &str) -> Result<Option<u64>, Lost> {
        self.0.storage.size(&self.0.clock, key).await
    }

    async fn head(&self, key: &str, limit: u64) -> Result<Vec<u8>, Lost> {
        self.0.storage.head(&self.0.clock, key, limit).await
    }

    async fn write(&self, key: &str, bytes: Vec<u8>) -> Result<(), Lost> {
        self.0.storage.write(&self.0.clock, key, bytes).await
    }

    async fn list(&self, prefix: &str, after: &str, limit: usize) -> Result<(Vec<String>, bool), Lost> {
        self.0.storage.list(&self.0.clock, prefix, after, limit).await
    }

    async fn delete(&self, keys: Vec<String>) -> Result<(), Lost> {
        self.0.storage.delete(&self.0.clock, &keys).await
    }
}

impl Ports for Outside {
    type Body = Stream;

    fn now(&self) -> i64 {
        self.0.clock.now()
    }

    async fn sleep(&self, ms: i64) {
        self.0.clock.sleep(ms).await;
    }

    async fn telegram(&self, call: &Call) -> Reply {
        self.0.telegram.call(&self.0.clock, &self.0.storage, call).await
    }

    async fn model(&self, request: HttpRequest, waits: Waits) -> Result<ModelResponse<Stream>, Lost> {
        Model::ask(self.0.clone(), request, waits).await
    }

    async fn relays(&self) -> Option<HubView> {
        self.0.relays.borrow().clone()
    }

    async fn directory(&self, route: &'static str, body: String) -> Option<String> {
        self.0.clock.sleep(0).await;
        self.0.directory.hear(route, &body, self.0.clock.now())
    }

    fn set_alarm(&self, at: Option<i64>) {
        self.0.alarm.set(at);
    }

    fn log(&self, line: &str) {
        self.0.log.borrow_mut().push(line.to_owned());
    }
}

/// The conversation as the platform's shell holds it.
pub type Chat = Conversation<Lease<Store>, Outside>;

pub struct Sim {
    pub world: Rc<World>,
    pub store: Store,
    pub config: Config,
    /// What the Directory says when asked; `None`: this chat is not admitted.
    pub admission: Option<Admission>,
    pub in_group: bool,
    pub topic: Option<i64>,
    /// What rode in the answers to webhooks.
    pub webhook_replies: Vec<Value>,
    pub alarms_fired: usize,
    /// Task runs so far; see [`Sim::run_steps`].
    pub steps: u64,
    chat: Option<Rc<Chat>>,
    /// Takes the store away from the conversation.
    leave: Leave,
    tasks: Vec<Task>,
    next_update: i64,
}

/// A server at home, which costs nothing.
fn server(name: &'static str) -> Server {
    let endpoint = Endpoint { base_url: format!("http://{name}.local"), api_key: None };
    Server { name, provider: Provider::Ollama, endpoint, gateway: None }
}

/// A scenario that has not come to rest after so much virtual time never will.
const REST_BY_MS: i64 = 24 * 3_600_000;
const MAX_STEPS: u64 = 200_000;

impl Sim {
    pub fn private() -> Sim {
        Sim::new(false)
    }

    /// With a second model at another provider, which stands in for the first.
    pub fn with_two_models() -> Sim {
        let mut sim = Sim::private();
        sim.config.models.push(ModelRef::new("relay", "two"));
        sim
    }

    pub fn group() -> Sim {
        Sim::new(true)
    }

    fn new(in_group: bool) -> Sim {
        let world = World {
            clock: Clock::new(),
            telegram: Telegram::new(),
            model: Model::default(),
            directory: Directory::new(),
            storage: Storage::default(),
            alarm: Cell::new(None),
            log: RefCell::default(),
            relays: RefCell::default(),
        };
        Sim {
            world: Rc::new(world),
            store: Store::new(),
            config: Config {
                models: vec![ModelRef::new("ollama", "one")],
                servers: Servers(["ollama", "relay"].map(server).into()),
                catalogue: Catalogue::default(),
                transcriber: None,
                deadlines: Deadlines::default(),
                streaming: Streaming::Draft,
            },
            admission: Some(Admission {
                owner: true,
                require_mention: in_group,
                bot_username: Some(BOT_NAME.into()),
                bot_user_id: Some(BOT_ID),
                good_for_ms: 86_400_000,
            }),
            in_group,
            topic: None,
            webhook_replies: Vec::new(),
            alarms_fired: 0,
            steps: 0,
            chat: None,
            leave: Leave::default(),
            tasks: Vec::new(),
            next_update: 1_000,
        }
    }

    fn open(&mut self) -> Result<Rc<Chat>, StoreError> {
        if let Some(chat) = &self.chat {
            return Ok(chat.clone());
        }
        let (store, leave) = Lease::new(self.store.clone());
        let chat = Conversation::open(store, Outside(self.world.clone()), self.config.clone())?;
        self.leave = leave;
        let chat = Rc::new(chat);
        self.chat = Some(chat.clone());
        Ok(chat)
    }

    // What people and Telegram do.

    /// Posts `update` as the Worker does: again with the Directory's word if the object asks for it.
    pub fn post(&mut self, update: &str) -> Result<Accepted, StoreError> {
        let chat = self.open()?;
        let session = self.session();
        let mut accepted = chat.accept(&session, update, None)?;
        if accepted == Accepted::NotAdmitted && self.admission.is_some() {
            accepted = chat.accept(&session, update, self.admission.clone())?;
        }
        if let Accepted::Stored { reply, work } = &accepted {
            self.webhook_replies.extend(reply.as_deref().map(|json| serde_json::from_str(json).unwrap()));
            if *work {
                self.tasks.push(Task::new(false, async move { chat.work().await }));
            }
        }
        Ok(accepted)
    }

    /// A new update of `kind`.
    pub fn update(&mut self, kind: &str, body: Value) -> Accepted {
        let update = json!({"update_id": self.next_update, kind: body}).to_string();
        self.next_update += 1;
        self.post(&update).unwrap()
    }

    /// The body of the update posted last, for delivering it again.
    pub fn last_update_id(&self) -> i64 {
        self.next_update - 1
    }

    pub fn change_access(&mut self, change: &AccessChange) {
        let chat = self.open().unwrap();
        chat.change_access(change).unwrap();
        self.tasks.push(Task::new(false, async move { chat.work().await }));
    }

    /// The conversation's name.
    pub fn session(&self) -> String {
        let topic = self.topic.map(|topic| format!(":{topic}")).unwrap_or_default();
        format!("main:{}{topic}", if self.in_group { GROUP } else { PERSON })
    }

    /// The control plane asks; `None` if the answer took longer than `ms`.
    pub fn desk_within(&mut self, ask: ChatAsk, ms: i64) -> Option<Result<Value, Refused>> {
        let chat = self.open().unwrap();
        let answer = Rc::new(RefCell::new(None));
        let (acts, put) = (ask.acts(), answer.clone());
        self.tasks.push(Task::new(false, async move {
            *put.borrow_mut() = Some(chat.desk(&ask).await);
            if acts {
                chat.work().await;
            }
        }));
        let until = self.world.clock.now() + ms;
        while answer.borrow().is_none() && self.world.clock.now() < until {
            self.run_for(10);
        }
        let answer = answer.borrow_mut().take()?;
        Some(answer.map(|json| serde_json::from_str(&json).unwrap()))
    }

    /// The same, with an answer that must come.
    pub fn desk(&mut self, ask: ChatAsk) -> Result<Value, Refused> {
        self.desk_within(ask, 30_000).expect("the desk answers")
    }

    // What the platform does.

    /// Somebody asks the object to do something.
    pub fn task<F: Future<Output = ()> + 'static>(&mut self, work: impl FnOnce(Rc<Chat>) -> F) {
        let chat = self.open().unwrap();
        self.tasks.push(Task::new(false, work(chat)));
    }

    /// All rows were replaced: as the object's shell does, without a task of the old instance running in between.
    pub fn reopen(&mut self) {
        self.leave.take_back();
        self.chat = None;
        self.task(|chat| async move { chat.work().await });
    }

    /// Everything the object had is lost.
    pub fn lose(&mut self) {
        self.kill();
        self.store = Store::new();
        self.world.alarm.set(None);
    }

    /// The process dies: the conversation and all its work are gone, the store and the alarm stay.
    pub fn kill(&mut self) {
        self.drop_tasks();
        self.chat = None;
    }

    /// The platform drops the running work but keeps the object: a panic, a cancelled request.
    pub fn drop_tasks(&mut self) {
        // An alarm whose handler did not come to its end, nor set another, goes off again.
        if self.tasks.iter().any(|task| task.is_alarm) && self.world.alarm.get().is_none() {
            self.world.alarm.set(Some(self.world.clock.now() + 2_000));
        }
        self.tasks.clear();
    }

    /// Runs tasks that can run now. False if `steps` were used up before all had to wait.
    fn run_ready(&mut self, steps: &mut u64) -> bool {
        while let Some(place) = self.tasks.iter().position(Task::is_ready) {
            if *steps == 0 {
                return false;
            }
            *steps -= 1;
            self.steps += 1;
            assert!(self.steps < MAX_STEPS, "it spins: {:?}", self.log_tail());
            if self.tasks[place].poll() {
                self.tasks.remove(place);
            }
        }
        self.check_alarm();
        true
    }

    /// Whatever waits has an alarm, at every moment the process might die.
    fn check_alarm(&self) {
        if self.world.alarm.get().is_none() {
            let waits = self.waiting_rows();
            assert!(waits.is_empty(), "no alarm is set for {waits:?} at {}", self.world.clock.elapsed());
        }
    }

    pub fn waiting_rows(&self) -> Vec<String> {
        self.store.rows(
            "SELECT 'inbox', seq FROM inbox WHERE outcome IS NULL UNION ALL
             SELECT 'turn', id FROM turn WHERE state = 'running' UNION ALL
             SELECT 'outbox', id FROM outbox WHERE state IN ('queued', 'sending')",
        )
    }

    /// Lets time pass until `until`, `steps` are used up, or nothing is left to happen. True in the last case.
    fn advance(&mut self, until: i64, steps: &mut u64) -> bool {
        loop {
            if !self.run_ready(steps) || *steps == 0 {
                return false;
            }
            let alarm_free = !self.tasks.iter().any(|task| task.is_alarm);
            let alarm = self.world.alarm.get().filter(|_| alarm_free);
            let now = self.world.clock.now();
            let Some(next) = [self.world.clock.next_timer(), alarm].into_iter().flatten().min() else {
                return true;
            };
            if next.max(now) > until {
                return false;
            }
            self.world.clock.advance(next);
            if alarm.is_some_and(|at| at <= self.world.clock.now()) {
                self.fire_alarm();
            }
        }
    }

    fn fire_alarm(&mut self) {
        self.world.alarm.set(None);
        self.alarms_fired += 1;
        match self.open() {
            Ok(chat) => self.tasks.push(Task::new(true, async move { chat.on_alarm().await })),
            // As the shell of the object does.
            Err(_) => self.world.alarm.set(Some(self.world.clock.now() + 30_000)),
        }
    }

    /// Until everything has come to rest: nothing runs, nothing waits, no alarm is set.
    pub fn run(&mut self) {
        let rested = self.advance(self.world.clock.now() + REST_BY_MS, &mut u64::MAX.clone());
        assert!(rested && self.tasks.is_empty(), "it does not come to rest: {:?}", self.log_tail());
        assert_eq!(self.waiting_rows(), [""; 0], "work is left and nothing will do it");
    }

    pub fn run_for(&mut self, ms: i64) {
        let until = self.world.clock.now() + ms;
        self.advance(until, &mut u64::MAX.clone());
        self.world.clock.advance(until);
    }

    /// Runs `steps` task runs. True if everything came to rest before.
    pub fn run_steps(&mut self, steps: u64) -> bool {
        self.advance(START + REST_BY_MS, &mut steps.clone())
    }

    /// Runs until `reached` is true, looked at after every step.
    pub fn run_until(&mut self, reached: impl Fn(&World) -> bool) {
        while !reached(&self.world) {
            assert!(!self.run_steps(1), "it came to rest before that");
        }
    }
}
