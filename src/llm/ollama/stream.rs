//! Reads the newline-separated JSON of `/api/chat` (providers.md §1.3).
//!
//! Every field may be missing or of another type: servers of several ages and the cloud differ. So lines are read as
//! loose JSON, and only what is understood counts. The one end mark is `done: true` (§0.4). A whole answer without
//! streaming is one such line and is read the same way.

use serde_json::{Map, Value};

use super::error::in_stream;
use crate::llm::call_ids::CallIds;
use crate::llm::error::message_of;
use crate::llm::{Event, Finish, LineBuffer, ModelError, StreamParser, ToolCall, Usage, arguments, parse};

/// A parser for the body of one answer.
pub fn parser() -> Parser {
    Parser::default()
}

/// See [`parser`].
#[derive(Debug, Default)]
pub struct Parser {
    lines: LineBuffer,
    answer: Answer,
}

impl StreamParser for Parser {
    fn feed(&mut self, bytes: &[u8], out: &mut Vec<Event>) {
        if self.answer.ended {
            return;
        }
        let Parser { lines, answer } = self;
        if let Err(error) = lines.push(bytes, |line| answer.line(line, out)) {
            answer.fail(ModelError::transient(&error.to_string()), out);
        }
    }

    fn end(&mut self, out: &mut Vec<Event>) {
        if let Some(rest) = self.lines.take_rest() {
            self.answer.last_line(&rest, out);
        }
        self.answer.fail(ModelError::transient("ended without done"), out);
    }
}

/// What has to be remembered from line to line.
#[derive(Debug, Default)]
struct Answer {
    ended: bool,
    /// Ids given to calls so far.
    ids: CallIds,
}

impl Answer {
    fn line(&mut self, line: &[u8], out: &mut Vec<Event>) {
        // Blank lines keep a connection alive.
        if self.ended || line.iter().all(u8::is_ascii_whitespace) {
            return;
        }
        match parse::json(line) {
            Some(Value::Object(fields)) => self.object(fields, out),
            _ => self.fail(ModelError::transient(&describe(line)), out),
        }
    }

    /// A line without its end: read if it is whole, otherwise it is the place where the body was cut.
    fn last_line(&mut self, line: &[u8], out: &mut Vec<Event>) {
        if parse::json(line).is_some() {
            self.line(line, out);
        }
    }

    fn object(&mut self, mut fields: Map<String, Value>, out: &mut Vec<Event>) {
        if let Some(error) = in_stream(&fields) {
            return self.fail(error, out);
        }
        if let Some(Value::Object(message)) = fields.get_mut("message") {
            self.message(message, out);
        }
        if fields.get("done") == Some(&Value::Bool(true)) {
            out.push(Event::Usage(usage(&fields)));
            out.push(Event::Finish(self.finish(fields.get("done_reason"))));
            self.ended = true;
        }
    }

    /// One line may hold thinking, content and calls together (providers.md §1.3).
    fn message(&mut self, message: &mut Map<String, Value>, out: &mut Vec<Event>) {
        if let Some(text) = take_text(message, "thinking") {
            out.push(Event::Thought(text));
        }
        if let Some(text) = take_text(message, "content") {
            out.push(Event::Text(text));
        }
        if let Some(Value::Array(calls)) = message.remove("tool_calls") {
            for call in calls {
                if let Some(call) = self.call(call) {
                    out.push(Event::ToolCall(call));
                }
            }
        }
    }

    fn call(&mut self, mut call: Value) -> Option<ToolCall> {
        let id = call.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        let function = call.get_mut("function")?.as_object_mut()?;
        let name = take_text(function, "name")?;
        let arguments = arguments::read(function.remove("arguments"));
        Some(ToolCall { id: self.ids.give(&id), name, arguments })
    }

    fn finish(&self, reason: Option<&Value>) -> Finish {
        match reason.and_then(Value::as_str).unwrap_or_default() {
            // It says `stop` with calls too, and the cloud may say nothing.
            "" | "stop" | "tool_calls" if !self.ids.is_empty() => Finish::ToolCalls,
            "" | "stop" => Finish::Stop,
            "length" => Finish::Length,
            other => Finish::Other(other.to_owned()),
        }
    }

    fn fail(&mut self, error: ModelError, out: &mut Vec<Event>) {
        if !self.ended {
            self.ended = true;
            out.push(Event::Failed(error));
        }
    }
}

/// A line that is not of the protocol, for the log. What looks like a broken answer is private and only measured.
fn describe(line: &[u8]) -> String {
    if line.trim_ascii_start().starts_with(b"{") {
        format!("a line of {} bytes is not JSON", line.len())
    } else {
        format!("not a line of the protocol: {}", message_of(line))
    }
}

/// Non-empty text of a field.
fn take_text(fields: &mut Map<String, Value>, name: &str) -> Option<String> {
    match fields.remove(name) {
        Some(Value::String(text)) if !text.is_empty() => Some(text),
        _ => None,
    }
}

/// Counts are left out when 0; reasoning is inside `eval_count` and not told apart.
fn usage(fields: &Map<String, Value>) -> Usage {
    let count = |name| fields.get(name).and_then(Value::as_u64).unwrap_or(0);
    Usage { input: count("prompt_eval_count"), output: count("eval_count"), ..Usage::default() }
}
