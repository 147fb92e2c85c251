//! Refusals in Russian. The API says them in English, for programs; a page shows the same to people, so their sentences stand
//! here once more. One that is missing here is shown as it came.
//!
//! Not here: when anything is refused (`directory`, `chat`, `admin`).

use std::borrow::Cow;

use crate::text::Lang;

/// English, Russian. `{}` stands for what a sentence quotes; in the Russian one they come in the same order.
const SENTENCES: &[(&str, &str)] = &[
    // Anywhere.
    ("The store failed. Try again.", "Хранилище не сработало. Попробуйте ещё раз."),
    ("The answer could not be written.", "Ответ не удалось записать."),
    ("The object that knows did not answer. Try again.", "Ответа не дождались. Попробуйте ещё раз."),
    ("The relays' hub did not answer. Try again.", "Хаб реле не ответил. Попробуйте ещё раз."),
    ("Another release answered. Try again.", "Ответил другой выпуск. Попробуйте ещё раз."),
    ("The field `{}` is missing.", "Не хватает поля `{}`."),
    ("The field `{}` must be an amount such as 0.5, or null.", "В поле `{}` нужна сумма, например 0.5, или пусто."),
    (
        "The field `{}` must be an amount such as 0.5, or null for the general cap.",
        "В поле `{}` нужна сумма, например 0.5, или пусто — тогда общий лимит.",
    ),
    ("The field `{}` must be {}.", "Поле `{}`: нужно другое — {}."),
    ("The parameter `{}` must be a whole number.", "Параметр `{}` должен быть целым числом."),
    // People and groups.
    ("no such group", "Такой группы нет."),
    (
        "this owner is named in OWNER_TELEGRAM_IDS and can only be removed there",
        "Этот владелец задан в OWNER_TELEGRAM_IDS, убрать его можно только там.",
    ),
    ("this is the last owner", "Это последний владелец."),
    ("only an approved person can become an owner", "Владельцем может стать только допущенный человек."),
    ("this setting cannot be set", "Эту настройку задать нельзя."),
    ("No such bot.", "Такого бота нет."),
    ("No such code.", "Такого кода нет."),
    ("No such invitation.", "Такого приглашения нет."),
    ("`{}` must be 1 to {}.", "`{}`: от 1 до {}."),
    ("`note` has at most {} characters.", "В `note` не больше {} знаков."),
    ("The bot has no owner yet: a link would let nobody in.", "У бота ещё нет владельца: по ссылке никто бы не вошёл."),
    ("Telegram has not told the bot's name yet. Try again.", "Telegram ещё не сообщил имя бота. Попробуйте ещё раз."),
    ("This person was approved meanwhile.", "Этого человека тем временем допустили."),
    ("This person was denied meanwhile.", "Этому человеку тем временем отказали."),
    ("This person was blocked meanwhile.", "Этого человека тем временем заблокировали."),
    ("The code has expired. The person can ask again.", "Код истёк. Человек может попросить снова."),
    // Conversations.
    ("There is no such conversation.", "Такой беседы нет."),
    ("There is no such turn.", "Такого ответа нет."),
    ("`confirm` must be the name of the conversation.", "Для подтверждения введите имя беседы."),
    ("The messages of this turn belong to another one by now.", "Сообщения этого ответа уже относятся к другому."),
    ("The conversation was started afresh since.", "С тех пор беседу начали заново."),
    ("This chat has no access now.", "У этого чата сейчас нет доступа."),
    ("The conversation is being deleted.", "Беседа удаляется."),
    ("Another turn runs now.", "Сейчас готовится другой ответ."),
    ("What this turn said is being sent right now.", "Сказанное в этом ответе прямо сейчас отправляется."),
    ("This turn still runs.", "Этот ответ ещё готовится."),
    (
        "Only turns that failed or were stopped can be tried again.",
        "Повторить можно только неудавшийся или остановленный ответ.",
    ),
    (
        "Only a delivery that is uncertain can be sent again.",
        "Отправить снова можно только то, о чём неизвестно, дошло ли оно.",
    ),
    // Models.
    ("The provider of `{}` is not set up.", "Провайдер модели `{}` не настроен."),
    ("No bot has a token.", "Ни у одного бота нет токена."),
    ("No leave for the call was given. Try again.", "Разрешения на вызов не дали. Попробуйте ещё раз."),
    ("`model`: {}.", "Модель: {}."),
    (
        "a model is written provider/model, for example ollama/gpt-oss:120b",
        "модель пишется как провайдер/модель, например ollama/gpt-oss:120b",
    ),
    (
        "the model's name after the first / is empty or has blanks in it",
        "имя модели после первой / пусто или с пробелами",
    ),
    ("the model's name is longer than {} bytes", "имя модели длиннее {} байт"),
    // Backups.
    ("A restore is under way. Back up when it is over.", "Идёт восстановление. Сделайте копию, когда оно закончится."),
    ("A backup is under way already.", "Копия уже делается."),
    ("A restore is under way already.", "Восстановление уже идёт."),
    ("There is no backup to restore from.", "Восстанавливать не из чего."),
    ("There is no such restore point.", "Такой точки восстановления нет."),
    ("There was no restore.", "Восстановления не было."),
    ("Name the conversation in `session`.", "Укажите беседу в `session`."),
    // Agents and the configuration.
    ("There is an agent of this id already.", "Агент с таким id уже есть."),
    ("There is no such agent.", "Такого агента нет."),
    ("There is no such binding.", "Такой привязки нет."),
    ("There is no such version of the configuration.", "Такой версии настроек нет."),
    (
        "The configuration was changed meanwhile. Look at it and try again.",
        "Настройки тем временем изменили. Посмотрите их и попробуйте ещё раз.",
    ),
    ("This release cannot read the live configuration.", "Этот выпуск не читает действующие настройки."),
    (
        "The live configuration is of a release that this one cannot read.",
        "Действующие настройки записаны выпуском, который этот не читает.",
    ),
    ("The configuration could not be written.", "Настройки не удалось записать."),
    ("The configuration has mistakes. Nothing was saved.", "В настройках ошибки. Ничего не сохранено."),
    (
        "{} saved version {} at {} UTC; this change was made on version {}. Nothing was saved.",
        "{} сохраняет версию {} в {} UTC, а это изменение сделано поверх версии {}. Ничего не сохранено.",
    ),
    ("There is no version {} any more. Nothing was saved.", "Версии {} больше нет. Ничего не сохранено."),
    ("This is not JSON: {}.", "Это не JSON: {}."),
    ("The document has more than {} KiB.", "Документ больше {} КиБ."),
    ("This release cannot read the document.", "Этот выпуск не читает документ."),
    ("This field is there twice.", "Это поле указано дважды."),
    ("And {} more mistakes.", "И ещё ошибок: {}."),
    ("Must not be null. Leave the field out instead.", "Не должно быть null. Лучше уберите поле."),
    ("Is missing. Must be {}.", "Не хватает. Нужно: {}."),
    ("Must be {}.", "Нужно: {}."),
    ("Has {} entries, and at most {} are allowed.", "Записей {}, а можно не больше {}."),
    ("Has control characters in it.", "Содержит управляющие знаки."),
    ("Is no model: {}.", "Это не модель: {}."),
    ("This release knows no such provider.", "Такого провайдера этот выпуск не знает."),
    ("There is no such field. Is `{}` meant?", "Такого поля нет. Имелось в виду `{}`?"),
    ("There is no such field.", "Такого поля нет."),
    (
        "Looks like a key or token. Secrets belong to `wrangler secret put`, never in this document.",
        "Похоже на ключ или токен. Секретам место в `wrangler secret put`, а не в этом документе.",
    ),
    ("A topic needs the chat it is in.", "К теме нужен чат, в котором она."),
    ("Is about the same place as bindings[{}].", "О том же месте, что и bindings[{}]."),
    ("Is above input_usd.", "Больше, чем input_usd."),
    ("Is above the month's cap, which will hold first.", "Больше лимита на месяц, который сработает раньше."),
    ("Is above everybody's day, which will hold first.", "Больше общего лимита на день, который сработает раньше."),
    (
        "The provider `{}` is not set up: it has no key and no address of its own.",
        "Провайдер `{}` не настроен: нет ни ключа, ни своего адреса.",
    ),
    ("No relay is let in: `RELAY_TOKEN` is unset.", "Реле не допускаются: `RELAY_TOKEN` не задан."),
    // What may stand in a field.
    ("an object", "объект"),
    ("a list of at most {} entries", "список не длиннее {}"),
    ("text of at most {} characters", "текст не длиннее {} знаков"),
    ("one line of at most {} characters", "одна строка не длиннее {} знаков"),
    ("one emoji, or empty", "один эмодзи или пусто"),
    ("a bot's id: at most {} of a-z, 0-9 and _", "id бота: не больше {} знаков из a-z, 0-9 и _"),
    ("an agent's id: at most {} of a-z, 0-9, _ and -", "id агента: не больше {} знаков из a-z, 0-9, _ и -"),
    ("one of the words allowed here", "одно из допустимых слов"),
    ("a number from {} to {} with at most {} decimals", "число от {} до {}, не больше {} знаков после точки"),
    ("a whole number from {} to {}", "целое число от {} до {}"),
    ("true or false", "true или false"),
    (
        "a model written provider/model, for example ollama/gpt-oss:120b",
        "модель в виде провайдер/модель, например ollama/gpt-oss:120b",
    ),
];

