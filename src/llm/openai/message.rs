//! Writes the messages of a chat completion (providers.md §3.2, §5.4).
//!
//! Not here: mending the history ([`history::tidy`](crate::llm::history::tidy) comes first) and the rest of the body.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::Value;

use super::details;
use super::server::Flavour;
use super::short_ids::ShortIds;
use crate::llm::history::{append, clean, result_text};
use crate::llm::{Feature, MediaMark, MediaRef, Message, PartKind, Prompt, Role, ToolCall, ToolResult, media_mark};

/// One message on the wire.
#[derive(Serialize)]
pub(super) struct WireMessage<'a> {
    role: &'static str,
    /// `null` beside calls: the documented form, where an empty text is refused by proxies before Anthropic's models.
    content: Option<Content<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasoning_details: Vec<&'a Value>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<WireCall<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<String>,
}

impl<'a> WireMessage<'a> {
    fn new(role: &'static str, content: Option<Content<'a>>) -> Self {
        WireMessage {
            role,
            content,
            reasoning_content: None,
            reasoning_details: Vec::new(),
            tool_calls: Vec::new(),
            tool_call_id: None,
        }
    }
}

/// A plain string wherever it will do: not every server takes parts.
#[derive(Serialize)]
#[serde(untagged)]
enum Content<'a> {
    Text(Cow<'a, str>),
    Parts(Vec<WirePart<'a>>),
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum WirePart<'a> {
    Text { text: Cow<'a, str> },
    ImageUrl { image_url: ImageUrl },
    InputAudio { input_audio: InputAudio },
    File { file: File },
}

#[derive(Serialize)]
struct ImageUrl {
    url: MediaMark,
}

#[derive(Serialize)]
struct InputAudio {
    data: MediaMark,
    format: &'static str,
}

#[derive(Serialize)]
struct File {
    filename: &'static str,
    file_data: MediaMark,
}

#[derive(Serialize)]
struct WireCall<'a> {
    id: String,
    r#type: &'static str,
    function: WireFunction<'a>,
}

#[derive(Serialize)]
struct WireFunction<'a> {
    name: &'a str,
    /// JSON text.
    arguments: String,
}

/// Collects the messages of one request.
pub(super) struct Writer<'a> {
    flavour: Flavour,
    model: &'a str,
    media: bool,
    tools: bool,
    out: Vec<WireMessage<'a>>,
    ids: ShortIds,
}

impl<'a> Writer<'a> {
    pub(super) fn new(flavour: Flavour, model: &'a str, prompt: &Prompt) -> Self {
        Writer {
            flavour,
            model,
            media: prompt.may(Feature::Media),
            tools: prompt.may(Feature::Tools),
            out: Vec::with_capacity(prompt.messages.len() + 1),
            ids: ShortIds::default(),
        }
    }

