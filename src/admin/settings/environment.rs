//! What is set outside of the document: the variables it goes before, and whether each secret is there.
//!
//! Names: DESIGN §4, decision 005. Values of secrets never come here; only whether there is one.

use serde::Serialize;
use serde_json::Value;

use crate::admin::port::Office;
use crate::directory::DmPolicy;
use crate::directory::desk::Problem;
use crate::llm::{ModelRef, Servers, servers};

/// Where in the document, and the variable it goes before.
const BASES: [(&str, &str); 8] = [
    ("models.default", "DEFAULT_MODEL"),
    ("models.fallbacks", "FALLBACK_MODELS"),
    ("models.catalogue", "MODEL_CATALOGUE"),
    ("budget.day_usd", "DAILY_BUDGET_USD"),
    ("budget.month_usd", "MONTHLY_BUDGET_USD"),
    ("budget.person_day_usd", "PERSON_DAILY_BUDGET_USD"),
    ("replies.streaming", "STREAM_MODE"),
    ("replies.deadlines", "MODEL_DEADLINES"),
];

/// Secrets of a deployment; those of bots come with each bot.
const SECRETS: [&str; 10] = [
    "OLLAMA_API_KEY",
    "GEMINI_API_KEY",
    "OPENAI_API_KEY",
    "TRANSCRIBE_API_KEY",
    "AI_GATEWAY_TOKEN",
    "GATEWAY_TOKEN",
    "RELAY_TOKEN",
    "METRICS_TOKEN",
    "CLAIM_CODE",
    "DEBUG_TOKEN",
];
const BOT_SECRETS: [&str; 2] = ["TELEGRAM_BOT_TOKEN", "TELEGRAM_WEBHOOK_SECRET"];

/// What holds where the document says nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Base {
    /// Place in the document.
    pub path: &'static str,
    /// Absent: it is no variable.
    pub variable: Option<&'static str>,
    /// `None`: unset, the release's own default holds.
    pub value: Option<String>,
}

/// Whether a secret is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Secret {
    pub name: String,
    pub set: bool,
}

pub fn bases(office: &impl Office, private: DmPolicy) -> Vec<Base> {
    let mut bases: Vec<Base> = BASES
        .iter()
        .map(|(path, variable)| Base { path, variable: Some(variable), value: office.variable(variable) })
        .collect();
    bases.push(Base { path: "access.private", variable: None, value: Some(private.as_str().to_owned()) });
    bases
}

pub fn secrets(office: &impl Office) -> Vec<Secret> {
    let bots = office.bots();
    // The first bot is named also where it is missing.
    let others = bots.iter().filter(|bot| *bot != "main").map(|bot| format!("_{}", bot.to_ascii_uppercase()));
    let of_bots = std::iter::once(String::new())
        .chain(others)
        .flat_map(|suffix| BOT_SECRETS.map(|name| format!("{name}{suffix}")));
    let names = of_bots.chain(SECRETS.map(str::to_owned));
    names.map(|name| Secret { set: office.variable(&name).is_some(), name }).collect()
}

/// Warnings about models of a checked document that this deployment cannot call now.
pub fn not_set_up(office: &impl Office, document: &Value) -> Vec<Problem> {
    let servers = Servers::from_variables(|name| office.variable(name));
    let mut named = Vec::new();
    if let Some(models) = document.get("models") {
        models_in("models", models, &mut named);
    }
    for (id, agent) in document.get("agents").and_then(Value::as_object).into_iter().flatten() {
        models_in(&format!("agents.{id}"), agent, &mut named);
    }
    let missing = |(path, model): (String, ModelRef)| {
        let message = match servers::family(&model.provider) {
            servers::RELAY => "No relay is let in: `RELAY_TOKEN` is unset.".to_owned(),
            name => format!("The provider `{name}` is not set up: it has no key and no address of its own."),
        };
        servers.of(&model).is_none().then(|| Problem { path, message, allowed: Vec::new() })
    };
    named.into_iter().filter_map(missing).collect()
}

fn models_in(path: &str, around: &Value, named: &mut Vec<(String, ModelRef)>) {
    let model = |value: &Value| value.as_str().and_then(|text| text.parse::<ModelRef>().ok());
    for field in ["default", "model"] {
        let found = around.get(field).and_then(model);
        named.extend(found.map(|model| (format!("{path}.{field}"), model)));
    }
    let fallbacks = around.get("fallbacks").and_then(Value::as_array);
    for (at, entry) in fallbacks.into_iter().flatten().enumerate() {
        named.extend(model(entry).map(|model| (format!("{path}.fallbacks[{at}]"), model)));
    }
}
