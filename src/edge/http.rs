//! Outgoing HTTP: requests as data in, bytes out, aborted when nobody waits any more.

use std::pin::{Pin, pin};

use futures::future::{Either, select};
use js_sys::Object;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use worker::Env;

use super::body::{self, Payload};
use super::files::{Bucket, JsChunk, JsReader, JsStream, done};
use super::relay;
use crate::chat::ports::{Body, Lost, ModelResponse, Waits};
use crate::llm::gateway::LOG_ID;
use crate::llm::{self, HttpRequest};

/// Aborts its request when dropped before the answer was read to its end.
pub struct AbortOnDrop(Option<web_sys::AbortController>);

impl AbortOnDrop {
    /// The answer is complete: there is nothing to abort, and aborting costs an exception with its stack.
    pub fn disarm(&mut self) {
        self.0 = None;
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        if let Some(controller) = self.0.take() {
            controller.abort();
        }
    }
}

/// What goes into a request beside its address.
pub fn request_init(
    method: &str,
    headers: &[(&str, &str)],
    body: Payload<'_>,
) -> Result<web_sys::RequestInit, JsValue> {
    let list = Object::new();
    for (name, value) in headers {
        js_sys::Reflect::set(&list, &JsValue::from_str(name), &JsValue::from_str(value))?;
    }
    let init = web_sys::RequestInit::new();
    init.set_method(method);
    init.set_headers(&list);
    match body {
        Payload::None => {}
        Payload::Text(text) => init.set_body(&JsValue::from_str(text)),
        Payload::Stream(stream) => init.set_body(&stream),
    }
    Ok(init)
}

/// Sends a request and waits for the headers. Dropping the future, or the guard in the result, aborts it.
pub async fn send(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: Payload<'_>,
) -> Result<(web_sys::Response, AbortOnDrop), Lost> {
    let init = request_init(method, headers, body).map_err(|_| Lost)?;
    let controller = web_sys::AbortController::new().map_err(|_| Lost)?;
    init.set_signal(Some(&controller.signal()));
    let guard = AbortOnDrop(Some(controller));
    let global: web_sys::WorkerGlobalScope = js_sys::global().unchecked_into();
    let response = JsFuture::from(global.fetch_with_str_and_init(url, &init)).await.map_err(|_| Lost)?;
    Ok((response.unchecked_into(), guard))
}

/// The writing of a body that the server has not wholly taken yet.
type Upload = Pin<Box<dyn Future<Output = Result<(), Lost>>>>;

/// Sends a request with a body of any kind. A server may answer before it took the whole body: the rest goes on with the
/// upload returned, or is broken off with it. A file that cannot be read aborts the request.
async fn send_body(
    url: &str,
    headers: &[(&str, &str)],
    body: llm::Body,
    bucket: Option<Bucket>,
) -> Result<(web_sys::Response, AbortOnDrop, Option<Upload>), Lost> {
    if let Some(text) = body.as_text() {
        let (response, guard) = send("POST", url, headers, Payload::Text(text)).await?;
        return Ok((response, guard, None));
    }
    let (stream, upload) = body::stream(body, bucket)?;
    let upload: Upload = Box::pin(upload);
    let sent = pin!(send("POST", url, headers, Payload::Stream(stream)));
    match select(sent, upload).await {
        Either::Left((answer, upload)) => answer.map(|(response, guard)| (response, guard, Some(upload))),
        Either::Right((Ok(()), sent)) => sent.await.map(|(response, guard)| (response, guard, None)),
        Either::Right((Err(Lost), _)) => Err(Lost),
    }
}

/// Why a call has no answer.
pub enum Failed {
    /// The other side may have acted.
    Lost,
    /// The body could not be read to its end: the other side did not get a whole request.
    Unsent,
}

