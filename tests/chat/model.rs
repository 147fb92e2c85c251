//! The model's server, scripted: answers requests in order and records whether they were read to their end.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;

use serde_json::{Value, json};
use tideclaw::chat::ports::{Body, Lost, ModelResponse, Waits};
use tideclaw::llm::{HttpRequest, Piece};
use tideclaw::relay::Phase;

use super::sim::World;

/// What follows the last chunk.
#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    Clean,
    Cut,
    Hang,
}

/// One answer.
#[derive(Debug, Clone)]
pub struct Script {
    /// Before the headers: what a relay says meanwhile, and for how long.
    phases: Vec<(i64, Phase)>,
    /// After that.
    wait: i64,
    status: u16,
    retry_after: Option<&'static str>,
    /// No headers at all: the connection fails.
    refused: bool,
    chunks: Vec<(i64, Vec<u8>)>,
    end: End,
}

impl Script {
    /// An answer in one go.
    pub fn says(text: &str) -> Script {
        Script::words(0, &[text])
    }

    /// An answer in pieces, `pause` milliseconds before each.
    pub fn words(pause: i64, words: &[&str]) -> Script {
        let mut script = Script::partial(pause, words);
        script.chunks.push((0, done("stop", 26)));
        script
    }

    /// Pieces without the closing line.
    pub fn partial(pause: i64, words: &[&str]) -> Script {
        let chunks = words.iter().map(|word| (pause, line(word))).collect();
        Script { phases: Vec::new(), wait: 0, status: 200, retry_after: None, refused: false, chunks, end: End::Clean }
    }

    /// The model calls a tool; `arguments` is JSON.
    pub fn calls(name: &str, arguments: &str) -> Script {
        Script::calls_after("", name, arguments)
    }

    /// The same after some words.
    pub fn calls_after(text: &str, name: &str, arguments: &str) -> Script {
        let arguments: Value = serde_json::from_str(arguments).unwrap();
        let call = json!({"message": {"role": "assistant", "content": "",
            "tool_calls": [{"function": {"name": name, "arguments": arguments}}]}, "done": false});
        let mut script = Script::partial(10, &[text]).line(&call.to_string());
        script.chunks.push((0, done("stop", 26)));
        script
    }

    /// More of a thought.
    pub fn thinks(self, text: &str) -> Script {
        self.line(
            &json!({"message": {"role": "assistant", "content": "", "thinking": text}, "done": false}).to_string(),
        )
    }

    /// More of an answer, and its end.
    pub fn says_more(mut self, text: &str) -> Script {
        self.chunks.extend([(10, line(text)), (0, done("stop", 26))]);
        self
    }

    /// Another status with a body.
    pub fn status(status: u16, body: &str) -> Script {
        Script { status, chunks: vec![(0, body.as_bytes().to_vec())], ..Script::partial(0, &[]) }
    }

    /// No connection.
    pub fn refused() -> Script {
        Script { refused: true, ..Script::partial(0, &[]) }
    }

    pub fn after(mut self, ms: i64) -> Script {
        self.wait = ms;
        self
    }

    /// Before it answers, the relay says for `ms` milliseconds what the call waits for.
    pub fn waits(mut self, ms: i64, phase: Phase) -> Script {
        self.phases.push((ms, phase));
        self
    }

    pub fn retry_after(mut self, value: &'static str) -> Script {
        self.retry_after = Some(value);
        self
    }

    /// A raw line more.
    pub fn line(mut self, line: &str) -> Script {
        self.chunks.push((0, format!("{line}\n").into_bytes()));
        self
    }

    /// The connection breaks after the last chunk.
    pub fn cut(mut self) -> Script {
        self.end = End::Cut;
        self
    }

    /// Nothing more comes, ever.
    pub fn hang(mut self) -> Script {
        self.end = End::Hang;
        self
    }

    /// The same in chunks of one byte.
    pub fn bytewise(mut self) -> Script {
        let bytes: Vec<u8> = self.chunks.into_iter().flat_map(|(_, bytes)| bytes).collect();
        self.chunks = bytes.into_iter().map(|byte| (0, vec![byte])).collect();
        self
    }

