//! What people read about who may talk: pairing, ownership, groups, and the buttons of those messages.
//!
//! Names and titles come from strangers: callers pass them cleaned (one line, bounded), see `directory::Sender::display_name`.

use super::Lang;

/// A person as an owner sees them.
#[derive(Debug, Clone, Copy)]
pub struct Who<'a> {
    pub name: &'a str,
    pub username: Option<&'a str>,
    pub user_id: i64,
}

/// How a prompt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    Approved,
    Denied,
    Blocked,
    Expired,
    Admitted,
    Left,
}

/// A code as people read it: `ABCD EFGH`.
pub fn spaced(code: &str) -> String {
    let chars: Vec<char> = code.chars().collect();
    chars.chunks(4).map(|chunk| chunk.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

/// To a stranger who wrote for the first time.
pub fn stranger_prompt(lang: Lang, code: &str, user_id: i64) -> String {
    let code = spaced(code);
    match lang {
        Lang::En => format!(
            "Hello! I am a private assistant, so I need my owner's word first.\n\nYour code is {code}. Show it to \
             the owner; it works for one hour.\nYour Telegram id: {user_id}"
        ),
        Lang::Ru => format!(
            "Здравствуйте! Я личный ассистент, и сначала мне нужно согласие владельца.\n\nВаш код: {code}. Покажите \
             его владельцу, код действует один час.\nВаш Telegram id: {user_id}"
        ),
    }
}

/// To an owner: somebody asks to be let in.
pub fn owner_prompt(lang: Lang, who: Who<'_>, code: &str) -> String {
    let person = describe(who);
    let code = spaced(code);
    match lang {
        Lang::En => format!("Somebody would like to talk to me.\n\n{person}\nCode: {code}\n\nLet them in?"),
        Lang::Ru => format!("Со мной хочет поговорить новый человек.\n\n{person}\nКод: {code}\n\nПустить?"),
    }
}

/// The owner's prompt once decided; `by` is the name of who decided, if known.
pub fn owner_prompt_decided(lang: Lang, who: Who<'_>, ending: Ending, by: Option<&str>) -> String {
    format!("{}\n\n{}", describe(who), ended(lang, ending, by))
}

/// To a person who has just been let in.
pub fn approved(lang: Lang) -> &'static str {
    lang.pick(
        "You're in! Send me a message and I'll answer. What you wrote before I did not keep.",
        "Добро пожаловать! Напишите мне, и я отвечу. То, что вы писали раньше, я не сохранил.",
    )
}

/// To a person who came in with an invite link.
pub fn invited(lang: Lang) -> &'static str {
    lang.pick(
        "Welcome! You came in with an invitation. Send me a message and I'll answer.",
        "Добро пожаловать! Вы вошли по приглашению. Напишите мне, и я отвечу.",
    )
}

/// To an owner: somebody came in with an invite link; `note` is what its maker wrote to it, maybe nothing.
pub fn owner_invited(lang: Lang, who: Who<'_>, note: &str) -> String {
    let person = describe(who);
    let what = lang.pick("Came in with an invite link", "Допущен по ссылке-приглашению");
    match note {
        "" => format!("{person}\n\n✅ {what}"),
        note => format!("{person}\n\n✅ {what}: {note}"),
    }
}

/// To a stranger while the bot belongs to nobody.
pub fn no_owner(lang: Lang) -> &'static str {
    lang.pick(
        "I have no owner yet. If I am yours, send me the claim code you set up for me (CLAIM_CODE); `npm start` prints it.",
        "У меня пока нет владельца. Если я ваш, пришлите код владельца, который вы мне задали (CLAIM_CODE); `npm start` его печатает.",
    )
}

/// A claim code that is not the one.
pub fn wrong_claim(lang: Lang) -> &'static str {
    lang.pick(
        "That is not the claim code. Please check it and try again.",
        "Код не подошёл. Проверьте его и попробуйте ещё раз.",
    )
}

/// Too many wrong claim codes.
pub fn claim_locked(lang: Lang) -> &'static str {
    lang.pick(
        "Too many wrong codes. Please try again in an hour.",
        "Слишком много неверных кодов. Попробуйте через час.",
    )
}

