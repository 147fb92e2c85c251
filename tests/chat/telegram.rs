//! Telegram, scripted: keeps what a person sees in the chat, and every call with its time.

use std::cell::{Cell, RefCell};

use serde_json::{Value, json};
use tideclaw::telegram::method::{Call, Content};
use tideclaw::telegram::outcome::Reply;

use super::clock::Clock;
use super::storage::Storage;

/// How a call is answered.
#[derive(Debug, Clone)]
pub enum Answer {
    Ok,
    /// 429 with so many seconds.
    Flood(i64),
    /// An error answer: code and description.
    Refuse(u16, &'static str),
    /// The group became this supergroup.
    Migrated(i64),
    /// A page of something in between, not Telegram's JSON.
    Page(u16),
    /// The connection broke before Telegram acted.
    LostBefore,
    /// Telegram acted, the answer was lost.
    LostAfter,
    /// No answer: the caller's own deadline of 30 s passes.
    Hang,
    /// As usual, so many milliseconds later.
    Slow(i64),
}

/// One call as it was made.
#[derive(Debug, Clone)]
pub struct Made {
    /// Milliseconds since the scenario began.
    pub at: i64,
    pub method: String,
    pub params: Value,
}

impl Made {
    pub fn text(&self) -> &str {
        self.params["text"].as_str().unwrap_or_default()
    }

    pub fn is_silent(&self) -> bool {
        self.params["disable_notification"] == json!(true)
    }

    pub fn reply_to(&self) -> Option<i64> {
        self.params["reply_parameters"]["message_id"].as_i64()
    }
}

/// A message of the bot as it stands in the chat.
#[derive(Debug, Clone)]
pub struct Shown {
    pub id: i64,
    pub text: String,
    pub params: Value,
}

struct Rule {
    method: &'static str,
    skip: usize,
    times: usize,
    answer: Answer,
}

pub struct Telegram {
    pub calls: RefCell<Vec<Made>>,
    pub chat: RefCell<Vec<Shown>>,
    /// Every message ever accepted, also those deleted since.
    pub accepted: RefCell<Vec<Shown>>,
    /// Name and text of every document that arrived.
    pub documents: RefCell<Vec<(String, String)>>,
    rules: RefCell<Vec<Rule>>,
    next_id: Cell<i64>,
    /// Usual time of an answer.
    pub latency: Cell<i64>,
    /// Whether a usual call takes effect at its end rather than its beginning.
    pub acts_late: Cell<bool>,
}

impl Telegram {
    pub fn new() -> Telegram {
        Telegram {
            calls: RefCell::default(),
            chat: RefCell::default(),
            accepted: RefCell::default(),
            documents: RefCell::default(),
            rules: RefCell::default(),
            next_id: Cell::new(100),
            latency: Cell::new(40),
            acts_late: Cell::new(false),
        }
    }

    /// The next id of this chat's messages, ours and theirs.
    pub fn take_id(&self) -> i64 {
        self.next_id.replace(self.next_id.get() + 1)
    }

    /// The next call of `method` is answered so. Several: one after the other.
    pub fn once(&self, method: &'static str, answer: Answer) {
        self.times(method, 0, 1, answer);
    }

    /// All calls of `method` (empty: of any) are answered so until [`Telegram::mend`].
    pub fn always(&self, method: &'static str, answer: Answer) {
        self.times(method, 0, usize::MAX, answer);
    }

    /// After `skip` calls of `method`, the next `times` are answered so.
    pub fn times(&self, method: &'static str, skip: usize, times: usize, answer: Answer) {
        self.rules.borrow_mut().push(Rule { method, skip, times, answer });
    }

    pub fn mend(&self) {
        self.rules.borrow_mut().clear();
    }

    fn answer_to(&self, method: &str) -> Answer {
        let mut rules = self.rules.borrow_mut();
        let matching = |rule: &&mut Rule| rule.times > 0 && (rule.method.is_empty() || rule.method == method);
        let Some(rule) = rules.iter_mut().find(matching) else { return Answer::Ok };
        if rule.skip > 0 {
            rule.skip -= 1;
            return Answer::Ok;
        }
        rule.times -= 1;
        rule.answer.clone()
    }

