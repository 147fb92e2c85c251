//! What the doctor says: for each finding the reason in one sentence, and the one action that mends it.

use crate::text::Lang;

/// Reason and action.
pub type Said = (String, String);

words! {
    title: "Doctor", "Диагностика";
    all_well: "Everything that was looked at is well.", "Всё, что проверено, в порядке.";
    again: "Look again", "Проверить снова";
    ok: "ok", "в порядке";
    info: "note", "заметка";
    warning: "warning", "внимание";
    error: "error", "ошибка";
    group_telegram: "Telegram", "Telegram";
    group_access: "Cloudflare Access", "Cloudflare Access";
    group_models: "Models and spend", "Модели и расходы";
    group_relays: "Relays", "Реле";
    group_people: "People and groups", "Люди и группы";
    group_storage: "Storage and backups", "Хранилище и резервные копии";
    group_system: "System", "Система";
    looked_at: "Looked at", "Проверено";
    also_from_outside: "What only a look from outside shows: npm run doctor -- --url <address>.", "Что видно только снаружи: npm run doctor -- --url <адрес>.";
}

/// Sentences that need no action.
macro_rules! fine {
    ($($name:ident($($arg:ident: $kind:ty),*): $en:literal, $ru:literal;)*) => {$(
        pub fn $name(lang: Lang $(, $arg: $kind)*) -> String {
            match lang {
                Lang::En => format!($en),
                Lang::Ru => format!($ru),
            }
        }
    )*};
}

/// Reason and action, English before Russian.
macro_rules! trouble {
    ($($name:ident($($arg:ident: $kind:ty),*): $en:literal, $en_do:literal, $ru:literal, $ru_do:literal;)*) => {$(
        pub fn $name(lang: Lang $(, $arg: $kind)*) -> Said {
            match lang {
                Lang::En => (format!($en), format!($en_do)),
                Lang::Ru => (format!($ru), format!($ru_do)),
            }
        }
    )*};
}

