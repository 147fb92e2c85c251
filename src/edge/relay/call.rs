//! A model request through a relay: a WebSocket to the hub that carries one call (`crate::relay::caller` has its rules).
//!
//! Everything the call waits for (socket, messages, the body's next bytes, its timer) is waited for in one place, and all
//! that is left half-done stands in [`Call`]: a wait may be dropped at any time. Dropping the call cancels it. Not here:
//! what answers for `/api/tags`, which asks the hub and no relay.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};

use worker::Env;

use super::super::files::Bucket;
use super::super::{clock, objects};
use super::body::Source;
use super::socket::Socket;
use crate::chat::ports::{Lost, Waits};
use crate::llm::{HttpRequest, ollama};
use crate::relay::{CallId, Caller, Ending, Fail, Head, Request};

type Pending<T> = Pin<Box<dyn Future<Output = T>>>;

/// A call under way.
pub struct Call {
    caller: Caller,
    source: Source,
    socket: Option<Socket>,
    making: Option<Pending<Option<Socket>>>,
    timer: Option<(i64, Pending<()>)>,
    waits: Waits,
    env: Env,
}

/// What a relay says of a request.
pub enum Answer {
    /// Ollama's answer; its body is read from the call.
    Head(Head, Box<Call>),
    /// There is none.
    Failed(Fail),
}

/// Sends `request` to `relay`, or to any, and waits for Ollama's answer. What is waited for is told to `waits`.
pub async fn send(
    env: &Env,
    relay: Option<&str>,
    path: &str,
    request: HttpRequest,
    bucket: Option<Bucket>,
    waits: Waits,
) -> Result<Answer, Lost> {
    let asked = Request {
        method: request.method.to_owned(),
        path: path.to_owned(),
        length: request.body.len(),
        model: ollama::model_of(&request.body).unwrap_or_default(),
        relay: relay.map(str::to_owned),
    };
    let caller = Caller::new(random_id().ok_or(Lost)?, asked, clock::now());
    let source = Source::new(request.body, bucket)?;
    let mut call = Box::new(Call { caller, source, socket: None, making: None, timer: None, waits, env: env.clone() });
    let head = poll_fn(|context| call.poll(context, |caller| caller.head().cloned())).await?;
    match head {
        Ok(head) => Ok(Answer::Head(head, call)),
        Err(fail) => Ok(Answer::Failed(fail)),
    }
}

fn random_id() -> Option<CallId> {
    CallId::new(u64::from_be_bytes(clock::random()?))
}

impl Call {
    /// The next bytes of the answer; `None` at its clean end.
    pub async fn next(&mut self) -> Option<Result<Vec<u8>, Lost>> {
        let read = poll_fn(|context| {
            self.poll(context, |caller| match caller.read() {
                Some(bytes) => Some(Some(bytes)),
                None => (*caller.ending()? == Ending::Whole).then_some(None),
            })
        });
        match read.await {
            Ok(Ok(bytes)) => bytes.map(Ok),
            _ => Some(Err(Lost)),
        }
    }

    /// Goes on as far as it can; ready with what `wanted` finds, or with why nothing more comes. `Err(Lost)`: the
    /// request's body could not be read.
    fn poll<T>(
        &mut self,
        context: &mut Context<'_>,
        mut wanted: impl FnMut(&mut Caller) -> Option<T>,
    ) -> Poll<Result<Result<T, Fail>, Lost>> {
        loop {
            self.take_messages(context);
            let now = clock::now();
            self.caller.tick(now);
            let found = wanted(&mut self.caller);
            self.waits.set(self.caller.phase());
            self.fill(context)?;
            self.send_frames();
            if let Some(found) = found {
                return Poll::Ready(Ok(Ok(found)));
            }
            if let Some(Ending::Failed(fail)) = self.caller.ending() {
                return Poll::Ready(Ok(Err(fail.clone())));
            }
            if self.caller.begin_link(now) {
                let env = self.env.clone();
                self.making = Some(Box::pin(async move { Socket::of(objects::hub_socket(&env, "/call").await.ok()?) }));
            }
            if let Some(making) = &mut self.making
                && let Poll::Ready(socket) = making.as_mut().poll(context)
            {
                self.making = None;
                match socket.zip(random_id()) {
                    Some((socket, fresh)) => {
                        self.socket = Some(socket);
                        self.caller.linked(fresh, clock::now());
                    }
                    None => self.caller.unlinked(clock::now()),
                }
                continue;
            }
            if self.is_time(context) {
                continue;
            }
            return Poll::Pending;
        }
    }

    fn take_messages(&mut self, context: &mut Context<'_>) {
        let Some(socket) = &self.socket else { return };
        while let Some(message) = socket.next(context) {
            match message {
                Some(bytes) => self.caller.receive(&bytes, clock::now()),
                None => {
                    self.socket = None;
                    return self.caller.unlinked(clock::now());
                }
            }
        }
    }

    /// Hands over the request's body as far as it is taken.
    fn fill(&mut self, context: &mut Context<'_>) -> Result<(), Lost> {
        while self.caller.room() > 0 {
            match self.source.next(context) {
                Poll::Ready(Ok(Some(bytes))) => {
                    let taken = self.caller.push(bytes);
                    self.source.consume(taken);
                }
                Poll::Ready(Ok(None)) | Poll::Pending => break,
                Poll::Ready(Err(Lost)) => return Err(Lost),
            }
            self.send_frames();
        }
        Ok(())
    }

    fn send_frames(&mut self) {
        while let Some(socket) = &self.socket {
            let Some(frame) = self.caller.next_frame() else { return };
            if socket.send(&frame).is_err() {
                self.socket = None;
                self.caller.unlinked(clock::now());
            }
        }
    }

    /// Sets the timer, or finds that it ran out.
    fn is_time(&mut self, context: &mut Context<'_>) -> bool {
        let wake = self.caller.wake_at();
        if self.timer.as_ref().is_none_or(|(set, _)| wake < *set) {
            let wait = wake.saturating_sub(clock::now()).max(1);
            self.timer = (wake < i64::MAX).then(|| (wake, Box::pin(clock::sleep(wait)) as Pending<()>));
        }
        let Some((_, timer)) = &mut self.timer else { return false };
        let over = timer.as_mut().poll(context).is_ready();
        if over {
            self.timer = None;
        }
        over
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        self.caller.cancel();
        self.send_frames();
    }
}
