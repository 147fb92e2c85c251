//! Conversations: the list, one with its transcript, a turn with its timeline, what happened to updates; and the acts.
//!
//! Whatever a conversation says was written by strangers: it is only ever put into text nodes, isolated from the direction of
//! what stands around it. A conversation is asked only after the Directory knows it. Not here: what acts mean
//! (`chat::desk`), who may come here (`access`).

mod list;
mod one;
mod parts;
mod turn;
mod updates;

use super::access::Identity;
use super::look::{Frame, encode};
use super::port::{Office, read};
use super::request::{Answer, Method, Request};
use crate::chat::desk::{ChatAsk, Deleted, Form, Retried};
use crate::directory::ConversationRow;
use crate::directory::desk::{Act, DeskAsk, Refused};
use crate::text::admin as words;

/// A page about conversations; `rest` is the path after `conversations`.
pub async fn page<O: Office>(office: &O, request: &Request, who: &Identity, rest: &[&str]) -> Result<Answer, Refused> {
    let frame = Frame::new(request, who, "conversations");
    match (request.method, rest) {
        (Method::Get, []) => list::page(office, request, &frame).await,
        (Method::Get, [session]) => one::page(office, request, &frame, session).await,
        (Method::Get, [session, "delete"]) => one::ask_delete(office, &frame, session).await,
        (Method::Get, [session, "turns"]) => turn::list(office, request, &frame, session).await,
        (Method::Get, [session, "turns", id]) => turn::page(office, &frame, session, number(id)?).await,
        (Method::Get, [session, "updates"]) => updates::page(office, request, &frame, session).await,
        (Method::Get, [session, "files"]) => updates::files(office, request, &frame, session).await,
        (Method::Get, [session, "export"]) => export(office, request, session).await,
        (Method::Post, [session, act]) => {
            let done = perform(office, request, session, act).await?;
            Ok(Answer::See(after(session, act, &done)?))
        }
        _ => Err(Refused::not_found(words::not_found(request.lang))),
    }
}

/// The same as JSON.
pub async fn api<O: Office>(office: &O, request: &Request, rest: &[&str]) -> Result<Answer, Refused> {
    let search = || request.query("q").map(str::to_owned);
    let ask = match (request.method, rest) {
        (Method::Get, []) => {
            let ask = DeskAsk::Conversations { search: search(), before: request.query("before").map(str::to_owned) };
            return Ok(Answer::json(&office.directory(&ask).await?));
        }
        (Method::Get, [_, "export"]) => return export(office, request, rest.first().unwrap_or(&"")).await,
        (Method::Post, [session, act]) => return Ok(Answer::json(&perform(office, request, session, act).await?)),
        (Method::Get, [_]) => ChatAsk::Overview,
        (Method::Get, [_, "messages"]) => ChatAsk::Messages { before: request.query_int("before"), search: search() },
        (Method::Get, [_, "turns"]) => ChatAsk::Turns { before: request.query("before").map(str::to_owned) },
        (Method::Get, [_, "turns", id]) => ChatAsk::Turn { id: number(id)? },
        (Method::Get, [_, "updates"]) => ChatAsk::Updates { before: request.query_int("before") },
        (Method::Get, [_, "files"]) => ChatAsk::Files { before: request.query_int("before") },
        _ => return Err(Refused::not_found("No such route.")),
    };
    let session = rest.first().unwrap_or(&"");
    let row = known(office, session).await?;
    let answer = office.chat(session, &ask).await?;
    if ask != ChatAsk::Overview {
        return Ok(Answer::json(&answer));
    }
    // The index's row and what the conversation says itself, side by side.
    let now: serde_json::Value = read(&answer)?;
    Ok(Answer::json(&serde_json::json!({ "listed": row, "now": now }).to_string()))
}

/// The Directory's row of a conversation; 404 if it knows none.
async fn known<O: Office>(office: &O, session: &str) -> Result<ConversationRow, Refused> {
    read(&office.directory(&DeskAsk::Conversation { session: session.to_owned() }).await?)
}

fn number(text: &str) -> Result<i64, Refused> {
    text.parse().map_err(|_| Refused::not_found("There is no such turn."))
}

async fn export<O: Office>(office: &O, request: &Request, session: &str) -> Result<Answer, Refused> {
    let form = match request.query("form").unwrap_or("markdown") {
        "markdown" => Form::Markdown,
        "jsonl" => Form::JsonLines,
        _ => return Err(Refused::bad_input("`form` is `markdown` or `jsonl`.")),
    };
    note(office, session, Act::Export, None).await?;
    Ok(Answer::Export { session: session.to_owned(), form })
}

async fn note<O: Office>(office: &O, session: &str, act: Act, about: Option<i64>) -> Result<(), Refused> {
    office.directory(&DeskAsk::NoteAct { session: session.to_owned(), act, about }).await.map(drop)
}

/// Does what was asked for: first the audit, then the act.
async fn perform<O: Office>(office: &O, request: &Request, session: &str, act: &str) -> Result<String, Refused> {
    let (act, about, ask) = match act {
        "stop" => (Act::Stop, None, ChatAsk::Stop),
        "retry" => {
            let turn = request.need_int("turn")?;
            (Act::Retry, Some(turn), ChatAsk::Retry { turn })
        }
        "send-again" => {
            let delivery = request.need_int("delivery")?;
            (Act::SendAgain, Some(delivery), ChatAsk::SendAgain { delivery })
        }
        "delete" => {
            if request.text("confirm") != Some(session) {
                return Err(Refused::bad_input("`confirm` must be the name of the conversation."));
            }
            (Act::Delete, None, ChatAsk::Delete)
        }
        _ => return Err(Refused::not_found("No such route.")),
    };
    note(office, session, act, about).await?;
    let done = office.chat(session, &ask).await?;
    if act == Act::Delete {
        office.directory(&DeskAsk::Unlist { session: session.to_owned() }).await?;
    }
    Ok(done)
}

/// Where a form leads when it was done.
fn after(session: &str, act: &str, done: &str) -> Result<String, Refused> {
    Ok(match act {
        "retry" => at(session, &format!("/turns/{}?done=1", read::<Retried>(done)?.turn)),
        "delete" if read::<Deleted>(done)?.wiped => "/_admin/conversations?deleted=1".to_owned(),
        "delete" => "/_admin/conversations?deleted=soon".to_owned(),
        _ => at(session, "?done=1"),
    })
}

/// A page of this conversation.
fn at(session: &str, below: &str) -> String {
    format!("/_admin/conversations/{}{below}", encode(session))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests;
