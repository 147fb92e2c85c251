//! Calls to the Bot API with a bot's token, which appears nowhere else.

use futures::future::{Either, select};
use std::pin::pin;

use super::clock;
use wasm_bindgen::JsCast;

use super::body::Payload;
use super::files::{Bucket, JsStream};
use super::http::{Failed, post, send};
use crate::chat::ports::{FetchError, Lost};
use crate::llm::{Body, MediaRef};
use crate::telegram::form::form;
use crate::telegram::method::{Call, Content};
use crate::telegram::outcome::Reply;

/// A call that takes longer is lost.
const DEADLINE_MS: i64 = 30_000;
/// The same for a call with a file.
const UPLOAD_DEADLINE_MS: i64 = 120_000;

/// A bot's door to Telegram.
#[derive(Clone)]
pub struct Telegram {
    base: String,
    token: String,
}

impl Telegram {
    /// `base` is `https://api.telegram.org` or a server that speaks the same.
    pub fn new(base: &str, token: &str) -> Telegram {
        Telegram { base: base.trim_end_matches('/').to_owned(), token: token.to_owned() }
    }

    /// Makes one call; a stored file to upload comes from `bucket`. The error texts of the network may hold the URL and
    /// with it the token: they end here.
    pub async fn call(&self, call: &Call, bucket: Option<Bucket>) -> Reply {
        let url = format!("{}/bot{}/{}", self.base, self.token, call.method);
        let Some((content_type, body)) = packed(call) else { return Reply::Unsent };
        let deadline = if call.upload.is_some() { UPLOAD_DEADLINE_MS } else { DEADLINE_MS };
        match select(pin!(post(&url, &content_type, body, bucket)), pin!(clock::sleep(deadline))).await {
            Either::Left((Ok((status, body)), _)) => Reply::Answered { status, body },
            Either::Left((Err(Failed::Unsent), _)) => Reply::Unsent,
            _ => Reply::Lost,
        }
    }

    /// Copies the file at `path` of `getFile` into `bucket`, straight from one stream to the other.
    pub async fn fetch(
        &self,
        bucket: &Bucket,
        path: &str,
        key: &str,
        size: Option<u64>,
        limit: u64,
    ) -> Result<u64, FetchError> {
        let url = format!("{}/file/bot{}/{path}", self.base, self.token);
        let lost = |_| FetchError::Lost;
        let (response, mut guard) = send("GET", &url, &[], Payload::None).await.map_err(lost)?;
        if response.status() != 200 {
            return Err(FetchError::Refused(response.status()));
        }
        let header = response.headers().get("content-length").ok().flatten();
        let announced = header.and_then(|length| length.parse::<u64>().ok());
        let length = announced.or(size).ok_or(FetchError::Lost)?;
        if length > limit {
            return Err(FetchError::TooBig(length));
        }
        let body: JsStream = response.body().ok_or(FetchError::Lost)?.unchecked_into();
        let stored =
            bucket.write_stream(key, body, length, announced.is_some()).await.map_err(|Lost| FetchError::Lost)?;
        guard.disarm();
        Ok(stored)
    }
}

/// A call's body and its type; `None` if there is no randomness for a form's boundary.
fn packed(call: &Call) -> Option<(String, Body)> {
    let Some(upload) = &call.upload else {
        return Some(("application/json".to_owned(), call.params.to_string().into()));
    };
    let boundary: String = clock::random::<16>()?.iter().map(|byte| format!("{byte:02x}")).collect();
    let form = form(call, &boundary)?;
    let mut body = Body::from(form.before);
    match &upload.content {
        Content::Text(text) => body.push_text(text.clone()),
        Content::Stored { key, size } => {
            body.push_file(&MediaRef { key: key.clone(), mime: upload.mime.clone(), size: *size });
        }
    }
    body.push_text(form.after);
    Some((form.content_type, body))
}
