//! The conversation as Gemini wants it (providers.md §2.2, §2.3).
//!
//! What a Gemini model wrote goes back to that model exactly as it came, part by part; what another model wrote goes
//! back as plain text and calls. Not here: mending calls without results
//! ([`history::tidy`](crate::llm::history::tidy)).

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::media::wire_mime;
use super::request::{bare, is_gemma};
use crate::llm::history::clean;
use crate::llm::{
    Feature, MediaMark, MediaRef, Message, Part, PartKind, Prompt, Provider, Role, ToolCall, ToolResult, media_mark,
};

/// Goes in place of the signature of a call that has none (§2.3.6).
const NO_SIGNATURE: &str = "skip_thought_signature_validator";

/// Opens a conversation whose first message is the model's: contents begin with the user.
const EARLIER: &str = "[what was said before is not shown]";

/// Ends a conversation whose last message is the model's, which newer models refuse (§0.9).
const CONTINUE: &str = "Continue.";

/// Longest name of a function, bytes (§2.2).
const MAX_NAME: usize = 128;

#[derive(Serialize)]
pub(super) struct Content<'a> {
    role: &'static str,
    pub(super) parts: Vec<WirePart<'a>>,
    /// Holds the results of a model turn, and so nothing else.
    #[serde(skip)]
    is_results: bool,
}

#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum WirePart<'a> {
    Text {
        text: Cow<'a, str>,
    },
    Media {
        #[serde(rename = "inlineData")]
        inline_data: InlineData,
    },
    /// A call, a result, or a part as the model wrote it.
    Json(Value),
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct InlineData {
    mime_type: &'static str,
    data: MediaMark,
}

/// What a model of this name is sent of `messages`, which are tidy. Begins and ends with the user's turn.
pub(super) fn contents<'a>(messages: &'a [Message], model: &str, prompt: &Prompt) -> Vec<Content<'a>> {
    let mut contents = Contents::default();
    for message in messages {
        contents.push_message(message, model, prompt);
    }
    contents.closed()
}

const USER: &str = "user";
const MODEL: &str = "model";

/// Roles take turns, and results stand alone.
#[derive(Default)]
struct Contents<'a>(Vec<Content<'a>>);

impl<'a> Contents<'a> {
    fn push_message(&mut self, message: &'a Message, model: &str, prompt: &Prompt) {
        match message.role {
            Role::Assistant => self.push(MODEL, model_parts(message, model, prompt), false),
            Role::User => self.push(USER, user_parts(&message.parts, model, prompt), false),
            Role::Tool => {
                let results = message.parts.iter().filter_map(|part| match &part.kind {
                    PartKind::ToolResult(result) => Some(response(result)),
                    _ => None,
                });
                self.push(USER, results.collect(), true);
                // A picture among the results is a 400: it follows as the user's.
                self.push(USER, user_parts(&message.parts, model, prompt), false);
            }
        }
    }

    /// Adds parts to the content of the same speaker before, except to or from results. A call must follow the user's
    /// turn (§2.2), so two contents of the model in a row would be refused.
    fn push(&mut self, role: &'static str, parts: Vec<WirePart<'a>>, is_results: bool) {
        match self.0.last_mut() {
            _ if parts.is_empty() => {}
            Some(last) if last.role == role && !last.is_results && !is_results => last.parts.extend(parts),
            _ => self.0.push(Content { role, parts, is_results }),
        }
    }

    /// With the user's turn at both ends. The model's words are kept: leaving out an answer that was cut would make the
    /// model repeat it.
    fn closed(mut self) -> Vec<Content<'a>> {
        let note = |text: &'static str| WirePart::Text { text: text.into() };
        if self.0.first().is_some_and(|first| first.role == MODEL) {
            self.0.insert(0, Content { role: USER, parts: vec![note(EARLIER)], is_results: false });
        }
        if self.0.last().is_none_or(|last| last.role == MODEL) {
            self.push(USER, vec![note(CONTINUE)], false);
        }
        self.0
    }
}

fn user_parts<'a>(parts: &'a [Part], model: &str, prompt: &Prompt) -> Vec<WirePart<'a>> {
    let part = |part: &'a Part| match &part.kind {
        PartKind::Text(text) => plain(text),
        PartKind::Media(media) => Some(inline(media, model, prompt)),
        PartKind::Thought(_) | PartKind::ToolCall(_) | PartKind::ToolResult(_) => None,
    };
    parts.iter().filter_map(part).collect()
}

