//! What the deployment decides for every conversation.

use super::transcriber::Transcriber;
use crate::llm::catalogue::Catalogue;
use crate::llm::{ModelRef, Servers};

/// Configuration of a Chat object, read from the environment at start: the base that the saved configuration goes before.
#[derive(Debug, Clone)]
pub struct Config {
    /// The default model first, then those that stand in for a model that fails, in this order. Never empty.
    pub models: Vec<ModelRef>,
    pub servers: Servers,
    pub catalogue: Catalogue,
    /// Writes speech down for models that do not hear.
    pub transcriber: Option<Transcriber>,
    pub deadlines: Deadlines,
    /// How private chats see an answer grow. Groups always use [`Streaming::Edit`] unless off.
    pub streaming: Streaming,
}

/// The model where `DEFAULT_MODEL` names none (DESIGN §4).
const DEFAULT_MODEL: &str = "ollama/gpt-oss:120b";

/// The chain of the environment, from `DEFAULT_MODEL` and `FALLBACK_MODELS`: each model once. What cannot be read is left
/// out and returned for the log.
pub fn chain(default: Option<&str>, fallbacks: Option<&str>) -> (Vec<ModelRef>, Vec<String>) {
    let names = std::iter::once(default.unwrap_or(DEFAULT_MODEL)).chain(fallbacks.unwrap_or_default().split(','));
    let (mut models, mut problems) = (Vec::new(), Vec::new());
    for name in names.filter(|name| !name.trim().is_empty()) {
        match name.parse::<ModelRef>() {
            Ok(model) if !models.contains(&model) => models.push(model),
            Ok(_) => {}
            Err(error) => problems.push(error.to_string()),
        }
    }
    (models, problems)
}

/// The deadlines of a model call, in milliseconds (DESIGN §3.6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// Until the first byte of the answer. Above a slow model's load time.
    pub first_byte: i64,
    /// Between two chunks.
    pub idle: i64,
    /// For the whole call. Below the platform's 15 minutes of one alarm.
    pub total: i64,
    /// The same as `first_byte` where a relay carries the call: a model at home may have to be loaded from a slow disk, or
    /// the call wait for its turn. A relay that is gone is found out long before.
    pub relay: i64,
}

impl Default for Deadlines {
    fn default() -> Self {
        Deadlines { first_byte: 120_000, idle: 90_000, total: 600_000, relay: 300_000 }
    }
}

impl Deadlines {
    /// Reads `first,idle,total,relay` in seconds, for example `120,90,600,300`; the last may be absent, fractions are
    /// allowed.
    pub fn parse(text: &str) -> Option<Deadlines> {
        let mut parts = text.split(',').map(|part| part.trim().parse::<f64>().ok().filter(|s| *s > 0.0));
        let mut next = || parts.next().map(|part| part.map(|seconds| (seconds * 1000.0) as i64));
        let (first_byte, idle, total) = (next()??, next()??, next()??);
        let relay = next().unwrap_or(Some(Deadlines::default().relay))?;
        next().is_none().then_some(Deadlines { first_byte, idle, total, relay })
    }
}

/// How an answer is shown while it grows (telegram.md §1.1, §6).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Streaming {
    /// Telegram's native drafts; private chats only.
    Draft,
    /// A placeholder message that is edited.
    Edit,
    /// Typing action only.
    Off,
}

impl Streaming {
    pub fn parse(text: &str) -> Option<Streaming> {
        match text {
            "draft" => Some(Streaming::Draft),
            "edit" => Some(Streaming::Edit),
            "off" => Some(Streaming::Off),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Deadlines, chain};

    #[test]
    fn the_chain_has_each_model_once_and_leaves_nonsense_out() {
        let names = |default: Option<&str>, fallbacks: Option<&str>| {
            let (models, problems) = chain(default, fallbacks);
            (models.iter().map(ToString::to_string).collect::<Vec<_>>(), problems.len())
        };
        assert_eq!(names(None, None), (vec!["ollama/gpt-oss:120b".to_owned()], 0));
        let expected = (vec!["gemini/a".to_owned(), "ollama/b:1".to_owned()], 1);
        assert_eq!(names(Some(" gemini/a"), Some("ollama/b:1,, nonsense,gemini/a , ")), expected);
    }

    #[test]
    fn deadlines_read_seconds() {
        assert_eq!(
            Deadlines::parse("1, 0.5,60"),
            Some(Deadlines { first_byte: 1_000, idle: 500, total: 60_000, relay: 300_000 })
        );
        assert_eq!(Deadlines::parse("1,2,3,0.25").map(|deadlines| deadlines.relay), Some(250));
        for bad in ["", "1,2", "a,b,c", "0,1,2", "-1,2,3", "1,2,3,0", "1,2,3,x", "1,2,3,", "1,2,3,4,5"] {
            assert_eq!(Deadlines::parse(bad), None, "{bad}");
        }
    }
}
