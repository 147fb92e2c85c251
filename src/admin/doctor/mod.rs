//! The doctor: what is set up as it should be, what is not, and the one action that mends it.
//!
//! `gather` asks everybody side by side, [`checks`] judges what came back and does nothing else, so that every verdict has a
//! native test. No probe costs money or changes anything but one file of a few bytes in the bucket, which is deleted again.
//! Not here: words (`text::admin::doctor`); what only shows from outside (`npm run doctor`).

pub mod checks;
pub mod facts;
mod gather;
mod page;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests;

pub use gather::gather;
pub use page::list;

use serde::Serialize;

use super::access::Identity;
use super::look::Frame;
use super::port::Office;
use super::request::{Answer, Request};
use crate::directory::desk::{Refused, view};
use crate::text::Lang;

/// So long whoever is asked may take, milliseconds.
const PATIENCE_MS: i64 = 15_000;

/// How bad it is. Ordered: the worst is the greatest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Ok,
    /// Good to know; nothing is wrong.
    Info,
    /// Works, but not for ever or not as meant.
    Warning,
    /// Does not work, or stands open.
    Error,
}

/// What a check belongs to; the order of the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Group {
    Telegram,
    Access,
    Models,
    Relays,
    People,
    Storage,
    System,
}

/// The verdict of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// A word for programs, such as `webhook_set`.
    pub id: &'static str,
    pub group: Group,
    pub severity: Severity,
    /// Which bot, provider or path, if there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// One sentence.
    pub reason: String,
    /// The one action that mends it; with warnings and errors always.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
}

/// All verdicts, by group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Unix milliseconds.
    pub at: i64,
    pub version: &'static str,
    pub worst: Severity,
    pub findings: Vec<Finding>,
}

/// Looks at everything. Takes at most [`PATIENCE_MS`].
pub async fn examine<O: Office>(office: &O, origin: &str, lang: Lang) -> Report {
    let facts = gather(office, origin, PATIENCE_MS).await;
    report(&facts, lang)
}

/// The verdicts on `facts`.
pub fn report(facts: &facts::Facts, lang: Lang) -> Report {
    let mut findings = checks::all(facts, lang);
    findings.sort_by_key(|finding| (finding.group, std::cmp::Reverse(finding.severity)));
    let worst = findings.iter().map(|finding| finding.severity).max().unwrap_or(Severity::Ok);
    Report { at: facts.now, version: facts.version, worst, findings }
}

/// `GET /_admin/doctor`.
pub async fn page<O: Office>(office: &O, request: &Request, who: &Identity) -> Result<Answer, Refused> {
    let report = examine(office, &request.origin, request.lang).await;
    Ok(page::render(&Frame::new(request, who, "doctor"), &report))
}

/// `GET /api/doctor`. Messages of the API are English, unless `?lang=ru` asks for the page's other words.
pub async fn api<O: Office>(office: &O, request: &Request, _who: &Identity) -> Result<Answer, Refused> {
    let lang = if request.query("lang") == Some("ru") { Lang::Ru } else { Lang::En };
    Ok(Answer::json(&view(&examine(office, &request.origin, lang).await)?))
}
