//! Which request goes where. Unknown paths are 404; guarded ones go through one door, [`admin::enter`] (DESIGN §4).

use serde_json::json;
use worker::{Env, Method, Request, Response, Result};

use super::relay::door;
use super::{admin, metrics, webhook};
use crate::admin::paths::{self, Zone};

pub async fn route(request: Request, env: Env) -> Result<Response> {
    let path = request.path();
    match paths::zone(&path) {
        Zone::Guarded => admin::enter(request, &env).await,
        Zone::Open => open(request, &env, &path).await,
        Zone::Crooked => refuse(404, "not_found", "No such route."),
    }
}

/// The routes that are not behind Access.
async fn open(request: Request, env: &Env, path: &str) -> Result<Response> {
    let mut parts = path.strip_prefix('/').unwrap_or_default().splitn(2, '/');
    let (first, rest) = (parts.next().unwrap_or_default(), parts.next());
    match (request.method(), first, rest) {
        (Method::Get | Method::Head, "healthz", None) => healthz(),
        (Method::Post, "telegram", Some(bot)) => webhook::receive(request, env, bot).await,
        (Method::Get | Method::Head, "metrics", None) => metrics::scrape(&request, env).await,
        (_, "relay", None) => door::enter(&request, env).await,
        (_, "telegram", Some(_)) | (_, "healthz", None) => {
            refuse(405, "method_not_allowed", "This route takes another method.")
        }
        _ => refuse(404, "not_found", "No such route."),
    }
}

fn healthz() -> Result<Response> {
    Response::from_json(&json!({"status": "ok", "version": env!("CARGO_PKG_VERSION")}))
}

/// 200 with JSON.
pub fn json(json: String) -> Result<Response> {
    let mut response = Response::ok(json)?;
    response.headers_mut().set("content-type", "application/json")?;
    Ok(response)
}

/// An error in the one shape all routes use.
pub fn refuse(status: u16, code: &str, message: &str) -> Result<Response> {
    Ok(Response::from_json(&json!({"error": {"code": code, "message": message}}))?.with_status(status))
}
