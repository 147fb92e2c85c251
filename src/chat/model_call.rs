//! One model call: the request, its stream, its deadlines, the stop signal, and the preview that follows it.
//!
//! Everything that can happen meanwhile is waited for in one place ([`Call::until`]); the way of the call itself reads
//! from top to bottom in [`Conversation::call_model`]. What the result means for the turn is in `turns`.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;

use super::config::Deadlines;
use super::conversation::Conversation;
use super::ports::{Body, Lost, Ports, Waits};
use super::preview::{Preview, Show};
use super::signal::Signal;
use super::turn::{self, Turn};
use crate::llm::servers::RELAY;
use crate::llm::{Accumulator, ErrorClass, Event, HttpRequest, ModelError, ModelRef, Prompt, Provider, RelayTrouble};
use crate::relay::Phase;
use crate::store::{Sql, StoreError};
use crate::telegram::method::{self, Button, Keyboard, SendOptions, Target};
use crate::telegram::outcome::{self, Outcome, Reply};
use crate::telegram::render::{Formatted, plain, render_partial, split};
use crate::text::{self, Lang};

/// How a call ended.
#[derive(Debug)]
pub(super) enum End {
    /// The model finished; the accumulator says how.
    Complete,
    /// The person stopped it.
    Stopped,
    /// A deadline passed, after this many milliseconds.
    TimedOut(i64),
    Failed(ModelError),
}

/// A call that has ended.
#[derive(Debug)]
pub(super) struct Heard {
    pub end: End,
    /// What came until then.
    pub answer: Accumulator,
    /// AI Gateway's name for the call.
    pub log_id: Option<String>,
}

/// Longest error body read, in bytes.
const MAX_ERROR_BODY: usize = 64 * 1024;
/// After the model is done a draft under way may take this long, so that it does not arrive after the final message.
const SETTLE_MS: i64 = 150;
/// A placeholder under way may take longer: its id is needed to remove it.
const SETTLE_PLACEHOLDER_MS: i64 = 5_000;
/// Drafts of one turn: one id per piece of a long answer.
pub(super) const DRAFTS_PER_TURN: i64 = 64;

/// Why waiting for the network ended early.
enum Interrupt {
    Stopped,
    TimedOut(i64),
}

enum Step<T> {
    Stop,
    Io(T),
    Shown(Reply),
    Tick,
}

type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;

/// What one call keeps at hand.
struct Call<'a, S, P: Ports> {
    chat: &'a Conversation<S, P>,
    /// Whom the preview is for; `None`: nobody watches.
    watched: Option<Watched<'a>>,
    /// Ends the call as well as the stop does, if given.
    give_way: Option<&'a Signal>,
    showing: Option<(Show, Pending<'a, Reply>)>,
    timer: Option<(i64, Pending<'a, ()>)>,
    /// The answer so far.
    text: String,
    log_id: Option<String>,
    deadlines: Deadlines,
    /// The whole call must be over by then.
    total_deadline: i64,
    /// The next sign of life is due by then, after a wait of so many milliseconds.
    deadline: (i64, i64),
    /// The model's name, when the call began, and what a relay that carries it waits for.
    model: &'a str,
    began: i64,
    waits: Waits,
}

struct Watched<'a> {
    turn: &'a mut Turn,
    preview: Preview,
}

impl<S: Sql, P: Ports> Conversation<S, P> {
    /// Makes one call for `turn`, shown to the person as it grows. The turn's placeholder may be set on return.
    pub(super) async fn call_model(
        &self,
        turn: &mut Turn,
        model: &ModelRef,
        step: i64,
        prompt: &Prompt,
    ) -> Result<Heard, StoreError> {
        let now = self.ports.now();
        // The first attempt follows an accepted update, whose answer carried the typing sign.
        let typing_shown = turn.attempts <= 1 && now - turn.created_at < 1_000;
        let preview =
            Preview::new(self.agent().streaming, self.is_private(), now, typing_shown, turn.placeholder.is_some());
        let metadata = [("turn", turn.id), ("step", step)];
        self.call(model, prompt, &metadata, Some(Watched { turn, preview }), None).await
    }

