//! Words of the pages about conversations.

use crate::text::Lang;

words! {
    search_list: "Name, title or recent words", "Имя, название или недавние слова";
    search_inside: "Words of this conversation", "Слова этой беседы";
    all: "All conversations", "Все беседы";
    no_title: "without a name", "без имени";
    topic: "topic", "тема";
    transcript: "Transcript", "Переписка";
    turns: "Turns", "Ответы";
    turn: "Turn", "Ответ";
    updates: "Updates", "Обновления";
    files: "Files", "Файлы";
    settings: "Settings", "Настройки";
    agent: "Agent", "Агент";
    model: "Model", "Модель";
    picked: "picked here", "выбрана здесь";
    thinking: "Thinking", "Размышления";
    language: "Language", "Язык";
    access_open: "has access", "доступ есть";
    access_closed: "no access", "доступа нет";
    messages: "Messages since /new", "Сообщений после /new";
    tokens: "Tokens, estimated", "Токенов, оценка";
    summarised: "older ones summarised", "старые пересказаны";
    running: "answering now", "отвечает сейчас";
    waiting: "Waiting", "Ждут";
    deliveries_waiting: "Deliveries waiting", "Доставок ждут";
    deliveries_uncertain: "Deliveries uncertain", "Доставок неясных";
    deliveries_failed: "Deliveries failed", "Доставок не удалось";
    stored_files: "Files", "Файлы";
    being_deleted: "is being deleted", "удаляется";
    stop: "Stop", "Остановить";
    retry: "Try again", "Повторить";
    send_again: "Send again", "Отправить ещё раз";
    export_markdown: "Export Markdown", "Экспорт Markdown";
    export_jsonl: "Export JSON Lines", "Экспорт JSON Lines";
    delete: "Delete…", "Удалить…";
    delete_title: "Delete this conversation?", "Удалить эту беседу?";
    delete_what: "All messages, turns, updates, deliveries and files of this conversation are deleted for good. A running answer is stopped first. Messages in Telegram stay. Backups made before keep it until their time is over.",
        "Все сообщения, ответы, обновления, доставки и файлы этой беседы удаляются навсегда. Идущий ответ сначала останавливается. Сообщения в Telegram остаются. В прежних резервных копиях беседа хранится до конца их срока.";
    delete_now: "Delete for good", "Удалить навсегда";
    deleted: "The conversation is deleted.", "Беседа удалена.";
    deleting: "What runs is being stopped; then the conversation is deleted.", "Идущее останавливается, затем беседа удаляется.";
    person: "Person", "Человек";
    tool: "Tool", "Инструмент";
    thought: "Thought", "Размышление";
    file: "File", "Файл";
    call: "Call", "Вызов";
    result: "Result", "Результат";
    cut: "There is more; export to read all.", "Это не всё; полностью — в экспорте.";
    replaced: "answered anew", "отвечено заново";
    fresh_start: "/new", "/new";
    search_on: "Search further back", "Искать дальше";
    newest: "Newest", "Новейшие";
    in_context: "In context", "В контексте";
    timeline: "Timeline", "Ход";
    steps: "Steps", "Шаги";
    deliveries: "Deliveries", "Доставки";
    said: "Asked and answered", "Вопрос и ответ";
    outcome: "Outcome", "Исход";
    started: "Started", "Начат";
    took: "Took", "Занял";
    first_words: "First words after", "Первые слова через";
    cost: "Cost", "Стоимость";
    gateway_log: "Gateway log", "Журнал шлюза";
    error: "Error", "Ошибка";
    runs: "Runs", "Попыток";
    kind: "Kind", "Вид";
    state: "State", "Состояние";
    what: "What", "Что";
    when: "When", "Когда";
    why: "Why", "Почему";
    text: "Text", "Текст";
    telegram_id: "Telegram id", "Номер в Telegram";
    gathering: "gathering", "сбор";
    whole: "whole turn", "весь ответ";
    input_output: "Tokens in (cached) → out", "Токены: вход (кэш) → выход";
    waits: "waits", "ждёт";
    size: "Size", "Размер";
    name: "Name", "Имя";
    show_turn: "Turn", "Ответ";
}

/// How a turn, an update, a step or a delivery ended, as a person says it. A word of a newer release stands as it is.
pub fn state_of(lang: Lang, word: &str) -> &str {
    match lang {
        Lang::En => word,
        Lang::Ru => match word {
            "answered" => "отвечен",
            "failed" => "не удался",
            "stopped" => "остановлен",
            "running" => "идёт",
            "taken back" => "возвращён",
            "turn" => "отвечено",
            "merged" => "объединено",
            "command" => "команда",
            "button" => "кнопка",
            "dropped" => "отброшено",
            "recorded" => "записано",
            "stop" => "стоп",
            "edit" => "правка",
            "sent" => "отправлено",
            "queued" => "в очереди",
            "sending" => "отправляется",
            "ambiguous" => "неясно",
            "resent" => "повторено",
            "done" => "готово",
            "refused" => "не разрешено",
            "cut" => "прервано",
            other => other,
        },
    }
}

/// How many conversations there are.
pub fn total(lang: Lang, count: i64) -> String {
    match lang {
        Lang::En => format!("{count} in all"),
        Lang::Ru => format!("всего {count}"),
    }
}

/// How many messages a search looked at.
pub fn looked_at(lang: Lang, count: i64) -> String {
    match lang {
        Lang::En => format!("{count} messages looked at"),
        Lang::Ru => format!("просмотрено сообщений: {count}"),
    }
}
