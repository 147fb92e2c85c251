//! Looks from inside out: a request as a stranger would send it, and a file through storage and back.
//!
//! Not here: what is good and what is not (`crate::admin::doctor`).

use js_sys::Date;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use worker::Env;

use super::super::body::Payload;
use super::super::files::{Bucket, JsChunk, JsStream, done};
use super::super::http::request_init;
use crate::admin::doctor::facts::Stored;
use crate::admin::port::{Fetched, MAX_FETCHED};
use crate::chat::ports::Lost;
use crate::llm::HttpRequest;

/// Aborts what it guards when dropped.
struct Abort(web_sys::AbortController);

impl Drop for Abort {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Sends `request`, whose body is a text if there is one. Dropping the future aborts it.
pub async fn fetch(request: &HttpRequest) -> Result<Fetched, Lost> {
    let headers: Vec<(&str, &str)> =
        request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let body = request.body.as_text().filter(|text| !text.is_empty()).map_or(Payload::None, Payload::Text);
    let init = request_init(request.method, &headers, body).map_err(|_| Lost)?;
    // Access answers strangers with a redirect, and that is the answer.
    js_sys::Reflect::set(&init, &"redirect".into(), &"manual".into()).map_err(|_| Lost)?;
    let guard = Abort(web_sys::AbortController::new().map_err(|_| Lost)?);
    init.set_signal(Some(&guard.0.signal()));
    let global: web_sys::WorkerGlobalScope = js_sys::global().unchecked_into();
    let sent = global.fetch_with_str_and_init(&request.url, &init);
    let response: web_sys::Response = JsFuture::from(sent).await.map_err(|_| Lost)?.unchecked_into();
    let date = response.headers().get("date").ok().flatten().map(|text| Date::parse(&text));
    let date = date.filter(|at| at.is_finite()).map(|at| at as i64);
    Ok(Fetched { status: response.status(), date, body: read(&response).await? })
}

async fn read(response: &web_sys::Response) -> Result<Vec<u8>, Lost> {
    let mut bytes = Vec::new();
    let Some(stream) = response.body() else { return Ok(bytes) };
    let reader = stream.unchecked_into::<JsStream>().get_reader();
    loop {
        let chunk: JsChunk = done(reader.read()).await?.unchecked_into();
        if chunk.done() {
            return Ok(bytes);
        }
        bytes.extend(chunk.value().to_vec());
        if bytes.len() > MAX_FETCHED {
            bytes.truncate(MAX_FETCHED);
            return Ok(bytes);
        }
    }
}

/// What is written, read back and deleted.
const WORDS: &[u8] = b"Tideclaw's doctor was here.";

/// A file through storage and back. `now` makes its key: none is written twice (DESIGN §4).
pub async fn storage(env: &Env, now: i64) -> Stored {
    let Some(bucket) = Bucket::of(env) else { return Stored::Unbound };
    let random = super::super::clock::random::<8>().unwrap_or_default();
    let key = format!("probe/doctor-{now}-{:016x}", u64::from_be_bytes(random));
    if bucket.write(&key, WORDS).await.is_err() {
        return Stored::NotWritten;
    }
    let read = bucket.head(&key, WORDS.len() as u64).await;
    let deleted = bucket.delete_one(&key).await;
    match (read, deleted) {
        (Ok(bytes), Ok(())) if bytes == WORDS => Stored::Well,
        (Ok(bytes), Err(Lost)) if bytes == WORDS => Stored::NotDeleted,
        _ => Stored::NotRead,
    }
}
