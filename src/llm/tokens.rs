//! A guess at how many tokens a text takes, for budgets and compaction before a call.
//!
//! Not here: real tokenizers. They are megabytes each and differ per model; the bill comes from [`super::Usage`].

/// Estimated tokens of `text` by script: Latin letters, digits and signs about 4 characters a token, other alphabets
/// (Cyrillic, Greek, Arabic, Hebrew, Indic …) about 2.5, CJK, kana, Hangul and emoji 1. A rule of thumb, not a bound:
/// leave headroom. 0 only for the empty text.
pub fn estimate(text: &str) -> u32 {
    // In twentieths of a token, so that all three rates are whole numbers.
    let twentieths: u64 = text
        .chars()
        .map(|c| match u32::from(c) {
            0..=0x024F => 5,
            // Greek to the last alphabet before General Punctuation, without Hangul Jamo.
            0x0250..=0x10FF | 0x1200..=0x1FFF => 8,
            // Dashes, quotation marks, currency.
            0x2000..=0x20CF => 5,
            _ => 20,
        })
        .sum();
    u32::try_from(twentieths.div_ceil(20)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_script() {
        for (text, tokens) in [
            ("", 0),
            ("a", 1),
            (" ", 1),
            ("twelve chars", 3),
            ("привет", 3), // 6 / 2.5 = 2.4
            ("你好世界", 4),
            ("안녕", 2),
            ("🙂", 1),
            ("hi, мир", 3), // 4 / 4 + 3 / 2.5 = 2.2
        ] {
            assert_eq!(estimate(text), tokens, "{text:?}");
        }
    }

    #[test]
    fn grows_with_the_text() {
        assert_eq!(estimate(&"x".repeat(4_000_000)), 1_000_000);
        assert!(estimate("привет мир") >= estimate("привет"));
    }
}
