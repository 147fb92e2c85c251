//! Makes foreign text fit for a log: short, one line, without anything that looks like a key.
//!
//! Providers echo keys, sign-in links and request pieces in their errors (providers.md §1.4, §5.1 "logs").
//! Not here: text for users, which never repeats a provider's words.

/// Longest detail kept of an error, characters.
pub const MAX_DETAIL: usize = 300;

/// From this length on, a run of key-like signs with both letters and digits is taken for a secret. Ollama keys have 57
/// characters, Gemini's 39, Telegram's 35 after the colon; the longest model names stay below.
const SECRET_RUN: usize = 32;

/// What begins keys and tokens, whatever follows: OpenAI, Google, GitHub, xAI, Groq, Cloudflare, Slack, and any JWT.
const MARKED: &[&str] = &[
    "sk-",
    "AIza",
    "ya29.",
    "ghp_",
    "gho_",
    "ghs_",
    "github_pat_",
    "xai-",
    "gsk_",
    "hf_",
    "cfast_",
    "cfat_",
    "cfut_",
    "xoxb-",
    "xoxp-",
    "eyJ",
    "AKIA",
];
/// What such a word has at least; shorter ones are words of a language.
const MARKED_RUN: usize = 12;
/// Names after which a value is a secret, if written `name=value` or `"name":"value"`.
const SECRET_NAMES: &[&str] = &["key", "token", "secret", "password", "authorization", "jwt", "assertion"];
/// Digits of a bot's number before the colon of its token, and signs of what follows it.
const BOT_NUMBER: usize = 6;
const BOT_SECRET: usize = 8;
/// A secret has a part of at least this many signs between its dots and dashes; the words of an address have not.
const SECRET_PART: usize = 20;

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
    redact_to(text, MAX_DETAIL)
}

/// The same, at most `max` characters.
pub fn redact_to(text: &str, max: usize) -> String {
    let mut out = String::new();
    let mut hidden = false;
    let mut authorization = false;
    // A body can be megabytes; anything past a few thousand signs cannot reach the result.
    let mut head: &str = &clip(text, max.saturating_mul(16));
    if head.len() < text.len() {
        // The last word was cut: what is left of a secret would not be known for one.
        head = head.rsplit_once(char::is_whitespace).map_or(head, |(whole, _)| whole);
    }
    for word in head.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        if hidden {
            out.push_str("[…]");
        } else {
            redact_word(word, &mut out);
        }
        let name = word.to_ascii_lowercase();
        hidden = name.ends_with("bearer") || (authorization && name == "basic");
        authorization = name.contains("authorization");
    }
    clip(&out, max)
}

/// The first `max` characters of `text`, the last one an ellipsis if any were cut.
pub fn clip(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => text.to_owned(),
        Some(_) => text.chars().take(max.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// Cuts queries, fragments and passwords off addresses, then replaces key-like runs.
fn redact_word(word: &str, out: &mut String) {
    let (word, query) = match word.split_once(['?', '#']) {
        Some((before, after)) if before.contains("://") && !after.is_empty() => (before, "?[…]"),
        _ => (word, ""),
    };
    let mut word = word;
    if let Some((scheme, rest)) = word.split_once("://") {
        let host = rest.find('/').unwrap_or(rest.len());
        if let Some(at) = rest.get(..host).and_then(|authority| authority.rfind('@')) {
            runs(scheme, out);
            out.push_str("://[…]");
            word = rest.get(at..).unwrap_or_default();
        }
    }
    runs(word, out);
    out.push_str(query);
}

/// Copies `word`, with the runs that look like secrets replaced.
fn runs(word: &str, out: &mut String) {
    let mut before = Before::default();
    let mut run = String::new();
    for c in word.chars() {
        if c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '+') {
            run.push(c);
        } else {
            flush(&mut run, &mut before, out);
            before.signs.push(c);
            out.push(c);
        }
    }
    flush(&mut run, &mut before, out);
}

/// What stands before a run in the same word: the run before it, in lower case, and the signs between the two.
#[derive(Default)]
struct Before {
    run: String,
    signs: String,
}

impl Before {
    /// `123456789:` as a bot's token has it.
    fn is_bot(&self) -> bool {
        let number = self.run.trim_start_matches("bot");
        self.signs == ":" && number.len() >= BOT_NUMBER && number.bytes().all(|byte| byte.is_ascii_digit())
    }

    /// `token=`, `"api_key":"` and the like.
    fn names_a_secret(&self) -> bool {
        let assigned = self.signs.contains('=') || self.signs.contains("\":");
        assigned && SECRET_NAMES.iter().any(|name| self.run.ends_with(name))
    }
}

fn flush(run: &mut String, before: &mut Before, out: &mut String) {
    if run.is_empty() {
        return;
    }
    let marked = MARKED.iter().any(|prefix| run.starts_with(prefix)) && run.len() >= MARKED_RUN;
    let bot = before.is_bot() && run.len() >= BOT_SECRET;
    if marked || bot || before.names_a_secret() || (is_mixed(run) && run.len() >= SECRET_RUN) {
        out.push_str("[…]");
    } else {
        out.push_str(run);
    }
    before.run = std::mem::take(run).to_ascii_lowercase();
    before.signs.clear();
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
            (
                "https://api.telegram.org/bot700000001:main-token/getMe failed".into(),
                "https://api.telegram.org/bot700000001:[…]/getMe failed",
            ),
            ("bot 123456789:AAF_short-one!".into(), "bot 123456789:[…]!"),
            ("secret cfast_Abcdef123456".into(), "secret […]"),
            ("jwt eyJhbGciOiJSUzI1NiJ9.eyJhIjoxfQ.sig_na-ture end".into(), "jwt […] end"),
            ("x-api-key=abc".into(), "x-api-key=[…]"),
            (r#"{"api_key":"plain-words","max_tokens":4096}"#.into(), r#"{"api_key":"[…]","max_tokens":4096}"#),
            ("Authorization: Basic dXNlcjpw x".into(), "Authorization: Basic […] x"),
            ("GET https://ann:pw@host.example/v1/x".into(), "GET https://[…]@host.example/v1/x"),
            ("at https://a.example/#access_token=abc".into(), "at https://a.example/?[…]"),
            ("a basic token: 131072 tokens at 12:30:45".into(), "a basic token: 131072 tokens at 12:30:45"),
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