    pub async fn call(&self, clock: &Clock, storage: &Storage, call: &Call) -> Reply {
        let answer = self.answer_to(&call.method);
        let made = Made { at: clock.elapsed(), method: call.method.clone(), params: call.params.clone() };
        self.calls.borrow_mut().push(made);
        let wait = match answer {
            Answer::Hang => 30_000,
            Answer::Slow(ms) => ms,
            _ => self.latency.get(),
        };
        let acts = matches!(answer, Answer::Ok | Answer::Slow(_) | Answer::LostAfter);
        let early = (acts && !self.acts_late.get()).then(|| self.act(storage, call));
        clock.sleep(wait).await;
        let done =
            early.unwrap_or_else(|| if acts { self.act(storage, call) } else { refused(400, "unused", json!({})) });
        match answer {
            Answer::Ok | Answer::Slow(_) => done,
            Answer::LostAfter | Answer::LostBefore | Answer::Hang => Reply::Lost,
            Answer::Flood(s) => refused(429, "Too Many Requests: retry after", json!({"retry_after": s})),
            Answer::Refuse(code, text) => refused(code, text, json!({})),
            Answer::Migrated(chat) => refused(
                400,
                "Bad Request: group chat was upgraded to a supergroup chat",
                json!({"migrate_to_chat_id": chat}),
            ),
            Answer::Page(status) => Reply::Answered { status, body: "<html>something in between</html>".into() },
        }
    }

    /// What Telegram does with a call it accepts.
    fn act(&self, storage: &Storage, call: &Call) -> Reply {
        let text = call.params["text"].as_str().unwrap_or_default().to_owned();
        if call.params.get("text").is_some() {
            assert!(!text.trim().is_empty() && text.encode_utf16().count() <= 4096, "bad text: {text:?}");
        }
        let mut chat = self.chat.borrow_mut();
        let place = chat.iter().position(|shown| Some(shown.id) == call.params["message_id"].as_i64());
        match (call.method.as_str(), place) {
            ("sendMessage", _) => {
                let shown = Shown { id: self.take_id(), text, params: call.params.clone() };
                let result = json!({"message_id": shown.id});
                self.accepted.borrow_mut().push(shown.clone());
                chat.push(shown);
                answered(result)
            }
            ("sendDocument", _) => {
                let upload = call.upload.as_ref().expect("a document without a file");
                let bytes = match &upload.content {
                    Content::Text(text) => text.clone().into_bytes(),
                    Content::Stored { key, size } => {
                        let bytes = storage.stored.borrow()[key].clone();
                        assert_eq!(bytes.len() as u64, *size);
                        bytes
                    }
                };
                assert!(!bytes.is_empty(), "Telegram refuses empty files");
                let shown = Shown { id: self.take_id(), text: upload.name.clone(), params: call.params.clone() };
                let result = json!({"message_id": shown.id});
                self.documents.borrow_mut().push((upload.name.clone(), String::from_utf8(bytes).unwrap()));
                self.accepted.borrow_mut().push(shown.clone());
                chat.push(shown);
                answered(result)
            }
            ("getFile", _) => {
                let id = call.params["file_id"].as_str().unwrap();
                match storage.telegram.borrow().get(id) {
                    Some(bytes) if bytes.len() > 20 * 1024 * 1024 => {
                        refused(400, "Bad Request: file is too big", json!({}))
                    }
                    Some(bytes) => answered(
                        json!({"file_id": id, "file_path": format!("documents/{id}"), "file_size": bytes.len()}),
                    ),
                    None => {
                        refused(400, "Bad Request: wrong file_id or the file is temporarily unavailable", json!({}))
                    }
                }
            }
            ("editMessageText", Some(place)) => {
                if chat[place].text == text && chat[place].params["reply_markup"] == call.params["reply_markup"] {
                    return refused(400, "Bad Request: message is not modified: same", json!({}));
                }
                chat[place].text = text;
                chat[place].params = call.params.clone();
                answered(json!({"message_id": chat[place].id}))
            }
            ("editMessageText", None) => refused(400, "Bad Request: message to edit not found", json!({})),
            ("deleteMessage", Some(place)) => {
                chat.remove(place);
                answered(json!(true))
            }
            ("deleteMessage", None) => refused(400, "Bad Request: message to delete not found", json!({})),
            _ => answered(json!(true)),
        }
    }
}

fn answered(result: Value) -> Reply {
    Reply::Answered { status: 200, body: json!({"ok": true, "result": result}).to_string() }
}

fn refused(code: u16, description: &str, parameters: Value) -> Reply {
    let body = json!({"ok": false, "error_code": code, "description": description, "parameters": parameters});
    Reply::Answered { status: code, body: body.to_string() }
}
