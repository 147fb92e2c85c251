//! Asks everybody the doctor wants to hear, side by side, each with a deadline.
//!
//! At most 5 bots × 4 calls, 8 looks at ourselves and at Access, 3 providers, 1 look at Telegram's clock, 3 calls of storage,
//! 1 each of the Directory and the relays' hub: 37 sub-requests, of 50 on the free plan (cloudflare.md §1.1).

use std::pin::pin;

use futures::future::{Either, join, join_all, select};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::super::access::Settings;
use super::super::port::{Fetched, Office, read};
use super::super::relays;
use super::facts::{
    AccessFacts, BotFacts, Facts, Listed, Me, ModelFacts, Probe, ProviderFacts, RelayFacts, Stored, Variables,
};
use crate::directory::Caps;
use crate::directory::desk::{DeskAsk, DoctorFacts};
use crate::llm::{Body, ErrorClass, HttpRequest, Server, Servers, servers};
use crate::telegram::method::{Call, get_me};
use crate::telegram::outcome::{self, Reply};
use crate::telegram::webhook_info::WebhookInfo;
use crate::text::{self, Lang};

/// Most bots looked at.
const MOST_BOTS: usize = 5;
/// What only a token opens.
const GUARDED: [&str; 3] = ["/_admin", "/api", "/debug"];
/// Cloudflare's number for a Worker that asks a Worker of its own zone.
const NOT_FROM_HERE: &str = "1042";

/// Whom to ask, and for how long.
struct Asking<'a, O> {
    office: &'a O,
    /// Everything is asked at once, so this is how long the whole may take, milliseconds.
    patience_ms: i64,
}

impl<O: Office> Asking<'_, O> {
    /// What `work` brings, unless the time is up.
    async fn in_time<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        in_time(self.office, self.patience_ms, work).await
    }

    /// The same for what is one of two steps.
    async fn in_half_the_time<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        in_time(self.office, self.patience_ms / 2, work).await
    }
}

/// Gathers all facts within `patience_ms`; what did not come by then is not known. `origin`: scheme and host the request
/// came to.
pub async fn gather<O: Office>(office: &O, origin: &str, patience_ms: i64) -> Facts {
    let asking = &Asking { office, patience_ms };
    let ids = office.bots();
    let servers = Servers::from_variables(|name| office.variable(name));
    let settings = Settings::read(|name| office.variable(name));
    let certs = settings.as_ref().ok().map(|settings| settings.certs_url().to_owned());

    // Bots first: where Telegram finds us is where we look at ourselves. A proxy that signs us in is elsewhere.
    let bots_and_self = async {
        let infos = join_all(ids.iter().take(MOST_BOTS).map(|id| webhook(asking, id))).await;
        let found = infos.iter().flatten().find_map(|info| our_base(&info.url));
        let base = found.unwrap_or_else(|| origin.to_owned());
        let bots = join_all(ids.iter().zip(infos).map(|(id, info)| bot(asking, id, info, &base)));
        let paths = join_all(GUARDED.map(|path| probe(asking, "GET", format!("{base}{path}"))));
        let (bots, (paths, health)) = join(bots, join(paths, probe(asking, "GET", format!("{base}/healthz")))).await;
        (bots, paths, health)
    };
    // Relays are judged by what their hub says.
    let models = join_all(
        servers.0.iter().filter(|server| server.name != servers::RELAY).map(|server| provider(asking, server)),
    );
    let rest = join(
        join(keys(asking, certs), stored(asking)),
        join(telegram_time(asking), join(directory(asking), relay_facts(asking))),
    );
    let ((bots, paths, health), (providers, ((keys, storage), (telegram_time, (directory, relays))))) =
        join(bots_and_self, join(models, rest)).await;

    Facts {
        now: office.now(),
        version: env!("CARGO_PKG_VERSION"),
        origin: origin.to_owned(),
        bots,
        bots_left_out: ids.len().saturating_sub(MOST_BOTS),
        access: AccessFacts {
            unset: settings.err().map(|unset| unset.0).unwrap_or_default(),
            keys,
            guarded: GUARDED.into_iter().zip(paths).collect(),
            health,
        },
        models: ModelFacts {
            default: office.variable("DEFAULT_MODEL"),
            fallbacks: names(office.variable("FALLBACK_MODELS")),
            providers,
        },
        relays,
        storage,
        variables: variables(office),
        telegram_time,
        directory,
    }
}

