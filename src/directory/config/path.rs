//! Where something is in a document, as people write it: `agents.tutor.model`, `bindings[2].chat`,
//! `models.catalogue["openai/my-model"].input_usd`. The document itself is `$`.

use crate::llm::redact::{clip, looks_secret};

/// The path of the document itself.
pub const ROOT: &str = "$";

/// Longest name shown of what is written in a document.
const MAX_NAME: usize = 64;

/// A place while walking.
#[derive(Debug, Clone, Default)]
pub struct Path(String);

impl Path {
    /// The place of field `name` in this one.
    pub fn field(&self, name: &str) -> Path {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if !name.is_empty() && name.len() <= MAX_NAME && name.bytes().all(plain) && !looks_secret(name) {
            let dot = if self.0.is_empty() { "" } else { "." };
            return Path(format!("{}{dot}{name}", self.0));
        }
        // What was pasted into the wrong place is not repeated.
        let name = if looks_secret(name) { "[…]".to_owned() } else { clip(name, MAX_NAME) };
        Path(format!("{}[{}]", self.0, serde_json::Value::String(name)))
    }

    /// The place of entry `index` of the list in this one.
    pub fn entry(&self, index: usize) -> Path {
        Path(format!("{}[{index}]", self.0))
    }

    pub fn as_str(&self) -> &str {
        if self.0.is_empty() { ROOT } else { &self.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_like_code() {
        let root = Path::default();
        assert_eq!(root.as_str(), "$");
        assert_eq!(root.field("agents").field("tutor").field("model").as_str(), "agents.tutor.model");
        assert_eq!(root.field("bindings").entry(2).field("chat").as_str(), "bindings[2].chat");
        assert_eq!(root.field("a").field("openai/x\n").as_str(), r#"a["openai/x\n"]"#);
        assert_eq!(root.field("").as_str(), r#"[""]"#);
        assert_eq!(root.field("a").field("sk-proj-abc123def456").as_str(), r#"a["[…]"]"#);
        assert!(root.field(&"x".repeat(100_000)).as_str().len() < 100);
    }
}