/// To the new owner.
pub fn claimed(lang: Lang) -> &'static str {
    lang.pick(
        "Done: I am yours now. Just write to me. When others ask to talk to me, I will ask you first.",
        "Готово: теперь я ваш. Просто пишите мне. Если со мной захочет поговорить кто-то ещё, я сначала спрошу вас.",
    )
}

/// To the owner who added the bot to a group.
pub fn group_prompt_yours(lang: Lang, title: &str) -> String {
    match lang {
        Lang::En => format!("You added me to the group “{title}”. I stay silent there until you admit it."),
        Lang::Ru => format!("Вы добавили меня в группу «{title}». Пока вы не разрешите, я буду там молчать."),
    }
}

/// To every owner: somebody else added the bot to a group.
pub fn group_prompt_stranger(lang: Lang, title: &str, by: Who<'_>) -> String {
    let by = describe(by);
    match lang {
        Lang::En => format!("I was added to the group “{title}” by\n{by}\n\nI have said nothing there. Admit it?"),
        Lang::Ru => {
            format!("Меня добавили в группу «{title}». Кто добавил:\n{by}\n\nЯ там ничего не писал. Разрешить?")
        }
    }
}

/// The group prompt once decided.
pub fn group_prompt_decided(lang: Lang, title: &str, ending: Ending, by: Option<&str>) -> String {
    let ended = ended(lang, ending, by);
    match lang {
        Lang::En => format!("Group “{title}”\n\n{ended}"),
        Lang::Ru => format!("Группа «{title}»\n\n{ended}"),
    }
}

pub fn button_approve(lang: Lang) -> &'static str {
    lang.pick("Approve", "Пустить")
}

pub fn button_deny(lang: Lang) -> &'static str {
    lang.pick("Deny", "Отказать")
}

pub fn button_block(lang: Lang) -> &'static str {
    lang.pick("Block", "Заблокировать")
}

pub fn button_admit(lang: Lang) -> &'static str {
    lang.pick("Admit", "Разрешить")
}

pub fn button_leave(lang: Lang) -> &'static str {
    lang.pick("Leave", "Выйти")
}

/// Toast after a press that decided.
pub fn toast_done(lang: Lang, ending: Ending) -> &'static str {
    match ending {
        Ending::Approved => lang.pick("Approved.", "Человек допущен."),
        Ending::Denied => lang.pick("Denied.", "Отказано."),
        Ending::Blocked => lang.pick("Blocked.", "Человек заблокирован."),
        Ending::Expired => {
            lang.pick("That code has expired. Ask them to write again.", "Код устарел. Пусть напишут ещё раз.")
        }
        Ending::Admitted => lang.pick("Group admitted.", "Группа разрешена."),
        Ending::Left => lang.pick("Leaving the group.", "Выхожу из группы."),
    }
}

/// Toast after a press that came too late: it was decided before.
pub fn toast_already(lang: Lang, ending: Ending) -> &'static str {
    match ending {
        Ending::Approved => lang.pick("Already approved.", "Уже допущен."),
        Ending::Denied => lang.pick("Already denied.", "Уже отказано."),
        Ending::Blocked => lang.pick("Already blocked.", "Уже заблокирован."),
        Ending::Expired => toast_done(lang, ending),
        Ending::Admitted => lang.pick("Already admitted.", "Группа уже разрешена."),
        Ending::Left => lang.pick("I have already left.", "Я уже вышел."),
    }
}

/// Toast for a press by somebody who is not an owner.
pub fn toast_not_owner(lang: Lang) -> &'static str {
    lang.pick("Only an owner can decide this.", "Это может решить только владелец.")
}

/// Toast for a button we no longer know.
pub fn toast_stale(lang: Lang) -> &'static str {
    lang.pick("This button is out of date.", "Эта кнопка устарела.")
}

fn describe(who: Who<'_>) -> String {
    let mut lines = who.name.to_owned();
    if let Some(username) = who.username {
        lines.push_str(&format!("\n@{username}"));
    }
    lines.push_str(&format!("\nid {}", who.user_id));
    lines
}