    /// It ended because of its length.
    pub fn too_long(mut self) -> Script {
        self.chunks.pop();
        self.chunks.push((0, done("length", 26)));
        self
    }
}

fn line(text: &str) -> Vec<u8> {
    format!("{}\n", json!({"message": {"role": "assistant", "content": text}, "done": false})).into_bytes()
}

fn done(reason: &str, prompt_tokens: u64) -> Vec<u8> {
    let line = json!({"message": {"role": "assistant", "content": ""}, "done": true, "done_reason": reason,
        "prompt_eval_count": prompt_tokens, "eval_count": 5});
    format!("{line}\n").into_bytes()
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum State {
    Open,
    /// All that there was has been read.
    Read,
    /// Given up by the reader, at this time.
    Aborted(i64),
}

#[derive(Debug, Clone)]
pub struct Request {
    pub at: i64,
    pub url: String,
    pub body: Value,
    pub state: Rc<Cell<State>>,
}

impl Request {
    /// The newest message of the prompt.
    pub fn question(&self) -> &str {
        self.body["messages"]
            .as_array()
            .and_then(|all| all.last())
            .and_then(|last| last["content"].as_str())
            .unwrap_or("")
    }

    /// It asks for a summary of a conversation, not for an answer to a person.
    pub fn is_summary(&self) -> bool {
        self.body["messages"][0]["content"].as_str().is_some_and(|system| system.starts_with("You keep the memory"))
    }

    /// `role: text` of every message but the system's.
    pub fn prompt(&self) -> Vec<String> {
        let all = self.body["messages"].as_array().unwrap().iter().skip(1);
        all.map(|m| format!("{}: {}", m["role"].as_str().unwrap(), m["content"].as_str().unwrap_or(""))).collect()
    }
}

/// A body as text; a file in it is `<key size>`.
fn whole(body: &tideclaw::llm::Body) -> String {
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::File { key, size, .. } => format!("<{key} {size}>"),
    };
    body.pieces().iter().map(piece).collect()
}

#[derive(Default)]
pub struct Model {
    pub requests: RefCell<Vec<Request>>,
    answers: RefCell<VecDeque<Script>>,
    summaries: RefCell<VecDeque<Script>>,
    /// Counts a prompt's tokens as this server does; `None`: it says 26 of every one.
    pub counter: Cell<Option<Counter>>,
    /// A summary without a script has so many words more than it needs.
    pub summary_filler: Cell<usize>,
    lists: RefCell<VecDeque<Script>>,
    by_question: RefCell<Option<Rule>>,
    /// The answer of `/api/show`; empty: 404.
    pub shown: RefCell<String>,
}

type Counter = fn(&Request) -> u64;
type Rule = Box<dyn Fn(&Request) -> Script>;

impl Model {
    /// The next question is answered so. Without a script the answer is `Re: ` and the question.
    pub fn next(&self, script: Script) {
        self.answers.borrow_mut().push_back(script);
    }

    /// Every question without a script is answered by this rule.
    pub fn by_question(&self, rule: impl Fn(&Request) -> Script + 'static) {
        self.by_question.replace(Some(Box::new(rule)));
    }

    /// The next request for a summary is answered so. Without a script the summary is the line of [`echo`].
    pub fn next_summary(&self, script: Script) {
        self.summaries.borrow_mut().push_back(script);
    }

    /// Scripts not used yet are not used any more.
    pub fn forget_scripts(&self) {
        self.answers.borrow_mut().clear();
        self.summaries.borrow_mut().clear();
    }

    /// The next look at the catalogue is answered so.
    pub fn next_list(&self, script: Script) {
        self.lists.borrow_mut().push_back(script);
    }

