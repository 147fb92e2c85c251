//! Words of the log and of the list of decisions.

use crate::text::Lang;

words! {
    events: "Events", "События";
    audit: "Who did what", "Кто что сделал";
    level: "Level", "Уровень";
    all_levels: "all", "все";
    info: "info", "сведение";
    warning: "warning", "предупреждение";
    error: "error", "ошибка";
    what: "What", "Что";
    anything: "anything", "любое";
    session: "Conversation", "Беседа";
    text: "Text", "Текст";
    who: "Who", "Кто";
    when: "When", "Когда";
    bot: "Bot", "Бот";
    subject: "To whom or what", "С кем или чем";
    filter: "Filter", "Отобрать";
    system: "the bot itself", "сам бот";
    /// Above the list, while new lines come by themselves.
    live: "New lines come by themselves.", "Новые строки появляются сами.";
    reconnecting: "Connecting…", "Подключение…";
    paused: "Paused.", "Приостановлено.";
    pause: "Pause", "Приостановить";
    resume: "Go on", "Продолжить";
    troubles: "Troubles under way", "Что сейчас не в порядке";
    not_told: "owners have not heard of it yet", "владельцы об этом ещё не знают";
    told: "owners heard of it", "владельцы об этом знают";
    keeps: "The newest 2,000 events are kept, without anybody's words and without secrets.",
        "Хранятся последние 2000 событий, без чьих-либо слов и без секретов.";
    keeps_audit: "The newest 5,000 decisions are kept.", "Хранятся последние 5000 решений.";
}

/// What kind of trouble.
pub fn alert(lang: Lang, kind: &str) -> &str {
    match kind {
        "backup" => lang.pick("no fresh backup", "нет свежей резервной копии"),
        "provider" => lang.pick("provider down", "провайдер не отвечает"),
        "webhook" => lang.pick("webhook fails", "сбои вебхука"),
        "outbox" => lang.pick("messages do not leave", "сообщения не уходят"),
        "cap" => lang.pick("budget nearly spent", "бюджет почти исчерпан"),
        other => other,
    }
}
