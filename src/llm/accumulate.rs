//! Folds a stream of events into the assistant's message.
//!
//! Not here: showing it (the caller reads [`Accumulator::text`] for previews) and deciding what a failure leads to.

use serde_json::Value;

use super::{
    ErrorClass, Event, Finish, Message, ModelError, ModelRef, Part, PartKind, ProviderMeta, Role, ToolCall, Usage,
};

/// What a model has said so far.
#[derive(Debug, Clone)]
pub struct Accumulator {
    model: ModelRef,
    parts: Vec<Part>,
    /// Where in the last part the last event's piece begins, bytes.
    piece: usize,
    usage: Option<Usage>,
    end: Option<Result<Finish, ModelError>>,
}

impl Accumulator {
    /// An empty answer of `model`, which parts will name as their origin.
    pub fn new(model: ModelRef) -> Self {
        Accumulator { model, parts: Vec::new(), piece: 0, usage: None, end: None }
    }

    /// Takes the next event. Events after the end are ignored.
    pub fn push(&mut self, event: Event) {
        if self.end.is_some() {
            return;
        }
        match event {
            Event::Text(text) => self.write(PartKind::Text(text)),
            Event::Thought(text) => self.write(PartKind::Thought(text)),
            Event::ToolCall(call) => self.parts.push(PartKind::ToolCall(call).into()),
            Event::Meta(raw) => self.sign(raw),
            Event::Usage(usage) => self.usage = Some(usage),
            Event::Finish(finish) => self.end = Some(Ok(finish)),
            Event::Failed(error) => self.end = Some(Err(error)),
        }
    }

    /// Takes a batch of events, leaving `events` empty for the next one.
    pub fn drain(&mut self, events: &mut Vec<Event>) {
        events.drain(..).for_each(|event| self.push(event));
    }

    /// Extends the last part if it is of the same kind and not signed; a signed part is never touched again
    /// (providers.md §2.3.1).
    fn write(&mut self, kind: PartKind) {
        self.piece = 0;
        match (self.parts.last_mut(), kind) {
            (Some(Part { kind: PartKind::Text(text), meta: None }), PartKind::Text(more)) => {
                self.piece = text.len();
                text.push_str(&more);
            }
            (Some(Part { kind: PartKind::Thought(text), meta: Some(meta) }), PartKind::Thought(more))
                if meta.raw.is_null() =>
            {
                text.push_str(&more);
            }
            (_, kind @ PartKind::Thought(_)) => {
                let meta = ProviderMeta { model: self.model.clone(), raw: Value::Null };
                self.parts.push(Part { kind, meta: Some(meta) });
            }
            (_, kind) => self.parts.push(kind.into()),
        }
    }

    /// Signed text is a part of its own: what came before it was not signed with it (providers.md §2.3.1).
    fn sign(&mut self, raw: Value) {
        let meta = Some(ProviderMeta { model: self.model.clone(), raw });
        if let Some(Part { kind: PartKind::Text(text), meta: None }) = self.parts.last_mut()
            && (1..=text.len()).contains(&self.piece)
        {
            let signed = text.split_off(self.piece);
            self.parts.push(Part::text(signed));
        }
        self.piece = 0;
        match self.parts.last_mut() {
            Some(part) => part.meta = meta,
            None => self.parts.push(Part { kind: PartKind::Text(String::new()), meta }),
        }
    }

    /// The text for people so far.
    pub fn text(&self) -> String {
        self.join(|kind| match kind {
            PartKind::Text(text) => Some(text),
            _ => None,
        })
    }

    /// The reasoning so far.
    pub fn thought(&self) -> String {
        self.join(|kind| match kind {
            PartKind::Thought(text) => Some(text),
            _ => None,
        })
    }

    fn join(&self, pick: impl Fn(&PartKind) -> Option<&String>) -> String {
        self.parts.iter().filter_map(|part| pick(&part.kind)).map(String::as_str).collect()
    }

    /// The calls so far. Run them only after [`Accumulator::outcome`] says that the answer is whole.
    pub fn calls(&self) -> impl Iterator<Item = &ToolCall> {
        self.parts.iter().filter_map(|part| match &part.kind {
            PartKind::ToolCall(call) => Some(call),
            _ => None,
        })
    }

    /// The last reported consumption; `None` if the provider reported none.
    pub fn usage(&self) -> Option<Usage> {
        self.usage
    }

    /// Why the model stopped, if it ended by its own protocol.
    pub fn finish(&self) -> Option<&Finish> {
        self.end.as_ref().and_then(|end| end.as_ref().ok())
    }

    /// Whether a `Finish` or `Failed` has come.
    pub fn is_ended(&self) -> bool {
        self.end.is_some()
    }

    /// Whether there is neither visible text nor a call. Reasoning alone is nothing (providers.md §5.2 "empty").
    pub fn is_empty(&self) -> bool {
        self.calls().next().is_none() && self.text().trim().is_empty()
    }

