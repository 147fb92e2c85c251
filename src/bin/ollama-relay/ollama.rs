//! Ollama on this machine: the few requests that are made of it, and nothing else. Sources: providers.md §1.2, §1.5.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Empty, Full};
use rustls::ClientConfig;
use serde::Deserialize;
use serde_json::{Value, json};
use tideclaw::relay::{FailCode, Model, Route};
use tokio::time::timeout;

use super::http::{Answer, Body, Server, Trouble};

/// What is asked for our own use is answered within this time.
const ANSWER: Duration = Duration::from_secs(10);
/// Longest answer that is read whole, bytes.
const LONGEST: usize = 1024 * 1024;

/// What it is asked every now and then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    pub release: Option<String>,
    pub models: Vec<Model>,
    pub loaded: Vec<Loaded>,
}

/// The way to Ollama.
#[derive(Debug, Clone)]
pub struct Ollama(Server);

#[derive(Deserialize)]
struct List {
    #[serde(default)]
    models: Option<Vec<Listed>>,
}

#[derive(Deserialize)]
struct Listed {
    #[serde(default)]
    name: String,
    #[serde(default)]
    size: Option<u64>,
    #[serde(default)]
    context_length: Option<u64>,
}

/// A model in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded {
    pub name: String,
    /// Its window, where this release tells it. Loading it with another would load it again.
    pub context: Option<u64>,
}

impl Ollama {
    /// An error says what is wrong with the address.
    pub fn new(address: &str, tls: &Arc<ClientConfig>) -> Result<Ollama, String> {
        Server::new(address, tls).map(Ollama)
    }

    /// Makes a request of a caller. Returns when the answer's head is there, however long that takes: the caller knows how long
    /// it wants to wait.
    pub async fn call(&self, route: Route, length: u64, body: Body) -> Result<Answer, Trouble> {
        self.0.send(route.method(), route.path(), Some(length), body).await
    }

    /// A list whole.
    pub async fn list(&self, path: &str) -> Result<Vec<u8>, Trouble> {
        let work = async {
            let body = Body::new(Empty::new().map_err(|never| match never {}));
            let mut answer = self.0.send("GET", path, None, body).await?;
            match answer.status() {
                200 => answer.whole(LONGEST).await,
                status => {
                    Err(Trouble { code: FailCode::Broken, message: format!("Ollama answers {path} with {status}") })
                }
            }
        };
        timeout(ANSWER, work).await.unwrap_or_else(|_| Err(late(path)))
    }

    async fn read<T: for<'de> Deserialize<'de>>(&self, path: &str) -> Result<T, Trouble> {
        let odd = |_| Trouble { code: FailCode::Broken, message: format!("what answers {path} is no Ollama") };
        serde_json::from_slice(&self.list(path).await?).map_err(odd)
    }

    /// The models in memory.
    pub async fn loaded(&self) -> Result<Vec<Loaded>, Trouble> {
        let list: List = self.read("/api/ps").await?;
        let models = list.models.unwrap_or_default().into_iter();
        Ok(models.map(|model| Loaded { name: model.name, context: model.context_length }).collect())
    }

    /// What there is to tell the hub.
    pub async fn facts(&self) -> Result<Facts, Trouble> {
        let list: List = self.read("/api/tags").await?;
        // An old release without the other two is still one to talk to.
        let loaded = self.loaded().await.unwrap_or_default();
        let release = self
            .read::<Value>("/api/version")
            .await
            .ok()
            .and_then(|version| Some(version.get("version")?.as_str()?.to_owned()));
        let models = list.models.unwrap_or_default().into_iter().filter(|model| !model.name.is_empty());
        let model = |listed: Listed| Model {
            loaded: loaded.iter().any(|model| model.name == listed.name),
            name: listed.name,
            size: listed.size,
        };
        Ok(Facts { release, models: models.map(model).collect(), loaded })
    }

    /// Brings a model into memory, or keeps it there for `minutes` more. `context`: the window to load it with.
    pub async fn load(&self, model: &str, context: Option<u64>, minutes: u32) -> Result<(), Trouble> {
        let mut request = json!({"model": model, "messages": [], "stream": false, "keep_alive": format!("{minutes}m")});
        if let (Some(context), Some(fields)) = (context, request.as_object_mut()) {
            fields.insert("options".to_owned(), json!({"num_ctx": context}));
        }
        self.post("/api/chat", &request, Duration::from_secs(600)).await.map(|_| ())
    }

    /// Posts something of our own and returns the whole answer.
    pub async fn post(&self, path: &str, request: &Value, deadline: Duration) -> Result<Vec<u8>, Trouble> {
        let bytes = Bytes::from(serde_json::to_vec(request).unwrap_or_default());
        let length = bytes.len() as u64;
        let work = async {
            let body = Body::new(Full::new(bytes).map_err(|never| match never {}));
            let mut answer = self.0.send("POST", path, Some(length), body).await?;
            Ok((answer.status(), answer.whole(LONGEST).await?))
        };
        let (status, answer) = timeout(deadline, work).await.unwrap_or_else(|_| Err(late(path)))?;
        if status == 200 {
            return Ok(answer);
        }
        let said = serde_json::from_slice::<Value>(&answer).ok();
        let said = said.as_ref().and_then(|said| said.get("error")?.as_str()).unwrap_or_default();
        Err(Trouble { code: FailCode::Broken, message: format!("Ollama says {status}: {said}") })
    }
}

fn late(path: &str) -> Trouble {
    Trouble { code: FailCode::Unreachable, message: format!("Ollama does not answer {path}") }
}
