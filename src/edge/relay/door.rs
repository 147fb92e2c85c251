//! `GET /relay`: who may connect as a relay. Without `RELAY_TOKEN` there is no such route.
//!
//! Nothing else is asked or woken before the token was found good. Source: docs/relay-protocol.md, "Links".

use std::fmt::Write;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use worker::{Env, Method, Request, Response, Result};

use super::super::config::text;
use super::super::router::refuse;
use super::super::{objects, trouble};
use crate::directory::Level;

/// Tells the hub the hash of the token a relay brought: Worker and hub may know different ones for minutes after a change.
pub const TOKEN: &str = "x-tideclaw-relay-token";

pub async fn enter(request: &Request, env: &Env) -> Result<Response> {
    let Some(token) = text(env, "RELAY_TOKEN") else { return refuse(404, "not_found", "No such route.") };
    if request.method() != Method::Get {
        return refuse(405, "method_not_allowed", "This route takes another method.");
    }
    let given = request.headers().get("authorization")?.unwrap_or_default();
    // Hashes, so that not even the length is told by time.
    let (given_hash, expected) = (Sha256::digest(&given), Sha256::digest(format!("Bearer {token}")));
    if !bool::from(given_hash.as_slice().ct_eq(expected.as_slice())) {
        if !given.is_empty() {
            trouble::note(env, Level::Warning, "relay", "a relay with a wrong token was refused").await;
        }
        let response = refuse(401, "unauthorized", "Unauthorized.")?;
        response.headers().set("www-authenticate", "Bearer")?;
        return Ok(response);
    }
    if !is_upgrade(request)? {
        return refuse(426, "upgrade_required", "A relay connects with a WebSocket.");
    }
    match objects::relay_socket(env, TOKEN, &hash(&token)).await {
        Ok(response) if response.status_code() == 101 => Ok(response),
        _ => refuse(503, "not_reachable", "The hub did not answer."),
    }
}

pub fn is_upgrade(request: &Request) -> Result<bool> {
    Ok(request.headers().get("upgrade")?.is_some_and(|upgrade| upgrade.eq_ignore_ascii_case("websocket")))
}

/// Hash of the token that is set now; `None`: none is.
pub fn token_hash(env: &Env) -> Option<String> {
    text(env, "RELAY_TOKEN").map(|token| hash(&token))
}

/// Enough of it to tell two tokens apart, too little to guess one by; it stands in no log.
fn hash(token: &str) -> String {
    Sha256::digest(token).iter().take(16).fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
