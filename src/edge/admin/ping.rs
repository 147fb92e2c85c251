//! One request to a model on behalf of the control plane, with its times.

use std::pin::pin;

use futures::future::{Either, select};
use worker::Env;

use super::super::{clock, http};
use crate::admin::port::{Ended, MAX_MODEL_REPLY, ModelReply};
use crate::chat::ports::{Body, Lost, Waits};
use crate::llm::HttpRequest;

/// Sends it and reads the answer. What is still under way at the deadline is aborted.
pub async fn call(env: &Env, request: HttpRequest, deadline_ms: i64) -> ModelReply {
    let began = clock::now();
    let mut reply = ModelReply::default();
    let ended = {
        let reading = pin!(read(env, request, began, &mut reply));
        match select(reading, pin!(clock::sleep(deadline_ms))).await {
            Either::Left((Ok(ended), _)) => ended,
            Either::Left((Err(Lost), _)) => Ended::Cut,
            Either::Right(_) => Ended::TimedOut,
        }
    };
    ModelReply { ended, total_ms: clock::now() - began, ..reply }
}

async fn read(env: &Env, request: HttpRequest, began: i64, reply: &mut ModelReply) -> Result<Ended, Lost> {
    let mut response = http::model(env, request, None, Waits::default()).await?;
    reply.status = Some(response.status);
    reply.retry_after = response.retry_after.take();
    reply.log_id = response.log_id.take();
    while let Some(chunk) = response.body.next().await {
        reply.first_ms.get_or_insert(clock::now() - began);
        reply.body.extend(chunk?);
        if reply.body.len() > MAX_MODEL_REPLY {
            return Ok(Ended::Cut);
        }
    }
    Ok(Ended::Whole)
}
