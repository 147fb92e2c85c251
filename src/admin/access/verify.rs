//! A token verified: taken apart, its claims read, its key found, its signature checked. In that order, so that only a
//! token that says the right things costs a fetch or a calculation; it is believed only after the last step.

// The platform is single-threaded: nobody needs these futures to be `Send`.
#![allow(async_fn_in_trait)]

use std::cell::RefCell;

use super::keys::Found;
use super::token::Token;
use super::{Identity, Jwk, Keys, Settings, claims};

/// Pause before looking again for keys that another request fetches, in milliseconds.
const LOOK_AGAIN: i64 = 50;
/// Most looks: ten seconds of them, more than a fetch can take.
const MAX_LOOKS: usize = 200;

/// The keys did not come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unreachable;

/// What verifying needs from the platform.
pub trait Outside {
    /// Unix time in milliseconds.
    fn now(&self) -> i64;

    /// Waits `ms` milliseconds.
    async fn sleep(&self, ms: i64);

    /// The team's page of keys, within 5 s and 64 KiB.
    async fn certs(&self, url: &str) -> Result<String, Unreachable>;

    /// Whether `signature` is that of `signed` by `key`: RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 §3.3). False if in doubt.
    async fn is_signed(&self, key: &Jwk, signed: &str, signature: &[u8]) -> bool;
}

/// Why nobody was let in. For the log only: whoever asks gets one and the same answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// There is no token.
    Missing,
    TooLong,
    Malformed,
    /// Signed with anything but RS256.
    Algorithm,
    /// Of another team.
    Issuer,
    /// For another application.
    Audience,
    Expired,
    NotYet,
    /// No token for an application.
    Type,
    /// Neither a person nor a service token of the list.
    Nobody,
    /// No key of the team has this name.
    UnknownKey,
    /// The team's keys cannot be fetched.
    KeysUnavailable,
    Signature,
}

impl Refusal {
    /// One word for the log, with nothing of the token in it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::TooLong => "too_long",
            Self::Malformed => "malformed",
            Self::Algorithm => "algorithm",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::Expired => "expired",
            Self::NotYet => "not_yet",
            Self::Type => "type",
            Self::Nobody => "nobody",
            Self::UnknownKey => "unknown_key",
            Self::KeysUnavailable => "keys_unavailable",
            Self::Signature => "signature",
        }
    }
}

/// Who the token in `Cf-Access-Jwt-Assertion` stands for. `keys` is what this isolate remembers.
pub async fn verify(
    token: Option<&str>,
    settings: &Settings,
    keys: &RefCell<Keys>,
    outside: &impl Outside,
) -> Result<Identity, Refusal> {
    let token = Token::parse(token.filter(|token| !token.is_empty()).ok_or(Refusal::Missing)?)?;
    let who = claims::read(&token.claims, settings, outside.now().div_euclid(1_000))?;
    let key = find(&token.kid, settings, keys, outside).await?;
    if !outside.is_signed(&key, token.signed, &token.signature).await {
        return Err(Refusal::Signature);
    }
    Ok(Identity::new(who))
}

/// The key called `kid`, fetched if need be.
async fn find(kid: &str, settings: &Settings, keys: &RefCell<Keys>, outside: &impl Outside) -> Result<Jwk, Refusal> {
    for _ in 0..MAX_LOOKS {
        // A statement of its own: nothing stays borrowed while we wait.
        let found = keys.borrow_mut().look(kid, outside.now());
        match found {
            Found::Key(key) => return Ok(key),
            Found::Unknown => return Err(Refusal::UnknownKey),
            Found::Unavailable => return Err(Refusal::KeysUnavailable),
            Found::Wait => outside.sleep(LOOK_AGAIN).await,
            Found::Fetch => {
                let answer = outside.certs(settings.certs_url()).await;
                let mut keys = keys.borrow_mut();
                match answer {
                    Ok(body) => drop(keys.fetched(&body, outside.now())),
                    Err(Unreachable) => keys.failed(),
                }
            }
        }
    }
    Err(Refusal::KeysUnavailable)
}
