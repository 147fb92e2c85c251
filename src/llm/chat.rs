//! The neutral vocabulary of a conversation: what is stored, and what every provider's builder reads.
//!
//! Not here: provider words (those live in each provider's folder) and the bytes of media (referred to by key; see
//! [`Body`](super::Body)). The shape follows providers.md §5.5: a part keeps the provider's raw data beside
//! the neutral reading, because Gemini and OpenRouter want it back untouched (§2.3, §3.1).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{Feature, ModelRef};

/// Who speaks. The system text is not a message: see [`Prompt::system`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    User,
    Assistant,
    /// Carries [`PartKind::ToolResult`] parts: the answers to the calls of the assistant message before it.
    Tool,
}

/// One message of the history. Stored as JSON; the form is pinned by a test.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    pub role: Role,
    /// In the order they were written or produced. Order matters to providers that sign parts.
    pub parts: Vec<Part>,
}

/// A piece of a message. Stored as `{"text":"…"}`, with `"meta"` beside it when there is any.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    #[serde(flatten)]
    pub kind: PartKind,
    /// Where the part came from and what must go back with it. Only parts made by a model have it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub meta: Option<ProviderMeta>,
}

/// Raw provider data of a part (Gemini `thoughtSignature`, OpenRouter `reasoning_details`), replayed verbatim, and only to
/// the model it came from: foreign signatures are refused (providers.md §2.3.5, §5.4).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProviderMeta {
    pub model: ModelRef,
    /// `Null` when only the origin matters, as with a plain thought.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub raw: Value,
}

/// What a part is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartKind {
    /// Text for people.
    Text(String),
    /// The model's reasoning. Goes back only to the model named in the part's meta; without meta it is not replayed.
    Thought(String),
    /// A picture, sound or document.
    Media(MediaRef),
    /// The model asks for a tool.
    ToolCall(ToolCall),
    /// The tool's answer.
    ToolResult(ToolResult),
}

/// Media by reference; the bytes go from storage into the request as it is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MediaRef {
    /// Storage key, opaque here.
    pub key: String,
    /// Media type, lower case, without parameters: `image/jpeg`.
    pub mime: String,
    /// Exact size of the stored file, bytes.
    pub size: u64,
}

/// A call of a tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// Unique within its message, not within the conversation: providers repeat and omit ids (providers.md §1.3).
    /// [`history::tidy`](super::history::tidy) makes them unique before they go out.
    pub id: String,
    pub name: String,
    /// An object. A string when the model's text could not be read as an object: do not run the tool then, answer the
    /// call with an error so that the model can mend it (providers.md §5.4).
    pub arguments: Value,
}

impl ToolCall {
    /// The arguments to run the tool with; `None` when the model wrote something that is not an object.
    pub fn object(&self) -> Option<&Map<String, Value>> {
        self.arguments.as_object()
    }

    /// The arguments as they go back: servers refuse anything but an object, so broken text goes inside one, where the
    /// model sees what it wrote.
    pub fn sent_arguments(&self) -> Value {
        match &self.arguments {
            Value::Object(_) => self.arguments.clone(),
            Value::Null => Value::Object(Map::new()),
            other => json!({ "invalid": other }),
        }
    }
}

/// A tool's answer to one call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolResult {
    /// [`ToolCall::id`] of a call in the closest assistant message before.
    pub call_id: String,
    pub name: String,
    pub content: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_error: bool,
}

impl Message {
    /// A user's message of one text.
    pub fn user(text: impl Into<String>) -> Self {
        Message { role: Role::User, parts: vec![Part::text(text)] }
    }

    /// An assistant's message of one text.
    pub fn assistant(text: impl Into<String>) -> Self {
        Message { role: Role::Assistant, parts: vec![Part::text(text)] }
    }

    /// The answers to one assistant message's calls.
    pub fn tool(results: impl IntoIterator<Item = ToolResult>) -> Self {
        let parts = results.into_iter().map(|result| PartKind::ToolResult(result).into()).collect();
        Message { role: Role::Tool, parts }
    }

    /// All text parts joined without a separator.
    pub fn text(&self) -> String {
        self.parts
            .iter()
            .filter_map(|part| match &part.kind {
                PartKind::Text(text) => Some(text.as_str()),
                _ => None,
            })
            .collect()
    }

    /// The tool calls in order.
    pub fn calls(&self) -> impl Iterator<Item = &ToolCall> {
        self.parts.iter().filter_map(|part| match &part.kind {
            PartKind::ToolCall(call) => Some(call),
            _ => None,
        })
    }
}

impl Part {
    /// A text part.
    pub fn text(text: impl Into<String>) -> Self {
        PartKind::Text(text.into()).into()
    }

