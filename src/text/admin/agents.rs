//! Words of the agents page.

use crate::text::Lang;

words! {
    intro: "An agent is a name, a persona and a model. A binding says where it answers; the most specific one holds: topic, then chat, then bot. Without one, main answers.", "Агент — это имя, характер и модель. Привязка говорит, где он отвечает; действует самая точная: тема, затем чат, затем бот. Без неё отвечает main.";
    bot_name: "The name people see above a chat is the bot's own, set with @BotFather.", "Имя над чатом — это имя самого бота, его задают в @BotFather.";
    add: "Add an agent", "Добавить агента";
    edit: "Edit", "Изменить";
    delete: "Delete", "Удалить";
    delete_with_bindings: "Delete it and its bindings", "Удалить вместе с привязками";
    reset: "Reset main", "Сбросить main";
    id: "Id", "Идентификатор";
    id_help: "Small Latin letters, digits, _ and -. It stays as it is.", "Строчные латинские буквы, цифры, _ и -. Потом не меняется.";
    name: "Name", "Имя";
    emoji: "Emoji", "Эмодзи";
    persona: "Persona", "Характер";
    persona_help: "Stands in the system prompt after our own rules, in every call: what it says costs tokens each time.", "Стоит в системном промпте после наших правил, в каждом запросе: каждое слово каждый раз стоит токенов.";
    model: "Model", "Модель";
    fallbacks: "Fallback models", "Запасные модели";
    thinking: "Thinking", "Размышление";
    tools: "Tools", "Инструменты";
    tools_all: "all", "все";
    tools_none: "none", "нет";
    as_deployment: "as for all", "как у всех";
    empty_means: "Empty: as the settings say for all.", "Пусто: как в настройках для всех.";
    models_help: "provider/model, several with commas", "provider/model, несколько через запятую";
    dash_means: "A dash alone: none.", "Один дефис: никаких.";
    models_own: "as the model does by itself", "как решит сама модель";
    not_set_up: "provider not set up", "провайдер не настроен";
    answers_everywhere_else: "Answers wherever no binding says otherwise.", "Отвечает везде, где не привязан другой.";
    answers_nowhere: "Answers nowhere yet: add a binding.", "Пока нигде не отвечает: добавьте привязку.";
    answers_in: "Answers in", "Отвечает здесь";
    everywhere: "everywhere", "везде";
    no_persona: "No persona: our own rules alone.", "Без характера: только наши правила.";
    bindings: "Add a binding", "Добавить привязку";
    bindings_help: "Leave out what does not matter. A place that is bound already goes over to the agent chosen here.", "Оставьте пустым то, что неважно. Уже привязанное место перейдёт к выбранному агенту.";
    remove: "Remove", "Убрать";
    bot: "Bot", "Бот";
    any_bot: "any bot", "любой бот";
    chat: "Chat", "Чат";
    chat_help: "A person's or group's id; /whoami tells it.", "Id человека или группы; его сообщает /whoami.";
    topic: "Topic", "Тема";
    agent: "Agent", "Агент";
    bind: "Bind", "Привязать";
    who_answers: "Who answers here?", "Кто отвечает здесь?";
    ask: "Ask", "Узнать";
    by_default: "No binding is about this place, so main answers.", "Об этом месте привязки нет, поэтому отвечает main.";
    by_binding: "By the binding", "По привязке";
    saved_meanwhile: "Somebody saved another version meanwhile. What you typed is still here: look at it, and save again.", "Тем временем сохранили другую версию. Набранное осталось: проверьте и сохраните ещё раз.";
    live_version: "Version", "Версия";
    only_environment: "Nothing is saved yet: the environment's variables hold.", "Пока ничего не сохранено: действуют переменные окружения.";
}

/// The title of an agent's own page.
pub fn editing(lang: Lang, id: &str) -> String {
    match lang {
        Lang::En => format!("Agent {id}"),
        Lang::Ru => format!("Агент {id}"),
    }
}
