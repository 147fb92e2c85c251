//! Words of the settings page, and what each field of the configuration means (also in its JSON Schema, in English).

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
    field_deadlines: "Seconds until a model's first byte, between two, and for the whole call", "Секунд до первого байта модели, между двумя и на весь вызов";
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
