//! `GET /metrics`: numbers for Prometheus, by bearer. Without `METRICS_TOKEN` there is no such route.

use subtle::ConstantTimeEq;
use worker::{Env, Request, Response, Result};

use super::config::text;
use super::objects;
use super::router::refuse;

/// The text format's own type.
const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

pub async fn scrape(request: &Request, env: &Env) -> Result<Response> {
    let Some(token) = text(env, "METRICS_TOKEN") else { return refuse(404, "not_found", "No such route.") };
    let given = request.headers().get("authorization")?.unwrap_or_default();
    let expected = format!("Bearer {token}");
    if !bool::from(given.as_bytes().ct_eq(expected.as_bytes())) {
        let response = refuse(401, "unauthorized", "Unauthorized.")?;
        response.headers().set("www-authenticate", "Bearer")?;
        return Ok(response);
    }
    match objects::ask_directory(env, "/metrics", String::new()).await {
        Some(page) => {
            let response = Response::ok(page)?;
            response.headers().set("content-type", CONTENT_TYPE)?;
            response.headers().set("cache-control", "no-store")?;
            Ok(response)
        }
        None => refuse(503, "not_reachable", "The Directory did not answer."),
    }
}
