//! Commands and bare stop words in a message.
//!
//! Source: telegram.md §5 (`/cmd@ourbot`), openclaw.md §2 (stop words, fast path outside the queue).

use super::message::Message;

/// A slash command addressed to us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command<'a> {
    /// Lower case, without the slash and without `@bot`.
    pub name: String,
    /// What follows, trimmed.
    pub args: &'a str,
}

/// The command at the start of `message`, unless it names another bot. `bot_username` is ours, without `@`.
/// Forwarded messages and captions never are commands.
pub fn parse<'a>(message: &'a Message, bot_username: Option<&str>) -> Option<Command<'a>> {
    if message.forward_origin.is_some() {
        return None;
    }
    parse_text(message.text.as_deref()?, bot_username)
}

fn parse_text<'a>(text: &'a str, bot_username: Option<&str>) -> Option<Command<'a>> {
    let rest = text.strip_prefix('/')?;
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let (word, args) = rest.split_at(end);
    let (name, target) = match word.split_once('@') {
        Some((name, target)) => (name, Some(target)),
        None => (word, None),
    };
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
        return None;
    }
    match (target, bot_username) {
        (Some(target), Some(ours)) if !target.eq_ignore_ascii_case(ours) => None,
        _ => Some(Command { name: name.to_ascii_lowercase(), args: args.trim() }),
    }
}

/// Words that stop a running turn when they are the whole message.
const STOP_WORDS: [&str; 28] = [
    "stop",
    "стоп",
    "стой",
    "хватит",
    "остановись",
    "остановить",
    "прекрати",
    "отмена",
    "зупини",
    "зупинись",
    "спыни",
    "тоқта",
    "cancel",
    "abort",
    "halt",
    "enough",
    "alto",
    "para",
    "basta",
    "arrête",
    "arrete",
    "stopp",
    "halt!",
    "停止",
    "停",
    "中止",
    "멈춰",
    "dur",
];

/// True if the whole message is a stop word, give or take case and closing punctuation.
pub fn is_stop_word(text: &str) -> bool {
    if text.len() > 40 {
        return false;
    }
    let word = text.trim().trim_end_matches(['.', '!', '。', '！']).to_lowercase();
    STOP_WORDS.contains(&word.as_str())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Option<(String, String)> {
        parse_text(text, Some("TideBot")).map(|command| (command.name, command.args.to_owned()))
    }

    #[test]
    fn commands_are_ours_or_nobodys() {
        assert_eq!(parsed("/new"), Some(("new".into(), String::new())));
        assert_eq!(parsed("/Model@tidebot  gpt\n"), Some(("model".into(), "gpt".into())));
        assert_eq!(parsed("/new@other_bot"), None);
        assert_eq!(parsed("/usr/bin/env"), None);
        assert_eq!(parsed("/ new"), None);
        assert_eq!(parsed("see /new"), None);
    }

    #[test]
    fn a_stop_word_is_the_whole_message() {
        for word in ["stop", "STOP!", " Стоп. ", "停止", "Arrête"] {
            assert!(is_stop_word(word), "{word}");
        }
        for text in ["stop sign", "don't stop", "", "стоп-кран", "nonstop"] {
            assert!(!is_stop_word(text), "{text}");
        }
    }
}
