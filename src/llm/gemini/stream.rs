//! Reads the events of `streamGenerateContent` (providers.md §2.4).
//!
//! Every field may be missing: a chunk may hold nothing but metadata. So chunks are read as loose JSON, and only what is
//! understood counts. The one end mark is a `finishReason` (§0.10), or the reason why the prompt was refused. A body
//! that is no stream (one chunk, an array of chunks, an error under status 200) is read when it has ended.
//!
//! What has to go back to the model with a part travels as [`Event::Meta`], in one of two forms that `request` reads:
//! the part's fields beside its text or call (`{"thoughtSignature":"…"}`), or `{"part":…}`, a whole part of a kind that
//! means nothing here.

use serde_json::{Map, Value, json};

use super::error::{bad_signatures, in_stream};
use crate::llm::call_ids::CallIds;
use crate::llm::error::message_of;
use crate::llm::sse::SseDecoder;
use crate::llm::{ErrorClass, Event, Finish, ModelError, StreamParser, ToolCall, Usage, arguments, parse};

/// A parser for the body of one answer.
pub fn parser() -> Parser {
    Parser::default()
}

/// See [`parser`].
#[derive(Debug, Default)]
pub struct Parser {
    decoder: SseDecoder,
    answer: Answer,
}

impl StreamParser for Parser {
    fn feed(&mut self, bytes: &[u8], out: &mut Vec<Event>) {
        if self.answer.ended {
            return;
        }
        let Parser { decoder, answer } = self;
        if let Err(error) = decoder.push(bytes, |_, data| answer.event(data, out)) {
            answer.fail(ModelError::transient(&error.to_string()), out);
        }
    }

    fn end(&mut self, out: &mut Vec<Event>) {
        let Parser { decoder, answer } = self;
        // What is no JSON here is the place where the body was cut.
        let ended = decoder.end(|_, data| {
            if let Ok(value) = serde_json::from_str(data) {
                answer.value(value, out);
            }
        });
        if let Err(error) = ended {
            answer.fail(ModelError::transient(&error.to_string()), out);
        }
        if !answer.begun && !decoder.stray().is_empty() {
            answer.plain(decoder.stray(), out);
        }
        answer.fail(ModelError::transient("ended without a finish reason"), out);
    }
}

/// What has to be remembered from chunk to chunk.
#[derive(Debug, Default)]
struct Answer {
    begun: bool,
    ended: bool,
    ids: CallIds,
    usage: Option<Usage>,
}

impl Answer {
    fn event(&mut self, data: &str, out: &mut Vec<Event>) {
        match serde_json::from_str(data) {
            Ok(value) => self.value(value, out),
            // Gemini has no such end mark, but something in between may add it.
            Err(_) if data == "[DONE]" => {}
            Err(_) => {
                let detail = format!("an event of {} bytes is not JSON", data.len());
                self.fail(ModelError::transient(&detail), out);
            }
        }
    }

    /// A body that is no stream.
    fn plain(&mut self, body: &[u8], out: &mut Vec<Event>) {
        match parse::json(body) {
            Some(value) => self.value(value, out),
            // What looks like a broken answer is private and only measured.
            None if body.trim_ascii_start().starts_with(b"{") || body.trim_ascii_start().starts_with(b"[") => {
                let detail = format!("a body of {} bytes is neither events nor JSON", body.len());
                self.fail(ModelError::transient(&detail), out);
            }
            None => {
                let detail = format!("not an answer of the protocol: {}", message_of(body));
                self.fail(ModelError::transient(&detail), out);
            }
        }
    }

    fn value(&mut self, value: Value, out: &mut Vec<Event>) {
        self.begun = true;
        match value {
            Value::Array(chunks) => chunks.into_iter().for_each(|chunk| self.chunk(chunk, out)),
            chunk => self.chunk(chunk, out),
        }
    }

    fn chunk(&mut self, mut chunk: Value, out: &mut Vec<Event>) {
        if self.ended {
            return;
        }
        if let Some(error) = in_stream(&chunk) {
            return self.fail(error, out);
        }
        let mut candidate = chunk.pointer_mut("/candidates/0").map(Value::take).unwrap_or_default();
        if let Some(Value::Array(parts)) = candidate.pointer_mut("/content/parts").map(Value::take) {
            for part in parts {
                if let Err(error) = self.part(part, out) {
                    return self.fail(error, out);
                }
            }
        }
        self.usage(chunk.get("usageMetadata"), out);
        let word =
            |value: Option<&Value>| value.and_then(Value::as_str).filter(|word| !word.is_empty()).map(str::to_owned);
        if let Some(reason) = word(chunk.pointer("/promptFeedback/blockReason")) {
            self.finish(Finish::Blocked(reason), out);
        } else if let Some(reason) = word(candidate.get("finishReason")) {
            let message = word(candidate.get("finishMessage")).unwrap_or_default();
            self.finish_reason(reason, &message, out);
        }
    }

