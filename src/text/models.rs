//! Models from the person's side: thinking, who answered, what it took.

use super::Lang;
use super::amount::{tokens, usd};

/// Why another model answered than the one chosen here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absence {
    /// Not reachable, too slow, or broken.
    Down,
    /// Its provider's limit is reached.
    Limit,
    /// Not in the plan, gone, or its key is refused.
    Unavailable,
    /// It refused the request or said nothing.
    Refused,
    /// It rests after an earlier failure, or does not fit the cap.
    Resting,
}

/// The line below an answer that another model gave.
pub fn stood_in(lang: Lang, chosen: &str, speaker: &str, absence: Absence) -> String {
    let why = match absence {
        Absence::Down => lang.pick("does not answer", "не отвечает"),
        Absence::Limit => lang.pick("is out of its limit", "исчерпала лимит"),
        Absence::Unavailable => lang.pick("is not available", "недоступна"),
        Absence::Refused => lang.pick("could not answer this", "не смогла ответить"),
        Absence::Resting => lang.pick("is resting", "временно отключена"),
    };
    match lang {
        Lang::En => format!("↪️ {speaker} answered: {chosen} {why}."),
        Lang::Ru => format!("↪️ Ответила {speaker}: {chosen} {why}."),
    }
}

/// What one answer took. Money in 10⁻⁹ US dollars.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Took {
    pub input: u64,
    pub output: u64,
    pub nano_usd: u64,
    /// The price is only assumed.
    pub assumed: bool,
    /// From the message to the answer, milliseconds.
    pub ms: i64,
}

/// The footer of an answer.
pub fn footer(model: &str, took: &Took) -> String {
    let about = if took.assumed { "≤" } else { "" };
    let seconds = took.ms as f64 / 1_000.0;
    format!(
        "⚙️ {model} · ↑{} ↓{} · {about}{} · {seconds:.1} s",
        tokens(took.input),
        tokens(took.output),
        usd(took.nano_usd)
    )
}

/// How hard the model is asked to think, as `/think` names it.
pub fn thinking_set(lang: Lang, level: &str) -> String {
    match lang {
        Lang::En => format!("🧠 Thinking: {level}. Models without that level use the nearest they have."),
        Lang::Ru => format!("🧠 Размышление: {level}. Модель без такого уровня возьмёт ближайший."),
    }
}

pub fn thinking_now(lang: Lang, level: &str) -> String {
    match lang {
        Lang::En => format!("🧠 Thinking: {level}.\nChange it: /think off, minimal, low, medium, high or default."),
        Lang::Ru => format!("🧠 Размышление: {level}.\nИзменить: /think off, minimal, low, medium, high или default."),
    }
}

pub fn reasoning(lang: Lang, shown: bool) -> &'static str {
    if shown {
        lang.pick(
            "🧠 I show the model's thoughts, folded above each answer. /reasoning off hides them.",
            "🧠 Показываю мысли модели свёрнутой цитатой над ответом. /reasoning off — скрыть.",
        )
    } else {
        lang.pick(
            "🧠 The model's thoughts are hidden. /reasoning shows them.",
            "🧠 Мысли модели скрыты. /reasoning — показать.",
        )
    }
}

pub fn footer_set(lang: Lang, shown: bool) -> &'static str {
    if shown {
        lang.pick(
            "⚙️ Each answer ends with its model, tokens, price and time. /footer off hides that.",
            "⚙️ Под ответом будут модель, токены, цена и время. /footer off — убрать.",
        )
    } else {
        lang.pick("⚙️ Answers have no footer. /footer shows it.", "⚙️ Подписи под ответами нет. /footer — показать.")
    }
}

pub fn usage_unknown(lang: Lang) -> &'static str {
    lang.pick(
        "⚠️ The numbers could not be read. Please try again.",
        "⚠️ Не удалось прочитать данные. Попробуйте ещё раз.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_footer_is_one_short_line() {
        let took = Took { input: 1_234, output: 56, nano_usd: 4_200_000, assumed: false, ms: 2_340 };
        assert_eq!(footer("gemini/x", &took), "⚙️ gemini/x · ↑1.2k ↓56 · $0.0042 · 2.3 s");
    }
}
