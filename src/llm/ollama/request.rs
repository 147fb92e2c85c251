//! Builds requests of Ollama's native API (providers.md §1.1, §1.2).
//!
//! Not here: what goes into the prompt, and `tool_choice` or `strict`, which Ollama does not have.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;

use super::thinking::{Think, think};
use crate::llm::history::clean;
use crate::llm::{
    Body, Endpoint, Feature, HttpRequest, MediaMark, MediaRef, Message, PartKind, Piece, Prompt, Role, ToolCall,
    ToolSpec, gateway, history, media_mark,
};

/// The context window an Ollama outside its cloud is asked to hold (`num_ctx`), tokens, unless the model's own is known to be
/// smaller. Left to itself it would take 4,096 on small cards and forget the rest without a word (providers.md §1.2); the same
/// number everywhere, because another one makes it load the model again.
pub const CONTEXT_TOKENS: u32 = 32_768;

/// What such an Ollama is asked to hold for a model whose window is `known`, tokens.
pub fn asked_window(known: Option<u32>) -> u32 {
    known.map_or(CONTEXT_TOKENS, |window| window.min(CONTEXT_TOKENS))
}

/// `POST {base}/api/chat` with a streamed answer.
pub fn chat(endpoint: &Endpoint, model: &str, prompt: &Prompt) -> HttpRequest {
    let model = wire_name(endpoint, model);
    let messages = history::tidy(&prompt.messages);
    let mut wire = Vec::with_capacity(messages.len() + 1);
    if !prompt.system.trim().is_empty() {
        wire.push(WireMessage::new("system", clean(&prompt.system)));
    }
    for message in &messages {
        push_message(&mut wire, message, model, prompt);
    }
    let options = Options {
        num_ctx: prompt.context_tokens.filter(|_| !is_cloud(endpoint)),
        num_predict: prompt.max_output_tokens,
    };
    let body = WireBody {
        model,
        stream: true,
        truncate: false,
        shift: false,
        think: think(model, prompt.wish()),
        messages: wire,
        tools: prompt.offer().iter().map(wire_tool).collect(),
        options: Some(options).filter(|options| *options != Options::default()),
    };
    post(endpoint, "/api/chat", Body::json(&body))
}

/// Whether the base address leads to Ollama's cloud, directly or by AI Gateway (which never leads to a home server).
pub fn is_cloud(endpoint: &Endpoint) -> bool {
    let host =
        Url::parse(endpoint.base_url.trim()).ok().and_then(|url| url.host_str().map(str::to_owned)).unwrap_or_default();
    host == "ollama.com" || host.ends_with(".ollama.com") || gateway::slug(&endpoint.base_url).is_some()
}

/// The model that the body of a request names: the first thing it says, else it is looked for in a body without files.
pub fn model_of(body: &Body) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        model: String,
    }
    let Piece::Text(text) = body.pieces().first()? else { return None };
    match text.strip_prefix("{\"model\":") {
        Some(rest) => serde_json::Deserializer::from_str(rest).into_iter().next()?.ok(),
        None => serde_json::from_str::<Named>(body.as_text()?).ok().map(|named| named.model),
    }
}

/// The name without the mark that tells a local daemon to use the cloud; the cloud itself does not know it.
fn bare(model: &str) -> &str {
    model.strip_suffix(":cloud").or_else(|| model.strip_suffix("-cloud")).unwrap_or(model)
}

/// The model's name as the endpoint knows it.
pub(super) fn wire_name<'a>(endpoint: &Endpoint, model: &'a str) -> &'a str {
    if is_cloud(endpoint) { bare(model) } else { model }
}

/// `path` at the endpoint. A base that ends with `/api` or `/v1`, as other programs want it, is accepted.
fn address(endpoint: &Endpoint, path: &str) -> String {
    let base = endpoint.base_url.trim().trim_end_matches('/');
    let base = base.strip_suffix("/api").or_else(|| base.strip_suffix("/v1")).unwrap_or(base);
    format!("{base}{path}")
}

pub(super) fn post(endpoint: &Endpoint, path: &str, body: Body) -> HttpRequest {
    let mut request = get(endpoint, path);
    request.method = "POST";
    request.headers.insert(0, ("content-type".to_owned(), "application/json".to_owned()));
    request.body = body;
    request
}

