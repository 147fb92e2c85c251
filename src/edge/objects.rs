//! Calls from the Worker, or from one object, to another object: a path, a JSON body, a deadline and a version.
//!
//! Worker and objects may run different releases for minutes: both accept the version before theirs (DESIGN §3.12).

use futures::future::{Either, select};
use std::pin::pin;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use worker::{Env, Error, Response, Result, Stub};

use super::body::Payload;
use super::clock;
use super::http::request_init;
use crate::relay::HubView;

#[wasm_bindgen]
extern "C" {
    /// An object's stub: `fetch` with an address and its settings, without a `Request` made in between.
    type JsStub;
    #[wasm_bindgen(method, catch)]
    fn fetch(this: &JsStub, url: &str, init: &web_sys::RequestInit) -> std::result::Result<js_sys::Promise, JsValue>;
}

/// Version of the calls between our objects.
pub const PROTOCOL: &str = "1";
/// Carries the Directory's word on a chat, as JSON.
pub const ADMISSION: &str = "x-tideclaw-admission";
/// Carries the session's name.
pub const SESSION: &str = "x-tideclaw-session";

/// An object that hangs never answers by itself (cloudflare.md §8.5).
const DEADLINE_MS: i64 = 20_000;

/// The one Directory.
pub async fn directory(env: &Env, path: &str, body: Option<String>) -> Result<Response> {
    call(env.durable_object("DIRECTORY")?.get_by_name("directory")?, path, &[], body).await
}

/// The same, for its words alone: `None` unless it answered with success. Read by the platform at once; the wrapper's way
/// of reading a body piece by piece costs more than the question.
pub async fn ask_directory(env: &Env, path: &str, body: String) -> Option<String> {
    let response = directory(env, path, Some(body)).await.ok()?;
    if response.status_code() != 200 {
        return None;
    }
    let response: web_sys::Response = response.into();
    JsFuture::from(response.text().ok()?).await.ok()?.as_string()
}

/// A WebSocket to the Directory; the answer is handed on to whoever asked for it.
pub async fn directory_socket(env: &Env, path: &str) -> Result<Response> {
    let stub = env.durable_object("DIRECTORY")?.get_by_name("directory")?;
    send(DEADLINE_MS, stub, "GET", path, &[("upgrade", Some("websocket"))], None).await
}

/// A WebSocket to the relays' hub for a relay whose token was found good; its hash goes along under `header`. The answer
/// holds the other end.
pub async fn relay_socket(env: &Env, header: &str, token_hash: &str) -> Result<Response> {
    let stub = env.durable_object("RELAY")?.get_by_name("hub")?;
    let headers = [("upgrade", Some("websocket")), (header, Some(token_hash))];
    send(DEADLINE_MS, stub, "GET", "/relay", &headers, None).await
}

/// A WebSocket to the relays' hub: `/call` for a conversation's call. The answer holds the other end.
pub async fn hub_socket(env: &Env, path: &str) -> Result<Response> {
    let stub = env.durable_object("RELAY")?.get_by_name("hub")?;
    send(DEADLINE_MS, stub, "GET", path, &[("upgrade", Some("websocket"))], None).await
}

/// What the hub knows of its relays; `None`: it did not answer.
pub async fn hub_view(env: &Env) -> Option<HubView> {
    let stub = env.durable_object("RELAY").ok()?.get_by_name("hub").ok()?;
    let response = call(stub, "/view", &[], None).await.ok()?;
    if response.status_code() != 200 {
        return None;
    }
    let response: web_sys::Response = response.into();
    let text = JsFuture::from(response.text().ok()?).await.ok()?.as_string()?;
    serde_json::from_slice(text.as_bytes()).ok()
}

/// The conversation `session`.
pub async fn chat(
    env: &Env,
    session: &str,
    path: &str,
    admission: Option<&str>,
    body: Option<String>,
) -> Result<Response> {
    let headers = [(SESSION, Some(session)), (ADMISSION, admission)];
    call(env.durable_object("CHAT")?.get_by_name(session)?, path, &headers, body).await
}

/// The same for an order that may take long; its answer read as text. `None`: none came, or none of success.
pub async fn order_chat(env: &Env, session: &str, path: &str, body: String, deadline_ms: i64) -> Option<String> {
    let stub = env.durable_object("CHAT").ok()?.get_by_name(session).ok()?;
    let headers = [(SESSION, Some(session))];
    let response = send(deadline_ms, stub, "POST", path, &headers, Some(body)).await.ok()?;
    if response.status_code() != 200 {
        return None;
    }
    let response: web_sys::Response = response.into();
    JsFuture::from(response.text().ok()?).await.ok()?.as_string()
}

async fn call(stub: Stub, path: &str, headers: &[(&str, Option<&str>)], body: Option<String>) -> Result<Response> {
    send(DEADLINE_MS, stub, "POST", path, headers, body).await
}

async fn send(
    deadline_ms: i64,
    stub: Stub,
    method: &str,
    path: &str,
    headers: &[(&str, Option<&str>)],
    body: Option<String>,
) -> Result<Response> {
    let mut list = vec![("x-tideclaw-protocol", PROTOCOL)];
    list.extend(headers.iter().filter_map(|&(name, value)| Some((name, value?))));
    let body = body.as_deref().map_or(Payload::None, Payload::Text);
    let init = request_init(method, &list, body)?;
    let answer = stub.into_rpc::<JsStub>().fetch(&format!("https://object{path}"), &init)?;
    match select(pin!(JsFuture::from(answer)), pin!(clock::sleep(deadline_ms))).await {
        Either::Left((response, _)) => Ok(response?.unchecked_into::<web_sys::Response>().into()),
        Either::Right(_) => Err(Error::RustError("the object did not answer in time".into())),
    }
}
