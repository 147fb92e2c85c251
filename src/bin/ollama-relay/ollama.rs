//! Ollama on this machine: the few requests that are made of it, and nothing else. Sources: providers.md §1.2, §1.5.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};
use reqwest::{Body, Client, Response, redirect};
use rustls::ClientConfig;
use serde::Deserialize;
use serde_json::{Value, json};
use tideclaw::relay::{FailCode, Model, Route};
use url::Url;

/// A connection is there within this time, or not at all.
const CONNECT: Duration = Duration::from_secs(5);
/// What is asked for our own use is answered within this time.
const ANSWER: Duration = Duration::from_secs(10);
/// Longest list of models, bytes.
pub const LONGEST_LIST: usize = 1024 * 1024;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Trouble {
    pub code: FailCode,
    pub message: String,
}

/// What it is asked every now and then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    pub release: Option<String>,
    pub models: Vec<Model>,
    pub loaded: Vec<Loaded>,
}

/// The way to Ollama.
#[derive(Debug, Clone)]
pub struct Ollama {
    client: Client,
    base: String,
}

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
        let url = Url::parse(address.trim()).map_err(|error| format!("{address} is no address of Ollama: {error}"))?;
        if !matches!(url.scheme(), "http" | "https")
            || url.host().is_none()
            || url.query().is_some()
            || url.fragment().is_some()
        {
            return Err(format!("{address} is no address of Ollama; it looks like http://127.0.0.1:11434"));
        }
        let client = Client::builder()
            .use_preconfigured_tls(ClientConfig::clone(tls))
            .redirect(redirect::Policy::none())
            .no_proxy()
            .http1_only()
            // A connection of its own for each call: none that is kept can turn out to be dead.
            .pool_max_idle_per_host(0)
            .connect_timeout(CONNECT)
            .build()
            .map_err(|error| format!("no way to Ollama: {error}"))?;
        Ok(Ollama { client, base: url.as_str().trim_end_matches('/').to_owned() })
    }

    /// Makes a request of a caller. Returns when the answer's head is there, however long that takes: the caller knows how long
    /// it wants to wait.
    pub async fn call(&self, route: Route, length: u64, body: Body) -> Result<Response, Trouble> {
        let address = format!("{}{}", self.base, route.path());
        let request = match route.method() {
            "GET" => self.client.get(address),
            _ => self
                .client
                .post(address)
                .header(CONTENT_TYPE, "application/json")
                .header(CONTENT_LENGTH, length)
                .body(body),
        };
        request.send().await.map_err(trouble)
    }

    /// A list whole, at most [`LONGEST_LIST`], within a deadline.
    pub async fn list(&self, path: &str) -> Result<Vec<u8>, Trouble> {
        let work = async {
            let mut response = self.client.get(format!("{}{path}", self.base)).send().await.map_err(trouble)?;
            if !response.status().is_success() {
                return Err(Trouble {
                    code: FailCode::Broken,
                    message: format!("Ollama answers {path} with {}", response.status()),
                });
            }
            let mut list = Vec::new();
            while let Some(chunk) = response.chunk().await.map_err(trouble)? {
                list.extend_from_slice(&chunk);
                if list.len() > LONGEST_LIST {
                    return Err(Trouble {
                        code: FailCode::Broken,
                        message: format!("Ollama's answer to {path} is too long"),
                    });
                }
            }
            Ok(list)
        };
        let late = || Trouble { code: FailCode::Unreachable, message: format!("Ollama does not answer {path}") };
        tokio::time::timeout(ANSWER, work).await.unwrap_or_else(|_| Err(late()))
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

    /// Posts something of our own and returns the beginning of the answer.
    pub async fn post(&self, path: &str, request: &Value, deadline: Duration) -> Result<Vec<u8>, Trouble> {
        let bytes = serde_json::to_vec(request).unwrap_or_default();
        let request =
            self.client.post(format!("{}{path}", self.base)).header(CONTENT_TYPE, "application/json").body(bytes);
        let mut response = request.timeout(deadline).send().await.map_err(trouble)?;
        let status = response.status();
        let mut answer = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(trouble)?.filter(|_| answer.len() < LONGEST_LIST) {
            answer.extend_from_slice(&chunk);
        }
        if status.is_success() {
            return Ok(answer);
        }
        let said = serde_json::from_slice::<Value>(&answer)
            .ok()
            .and_then(|said| Some(said.get("error")?.as_str()?.to_owned()));
        Err(Trouble { code: FailCode::Broken, message: format!("Ollama says {status}: {}", said.unwrap_or_default()) })
    }
}

/// What went wrong, without the address, down to its cause.
pub fn trouble(error: reqwest::Error) -> Trouble {
    let code = if error.is_connect() { FailCode::Unreachable } else { FailCode::Broken };
    let error = error.without_url();
    let mut cause: &dyn Error = &error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    let what = if code == FailCode::Unreachable { "Ollama cannot be reached" } else { "Ollama broke off" };
    Trouble { code, message: format!("{what}: {cause}") }
}