    /// Makes one call that nobody watches. Ends as stopped when `give_way` is raised.
    pub(super) async fn call_quietly(
        &self,
        model: &ModelRef,
        step: i64,
        prompt: &Prompt,
        give_way: Option<&Signal>,
    ) -> Result<Heard, StoreError> {
        self.call(model, prompt, &[("step", step)], None, give_way).await
    }

    async fn call(
        &self,
        model: &ModelRef,
        prompt: &Prompt,
        metadata: &[(&str, i64)],
        watched: Option<Watched<'_>>,
        give_way: Option<&Signal>,
    ) -> Result<Heard, StoreError> {
        let mut answer = Accumulator::new(model.clone());
        let Some(server) = self.config.servers.of(model) else {
            let end = End::Failed(ModelError::new(ErrorClass::Retired, "no such provider"));
            return Ok(Heard { end, answer, log_id: None });
        };
        let now = self.ports.now();
        let deadlines = self.agent().deadlines;
        let first = if server.name == RELAY { deadlines.relay } else { deadlines.first_byte };
        let request = server.seal(server.provider.request(&server.endpoint, &model.model, prompt), metadata);
        let mut call = Call {
            chat: self,
            watched,
            give_way,
            showing: None,
            timer: None,
            text: String::new(),
            log_id: None,
            deadlines,
            total_deadline: now + deadlines.total,
            deadline: (now + first, first),
            model: &model.model,
            began: now,
            waits: Waits::default(),
        };
        let end = match call.stream(server.provider, request, &mut answer).await? {
            Ok(End::Failed(error)) if server.name == RELAY => End::Failed(on_the_way(error)),
            Ok(end) => end,
            Err(Interrupt::Stopped) => End::Stopped,
            Err(Interrupt::TimedOut(waited)) => End::TimedOut(waited),
        };
        let log_id = call.log_id.take();
        call.settle().await?;
        Ok(Heard { end, answer, log_id })
    }
}

