//! One task for each call: the request streams in, the answer streams out, neither faster than the slower side. Not here: what may pass
//! (`relay::server`).

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::stream;
use http_body_util::StreamBody;
use hyper::body::Frame;
use hyper::header::RETRY_AFTER;
use tideclaw::relay::server::Body;
use tideclaw::relay::{CallId, FailCode, Head, Phase, Route};

use super::house::{House, Wakes};
use super::http::{self, Trouble};

/// How often it is looked whether a model has been loaded.
const LOADED_EVERY: Duration = Duration::from_secs(3);

/// A call to serve.
#[derive(Debug, Clone)]
pub struct Call {
    pub id: CallId,
    pub route: Route,
    /// Of the request's body, bytes.
    pub length: u64,
    pub model: String,
}

/// Serves it to its end.
pub async fn serve(house: Arc<House>, call: Call, wakes: Arc<Wakes>) {
    let began = Instant::now();
    let path = call.route.path();
    match answer(&house, &call, &wakes).await {
        Ok(Served { status, bytes }) => {
            house.with(|relay, _| relay.complete(call.id));
            tracing::info!(call = %call.id, model = call.model, status, bytes, ms = began.elapsed().as_millis() as u64, "{path} answered");
        }
        Err(trouble) => {
            house.with(|relay, _| relay.fail(call.id, trouble.code, &trouble.message));
            tracing::warn!(call = %call.id, model = call.model, "{path} failed: {}", trouble.message);
        }
    }
    house.task_ends(call.id);
}

struct Served {
    status: u16,
    bytes: u64,
}

async fn answer(house: &Arc<House>, call: &Call, wakes: &Arc<Wakes>) -> Result<Served, Trouble> {
    if matches!(call.route, Route::Tags | Route::Ps) {
        return list(house, call, wakes).await;
    }
    let request = house.ollama.call(call.route, call.length, body(house, call.id, wakes));
    let mut response = tokio::select! {
        response = request => response?,
        never = watch_loading(house, call) => match never {},
    };
    let status = response.status();
    let retry_after = response
        .headers()
        .get(RETRY_AFTER)
        .and_then(|value| value.to_str().ok())
        .map(|text| text.chars().take(100).collect());
    house.with(|relay, _| relay.head(call.id, Head { status, retry_after }));
    let mut bytes = 0;
    while let Some(chunk) = response.chunk().await? {
        bytes += chunk.len() as u64;
        pass_on(house, call.id, &chunk, wakes).await?;
    }
    Ok(Served { status, bytes })
}

/// A list of models, without those callers may not use.
async fn list(house: &Arc<House>, call: &Call, wakes: &Arc<Wakes>) -> Result<Served, Trouble> {
    let list = house.ollama.list(call.route.path()).await?;
    let kept = house.with(|relay, _| relay.allowed().filter(&list));
    let odd = || Trouble { code: FailCode::Broken, message: "Ollama's list of models cannot be read".to_owned() };
    let kept = kept.ok_or_else(odd)?;
    house.with(|relay, _| relay.head(call.id, Head { status: 200, retry_after: None }));
    pass_on(house, call.id, &kept, wakes).await?;
    Ok(Served { status: 200, bytes: kept.len() as u64 })
}

async fn pass_on(house: &Arc<House>, id: CallId, bytes: &[u8], wakes: &Wakes) -> Result<(), Trouble> {
    let mut rest = bytes;
    while !rest.is_empty() {
        match house.with(|relay, _| relay.answer(id, rest)) {
            Some(0) => wakes.room.notified().await,
            Some(taken) => rest = rest.get(taken..).unwrap_or_default(),
            None => return Err(over()),
        }
    }
    Ok(())
}

fn over() -> Trouble {
    Trouble { code: FailCode::Lost, message: "the call is over".to_owned() }
}

/// The request's body as it comes.
fn body(house: &Arc<House>, id: CallId, wakes: &Arc<Wakes>) -> http::Body {
    let (house, wakes) = (house.clone(), wakes.clone());
    http::Body::new(StreamBody::new(stream::unfold(false, move |ended| {
        let (house, wakes) = (house.clone(), wakes.clone());
        async move {
            loop {
                match house.with(|relay, _| relay.read(id)) {
                    _ if ended => return None,
                    Body::Bytes(bytes) => return Some((Ok(Frame::data(Bytes::from(bytes))), false)),
                    Body::Wait => wakes.body.notified().await,
                    Body::End => return None,
                    Body::Gone => return Some((Err(io::Error::other("the call is over")), true)),
                }
            }
        }
    })))
}

/// Looks whether the model is in memory, as long as nothing has been answered.
async fn watch_loading(house: &Arc<House>, call: &Call) -> Infallible {
    loop {
        tokio::time::sleep(LOADED_EVERY).await;
        if house.ollama.loaded().await.is_ok_and(|models| models.iter().any(|model| model.name == call.model)) {
            house.with(|relay, _| relay.wait_for(call.id, Phase::Working));
        }
    }
}
