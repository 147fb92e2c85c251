//! Reads which models an account has (providers.md §2.1).
//!
//! Not here: prices, free tiers and retirement dates, which the API does not tell.

use serde::Deserialize;
use serde_json::Value;

use super::classify;
use super::request::get;
use super::thinking;
use crate::llm::{Endpoint, HttpRequest, ModelError, ModelInfo, Thinking, parse};

/// Words in the names of models that answer with something else than text, or want another protocol.
const NO_CHAT: &[&str] = &["embedding", "tts", "image", "imagen", "banana", "live", "audio", "veo", "lyria", "aqa"];

/// `GET {base}/v1beta/models`, all on one page.
pub fn list(endpoint: &Endpoint) -> HttpRequest {
    get(endpoint, "/v1beta/models?pageSize=200")
}

/// Reads the answer to [`list`]. Rows without a name and models that cannot chat are left out; a body that is no
/// catalogue is an error.
pub fn parse_list(body: &[u8]) -> Result<Vec<ModelInfo>, ModelError> {
    match parse::json(body) {
        Some(Value::Object(mut fields)) if !fields.contains_key("error") => match fields.remove("models") {
            Some(Value::Array(rows)) => Ok(rows.into_iter().filter_map(info).collect()),
            // An account without any model gets `{}`.
            None if fields.is_empty() => Ok(Vec::new()),
            _ => Err(ModelError::transient("the catalogue has no models field")),
        },
        _ => Err(ModelError { status: None, ..classify(200, None, body) }),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    name: String,
    #[serde(default)]
    input_token_limit: Option<u32>,
    #[serde(default)]
    supported_generation_methods: Vec<String>,
    #[serde(default)]
    thinking: Option<bool>,
}

fn info(row: Value) -> Option<ModelInfo> {
    let row = serde_json::from_value::<Row>(row).ok()?;
    let name = super::request::bare(&row.name);
    let chats = row.supported_generation_methods.iter().any(|method| method == "generateContent");
    // Whole words, so that "live" does not hide an "olive".
    if !chats || name.is_empty() || name.split(['-', '.', '_']).any(|word| NO_CHAT.contains(&word)) {
        return None;
    }
    let is_gemma = super::request::is_gemma(name);
    let mut capabilities = vec!["completion", "vision"];
    if !is_gemma {
        // Gemma's rows do not tell about tools.
        capabilities.extend(["tools", "audio", "video", "pdf"]);
    }
    if row.thinking.unwrap_or_else(|| thinking::config(name, Thinking::Default).is_some()) {
        capabilities.push("thinking");
    }
    Some(ModelInfo {
        provider: None,
        name: name.to_owned(),
        family: Some(if is_gemma { "gemma" } else { "gemini" }.to_owned()).filter(|family| name.starts_with(family)),
        parameter_size: None,
        context_tokens: row.input_token_limit.filter(|&tokens| tokens > 0),
        capabilities: capabilities.into_iter().map(str::to_owned).collect(),
    })
}