impl<S: Sql, P: Ports> Call<'_, S, P> {
    async fn stream(
        &mut self,
        provider: Provider,
        request: HttpRequest,
        answer: &mut Accumulator,
    ) -> Result<Result<End, Interrupt>, StoreError> {
        let chat = self.chat;
        let response = match self.until(chat.ports.model(request, self.waits.clone())).await? {
            Ok(Ok(response)) => response,
            Ok(Err(Lost)) => return Ok(Ok(End::Failed(ModelError::transient("connection failed")))),
            Err(interrupt) => return Ok(Err(interrupt)),
        };
        let (status, retry_after, mut body) = (response.status, response.retry_after, response.body);
        self.log_id = response.log_id;
        if !(200..300).contains(&status) {
            return self.refused(provider, status, retry_after, body).await;
        }
        let mut parser = provider.parser();
        let mut events = Vec::new();
        while !answer.is_ended() {
            let chunk = match self.until(body.next()).await? {
                Ok(chunk) => chunk,
                Err(interrupt) => return Ok(Err(interrupt)),
            };
            match chunk {
                Some(Ok(bytes)) => parser.feed(&bytes, &mut events),
                Some(Err(Lost)) => return Ok(Ok(End::Failed(ModelError::transient("the stream was cut")))),
                None => parser.end(&mut events),
            }
            self.text.extend(events.iter().filter_map(|event| match event {
                Event::Text(text) => Some(text.as_str()),
                _ => None,
            }));
            answer.drain(&mut events);
            let now = chat.ports.now();
            if let Some(watched) = &mut self.watched {
                watched.preview.text_grew(now, self.text.len());
            }
            self.deadline = (now + self.deadlines.idle, self.deadlines.idle);
        }
        Ok(Ok(End::Complete))
    }

    /// The server said no: reads why.
    async fn refused(
        &mut self,
        provider: Provider,
        status: u16,
        retry_after: Option<String>,
        mut body: P::Body,
    ) -> Result<Result<End, Interrupt>, StoreError> {
        let mut bytes = Vec::new();
        while bytes.len() < MAX_ERROR_BODY {
            match self.until(body.next()).await? {
                Ok(Some(Ok(chunk))) => bytes.extend(chunk),
                Ok(Some(Err(Lost)) | None) => break,
                Err(interrupt) => return Ok(Err(interrupt)),
            }
        }
        bytes.truncate(MAX_ERROR_BODY);
        Ok(Ok(End::Failed(provider.classify(status, retry_after.as_deref(), &bytes))))
    }

    /// Waits for `io`, meanwhile keeping the preview going; ends early on a stop or a deadline.
    async fn until<T>(&mut self, io: impl Future<Output = T>) -> Result<Result<T, Interrupt>, StoreError> {
        let mut io = pin!(io);
        loop {
            self.show_what_is_due();
            self.set_timer();
            let stop = &self.chat.live.stop;
            let give_way = self.give_way;
            let (showing, timer) = (&mut self.showing, &mut self.timer);
            let step = poll_fn(|context| {
                if stop.poll(context).is_ready() || give_way.is_some_and(|signal| signal.poll(context).is_ready()) {
                    return Poll::Ready(Step::Stop);
                }
                if let Poll::Ready(value) = io.as_mut().poll(context) {
                    return Poll::Ready(Step::Io(value));
                }
                if let Some((_, call)) = showing
                    && let Poll::Ready(reply) = call.as_mut().poll(context)
                {
                    return Poll::Ready(Step::Shown(reply));
                }
                match timer {
                    Some((_, timer)) => timer.as_mut().poll(context).map(|()| Step::Tick),
                    None => Poll::Pending,
                }
            })
            .await;
            match step {
                Step::Stop => return Ok(Err(Interrupt::Stopped)),
                Step::Io(value) => return Ok(Ok(value)),
                Step::Shown(reply) => self.shown(&reply)?,
                Step::Tick => {
                    self.timer = None;
                    let now = self.chat.ports.now();
                    if now >= self.deadline.0 {
                        return Ok(Err(Interrupt::TimedOut(self.deadline.1)));
                    }
                    if now >= self.total_deadline {
                        return Ok(Err(Interrupt::TimedOut(self.deadlines.total)));
                    }
                }
            }
        }
    }

    /// One timer for all that has a time; an early one is let run out rather than replaced.
    fn set_timer(&mut self) {
        let preview = match &self.watched {
            Some(watched) if self.showing.is_none() => watched.preview.wake_at(self.text.len()),
            _ => i64::MAX,
        };
        let wake = preview.min(self.deadline.0).min(self.total_deadline);
        if self.timer.as_ref().is_none_or(|(set, _)| wake < *set) {
            let wait = (wake - self.chat.ports.now()).max(1);
            self.timer = Some((wake, Box::pin(self.chat.ports.sleep(wait))));
        }
    }

    fn show_what_is_due(&mut self) {
        if self.showing.is_some() {
            return;
        }
        let (now, len) = (self.chat.ports.now(), self.text.len());
        let phase = self.waits.get();
        let Some(watched) = &mut self.watched else { return };
        watched.preview.waits(matches!(phase, Some(Phase::Queued | Phase::Loading)));
        let Some(show) = watched.preview.due(now, len) else { return };
        let quiet_until = self.chat.quiet_until();
        if quiet_until > now {
            return watched.preview.pause(quiet_until);
        }
        watched.preview.began(show, now, len);
        let piece = match len {
            0 => Some((0, plain(&line(watched.turn.lang, phase, self.model, (now - self.began) / 1_000)))),
            _ => newest_piece(&self.text),
        };
        let Some(call) = preview_call(show, watched.turn, self.chat.target(), piece) else { return };
        let ports = &self.chat.ports;
        self.showing = Some((show, Box::pin(async move { ports.telegram(&call).await })));
    }

    /// A preview call came back.
    fn shown(&mut self, reply: &Reply) -> Result<(), StoreError> {
        let Some((show, _)) = self.showing.take() else { return Ok(()) };
        let Some(Watched { turn, preview }) = &mut self.watched else { return Ok(()) };
        let now = self.chat.ports.now();
        match outcome::read(reply) {
            Outcome::Sent { message_id } => {
                if show != Show::Typing && !self.text.is_empty() {
                    turn.first_at.get_or_insert(now);
                }
                if show == Show::Placeholder
                    && let Some(id) = message_id
                {
                    turn.placeholder = Some(id);
                    turn::set_placeholder(&self.chat.sql, turn.id, id)?;
                }
                preview.ended(show, true, turn.placeholder.is_some());
            }
            Outcome::Retry { after_ms, flood: true } => {
                self.chat.note_flood(now + after_ms)?;
                preview.pause(now + after_ms);
            }
            Outcome::Unauthorized => {
                self.chat.note_refused_token()?;
                preview.pause(self.chat.quiet_until());
            }
            _ => preview.ended(show, false, turn.placeholder.is_some()),
        }
        Ok(())
    }

    /// Lets a preview call that is under way come home, for a short while; then drops it.
    async fn settle(mut self) -> Result<(), StoreError> {
        let Some((show, call)) = self.showing.as_mut() else { return Ok(()) };
        let wait = if *show == Show::Placeholder { SETTLE_PLACEHOLDER_MS } else { SETTLE_MS };
        let clock = pin!(self.chat.ports.sleep(wait));
        if let futures::future::Either::Left((reply, _)) = futures::future::select(call.as_mut(), clock).await {
            self.shown(&reply)?;
        }
        Ok(())
    }
}

