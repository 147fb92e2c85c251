//! Which server writes speech down, from the variables `TRANSCRIBE_MODEL`, `TRANSCRIBE_BASE_URL`, `TRANSCRIBE_API_KEY`.

use crate::llm::{Endpoint, ModelRef, Provider, Server, Servers};

/// A model that writes speech down, and its server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transcriber {
    pub model: ModelRef,
    pub server: Server,
}

const WHISPER: &str = "whisper-1";
const GEMINI: &str = "gemini-3.5-flash-lite";

impl Transcriber {
    /// `TRANSCRIBE_MODEL` is `openai/<model>` or `gemini/<model>`; for the first, `TRANSCRIBE_BASE_URL` and
    /// `TRANSCRIBE_API_KEY` name another server than `OPENAI_*`. Unset: Whisper if OpenAI itself is set up, else Gemini.
    /// `None`: nothing is, or the variable names what does not transcribe.
    pub fn from_variables(get: impl Fn(&str) -> Option<String>, servers: &Servers) -> Option<Transcriber> {
        let own = get("TRANSCRIBE_BASE_URL");
        let Some(named) = get("TRANSCRIBE_MODEL") else {
            // Servers that only speak like OpenAI mostly have no transcription: whoever has one names it.
            let is_openais = |server: &&Server| {
                let there = server.gateway.is_some() || server.endpoint.base_url.starts_with("https://api.openai.com/");
                there && server.endpoint.key().is_some()
            };
            return match (servers.named("openai").filter(is_openais), own) {
                (_, Some(base_url)) => Some(own_server(base_url, get("TRANSCRIBE_API_KEY"), WHISPER)),
                (Some(server), None) => {
                    Some(Transcriber { model: ModelRef::new("openai", WHISPER), server: server.clone() })
                }
                (None, None) => servers
                    .named("gemini")
                    .map(|server| Transcriber { model: ModelRef::new("gemini", GEMINI), server: server.clone() }),
            };
        };
        let model: ModelRef = named.parse().ok()?;
        match (model.provider.as_str(), own) {
            ("openai", Some(base_url)) => Some(own_server(base_url, get("TRANSCRIBE_API_KEY"), &model.model)),
            ("openai", None) => {
                let mut server = servers.named("openai")?.clone();
                if let Some(key) = get("TRANSCRIBE_API_KEY") {
                    server.endpoint.api_key = Some(key);
                }
                Some(Transcriber { model, server })
            }
            ("gemini", _) => Some(Transcriber { server: servers.named("gemini")?.clone(), model }),
            _ => None,
        }
    }
}

fn own_server(base_url: String, api_key: Option<String>, model: &str) -> Transcriber {
    let endpoint = Endpoint { base_url, api_key };
    let server = Server { name: "openai", provider: Provider::OpenAi, endpoint, gateway: None };
    Transcriber { model: ModelRef::new("openai", model), server }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(variables: &[(&str, &str)]) -> Option<(String, String)> {
        let get = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.to_string());
        let servers = Servers::from_variables(get);
        let found = Transcriber::from_variables(get, &servers);
        found.map(|found| (found.model.to_string(), found.server.endpoint.base_url))
    }

    fn is(model: &str, base: &str) -> Option<(String, String)> {
        Some((model.into(), base.into()))
    }

    #[test]
    fn what_is_set_up_decides() {
        let (openai, gemini) = (("OPENAI_API_KEY", "k"), ("GEMINI_API_KEY", "k"));
        let google = "https://generativelanguage.googleapis.com";
        assert_eq!(chosen(&[]), None);
        assert_eq!(chosen(&[openai, gemini]), is("openai/whisper-1", "https://api.openai.com/v1"));
        assert_eq!(chosen(&[gemini]), is("gemini/gemini-3.5-flash-lite", google));
        let gateway = ("AI_GATEWAY_BASE_URL", "https://gateway.ai.cloudflare.com/v1/a/g");
        let through = "https://gateway.ai.cloudflare.com/v1/a/g";
        assert_eq!(
            chosen(&[gateway, gemini]),
            is("gemini/gemini-3.5-flash-lite", &format!("{through}/google-ai-studio"))
        );
        assert_eq!(chosen(&[gateway, openai]), is("openai/whisper-1", &format!("{through}/openai")));
        let router = ("OPENAI_BASE_URL", "https://openrouter.ai/api/v1");
        assert_eq!(chosen(&[openai, router, gemini]), is("gemini/gemini-3.5-flash-lite", google));
        assert_eq!(chosen(&[openai, router]), None, "nobody said that it transcribes");
    }

    #[test]
    fn the_variables_decide_first() {
        let own = ("TRANSCRIBE_BASE_URL", "http://192.168.1.5:8000/v1");
        let named = ("TRANSCRIBE_MODEL", "openai/large-v3");
        assert_eq!(chosen(&[own, named, ("OPENAI_API_KEY", "k")]), is("openai/large-v3", own.1));
        assert_eq!(chosen(&[own]), is("openai/whisper-1", own.1));
        assert_eq!(chosen(&[named]), None);
        assert_eq!(chosen(&[named, ("OPENAI_API_KEY", "k")]), is("openai/large-v3", "https://api.openai.com/v1"));
        assert_eq!(chosen(&[("TRANSCRIBE_MODEL", "ollama/x"), ("GEMINI_API_KEY", "k")]), None);
    }
}
