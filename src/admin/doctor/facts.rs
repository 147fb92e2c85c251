//! What the checks judge. Gathered by `gather`, made up by tests.
//!
//! `None` always means "could not be found out", and a check says so. Secrets are only here as whether they are set.

use crate::directory::desk::DoctorFacts;
use crate::llm::ModelRef;
use crate::relay::HubView;
use crate::telegram::webhook_info::WebhookInfo;

/// Everything known of a deployment at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Facts {
    /// Unix milliseconds.
    pub now: i64,
    /// The release of the Worker that asks.
    pub version: &'static str,
    /// Scheme and host the request came to.
    pub origin: String,
    pub bots: Vec<BotFacts>,
    /// More bots than are looked at.
    pub bots_left_out: usize,
    pub access: AccessFacts,
    pub models: ModelFacts,
    pub relays: RelayFacts,
    pub storage: Stored,
    pub variables: Variables,
    /// What `Date` of Telegram's answer says, Unix milliseconds.
    pub telegram_time: Option<i64>,
    /// `None`: the Directory did not answer.
    pub directory: Option<DoctorFacts>,
}

/// One bot, as Telegram and we ourselves see it.
#[derive(Debug, Clone, PartialEq)]
pub struct BotFacts {
    pub id: String,
    /// Whether there is a webhook secret for it.
    pub has_secret: bool,
    pub me: Me,
    pub webhook: Option<WebhookInfo>,
    /// Whether the command menu is the one of this release.
    pub commands: Option<bool>,
    /// What its webhook answered to somebody without the secret.
    pub unsigned: Probe,
}

/// `getMe`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Me {
    Is(Profile),
    /// The token is not valid.
    Refused,
    Unknown,
}

/// Of a bot's profile what the checks need.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
pub struct Profile {
    #[serde(default)]
    pub username: String,
    /// Privacy mode is off.
    #[serde(default)]
    pub can_read_all_group_messages: bool,
}

/// What an address of ours answered to a stranger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probe {
    /// With this status, in our own words or in those of somebody before us.
    Answered { status: u16, ours: bool },
    /// Not, or not in time.
    Silent,
    /// The platform does not let a Worker ask itself at this address.
    NotFromHere,
}

/// Cloudflare Access.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessFacts {
    /// Variables that are missing or make no sense.
    pub unset: Vec<&'static str>,
    /// Whether keys were found where the team publishes them.
    pub keys: Option<bool>,
    /// `/_admin`, `/api`, `/debug` without a token.
    pub guarded: Vec<(&'static str, Probe)>,
    /// `/healthz`.
    pub health: Probe,
}

/// Models and who answers for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFacts {
    /// `DEFAULT_MODEL`, if set.
    pub default: Option<String>,
    /// `FALLBACK_MODELS`, one by one.
    pub fallbacks: Vec<String>,
    /// The servers that are set up.
    pub providers: Vec<ProviderFacts>,
}

/// A provider that is set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderFacts {
    pub name: &'static str,
    pub has_key: bool,
    /// Whether it needs one: a vendor's own address, called directly.
    pub needs_key: bool,
    pub list: Listed,
}

/// What a provider said when asked for its models; costs nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Listed {
    /// Their names, as the provider spells them.
    Models(Vec<String>),
    /// It refuses the key.
    Refused,
    /// It answered with this status, and no list.
    Odd(u16),
    Silent,
}

/// Relays: whether any are let in, and how they stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RelayFacts {
    /// Signs that `RELAY_TOKEN` has; `None`: it is unset.
    pub token: Option<usize>,
    /// `None`: the hub did not answer, or was not asked because there is no token.
    pub hub: Option<HubView>,
}

/// What became of a file that was written, read and deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    Well,
    /// Nothing is bound to `FILES`.
    Unbound,
    NotWritten,
    /// Written, but not read as it was written.
    NotRead,
    NotDeleted,
    Silent,
}

/// Which variables are set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Variables {
    pub claim_code: bool,
    pub owner_ids: bool,
    pub gateway_token: bool,
    pub debug_token: bool,
    /// Budgets that cannot be read.
    pub bad_budgets: Vec<&'static str>,
}

impl Facts {
    /// The models in the order they are tried: the live configuration's, else the environment's. `Err`: a name that is none.
    pub fn chain(&self) -> Vec<Result<ModelRef, String>> {
        let live = self.directory.as_ref();
        let read = |name: &String| name.parse::<ModelRef>().map_err(|_| name.clone());
        let default = match live.and_then(|facts| facts.default_model.clone()) {
            Some(model) => Ok(model),
            None => read(&self.models.default.clone().unwrap_or_else(|| DEFAULT_MODEL.to_owned())),
        };
        let fallbacks: Vec<Result<ModelRef, String>> = match live.and_then(|facts| facts.fallbacks.clone()) {
            Some(models) => models.into_iter().map(Ok).collect(),
            None => self.models.fallbacks.iter().map(read).collect(),
        };
        std::iter::once(default).chain(fallbacks).collect()
    }
}

/// What answers where `DEFAULT_MODEL` is not set (`edge::config`).
pub const DEFAULT_MODEL: &str = "ollama/gpt-oss:120b";

/// Host of an address, with its port; all addresses of this machine are one.
pub fn host(address: &str) -> Option<String> {
    let url = url::Url::parse(address).ok()?;
    let name = url.host_str()?;
    if matches!(name, "127.0.0.1" | "localhost" | "[::1]") {
        return Some("localhost".to_owned());
    }
    Some(match url.port() {
        Some(port) => format!("{name}:{port}"),
        None => name.to_owned(),
    })
}
