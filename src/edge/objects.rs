//! Calls from the Worker, or from one object, to another object: a path, a JSON body, a deadline and a version.
//!
//! Worker and objects may run different releases for minutes: both accept the version before theirs (DESIGN §3.12).

use futures::future::{Either, select};
use std::pin::pin;
use worker::{Env, Error, Headers, Method, Request, RequestInit, Response, Result, Stub};

use super::clock;

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

async fn call(stub: Stub, path: &str, headers: &[(&str, Option<&str>)], body: Option<String>) -> Result<Response> {
    let list = Headers::new();
    list.set("x-tideclaw-protocol", PROTOCOL)?;
    for (name, value) in headers {
        if let Some(value) = value {
            list.set(name, value)?;
        }
    }
    let mut init = RequestInit::new();
    init.with_method(Method::Post).with_headers(list).with_body(body.map(Into::into));
    let request = Request::new_with_init(&format!("https://object{path}"), &init)?;
    match select(pin!(stub.fetch_with_request(request)), pin!(clock::sleep(DEADLINE_MS))).await {
        Either::Left((response, _)) => response,
        Either::Right(_) => Err(Error::RustError("the object did not answer in time".into())),
    }
}