/// Posts and reads the whole answer: its status and its text.
pub async fn post(
    url: &str,
    content_type: &str,
    body: llm::Body,
    bucket: Option<Bucket>,
) -> Result<(u16, String), Failed> {
    let headers = [("content-type", content_type)];
    // Files are looked up before anything leaves; what fails later left the other side with a request cut short.
    for piece in body.pieces() {
        if let llm::Piece::File { key, size, .. } = piece {
            let known = match &bucket {
                Some(bucket) => bucket.size(key).await.map_err(|Lost| Failed::Unsent)?,
                None => None,
            };
            if known != Some(*size) {
                return Err(Failed::Unsent);
            }
        }
    }
    let (response, mut guard, upload) = send_body(url, &headers, body, bucket).await.map_err(|Lost| Failed::Lost)?;
    let text = done(response.text()).await.map_err(|Lost| Failed::Lost)?;
    drop(upload);
    guard.disarm();
    Ok((response.status(), text.as_string().ok_or(Failed::Lost)?))
}

/// A model's answer as it streams.
pub enum StreamBody {
    Fetched(FetchBody),
    Relayed(Box<relay::Call>),
    /// Made here, and not yet read.
    Here(Option<String>),
}

impl Body for StreamBody {
    async fn next(&mut self) -> Option<Result<Vec<u8>, Lost>> {
        match self {
            StreamBody::Fetched(body) => body.next().await,
            StreamBody::Relayed(call) => call.next().await,
            StreamBody::Here(text) => text.take().map(|text| Ok(text.into_bytes())),
        }
    }
}

/// The same from a server. Read through the platform's own reader: a wrapper would cancel and release it as well as
/// abort the request, and each of these costs more than a chunk.
pub struct FetchBody {
    reader: Option<JsReader>,
    guard: AbortOnDrop,
    upload: Option<Upload>,
}

impl FetchBody {
    async fn next(&mut self) -> Option<Result<Vec<u8>, Lost>> {
        let mut read = pin!(done(self.reader.as_ref()?.read()));
        if let Some(upload) = &mut self.upload {
            match select(read.as_mut(), upload).await {
                Either::Left((chunk, _)) => return self.take(chunk),
                // Also if it failed: the server has answered and may want no more of it.
                Either::Right(_) => self.upload = None,
            }
        }
        let chunk = read.await;
        self.take(chunk)
    }

    fn take(&mut self, chunk: Result<JsValue, Lost>) -> Option<Result<Vec<u8>, Lost>> {
        let Ok(chunk) = chunk else { return Some(Err(Lost)) };
        let chunk: JsChunk = chunk.unchecked_into();
        if chunk.done() {
            self.guard.disarm();
            self.reader = None;
            return None;
        }
        Some(Ok(chunk.value().to_vec()))
    }
}

/// Sends a model request, to a server or through a relay; its files come from `bucket`. What a relay is waited for is told
/// to `waits`.
pub async fn model(
    env: &Env,
    request: HttpRequest,
    bucket: Option<Bucket>,
    waits: Waits,
) -> Result<ModelResponse<StreamBody>, Lost> {
    if relay::is_relay(&request.url) {
        let (status, retry_after, body) = match relay::ask(env, request, bucket, waits).await? {
            relay::Reply::Ollama { status, retry_after, call } => (status, retry_after, StreamBody::Relayed(call)),
            relay::Reply::Here { status, body } => (status, None, StreamBody::Here(Some(body))),
        };
        return Ok(ModelResponse { status, retry_after, log_id: None, body });
    }
    let headers: Vec<(&str, &str)> =
        request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let (response, guard, upload) = match request.method {
        "GET" => {
            let (response, guard) = send("GET", &request.url, &headers, Payload::None).await?;
            (response, guard, None)
        }
        _ => send_body(&request.url, &headers, request.body, bucket).await?,
    };
    let reader = response.body().map(|body| body.unchecked_into::<JsStream>().get_reader());
    Ok(ModelResponse {
        status: response.status(),
        retry_after: response.headers().get("retry-after").ok().flatten(),
        log_id: response.headers().get(LOG_ID).ok().flatten(),
        body: StreamBody::Fetched(FetchBody { reader, guard, upload }),
    })
}