fine! {
    token_works(username: &str): "The token works: @{username}.", "Токен действует: @{username}.";
    webhook_is_set(): "The webhook is set to this Worker.", "Вебхук указывает на этот Worker.";
    secret_is_asked(): "The webhook refuses whoever does not know its secret.", "Вебхук не пускает без секрета.";
    updates_exact(): "Exactly the updates this release understands arrive.", "Приходят ровно те обновления, которые понимает этот выпуск.";
    nothing_pending(): "No updates wait at Telegram.", "У Telegram ничего не ждёт.";
    no_webhook_error(): "Telegram reports no recent trouble with the webhook.", "Telegram не сообщает о недавних сбоях вебхука.";
    privacy_fits(): "Privacy mode fits the groups' rules.", "Режим приватности подходит к правилам групп.";
    commands_set(): "The command menu is this release's.", "Меню команд — от этого выпуска.";
    access_set(): "Access is configured; tokens are verified here.", "Access настроен; токены проверяются здесь.";
    keys_reachable(): "The team's public keys can be fetched.", "Открытые ключи команды доступны.";
    paths_covered(): "/_admin, /api and /debug refuse whoever has no token.", "/_admin, /api и /debug не пускают без токена.";
    webhook_open(): "Nothing stands before the webhook and /healthz.", "Перед вебхуком и /healthz ничего не стоит.";
    caps_set(day: &str, month: &str): "Spending is capped at {day} a day and {month} a month.", "Расходы ограничены: {day} в день, {month} в месяц.";
    budget_left(day: &str, month: &str): "Spent: {day} today, {month} this month.", "Потрачено: {day} сегодня, {month} за месяц.";
    default_model(model: &str): "{model} answers.", "Отвечает {model}.";
    keys_set(): "Every model in use has its server set up.", "Для всех используемых моделей серверы настроены.";
    provider_answers(count: usize): "It answers and lists {count} models.", "Отвечает, моделей в списке: {count}.";
    nobody_rests(): "No model rests after failures.", "Ни одна модель не отдыхает после сбоев.";
    fallbacks_there(count: usize): "{count} more can stand in for a model that fails.", "На подмене моделей: {count}.";
    no_relay_wanted(): "No relay is set up, and no model needs one.", "Реле не настроены и никому не нужны.";
    relay_token_set(): "Relays are let in by a token that is long enough.", "Реле входят по токену достаточной длины.";
    relay_there(): "It is connected.", "На связи.";
    relay_draining(): "It is stopping: it finishes what it has.", "Останавливается: заканчивает начатое.";
    relay_release_equal(release: &str): "It is of this release, {release}.", "Того же выпуска: {release}.";
    relay_ollama_answers(count: usize): "Its Ollama answers and has {count} models.", "Ollama отвечает, моделей: {count}.";
    relay_models_there(): "Every model that is to answer through a relay is there.", "Все модели, которые отвечают через реле, на месте.";
    storage_works(): "A file was written, read and deleted.", "Файл записан, прочитан и удалён.";
    backup_fresh(hours: i64): "The newest backup is {hours} h old.", "Последней копии {hours} ч.";
    backup_not_due(): "There is nothing to back up yet.", "Копировать пока нечего.";
    no_failed_backup(): "No object's last backup failed.", "Последние копии всех объектов удались.";
    policy_closed(): "Strangers cannot talk to the bot.", "Чужие не могут говорить с ботом.";
    groups_by_mention(): "In every group the bot answers only when addressed.", "Во всех группах бот отвечает, только если к нему обратились.";
    nobody_waits(): "Nobody waits for a decision.", "Решения никто не ждёт.";
    has_owner(): "The bot has an owner.", "У бота есть владелец.";
    claim_shut(): "No claim code is left open.", "Открытого кода владельца нет.";
    no_unused_token(): "No token is set that has no use.", "Лишних токенов нет.";
    no_debug_token(): "Faults on purpose are shut.", "Намеренные сбои закрыты.";
    clock_right(): "Our clock and Telegram's agree.", "Наши часы и часы Telegram сходятся.";
    versions_equal(version: &str): "Worker and objects run release {version}.", "Worker и объекты — выпуск {version}.";
    url_known(url: &str): "The address is {url}.", "Адрес: {url}.";
    nothing_stuck(): "Every message of the Directory is delivered.", "Все сообщения Directory доставлены.";
    no_errors(): "No errors in the last hour.", "Ошибок за последний час нет.";
    config_read(): "The live configuration is readable.", "Действующие настройки читаются.";
    // Notes with nothing to do.
    local_address(): "This is an address of your own machine, not a deployment.", "Это адрес вашей машины, а не развёртывание.";
    not_known(check: &str, what: &str): "{check} could not be looked at: {what} did not answer in time.", "{check}: проверить не удалось, {what} не отвечает вовремя.";
}

