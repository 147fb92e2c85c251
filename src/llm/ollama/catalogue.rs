//! Reads which models a server has and what they can do (providers.md §1.5).
//!
//! Not here: prices and plans, which Ollama does not publish by API (§1.6).

use serde_json::{Map, Value, json};

use super::classify;
use super::request::{get, post, wire_name};
use crate::llm::servers::RELAY;
use crate::llm::{Body, Endpoint, HttpRequest, ModelError, ModelInfo, parse};

/// `GET {base}/api/tags`. The cloud answers without a key too.
pub fn list(endpoint: &Endpoint) -> HttpRequest {
    get(endpoint, "/api/tags")
}

/// Reads the answer to [`list`]. Rows without a name are left out; a body that is no catalogue is an error.
pub fn parse_list(body: &[u8]) -> Result<Vec<ModelInfo>, ModelError> {
    match object(body)?.remove("models") {
        Some(Value::Array(rows)) => Ok(rows.iter().filter_map(row).collect()),
        Some(Value::Null) => Ok(Vec::new()),
        _ => Err(ModelError::transient("the catalogue has no models field")),
    }
}

/// `POST {base}/api/show`: the details of one model.
pub fn show(endpoint: &Endpoint, model: &str) -> HttpRequest {
    post(endpoint, "/api/show", Body::json(&json!({ "model": wire_name(endpoint, model) })))
}

/// Reads the answer to [`show`] for `model`; fills in capabilities and context window.
pub fn parse_show(model: &str, body: &[u8]) -> Result<ModelInfo, ModelError> {
    let fields = object(body)?;
    let mut info = details(&fields, model.to_owned());
    if let Some(Value::Object(more)) = fields.get("model_info") {
        let architecture = more.get("general.architecture").and_then(Value::as_str).unwrap_or_default();
        let context = more.get(&format!("{architecture}.context_length")).and_then(Value::as_u64);
        info.context_tokens = context.and_then(|tokens| u32::try_from(tokens).ok());
    }
    Ok(info)
}

/// The body as an object without `error`; anything else as the error it stands for.
fn object(body: &[u8]) -> Result<Map<String, Value>, ModelError> {
    match parse::json(body) {
        Some(Value::Object(fields)) if !fields.contains_key("error") => Ok(fields),
        _ => Err(ModelError { status: None, ..classify(200, None, body) }),
    }
}

fn row(row: &Value) -> Option<ModelInfo> {
    let fields = row.as_object()?;
    let name = ["name", "model"].iter().find_map(|field| text(fields, field))?;
    Some(details(fields, name))
}

fn details(fields: &Map<String, Value>, name: String) -> ModelInfo {
    let inner = fields.get("details").and_then(Value::as_object);
    let capabilities = fields.get("capabilities").and_then(Value::as_array);
    ModelInfo {
        name,
        // Not Ollama's: the hub says which of several relays has the model.
        provider: text(fields, "relay").map(|relay| format!("{RELAY}:{relay}")),
        family: inner.and_then(|inner| text(inner, "family")),
        parameter_size: inner.and_then(|inner| text(inner, "parameter_size")),
        context_tokens: None,
        capabilities: capabilities.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
    }
}

fn text(fields: &Map<String, Value>, name: &str) -> Option<String> {
    fields.get(name)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}
