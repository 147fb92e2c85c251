//! Which request goes where. Unknown paths are 404; what is not configured says so and stays shut (DESIGN §4).

use serde_json::json;
use worker::{Env, Method, Request, Response, Result};

use super::{debug, webhook};

pub async fn route(request: Request, env: Env) -> Result<Response> {
    let path = request.path();
    let mut parts = path.trim_start_matches('/').splitn(2, '/');
    let (first, rest) = (parts.next().unwrap_or_default(), parts.next());
    match (request.method(), first, rest) {
        (Method::Get | Method::Head, "healthz", None) => healthz(),
        (Method::Post, "telegram", Some(bot)) => {
            let bot = bot.to_owned();
            webhook::receive(request, &env, &bot).await
        }
        (_, "telegram", Some(_)) | (_, "healthz", None) => {
            refuse(405, "method_not_allowed", "This route takes another method.")
        }
        (Method::Post, "debug", Some(rest)) if debug::is_open(&request, &env) => {
            let rest = rest.to_owned();
            debug::run(&env, &rest).await
        }
        (_, "_admin" | "api" | "debug", _) => refuse(
            503,
            "access_not_configured",
            "Set CF_ACCESS_TEAM_DOMAIN and CF_ACCESS_AUD to those of your Cloudflare Access application.",
        ),
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