trouble! {
    token_refused(): "Telegram refuses the token.", "Get a valid one from @BotFather and put it: npm run setup -- --replace.", "Telegram не принимает токен.", "Возьмите действующий у @BotFather: npm run setup -- --replace.";
    telegram_silent(): "Telegram did not answer in time.", "Look again in a minute; if it stays, look at TELEGRAM_API_BASE.", "Telegram не ответил вовремя.", "Проверьте через минуту; если не прошло — посмотрите TELEGRAM_API_BASE.";
    no_webhook(): "No webhook is set: nothing anybody writes arrives.", "Run npm run setup.", "Вебхук не задан: сообщения не приходят.", "Выполните npm run setup.";
    webhook_elsewhere(host: &str): "The webhook points at {host}, not at this Worker.", "If that is not yours, run npm run setup to point it here.", "Вебхук указывает на {host}, а не на этот Worker.", "Если это не ваш адрес, выполните npm run setup.";
    webhook_wrong_path(path: &str): "The webhook ends in {path}: another bot's place.", "Run npm run setup -- --bot with this bot's id.", "Вебхук заканчивается на {path} — это место другого бота.", "Выполните npm run setup -- --bot с id этого бота.";
    no_secret(): "There is no webhook secret for this bot, so its webhook answers 404.", "Run npm run setup -- --bot with this bot's id.", "У бота нет секрета вебхука, поэтому вебхук отвечает 404.", "Выполните npm run setup -- --bot с id этого бота.";
    secret_not_asked(status: u16): "The webhook answers {status} to somebody without the secret; 401 is right.", "Find out what stands at this address; it is not this Worker.", "Вебхук отвечает {status} тому, кто не знает секрета; должно быть 401.", "Выясните, что находится по этому адресу; это не наш Worker.";
    secret_wrong(): "Telegram sends another secret than the Worker knows: updates are refused.", "Run npm run setup: it puts a new one on both sides.", "Telegram присылает не тот секрет: обновления отвергаются.", "Выполните npm run setup: он задаст новый с обеих сторон.";
    updates_differ(): "Other kinds of updates are asked for than this release understands.", "Run npm run setup.", "Запрошены не те виды обновлений, которые понимает этот выпуск.", "Выполните npm run setup.";
    pending(count: i64): "{count} updates wait at Telegram.", "Look at the webhook's last error and at the log.", "У Telegram ждут обновления: {count}.", "Посмотрите последнюю ошибку вебхука и журнал.";
    webhook_error(minutes: i64, text: &str): "{minutes} min ago Telegram could not deliver: {text}.", "Look at the log of that minute: npx wrangler tail.", "{minutes} мин назад Telegram не смог доставить: {text}.", "Посмотрите журнал за эту минуту: npx wrangler tail.";
    privacy_hides(title: &str): "Group \"{title}\" is to be answered without a mention, but privacy mode hides its messages.", "Switch privacy mode off with /setprivacy in @BotFather and add the bot to the group anew, or ask for a mention.", "В группе «{title}» бот должен отвечать без обращения, но режим приватности скрывает сообщения.", "Отключите его через /setprivacy в @BotFather и добавьте бота заново — или требуйте обращения.";
    privacy_off(): "Privacy mode is off: the bot is sent every message of its groups although it answers only when addressed.", "Switch it on with /setprivacy in @BotFather.", "Режим приватности выключен: боту приходят все сообщения групп, хотя он отвечает только на обращения.", "Включите его через /setprivacy в @BotFather.";
    commands_differ(): "The command menu is not this release's.", "Wait five minutes for the cron run, or run npm run setup.", "Меню команд не от этого выпуска.", "Подождите пять минут до запуска по расписанию или выполните npm run setup.";
    bots_left_out(count: usize): "{count} more bots were not looked at.", "Look at them with npm run setup -- --bot, one by one.", "Не проверено ботов: {count}.", "Проверьте их через npm run setup -- --bot по одному.";
    access_unset(names: &str): "Access is not configured: {names}.", "Run npm run setup, or see \"Deploy\" in the README.", "Access не настроен: {names}.", "Выполните npm run setup или смотрите «Развёртывание» в README.";
    no_keys(): "The team's public keys cannot be fetched: soon nobody gets in.", "Check CF_ACCESS_TEAM_DOMAIN.", "Открытые ключи команды недоступны: скоро никто не войдёт.", "Проверьте CF_ACCESS_TEAM_DOMAIN.";
    path_open(path: &str, status: u16): "{path} answers {status} to somebody without a token.", "Find out what stands at this address; our own routes refuse.", "{path} отвечает {status} без токена.", "Выясните, что находится по этому адресу; наши маршруты не пускают.";
    not_from_here(): "The platform does not let a Worker ask itself at this address.", "Look from outside: npm run doctor -- --url <address>.", "Платформа не даёт Worker обратиться к самому себе по этому адресу.", "Проверьте снаружи: npm run doctor -- --url <адрес>.";
    webhook_behind_access(path: &str, status: u16): "Something before the Worker answers {status} on {path}: Telegram cannot pass.", "In Zero Trust protect only the paths _admin, api and debug, or add a Bypass application for {path}.", "Перед Worker на {path} что-то отвечает {status}: Telegram не пройдёт.", "В Zero Trust защитите только пути _admin, api и debug или добавьте приложение Bypass для {path}.";
    bad_budget(names: &str): "{names} cannot be read, so the default holds.", "Write plain dollars such as 2.50.", "{names}: не читается, действует значение по умолчанию.", "Напишите доллары числом, например 2.50.";
    caps_absurd(day: &str, month: &str): "The caps are {day} a day and {month} a month: hardly a ceiling.", "Lower them in Settings.", "Лимиты — {day} в день и {month} в месяц: это почти не лимит.", "Уменьшите их в настройках.";
    caps_crossed(day: &str, month: &str): "A day's cap ({day}) is above the month's ({month}).", "Lower the day's cap in Settings.", "Лимит на день ({day}) больше месячного ({month}).", "Уменьшите дневной в настройках.";
    caps_zero(): "A cap is zero: only models that cost nothing answer.", "If that is not meant, raise it in Settings.", "Лимит равен нулю: отвечают только бесплатные модели.", "Если это не нарочно, увеличьте его в настройках.";
    budget_near(percent: u64): "{percent} % of a cap is used.", "Raise the cap in Settings, or let a cheaper model answer.", "Израсходовано {percent} % лимита.", "Увеличьте лимит в настройках или выберите модель дешевле.";
    budget_gone(): "A cap is used up: models that cost something do not answer.", "Raise the cap in Settings, or wait for the next period.", "Лимит исчерпан: платные модели не отвечают.", "Увеличьте лимит в настройках или дождитесь нового периода.";
    model_unreadable(name: &str): "\"{name}\" is not the name of a model.", "Write provider/model, as in ollama/gpt-oss:120b.", "«{name}» — не имя модели.", "Напишите поставщик/модель, например ollama/gpt-oss:120b.";
    model_homeless(model: &str): "{model} is to answer, but its provider is not set up.", "Put the provider's key: npm run setup, or choose another model in Settings.", "Отвечать должна {model}, но её поставщик не настроен.", "Задайте ключ поставщика: npm run setup, или выберите другую модель в настройках.";
    key_missing(): "There is no key, and this address wants one.", "Put it: npm run setup.", "Ключа нет, а этому адресу он нужен.", "Задайте его: npm run setup.";
    key_refused(): "It refuses the key.", "Make a new one with the provider and put it: npm run setup -- --replace.", "Ключ не принят.", "Создайте новый у поставщика: npm run setup -- --replace.";
    provider_odd(status: u16): "It answers {status} instead of a list of models.", "Check the address; behind AI Gateway run npm run check:gateway.", "Отвечает {status} вместо списка моделей.", "Проверьте адрес; за AI Gateway — npm run check:gateway.";
    provider_silent(): "It did not answer in time.", "Look again in a minute; check its address if it is your own server.", "Не ответил вовремя.", "Проверьте через минуту; если сервер свой — проверьте его адрес.";
    model_unlisted(model: &str): "{model} is not in its list of models.", "Choose one that is, with /model or in Settings.", "{model} нет в списке моделей.", "Выберите модель из списка: /model или настройки.";
    relay_unset(model: &str): "{model} is to answer, but RELAY_TOKEN is unset, so no relay is let in.", "Put one: npm run setup -- --relay.", "Отвечать должна {model}, но RELAY_TOKEN не задан, и реле не могут подключиться.", "Задайте его: npm run setup -- --relay.";
    relay_token_short(signs: usize): "RELAY_TOKEN has only {signs} signs and could be guessed.", "Put a new one: npm run setup -- --relay --replace, then give it to the relays.", "В RELAY_TOKEN всего {signs} знаков, его можно подобрать.", "Задайте новый: npm run setup -- --relay --replace, и передайте его реле.";
    relay_hub_silent(): "The relays' hub did not answer in time.", "Look again in a minute; if it stays, look at Logs.", "Хаб реле не ответил вовремя.", "Проверьте через минуту; если не прошло, посмотрите журнал.";
    relay_never(url: &str): "RELAY_TOKEN is set, but no relay was ever connected.", "Start one beside Ollama: ollama-relay --url {url}/relay --token-file <file>; see docs/relay.md.", "RELAY_TOKEN задан, но ни одно реле ещё не подключалось.", "Запустите его рядом с Ollama: ollama-relay --url {url}/relay --token-file <файл>; см. docs/relay.ru.md.";
    relay_away(minutes: i64): "It has been away for {minutes} min.", "Look on its machine: systemctl status ollama-relay, or docker compose logs; then ollama-relay check.", "Нет связи уже {minutes} мин.", "Посмотрите на его машине: systemctl status ollama-relay или docker compose logs, затем ollama-relay check.";
    relay_trouble(text: &str): "It is connected, but its Ollama does not answer: {text}.", "Start Ollama on that machine: systemctl start ollama.", "На связи, но Ollama за ним не отвечает: {text}.", "Запустите Ollama на той машине: systemctl start ollama.";
    relay_no_models(): "Its Ollama has no models, or none may pass.", "On its machine: ollama pull qwen3:8b; look at --allow-model.", "У Ollama за ним нет моделей, или ни одной не разрешено.", "На той машине: ollama pull qwen3:8b; проверьте --allow-model.";
    relay_release_differs(theirs: &str, ours: &str): "It is of release {theirs}, this Worker of {ours}. They understand each other.", "Bring the relay up to date when convenient: docs/relay.md.", "Реле — выпуск {theirs}, Worker — {ours}. Они понимают друг друга.", "Обновите реле, когда будет удобно: docs/relay.ru.md.";
    relay_model_waits(model: &str): "{model} is to answer, but no relay is connected.", "Start the relay, or choose another model in Settings.", "Отвечать должна {model}, но ни одно реле не на связи.", "Запустите реле или выберите другую модель в настройках.";
    relay_model_missing(model: &str): "{model} is to answer, but no connected relay has it.", "Pull it with ollama pull on the relay's machine, or name another one; /model shows what is there.", "Отвечать должна {model}, но ни у одного реле на связи её нет.", "Загрузите её через ollama pull на машине реле или выберите другую; список — в /model.";
    resting(name: &str, class: &str, minutes: i64): "{name} rests for {minutes} min more after a failure ({class}).", "Nothing if it passes; else look at the log and the provider.", "{name} отдыхает ещё {minutes} мин после сбоя ({class}).", "Ничего, если пройдёт; иначе смотрите журнал и поставщика.";
    no_fallback(): "No model can stand in for one that fails.", "Name one in Settings or in FALLBACK_MODELS.", "Подменить отказавшую модель некому.", "Назовите модель в настройках или в FALLBACK_MODELS.";
    storage_unbound(): "No bucket is bound: no files, no exports, no backups.", "Restore the [[r2_buckets]] block in wrangler.toml and deploy.", "Корзина не привязана: ни файлов, ни выгрузок, ни копий.", "Верните блок [[r2_buckets]] в wrangler.toml и опубликуйте.";
    storage_broken(what: &str): "The bucket failed at a test file: {what}.", "See https://www.cloudflarestatus.com and the bucket's settings.", "Корзина не справилась с пробным файлом: {what}.", "Смотрите https://www.cloudflarestatus.com и настройки корзины.";
    backup_none(): "There is no backup.", "Press \"Back up now\" under Backups.", "Резервной копии нет.", "Нажмите «Сделать копию» на странице копий.";
    backup_old(hours: i64): "The newest backup is {hours} h old.", "Press \"Back up now\" under Backups and look at the log.", "Последней копии {hours} ч.", "Нажмите «Сделать копию» на странице копий и посмотрите журнал.";
    backup_failed(count: i64): "The last backup of {count} objects failed.", "Look at Backups; each is tried again by itself.", "Не удалась последняя копия объектов: {count}.", "Посмотрите страницу копий; повтор будет сам.";
    policy_open(): "Anybody who finds the bot may talk to it and spend your budget.", "Choose pairing in Settings.", "Любой, кто найдёт бота, может говорить с ним за ваш счёт.", "Выберите в настройках допуск по коду.";
    groups_unmentioned(count: usize, title: &str): "In {count} groups, \"{title}\" among them, the bot answers every message.", "Ask for a mention under People.", "В группах ({count}, среди них «{title}») бот отвечает на каждое сообщение.", "Включите ответ по обращению на странице людей.";
    people_wait(count: i64): "{count} people or groups wait for a decision.", "Decide under People.", "Решения ждут: {count}.", "Решите на странице людей.";
    people_wait_long(count: i64, days: i64): "{count} people or groups wait for a decision, the oldest for {days} days.", "Decide under People.", "Решения ждут: {count}, дольше всего — {days} дн.", "Решите на странице людей.";
    nobody_owns(): "The bot has no owner, and nobody can become one.", "Run npm run setup -- --new-claim-code, or set OWNER_TELEGRAM_IDS.", "У бота нет владельца, и никто не может им стать.", "Выполните npm run setup -- --new-claim-code или задайте OWNER_TELEGRAM_IDS.";
    claim_open(): "The bot has no owner yet: whoever has the claim code takes it.", "Send it /start with the claim code now; npm run setup -- --new-claim-code makes another.", "У бота ещё нет владельца: его получит любой, у кого есть код.", "Отправьте боту /start с кодом сейчас; npm run setup -- --new-claim-code сделает новый.";
    claim_left(): "The claim code is still set; it would work again if the last owner were removed.", "Delete it: npx wrangler secret delete CLAIM_CODE.", "Код владельца всё ещё задан; он сработает, если удалить последнего владельца.", "Удалите его: npx wrangler secret delete CLAIM_CODE.";
    token_unused(names: &str): "{names} set, but nothing uses it in this release.", "Delete it: npx wrangler secret delete, with its name.", "Задано без применения в этом выпуске: {names}.", "Удалите: npx wrangler secret delete и имя.";
    debug_token(): "DEBUG_TOKEN is set: whoever knows it can make conversations fail on purpose.", "Delete it: npx wrangler secret delete DEBUG_TOKEN.", "Задан DEBUG_TOKEN: кто его знает, может нарочно ломать беседы.", "Удалите его: npx wrangler secret delete DEBUG_TOKEN.";
    clock_off(seconds: i64): "Our clock and Telegram's differ by {seconds} s.", "On a laptop set the clock; deployed, report it to Cloudflare.", "Наши часы и часы Telegram расходятся на {seconds} с.", "На своей машине поправьте часы; в облаке сообщите Cloudflare.";
    versions_differ(worker: &str, object: &str): "The Worker runs release {worker}, the Directory {object}.", "Wait some minutes after a deployment; if it stays, deploy again.", "Worker — выпуск {worker}, Directory — {object}.", "Подождите несколько минут после публикации; если не пройдёт, опубликуйте снова.";
    directory_silent(): "The Directory did not answer: nobody new gets in and no model is called.", "Look at the log for lines that begin with \"directory:\".", "Directory не отвечает: никто новый не войдёт и модели не вызываются.", "Ищите в журнале строки, начинающиеся с «directory:».";
    stuck(count: i64, minutes: i64): "{count} messages of the Directory wait, the oldest for {minutes} min.", "Look at the bot's token and at the log.", "Не доставлено сообщений Directory: {count}, старейшему {minutes} мин.", "Проверьте токен бота и журнал.";
    many_deliveries(count: i64): "{count} deliveries of conversations wait.", "Look at Logs; floods at Telegram pass by themselves.", "В беседах ждут доставки: {count}.", "Посмотрите журнал; ограничения Telegram проходят сами.";
    errors(count: i64): "{count} errors in the last hour.", "Look at Logs.", "Ошибок за последний час: {count}.", "Посмотрите журнал.";
    config_unread(version: i64): "Version {version} of the configuration cannot be read by this release; the environment holds.", "Roll back in Settings, or deploy the release that wrote it.", "Версию настроек {version} этот выпуск не читает; действует окружение.", "Верните прежнюю в настройках или опубликуйте выпуск, который её записал.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_in_both_languages() {
        for lang in [Lang::En, Lang::Ru] {
            let (reason, action) = webhook_behind_access(lang, "/telegram/main", 302);
            assert!(reason.contains("302") && reason.contains("/telegram/main") && action.contains("/telegram/main"));
            assert!(stuck(lang, 3, 20).0.contains("20"));
            assert!(caps_set(lang, "$1", "$10").contains("$10"));
        }
    }
}