/// A sentence in the reader's language.
pub fn refusal(lang: Lang, english: &str) -> Cow<'_, str> {
    match lang {
        Lang::En => Cow::Borrowed(english),
        Lang::Ru => russian(english, true).map_or(Cow::Borrowed(english), Cow::Owned),
    }
}

/// `nested`: what a sentence quotes may be one of ours too.
fn russian(english: &str, nested: bool) -> Option<String> {
    let (quoted, russian) =
        SENTENCES.iter().find_map(|(pattern, russian)| Some((quoted(pattern, english)?, russian)))?;
    let mut pieces = russian.split("{}");
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for (part, piece) in quoted.iter().zip(pieces) {
        let part = nested.then(|| self::russian(part, false)).flatten().unwrap_or_else(|| (*part).to_owned());
        text.push_str(&part);
        text.push_str(piece);
    }
    Some(text)
}

/// What stands where `pattern` has its `{}`; `None`: `text` is another sentence.
fn quoted<'a>(pattern: &str, text: &'a str) -> Option<Vec<&'a str>> {
    let mut pieces = pattern.split("{}").peekable();
    let mut rest = text.strip_prefix(pieces.next()?)?;
    let mut parts = Vec::new();
    while let Some(piece) = pieces.next() {
        let end = match pieces.peek() {
            Some(_) => rest.find(piece)?,
            None => rest.len() - rest.strip_suffix(piece).map(|_| piece.len())?,
        };
        parts.push(rest.get(..end)?);
        rest = rest.get(end + piece.len()..)?;
    }
    rest.is_empty().then_some(parts)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;
    use std::path::{Path, PathBuf};

    use super::*;

    /// Parts of a JSON body that no form of a page can get wrong.
    const PROGRAMS_ONLY: [&str; 12] = [
        "No such route.",
        "No answer was scripted.",
        "Too late.",
        "Unauthorized.",
        "This was not sent by a page of this site.",
        "The body must be a JSON object.",
        "The parameters `bot` and `chat` are needed.",
        "`form` is `markdown` or `jsonl`.",
        "The field `what` must be `all`, `directory` or `conversation`.",
        "`session` goes with `what` = `conversation` only.",
        "`manifest` is not the key of a manifest.",
        "`level` is info, warning or error.",
    ];

    #[test]
    fn sentences_are_found_with_what_they_quote() {
        let ru = |text: &'static str| refusal(Lang::Ru, text).into_owned();
        assert_eq!(ru("There is no such turn."), "Такого ответа нет.");
        assert_eq!(ru("The field `turn` is missing."), "Не хватает поля `turn`.");
        assert_eq!(ru("Is missing. Must be a whole number from 1 to 5."), "Не хватает. Нужно: целое число от 1 до 5.");
        assert_eq!(
            ru(
                "ann@example.com saved version 4 at 2026-11-20 00:00 UTC; this change was made on version 3. Nothing was saved."
            ),
            "ann@example.com сохраняет версию 4 в 2026-11-20 00:00 UTC, а это изменение сделано поверх версии 3. Ничего не сохранено."
        );
        assert_eq!(ru("Something of a newer release."), "Something of a newer release.");
        assert_eq!(refusal(Lang::En, "There is no such turn."), "There is no such turn.");
    }

    #[test]
    fn each_has_as_many_places_in_both_languages() {
        let cyrillic = |text: &str| text.chars().any(|c| ('а'..='я').contains(&c));
        for (english, russian) in SENTENCES {
            assert_eq!(english.matches("{}").count(), russian.matches("{}").count(), "{english}");
            assert!(cyrillic(russian) || *english == "true or false", "{russian}");
        }
    }

    fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                sources(&path, found);
            } else if path.extension().is_some_and(|end| end == "rs") {
                found.push(path);
            }
        }
    }

    /// Every sentence that a refusal is made of, wherever it is made, is here or known to be for programs.
    #[test]
    fn no_refusal_is_forgotten() {
        let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let mut files = Vec::new();
        ["admin", "directory", "chat"].iter().for_each(|folder| sources(&src.join(folder), &mut files));
        let (mut seen, mut missing) = (0, Vec::new());
        for file in files.iter().filter(|file| !file.to_string_lossy().contains("tests")) {
            let source = fs::read_to_string(file).unwrap();
            for made in source.split("Refused::").skip(1) {
                let line = made.lines().next().unwrap();
                let is_made = ["new(", "not_found(", "bad_input(", "conflict("].iter().any(|how| line.starts_with(how));
                let Some(sentence) = is_made.then(|| line.split('"').rfind(|part| part.ends_with('.'))).flatten()
                else {
                    continue;
                };
                // Names in braces are what `format!` fills in.
                let mut plain = String::new();
                let mut inside = false;
                for c in sentence.chars() {
                    inside = (inside || c == '{') && c != '}';
                    if !inside || c == '{' {
                        plain.push(c);
                    }
                }
                let sample = plain.replace("{}", "x");
                seen += 1;
                if refusal(Lang::Ru, &sample) == sample && !PROGRAMS_ONLY.contains(&plain.as_str()) {
                    missing.push(format!("{}: {plain}", file.display()));
                }
            }
        }
        assert!(missing.is_empty(), "{missing:#?}");
        assert!(seen > 40, "{seen} were found");
    }
}