    /// A media part.
    pub fn media(media: MediaRef) -> Self {
        PartKind::Media(media).into()
    }
}

impl From<PartKind> for Part {
    fn from(kind: PartKind) -> Self {
        Part { kind, meta: None }
    }
}

/// A tool on offer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolSpec {
    /// Starts with a letter or `_`, then `[A-Za-z0-9_]`, at most 64: what every provider takes (providers.md §2.2).
    pub name: String,
    pub description: String,
    /// Plain JSON Schema of an object. `Null` means no parameters.
    pub parameters: Value,
}

/// How hard the model should think. A wish: each provider maps it to the closest thing the model has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Thinking {
    /// Say nothing; the provider decides.
    #[default]
    Default,
    Off,
    Minimal,
    Low,
    Medium,
    High,
}

/// Everything one model call needs. Not stored.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Prompt {
    /// Empty: none is sent.
    pub system: String,
    /// Media in them are sent if the provider's wire has a place for their type, else named in a note to the model.
    pub messages: Vec<Message>,
    pub tools: Vec<ToolSpec>,
    pub thinking: Thinking,
    /// Cap on the answer (thinking included), tokens.
    pub max_output_tokens: Option<u32>,
    /// Context window to ask for, tokens. Only servers that take it from the request are told: local Ollama, whose
    /// default can be as low as 4,096 (providers.md §1.2).
    pub context_tokens: Option<u32>,
    /// What the model's server has refused before ([`ModelError::feature`](super::ModelError::feature)); builders leave
    /// it out.
    pub dropped: BTreeSet<Feature>,
}

impl Prompt {
    /// Whether `feature` may be sent.
    pub fn may(&self, feature: Feature) -> bool {
        !self.dropped.contains(&feature)
    }

    /// The wish for thinking, unless the server has refused one.
    pub fn wish(&self) -> Thinking {
        if self.may(Feature::Thinking) { self.thinking } else { Thinking::Default }
    }

    /// The tools on offer, unless the server has refused any.
    pub fn offer(&self) -> &[ToolSpec] {
        if self.may(Feature::Tools) { &self.tools } else { &[] }
    }
}

impl MediaRef {
    /// What the model is told in place of media it cannot be given.
    pub fn note(&self) -> String {
        format!("[an attachment of type {} that you cannot see]", self.mime)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn pinned(message: &Message, json: Value) {
        assert_eq!(serde_json::to_value(message).unwrap(), json);
        assert_eq!(&serde_json::from_value::<Message>(json).unwrap(), message);
    }

    #[test]
    fn stored_form_is_pinned() {
        let image = MediaRef { key: "files/a/1".into(), mime: "image/jpeg".into(), size: 3 };
        pinned(
            &Message { role: Role::User, parts: vec![Part::text("hi"), Part::media(image)] },
            json!({"role":"user","parts":[
                {"text":"hi"},
                {"media":{"key":"files/a/1","mime":"image/jpeg","size":3}}]}),
        );
        let model = ModelRef::new("gemini", "x");
        let call = ToolCall { id: "call_1".into(), name: "f".into(), arguments: json!({"a":1,"b":[1.5,-2,null]}) };
        pinned(
            &Message {
                role: Role::Assistant,
                parts: vec![
                    Part {
                        kind: PartKind::Thought("hm".into()),
                        meta: Some(ProviderMeta { model: model.clone(), raw: Value::Null }),
                    },
                    Part {
                        kind: PartKind::ToolCall(call),
                        meta: Some(ProviderMeta { model, raw: json!({"thoughtSignature":"AbC="}) }),
                    },
                ],
            },
            json!({"role":"assistant","parts":[
                {"thought":"hm","meta":{"model":"gemini/x"}},
                {"tool_call":{"id":"call_1","name":"f","arguments":{"a":1,"b":[1.5,-2,null]}},
                 "meta":{"model":"gemini/x","raw":{"thoughtSignature":"AbC="}}}]}),
        );
        let ok = ToolResult { call_id: "call_1".into(), name: "f".into(), content: "4".into(), is_error: false };
        let bad = ToolResult { is_error: true, ..ok.clone() };
        pinned(
            &Message::tool([ok, bad]),
            json!({"role":"tool","parts":[
                {"tool_result":{"call_id":"call_1","name":"f","content":"4"}},
                {"tool_result":{"call_id":"call_1","name":"f","content":"4","is_error":true}}]}),
        );
    }

    #[test]
    fn later_fields_do_not_stop_an_earlier_release() {
        let part: Part = serde_json::from_value(json!({"later":1,"text":"x","more":{}})).unwrap();
        assert_eq!(part, Part::text("x"));
    }
}
