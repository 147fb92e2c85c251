//! A guess at how many tokens a text or a file takes, for budgets and compaction before a call.
//!
//! Not here: real tokenizers. They are megabytes each and differ per model; the bill comes from [`super::Usage`].

use super::MediaRef;

/// Estimated tokens of `text` by script: Latin letters, digits and signs about 4 characters a token, other alphabets
/// (Cyrillic, Greek, Arabic, Hebrew, Indic …) about 2.5, CJK, kana, Hangul and emoji 1. A rule of thumb, not a bound:
/// leave headroom. 0 only for the empty text.
pub fn estimate(text: &str) -> u32 {
    let twentieths: u64 = text.chars().map(twentieths).sum();
    u32::try_from(twentieths.div_ceil(20)).unwrap_or(u32::MAX)
}

/// The same, one character at a time.
#[derive(Debug, Clone, Default)]
pub struct Meter {
    twentieths: u64,
}

impl Meter {
    /// Takes one character more. Returns the estimate so far.
    pub fn add(&mut self, c: char) -> u32 {
        self.twentieths = self.twentieths.saturating_add(twentieths(c));
        u32::try_from(self.twentieths.div_ceil(20)).unwrap_or(u32::MAX)
    }
}

/// In twentieths of a token, so that all three rates are whole numbers.
fn twentieths(c: char) -> u64 {
    match u32::from(c) {
        0..=0x024F => 5,
        // Greek to the last alphabet before General Punctuation, without Hangul Jamo.
        0x0250..=0x10FF | 0x1200..=0x1FFF => 8,
        // Dashes, quotation marks, currency.
        0x2000..=0x20CF => 5,
        _ => 20,
    }
}

/// A correction of one: the estimate is right.
pub const NEUTRAL: u32 = 1_000;
/// Corrections stay within these, in thousandths.
const PLAUSIBLE: (u32, u32) = (500, 3_000);
/// Prompts smaller than this say more about the frame around a text than about the text.
const SMALLEST_LESSON: u32 = 300;

/// What reports have taught about one model: estimated tokens × `correction` / 1,000 is what it will count.
///
/// `correction` is the one so far ([`NEUTRAL`] at first, with `known` false), `estimated` our uncorrected guess for a
/// prompt and `reported` what the provider then counted. `None`: nothing new. A report of less than a third is of a
/// server that counts only what was not in its cache (Ollama), and no lesson.
pub fn learn(correction: u32, known: bool, estimated: u32, reported: u64) -> Option<u32> {
    let estimated = u64::from(estimated);
    if estimated < u64::from(SMALLEST_LESSON) || reported.saturating_mul(3) < estimated {
        return None;
    }
    let seen = u32::try_from(reported.saturating_mul(u64::from(NEUTRAL)) / estimated).unwrap_or(u32::MAX);
    let seen = seen.clamp(PLAUSIBLE.0, PLAUSIBLE.1);
    let learnt = if known { correction.midpoint(seen) } else { seen };
    // Smaller changes would be a write after every answer, for nothing.
    (learnt.abs_diff(correction).saturating_mul(20) > correction).then_some(learnt)
}

/// `estimated` tokens under `correction`.
pub fn corrected(estimated: u32, correction: u32) -> u32 {
    u32::try_from(u64::from(estimated).saturating_mul(u64::from(correction)) / u64::from(NEUTRAL)).unwrap_or(u32::MAX)
}

/// How many uncorrected tokens make `tokens` under `correction`.
pub fn uncorrected(tokens: u32, correction: u32) -> u32 {
    u32::try_from(u64::from(tokens).saturating_mul(u64::from(NEUTRAL)) / u64::from(correction.max(1)))
        .unwrap_or(u32::MAX)
}

/// Tokens a file may take at most, by its type and size: what a provider counts by seconds, pages or pixels
/// (providers.md §2.6: 32 a second of sound) at the sizes such files usually have, on the high side.
pub fn of_file(media: &MediaRef) -> u64 {
    // Bytes a token.
    let rate = match media.mime.split('/').next() {
        // About 2 kB a second in a voice message, 8 kB in music.
        Some("audio") if media.mime == "audio/ogg" => 60,
        Some("audio") => 250,
        // About 100 kB a second and 300 tokens.
        Some("video") => 300,
        Some("image") => return 1_200,
        // About 20 kB a page and 600 tokens.
        _ => 30,
    };
    media.size / rate
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
    fn a_meter_says_the_same() {
        let text = "hi, мир 你好 🙂";
        let mut meter = Meter::default();
        assert_eq!(text.chars().map(|c| meter.add(c)).last(), Some(estimate(text)));
    }

    #[test]
    fn reports_correct_the_estimate() {
        assert_eq!(learn(NEUTRAL, false, 1_000, 1_300), Some(1_300), "the first report counts whole");
        assert_eq!(learn(1_300, true, 1_000, 1_500), Some(1_400), "later ones half");
        assert_eq!(learn(1_300, true, 1_000, 1_350), None, "too close to be worth a write");
        assert_eq!(learn(NEUTRAL, false, 1_000, 9_000), Some(3_000));
        assert_eq!(learn(NEUTRAL, false, 1_000, 400), Some(500));
        assert_eq!(learn(NEUTRAL, false, 10_000, 26), None, "only what was not cached was counted");
        assert_eq!(learn(NEUTRAL, false, 20, 90), None, "too small a prompt to learn from");
        assert_eq!((corrected(1_000, 1_300), uncorrected(1_300, 1_300)), (1_300, 1_000));
        assert_eq!(uncorrected(5, 0), 5_000);
    }

    #[test]
    fn grows_with_the_text() {
        assert_eq!(estimate(&"x".repeat(4_000_000)), 1_000_000);
        assert!(estimate("привет мир") >= estimate("привет"));
    }

    #[test]
    fn files_by_type_and_size() {
        let file = |mime: &str, size| of_file(&MediaRef { key: String::new(), mime: mime.into(), size });
        // A minute of voice at 16 kbit/s is 120 kB and 1,920 tokens.
        assert_eq!(file("audio/ogg", 120_000), 2_000);
        assert_eq!(file("image/jpeg", 5_000_000), 1_200);
        assert!(file("application/pdf", 1_000_000) > 30_000);
        assert!(file("video/mp4", 6_000_000) >= 18_000, "a minute at 800 kbit/s");
    }
}