/// The parts of a model's message, in their order. The first call carries the placeholder if it has no signature of
/// this model: in every step, not only those of the current turn, where it is checked. Taking it away later would
/// change text that the provider's cache already knows.
fn model_parts<'a>(message: &'a Message, model: &str, prompt: &Prompt) -> Vec<WirePart<'a>> {
    let mut unsigned = wants_signatures(model);
    let part = |part: &'a Part| {
        let raw = own_data(part, model, prompt);
        match &part.kind {
            PartKind::Text(text) => match raw {
                Some(raw) => Some(WirePart::Json(raw.get("part").cloned().unwrap_or_else(|| {
                    let mut fields = raw.clone();
                    fields.insert("text".to_owned(), text.as_str().into());
                    Value::Object(fields)
                }))),
                None => plain(text),
            },
            PartKind::ToolCall(call) => {
                let mut fields = raw.cloned().unwrap_or_default();
                if std::mem::take(&mut unsigned) && !fields.contains_key("thoughtSignature") {
                    fields.insert("thoughtSignature".to_owned(), NO_SIGNATURE.into());
                }
                fields.insert("functionCall".to_owned(), wire_call(call));
                Some(WirePart::Json(Value::Object(fields)))
            }
            PartKind::Media(media) => Some(WirePart::Text { text: media.note().into() }),
            // Summaries need not go back (§2.3.7).
            PartKind::Thought(_) | PartKind::ToolResult(_) => None,
        }
    };
    message.parts.iter().filter_map(part).collect()
}

/// What this very model gave with the part. Foreign signatures are refused (§2.3.5).
fn own_data<'a>(part: &'a Part, model: &str, prompt: &Prompt) -> Option<&'a Map<String, Value>> {
    let meta = part.meta.as_ref().filter(|_| prompt.may(Feature::Signatures))?;
    let is_own = Provider::named(&meta.model.provider) == Some(Provider::Gemini) && bare(&meta.model.model) == model;
    meta.raw.as_object().filter(|_| is_own)
}

fn plain(text: &str) -> Option<WirePart<'_>> {
    Some(clean(text)).filter(|text| !text.is_empty()).map(|text| WirePart::Text { text })
}

fn inline<'a>(media: &MediaRef, model: &str, prompt: &Prompt) -> WirePart<'a> {
    match wire_mime(&media.mime, is_gemma(model)).filter(|_| prompt.may(Feature::Media)) {
        Some(mime_type) => WirePart::Media { inline_data: InlineData { mime_type, data: media_mark("", media) } },
        None => WirePart::Text { text: media.note().into() },
    }
}

fn wire_call(call: &ToolCall) -> Value {
    json!({ "id": call.id, "name": legal(&call.name), "args": call.sent_arguments() })
}

/// The result as one string, never as JSON of its own: a `$ref` in it would be taken for a reference (§2.2).
fn response<'a>(result: &ToolResult) -> WirePart<'a> {
    let field = if result.is_error { "error" } else { "output" };
    let response = json!({ field: clean(&result.content) });
    WirePart::Json(json!({
        "functionResponse": { "id": result.call_id, "name": legal(&result.name), "response": response },
    }))
}

/// Whether the model refuses calls without a signature. All from Gemini 3 on do (§2.3.2), so an unknown one may.
fn wants_signatures(model: &str) -> bool {
    let model = model.to_ascii_lowercase();
    !["gemma", "gemini-1", "gemini-2"].iter().any(|old| model.starts_with(old))
}

/// A name as Gemini takes it (§2.2): another model may have called a tool that does not exist by any name.
pub(super) fn legal(name: &str) -> Cow<'_, str> {
    let sign = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | '-');
    let begins = |c: char| c.is_ascii_alphabetic() || c == '_';
    if name.len() <= MAX_NAME && name.starts_with(begins) && name.chars().all(sign) {
        return name.into();
    }
    let first = if name.starts_with(begins) { "" } else { "_" };
    let rest = name.chars().map(|c| if sign(c) { c } else { '_' });
    first.chars().chain(rest).take(MAX_NAME).collect()
}
