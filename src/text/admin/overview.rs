//! Words of the first page.

use crate::text::Lang;

words! {
    bots: "Bots", "Боты";
    webhook: "Webhook", "Вебхук";
    webhook_good: "works", "работает";
    webhook_unset: "not set", "не задан";
    webhook_elsewhere: "points elsewhere", "указывает на другой адрес";
    webhook_unknown: "Telegram did not answer", "Telegram не ответил";
    webhook_failing: "deliveries fail", "доставка не удаётся";
    last_error: "Last error", "Последняя ошибка";
    more_bots: "Further bots", "Ещё ботов";
    queue: "Queue", "Очередь";
    waiting_at_telegram: "Updates waiting at Telegram", "Обновлений ждёт у Telegram";
    waiting_here: "Messages waiting to be sent", "Сообщений ждёт отправки";
    last_update: "Last activity", "Последняя активность";
    busy_today: "Active in 24 hours", "Активны за 24 часа";
    all_conversations: "Conversations", "Бесед";
    spend: "Spend", "Расходы";
    today: "Today", "Сегодня";
    this_month: "This month", "В этом месяце";
    calls: "Model calls today", "Вызовов моделей сегодня";
    providers: "Providers", "Провайдеры";
    ready: "ready", "готов";
    has_no_key: "no key", "нет ключа";
    rests_until: "rests until", "отдыхает до";
    through_gateway: "through AI Gateway", "через AI Gateway";
    backups: "Backups", "Резервные копии";
    last_backup: "Last backup", "Последняя копия";
    all_is_well: "All is well.", "Всё в порядке.";
    to_do: "To do", "Что сделать";
    still_looking: "The doctor is still looking. See its page.", "Диагностика ещё идёт. Смотрите её страницу.";
    release: "Release", "Версия";
    configuration: "Configuration", "Конфигурация";
    from_environment: "environment only", "только переменные окружения";
    no_bots: "No bot has a token. Run `npm run setup`.", "Ни у одного бота нет токена. Выполните `npm run setup`.";
}

/// `$0.12 of $1.00`.
pub fn of(lang: Lang, spent: &str, cap: &str) -> String {
    match lang {
        Lang::En => format!("{spent} of {cap}"),
        Lang::Ru => format!("{spent} из {cap}"),
    }
}

/// The live configuration's number.
pub fn version(lang: Lang, version: i64) -> String {
    match lang {
        Lang::En => format!("version {version}"),
        Lang::Ru => format!("версия {version}"),
    }
}