fn ended(lang: Lang, ending: Ending, by: Option<&str>) -> String {
    let mark = match ending {
        Ending::Approved | Ending::Admitted => "✅",
        Ending::Denied | Ending::Left => "✖️",
        Ending::Blocked => "⛔",
        Ending::Expired => "⌛",
    };
    let what = match ending {
        Ending::Approved => lang.pick("Approved", "Допущен"),
        Ending::Denied => lang.pick("Denied", "Отказано"),
        Ending::Blocked => lang.pick("Blocked", "Заблокирован"),
        Ending::Expired => lang.pick("The code has expired", "Код устарел"),
        Ending::Admitted => lang.pick("Admitted", "Разрешена"),
        Ending::Left => lang.pick("I have left", "Я вышел"),
    };
    match by {
        Some(name) => format!("{mark} {what} ({name})"),
        None => format!("{mark} {what}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENDINGS: [Ending; 6] =
        [Ending::Approved, Ending::Denied, Ending::Blocked, Ending::Expired, Ending::Admitted, Ending::Left];

    /// Every text, with the longest names that are let through.
    fn all(lang: Lang) -> Vec<String> {
        let name = "N".repeat(64);
        let who = Who { name: &name, username: Some("u"), user_id: 55 };
        let mut texts = vec![
            stranger_prompt(lang, "ABCDEFGH", 55),
            owner_prompt(lang, who, "ABCDEFGH"),
            group_prompt_yours(lang, &name),
            group_prompt_stranger(lang, &name, who),
        ];
        texts.extend([owner_invited(lang, who, &"n".repeat(200)), owner_invited(lang, who, "")]);
        texts.extend(
            [approved, invited, no_owner, wrong_claim, claim_locked, claimed].map(|text| text(lang).to_owned()),
        );
        for ending in ENDINGS {
            texts.push(owner_prompt_decided(lang, who, ending, Some(&name)));
            texts.push(group_prompt_decided(lang, &name, ending, None));
        }
        texts.extend(toasts(lang).into_iter().map(str::to_owned));
        texts.extend(
            [button_approve, button_deny, button_block, button_admit, button_leave].map(|b| b(lang).to_owned()),
        );
        texts
    }

    fn toasts(lang: Lang) -> Vec<&'static str> {
        let mut toasts = vec![toast_not_owner(lang), toast_stale(lang)];
        toasts.extend(ENDINGS.map(|ending| toast_done(lang, ending)));
        toasts.extend(ENDINGS.map(|ending| toast_already(lang, ending)));
        toasts
    }

    fn cyrillic(text: &str) -> bool {
        text.chars().any(|c| ('а'..='я').contains(&c))
    }

    #[test]
    fn each_text_is_in_its_language_and_fits_a_message() {
        for (en, ru) in all(Lang::En).iter().zip(all(Lang::Ru).iter()) {
            assert!(!cyrillic(en) && cyrillic(ru), "{en} / {ru}");
            assert!(en.chars().count().max(ru.chars().count()) < 1_000);
        }
    }

    #[test]
    fn toasts_fit_answer_callback_query() {
        for toast in [Lang::En, Lang::Ru].into_iter().flat_map(toasts) {
            assert!(toast.chars().count() <= 200, "{toast}");
        }
    }

    #[test]
    fn the_strangers_prompt_reads_well() {
        let en = "Hello! I am a private assistant, so I need my owner's word first.\n\n\
                  Your code is ABCD EFGH. Show it to the owner; it works for one hour.\nYour Telegram id: 55";
        assert_eq!(stranger_prompt(Lang::En, "ABCDEFGH", 55), en);
        let ru = "Здравствуйте! Я личный ассистент, и сначала мне нужно согласие владельца.\n\n\
                  Ваш код: ABCD EFGH. Покажите его владельцу, код действует один час.\nВаш Telegram id: 55";
        assert_eq!(stranger_prompt(Lang::Ru, "ABCDEFGH", 55), ru);
    }
}
