//! Requests with `relay://` addresses, answered as HTTP: by a relay, or by what the hub knows of all of them.

use serde_json::json;
use worker::Env;

use super::super::files::Bucket;
use super::super::objects;
use super::call::{self, Answer, Call};
use crate::chat::ports::{Lost, Waits};
use crate::llm::HttpRequest;
use crate::relay::route::{SCHEME, relay_of};
use crate::relay::{Fail, MAX_BODY};

/// An answer.
pub enum Reply {
    /// Ollama's.
    Ollama { status: u16, retry_after: Option<String>, call: Box<Call> },
    /// Made here.
    Here { status: u16, body: String },
}

/// Whether `url` leads to a relay.
pub fn is_relay(url: &str) -> bool {
    url.starts_with(SCHEME)
}

/// Sends `request`. What it waits for is told to `waits`.
pub async fn ask(env: &Env, request: HttpRequest, bucket: Option<Bucket>, waits: Waits) -> Result<Reply, Lost> {
    let url = request.url.clone();
    let (relay, path) = relay_of(&url).ok_or(Lost)?;
    if (request.method, path) == ("GET", "/api/tags") {
        // No relay is asked: the hub knows, and the list of a relay at work does not have to wait.
        let view = objects::hub_view(env).await.ok_or(Lost)?;
        return Ok(Reply::Here { status: 200, body: view.tags(relay) });
    }
    if request.body.len() > MAX_BODY {
        // Before anything is sent. The status is what every server says of a prompt that is too much for it.
        let error = format!("the request has {} bytes, and a relay takes {MAX_BODY}", request.body.len());
        return Ok(Reply::Here { status: 413, body: json!({ "error": error }).to_string() });
    }
    match call::send(env, relay, path, request, bucket, waits).await? {
        Answer::Head(head, call) => {
            Ok(Reply::Ollama { status: head.status, retry_after: head.retry_after.clone(), call })
        }
        Answer::Failed(fail) => Ok(failed(&fail)),
    }
}

/// What a failure before Ollama's answer is as HTTP (docs/relay-protocol.md).
fn failed(fail: &Fail) -> Reply {
    let body = json!({ "error": fail.message, "relay": fail.code }).to_string();
    Reply::Here { status: fail.code.status(), body }
}