    /// How it ended: a usable answer, or the error to act on. An answer without content is [`ErrorClass::Empty`], a
    /// withheld one [`ErrorClass::Content`], one that has not ended [`ErrorClass::Transient`].
    pub fn outcome(&self) -> Result<Finish, ModelError> {
        match &self.end {
            None => Err(ModelError::transient("the answer has not ended")),
            Some(Err(error)) => Err(error.clone()),
            Some(Ok(Finish::Blocked(reason))) => Err(ModelError::new(ErrorClass::Content, reason)),
            Some(Ok(finish)) if self.is_empty() => {
                Err(ModelError::new(ErrorClass::Empty, &format!("no text and no calls, finish {finish:?}")))
            }
            Some(Ok(finish)) => Ok(finish.clone()),
        }
    }

    /// The message to store: parts in order, empty ones left out unless they carry raw data.
    pub fn into_message(self) -> Message {
        let parts = self.parts.into_iter().filter(|part| {
            let signed = part.meta.as_ref().is_some_and(|meta| !meta.raw.is_null());
            let blank = matches!(&part.kind, PartKind::Text(text) | PartKind::Thought(text) if text.is_empty());
            signed || !blank
        });
        Message { role: Role::Assistant, parts: parts.collect() }
    }

    /// What may be kept of an answer that was cut or stopped: its text. Calls may be incomplete as a set, and raw data
    /// belongs to a whole answer (providers.md §5.1 "user cancel").
    pub fn into_partial(self) -> Message {
        Message::assistant(self.text())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn model() -> ModelRef {
        ModelRef::new("gemini", "x")
    }

    fn fold(events: impl IntoIterator<Item = Event>) -> Accumulator {
        let mut answer = Accumulator::new(model());
        events.into_iter().for_each(|event| answer.push(event));
        answer
    }

    fn text(text: &str) -> Event {
        Event::Text(text.into())
    }

    fn call(id: &str) -> ToolCall {
        ToolCall { id: id.into(), name: "f".into(), arguments: json!({}) }
    }

    fn meta(raw: Value) -> Option<ProviderMeta> {
        Some(ProviderMeta { model: model(), raw })
    }

    #[test]
    fn merges_neighbours_and_keeps_signed_parts_apart() {
        let answer = fold([
            Event::Thought("a".into()),
            Event::Thought("b".into()),
            text("c"),
            text("d"),
            text(""),
            Event::Meta(json!({"s":1})),
            text("e"),
            Event::ToolCall(call("1")),
            Event::Meta(json!({"s":2})),
            text(""),
            Event::Meta(json!({"s":3})),
            text(""),
            Event::Finish(Finish::ToolCalls),
            text("late"),
        ]);
        assert_eq!((answer.text(), answer.thought()), ("cde".into(), "ab".into()));
        assert_eq!(answer.outcome(), Ok(Finish::ToolCalls));
        let part = |kind, meta| Part { kind, meta };
        assert_eq!(
            answer.into_message().parts,
            [
                part(PartKind::Thought("ab".into()), meta(Value::Null)),
                part(PartKind::Text("cd".into()), None),
                part(PartKind::Text(String::new()), meta(json!({"s":1}))),
                part(PartKind::Text("e".into()), None),
                part(PartKind::ToolCall(call("1")), meta(json!({"s":2}))),
                part(PartKind::Text(String::new()), meta(json!({"s":3}))),
            ]
        );
    }

    #[test]
    fn signed_text_is_parted_from_the_text_before() {
        let answer =
            fold([text("при"), text("вет"), text("!"), Event::Meta(json!(1)), text("a"), Event::Meta(json!(2))]);
        let parts = answer.into_message().parts;
        let kinds: Vec<_> = parts.iter().map(|part| (part.kind.clone(), part.meta.is_some())).collect();
        let text = |text: &str, signed| (PartKind::Text(text.into()), signed);
        assert_eq!(kinds, [text("привет", false), text("!", true), text("a", true)]);
    }

    #[test]
    fn raw_data_before_any_part_opens_one() {
        let answer = fold([Event::Meta(json!(1))]);
        assert_eq!(answer.into_message().parts, [Part { kind: PartKind::Text(String::new()), meta: meta(json!(1)) }]);
    }

    #[test]
    fn outcomes() {
        let class = |events: Vec<Event>| fold(events).outcome().unwrap_err().class;
        assert_eq!(class(vec![text("x")]), ErrorClass::Transient);
        assert_eq!(class(vec![Event::Finish(Finish::Stop)]), ErrorClass::Empty);
        assert_eq!(
            class(vec![Event::Thought("x".into()), text(" \n"), Event::Finish(Finish::Length)]),
            ErrorClass::Empty
        );
        assert_eq!(class(vec![text("x"), Event::Finish(Finish::Blocked("SAFETY".into()))]), ErrorClass::Content);
        let quota = ModelError::new(ErrorClass::Quota, "x");
        assert_eq!(class(vec![text("x"), Event::Failed(quota)]), ErrorClass::Quota);
        assert_eq!(fold([Event::ToolCall(call("1")), Event::Finish(Finish::Stop)]).outcome(), Ok(Finish::Stop));
    }

    #[test]
    fn a_cut_answer_keeps_its_text_only() {
        let answer = fold([Event::Thought("t".into()), text("half"), Event::ToolCall(call("1"))]);
        assert_eq!(answer.into_partial(), Message::assistant("half"));
    }

    #[test]
    fn the_last_usage_counts() {
        let usage = |input| Usage { input, ..Usage::default() };
        assert_eq!(fold([Event::Usage(usage(55)), Event::Usage(usage(165))]).usage(), Some(usage(165)));
    }
}
