//! Reads the server-sent events of a chat completion, and a whole answer a server sends instead (providers.md §3.1).
//!
//! Every field may be missing or of another type: dozens of servers claim this format. So objects are read as loose JSON,
//! and only what is understood counts.
//!
//! The end: a `finish_reason` makes the answer whole, but consumption and even an error may follow it (§0.13). So the end
//! is held back until `[DONE]`, the chunk of consumption alone, or the end of the body. `[DONE]` without a reason is an
//! end as well: some servers never give one. Neither of them is a failure (§5.1).

use serde_json::{Map, Value};

use super::calls::Calls;
use super::details::Details;
use super::error::in_object;
use super::usage::usage;
use crate::llm::error::message_of;
use crate::llm::sse::SseDecoder;
use crate::llm::{Event, Finish, ModelError, StreamParser, parse};

/// A parser for the body of one answer.
pub fn parser() -> Parser {
    Parser::default()
}

/// See [`parser`].
#[derive(Debug, Default)]
pub struct Parser {
    sse: SseDecoder,
    answer: Answer,
}

impl StreamParser for Parser {
    fn feed(&mut self, bytes: &[u8], out: &mut Vec<Event>) {
        if self.answer.ended {
            return;
        }
        let Parser { sse, answer } = self;
        if let Err(error) = sse.push(bytes, |_, data| answer.data(data, out)) {
            answer.fail(ModelError::transient(&error.to_string()), out);
        }
    }

    fn end(&mut self, out: &mut Vec<Event>) {
        let Parser { sse, answer } = self;
        // An event the body ends in is read if it is whole; otherwise it is the place where the body was cut.
        let rest = sse.end(|_, data| match data.trim() {
            "[DONE]" => answer.close(out),
            data if is_json(data) => answer.data(data, out),
            _ => {}
        });
        if let Err(error) = rest {
            answer.fail(ModelError::transient(&error.to_string()), out);
        }
        answer.stray(sse.stray(), out);
        if answer.reason.is_some() {
            answer.close(out);
        }
        answer.fail(ModelError::transient("ended without finish_reason and [DONE]"), out);
    }
}

/// What has to be remembered from chunk to chunk.
#[derive(Debug, Default)]
struct Answer {
    ended: bool,
    /// A chunk has come, so the body is a stream.
    begun: bool,
    /// The last `finish_reason`.
    reason: Option<String>,
    calls: Calls,
    details: Details,
}

impl Answer {
    fn data(&mut self, data: &str, out: &mut Vec<Event>) {
        let data = data.trim();
        if self.ended || data.is_empty() {
            return;
        }
        self.begun = true;
        if data == "[DONE]" {
            return self.close(out);
        }
        match serde_json::from_str(data) {
            Ok(value) => self.value(value, out),
            Err(_) => self.fail(ModelError::transient(&describe(data.as_bytes())), out),
        }
    }

    /// Lines that are no events: an error or a whole answer as JSON under status 200, or somebody's error page.
    fn stray(&mut self, lines: &[u8], out: &mut Vec<Event>) {
        let lines = lines.trim_ascii();
        if self.ended || lines.is_empty() {
            return;
        }
        // llama.cpp of some ages names the field `error` instead of `data`.
        if let Some(error) = lines.strip_prefix(b"error:") {
            if let Some(error) = parse::json(error) {
                self.object(Map::from_iter([("error".to_owned(), error)]), out);
            }
        } else if !self.begun {
            match parse::json(lines) {
                Some(value) => self.whole(value, lines.len(), out),
                None => self.fail(ModelError::transient(&describe(lines)), out),
            }
        }
    }

    /// A body of JSON, `size` bytes. It needs no end mark, but it must be an answer.
    fn whole(&mut self, value: Value, size: usize, out: &mut Vec<Event>) {
        self.value(value, out);
        if self.begun {
            self.close(out);
        }
        self.fail(ModelError::transient(&format!("JSON of {size} bytes is no answer")), out);
    }

    fn value(&mut self, value: Value, out: &mut Vec<Event>) {
        // Errors may be wrapped in an array of one (§0.14).
        let value = match value {
            Value::Array(items) => items.into_iter().next().unwrap_or_default(),
            other => other,
        };
        match value {
            Value::Object(fields) => self.object(fields, out),
            other => self.fail(ModelError::transient(&describe(other.to_string().as_bytes())), out),
        }
    }

