//! Words of the settings page, and what each field of the configuration means (also in its JSON Schema, in English).

use super::super::Lang;

words! {
    field_models: "Which models answer", "Какие модели отвечают";
    field_default: "Model that answers", "Модель, которая отвечает";
    field_fallbacks: "Models that stand in when it fails, in this order", "Модели на замену при сбое, по порядку";
    field_catalogue: "Prices, windows and abilities of models, by model", "Цены, окна и возможности моделей, по моделям";
    field_input_usd: "Dollars per million tokens of input", "Долларов за миллион токенов ввода";
    field_output_usd: "Dollars per million tokens of output", "Долларов за миллион токенов вывода";
    field_cached_usd: "The same for input from the provider's cache", "То же для ввода из кэша провайдера";
    field_context: "Tokens of the context window", "Токенов в окне контекста";
    field_output: "Tokens of the longest answer", "Токенов в самом длинном ответе";
    field_accepts: "Media it takes", "Что принимает, кроме текста";
    field_levels: "Thinking levels it has", "Уровни размышления, которые у неё есть";
    field_can_call: "Whether it is offered tools", "Предлагать ли ей инструменты";
    field_budget: "The most that may be spent, US dollars", "Сколько можно потратить, в долларах США";
    field_day: "Everybody together, a day (UTC), dollars", "Все вместе за день (UTC), долларов";
    field_month: "Everybody together, a month (UTC), dollars", "Все вместе за месяц (UTC), долларов";
    field_person_day: "Each person, a day (UTC), dollars; owners are not held to it", "Каждый человек за день (UTC), долларов; владельцев не касается";
    field_access: "Who may write", "Кто может писать";
    field_private: "Private messages: pairing asks owners about strangers, allowlist only hears those let in, open hears everybody, disabled only owners", "Личные сообщения: pairing — спрашивать владельцев о незнакомых, allowlist — только допущенные, open — все, disabled — только владельцы";
    field_replies: "How answers look", "Как выглядят ответы";
    field_streaming: "How an answer is shown while it grows", "Как показывать ответ, пока он растёт";
    field_deadlines: "Seconds until a model's first byte, between two, for the whole call, and until the first byte through a relay", "Секунд до первого байта модели, между двумя, на весь вызов и до первого байта через реле";
    field_agents: "Who answers, by id; main answers where no binding says otherwise", "Кто отвечает, по id; main отвечает там, где привязка не говорит другого";
    field_name: "What it calls itself", "Как он себя называет";
    field_emoji: "One emoji beside the name", "Эмодзи рядом с именем";
    field_persona: "Who it is and how it speaks: goes into the system prompt", "Кто он и как говорит: попадает в системный промпт";
    field_agent_model: "Its model, where nobody picked another", "Его модель, если не выбрана другая";
    field_agent_fallbacks: "Models that stand in for it", "Модели на замену";
    field_agent_thinking: "How hard it thinks", "Сколько размышляет";
    field_agent_tools: "Which tools it has", "Какие инструменты у него есть";
    field_bindings: "Who answers where; the most specific one holds", "Кто где отвечает; действует самая точная привязка";
    field_bot: "Id of the bot, such as main", "Id бота, например main";
    field_chat: "Telegram's number of the chat", "Номер чата в Telegram";
    field_topic: "Number of the topic in that chat", "Номер темы в этом чате";
    field_agent: "Id of the agent that answers there, or main", "Id агента, который там отвечает, или main";
}

words! {
    common: "Common settings", "Основные настройки";
    document: "The whole document", "Документ целиком";
    history: "History", "История";
    secrets: "Secrets", "Секреты";
    review: "Changes", "Изменения";
    review_button: "Review changes", "Посмотреть изменения";
    note: "Note for the history (may be empty)", "Заметка для истории (необязательно)";
    live: "Live", "Действует";
    only_environment: "Only the variables of the environment", "Только переменные окружения";
    nothing_differs: "Nothing differs from what is live.", "Отличий от действующей версии нет.";
    nothing_differed: "Nothing was different: no version was made.", "Отличий не было: новая версия не создана.";
    has_mistakes: "There are mistakes. Nothing was saved.", "Есть ошибки. Ничего не сохранено.";
    not_json: "What was typed below is no JSON object.", "То, что введено ниже, не объект JSON.";
    goes_before: "Goes before", "Важнее, чем";
    added: "added", "добавлено";
    removed: "removed", "удалено";
    changed: "changed", "изменено";
    set: "set", "задан";
    not_set: "not set", "не задан";
    secrets_name: "NAME", "ИМЯ";
    secrets_hint: "Values are never shown or kept here. To set one, run the command in the project's folder; locally, write it into .dev.vars.",
        "Значения здесь не показываются и не хранятся. Чтобы задать секрет, выполните команду в папке проекта; на своём компьютере впишите его в .dev.vars.";
}

/// `Version 7`.
pub fn version(lang: Lang, version: i64) -> String {
    format!("{} {version}", lang.pick("Version", "Версия"))
}

/// The button that makes an older version live again.
pub fn back_to(lang: Lang, version: i64) -> String {
    format!("{} {version}", lang.pick("Roll back to version", "Вернуть версию"))
}

/// What a version restored.
pub fn restores(lang: Lang, version: i64) -> String {
    format!("{} {version}", lang.pick("back to version", "возвращена версия"))
}

/// `3 changes`.
pub fn changes(lang: Lang, count: usize) -> String {
    match (lang, count) {
        (Lang::En, 1) => "1 change".to_owned(),
        (Lang::En, _) => format!("{count} changes"),
        (Lang::Ru, _) => format!("Изменений: {count}"),
    }
}

/// What holds where a field is left empty.
pub fn otherwise(lang: Lang, value: Option<&str>) -> String {
    match value {
        Some(value) => format!("{}: {value}", lang.pick("otherwise", "иначе")),
        None => lang.pick("otherwise: the default", "иначе: по умолчанию").to_owned(),
    }
}

/// What stands over the text of the document.
pub fn document_hint(lang: Lang, kib: usize) -> String {
    match lang {
        Lang::En => format!("JSON, at most {kib} KiB. What it does not say, the environment decides."),
        Lang::Ru => format!("JSON, не больше {kib} КиБ. О чём он молчит, то решает окружение."),
    }
}

/// Somebody else saved while this was typed.
pub fn saved_meanwhile(lang: Lang, version: i64) -> String {
    match lang {
        Lang::En => {
            format!("Version {version} was saved meanwhile. These are your changes to it: look before you save.")
        }
        Lang::Ru => {
            format!("Тем временем сохранена версия {version}. Ниже отличия от неё: проверьте, прежде чем сохранять.")
        }
    }
}

/// The stored document is of another release.
pub fn unreadable(lang: Lang, version: i64) -> String {
    match lang {
        Lang::En => format!(
            "This release cannot read version {version}. The environment alone holds until you save or roll back."
        ),
        Lang::Ru => format!(
            "Этот выпуск не может прочитать версию {version}. Пока вы не сохраните другую или не вернёте прежнюю, действует только окружение."
        ),
    }
}
