//! Makes foreign text fit for a log: short, one line, without anything that looks like a key.
//!
//! Providers echo keys, sign-in links and request pieces in their errors (providers.md §1.4, §5.1 "logs").
//! Not here: text for users, which never repeats a provider's words.

/// Longest detail kept of an error, characters.
pub const MAX_DETAIL: usize = 300;

/// From this length on, a run of key-like signs with both letters and digits is taken for a secret. Ollama keys have 57
/// characters, Gemini's 39, Telegram's 35 after the colon; the longest model names stay below.
const SECRET_RUN: usize = 32;

/// A secret has a part of at least this many signs between its dots and dashes; the words of an address have not.
const SECRET_PART: usize = 20;

/// Beginnings of keys and tokens whose vendors mark them.
const MARKED: [&str; 9] = ["sk-", "AIza", "ya29.", "ghp_", "github_pat_", "xai-", "gsk_", "eyJ", "AKIA"];

/// Whether a key or token stands in `text`, as far as that can be seen. Stricter than [`redact`], which may hide too much:
/// this refuses what people typed, and addresses and long words of theirs must pass.
pub fn looks_secret(text: &str) -> bool {
    if text.contains("-----BEGIN ") && text.contains("PRIVATE KEY") {
        return true;
    }
    let is_sign = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '+');
    text.split(|c| !is_sign(c)).any(|run| {
        let marked = MARKED.iter().any(|mark| run.starts_with(mark)) && run.len() >= SECRET_PART;
        let part = |part: &str| part.len() >= SECRET_PART && is_mixed(part);
        marked && is_mixed(run) || run.len() >= SECRET_RUN && run.split(['-', '.', '+']).any(part)
    })
}

fn is_mixed(run: &str) -> bool {
    run.bytes().any(|b| b.is_ascii_digit()) && run.bytes().any(|b| b.is_ascii_alphabetic())
}

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
    if (known && run.len() >= 12) || (is_mixed(run) && run.len() >= SECRET_RUN) {
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
    fn keys_in_what_people_type_are_seen_and_their_words_are_not() {
        for secret in [
            "0123456789abcdef0123456789abcdef.AbCdEfGhIjKlMnOpQrStUvWx",
            "Use AIzaSyA1234567890abcdefghijklmnopqrstuv please",
            "key=sk-proj-abc123def456ghi7",
            "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1",
            "sk-or-v1-0123456789abcdef0123456789abcdef",
            "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl",
            "-----BEGIN RSA PRIVATE KEY-----",
        ] {
            assert!(looks_secret(secret), "{secret}");
        }
        for words in [
            "",
            "550e8400-e29b-41d4-a716-446655440000",
            "https://example.com/how-to-make-a-cake-in-2024-with-9-eggs?utm_source=a",
            "openai/accounts/fireworks/models/llama-v3p1-405b-instruct-2024-07-18",
            "hf.co/bartowski/Llama-3.2-3B-Instruct-GGUF:Q4_K_M",
            "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
            "sk-lang sk-ab",
        ] {
            assert!(!looks_secret(words), "{words}");
        }
    }

    #[test]
    fn stays_short() {
        let long = redact(&"я ".repeat(10_000));
        assert_eq!(long.chars().count(), MAX_DETAIL);
        assert!(long.ends_with('…'));
    }
}
