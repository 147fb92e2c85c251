//! The Directory's runs and restores on the platform: a bounded number of steps in each alarm, which sets itself again.
//!
//! Not here: which steps (`directory::backups`), the streams (`vault`).

use serde::Serialize;
use worker::{Env, console_error};

use super::vault::R2;
use super::{clock, objects};
use crate::backup::orders::{BackUp, Done, PutBack};
use crate::backup::vault::{Pieces, Taker, Vault};
use crate::backup::{DumpError, Refused};
use crate::directory::backups::{Found, Outside};

/// Sub-requests of one invocation, the Directory's messages included: a free plan has 50 (cloudflare.md §1.1).
pub const SUB_REQUESTS: u32 = 40;
/// A conversation that backs itself up or puts itself back has this long. More than its storage has (`vault`).
const DEADLINE_MS: i64 = 120_000;

/// The world as runs see it.
pub struct Platform<'a> {
    env: &'a Env,
    /// `None`: no bucket is bound, and everything fails.
    r2: Option<R2>,
}

impl<'a> Platform<'a> {
    pub fn new(env: &'a Env) -> Self {
        Platform { env, r2: R2::of(env) }
    }

    async fn order(&self, session: &str, path: &str, order: &impl Serialize) -> Done {
        let failed = |error: &str| Done::Failed { error: error.to_owned(), passing: true };
        let Ok(body) = serde_json::to_string(order) else { return failed("the order could not be written") };
        match objects::order_chat(self.env, session, path, body, DEADLINE_MS).await {
            Some(answer) => serde_json::from_str(&answer).unwrap_or_else(|_| failed("another release answered")),
            None => failed("the conversation did not answer"),
        }
    }
}

impl Vault for Platform<'_> {
    async fn write(&self, key: &str, pieces: Pieces<'_>) -> Result<u64, DumpError> {
        match &self.r2 {
            Some(r2) => r2.write(key, pieces).await,
            None => Err(DumpError::Lost),
        }
    }

    async fn read(&self, key: &str, bytes: Option<u64>, take: Taker<'_>) -> Result<(), Refused> {
        match &self.r2 {
            Some(r2) => r2.read(key, bytes, take).await,
            None => Err(Refused::Lost),
        }
    }
}

impl Outside for Platform<'_> {
    fn now(&self) -> i64 {
        clock::now()
    }

    async fn list(&self, cursor: Option<&str>) -> Option<Found> {
        self.r2.as_ref()?.list(cursor).await
    }

    async fn delete(&self, keys: &[String]) -> bool {
        match &self.r2 {
            Some(r2) => r2.delete(keys).await,
            None => false,
        }
    }

    async fn back_up(&self, order: &BackUp) -> Done {
        self.order(&order.session, "/backup", order).await
    }

    async fn put_back(&self, order: &PutBack) -> Done {
        self.order(&order.entry.object, "/restore", order).await
    }

    fn log(&self, line: &str) {
        console_error!("{line}");
    }
}
