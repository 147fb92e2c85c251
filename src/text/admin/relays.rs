//! Words about relays: how each stands. What is wrong with them: `doctor`.

use crate::text::Lang;

words! {
    title: "Relays", "Реле";
    hub_silent: "The hub did not answer.", "Хаб реле не ответил.";
    none_yet: "No relay was ever connected. How to start one: docs/relay.md.", "Ни одно реле ещё не подключалось. Как запустить: docs/relay.ru.md.";
    connected: "connected", "на связи";
    away: "away", "нет связи";
    draining: "stopping", "останавливается";
    since: "since", "с";
    loaded: "loaded", "в памяти";
    no_models: "It tells of no models.", "Моделей не сообщает.";
    ollama_trouble: "Ollama does not answer", "Ollama не отвечает";
    queued: "Calls waiting for a free slot", "Вызовов ждёт свободного места";
    ping: "Ping", "Проверить";
}

/// Its release.
pub fn release(lang: Lang, software: &str) -> String {
    match lang {
        Lang::En => format!("release {software}"),
        Lang::Ru => format!("выпуск {software}"),
    }
}

/// Round trip to the hub.
pub fn latency(lang: Lang, ms: u32) -> String {
    match lang {
        Lang::En => format!("{ms} ms"),
        Lang::Ru => format!("{ms} мс"),
    }
}

/// Calls it makes now.
pub fn in_flight(lang: Lang, now: u32, most: u32) -> String {
    match lang {
        Lang::En => format!("{now} of {most} in use"),
        Lang::Ru => format!("занято {now} из {most}"),
    }
}

/// Calls since it was first seen.
pub fn calls(lang: Lang, good: i64, failed: i64) -> String {
    match lang {
        Lang::En => format!("{} calls, {failed} failed", good + failed),
        Lang::Ru => format!("вызовов {}, со сбоем {failed}", good + failed),
    }
}
