//! What a token must say: from our team, for our application, in its time. And who it then says is there.
//!
//! A user's token has an `email`; a service token's has `common_name`, its client id, an empty `sub` and often no `nbf`
//! (developers.cloudflare.com, "Application token").

use serde_json::Value;

use super::identity::Who;
use super::{Refusal, Settings};

/// How far two clocks may be apart, in seconds.
const SKEW: i64 = 60;
/// Longest address or client id, in bytes: an address has at most 254 (RFC 5321).
const MAX_NAME: usize = 254;

/// Reads the claims at `now` (Unix seconds). The caller still has to verify the signature before it believes the answer.
pub fn read(claims: &Value, settings: &Settings, now: i64) -> Result<Who, Refusal> {
    let text = |name| claims.get(name).and_then(Value::as_str).unwrap_or_default();
    let time = |name| claims.get(name).and_then(Value::as_i64);
    if text("iss") != settings.issuer() {
        return Err(Refusal::Issuer);
    }
    let ours = |aud: &Value| aud.as_str() == Some(settings.aud());
    if !claims.get("aud").is_some_and(|aud| ours(aud) || aud.as_array().is_some_and(|all| all.iter().any(ours))) {
        return Err(Refusal::Audience);
    }
    if time("exp").is_none_or(|exp| exp.saturating_add(SKEW) <= now) {
        return Err(Refusal::Expired);
    }
    if claims.get("nbf").is_some() && time("nbf").is_none_or(|nbf| nbf > now.saturating_add(SKEW)) {
        return Err(Refusal::NotYet);
    }
    // `org` is a session of the whole team: anybody signed in to anything.
    if text("type") != "app" {
        return Err(Refusal::Type);
    }
    let plain = |name: &str| !name.is_empty() && name.len() <= MAX_NAME && !name.chars().any(char::is_control);
    let (email, service) = (text("email"), text("common_name"));
    if plain(email) {
        return Ok(Who::User { email: email.to_owned() });
    }
    let is_service = claims.get("email").is_none_or(|email| email == "") && text("sub").is_empty();
    if is_service && plain(service) && settings.lets_in(service) {
        return Ok(Who::Service { name: service.to_owned() });
    }
    Err(Refusal::Nobody)
}
