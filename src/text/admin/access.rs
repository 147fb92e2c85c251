//! Words for those who stand before a shut door: how to set up Cloudflare Access.

use crate::text::Lang;

words! {
    title: "The admin pages are shut", "Страницы управления закрыты";
    intro:
        "They open only behind Cloudflare Access, and that is not set up yet. Nobody gets in until it is. Ten minutes, free for up to 50 people:",
        "Они открываются только за Cloudflare Access, а он ещё не настроен. До тех пор сюда не войдёт никто. Это десять минут и бесплатно до 50 человек:";
    application:
        "In the Cloudflare dashboard, Zero Trust → Access controls → Applications, add a Self-hosted application with these three destinations, without * at the end:",
        "В панели Cloudflare, Zero Trust → Access controls → Applications, добавьте приложение Self-hosted с тремя адресами, без * в конце:";
    policy:
        "Give it a policy with the action Allow that includes your e-mail address.",
        "Добавьте к нему политику с действием Allow и своим адресом почты в Include.";
    secrets:
        "From its overview take the Application Audience (AUD) Tag; your team domain is under Zero Trust → Settings. Then, in the project's folder:",
        "На его странице возьмите Application Audience (AUD) Tag; домен команды указан в Zero Trust → Settings. Затем в папке проекта:";
    reload: "Reload this page and sign in.", "Обновите эту страницу и войдите.";
    more: "More is in docs/operations.md, “Access, step by step”.", "Подробности в docs/operations.md, раздел «Access, step by step».";
}

/// Names what is missing or makes no sense.
pub fn missing(lang: Lang, names: &str) -> String {
    match lang {
        Lang::En => format!("Not set, or not understood: {names}."),
        Lang::Ru => format!("Не задано или непонятно: {names}."),
    }
}
