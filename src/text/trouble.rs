//! Why there is no answer.

use super::Lang;
use super::calendar::date_time;

/// Why there is no answer; one line a person can act on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// A deadline passed; seconds waited.
    TimedOut(i64),
    /// The connection to the model failed again and again.
    Unreachable,
    /// The key was refused.
    Key,
    /// The plan does not include this model, or it is gone.
    ModelUnavailable,
    /// The provider's quota is used up.
    Quota,
    /// Too many requests just now.
    Busy,
    /// The conversation no longer fits.
    TooLong,
    /// The provider declined the content.
    Declined,
    /// The model said nothing.
    Empty,
    /// Anything else.
    Refused,
    /// The turn was cut three times.
    GaveUp,
    /// The provider of the chosen model is not configured here.
    NoProvider,
    /// A cap would be passed; free again at that time (ms).
    Capped { cap: Cap, until: i64 },
    /// Caps could not be checked.
    NoLeave,
    /// The model called tools without end.
    Loop,
    /// The model is behind a relay, and something on the way to it failed.
    Relay(RelayTrouble),
}

/// What failed on the way through a relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RelayTrouble {
    /// None is connected, or not the one that was named.
    Away,
    /// It went away while the model was at work.
    Lost,
    /// Its Ollama does not answer, or broke off.
    Ollama,
    /// All its places are taken, and the line is long.
    Busy,
    /// No relay that is connected has the model.
    NoModel,
}

/// Which cap holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cap {
    Day,
    Month,
    Person,
}

/// The line for it.
pub fn line(lang: Lang, trouble: Trouble) -> String {
    let text = match trouble {
        Trouble::TimedOut(seconds) => {
            return match lang {
                Lang::En => {
                    format!("⚠️ The model did not answer within {seconds} s. Please try again or pick another /model.")
                }
                Lang::Ru => {
                    format!("⚠️ Модель не ответила за {seconds} с. Попробуйте ещё раз или выберите другую: /model.")
                }
            };
        }
        Trouble::Relay(trouble) => relay(lang, trouble),
        Trouble::Capped { cap, until } => return capped(lang, cap, until),
        Trouble::NoLeave => lang.pick(
            "⚠️ I could not check the spending cap, so I called no model. Please try again in a minute.",
            "⚠️ Не удалось проверить лимит расходов, поэтому модель не вызвана. Попробуйте через минуту.",
        ),
        Trouble::Loop => lang.pick(
            "⚠️ The model kept calling tools and never answered. Please ask again or pick another /model.",
            "⚠️ Модель без конца вызывала инструменты и так и не ответила. Спросите ещё раз или выберите другую: /model.",
        ),
        Trouble::Unreachable => lang.pick(
            "⚠️ The connection to the model keeps failing. Please try again in a minute or pick another /model.",
            "⚠️ Связь с моделью всё время обрывается. Попробуйте через минуту или выберите другую: /model.",
        ),
        Trouble::Key => lang.pick(
            "⚠️ The model's provider refuses the bot's key. The owner has to renew it.",
            "⚠️ Провайдер модели не принимает ключ бота. Владельцу нужно его обновить.",
        ),
        Trouble::ModelUnavailable => lang.pick(
            "⚠️ This model is not available. Pick another with /model.",
            "⚠️ Эта модель недоступна. Выберите другую: /model.",
        ),
        Trouble::Quota => lang.pick(
            "⚠️ The provider's usage limit is reached. Try later or pick another /model.",
            "⚠️ Лимит у провайдера исчерпан. Попробуйте позже или выберите другую: /model.",
        ),
        Trouble::Busy => lang.pick(
            "⚠️ The model is overloaded right now. Please try again in a minute.",
            "⚠️ Модель сейчас перегружена. Попробуйте через минуту.",
        ),
        Trouble::TooLong => lang.pick(
            "⚠️ This is too long for the model. Shorten it or start afresh with /new.",
            "⚠️ Для этой модели слишком длинно. Сократите или начните заново: /new.",
        ),
        Trouble::Declined => lang
            .pick("⚠️ The model's provider declined to answer this.", "⚠️ Провайдер модели отказался на это отвечать."),
        Trouble::Empty => lang.pick(
            "⚠️ The model returned an empty answer. Please ask again or pick another /model.",
            "⚠️ Модель вернула пустой ответ. Спросите ещё раз или выберите другую: /model.",
        ),
        Trouble::Refused => lang.pick(
            "⚠️ The model's server did not accept the request. Try another /model; the details are in the log.",
            "⚠️ Сервер модели не принял запрос. Попробуйте другую: /model; подробности в журнале.",
        ),
        Trouble::GaveUp => lang.pick(
            "⚠️ I was interrupted three times while answering and gave up. Please send it again.",
            "⚠️ Меня трижды прервали на этом ответе, и я сдался. Отправьте, пожалуйста, ещё раз.",
        ),
        Trouble::NoProvider => lang.pick(
            "⚠️ This model's provider is not set up here. Pick another with /model.",
            "⚠️ Провайдер этой модели здесь не настроен. Выберите другую: /model.",
        ),
    };
    text.to_owned()
}