/// What `work` brings, unless the time is up.
async fn in_time<O: Office, T>(office: &O, deadline_ms: i64, work: impl Future<Output = T>) -> Option<T> {
    match select(pin!(work), pin!(office.sleep(deadline_ms))).await {
        Either::Left((value, _)) => Some(value),
        Either::Right(_) => None,
    }
}

async fn webhook<O: Office>(asking: &Asking<'_, O>, bot: &str) -> Option<WebhookInfo> {
    let reply = asking.in_half_the_time(asking.office.telegram(bot, &WebhookInfo::call())).await?;
    WebhookInfo::read(&reply)
}

async fn bot<O: Office>(asking: &Asking<'_, O>, id: &str, webhook: Option<WebhookInfo>, base: &str) -> BotFacts {
    let telegram = join(me(asking, id), commands(asking, id));
    let ((me, commands), unsigned) = join(telegram, probe(asking, "POST", format!("{base}/telegram/{id}"))).await;
    let suffix = if id == "main" { String::new() } else { format!("_{}", id.to_ascii_uppercase()) };
    let has_secret = asking.office.variable(&format!("TELEGRAM_WEBHOOK_SECRET{suffix}")).is_some();
    BotFacts { id: id.to_owned(), has_secret, me, webhook, commands, unsigned }
}

#[derive(Deserialize)]
struct Answer<T> {
    result: T,
}

fn result<T: serde::de::DeserializeOwned>(reply: &Reply) -> Option<T> {
    match reply {
        Reply::Answered { status: 200, body } => Some(serde_json::from_str::<Answer<T>>(body).ok()?.result),
        _ => None,
    }
}

async fn me<O: Office>(asking: &Asking<'_, O>, bot: &str) -> Me {
    let Some(reply) = asking.in_half_the_time(asking.office.telegram(bot, &get_me())).await else {
        return Me::Unknown;
    };
    if matches!(outcome::read(&reply), outcome::Outcome::Unauthorized) {
        return Me::Refused;
    }
    result(&reply).map_or(Me::Unknown, Me::Is)
}

/// Whether the menu for everybody is ours.
async fn commands<O: Office>(asking: &Asking<'_, O>, bot: &str) -> Option<bool> {
    #[derive(Deserialize)]
    struct Command {
        command: String,
        description: String,
    }
    let call = Call { method: "getMyCommands".to_owned(), params: serde_json::json!({}), upload: None };
    let reply = asking.in_half_the_time(asking.office.telegram(bot, &call)).await?;
    let known: Vec<Command> = result(&reply)?;
    let ours = text::chat::menu(Lang::En);
    let same = |(known, (name, text)): (&Command, &(&str, &str))| known.command == *name && known.description == *text;
    Some(known.len() == ours.len() && known.iter().zip(ours.iter()).all(same))
}

fn get(url: String) -> HttpRequest {
    HttpRequest { method: "GET", url, headers: Vec::new(), body: Body::default() }
}

/// What an address of ours answers to somebody who knows nothing.
async fn probe<O: Office>(asking: &Asking<'_, O>, method: &'static str, url: String) -> Probe {
    let mut request = get(url);
    if method == "POST" {
        request = HttpRequest {
            method,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: Body::json(&serde_json::json!({})),
            ..request
        };
    }
    match asking.in_half_the_time(asking.office.fetch(&request)).await.flatten() {
        Some(answer) if is_not_from_here(&answer) => Probe::NotFromHere,
        Some(answer) => Probe::Answered { status: answer.status, ours: is_ours(&answer) },
        None => Probe::Silent,
    }
}

/// Whether an answer is in our words: an error in our shape, or `/healthz`.
fn is_ours(answer: &Fetched) -> bool {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Ours {
        Refusal {
            #[serde(rename = "error")]
            _error: Code,
        },
        Health {
            #[serde(rename = "status")]
            _status: String,
            #[serde(rename = "version")]
            _version: String,
        },
    }
    #[derive(Deserialize)]
    struct Code {
        #[serde(rename = "code")]
        _code: String,
        #[serde(rename = "message")]
        _message: String,
    }
    serde_json::from_slice::<Ours>(&answer.body).is_ok()
}

