//! Faults on purpose, for tests, and ways that are measured, for the bench. Behind Access like all admin routes, and shut even there unless the deployment sets the
//! secret `DEBUG_TOKEN` and the caller shows it: nobody breaks a deployment by a slip.

use subtle::ConstantTimeEq;
use worker::{Env, Request, Response, Result};

use super::config::text;
use super::http;
use super::objects;
use super::router::refuse;
use crate::chat::ports::{Body, Lost, Waits};
use crate::llm::{HttpRequest, Servers};

/// Whether this caller may cause faults.
pub fn is_open(request: &Request, env: &Env) -> bool {
    let Some(token) = text(env, "DEBUG_TOKEN") else { return false };
    let given = request.headers().get("authorization").ok().flatten().unwrap_or_default();
    let expected = format!("Bearer {token}");
    given.as_bytes().ct_eq(expected.as_bytes()).into()
}

/// `panic/{session}`: panics inside that Chat object. `model/{provider}`: see [`model`].
pub async fn run(request: Request, env: &Env, what: &[String]) -> Result<Response> {
    match what {
        [fault, session] if fault == "panic" => objects::chat(env, session, "/panic", None, None).await,
        [way, provider] if way == "model" => model(request, env, provider).await,
        _ => refuse(404, "not_found", "No such fault."),
    }
}

/// The posted body, as a model call of `ollama` or `relay`, and what comes back as it comes: so that the two ways are
/// compared through the same Worker.
async fn model(mut request: Request, env: &Env, provider: &str) -> Result<Response> {
    let servers = Servers::from_variables(|name| text(env, name));
    let Some(server) = servers.named(provider).filter(|server| ["ollama", "relay"].contains(&server.name)) else {
        return refuse(404, "not_found", "No such way.");
    };
    let mut headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    headers.extend(server.endpoint.key().map(|key| ("authorization".to_owned(), format!("Bearer {key}"))));
    let call = HttpRequest {
        method: "POST",
        url: format!("{}/api/chat", server.endpoint.base_url.trim_end_matches('/')),
        headers,
        body: request.text().await?.into(),
    };
    let Ok(answer) = http::model(env, call, None, Waits::default()).await else {
        return refuse(502, "lost", "The model did not answer.");
    };
    let chunks = futures::stream::unfold(answer.body, |mut body| async move {
        let chunk = body.next().await?;
        Some((chunk.map_err(|Lost| worker::Error::RustError("the answer broke off".into())), body))
    });
    Ok(Response::from_stream(chunks)?.with_status(answer.status))
}
