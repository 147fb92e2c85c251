//! How models stand: what the environment and the document say, with what the Directory knows of each.

use std::collections::BTreeSet;

use serde::Serialize;
use url::Url;

use crate::admin::port::{Office, read};
use crate::chat::config::chain;
use crate::directory::desk::models::{ModelsAsk, ModelsState, Resting};
use crate::directory::desk::{DeskAsk, Refused};
use crate::llm::catalogue::Catalogue;
use crate::llm::{Feature, ModelRef, Server, Servers, servers};

/// `GET /api/models`. Keys are only ever said to be set or not.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Report {
    /// The default, then its stand-ins, then what only agents use.
    pub models: Vec<Model>,
    pub providers: Vec<Provider>,
    /// Models with an entry of their own in the catalogue.
    pub overrides: Vec<String>,
    /// What in the catalogue is not understood.
    pub catalogue_problems: Vec<String>,
    /// The Directory's part.
    #[serde(flatten)]
    pub state: ModelsState,
}

/// A model of the chain, or of an agent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Model {
    pub model: ModelRef,
    pub role: Role,
    pub from: Source,
    /// Its provider is set up.
    pub set_up: bool,
    /// Why it may not be called now.
    pub rests: Option<Resting>,
    /// Left out of requests to it.
    pub without: Vec<Feature>,
    /// 10⁻⁶ dollars per million tokens in and out.
    pub price: (u32, u32),
    /// The price is not known.
    pub assumed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Default,
    StandIn,
    OfAgent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    Document,
    Environment,
}

/// A provider this release knows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Provider {
    pub name: &'static str,
    pub has_key: bool,
    /// Where requests go; `None`: it is not set up.
    pub host: Option<String>,
    pub route: Option<Route>,
    /// When its own rest ends, Unix milliseconds.
    pub rests_until: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Route {
    Gateway,
    Direct,
    /// A server of one's own, whose use nobody bills.
    Own,
    /// Ollamas behind relays; nobody bills them either.
    Relay,
}

/// All providers that are set up.
pub fn servers_of<O: Office>(office: &O) -> Servers {
    Servers::from_variables(|name| office.variable(name))
}

/// The catalogue that holds: the document's overrides, else those of the environment; and what is wrong with them.
pub fn catalogue_of<O: Office>(office: &O, state: &ModelsState) -> (Catalogue, Vec<String>) {
    let json = state.catalogue.as_ref().map(ToString::to_string).or_else(|| office.variable("MODEL_CATALOGUE"));
    Catalogue::new(json.as_deref())
}

/// What the Directory knows.
pub async fn state_of<O: Office>(office: &O) -> Result<ModelsState, Refused> {
    read(&office.directory(&DeskAsk::Models(ModelsAsk::State)).await?)
}

pub async fn report<O: Office>(office: &O) -> Result<Report, Refused> {
    let state = state_of(office).await?;
    let servers = servers_of(office);
    let (catalogue, catalogue_problems) = catalogue_of(office, &state);
    let overrides = catalogue.overridden().map(ToString::to_string).collect();
    let models = lineup(office, &state)
        .into_iter()
        .map(|(model, role, from)| {
            let server = servers.of(&model);
            let price = catalogue.facts(&model, server.as_deref().is_some_and(Server::is_local)).price;
            Model {
                role,
                from,
                set_up: server.is_some(),
                rests: resting(&state, &model).cloned(),
                without: state.without.iter().filter(|w| w.model == model.to_string()).map(|w| w.feature).collect(),
                price: (price.rates.input, price.rates.output),
                assumed: price.assumed,
                model,
            }
        })
        .collect();
    let providers = servers::names().map(|name| provider(name, &servers, &state)).collect();
    Ok(Report { models, providers, overrides, catalogue_problems, state })
}

/// Every model that may answer somewhere, each once.
fn lineup<O: Office>(office: &O, state: &ModelsState) -> Vec<(ModelRef, Role, Source)> {
    let (of_environment, _) =
        chain(office.variable("DEFAULT_MODEL").as_deref(), office.variable("FALLBACK_MODELS").as_deref());
    let mut of_environment = of_environment.into_iter();
    let default = match (&state.default, of_environment.next()) {
        (Some(model), _) => Some((model.clone(), Role::Default, Source::Document)),
        (None, model) => model.map(|model| (model, Role::Default, Source::Environment)),
    };
    let stand_ins: Vec<(ModelRef, Role, Source)> = match &state.fallbacks {
        Some(models) => models.iter().map(|model| (model.clone(), Role::StandIn, Source::Document)).collect(),
        None => of_environment.map(|model| (model, Role::StandIn, Source::Environment)).collect(),
    };
    let of_agents = state.of_agents.iter().map(|model| (model.clone(), Role::OfAgent, Source::Document));
    let mut seen = BTreeSet::new();
    default.into_iter().chain(stand_ins).chain(of_agents).filter(|(model, ..)| seen.insert(model.clone())).collect()
}

/// The longest of the rests that concern `model`.
fn resting<'a>(state: &'a ModelsState, model: &ModelRef) -> Option<&'a Resting> {
    let concerns = |rest: &&Resting| {
        rest.provider == model.provider && rest.model.as_ref().is_none_or(|name| *name == model.model)
    };
    state.resting.iter().filter(concerns).max_by_key(|rest| rest.until)
}

fn provider(name: &'static str, servers: &Servers, state: &ModelsState) -> Provider {
    let server = servers.named(name);
    let is_relay = name == servers::RELAY;
    let host = server.filter(|_| !is_relay).and_then(|server| {
        let url = Url::parse(server.endpoint.base_url.trim()).ok()?;
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        Some(format!("{}{port}", url.host_str()?))
    });
    let route = server.map(|server| match (&server.gateway, server.is_local()) {
        _ if is_relay => Route::Relay,
        (Some(_), _) => Route::Gateway,
        (None, true) => Route::Own,
        (None, false) => Route::Direct,
    });
    let rest = state.resting.iter().find(|rest| rest.provider == name && rest.model.is_none());
    Provider {
        name,
        // Of relays the key is the token, without which the provider is not set up.
        has_key: server.is_some_and(|server| is_relay || server.endpoint.key().is_some()),
        host,
        route,
        rests_until: rest.map(|rest| rest.until),
    }
}
