//! Makes foreign text fit for a log: short, one line, without anything that looks like a key.
//!
//! Providers echo keys, sign-in links and request pieces in their errors (providers.md §1.4, §5.1 "logs").
//! Not here: text for users, which never repeats a provider's words.

/// Longest detail kept of an error, characters.
pub const MAX_DETAIL: usize = 300;

/// From this length on, a run of key-like signs with both letters and digits is taken for a secret. Ollama keys have 57
/// characters, Gemini's 39, Telegram's 35 after the colon; the longest model names stay below.
const SECRET_RUN: usize = 32;

/// `text` on one line, secrets replaced by `[…]`, at most [`MAX_DETAIL`] characters.
pub fn redact(text: &str) -> String {
    let mut out = String::new();
    let mut after_bearer = false;
    // A body can be megabytes; anything past a few thousand signs cannot reach the result.
    let head: String = text.chars().take(MAX_DETAIL * 16).collect();
    for word in head.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        if after_bearer {
            out.push_str("[…]");
        } else {
            redact_word(word, &mut out);
        }
        after_bearer = word.to_ascii_lowercase().ends_with("bearer");
    }
    clip(&out, MAX_DETAIL)
}

/// The first `max` characters of `text`, the last one an ellipsis if any were cut.
pub fn clip(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => text.to_owned(),
        Some(_) => text.chars().take(max.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// Cuts queries off addresses, then replaces key-like runs.
fn redact_word(word: &str, out: &mut String) {
    let (word, query) = match word.split_once('?') {
        Some((before, after)) if before.contains("://") && !after.is_empty() => (before, "?[…]"),
        _ => (word, ""),
    };
    let mut run = String::new();
    for c in word.chars() {
        if c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '+') {
            run.push(c);
        } else {
            flush(&mut run, out);
            out.push(c);
        }
    }
    flush(&mut run, out);
    out.push_str(query);
}

fn flush(run: &mut String, out: &mut String) {
    let known = ["sk-", "AIza", "ya29.", "ghp_", "xai-", "gsk_"].iter().any(|prefix| run.starts_with(prefix));
    let mixed = run.bytes().any(|b| b.is_ascii_digit()) && run.bytes().any(|b| b.is_ascii_alphabetic());
    if (known && run.len() >= 12) || (mixed && run.len() >= SECRET_RUN) {
        out.push_str("[…]");
    } else {
        out.push_str(run);
    }
    run.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hides_what_looks_like_a_key() {
        let ollama = "0123456789abcdef0123456789abcdef.AbCdEfGhIjKlMnOpQrStUvWx";
        for (text, expected) in [
            ("model 'gpt-oss:120b' not found".to_owned(), "model 'gpt-oss:120b' not found"),
            (format!("bad key {ollama}!"), "bad key […]!"),
            ("Authorization: Bearer short1".to_owned(), "Authorization: Bearer […]"),
            ("key=sk-proj-abc123def456".to_owned(), "key=[…]"),
            ("key:sk-proj-abc123def456".to_owned(), "key:[…]"),
            (
                "see https://ollama.com/connect?name=x&key=c2VjcmV0 now".to_owned(),
                "see https://ollama.com/connect?[…] now",
            ),
            ("a\r\n\tb\u{0}c".to_owned(), "a b c"),
        ] {
            assert_eq!(redact(&text), expected);
        }
    }

    #[test]
    fn stays_short() {
        let long = redact(&"я ".repeat(10_000));
        assert_eq!(long.chars().count(), MAX_DETAIL);
        assert!(long.ends_with('…'));
    }
}
