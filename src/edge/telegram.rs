//! Calls to the Bot API with a bot's token, which appears nowhere else.

use futures::future::{Either, select};
use std::pin::pin;

use super::clock;
use super::http::post_json;
use crate::telegram::method::Call;
use crate::telegram::outcome::Reply;

/// A call that takes longer is lost.
const DEADLINE_MS: i64 = 30_000;

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

    /// Makes one call. The error texts of the network may hold the URL and with it the token: they end here.
    pub async fn call(&self, call: &Call) -> Reply {
        let url = format!("{}/bot{}/{}", self.base, self.token, call.method);
        let body = call.params.to_string();
        match select(pin!(post_json(&url, &body)), pin!(clock::sleep(DEADLINE_MS))).await {
            Either::Left((Ok((status, body)), _)) => Reply::Answered { status, body },
            _ => Reply::Lost,
        }
    }
}
