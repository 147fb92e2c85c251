//! The settings: the configuration document with its form, difference, history and rollback; which secrets are set.
//!
//! Not here: what a document may say (`directory::config`), agents (a page of their own), how people get in.
//!
//! | file | holds |
//! |---|---|
//! | `environment` | the variables under the document, and the secrets beside it |
//! | `fields` | the form's fields laid over a document |
//! | `page` | the pages |

mod environment;
mod fields;
mod page;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests;

use serde::Serialize;
use serde_json::Value;

use super::access::Identity;
use super::look::Frame;
use super::port::{Office, read};
use super::request::{Answer, Method, Request};
use crate::directory::config::schema::SCHEMA_VERSION;
use crate::directory::config::{Saved, VersionView, json_schema};
use crate::directory::desk::{CheckView, ConfigAsk, ConfigView, DeskAsk, Refused, view};
use crate::text::admin as words;
use environment::{Base, Secret};
use page::Draft;

/// Versions on a page: each comes with its difference.
const HISTORY: i64 = 10;

/// All that the page shows beside the history.
#[derive(Debug, Serialize)]
pub struct SettingsView {
    #[serde(flatten)]
    pub config: ConfigView,
    /// Counts changes of the schema.
    pub schema: i64,
    /// What holds where the document says nothing.
    pub environment: Vec<Base>,
    pub secrets: Vec<Secret>,
}

/// `/_admin/settings…`; `rest` is the path after it.
pub async fn page<O: Office>(office: &O, request: &Request, who: &Identity, rest: &[&str]) -> Result<Answer, Refused> {
    let frame = Frame::new(request, who, "settings");
    match (request.method, rest) {
        (Method::Get, []) => {
            let settings = gather(office).await?;
            let draft = Draft::of(&settings);
            show(office, request, &frame, &settings, &draft).await
        }
        (Method::Get, ["versions", version]) => {
            let settings = gather(office).await?;
            let version = one_version(office, version).await?;
            Ok(page::version(&frame, &settings, &version))
        }
        (Method::Post, ["review"]) => {
            let settings = gather(office).await?;
            let mut draft = Draft::typed(request)?;
            if request.flag("fields") {
                draft.document = fields::laid_over(&draft.document, request);
            }
            draft.checked = Some(checked(office, &draft.document).await?);
            show(office, request, &frame, &settings, &draft).await
        }
        (Method::Post, ["save"]) => {
            let draft = Draft::typed(request)?;
            let ask = ConfigAsk::Save { base: draft.base, document: draft.document.clone(), note: draft.note.clone() };
            changed(office, request, &frame, ask, draft).await
        }
        (Method::Post, ["rollback"]) => {
            let ask = ConfigAsk::Rollback { base: request.need_int("base")?, version: request.need_int("version")? };
            let draft = Draft::of(&gather(office).await?);
            changed(office, request, &frame, ask, draft).await
        }
        _ => Err(Refused::not_found(words::not_found(request.lang))),
    }
}

/// `/api/settings…`; `rest` is the path after it.
pub async fn api<O: Office>(office: &O, request: &Request, rest: &[&str]) -> Result<Answer, Refused> {
    let json = match (request.method, rest) {
        (Method::Get, []) => view(&gather(office).await?)?,
        (Method::Get, ["schema"]) => json_schema().to_string(),
        (Method::Get, ["versions"]) => {
            let limit = request.query_int("limit").unwrap_or(HISTORY);
            ask(office, ConfigAsk::Versions { before: request.query_int("before"), limit }).await?
        }
        (Method::Get, ["versions", version]) => view(&one_version(office, version).await?)?,
        (Method::Post, []) => {
            let note = request.text("note").unwrap_or_default().to_owned();
            let save = ConfigAsk::Save { base: request.need_int("base")?, document: sent_document(request)?, note };
            ask(office, save).await?
        }
        (Method::Post, ["check"]) => view(&checked(office, &sent_document(request)?).await?)?,
        (Method::Post, ["rollback"]) => {
            let (base, version) = (request.need_int("base")?, request.need_int("version")?);
            ask(office, ConfigAsk::Rollback { base, version }).await?
        }
        _ => return Err(Refused::not_found("No such route.")),
    };
    Ok(Answer::json(&json))
}

async fn ask<O: Office>(office: &O, ask: ConfigAsk) -> Result<String, Refused> {
    office.directory(&DeskAsk::Config(ask)).await
}

async fn gather<O: Office>(office: &O) -> Result<SettingsView, Refused> {
    let config: ConfigView = read(&ask(office, ConfigAsk::Live).await?)?;
    let environment = environment::bases(office, config.private);
    Ok(SettingsView { config, schema: SCHEMA_VERSION, environment, secrets: environment::secrets(office) })
}

async fn one_version<O: Office>(office: &O, version: &str) -> Result<VersionView, Refused> {
    let version = version.parse().map_err(|_| Refused::not_found("There is no such version of the configuration."))?;
    read(&ask(office, ConfigAsk::Version { version }).await?)
}

async fn checked<O: Office>(office: &O, document: &str) -> Result<CheckView, Refused> {
    let mut checked: CheckView = read(&ask(office, ConfigAsk::Check { document: document.to_owned() }).await?)?;
    if let (true, Some(document)) = (checked.problems.is_empty(), &checked.document) {
        checked.warnings.extend(environment::not_set_up(office, document));
    }
    Ok(checked)
}

/// Saves or rolls back. What was typed stays on the page if that is refused, and the base becomes the live version:
/// the difference shown then is the one to decide about.
async fn changed<O: Office>(
    office: &O,
    request: &Request,
    frame: &Frame,
    what: ConfigAsk,
    draft: Draft,
) -> Result<Answer, Refused> {
    match ask(office, what).await {
        Ok(saved) => {
            let saved: Saved = read(&saved)?;
            Ok(Answer::See(format!("/_admin/settings?{}=1", if saved.changed { "done" } else { "same" })))
        }
        Err(refused) => {
            let settings = gather(office).await?;
            let checked = checked(office, &draft.document).await?;
            let draft =
                Draft { base: settings.config.version, checked: Some(checked), refused: Some(refused), ..draft };
            show(office, request, frame, &settings, &draft).await
        }
    }
}

async fn show<O: Office>(
    office: &O,
    request: &Request,
    frame: &Frame,
    settings: &SettingsView,
    draft: &Draft,
) -> Result<Answer, Refused> {
    let before = if request.method == Method::Get { request.query_int("before") } else { None };
    let history: Vec<VersionView> = read(&ask(office, ConfigAsk::Versions { before, limit: HISTORY }).await?)?;
    Ok(page::settings(frame, settings, draft, &history, request.query("same").is_some()))
}

/// The field `document` of the API: the document itself, or its text.
fn sent_document(request: &Request) -> Result<String, Refused> {
    match request.fields.get("document") {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(document) => Ok(document.to_string()),
        None => Err(Refused::bad_input("The field `document` is missing.")),
    }
}
