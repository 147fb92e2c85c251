//! Cloudflare AI Gateway between us and a provider: the same native wire under another address, with headers of its own.
//!
//! Provider-native paths only: the gateway's OpenAI-shaped route loses Gemini's thought signatures (providers.md §2.8).
//! Retries and caching stay off there, because both are ours to decide (cloudflare.md §2). Not here: making the custom
//! provider for Ollama, which an operator does once (`npm run check:gateway` says how).

use serde_json::{Map, Value};
use url::Url;

use super::{Endpoint, HttpRequest};

/// Most entries of `cf-aig-metadata` (cloudflare.md §2).
pub const MAX_METADATA: usize = 5;
/// The answer's header with the gateway's own name for the call.
pub const LOG_ID: &str = "cf-aig-log-id";

/// A gateway of the operator's account.
#[derive(Clone, PartialEq, Eq)]
pub struct Gateway {
    /// `https://gateway.ai.cloudflare.com/v1/<account>/<gateway>`.
    pub base_url: String,
    /// A token with the right "AI Gateway Run"; `None` for a gateway that asks for none.
    pub token: Option<String>,
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gateway").field("token", &self.token.as_ref().map(|_| "[…]")).finish_non_exhaustive()
    }
}

impl Gateway {
    /// The provider's server as the gateway shows it. `provider` is [`ModelRef::provider`](super::ModelRef::provider). The key rides along: without one the gateway would use a stored
    /// key, or bill the account.
    pub fn endpoint(&self, provider: &str, api_key: Option<String>) -> Endpoint {
        let path = match provider {
            "gemini" => "google-ai-studio".to_owned(),
            "openai" => "openai".to_owned(),
            // The gateway puts `custom-` before the slug of a provider that the operator defined.
            other => format!("custom-{other}"),
        };
        Endpoint { base_url: format!("{}/{path}", self.base_url.trim().trim_end_matches('/')), api_key }
    }

    /// Adds the gateway's headers. `metadata` shows in its log: no person's words, no ids of people; entries over
    /// [`MAX_METADATA`] are left out.
    pub fn sign(&self, request: &mut HttpRequest, metadata: &[(&str, i64)]) {
        let mut add = |name: &str, value: String| request.headers.push((name.to_owned(), value));
        if let Some(token) = self.token.as_deref().map(str::trim).filter(|token| !token.is_empty()) {
            add("cf-aig-authorization", format!("Bearer {token}"));
        }
        // Never the account's own credit, which is charged without a word when a key is missing.
        add("cf-aig-no-wholesale", "true".to_owned());
        add("cf-aig-skip-cache", "true".to_owned());
        add("cf-aig-max-attempts", "1".to_owned());
        add("cf-aig-collect-log-payload", "false".to_owned());
        let metadata: Map<String, Value> =
            metadata.iter().take(MAX_METADATA).map(|&(name, value)| (name.to_owned(), value.into())).collect();
        add("cf-aig-metadata", Value::Object(metadata).to_string());
    }
}

/// The provider's part of an address that leads through a gateway (`openai`, `custom-ollama`); `None` for a direct one.
/// A loopback address of the same form is one too: a gateway's stand-in.
pub fn slug(base_url: &str) -> Option<String> {
    let url = Url::parse(base_url.trim()).ok()?;
    let host = url.host_str()?;
    if !matches!(host, "gateway.ai.cloudflare.com" | "127.0.0.1" | "localhost") {
        return None;
    }
    let mut parts = url.path_segments()?;
    let (version, _account, _gateway, slug) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    (version == "v1" && !slug.is_empty()).then(|| slug.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::llm::Body;

    fn gateway(token: Option<&str>) -> Gateway {
        Gateway { base_url: "https://gateway.ai.cloudflare.com/v1/acc/gw/".into(), token: token.map(str::to_owned) }
    }

    #[test]
    fn each_provider_has_its_path() {
        let base = |provider| gateway(None).endpoint(provider, None).base_url;
        assert_eq!(base("gemini"), "https://gateway.ai.cloudflare.com/v1/acc/gw/google-ai-studio");
        assert_eq!(base("openai"), "https://gateway.ai.cloudflare.com/v1/acc/gw/openai");
        assert_eq!(base("ollama"), "https://gateway.ai.cloudflare.com/v1/acc/gw/custom-ollama");
    }

    #[test]
    fn addresses_through_a_gateway_are_known() {
        for (address, found) in [
            ("https://gateway.ai.cloudflare.com/v1/acc/gw/openai/", Some("openai")),
            ("http://127.0.0.1:11800/v1/local/dev/custom-ollama", Some("custom-ollama")),
            ("http://127.0.0.1:11434", None),
            ("http://127.0.0.1:8000/v1", None),
            ("https://else.example/v1/acc/gw/openai", None),
            ("https://gateway.ai.cloudflare.com/v1/acc/gw/", None),
        ] {
            assert_eq!(slug(address).as_deref(), found, "{address}");
        }
    }

    #[test]
    fn headers_say_what_the_gateway_may_do() {
        let mut request =
            HttpRequest { method: "POST", url: String::new(), headers: Vec::new(), body: Body::default() };
        gateway(Some(" t0ken "))
            .sign(&mut request, &[("turn", 1), ("step", 2), ("a", 3), ("b", 4), ("c", 5), ("d", 6)]);
        let headers: Vec<(&str, &str)> = request.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(
            headers,
            [
                ("cf-aig-authorization", "Bearer t0ken"),
                ("cf-aig-no-wholesale", "true"),
                ("cf-aig-skip-cache", "true"),
                ("cf-aig-max-attempts", "1"),
                ("cf-aig-collect-log-payload", "false"),
                ("cf-aig-metadata", r#"{"a":3,"b":4,"c":5,"step":2,"turn":1}"#),
            ]
        );
        assert!(!format!("{request:?}{:?}", gateway(Some("t0ken"))).contains("t0ken"));
    }
}
