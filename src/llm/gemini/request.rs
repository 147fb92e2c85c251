//! Builds requests of `streamGenerateContent` (providers.md §2.2, §2.3).
//!
//! Not here: the conversation itself (`contents`), and what goes into the prompt.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::Value;
use url::form_urlencoded::byte_serialize;

use super::contents::{Content, WirePart, contents, legal};
use super::thinking::{self, ThinkingConfig};
use crate::llm::{Body, Endpoint, HttpRequest, Prompt, ToolSpec, history};

/// `POST {base}/v1beta/models/{model}:streamGenerateContent` with the answer as server-sent events.
pub fn chat(endpoint: &Endpoint, model: &str, prompt: &Prompt) -> HttpRequest {
    let model = bare(model);
    let messages = history::tidy(&prompt.messages);
    let mut contents = contents(&messages, model, prompt);
    let mut system = Some(history::clean(&prompt.system)).filter(|text| !text.trim().is_empty());
    if is_gemma(model)
        && let Some(first) = contents.first_mut()
        && let Some(text) = system.take()
    {
        first.parts.insert(0, WirePart::Text { text: format!("{text}\n\n").into() });
    }
    let config = GenerationConfig {
        max_output_tokens: prompt.max_output_tokens,
        thinking_config: thinking::config(model, prompt.wish()),
    };
    let body = WireBody {
        system_instruction: system.map(|text| Instruction { parts: [WirePart::Text { text }] }),
        contents,
        tools: Some([Tools { function_declarations: prompt.offer().iter().map(declaration).collect() }])
            .filter(|[tools]| !tools.function_declarations.is_empty()),
        generation_config: Some(config).filter(|config| *config != GenerationConfig::default()),
    };
    // A name comes from people: nothing in it may leave its place in the path.
    let name: String = byte_serialize(model.as_bytes()).collect();
    let mut request = get(endpoint, &format!("/v1beta/models/{name}:streamGenerateContent?alt=sse"));
    request.method = "POST";
    request.headers.insert(0, ("content-type".to_owned(), "application/json".to_owned()));
    request.body = Body::json(&body);
    request
}

/// `path` at the endpoint. A base that ends with the version, as other programs want it, is accepted.
pub(super) fn get(endpoint: &Endpoint, path: &str) -> HttpRequest {
    let base = endpoint.base_url.trim().trim_end_matches('/');
    let base = base.strip_suffix("/v1beta").unwrap_or(base);
    // Never in the address, where logs would keep it.
    let key = endpoint.key().map(|key| ("x-goog-api-key".to_owned(), key.to_owned()));
    HttpRequest {
        method: "GET",
        url: format!("{base}{path}"),
        headers: key.into_iter().collect(),
        body: Body::default(),
    }
}

/// The name without the collection the catalogue puts before it.
pub(super) fn bare(model: &str) -> &str {
    model.strip_prefix("models/").unwrap_or(model)
}

/// The open models served by the same API: no system text, no signatures, no levels.
pub(super) fn is_gemma(model: &str) -> bool {
    model.to_ascii_lowercase().starts_with("gemma")
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct WireBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    system_instruction: Option<Instruction<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tools: Option<[Tools<'a>; 1]>,
    contents: Vec<Content<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    generation_config: Option<GenerationConfig>,
}

#[derive(Serialize)]
struct Instruction<'a> {
    parts: [WirePart<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tools<'a> {
    function_declarations: Vec<Declaration<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Declaration<'a> {
    name: Cow<'a, str>,
    description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters_json_schema: Option<&'a Value>,
}

#[derive(Serialize, Default, PartialEq)]
#[serde(rename_all = "camelCase")]
struct GenerationConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    max_output_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking_config: Option<ThinkingConfig>,
}

fn declaration(tool: &ToolSpec) -> Declaration<'_> {
    Declaration {
        name: legal(&tool.name),
        description: &tool.description,
        parameters_json_schema: Some(&tool.parameters).filter(|schema| schema.is_object()),
    }
}
