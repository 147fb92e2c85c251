//! Reads which models a server has (providers.md §3.4), with what OpenRouter, Mistral, Groq and vLLM add to it.
//!
//! Not here: prices (a table of our own, §5.6).

use serde_json::{Map, Value};

use super::classify;
use super::error::in_object;
use super::server::get;
use crate::llm::{Endpoint, HttpRequest, ModelError, ModelInfo, parse};

/// Pieces of the names of models that do not chat, lower case. Names are all that OpenAI's list tells.
const NOT_CHAT: &[&str] = &[
    "embed",
    "whisper",
    "transcribe",
    "tts",
    "dall-e",
    "gpt-image",
    "sora",
    "moderation",
    "realtime",
    "babbage-",
    "davinci-",
    "rerank",
    "-ocr",
];

/// `GET {base}/models`.
pub fn list(endpoint: &Endpoint) -> HttpRequest {
    get(endpoint, "/models")
}

/// Reads the answer to [`list`]: `{"data":[…]}` or the bare array. Rows without a name and models that do not chat are
/// left out; a body that is no catalogue is an error.
pub fn parse_list(body: &[u8]) -> Result<Vec<ModelInfo>, ModelError> {
    let rows = match parse::json(body) {
        Some(Value::Array(rows)) => Some(rows),
        Some(Value::Object(mut fields)) => match fields.remove("data") {
            Some(Value::Array(rows)) => Some(rows),
            Some(Value::Null) => Some(Vec::new()),
            _ => None,
        },
        _ => None,
    };
    let is_error = |row: &Value| row.as_object().is_some_and(|fields| in_object(fields).is_some());
    match rows {
        Some(rows) if !rows.iter().any(is_error) => Ok(rows.iter().filter_map(row).collect()),
        _ => Err(ModelError { status: None, ..classify(200, None, body) }),
    }
}

fn row(row: &Value) -> Option<ModelInfo> {
    let fields = row.as_object()?;
    let name = fields.get("id")?.as_str().filter(|name| !name.is_empty())?;
    let lower = name.to_ascii_lowercase();
    if NOT_CHAT.iter().any(|word| lower.contains(word)) || !writes_text(fields) {
        return None;
    }
    let context = ["context_length", "context_window", "max_context_length", "max_model_len"];
    let context = context.iter().find_map(|field| fields.get(*field)?.as_u64());
    Some(ModelInfo {
        name: name.to_owned(),
        context_tokens: context.and_then(|tokens| u32::try_from(tokens).ok()).filter(|tokens| *tokens > 0),
        capabilities: capabilities(fields),
        ..ModelInfo::default()
    })
}

/// Whether the model answers a chat in text, as far as the server says.
fn writes_text(fields: &Map<String, Value>) -> bool {
    let outputs = fields.get("architecture").and_then(|architecture| architecture.get("output_modalities"));
    let chats = fields.get("capabilities").and_then(|capabilities| capabilities.get("completion_chat"));
    outputs.is_none_or(|outputs| !outputs.is_array() || holds(outputs, "text")) && chats != Some(&Value::Bool(false))
}

/// In the words of Ollama's catalogue, so that callers know one set; empty when the server tells nothing.
fn capabilities(fields: &Map<String, Value>) -> Vec<String> {
    let null = Value::Null;
    let inputs = fields.get("architecture").and_then(|architecture| architecture.get("input_modalities"));
    let inputs = inputs.unwrap_or(&null);
    let parameters = fields.get("supported_parameters").unwrap_or(&null);
    let mistral = fields.get("capabilities").unwrap_or(&null);
    let says = |name: &str| mistral.get(name) == Some(&Value::Bool(true));
    if !inputs.is_array() && !parameters.is_array() && !mistral.is_object() {
        return Vec::new();
    }
    [
        ("completion", true),
        ("tools", holds(parameters, "tools") || says("function_calling")),
        ("thinking", holds(parameters, "reasoning") || says("reasoning")),
        ("vision", holds(inputs, "image") || says("vision")),
        ("audio", holds(inputs, "audio") || says("audio")),
        ("file", holds(inputs, "file")),
    ]
    .into_iter()
    .filter(|(_, has)| *has)
    .map(|(word, _)| word.to_owned())
    .collect()
}

fn holds(list: &Value, word: &str) -> bool {
    list.as_array().is_some_and(|items| items.iter().any(|item| item.as_str() == Some(word)))
}