pub(super) fn get(endpoint: &Endpoint, path: &str) -> HttpRequest {
    let authorization = endpoint.key().map(|key| ("authorization".to_owned(), format!("Bearer {key}")));
    HttpRequest {
        method: "GET",
        url: address(endpoint, path),
        headers: authorization.into_iter().collect(),
        body: Body::default(),
    }
}

#[derive(Serialize)]
struct WireBody<'a> {
    model: &'a str,
    stream: bool,
    /// Over the window: an error we can act on, instead of silently losing the oldest messages.
    truncate: bool,
    /// The same while generating.
    shift: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    think: Option<Think>,
    messages: Vec<WireMessage<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    options: Option<Options>,
}

#[derive(Serialize, Default, PartialEq)]
struct Options {
    #[serde(skip_serializing_if = "Option::is_none")]
    num_ctx: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    num_predict: Option<u32>,
}

#[derive(Serialize)]
struct WireMessage<'a> {
    role: &'static str,
    content: Cow<'a, str>,
    #[serde(skip_serializing_if = "str::is_empty")]
    thinking: Cow<'a, str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    images: Vec<MediaMark>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<&'a str>,
}

impl<'a> WireMessage<'a> {
    fn new(role: &'static str, content: Cow<'a, str>) -> Self {
        WireMessage {
            role,
            content,
            thinking: Cow::Borrowed(""),
            images: Vec::new(),
            tool_calls: Vec::new(),
            tool_name: None,
            tool_call_id: None,
        }
    }

    fn is_blank(&self) -> bool {
        self.content.is_empty() && self.thinking.is_empty() && self.images.is_empty() && self.tool_calls.is_empty()
    }
}

/// Adds `message` to `wire`: results become one message each, everything else one message.
fn push_message<'a>(wire: &mut Vec<WireMessage<'a>>, message: &'a Message, model: &str, prompt: &Prompt) {
    let (role, between) = match message.role {
        Role::Assistant => ("assistant", ""),
        // What a tool message holds beside results (a picture) follows as the user's.
        Role::User | Role::Tool => ("user", "\n"),
    };
    let mut rest = WireMessage::new(role, Cow::Borrowed(""));
    for part in &message.parts {
        match &part.kind {
            PartKind::Text(text) => history::append(&mut rest.content, clean(text), between),
            PartKind::Thought(text) => {
                let origin = part.meta.as_ref().map(|meta| bare(&meta.model.model));
                if message.role == Role::Assistant && origin == Some(bare(model)) {
                    history::append(&mut rest.thinking, clean(text), "");
                }
            }
            PartKind::Media(media) => match prompt.may(Feature::Media) && is_readable(media) {
                true => rest.images.push(media_mark("", media)),
                false => history::append(&mut rest.content, media.note().into(), between),
            },
            PartKind::ToolCall(call) => rest.tool_calls.push(wire_call(call)),
            PartKind::ToolResult(result) => {
                let mut answer = WireMessage::new("tool", history::result_text(result));
                answer.tool_name = Some(&result.name);
                answer.tool_call_id = Some(&result.call_id);
                wire.push(answer);
            }
        }
    }
    if !rest.is_blank() {
        wire.push(rest);
    }
}

/// What Ollama reads: pictures, and WAV or MP3 in the same field (providers.md §1.2).
fn is_readable(media: &MediaRef) -> bool {
    let audio = ["audio/wav", "audio/x-wav", "audio/wave", "audio/mpeg", "audio/mp3"];
    media.mime.starts_with("image/") || audio.contains(&media.mime.as_str())
}

fn wire_call(call: &ToolCall) -> Value {
    json!({ "id": call.id, "function": { "name": call.name, "arguments": call.sent_arguments() } })
}

fn wire_tool(tool: &ToolSpec) -> Value {
    let parameters = match &tool.parameters {
        Value::Object(_) => tool.parameters.clone(),
        _ => json!({ "type": "object", "properties": {} }),
    };
    json!({
        "type": "function",
        "function": { "name": tool.name, "description": tool.description, "parameters": parameters },
    })
}