    fn object(&mut self, mut fields: Map<String, Value>, out: &mut Vec<Event>) {
        let usage = usage(&fields);
        if let Some(error) = in_object(&fields) {
            // A broken answer is billed too.
            out.extend(usage.map(Event::Usage));
            return self.fail(error, out);
        }
        // One answer is asked for; whatever has another number is not it.
        let is_first = |choice: &Value| choice.get("index").and_then(Value::as_u64).unwrap_or(0) == 0;
        let choice = match fields.get_mut("choices") {
            Some(Value::Array(choices)) => choices.iter_mut().find(|choice| is_first(choice)),
            _ => None,
        };
        let alone = choice.is_none();
        if let Some(choice) = choice {
            self.begun = true;
            self.choice(choice, out);
        }
        if let Some(usage) = usage.filter(|_| !self.ended) {
            out.push(Event::Usage(usage));
            // The last chunk by the protocol: a server that keeps the connection open need not be waited for.
            if alone && self.reason.is_some() {
                self.close(out);
            }
        }
    }

    fn choice(&mut self, choice: &mut Value, out: &mut Vec<Event>) {
        let name = if choice.get("delta").is_some_and(Value::is_object) { "delta" } else { "message" };
        if let Some(Value::Object(message)) = choice.get_mut(name) {
            self.message(message, out);
        }
        if let Some(reason) = choice.get("finish_reason").and_then(Value::as_str).filter(|reason| !reason.is_empty()) {
            self.reason = Some(reason.to_owned());
        }
    }

    /// A delta or a whole message; it may hold reasoning, content and calls together.
    fn message(&mut self, message: &mut Map<String, Value>, out: &mut Vec<Event>) {
        let thought =
            ["reasoning_content", "reasoning", "reasoning_text"].iter().find_map(|name| text(message.get(*name)));
        out.extend(thought.map(Event::Thought));
        match message.get("content") {
            Some(Value::Array(parts)) => parts.iter().for_each(|part| typed_part(part, out)),
            content => out.extend(text(content).map(Event::Text)),
        }
        // What OpenAI's models say instead of an answer they refuse.
        out.extend(text(message.get("refusal")).map(Event::Text));
        self.details.add(message);
        if let Err(error) = self.calls.add(message) {
            self.fail(ModelError::transient(&error.to_string()), out);
        }
    }

    /// The protocol's end: the calls, what must go back with the answer, and why it stopped.
    fn close(&mut self, out: &mut Vec<Event>) {
        if self.ended {
            return;
        }
        let reason = self.reason.take().unwrap_or_default();
        let calls = self.calls.take();
        let finish = match reason.as_str() {
            "error" | "network_error" | "insufficient_system_resource" => {
                return self.fail(ModelError::transient(&format!("finish_reason {reason}")), out);
            }
            "content_filter" | "sensitive" | "safety" | "refusal" => Finish::Blocked(reason),
            "length" | "max_tokens" | "model_length" => Finish::Length,
            // With calls it is also said `stop`, or nothing.
            "" | "stop" | "end" | "eos" | "end_turn" | "tool_calls" | "tool_use" | "function_call" => {
                if calls.is_empty() { Finish::Stop } else { Finish::ToolCalls }
            }
            _ => Finish::Other(reason),
        };
        out.extend(calls.into_iter().map(Event::ToolCall));
        out.extend(self.details.take().map(Event::Meta));
        out.push(Event::Finish(finish));
        self.ended = true;
    }

    fn fail(&mut self, error: ModelError, out: &mut Vec<Event>) {
        if !self.ended {
            self.ended = true;
            out.push(Event::Failed(error));
        }
    }
}

/// A part of content that is an array (Mistral): text, or thinking that is an array of texts again.
fn typed_part(part: &Value, out: &mut Vec<Event>) {
    match part.get("type").and_then(Value::as_str) {
        Some("text") => out.extend(text(part.get("text")).map(Event::Text)),
        Some("thinking") => match part.get("thinking") {
            Some(Value::Array(inner)) => {
                out.extend(inner.iter().filter_map(|part| text(part.get("text"))).map(Event::Thought));
            }
            thinking => out.extend(text(thinking).map(Event::Thought)),
        },
        _ => {}
    }
}

/// Non-empty text.
fn text(value: Option<&Value>) -> Option<String> {
    value.and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// Something that is not of the protocol, for the log. What looks like a broken answer is private and only measured.
fn describe(body: &[u8]) -> String {
    if body.starts_with(b"{") || body.starts_with(b"[{") {
        format!("a piece of {} bytes is not JSON", body.len())
    } else {
        format!("not of the protocol: {}", message_of(body))
    }
}
