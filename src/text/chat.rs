//! What the assistant itself says in a conversation: notices, errors, commands.

use super::Lang;

pub fn stopped(lang: Lang) -> &'static str {
    lang.pick("⏹ Stopped.", "⏹ Остановлено.")
}

pub fn nothing_to_stop(lang: Lang) -> &'static str {
    lang.pick("Nothing is running.", "Сейчас ничего не выполняется.")
}

pub fn stopping(lang: Lang) -> &'static str {
    lang.pick("Stopping…", "Останавливаю…")
}

pub fn stop_button(lang: Lang) -> &'static str {
    lang.pick("⏹ Stop", "⏹ Стоп")
}

pub fn queued(lang: Lang) -> &'static str {
    lang.pick(
        "⏳ Noted. I will answer this together with anything you add, right after the current reply. /stop ends it now.",
        "⏳ Вижу. Отвечу на это и на всё, что добавите, сразу после текущего ответа. /stop прервёт его.",
    )
}

pub fn maybe_lost(lang: Lang) -> &'static str {
    lang.pick(
        "⚠️ Telegram did not confirm a part of my answer. If you do not see it above:",
        "⚠️ Telegram не подтвердил часть моего ответа. Если его нет выше:",
    )
}

pub fn send_again(lang: Lang) -> &'static str {
    lang.pick("🔁 Send again", "🔁 Прислать ещё раз")
}

pub fn sent_again(lang: Lang) -> &'static str {
    lang.pick("Sending again", "Отправляю ещё раз")
}

pub fn too_late(lang: Lang) -> &'static str {
    lang.pick("This button is no longer of use.", "Эта кнопка больше не действует.")
}

pub fn cut_off(lang: Lang) -> &'static str {
    lang.pick("⚠️ The model broke off here.", "⚠️ Здесь модель оборвала ответ.")
}

pub fn too_long(lang: Lang) -> &'static str {
    lang.pick("✂️ The model reached its length limit here.", "✂️ Здесь модель достигла предела длины.")
}

pub fn cannot_read_this(lang: Lang) -> &'static str {
    lang.pick("I cannot read this kind of message yet.", "Такие сообщения я пока не умею читать.")
}

pub fn edited(lang: Lang) -> &'static str {
    lang.pick("✏️ You changed the message I answered.", "✏️ Вы изменили сообщение, на которое я ответил.")
}

pub fn answer_anew(lang: Lang) -> &'static str {
    lang.pick("🔁 Answer the new text", "🔁 Ответить на новый текст")
}

pub fn answering_anew(lang: Lang) -> &'static str {
    lang.pick("Answering the new text", "Отвечаю на новый текст")
}

pub fn welcome(lang: Lang) -> &'static str {
    lang.pick(
        "👋 Hello! I am your assistant. Just write to me.\n\n/new starts a fresh conversation\n/stop ends the current answer\n/model picks another model\n/help shows more",
        "👋 Здравствуйте! Я ваш помощник. Просто напишите мне.\n\n/new — начать новый разговор\n/stop — прервать ответ\n/model — выбрать модель\n/help — подробнее",
    )
}

pub fn help(lang: Lang) -> &'static str {
    lang.pick(
        "I answer what you write. You can write on while I answer: I will take it up next.\n\n\
         /new — archive this conversation and start fresh\n\
         /stop — end the current answer (also: the Stop button, or the word “stop”)\n\
         /model — pick the model\n\
         /compact — fold what is old into a summary; say what matters: /compact the trip\n\
         /think off…high — how hard the model thinks; /reasoning shows what it thought\n\
         /usage — what was used and spent; /footer adds it to each answer\n\
         /export — this conversation as files (/export all: earlier ones too)\n\
         /status — what I am doing and with what\n\
         /whoami — your and this chat's ids\n\n\
         In groups I answer when mentioned, replied to, or given a command. Telegram's privacy mode hides the other messages from me.",
        "Я отвечаю на то, что вы пишете. Можно писать дальше, пока я отвечаю: возьмусь за это следующим.\n\n\
         /new — убрать разговор в архив и начать новый\n\
         /stop — прервать ответ (или кнопка «Стоп», или слово «стоп»)\n\
         /model — выбрать модель\n\
         /compact — свернуть старое в конспект; можно сказать, что важно: /compact поездка\n\
         /think off…high — насколько усердно модель думает; /reasoning покажет её мысли\n\
         /usage — что израсходовано; /footer добавит это к каждому ответу\n\
         /export — этот разговор файлами (/export all — и прежние)\n\
         /status — чем я занят и на чём работаю\n\
         /whoami — ваш id и id чата\n\n\
         В группах отвечаю на упоминание, ответ мне или команду. Остальные сообщения режим приватности Telegram от меня скрывает.",
    )
}

/// A relay loads `model`, for so many seconds.
pub fn loading(lang: Lang, model: &str, seconds: i64) -> String {
    match lang {
        Lang::En => format!("⏳ Loading {model} on the relay… {seconds} s"),
        Lang::Ru => format!("⏳ Реле загружает {model}… {seconds} с"),
    }
}

/// All places of the relays are taken.
pub fn in_line(lang: Lang, seconds: i64) -> String {
    match lang {
        Lang::En => format!("⏳ Waiting for a free place on the relay… {seconds} s"),
        Lang::Ru => format!("⏳ Жду свободного места на реле… {seconds} с"),
    }
}

/// It is loaded, and reads or thinks.
pub fn at_work(lang: Lang, model: &str, seconds: i64) -> String {
    match lang {
        Lang::En => format!("⏳ {model} is at work… {seconds} s"),
        Lang::Ru => format!("⏳ {model} работает… {seconds} с"),
    }
}