/// A failure without an answer behind a relay: the hub could not be reached, or the answer broke off.
fn on_the_way(error: ModelError) -> ModelError {
    let lost = error.class == ErrorClass::Transient && error.status.is_none();
    let relay = error.relay.or(lost.then_some(RelayTrouble::Lost));
    ModelError { relay, ..error }
}

/// What a person reads who waits for a relay's model.
fn line(lang: Lang, phase: Option<Phase>, model: &str, seconds: i64) -> String {
    match phase {
        Some(Phase::Queued) => text::chat::in_line(lang, seconds),
        Some(Phase::Loading) => text::chat::loading(lang, model, seconds),
        Some(Phase::Working) | None => text::chat::at_work(lang, model, seconds),
    }
}

/// The part of a growing answer that a preview shows: all of it, or the last piece of a long one, with its number.
fn newest_piece(text: &str) -> Option<(i64, Formatted)> {
    let mut pieces = split(&render_partial(text));
    let piece = pieces.pop()?;
    let index = i64::try_from(pieces.len()).unwrap_or(0).min(DRAFTS_PER_TURN - 1);
    // A draft id must not be zero; turns count from 1.
    Some((index, piece))
}

/// The call that shows `piece` to the person `turn` answers.
fn preview_call(show: Show, turn: &Turn, target: Target, piece: Option<(i64, Formatted)>) -> Option<method::Call> {
    if show == Show::Typing {
        return Some(method::typing(target));
    }
    let (index, piece) = piece?;
    let keyboard = Keyboard(vec![vec![Button::new(text::chat::stop_button(turn.lang), format!("stop:{}", turn.id))]]);
    Some(match show {
        Show::Draft => method::send_draft(target, turn.id * DRAFTS_PER_TURN + index, &piece),
        Show::Edit => method::edit_text(target, turn.placeholder?, &piece, Some(&keyboard)),
        _ => {
            let options = SendOptions { reply_to: turn.reply_to, silent: true, keyboard: Some(keyboard) };
            method::send_message(target, &piece, &options)
        }
    })
}
