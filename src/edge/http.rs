//! Outgoing HTTP: requests as data in, bytes out, aborted when nobody waits any more.

use js_sys::{Object, Promise, Uint8Array};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use crate::chat::ports::{Body, Lost, ModelResponse};
use crate::llm::HttpRequest;
use crate::llm::gateway::LOG_ID;

#[wasm_bindgen]
extern "C" {
    /// A response's `body`.
    type JsStream;
    #[wasm_bindgen(method, js_name = getReader)]
    fn get_reader(this: &JsStream) -> JsReader;

    type JsReader;
    #[wasm_bindgen(method, catch)]
    fn read(this: &JsReader) -> Result<Promise, JsValue>;

    /// What `read` resolves to.
    type JsChunk;
    #[wasm_bindgen(method, getter)]
    fn done(this: &JsChunk) -> bool;
    #[wasm_bindgen(method, getter)]
    fn value(this: &JsChunk) -> Uint8Array;
}

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
    body: Option<&str>,
) -> Result<web_sys::RequestInit, JsValue> {
    let list = Object::new();
    for (name, value) in headers {
        js_sys::Reflect::set(&list, &JsValue::from_str(name), &JsValue::from_str(value))?;
    }
    let init = web_sys::RequestInit::new();
    init.set_method(method);
    init.set_headers(&list);
    if let Some(body) = body {
        init.set_body(&JsValue::from_str(body));
    }
    Ok(init)
}

/// Sends a request and waits for the headers. Dropping the future, or the guard in the result, aborts it.
async fn send(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: Option<&str>,
) -> Result<(web_sys::Response, AbortOnDrop), Lost> {
    let init = request_init(method, headers, body).map_err(|_| Lost)?;
    let controller = web_sys::AbortController::new().map_err(|_| Lost)?;
    init.set_signal(Some(&controller.signal()));
    let guard = AbortOnDrop(Some(controller));
    let global: web_sys::WorkerGlobalScope = js_sys::global().unchecked_into();
    let response = JsFuture::from(global.fetch_with_str_and_init(url, &init)).await.map_err(|_| Lost)?;
    Ok((response.unchecked_into(), guard))
}

/// Posts JSON and reads the whole answer: its status and its text.
pub async fn post_json(url: &str, body: &str) -> Result<(u16, String), Lost> {
    let headers = [("content-type", "application/json")];
    let (response, mut guard) = send("POST", url, &headers, Some(body)).await?;
    let text = JsFuture::from(response.text().map_err(|_| Lost)?).await.map_err(|_| Lost)?;
    guard.disarm();
    Ok((response.status(), text.as_string().ok_or(Lost)?))
}

/// A model's answer as it streams. Read through the platform's own reader: a wrapper would cancel and release it as well as
/// abort the request, and each of these costs more than a chunk.
pub struct StreamBody {
    reader: Option<JsReader>,
    guard: AbortOnDrop,
}

impl Body for StreamBody {
    async fn next(&mut self) -> Option<Result<Vec<u8>, Lost>> {
        let read = self.reader.as_ref()?.read();
        let Ok(chunk) = async { JsFuture::from(read?).await }.await else { return Some(Err(Lost)) };
        let chunk: JsChunk = chunk.unchecked_into();
        if chunk.done() {
            self.guard.disarm();
            self.reader = None;
            return None;
        }
        Some(Ok(chunk.value().to_vec()))
    }
}

/// Sends a model request.
pub async fn model(request: HttpRequest) -> Result<ModelResponse<StreamBody>, Lost> {
    let headers: Vec<(&str, &str)> =
        request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let (method, body) = match request.method {
        "GET" => ("GET", None),
        _ => ("POST", Some(request.body.as_text().ok_or(Lost)?)),
    };
    let (response, guard) = send(method, &request.url, &headers, body).await?;
    let reader = response.body().map(|body| body.unchecked_into::<JsStream>().get_reader());
    Ok(ModelResponse {
        status: response.status(),
        retry_after: response.headers().get("retry-after").ok().flatten(),
        log_id: response.headers().get(LOG_ID).ok().flatten(),
        body: StreamBody { reader, guard },
    })
}