pub fn fresh_start(lang: Lang, archived: i64) -> String {
    match (lang, archived) {
        (Lang::En, 0) => "✨ A fresh conversation.".to_owned(),
        (Lang::Ru, 0) => "✨ Новый разговор.".to_owned(),
        (Lang::En, n) => format!("✨ A fresh conversation. The last one is archived ({n} messages)."),
        (Lang::Ru, n) => format!("✨ Новый разговор. Прежний в архиве (сообщений: {n})."),
    }
}

pub fn unknown_command(lang: Lang, name: &str) -> String {
    match lang {
        Lang::En => format!("I do not know /{name}. See /help."),
        Lang::Ru => format!("Не знаю команды /{name}. Смотрите /help."),
    }
}

pub fn pick_model(lang: Lang, current: &str) -> String {
    match lang {
        Lang::En => format!("Current model: {current}\nPick another for this conversation:"),
        Lang::Ru => format!("Сейчас: {current}\nВыберите модель для этого разговора:"),
    }
}

pub fn model_set(lang: Lang, model: &str) -> String {
    match lang {
        Lang::En => format!("✓ {model} answers from now on."),
        Lang::Ru => format!("✓ Теперь отвечает {model}."),
    }
}

pub fn list_incomplete(lang: Lang) -> &'static str {
    lang.pick(
        "\n(The provider's live list did not load; these are the configured ones.)",
        "\n(Список провайдера не загрузился; это модели из настроек.)",
    )
}

/// Command menu: name and description, for `setMyCommands`.
pub fn menu(lang: Lang) -> [(&'static str, &'static str); 11] {
    [
        ("new", lang.pick("Start a fresh conversation", "Начать новый разговор")),
        ("stop", lang.pick("End the current answer", "Прервать ответ")),
        ("model", lang.pick("Pick the model", "Выбрать модель")),
        ("think", lang.pick("How hard the model thinks", "Насколько усердно думает модель")),
        ("reasoning", lang.pick("Show or hide the model's thoughts", "Показать или скрыть мысли модели")),
        ("usage", lang.pick("What was used and spent", "Что израсходовано")),
        ("compact", lang.pick("Fold the old messages into a summary", "Свернуть старое в конспект")),
        ("export", lang.pick("This conversation as files", "Этот разговор файлами")),
        ("status", lang.pick("What I am doing", "Чем я занят")),
        ("whoami", lang.pick("Your and this chat's ids", "Ваш id и id чата")),
        ("help", lang.pick("What I can do", "Что я умею")),
    ]
}

/// What `/status` tells.
#[derive(Debug, Clone, Default)]
pub struct Status {
    /// Who answers.
    pub agent: String,
    pub model: String,
    pub messages: i64,
    /// Of the prompt as it stands, as the model would count them.
    pub tokens: i64,
    /// Seconds the running turn has lasted.
    pub running: Option<i64>,
    pub waiting: i64,
    pub turns: i64,
    pub input_tokens: i64,
    pub output_tokens: i64,
    pub undelivered: i64,
    pub ambiguous: i64,
    pub failed: i64,
    pub plain_resends: u32,
    pub version: &'static str,
    /// Of the relays, if any are set up; ready to be read.
    pub relays: Vec<String>,
}

pub fn status(lang: Lang, s: &Status) -> String {
    let mut lines = match lang {
        Lang::En => vec![
            format!("Agent: {}", s.agent),
            format!("Model: {}", s.model),
            format!("Conversation: {} messages; the next prompt has about {} tokens", s.messages, s.tokens),
            match s.running {
                Some(seconds) => format!("Answering for {seconds} s; waiting messages: {}", s.waiting),
                None => "Idle".to_owned(),
            },
            format!("Answers so far: {}; tokens in {}, out {}", s.turns, s.input_tokens, s.output_tokens),
        ],
        Lang::Ru => vec![
            format!("Агент: {}", s.agent),
            format!("Модель: {}", s.model),
            format!("Разговор: сообщений {}; следующий запрос — около {} токенов", s.messages, s.tokens),
            match s.running {
                Some(seconds) => format!("Отвечаю уже {seconds} с; сообщений в очереди: {}", s.waiting),
                None => "Свободен".to_owned(),
            },
            format!("Ответов: {}; токенов получено {}, отдано {}", s.turns, s.input_tokens, s.output_tokens),
        ],
    };
    let mut note = |count: i64, en: &str, ru: &str| {
        if count > 0 {
            lines.push(format!("{}: {count}", lang.pick(en, ru)));
        }
    };
    note(s.undelivered, "Messages still to deliver", "Ещё не доставлено сообщений");
    note(s.ambiguous, "Deliveries Telegram did not confirm", "Не подтверждено Telegram");
    note(s.failed, "Deliveries given up", "Не удалось доставить");
    note(i64::from(s.plain_resends), "Sent without formatting", "Отправлено без оформления");
    lines.extend(s.relays.iter().cloned());
    lines.push(format!("Tideclaw {}", s.version));
    lines.join("\n")
}

pub fn whoami(lang: Lang, user: Option<i64>, chat: i64, topic: Option<i64>) -> String {
    let mut lines = Vec::new();
    if let Some(user) = user {
        lines.push(format!("{}: {user}", lang.pick("Your id", "Ваш id")));
    }
    lines.push(format!("{}: {chat}", lang.pick("This chat", "Этот чат")));
    if let Some(topic) = topic {
        lines.push(format!("{}: {topic}", lang.pick("Topic", "Тема")));
    }
    lines.join("\n")
}