    pub(super) fn finish(self) -> Vec<WireMessage<'a>> {
        self.out
    }

    /// The system text, unless it is blank.
    pub(super) fn system(&mut self, role: &'static str, text: &'a str) {
        if !text.trim().is_empty() {
            self.out.push(WireMessage::new(role, Some(Content::Text(clean(text)))));
        }
    }

    /// Results become one message each, everything else one message.
    pub(super) fn message(&mut self, message: &'a Message) {
        match message.role {
            Role::Assistant => self.assistant(message),
            Role::User | Role::Tool => self.user(message),
        }
    }

    /// What a tool message holds beside results (a picture) follows as the user's.
    fn user(&mut self, message: &'a Message) {
        let mut parts = Vec::new();
        for part in &message.parts {
            match &part.kind {
                PartKind::Text(text) => push_text(&mut parts, clean(text)),
                PartKind::Media(media) => self.push_media(&mut parts, media),
                PartKind::ToolResult(result) if self.tools => self.result(result),
                PartKind::ToolResult(result) => {
                    push_text(&mut parts, format!("[{} answered: {}]", result.name, result_text(result)).into());
                }
                PartKind::Thought(_) | PartKind::ToolCall(_) => {}
            }
        }
        let content = match parts.as_mut_slice() {
            [] => return,
            [WirePart::Text { text }] => Content::Text(std::mem::take(text)),
            _ => Content::Parts(parts),
        };
        self.out.push(WireMessage::new("user", Some(content)));
    }

    fn result(&mut self, result: &'a ToolResult) {
        let mut wire = WireMessage::new("tool", Some(Content::Text(result_text(result))));
        wire.tool_call_id = Some(self.id(&result.call_id));
        self.out.push(wire);
    }

    fn assistant(&mut self, message: &'a Message) {
        let mut text = Cow::Borrowed("");
        let mut thought = String::new();
        let mut calls = Vec::new();
        let mut raw = Vec::new();
        for part in &message.parts {
            let own = part.meta.as_ref().filter(|meta| meta.model.model == self.model);
            match &part.kind {
                PartKind::Text(more) => append(&mut text, clean(more), ""),
                PartKind::Thought(more) if own.is_some() => thought.push_str(&clean(more)),
                PartKind::Media(media) => append(&mut text, media.note().into(), "\n"),
                PartKind::ToolCall(call) if self.tools => calls.push(self.call(call)),
                PartKind::ToolCall(call) => {
                    append(&mut text, format!("[called {} with {}]", call.name, call.sent_arguments()).into(), "\n");
                }
                PartKind::Thought(_) | PartKind::ToolResult(_) => {}
            }
            raw.extend(own.into_iter().flat_map(|meta| details::of(&meta.raw)));
        }
        if text.is_empty() && calls.is_empty() {
            return;
        }
        let text = Some(text).filter(|text| !text.is_empty());
        let mut wire = WireMessage::new("assistant", text.map(Content::Text));
        match self.flavour {
            Flavour::DeepSeek if !calls.is_empty() => wire.reasoning_content = Some(thought),
            Flavour::OpenRouter => wire.reasoning_details = raw,
            _ => {}
        }
        wire.tool_calls = calls;
        self.out.push(wire);
    }

    fn call(&mut self, call: &'a ToolCall) -> WireCall<'a> {
        let function = WireFunction { name: &call.name, arguments: call.sent_arguments().to_string() };
        WireCall { id: self.id(&call.id), r#type: "function", function }
    }

    fn id(&mut self, id: &str) -> String {
        if self.flavour == Flavour::Mistral { self.ids.short(id) } else { id.to_owned() }
    }

    fn push_media(&self, parts: &mut Vec<WirePart<'a>>, media: &'a MediaRef) {
        match self.media.then(|| wire_media(self.flavour, media)).flatten() {
            Some(part) => parts.push(part),
            None => push_text(parts, media.note().into()),
        }
    }
}

/// Media in the form the wire has for its type; `None` if it has none.
fn wire_media<'a>(flavour: Flavour, media: &MediaRef) -> Option<WirePart<'a>> {
    let data_url = || media_mark(&format!("data:{};base64,", media.mime), media);
    let audio = |format| WirePart::InputAudio { input_audio: InputAudio { data: media_mark("", media), format } };
    match media.mime.as_str() {
        "image/jpeg" | "image/png" | "image/webp" | "image/gif" => {
            Some(WirePart::ImageUrl { image_url: ImageUrl { url: data_url() } })
        }
        "audio/wav" | "audio/x-wav" | "audio/wave" => Some(audio("wav")),
        "audio/mpeg" | "audio/mp3" => Some(audio("mp3")),
        "application/pdf" if flavour.takes_documents() => {
            Some(WirePart::File { file: File { filename: "document.pdf", file_data: data_url() } })
        }
        _ => None,
    }
}

fn push_text<'a>(parts: &mut Vec<WirePart<'a>>, more: Cow<'a, str>) {
    match parts.last_mut() {
        _ if more.is_empty() => {}
        Some(WirePart::Text { text }) => append(text, more, "\n"),
        _ => parts.push(WirePart::Text { text: more }),
    }
}