fn relay(lang: Lang, trouble: RelayTrouble) -> &'static str {
    match trouble {
        RelayTrouble::Away => lang.pick(
            "🔌 The relay with this model is not connected. Whoever runs it: is the machine on, and ollama-relay running? Until then: /model for another.",
            "🔌 Реле с этой моделью не подключено. Тому, кто его держит: включена ли машина, запущен ли ollama-relay? А пока — другая модель: /model.",
        ),
        RelayTrouble::Lost => lang.pick(
            "🔌 The connection to the relay broke while the model was at work. Please ask again in a minute, or pick another /model. Whoever runs the relay: is it still on?",
            "🔌 Связь с реле оборвалась, пока модель работала. Спросите ещё раз через минуту или выберите другую: /model. Тому, кто держит реле: оно ещё включено?",
        ),
        RelayTrouble::Ollama => lang.pick(
            "🔌 The relay is there, but its Ollama does not answer. Whoever runs it: is Ollama running? “ollama-relay check” says more. Until then: /model for another.",
            "🔌 Реле на месте, но его Ollama не отвечает. Тому, кто его держит: запущена ли Ollama? Подробнее скажет «ollama-relay check». А пока — другая модель: /model.",
        ),
        RelayTrouble::Busy => lang.pick(
            "⏳ All places on the relay are taken, and the line is full. Please try again in a minute or pick another /model.",
            "⏳ Все места на реле заняты, очередь полна. Попробуйте через минуту или выберите другую: /model.",
        ),
        RelayTrouble::NoModel => lang.pick(
            "🔌 No connected relay has this model. Pick one that is there with /model. Whoever runs a relay can add it with “ollama pull”, or let it pass with --allow-model.",
            "🔌 Ни на одном подключённом реле нет этой модели. Выберите из имеющихся: /model. Тот, кто держит реле, может добавить её («ollama pull») или разрешить (--allow-model).",
        ),
    }
}

fn capped(lang: Lang, cap: Cap, until: i64) -> String {
    let at = date_time(until);
    match (lang, cap) {
        (Lang::En, Cap::Day) => {
            format!(
                "💰 Today's spending cap is reached. I answer again from {at} UTC; models that cost nothing still work: /model."
            )
        }
        (Lang::Ru, Cap::Day) => {
            format!("💰 Дневной лимит расходов исчерпан. Снова отвечу с {at} UTC; бесплатные модели работают: /model.")
        }
        (Lang::En, Cap::Month) => format!(
            "💰 This month's spending cap is reached. I answer again from {at} UTC; models that cost nothing still work: /model."
        ),
        (Lang::Ru, Cap::Month) => {
            format!("💰 Месячный лимит расходов исчерпан. Снова отвечу с {at} UTC; бесплатные модели работают: /model.")
        }
        (Lang::En, Cap::Person) => {
            format!("💰 Your own spending cap for today is reached. I answer you again from {at} UTC.")
        }
        (Lang::Ru, Cap::Person) => format!("💰 Ваш личный лимит на сегодня исчерпан. Снова отвечу вам с {at} UTC."),
    }
}
