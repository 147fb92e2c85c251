//! Which models callers may use: globs as `--allow-model 'qwen3*'` has them.
//!
//! `*` is any text, `?` any one character, everything else stands for itself, case included. A name without a tag is the one with
//! `:latest`, as Ollama reads it. Not here: which models there are.

use serde_json::Value;

/// What may be used. Empty: everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Patterns(Vec<String>);

impl Patterns {
    /// Blank ones are left out.
    pub fn new<T: Into<String>>(patterns: impl IntoIterator<Item = T>) -> Patterns {
        let trimmed = patterns.into_iter().map(|pattern| pattern.into().trim().to_owned());
        Patterns(trimmed.filter(|pattern| !pattern.is_empty()).collect())
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether callers may use `model`.
    pub fn allow(&self, model: &str) -> bool {
        let full = with_tag(model);
        let fits =
            |pattern: &String| matches(pattern, model) || matches(pattern, &full) || matches(&with_tag(pattern), &full);
        self.0.is_empty() || self.0.iter().any(fits)
    }

    /// Ollama's list (`/api/tags`, `/api/ps`) without the models callers may not use. `None`: it is no such list.
    pub fn filter(&self, list: &[u8]) -> Option<Vec<u8>> {
        let mut list: Value = serde_json::from_slice(list).ok()?;
        let models = list.get_mut("models")?;
        if let Some(models) = models.as_array_mut() {
            let name =
                |model: &Value| ["name", "model"].iter().find_map(|key| model.get(key)?.as_str().map(str::to_owned));
            models.retain(|model| name(model).is_some_and(|name| self.allow(&name)));
        } else if !models.is_null() {
            return None;
        }
        serde_json::to_vec(&list).ok()
    }
}

fn with_tag(name: &str) -> String {
    let last = name.rsplit('/').next().unwrap_or_default();
    if last.contains(':') { name.to_owned() } else { format!("{name}:latest") }
}

/// Walks along both; where it goes wrong, the last `*` takes one character more. No recursion, so no pattern is slow.
fn matches(pattern: &str, text: &str) -> bool {
    let (mut pattern, mut text) = (pattern.chars(), text.chars());
    let mut star = None;
    loop {
        let before = text.clone();
        match (pattern.next(), text.next()) {
            (None, None) => return true,
            (Some('*'), _) => {
                text = before;
                star = Some((pattern.clone(), text.clone()));
            }
            (Some('?'), Some(_)) => {}
            (Some(wanted), Some(there)) if wanted == there => {}
            _ => {
                let Some((after, from)) = &mut star else { return false };
                if from.next().is_none() {
                    return false;
                }
                (pattern, text) = (after.clone(), from.clone());
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn globs_name_models() {
        for (pattern, model, expected) in [
            ("qwen3*", "qwen3:8b", true),
            ("qwen3*", "qwen3", true),
            ("qwen3*", "Qwen3:8b", false),
            ("qwen3*", "my-qwen3:8b", false),
            ("*", "", true),
            ("*:8b", "qwen3:8b", true),
            ("*:8b", "qwen3:18b-q4", false),
            ("q?en3:8b", "qwen3:8b", true),
            ("q?en3:8b", "qen3:8b", false),
            ("hf.co/*", "hf.co/someone/thing:Q4_K_M", true),
            ("llama3", "llama3:latest", true),
            ("llama3:latest", "llama3", true),
            ("llama3", "llama3:70b", false),
            ("llama3", "llama32", false),
            ("a*b*c", "aXbXbXc", true),
            ("a*b*c", "aXbXbX", false),
            ("[a]", "a", false),
            ("ж?з*", "жизнь", true),
        ] {
            assert_eq!(Patterns::new([pattern]).allow(model), expected, "{pattern} {model}");
        }
        assert!(Patterns::default().allow("anything"));
        assert!(Patterns::new(["", " "]).is_empty());
        assert!(Patterns::new(["a", "b*"]).allow("b:1"));
    }

    #[test]
    fn what_may_not_be_used_is_not_in_the_lists() {
        let list =
            br#"{"models":[{"name":"qwen3:8b","size":7},{"name":"secret:1b"},{"model":"qwen3:32b"},{"size":3}]}"#;
        let kept = Patterns::new(["qwen3*"]).filter(list).unwrap();
        assert_eq!(kept, br#"{"models":[{"name":"qwen3:8b","size":7},{"model":"qwen3:32b"}]}"#);
        assert_eq!(Patterns::default().filter(b"{\"models\":null}").unwrap(), b"{\"models\":null}");
        for odd in ["", "[]", "{}", "{\"models\":{\"secret\":1}}", "{\"models\":\"secret\"}", "<html>"] {
            assert_eq!(Patterns::new(["x"]).filter(odd.as_bytes()), None, "{odd}");
        }
    }

    proptest! {
        #[test]
        fn a_name_matches_itself_and_what_is_cut_out_of_it(name in "[a-z0-9:./-]{0,20}", from in 0usize..20, to in 0usize..20) {
            prop_assert!(matches(&name, &name));
            let (from, to) = (from.min(to).min(name.len()), from.max(to).min(name.len()));
            let pattern = format!("{}*{}", name.get(..from).unwrap(), name.get(to..).unwrap());
            prop_assert!(matches(&pattern, &name));
        }

        #[test]
        fn no_pattern_is_slow_or_panics(pattern in "[a*?]{0,40}", text in "a{0,60}") {
            matches(&pattern, &text);
        }
    }
}
