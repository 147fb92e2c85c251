//! Words of the page of backups.

use crate::text::Lang;

words! {
    state: "State", "Состояние";
    last: "Last backup", "Последняя копия";
    conversations: "Conversations", "Беседы";
    unsaved: "Changed since", "Изменены с тех пор";
    stored: "In storage", "В хранилище";
    files: "files", "файлов";
    back_up_now: "Back up now", "Сделать копию сейчас";
    under_way: "A backup is being made.", "Копия создаётся.";
    looking: "Storage is being looked through; more may be found. Reload in a moment.",
        "Хранилище просматривается, может найтись ещё. Обновите страницу через минуту.";
    found: "There are backups in storage that this deployment did not make: it lost its data, or is new. Restore, or go on: old \
        backups are kept for 30 days.",
        "В хранилище есть копии, которые сделаны не этой установкой: её данные потеряны или она новая. Восстановите их или \
        продолжайте работу: старые копии хранятся 30 дней.";
    failures: "Not backed up", "Без копии";
    object: "What", "Что";
    tries: "Tries", "Попыток";
    error: "Error", "Ошибка";
    since: "Last try", "Последняя попытка";
    restore: "Restore", "Восстановление";
    restore_points: "Restore points", "Точки восстановления";
    restore_help: "A restore point has everything: every conversation and the Directory with people, groups, settings and \
        spending.",
        "В точке восстановления есть всё: каждая беседа и справочник с людьми, группами, настройками и расходами.";
    at: "Made", "Создана";
    objects: "Objects", "Объектов";
    size: "Size", "Размер";
    everything: "Everything…", "Всё…";
    directory_only: "Directory only…", "Только справочник…";
    one_conversation: "One conversation", "Одна беседа";
    session: "Conversation, such as main:5", "Беседа, например main:5";
    from: "From", "Из";
    go_on: "Go on…", "Дальше…";
    before_loss: "before the loss", "до потери";
    runs: "Runs", "Запуски";
    started: "Started", "Начат";
    result: "Result", "Итог";
    by_schedule: "by schedule", "по расписанию";
    by_hand: "by hand", "вручную";
    sure: "Restore this?", "Восстановить?";
    replaced_all: "Every conversation of this restore point, and the Directory: people, groups, settings, configuration.",
        "Каждая беседа этой точки и справочник: люди, группы, настройки, конфигурация.";
    replaced_directory: "The Directory: people, groups, settings, configuration. Conversations stay as they are.",
        "Справочник: люди, группы, настройки, конфигурация. Беседы не изменятся.";
    replaced_conversation: "This conversation: its messages, files, settings.",
        "Эта беседа: её сообщения, файлы, настройки.";
    what_is_replaced: "This is replaced by what it was then", "Это заменяется тем, что было тогда";
    what_stays: "What was said after that moment is gone from there. Messages that arrive meanwhile are not lost. The audit, the \
        spending counted so far and conversations that the restore point does not have stay. Nothing is sent again.",
        "Сказанное после этого момента там исчезнет. Сообщения, которые придут тем временем, не потеряются. Журнал действий, \
        учтённые расходы и беседы, которых нет в точке восстановления, останутся. Повторно ничего не отправляется.";
    do_restore: "Replace and restore", "Заменить и восстановить";
    restoring: "A restore is under way. Reload to see how far it is.", "Идёт восстановление. Обновите страницу, чтобы увидеть, сколько готово.";
    last_restore: "Last restore", "Последнее восстановление";
    who: "By", "Кто";
    all: "everything", "всё";
    directory: "the Directory", "справочник";
    ok: "done", "готово";
    open: "under way", "идёт";
    partly: "partly", "частично";
    failed: "failed", "не удалось";
}

/// A length of bytes, short: `950 B`, `1.2 kB`, `34 MB`.
pub fn bytes(lang: Lang, bytes: i64) -> String {
    let units = match lang {
        Lang::En => ["B", "kB", "MB", "GB"],
        Lang::Ru => ["Б", "кБ", "МБ", "ГБ"],
    };
    let mut tenths = bytes.clamp(0, i64::MAX / 10) * 10;
    let mut place = 0;
    while tenths >= 10_000 && place + 1 < units.len() {
        tenths = (tenths + 500) / 1_000;
        place += 1;
    }
    let unit = units.get(place).copied().unwrap_or_default();
    let point = lang.pick(".", ",");
    match tenths < 100 && place > 0 {
        true => format!("{}{point}{} {unit}", tenths / 10, tenths % 10),
        false => format!("{} {unit}", (tenths + 5) / 10),
    }
}

/// How many objects a restore has put back.
pub fn progress(lang: Lang, done: i64, failed: i64, total: i64) -> String {
    match (lang, failed) {
        (Lang::En, 0) => format!("{done} of {total}"),
        (Lang::En, _) => format!("{done} of {total}, {failed} failed"),
        (Lang::Ru, 0) => format!("{done} из {total}"),
        (Lang::Ru, _) => format!("{done} из {total}, с ошибкой {failed}"),
    }
}

/// What a run did.
pub fn outcome(lang: Lang, done: i64, failed: i64, deleted: i64) -> String {
    match lang {
        Lang::En => format!("{done} backed up, {failed} failed, {deleted} old files deleted"),
        Lang::Ru => format!("копий: {done}, ошибок: {failed}, удалено старых файлов: {deleted}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths() {
        for (length, en, ru) in [
            (0, "0 B", "0 Б"),
            (999, "999 B", "999 Б"),
            (1_240, "1.2 kB", "1,2 кБ"),
            (9_960, "10 kB", "10 кБ"),
            (34_400_000, "34 MB", "34 МБ"),
            (5_000_000_000_000, "5000 GB", "5000 ГБ"),
            (-1, "0 B", "0 Б"),
        ] {
            assert_eq!((bytes(Lang::En, length).as_str(), bytes(Lang::Ru, length).as_str()), (en, ru));
        }
    }
}