fn is_not_from_here(answer: &Fetched) -> bool {
    answer.status >= 400 && answer.body.len() < 200 && String::from_utf8_lossy(&answer.body).contains(NOT_FROM_HERE)
}

/// Scheme and host of a webhook that looks like ours.
fn our_base(url: &str) -> Option<String> {
    let url = url::Url::parse(url).ok()?;
    url.path().starts_with("/telegram/").then(|| url.origin().ascii_serialization())
}

async fn keys<O: Office>(asking: &Asking<'_, O>, url: Option<String>) -> Option<bool> {
    #[derive(Deserialize)]
    struct Page {
        keys: Vec<IgnoredAny>,
    }
    let answer = asking.in_time(asking.office.fetch(&get(url?))).await?;
    let page = answer.filter(|answer| answer.status == 200);
    Some(
        page.is_some_and(|answer| serde_json::from_slice::<Page>(&answer.body).is_ok_and(|page| !page.keys.is_empty())),
    )
}

async fn provider<O: Office>(asking: &Asking<'_, O>, server: &Server) -> ProviderFacts {
    let has_key = server.endpoint.key().is_some();
    let own_address = match server.name {
        "ollama" => server.endpoint.base_url == "https://ollama.com",
        "gemini" => server.endpoint.base_url == "https://generativelanguage.googleapis.com",
        "openai" => server.endpoint.base_url == "https://api.openai.com/v1",
        _ => false,
    };
    let needs_key = own_address && server.gateway.is_none();
    let list = if needs_key && !has_key { Listed::Silent } else { listed(asking, server).await };
    ProviderFacts { name: server.name, has_key, needs_key, list }
}

async fn listed<O: Office>(asking: &Asking<'_, O>, server: &Server) -> Listed {
    let request = server.seal(server.provider.list(&server.endpoint), &[]);
    let Some(answer) = asking.in_time(asking.office.fetch(&request)).await.flatten() else {
        return Listed::Silent;
    };
    if answer.status != 200 {
        let error = server.provider.classify(answer.status, None, &answer.body);
        return if error.class == ErrorClass::Auth { Listed::Refused } else { Listed::Odd(answer.status) };
    }
    match server.provider.parse_list(&answer.body) {
        Ok(models) => Listed::Models(models.into_iter().map(|model| model.name).collect()),
        Err(_) => Listed::Odd(answer.status),
    }
}

async fn stored<O: Office>(asking: &Asking<'_, O>) -> Stored {
    asking.in_time(asking.office.try_storage()).await.unwrap_or(Stored::Silent)
}

/// What Telegram's server thinks the time is; its front page needs no token.
async fn telegram_time<O: Office>(asking: &Asking<'_, O>) -> Option<i64> {
    let base = asking.office.variable("TELEGRAM_API_BASE").unwrap_or_else(|| "https://api.telegram.org".to_owned());
    asking.in_time(asking.office.fetch(&get(base))).await.flatten()?.date
}

async fn relay_facts<O: Office>(asking: &Asking<'_, O>) -> RelayFacts {
    let token = asking.office.variable(relays::TOKEN).map(|token| token.chars().count());
    // Asked only if there is a token.
    RelayFacts { token, hub: asking.in_time(asking.office.relays()).await.flatten() }
}

async fn directory<O: Office>(asking: &Asking<'_, O>) -> Option<DoctorFacts> {
    read(&asking.in_time(asking.office.directory(&DeskAsk::Doctor)).await?.ok()?).ok()
}

fn names(list: Option<String>) -> Vec<String> {
    let list = list.unwrap_or_default();
    list.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

fn variables<O: Office>(office: &O) -> Variables {
    let is_set = |name: &str| office.variable(name).is_some();
    let budget = |name: &str| office.variable(name);
    let (day, month, person) =
        (budget("DAILY_BUDGET_USD"), budget("MONTHLY_BUDGET_USD"), budget("PERSON_DAILY_BUDGET_USD"));
    Variables {
        claim_code: is_set("CLAIM_CODE"),
        owner_ids: is_set("OWNER_TELEGRAM_IDS"),
        gateway_token: is_set("GATEWAY_TOKEN"),
        debug_token: is_set("DEBUG_TOKEN"),
        bad_budgets: Caps::read(day.as_deref(), month.as_deref(), person.as_deref()).1,
    }
}
