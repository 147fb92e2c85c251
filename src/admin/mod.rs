//! The control plane: pages and a JSON API for operators, as functions from views to bytes.
//!
//! Views come from the Directory's desk or a conversation's desk; `GET /api/x` is the view as JSON, `GET /_admin/x` the
//! same view as a page. A mutation is a `POST`, with JSON to the API or as a page's form; both go the same way inside.
//! Everything outside comes in through [`Office`], so all of it runs natively in tests. Not here: any rule about people,
//! budgets or turns (`directory`, `chat`), the platform (`edge::admin`), words (`text::admin`).
//!
//! | file | holds |
//! |---|---|
//! | [`paths`] | which paths are guarded |
//! | [`access`] | who is there: Cloudflare Access tokens, verified |
//! | [`origin`] | whether they meant to ask |
//! | [`closed`] | what those read who are not let in |
//! | [`request`] | requests and answers as data |
//! | [`port`] | what comes from outside |
//! | [`look`] | the frame of every page, its parts, style and script |
//! | the rest | a feature each: its page and its part of the API |

pub mod access;
pub mod backups;
pub mod closed;
pub mod doctor;
pub mod look;
pub mod origin;
pub mod paths;
pub mod port;
pub mod request;

mod agents;
mod conversations;
mod logs;
mod models;
mod openapi;
mod overview;
mod people;
mod relays;
mod settings;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod testing;

use access::Identity;
use look::Frame;
use port::Office;
use request::{Answer, Method, Request};

use crate::directory::desk::Refused;
use crate::text::admin as words;

/// Answers a request of somebody who was let in. `area` is the first segment of the path, `_admin` or `api`;
/// `request.path` is what comes after it.
pub async fn answer<O: Office>(office: &O, area: Area, request: &Request, who: &Identity) -> Answer {
    let result = match area {
        Area::Pages => page(office, request, who).await,
        Area::Api => api(office, request, who).await,
    };
    match (result, area) {
        (Ok(answer), _) => answer,
        (Err(refused), Area::Api) => Answer::refused(&refused),
        (Err(refused), Area::Pages) => {
            let frame = Frame::new(request, who, "");
            look::refused(&frame, &refused)
        }
    }
}

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Area {
    /// `/_admin`.
    Pages,
    /// `/api`.
    Api,
}

async fn page<O: Office>(office: &O, request: &Request, who: &Identity) -> Result<Answer, Refused> {
    match (request.method, request.path().as_slice()) {
        (Method::Get, []) => overview::page(office, request, who).await,
        (_, ["agents", rest @ ..]) => agents::page(office, request, who, rest).await,
        (Method::Get, ["doctor"]) => doctor::page(office, request, who).await,
        (Method::Get, ["logs"]) => logs::page(office, request, who).await,
        (Method::Get, ["logs", "audit"]) => logs::audit_page(office, request, who).await,
        (Method::Get, ["logs", "live"]) => Ok(logs::live(request)),
        (_, ["backups", rest @ ..]) => backups::page(office, request, who, rest).await,
        (_, ["conversations", rest @ ..]) => conversations::page(office, request, who, rest).await,
        (Method::Get, ["style.css"]) => Ok(look::style()),
        (Method::Get, ["script.js"]) => Ok(look::script()),
        (_, ["models", ..]) => models::page(office, request, who).await,
        (_, ["people" | "groups" | "invites" | "refusals", ..]) => people::page(office, request, who).await,
        (_, ["settings", rest @ ..]) => settings::page(office, request, who, rest).await,
        _ => Err(Refused::not_found(words::not_found(request.lang))),
    }
}

async fn api<O: Office>(office: &O, request: &Request, who: &Identity) -> Result<Answer, Refused> {
    match (request.method, request.path().as_slice()) {
        (Method::Get, ["whoami"]) => {
            Ok(Answer::json(&serde_json::json!({ "name": who.name(), "service": who.is_service() }).to_string()))
        }
        (Method::Get, ["openapi.json"]) => Ok(openapi::api()),
        (Method::Get, ["logs"]) => logs::api(office, request).await,
        (Method::Get, ["audit"]) => logs::audit_api(office, request).await,
        (Method::Get, ["overview"]) => overview::api(office, request, who).await,
        (_, ["models" | "usage", ..]) => models::api(office, request).await,
        (_, ["people" | "groups" | "invites" | "refusals", ..]) => people::api(office, request).await,
        (_, ["settings", rest @ ..]) => settings::api(office, request, rest).await,
        (_, ["agents", rest @ ..]) => agents::api(office, request, rest).await,
        (_, ["bindings", rest @ ..]) => agents::bindings_api(office, request, rest).await,
        (Method::Get, ["relays"]) => relays::api(office).await,
        (Method::Get, ["doctor"]) => doctor::api(office, request, who).await,
        (_, ["backups", rest @ ..]) => backups::api(office, request, rest).await,
        (_, ["conversations", rest @ ..]) => conversations::api(office, request, rest).await,
        _ => Err(Refused::not_found("No such route.")),
    }
}
