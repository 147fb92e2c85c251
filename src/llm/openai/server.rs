//! Which server an address leads to, and what is different there (providers.md §3.2).
//!
//! Only differences of requests: answers are read the same way from every server, because routers pass on the shape of
//! whoever stands behind them.

use url::Url;

use crate::llm::{Body, Endpoint, HttpRequest, gateway};

/// What a request must look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flavour {
    /// `max_completion_tokens`; for reasoning models `developer` and `reasoning_effort`.
    OpenAi,
    /// Who asks in the headers; `reasoning` of its own; reasoning to be sent back.
    OpenRouter,
    /// Wants `reasoning_content` back on every message with calls, even an empty one.
    DeepSeek,
    /// Ids of calls have nine letters and digits; unknown fields are refused.
    Mistral,
    /// Groq, xAI: the least that all understand; they differ in their answers only.
    Plain,
    /// The same for a server we do not know (vLLM, LiteLLM, llama.cpp, Ollama's `/v1`), which may be a proxy.
    Generic,
}

/// Host (also of any subdomain), its name in the path of AI Gateway, flavour.
const SERVERS: &[(&str, &str, Flavour)] = &[
    ("api.openai.com", "openai", Flavour::OpenAi),
    ("openai.azure.com", "azure-openai", Flavour::OpenAi),
    ("openrouter.ai", "openrouter", Flavour::OpenRouter),
    ("api.deepseek.com", "deepseek", Flavour::DeepSeek),
    ("api.mistral.ai", "mistral", Flavour::Mistral),
    ("api.groq.com", "groq", Flavour::Plain),
    ("api.x.ai", "grok", Flavour::Plain),
];

/// By which OpenRouter counts the program that asks. There is no site to name; a reserved domain is nobody else's.
const ATTRIBUTION: [(&str, &str); 2] = [("http-referer", "https://tideclaw.invalid"), ("x-title", "Tideclaw")];

impl Flavour {
    /// By the address; a wish of the operator would only repeat it.
    pub(super) fn of(endpoint: &Endpoint) -> Flavour {
        let Ok(url) = Url::parse(endpoint.base_url.trim()) else { return Flavour::Generic };
        let host = url.host_str().unwrap_or_default();
        let slug = gateway::slug(&endpoint.base_url);
        let found = SERVERS.iter().find(|(name, in_gateway, _)| match &slug {
            Some(slug) => slug == in_gateway,
            None => host.strip_suffix(name).is_some_and(|before| before.is_empty() || before.ends_with('.')),
        });
        found.map_or(Flavour::Generic, |(.., flavour)| *flavour)
    }

    /// Documents as `file` parts.
    pub(super) fn takes_documents(self) -> bool {
        matches!(self, Flavour::OpenAi | Flavour::OpenRouter)
    }

    /// `stream_options` asks for the consumption; Mistral tells it unasked and refuses unknown fields.
    pub(super) fn wants_stream_options(self) -> bool {
        self != Flavour::Mistral
    }
}

/// `path` at the endpoint, the base taken as it is. A base copied whole, with `/chat/completions`, is accepted.
fn address(endpoint: &Endpoint, path: &str) -> String {
    let base = endpoint.base_url.trim().trim_end_matches('/');
    let base = base.strip_suffix("/chat/completions").unwrap_or(base);
    format!("{base}{path}")
}

pub(super) fn get(endpoint: &Endpoint, path: &str) -> HttpRequest {
    let mut headers = Vec::new();
    if let Some(key) = endpoint.key() {
        headers.push(("authorization".to_owned(), format!("Bearer {key}")));
    }
    if Flavour::of(endpoint) == Flavour::OpenRouter {
        headers.extend(ATTRIBUTION.map(|(name, value)| (name.to_owned(), value.to_owned())));
    }
    HttpRequest { method: "GET", url: address(endpoint, path), headers, body: Body::default() }
}

pub(super) fn post(endpoint: &Endpoint, path: &str, content_type: &str, body: Body) -> HttpRequest {
    let mut request = get(endpoint, path);
    request.method = "POST";
    request.headers.insert(0, ("content-type".to_owned(), content_type.to_owned()));
    request.body = body;
    request
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_address() {
        for (base, flavour) in [
            ("https://api.openai.com/v1", Flavour::OpenAi),
            ("https://eu.api.openai.com/v1/", Flavour::OpenAi),
            ("https://me.openai.azure.com/openai/v1", Flavour::OpenAi),
            ("https://openrouter.ai/api/v1", Flavour::OpenRouter),
            ("https://api.deepseek.com", Flavour::DeepSeek),
            ("https://api.mistral.ai/v1", Flavour::Mistral),
            ("https://api.groq.com/openai/v1", Flavour::Plain),
            ("https://api.x.ai/v1", Flavour::Plain),
            ("http://127.0.0.1:8000/v1", Flavour::Generic),
            ("https://notopenrouter.ai/api/v1", Flavour::Generic),
            ("https://api.openai.com.evil.example/v1", Flavour::Generic),
            ("https://gateway.ai.cloudflare.com/v1/acc/gw/openai", Flavour::OpenAi),
            (" https://gateway.ai.cloudflare.com/v1/acc/gw/openai/", Flavour::OpenAi),
            ("https://gateway.ai.cloudflare.com/v1/acc/gw/openrouter/v1", Flavour::OpenRouter),
            ("https://gateway.ai.cloudflare.com/v1/acc/gw/custom-openai/v1", Flavour::Generic),
            ("https://gateway.ai.cloudflare.com/v1/acc/openai/groq", Flavour::Plain),
            ("https://gateway.ai.cloudflare.com/v1/acc/openai/else", Flavour::Generic),
            ("nonsense", Flavour::Generic),
        ] {
            let endpoint = Endpoint { base_url: base.to_owned(), api_key: None };
            assert_eq!(Flavour::of(&endpoint), flavour, "{base}");
        }
    }
}
