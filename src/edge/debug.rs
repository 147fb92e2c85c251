//! Faults on purpose, for tests. Behind Access like all admin routes, and shut even there unless the deployment sets the
//! secret `DEBUG_TOKEN` and the caller shows it: nobody breaks a deployment by a slip.

use subtle::ConstantTimeEq;
use worker::{Env, Request, Response, Result};

use super::config::text;
use super::objects;
use super::router::refuse;

/// Whether this caller may cause faults.
pub fn is_open(request: &Request, env: &Env) -> bool {
    let Some(token) = text(env, "DEBUG_TOKEN") else { return false };
    let given = request.headers().get("authorization").ok().flatten().unwrap_or_default();
    let expected = format!("Bearer {token}");
    given.as_bytes().ct_eq(expected.as_bytes()).into()
}

/// `panic/{session}`: panics inside that Chat object.
pub async fn run(env: &Env, what: &[String]) -> Result<Response> {
    match what {
        [fault, session] if fault == "panic" => objects::chat(env, session, "/panic", None, None).await,
        _ => refuse(404, "not_found", "No such fault."),
    }
}
