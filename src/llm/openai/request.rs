//! Builds requests of chat completions (providers.md §3.1.8, §3.2).
//!
//! Not here: what goes into the prompt, and how a message is written ([`super::message`]).

use serde::Serialize;
use serde_json::{Value, json};

use super::message::{WireMessage, Writer};
use super::server::{Flavour, post};
use super::thinking::{is_reasoning, openai_effort, openrouter_reasoning};
use crate::llm::{Body, Endpoint, Feature, HttpRequest, Prompt, ToolSpec, history};

/// `POST {base}/chat/completions` with a streamed answer.
pub fn chat(endpoint: &Endpoint, model: &str, prompt: &Prompt) -> HttpRequest {
    let flavour = Flavour::of(endpoint);
    let messages = history::tidy(&prompt.messages);
    let mut writer = Writer::new(flavour, model, prompt);
    let role = if flavour == Flavour::OpenAi && is_reasoning(model) { "developer" } else { "system" };
    writer.system(role, &prompt.system);
    messages.iter().for_each(|message| writer.message(message));

    let (max_completion_tokens, max_tokens) = match flavour {
        Flavour::OpenAi => (prompt.max_output_tokens, None),
        _ => (None, prompt.max_output_tokens),
    };
    let usage = flavour.wants_stream_options() && prompt.may(Feature::StreamUsage);
    let body = WireBody {
        model,
        stream: true,
        stream_options: usage.then_some(StreamOptions { include_usage: true }),
        max_completion_tokens,
        max_tokens,
        reasoning_effort: openai_effort(model, prompt.wish()).filter(|_| flavour == Flavour::OpenAi),
        reasoning: openrouter_reasoning(prompt.wish()).filter(|_| flavour == Flavour::OpenRouter),
        tools: tools(flavour, prompt),
        messages: writer.finish(),
    };
    post(endpoint, "/chat/completions", "application/json", Body::json(&body))
}

/// The tools on offer. With none, the field is left out, except that a proxy before Anthropic's models refuses a history
/// with calls and no such field; OpenAI and others refuse the empty list instead.
fn tools(flavour: Flavour, prompt: &Prompt) -> Option<Vec<Value>> {
    let tools: Vec<Value> = prompt.offer().iter().map(wire_tool).collect();
    let called = || prompt.messages.iter().any(|message| message.calls().next().is_some());
    let needs_field = flavour == Flavour::Generic && prompt.may(Feature::Tools) && called();
    (!tools.is_empty() || needs_field).then_some(tools)
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

/// Fields that stay the same from call to call stand first: providers cache by prefix.
#[derive(Serialize)]
struct WireBody<'a> {
    model: &'a str,
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tools: Option<Vec<Value>>,
    messages: Vec<WireMessage<'a>>,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}
