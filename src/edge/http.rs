//! Outgoing HTTP: requests as data in, bytes out, aborted when nobody waits any more.

use futures::StreamExt;
use worker::{AbortController, ByteStream, Fetch, Headers, Method, Request, RequestInit, Response};

use crate::chat::ports::{Body, Lost, ModelResponse};
use crate::llm::HttpRequest;

/// Aborts its request when dropped; harmless after the end.
pub struct AbortOnDrop(Option<AbortController>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        if let Some(controller) = self.0.take() {
            controller.abort();
        }
    }
}

/// Sends a request and waits for the headers. Dropping the future, or the guard in the result, aborts it.
pub async fn send(
    method: Method,
    url: &str,
    headers: &[(&str, &str)],
    body: Option<&str>,
) -> Result<(Response, AbortOnDrop), Lost> {
    let list = Headers::new();
    for (name, value) in headers {
        list.set(name, value).map_err(|_| Lost)?;
    }
    let mut init = RequestInit::new();
    init.with_method(method).with_headers(list).with_body(body.map(Into::into));
    let request = Request::new_with_init(url, &init).map_err(|_| Lost)?;
    let controller = AbortController::default();
    let signal = controller.signal();
    let guard = AbortOnDrop(Some(controller));
    let response = Fetch::Request(request).send_with_signal(&signal).await.map_err(|_| Lost)?;
    Ok((response, guard))
}

/// A model's answer as it streams.
pub struct StreamBody {
    stream: Option<ByteStream>,
    _guard: AbortOnDrop,
}

impl Body for StreamBody {
    async fn next(&mut self) -> Option<Result<Vec<u8>, Lost>> {
        self.stream.as_mut()?.next().await.map(|chunk| chunk.map_err(|_| Lost))
    }
}

/// Sends a model request.
pub async fn model(request: HttpRequest) -> Result<ModelResponse<StreamBody>, Lost> {
    let headers: Vec<(&str, &str)> =
        request.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let (method, body) = match request.method {
        "GET" => (Method::Get, None),
        _ => (Method::Post, Some(request.body.as_str())),
    };
    let (mut response, guard) = send(method, &request.url, &headers, body).await?;
    Ok(ModelResponse {
        status: response.status_code(),
        retry_after: response.headers().get("retry-after").ok().flatten(),
        body: StreamBody { stream: response.stream().ok(), _guard: guard },
    })
}
