//! What is said about the size of a conversation: `/compact` and its outcomes.

use super::Lang;

/// `/compact` is done: messages that went into the summary, and the prompt's tokens before and after.
pub fn compacted(lang: Lang, messages: i64, before: u32, after: u32) -> String {
    let (before, after) = (thousands(before), thousands(after));
    match lang {
        Lang::En => format!("🗜 Folded into a summary: {messages} messages. About {before} → {after} tokens."),
        Lang::Ru => format!("🗜 Свёрнуто в конспект сообщений: {messages}. Было около {before} токенов, стало {after}."),
    }
}

pub fn nothing_to_compact(lang: Lang) -> &'static str {
    lang.pick(
        "Nothing to compact yet: the last 3 exchanges stay as they are.",
        "Пока нечего сворачивать: последние 3 обмена остаются как есть.",
    )
}

pub fn compaction_stopped(lang: Lang) -> &'static str {
    lang.pick("⏹ Compaction stopped; nothing has changed.", "⏹ Свёртка прервана, всё осталось как было.")
}

/// `reason`: a line of [`super::trouble::line`].
pub fn compaction_failed(lang: Lang, reason: &str) -> String {
    let failed = lang.pick(
        "Could not compact the conversation; nothing has changed.",
        "Не удалось свернуть разговор, всё осталось как было.",
    );
    format!("{failed}\n{reason}")
}

/// Digits in groups of three, with a thin space that does not break.
fn thousands(number: u32) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push('\u{202f}');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1\u{202f}000"), (1_234_567, "1\u{202f}234\u{202f}567")]
        {
            assert_eq!(thousands(number), text);
        }
        assert!(
            compacted(Lang::En, 34, 9_800, 1_900).contains("34 messages. About 9\u{202f}800 → 1\u{202f}900 tokens")
        );
    }
}