    /// What the server says of a model.
    fn show(&self, world: &Rc<World>, state: Rc<Cell<State>>) -> ModelResponse<Stream> {
        let body = self.shown.borrow().clone();
        let status = if body.is_empty() { 404 } else { 200 };
        let chunks = VecDeque::from([(0, body.into_bytes())]);
        let stream = Stream { world: world.clone(), state, chunks, end: End::Clean };
        ModelResponse { status, retry_after: None, log_id: None, body: stream }
    }

    pub async fn ask(world: Rc<World>, request: HttpRequest, waits: Waits) -> Result<ModelResponse<Stream>, Lost> {
        let at = world.clock.elapsed();
        let body = serde_json::from_str(&whole(&request.body)).unwrap_or(Value::Null);
        let state = Rc::new(Cell::new(State::Open));
        let asked = Request { at, url: request.url, body, state: state.clone() };
        if asked.url.ends_with("/api/show") {
            return Ok(world.model.show(&world, state));
        }
        let is_list = asked.url.ends_with("/api/tags");
        let queue = match (is_list, asked.is_summary()) {
            (true, _) => &world.model.lists,
            (_, true) => &world.model.summaries,
            _ => &world.model.answers,
        };
        let script = queue.borrow_mut().pop_front().unwrap_or_else(|| {
            if is_list {
                let names = if asked.url.contains("relay") { "" } else { r#"{"name":"llama3:8b"}"# };
                return Script::status(200, &format!(r#"{{"models":[{names}]}}"#));
            }
            if asked.is_summary() {
                let filler = " as told before".repeat(world.model.summary_filler.get() / 3);
                return Script::says(&format!("{}{filler}", echo(asked.question()))).after(1_000);
            }
            if let Some(rule) = &*world.model.by_question.borrow() {
                return rule(&asked);
            }
            Script::says(&format!("Re: {}", asked.question())).after(100)
        });
        let mut script = script;
        if let Some(count) = world.model.counter.get()
            && script.chunks.last().is_some_and(|(_, chunk)| *chunk == done("stop", 26))
        {
            script.chunks.pop();
            script.chunks.push((0, done("stop", count(&asked))));
        }
        if !is_list {
            world.model.requests.borrow_mut().push(asked);
        }
        let mut stream = Stream { world: world.clone(), state, chunks: script.chunks.into(), end: script.end };
        for (ms, phase) in script.phases {
            waits.set(Some(phase));
            world.clock.sleep(ms).await;
        }
        world.clock.sleep(script.wait).await;
        waits.set(None);
        if script.refused {
            stream.finish();
            return Err(Lost);
        }
        let retry_after = script.retry_after.map(str::to_owned);
        Ok(ModelResponse { status: script.status, retry_after, log_id: None, body: stream })
    }
}

/// A summary that keeps what is marked: every `fact…` in the material, once.
pub fn echo(material: &str) -> String {
    let mut facts: Vec<&str> = Vec::new();
    for word in material.split(|c: char| !c.is_alphanumeric()) {
        if word.starts_with("fact") && !facts.contains(&word) {
            facts.push(word);
        }
    }
    format!("Summary: {}.", facts.join(" "))
}

pub struct Stream {
    world: Rc<World>,
    state: Rc<Cell<State>>,
    chunks: VecDeque<(i64, Vec<u8>)>,
    end: End,
}

impl Stream {
    fn finish(&mut self) {
        self.state.set(State::Read);
    }
}

impl Body for Stream {
    async fn next(&mut self) -> Option<Result<Vec<u8>, Lost>> {
        let Some((wait, _)) = self.chunks.front() else {
            if self.end == End::Hang {
                std::future::pending::<()>().await;
            }
            self.finish();
            return (self.end == End::Cut).then_some(Err(Lost));
        };
        if *wait > 0 {
            self.world.clock.sleep(*wait).await;
        }
        let (_, bytes) = self.chunks.pop_front()?;
        if self.chunks.is_empty() && self.end == End::Clean {
            self.finish();
        }
        Some(Ok(bytes))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        if self.state.get() == State::Open {
            self.state.set(State::Aborted(self.world.clock.elapsed()));
        }
    }
}
