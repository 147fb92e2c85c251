//! Words of the admin pages, English and Russian, a file a page; here those that all pages share.
//!
//! Not here: messages of the API, which are English and for programs.

pub mod access;
pub mod agents;
pub mod doctor;

pub mod backups;
pub mod conversations;
pub mod logs;

pub mod models;
pub mod overview;
pub mod people;
pub mod refusals;
pub mod relays;
pub mod settings;

words! {
    product: "Tideclaw", "Tideclaw";
    skip_to_content: "Skip to content", "К содержанию";
    overview: "Overview", "Обзор";
    conversations: "Conversations", "Беседы";
    people: "People", "Люди";
    models: "Models and spend", "Модели и расходы";
    agents: "Agents", "Агенты";
    settings: "Settings", "Настройки";
    logs: "Logs", "Журнал";
    backups: "Backups", "Резервные копии";
    doctor: "Doctor", "Диагностика";
    /// The link that switches to the other language, in that language.
    other_language: "Русский", "English";
    not_found: "There is no such page.", "Такой страницы нет.";
    went_wrong: "That did not work", "Не получилось";
    back: "Back", "Назад";
    save: "Save", "Сохранить";
    search: "Search", "Найти";
    older: "Older", "Раньше";
    newer: "Newer", "Позже";
    nothing_here: "Nothing here yet.", "Пока пусто.";
    never: "never", "никогда";
    unknown: "unknown", "неизвестно";
    yes: "yes", "да";
    no: "no", "нет";
    cancel: "Cancel", "Отмена";
    done: "Done.", "Готово.";
}
