//! Words of the page about models and spend.

use crate::text::Lang;
use crate::text::amount::{tokens, usd};

words! {
    chain: "Which models answer", "Какие модели отвечают";
    chain_how: "The first one answers; the others stand in for it, in this order, when it fails.", "Отвечает первая; если она не может, её заменяют следующие по порядку.";
    default_model: "default", "основная";
    stand_in: "stand-in", "запасная";
    of_agent: "of an agent", "модель агента";
    from_document: "set in Settings", "из настроек";
    from_environment: "set in the environment", "из переменных окружения";
    change_in_settings: "Change it in Settings", "Изменить в настройках";
    ready: "ready", "готова";
    not_set_up: "its provider is not set up", "провайдер не настроен";
    rests: "rests", "отдыхает";
    until: "until", "до";
    in_a_row: "failures in a row", "сбоев подряд";
    clear: "Try again now", "Попробовать снова сейчас";
    clear_how: "Ends the rest: the next message may use it at once.", "Прекращает отдых: следующее сообщение сможет обратиться сразу.";
    left_out: "left out of requests", "не посылается";
    price_assumed: "price not known, a high one is assumed", "цена неизвестна, считается высокой";
    price_per_million: "per million tokens in / out", "за миллион токенов на входе / выходе";
    free: "free", "бесплатно";
    overridden: "catalogue override", "своя запись в каталоге";
    catalogue: "Catalogue overrides", "Свои записи каталога";
    catalogue_none: "None: prices and limits come from the built-in table.", "Нет: цены и пределы взяты из встроенной таблицы.";
    catalogue_wrong: "Not understood", "Не разобрано";

    providers: "Providers", "Провайдеры";
    key_set: "key set", "ключ задан";
    key_unset: "no key", "нет ключа";
    through_gateway: "through AI Gateway", "через AI Gateway";
    direct: "direct", "напрямую";
    own_server: "a server of your own", "свой сервер";
    through_relays: "through relays", "через реле";
    not_in_use: "not set up", "не настроен";

    health: "Resting and left out", "Отдых и ограничения";
    all_well: "Nothing rests, and no model refused anything.", "Ничто не отдыхает, отказов от возможностей не было.";
    whole_provider: "the whole provider", "весь провайдер";

    spend: "Spend", "Расходы";
    today: "Today", "Сегодня";
    this_month: "This month", "В этом месяце";
    caps: "Caps", "Лимиты";
    caps_how: "US dollars. Empty: what the environment says. Saved as a new version of the configuration.", "В долларах США. Пусто: как в переменных окружения. Сохраняется как новая версия настроек.";
    day_cap: "A day", "В день";
    month_cap: "A month", "В месяц";
    person_cap: "A person and day", "На человека в день";
    utc: "Days and months are UTC.", "Дни и месяцы — по UTC.";
    by_day: "By day", "По дням";
    by_model: "By model", "По моделям";
    by_person: "By person", "По людям";
    last_30: "30 days", "30 дней";
    last_90: "90 days", "90 дней";
    numbers: "Numbers", "Числа";
    day: "Day", "День";
    model: "Model", "Модель";
    person: "Person", "Человек";
    calls: "Calls", "Вызовы";
    failures: "Failed", "Сбои";
    input: "Tokens in", "Токены на входе";
    output: "Tokens out", "Токены на выходе";
    cost: "Cost", "Стоимость";
    no_calls: "No calls in these days.", "В эти дни вызовов не было.";
    partly_assumed: "≈ partly on assumed prices", "≈ отчасти по предполагаемым ценам";

    ping: "Ping", "Проверить";
    ping_title: "Test call", "Пробный вызов";
    ping_how: "Makes one tiny real call. It costs a little, counts as spend, and the caps hold.", "Делает один крошечный настоящий вызов. Он немного стоит, учитывается в расходах, лимиты действуют.";
    ping_other: "Another model, as provider/model", "Другая модель, в виде провайдер/модель";
    answered: "It answered.", "Ответила.";
    first_byte: "first byte after", "первый байт через";
    in_all: "in all", "всего";
    what_it_said: "Its server's words", "Слова сервера";
}

/// Why a test call failed: a class of failure, `timed_out`, `capped_day` or `capped_month`.
pub fn why(lang: Lang, code: &str) -> &'static str {
    let (en, ru) = match code {
        "auth" => ("The key is missing, wrong or refused.", "Ключ не задан, неверен или отвергнут."),
        "plan" => ("The model is not in the account's plan.", "Модель не входит в тариф."),
        "quota" => ("The account's allowance is used up.", "Лимит аккаунта исчерпан."),
        "rate" => ("Too many requests at the moment.", "Слишком частые запросы."),
        "transient" => ("The server is not reachable or in trouble.", "Сервер недоступен или у него сбой."),
        "overflow" => ("The request does not fit the model.", "Запрос не помещается в модель."),
        "bad_request" => ("The server refuses the request.", "Сервер отвергает запрос."),
        "retired" => {
            ("There is no such model any more, or its name is misspelt.", "Такой модели больше нет, или имя с ошибкой.")
        }
        "content" => ("The provider withheld the answer.", "Провайдер не показал ответ."),
        "empty" => ("It ended without an answer.", "Завершилась без ответа."),
        "timed_out" => (
            "No answer within 20 seconds, or 60 through a relay. In a conversation it would be waited for longer.",
            "Нет ответа за 20 секунд (через реле — за 60). В беседе его ждали бы дольше.",
        ),
        "capped_day" => {
            ("The day's cap would be passed; no call was made.", "Превысила бы лимит на день; вызова не было.")
        }
        "capped_month" => {
            ("The month's cap would be passed; no call was made.", "Превысила бы лимит на месяц; вызова не было.")
        }
        _ => ("It failed.", "Не удалось."),
    };
    lang.pick(en, ru)
}

/// A feature that requests leave out, by its word.
pub fn feature(lang: Lang, code: &str) -> &'static str {
    let (en, ru) = match code {
        "thinking" => ("the wish how hard to think", "пожелание, как долго думать"),
        "tools" => ("tools", "инструменты"),
        "media" => ("pictures, sounds and documents", "картинки, звук и документы"),
        "stream_usage" => ("asking for consumption", "запрос расхода"),
        _ => ("signatures", "подписи"),
    };
    lang.pick(en, ru)
}

/// `1,234 ms` as people read it.
pub fn seconds(lang: Lang, ms: i64) -> String {
    let seconds = ms.max(0) as f64 / 1_000.0;
    match lang {
        Lang::En => format!("{seconds:.2} s"),
        Lang::Ru => format!("{seconds:.2} с").replace('.', ","),
    }
}

/// What a chart shows, for who cannot see it.
pub fn chart(lang: Lang, days: i64, nano_usd: u64, most: &str) -> String {
    let sum = usd(nano_usd);
    match lang {
        Lang::En => format!("Spend of {days} days: {sum} in all, at most {most} a day"),
        Lang::Ru => format!("Расходы за {days} дн.: всего {sum}, не больше {most} в день"),
    }
}

/// Tokens in and out of a call.
pub fn took(lang: Lang, input: u64, output: u64) -> String {
    match lang {
        Lang::En => format!("{} tokens in, {} out", tokens(input), tokens(output)),
        Lang::Ru => format!("{} токенов на входе, {} на выходе", tokens(input), tokens(output)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_read_as_in_each_language() {
        assert_eq!((seconds(Lang::En, 1_234).as_str(), seconds(Lang::Ru, 50).as_str()), ("1.23 s", "0,05 с"));
    }
}
