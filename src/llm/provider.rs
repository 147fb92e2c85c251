//! One door to all providers: static dispatch over the folders beside this file.
//!
//! Not here: keys and addresses (handed in as [`Endpoint`]), choice of a provider's model, failover.

use super::{Endpoint, HttpRequest, ModelError, ModelInfo, Prompt, StreamParser, gemini, ollama, openai};

/// A wire format we speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Provider {
    /// Ollama's native API: the cloud, a local daemon, or one behind the relay.
    Ollama,
    /// Google's Gemini API.
    Gemini,
    /// OpenAI's chat completions, by whoever speaks them.
    OpenAi,
}

impl Provider {
    /// The format behind the first half of a [`ModelRef`](super::ModelRef); `None` for a name nobody here speaks.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "ollama" | "relay" => Some(Provider::Ollama),
            "gemini" => Some(Provider::Gemini),
            "openai" => Some(Provider::OpenAi),
            _ => None,
        }
    }

    /// The request of one model call with a streamed answer. `model` is [`ModelRef::model`](super::ModelRef::model).
    pub fn request(self, endpoint: &Endpoint, model: &str, prompt: &Prompt) -> HttpRequest {
        match self {
            Provider::Ollama => ollama::chat(endpoint, model, prompt),
            Provider::Gemini => gemini::chat(endpoint, model, prompt),
            Provider::OpenAi => openai::chat(endpoint, model, prompt),
        }
    }

    /// A fresh parser for the body of one answer with a 2xx status.
    pub fn parser(self) -> Box<dyn StreamParser> {
        match self {
            Provider::Ollama => Box::new(ollama::parser()),
            Provider::Gemini => Box::new(gemini::parser()),
            Provider::OpenAi => Box::new(openai::parser()),
        }
    }

    /// Sorts an answer with any other status. `retry_after` is that header's value; `body` may be cut by the caller.
    pub fn classify(self, status: u16, retry_after: Option<&str>, body: &[u8]) -> ModelError {
        match self {
            Provider::Ollama => ollama::classify(status, retry_after, body),
            Provider::Gemini => gemini::classify(status, retry_after, body),
            Provider::OpenAi => openai::classify(status, retry_after, body),
        }
    }

    /// The request for the provider's catalogue.
    pub fn list(self, endpoint: &Endpoint) -> HttpRequest {
        match self {
            Provider::Ollama => ollama::list(endpoint),
            Provider::Gemini => gemini::list(endpoint),
            Provider::OpenAi => openai::list(endpoint),
        }
    }

    /// Reads the answer to [`Provider::list`].
    pub fn parse_list(self, body: &[u8]) -> Result<Vec<ModelInfo>, ModelError> {
        match self {
            Provider::Ollama => ollama::parse_list(body),
            Provider::Gemini => gemini::parse_list(body),
            Provider::OpenAi => openai::parse_list(body),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        assert_eq!(Provider::named("ollama"), Some(Provider::Ollama));
        assert_eq!(Provider::named("relay"), Some(Provider::Ollama));
        assert_eq!(Provider::named("gemini"), Some(Provider::Gemini));
        assert_eq!(Provider::named("openai"), Some(Provider::OpenAi));
        assert_eq!(Provider::named("Ollama"), None);
    }
}
