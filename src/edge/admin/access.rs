//! The door on the platform: the token from its header, RSA by WebCrypto, keys by fetch.
//!
//! Not here: every rule (`crate::admin::access`).

use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;

use futures::future::{Either, select};
use js_sys::{JSON, Promise, Uint8Array};
use serde_json::json;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use worker::{Env, Request, console_error};

use super::super::body::Payload;
use super::super::files::{JsChunk, JsStream, done};
use super::super::{clock, config, http};
use crate::admin::access::{self, Identity, Jwk, Keys, Outside, Settings, Unreachable};
use crate::admin::closed;
use crate::admin::request::Answer;
use crate::chat::ports::Lost;

/// Carries Access's token (cloudflare.md §3).
const HEADER: &str = "cf-access-jwt-assertion";
/// A page of keys has to be here by then, in milliseconds.
const DEADLINE_MS: i64 = 5_000;
/// Largest page of keys taken, in bytes; Access's has about 6 kB.
const MAX_PAGE: usize = 64 * 1024;

thread_local! {
    /// What this isolate remembers of the team's keys.
    static KEYS: Rc<RefCell<Keys>> = Rc::default();
}

/// Who asks, or what to answer whoever asks.
pub async fn identify(request: &Request, env: &Env) -> Result<Identity, Answer> {
    let header = |name: &str| request.headers().get(name).ok().flatten();
    let settings = Settings::read(|name| config::text(env, name)).map_err(|unset| {
        let url = request.url().ok();
        let host = url.as_ref().and_then(|url| url.host_str()).unwrap_or_default();
        let wants_html = request.path().starts_with("/_admin")
            && header("accept").is_some_and(|accept| accept.contains("text/html"));
        closed::unset(&unset, host, super::language(request.headers()), wants_html)
    })?;
    let keys = KEYS.with(Rc::clone);
    access::verify(header(HEADER).as_deref(), &settings, &keys, &Platform).await.map_err(|refusal| {
        // Visitors without a token are everywhere, and no news.
        if refusal != access::Refusal::Missing {
            console_error!("access refused a token: {}", refusal.word());
        }
        closed::unauthorized()
    })
}

struct Platform;

impl Outside for Platform {
    fn now(&self) -> i64 {
        clock::now()
    }

    async fn sleep(&self, ms: i64) {
        clock::sleep(ms).await;
    }

    async fn certs(&self, url: &str) -> Result<String, Unreachable> {
        let page = match select(pin!(fetch(url)), pin!(clock::sleep(DEADLINE_MS))).await {
            Either::Left((page, _)) => page,
            Either::Right(_) => Err(Lost),
        };
        page.map_err(|Lost| {
            console_error!("the keys of Access could not be fetched");
            Unreachable
        })
    }

    async fn is_signed(&self, key: &Jwk, signed: &str, signature: &[u8]) -> bool {
        verify(key, signed, signature).await.unwrap_or(false)
    }
}

/// A page's text. Dropping it aborts the request.
async fn fetch(url: &str) -> Result<String, Lost> {
    let (response, mut guard) = http::send("GET", url, &[("accept", "application/json")], Payload::None).await?;
    if response.status() != 200 {
        return Err(Lost);
    }
    let reader = response.body().ok_or(Lost)?.unchecked_into::<JsStream>().get_reader();
    let mut page = Vec::new();
    loop {
        let chunk: JsChunk = done(reader.read()).await?.unchecked_into();
        if chunk.done() {
            guard.disarm();
            return String::from_utf8(page).map_err(|_| Lost);
        }
        let bytes = chunk.value();
        if page.len() + bytes.length() as usize > MAX_PAGE {
            return Err(Lost);
        }
        page.extend(bytes.to_vec());
    }
}

#[wasm_bindgen]
extern "C" {
    /// `crypto.subtle` (w3.org/TR/WebCryptoAPI).
    type JsSubtle;
    #[wasm_bindgen(thread_local_v2, js_namespace = crypto, js_name = subtle)]
    static SUBTLE: JsSubtle;
    #[wasm_bindgen(method, catch, js_name = importKey)]
    fn import_key(
        this: &JsSubtle,
        format: &str,
        key: &JsValue,
        algorithm: &JsValue,
        extractable: bool,
        uses: &JsValue,
    ) -> Result<Promise, JsValue>;
    #[wasm_bindgen(method, catch)]
    fn verify(
        this: &JsSubtle,
        algorithm: &JsValue,
        key: &JsValue,
        signature: &Uint8Array,
        data: &Uint8Array,
    ) -> Result<Promise, JsValue>;
}

/// RS256 and nothing else, whatever the key says of itself.
async fn verify(key: &Jwk, signed: &str, signature: &[u8]) -> Result<bool, JsValue> {
    let algorithm = JSON::parse(r#"{"name":"RSASSA-PKCS1-v1_5","hash":"SHA-256"}"#)?;
    let jwk = json!({"kty": "RSA", "alg": "RS256", "use": "sig", "n": key.n, "e": key.e}).to_string();
    let (jwk, uses) = (JSON::parse(&jwk)?, JSON::parse(r#"["verify"]"#)?);
    let key = SUBTLE.with(|subtle| subtle.import_key("jwk", &jwk, &algorithm, false, &uses))?;
    let key = JsFuture::from(key).await?;
    let (signature, signed) = (Uint8Array::from(signature), Uint8Array::from(signed.as_bytes()));
    let verdict = SUBTLE.with(|subtle| subtle.verify(&algorithm, &key, &signature, &signed))?;
    Ok(JsFuture::from(verdict).await? == JsValue::TRUE)
}
