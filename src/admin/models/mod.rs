//! Models and spend: the page and its part of the API.
//!
//! | route | does |
//! |---|---|
//! | `GET models` | the chain, providers, health, caps |
//! | `GET usage?days=30` | spend by day, model and person (API only; the page has it as charts) |
//! | `POST models/ping` | `model`: one tiny real call |
//! | `POST models/rest/clear` | `provider`, `model` (absent: the provider's own rest) |
//! | `POST models/caps` | `base`, `day_usd`, `month_usd`, `person_day_usd`: a new version of the configuration |
//!
//! Not here: how calls are granted and counted (`directory::model_calls`).

mod caps;
mod chart;
mod page;
mod ping;
mod report;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
mod tests;

use super::access::Identity;
use super::look::Frame;
use super::port::{Office, read};
use super::relays;
use super::request::{Answer, Method, Request};
use crate::directory::Spend;
use crate::directory::desk::models::ModelsAsk;
use crate::directory::desk::{DeskAsk, Refused, view};
use crate::llm::ModelRef;
use crate::text::admin as words;

/// Days of a chart unless said otherwise.
const USUAL_DAYS: i64 = 30;

/// The page, or what its forms do.
pub async fn page<O: Office>(office: &O, request: &Request, who: &Identity) -> Result<Answer, Refused> {
    let mut ping = None;
    match (request.method, request.path().as_slice()) {
        (Method::Get, ["models"]) => {}
        // Its result is shown at once: it is kept nowhere.
        (Method::Post, ["models", "ping"]) => ping = Some(ping::ping(office, &model(request)?).await?),
        (Method::Post, ["models", "rest", "clear"]) => {
            clear(office, request).await?;
            return Ok(Answer::See("/_admin/models?done=1".to_owned()));
        }
        (Method::Post, ["models", "caps"]) => {
            caps::save(office, request).await?;
            return Ok(Answer::See("/_admin/models?done=1".to_owned()));
        }
        _ => return Err(Refused::not_found(words::not_found(request.lang))),
    }
    let frame = Frame::new(request, who, "models");
    let (report, spend, hub) = futures::join!(report::report(office), spend(office, request), office.relays());
    let relays =
        office.variable(relays::TOKEN).map(|_| relays::list(hub.as_ref(), Some("/_admin/models/ping"), frame.lang));
    Ok(page::page(&frame, &report?, &spend?, relays, ping.as_ref()))
}

/// Views, or what came of an action, as JSON.
pub async fn api<O: Office>(office: &O, request: &Request) -> Result<Answer, Refused> {
    let json = match (request.method, request.path().as_slice()) {
        (Method::Get, ["models"]) => view(&report::report(office).await?)?,
        (Method::Get, ["usage"]) => view(&spend(office, request).await?)?,
        (Method::Post, ["models", "ping"]) => view(&ping::ping(office, &model(request)?).await?)?,
        (Method::Post, ["models", "rest", "clear"]) => clear(office, request).await?,
        (Method::Post, ["models", "caps"]) => caps::save(office, request).await?,
        _ => return Err(Refused::not_found("No such route.")),
    };
    Ok(Answer::json(&json))
}

async fn spend<O: Office>(office: &O, request: &Request) -> Result<Spend, Refused> {
    let days = request.query_int("days").unwrap_or(USUAL_DAYS);
    read(&office.directory(&DeskAsk::Models(ModelsAsk::Spend { days })).await?)
}

async fn clear<O: Office>(office: &O, request: &Request) -> Result<String, Refused> {
    let provider = request.need_text("provider")?.to_owned();
    let model = request.text("model").map(str::to_owned);
    office.directory(&DeskAsk::Models(ModelsAsk::ClearRest { provider, model })).await
}

fn model(request: &Request) -> Result<ModelRef, Refused> {
    let name = request.need_text("model")?;
    name.parse().map_err(|error| Refused::bad_input(&format!("`model`: {error}.")))
}
