//! What owners read of troubles, in Telegram: short, with the one thing to look at. Not here: budgets' thresholds and
//! refused keys (`usage`), when any of it is said.

use super::Lang;
use super::usage::Span;

/// A trouble, with what its line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// `hours` since the last one; `None`: there never was one.
    Backup {
        hours: Option<i64>,
    },
    Provider {
        name: String,
        minutes: i64,
    },
    /// `error`: Telegram's words, redacted; may be empty.
    Webhook {
        bot: String,
        error: String,
        pending: i64,
    },
    Outbox {
        bot: String,
        count: i64,
        minutes: i64,
    },
    Relay {
        name: String,
        minutes: i64,
    },
    /// Said by `usage::threshold`.
    Cap {
        span: Span,
    },
}

/// To owners: a trouble began, or lasts.
pub fn trouble(lang: Lang, trouble: &Trouble) -> String {
    match (trouble, lang) {
        (Trouble::Backup { hours: Some(hours) }, Lang::En) => {
            format!("⚠️ The last backup is {hours} h old. See “Backups” on the admin page.")
        }
        (Trouble::Backup { hours: Some(hours) }, Lang::Ru) => {
            format!("⚠️ Последней резервной копии {hours} ч. Посмотрите «Резервные копии» на странице управления.")
        }
        (Trouble::Backup { hours: None }, Lang::En) => {
            "⚠️ There is no backup yet. See “Backups” on the admin page.".to_owned()
        }
        (Trouble::Backup { hours: None }, Lang::Ru) => {
            "⚠️ Резервной копии ещё нет. Посмотрите «Резервные копии» на странице управления.".to_owned()
        }
        (Trouble::Provider { name, minutes }, Lang::En) => {
            format!("⚠️ “{name}” has not answered for {minutes} min. Other models stand in where there are any.")
        }
        (Trouble::Provider { name, minutes }, Lang::Ru) => {
            format!("⚠️ «{name}» не отвечает уже {minutes} мин. Где можно, отвечают другие модели.")
        }
        (Trouble::Webhook { bot, error, pending }, Lang::En) => {
            let error = if error.is_empty() { String::new() } else { format!(": {error}") };
            format!("⚠️ Telegram cannot deliver to the bot “{bot}”{error}. Updates waiting: {pending}.")
        }
        (Trouble::Webhook { bot, error, pending }, Lang::Ru) => {
            let error = if error.is_empty() { String::new() } else { format!(": {error}") };
            format!("⚠️ Telegram не может доставить сообщения боту «{bot}»{error}. Ждут доставки: {pending}.")
        }
        (Trouble::Outbox { bot, count, minutes }, Lang::En) => {
            format!("⚠️ Messages of the bot “{bot}” do not leave: {count} waiting, the oldest for {minutes} min.")
        }
        (Trouble::Outbox { bot, count, minutes }, Lang::Ru) => {
            format!("⚠️ Сообщения бота «{bot}» не уходят: ждут {count}, самое старое {minutes} мин.")
        }
        (Trouble::Relay { name, minutes }, Lang::En) => {
            format!(
                "⚠️ The relay “{name}” has been away for {minutes} min. Look at its machine; other models stand in where there are any."
            )
        }
        (Trouble::Relay { name, minutes }, Lang::Ru) => {
            format!(
                "⚠️ Реле «{name}» не на связи уже {minutes} мин. Проверьте его машину; где можно, отвечают другие модели."
            )
        }
        (Trouble::Cap { span: Span::Day }, _) => lang
            .pick("💸 Today's model budget is nearly spent.", "💸 Бюджет на модели на сегодня почти исчерпан.")
            .to_owned(),
        (Trouble::Cap { span: Span::Month }, _) => lang
            .pick("💸 This month's model budget is nearly spent.", "💸 Бюджет на модели на этот месяц почти исчерпан.")
            .to_owned(),
    }
}

/// To owners: it is over.
pub fn backup_over(lang: Lang) -> &'static str {
    lang.pick("✅ There is a fresh backup again.", "✅ Снова есть свежая резервная копия.")
}

/// To owners: it is over.
pub fn provider_over(lang: Lang, name: &str) -> String {
    match lang {
        Lang::En => format!("✅ “{name}” is no longer failing."),
        Lang::Ru => format!("✅ У «{name}» больше нет сбоев."),
    }
}

/// To owners: it is over.
pub fn webhook_over(lang: Lang, bot: &str) -> String {
    match lang {
        Lang::En => format!("✅ Telegram delivers to the bot “{bot}” again."),
        Lang::Ru => format!("✅ Telegram снова доставляет сообщения боту «{bot}»."),
    }
}

/// To owners: it is over.
pub fn outbox_over(lang: Lang, bot: &str) -> String {
    match lang {
        Lang::En => format!("✅ Messages of the bot “{bot}” leave again."),
        Lang::Ru => format!("✅ Сообщения бота «{bot}» снова уходят."),
    }
}

/// To owners: it is there, or nothing needs it any more.
pub fn relay_over(lang: Lang, name: &str) -> String {
    match lang {
        Lang::En => format!("✅ The relay “{name}” is no longer missing."),
        Lang::Ru => format!("✅ Реле «{name}» больше не пропадает."),
    }
}

/// To owners: a budget that was nearly or wholly spent has room again.
pub fn cap_over(lang: Lang, month: bool) -> &'static str {
    match month {
        false => {
            lang.pick("✅ The day's model budget has room again.", "✅ В дневном бюджете на модели снова есть место.")
        }
        true => lang
            .pick("✅ The month's model budget has room again.", "✅ В месячном бюджете на модели снова есть место."),
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing)]
mod tests {
    use super::*;

    #[test]
    fn each_line_is_in_its_language_and_says_what_it_is_about() {
        let all = |lang| {
            vec![
                trouble(lang, &Trouble::Backup { hours: Some(26) }),
                trouble(lang, &Trouble::Backup { hours: None }),
                trouble(lang, &Trouble::Provider { name: "ollama".into(), minutes: 7 }),
                trouble(lang, &Trouble::Webhook { bot: "main".into(), error: "500".into(), pending: 3 }),
                trouble(lang, &Trouble::Outbox { bot: "main".into(), count: 2, minutes: 20 }),
                trouble(lang, &Trouble::Relay { name: "home".into(), minutes: 12 }),
                trouble(lang, &Trouble::Cap { span: Span::Month }),
                relay_over(lang, "home"),
                backup_over(lang).to_owned(),
                provider_over(lang, "ollama"),
                webhook_over(lang, "main"),
                outbox_over(lang, "main"),
                cap_over(lang, false).to_owned(),
                cap_over(lang, true).to_owned(),
            ]
        };
        let cyrillic = |text: &str| text.chars().any(|c| ('а'..='я').contains(&c));
        assert!(all(Lang::Ru).iter().all(|line| cyrillic(line)));
        assert!(all(Lang::En).iter().all(|line| !cyrillic(line) && line.chars().count() < 200));
        assert_eq!(
            all(Lang::En)[2],
            "⚠️ “ollama” has not answered for 7 min. Other models stand in where there are any."
        );
        assert!(
            trouble(Lang::En, &Trouble::Webhook { bot: "b".into(), error: String::new(), pending: 60 })
                .contains("“b”.")
        );
    }
}