    fn part(&mut self, part: Value, out: &mut Vec<Event>) -> Result<(), ModelError> {
        let Value::Object(mut fields) = part else { return Ok(()) };
        let is_thought = fields.get("thought") == Some(&Value::Bool(true));
        if !is_thought {
            fields.remove("thought");
        }
        match (fields.get("text"), fields.get("functionCall")) {
            (Some(Value::String(text)), None) if is_thought => {
                if !text.is_empty() {
                    out.push(Event::Thought(text.clone()));
                }
                // A summary need not go back (§2.3.7); if one is signed all the same, the whole part does.
                if fields.contains_key("thoughtSignature") {
                    whole(fields, out);
                }
            }
            (Some(Value::String(_)), None) => {
                let Some(Value::String(text)) = fields.remove("text") else { return Ok(()) };
                // An empty one matters for its signature (§0.8), which can come last of all.
                if !text.is_empty() || !fields.is_empty() {
                    out.push(Event::Text(text));
                    beside(fields, out);
                }
            }
            (None, Some(Value::Object(_))) => {
                let Some(Value::Object(call)) = fields.remove("functionCall") else { return Ok(()) };
                out.push(Event::ToolCall(self.call(call)?));
                beside(fields, out);
            }
            // We ask for no pictures; one would be megabytes in the history.
            _ if fields.is_empty() || fields.contains_key("inlineData") => {}
            _ => whole(fields, out),
        }
        Ok(())
    }

    /// Calls come whole from this host; a server that sends them in pieces would have us run half a call.
    fn call(&mut self, mut call: Map<String, Value>) -> Result<ToolCall, ModelError> {
        let in_pieces = call.contains_key("partialArgs") || call.get("willContinue") == Some(&Value::Bool(true));
        match call.remove("name") {
            Some(Value::String(name)) if !name.is_empty() && !in_pieces => {
                let id = self.ids.give(call.get("id").and_then(Value::as_str).unwrap_or_default());
                Ok(ToolCall { id, name, arguments: arguments::read(call.remove("args")) })
            }
            _ => Err(ModelError::new(ErrorClass::Empty, "a call without a name or in pieces")),
        }
    }

    /// Usage repeats in every chunk (§0.10); only changes are passed on.
    fn usage(&mut self, metadata: Option<&Value>, out: &mut Vec<Event>) {
        let Some(usage) = metadata.and_then(usage) else { return };
        if self.usage != Some(usage) {
            self.usage = Some(usage);
            out.push(Event::Usage(usage));
        }
    }

    fn finish_reason(&mut self, reason: String, message: &str, out: &mut Vec<Event>) {
        let detail = format!("{reason}: {message}");
        match reason.as_str() {
            "FINISH_REASON_UNSPECIFIED" => {}
            // It says STOP with calls too.
            "STOP" if !self.ids.is_empty() => self.finish(Finish::ToolCalls, out),
            "STOP" => self.finish(Finish::Stop, out),
            "MAX_TOKENS" => self.finish(Finish::Length, out),
            "SAFETY" | "RECITATION" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" | "LANGUAGE" => {
                self.finish(Finish::Blocked(reason), out);
            }
            _ if reason.starts_with("IMAGE_") => self.finish(Finish::Blocked(reason), out),
            // The server is well and the model misspoke: the action of `Empty`, one retry and then another model, is
            // the one the table asks for; `Transient` would wait and try the same model twice.
            "MALFORMED_FUNCTION_CALL" | "UNEXPECTED_TOOL_CALL" | "TOO_MANY_TOOL_CALLS" | "MALFORMED_RESPONSE" => {
                self.fail(ModelError::new(ErrorClass::Empty, &detail), out);
            }
            "MISSING_THOUGHT_SIGNATURE" => self.fail(bad_signatures(&detail), out),
            _ => self.finish(Finish::Other(reason), out),
        }
    }

    fn finish(&mut self, finish: Finish, out: &mut Vec<Event>) {
        self.ended = true;
        out.push(Event::Finish(finish));
    }

    fn fail(&mut self, error: ModelError, out: &mut Vec<Event>) {
        if !self.ended {
            self.ended = true;
            out.push(Event::Failed(error));
        }
    }
}

/// The fields beside a part's text or call, such as its signature.
fn beside(fields: Map<String, Value>, out: &mut Vec<Event>) {
    if !fields.is_empty() {
        out.push(Event::Meta(Value::Object(fields)));
    }
}

/// A part of no kind we know (`executableCode`, `toolCall` …), on an empty text that marks its place.
fn whole(fields: Map<String, Value>, out: &mut Vec<Event>) {
    out.push(Event::Text(String::new()));
    out.push(Event::Meta(json!({ "part": fields })));
}

/// `None` when it counts nothing, as in the first chunks of some servers.
fn usage(metadata: &Value) -> Option<Usage> {
    let count = |name| metadata.get(name).and_then(Value::as_u64);
    let thinking = count("thoughtsTokenCount").unwrap_or(0);
    // What built-in tools put into the prompt is billed as input, thoughts as output beside the answer (§0.11).
    let input = count("promptTokenCount")?.saturating_add(count("toolUsePromptTokenCount").unwrap_or(0));
    let output = count("candidatesTokenCount").unwrap_or(0).saturating_add(thinking);
    let cached_input = count("cachedContentTokenCount").unwrap_or(0);
    Some(Usage { input, cached_input, output, thinking, cost_nano_usd: None })
}
